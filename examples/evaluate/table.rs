//! Aligned text.

use crate::columns::{Column, Kind};
use crate::labels::{by, short};
use crate::measure::{Measured, Row, Settings};
use crate::tree_file::TreeFile;
use std::fmt::Write;

/// Rows of cells; the first column is aligned to the left, as is every one of text.
pub(crate) struct Table {
    left: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// `left` columns of text, then numbers.
    pub(crate) fn new(left: usize, titles: Vec<String>) -> Self {
        Self { left, rows: vec![titles] }
    }

    pub(crate) fn push(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub(crate) fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..columns).map(width).collect();
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            let mut line = String::new();
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let _ = if column < self.left {
                    write!(line, "{cell:<width$}  ")
                } else {
                    write!(line, "{cell:>width$}  ")
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
            if number == 0 {
                let rule = widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1);
                let _ = writeln!(text, "{}", "-".repeat(rule));
            }
        }
        text
    }
}

/// A number, "-" where it is undefined.
pub(crate) fn cell(value: Option<f64>, kind: Kind) -> String {
    match (value, kind) {
        (None, _) => "-".to_string(),
        (Some(value), Kind::Share) => format!("{value:.4}"),
        (Some(value), Kind::Millimetres) => format!("{value:.3}"),
    }
}

/// Mean of the defined numbers of some rows, and how many there are.
pub(crate) fn mean(rows: &[&Row], column: &Column) -> (Option<f64>, usize) {
    let values: Vec<f64> = rows.iter().filter_map(|row| column.defined(row)).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    ((!values.is_empty()).then_some(mean), values.len())
}

/// What a case says.
pub(crate) fn of_case(measured: &Measured, settings: &Settings, columns: &[Column]) -> String {
    let grid = &measured.grid;
    let mut text = format!(
        "{}: {} voxels of {} mm\n{}: {}, percentiles: {}\n\n",
        measured.case.name,
        by(&grid.extent),
        by(&short(&grid.spacing_mm)),
        settings.convention.name,
        settings.convention.model_name(),
        settings.convention.percentile_name(),
    );
    let heads = ["", "label", "state", "predicted", "reference"].map(str::to_string);
    let titles = heads.into_iter().chain(columns.iter().map(|column| column.title.clone()));
    let mut table = Table::new(3, titles.collect());
    let mut push = |row: &Row, indent: usize| {
        let mut cells = vec![
            format!("{}{}", "  ".repeat(indent), row.name),
            row.label.map_or_else(String::new, |label| label.to_string()),
            row.state().to_string(),
            row.prediction_voxels().to_string(),
            row.reference_voxels().to_string(),
        ];
        cells.extend(columns.iter().map(|column| cell(column.defined(row), column.kind)));
        table.push(cells);
    };
    match &settings.tree {
        Some(tree) => {
            for (row, depth) in in_tree(measured, tree) {
                push(row, depth.saturating_sub(1));
            }
        }
        None => measured.classes.iter().for_each(|row| push(row, 0)),
    }
    let rows: Vec<&Row> = measured.classes.iter().collect();
    table.push(mean_row(&rows, columns));
    text.push_str(&table.text());
    if measured.absent > 0 {
        let _ = writeln!(text, "{} classes without a voxel in either map", measured.absent);
    }
    if let Some(distances) = &measured.tree_distances {
        let _ = writeln!(
            text,
            "mean tree distance of predicted and true class {:.5}, mean depth of their common \
             ancestor {:.4}",
            distances.mean_distance(f64::NAN),
            distances.mean_ancestor_depth(f64::NAN)
        );
    }
    text
}

/// Means over the classes; distances say over how many, where some are undefined.
fn mean_row(rows: &[&Row], columns: &[Column]) -> Vec<String> {
    let state = format!("{} classes", rows.len());
    let blank = String::new;
    let mut cells = vec!["mean".to_string(), blank(), state, blank(), blank()];
    for column in columns {
        let (mean, defined) = mean(rows, column);
        let text = cell(mean, column.kind);
        let partial = defined < rows.len() && defined > 0;
        cells.push(if partial { format!("({defined}) {text}") } else { text });
    }
    cells
}

/// Rows of classes and nodes, every node before what is below it.
fn in_tree<'a>(measured: &'a Measured, tree: &TreeFile) -> Vec<(&'a Row, usize)> {
    let mut row_of_node = vec![None; tree.parent.len()];
    for row in measured.classes.iter().chain(&measured.nodes) {
        if let Some(place) = row.node.and_then(|node| row_of_node.get_mut(node)) {
            *place = Some(row);
        }
    }
    let mut children = vec![Vec::new(); tree.parent.len()];
    let mut next = Vec::new();
    for (node, &parent) in tree.parent.iter().enumerate() {
        match usize::try_from(parent).ok().filter(|&parent| parent != node) {
            Some(parent) => children.get_mut(parent).into_iter().for_each(|list| list.push(node)),
            None => next.push(node),
        }
    }
    let mut rows = Vec::new();
    while let Some(node) = next.pop() {
        let depth = tree.depth.get(node).copied().unwrap_or(0);
        rows.extend(row_of_node.get(node).copied().flatten().map(|row| (row, depth)));
        next.extend(children.get(node).into_iter().flatten().rev());
    }
    rows
}
