//! Several cases: a line for each, then every class over all of them.

use crate::columns::{Column, Kind};
use crate::measure::{Measured, Row};
use crate::table::{Table, cell, mean};
use std::collections::BTreeMap;

/// Mean, standard deviation and number of the defined values.
pub(crate) struct Statistics {
    pub(crate) mean: f64,
    pub(crate) deviation: f64,
    pub(crate) defined: usize,
}

impl Statistics {
    /// `None` without a defined value; one value has no deviation (NaN).
    pub(crate) fn of(rows: &[&Row], column: &Column) -> Option<Self> {
        let (mean, defined) = mean(rows, column);
        let mean = mean?;
        let values = rows.iter().filter_map(|row| column.defined(row));
        let squares: f64 = values.map(|value| (value - mean) * (value - mean)).sum();
        let deviation = (squares / (defined as f64 - 1.0)).sqrt();
        Some(Self { mean, deviation, defined })
    }
}

/// Rows of one class or node, of every case that has it, by label or node.
pub(crate) fn by_class(cases: &[Measured]) -> BTreeMap<(bool, i64), Vec<&Row>> {
    let mut rows: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in cases.iter().flat_map(|case| case.classes.iter().chain(&case.nodes)) {
        let key = match row.label {
            Some(label) => (false, i64::from(label)),
            None => (true, row.node.map_or(-1, |node| node as i64)),
        };
        rows.entry(key).or_default().push(row);
    }
    rows
}

/// How many rows are in a state.
pub(crate) fn in_state(rows: &[&Row], state: &str) -> usize {
    rows.iter().filter(|row| row.state() == state).count()
}

pub(crate) fn text(cases: &[Measured], columns: &[Column]) -> String {
    format!("{}\n{}", of_cases(cases, columns), of_classes(cases, columns))
}

/// Means over the classes of every case.
fn of_cases(cases: &[Measured], columns: &[Column]) -> String {
    let heads = ["case", "classes", "one-sided"].map(str::to_string);
    let means = columns.iter().map(|column| column.title.clone());
    let mut table = Table::new(1, heads.into_iter().chain(means).collect());
    for case in cases {
        let rows: Vec<&Row> = case.classes.iter().collect();
        let both = in_state(&rows, "both present");
        let mut cells =
            vec![case.case.name.clone(), rows.len().to_string(), (rows.len() - both).to_string()];
        cells.extend(columns.iter().map(|column| cell(mean(&rows, column).0, column.kind)));
        table.push(cells);
    }
    format!("Means over the classes of each case\n\n{}", table.text())
}

/// Mean and standard deviation over the cases of every class.
fn of_classes(cases: &[Measured], columns: &[Column]) -> String {
    let heads = ["class", "label", "cases", "prediction empty", "reference empty"];
    let titles = columns.iter().map(|column| column.title.clone());
    let mut table = Table::new(2, heads.into_iter().map(str::to_string).chain(titles).collect());
    for rows in by_class(cases).values() {
        let Some(first) = rows.first() else { continue };
        let mut cells = vec![
            first.name.clone(),
            first.label.map_or_else(String::new, |label| label.to_string()),
            rows.len().to_string(),
            in_state(rows, "prediction empty").to_string(),
            in_state(rows, "reference empty").to_string(),
        ];
        cells.extend(columns.iter().map(|column| spread(rows, column)));
        table.push(cells);
    }
    format!(
        "Mean ± standard deviation over the cases that have a class; distances over those that \
         have it in both maps\n\n{}",
        table.text()
    )
}

fn spread(rows: &[&Row], column: &Column) -> String {
    let Some(statistics) = Statistics::of(rows, column) else { return "-".to_string() };
    let mean = cell(Some(statistics.mean), column.kind);
    if statistics.defined < 2 {
        return mean;
    }
    match column.kind {
        Kind::Share => format!("{mean} ± {:.3}", statistics.deviation),
        Kind::Millimetres => format!("{mean} ± {:.2}", statistics.deviation),
    }
}
