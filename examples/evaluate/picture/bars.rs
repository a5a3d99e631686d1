//! A bar for the Dice of every class.

use super::{colour, label};
use crate::measure::Row;
use svg::node::element::{Group, Line, Rectangle};

const ROW: f64 = 19.0;
/// In a column.
pub(crate) const ROWS: usize = 20;
/// More classes than this are not all shown: the worst are.
const MOST: usize = 60;
const LONGEST_NAME: usize = 24;
/// Of a letter of a name, about.
const LETTER: f64 = 7.2;
const BETWEEN: f64 = 24.0;

/// The bars and their height, `width` wide.
pub(crate) fn draw(rows: &[&Row], width: f64) -> (Group, f64) {
    let mut shown: Vec<(usize, &Row)> = rows.iter().copied().enumerate().collect();
    let mut title = "Dice".to_string();
    if shown.len() > MOST {
        shown.sort_by(|a, b| a.1.dice().total_cmp(&b.1.dice()));
        shown.truncate(MOST);
        title = format!("Dice, the lowest {MOST} of {} classes", rows.len());
    }
    let columns = shown.len().div_ceil(ROWS).max(1);
    let each = shown.len().div_ceil(columns).max(1);
    let column_width = (width + BETWEEN) / columns as f64 - BETWEEN;
    let longest = shown.iter().map(|(_, row)| shorten(&row.name).chars().count()).max();
    let name_width = (longest.unwrap_or(0) as f64 * LETTER + 12.0).min(0.42 * column_width);
    let mut group = Group::new().add(label(&title, 0.0, 12.0, 13.0).set("font-weight", "bold"));
    for (number, &(place, row)) in shown.iter().enumerate() {
        let x = (number / each) as f64 * (column_width + BETWEEN);
        let y = 24.0 + (number % each) as f64 * ROW;
        let bar = bar(row, &colour(place), name_width, column_width);
        group = group.add(bar.set("transform", format!("translate({x:.2} {y:.2})")));
    }
    (group, 24.0 + each as f64 * ROW)
}

fn bar(row: &Row, fill: &str, name_width: f64, width: f64) -> Group {
    const VALUE_WIDTH: f64 = 46.0;
    let track = width - name_width - VALUE_WIDTH;
    let dice = row.dice();
    let length = if dice.is_finite() { dice * track } else { 0.0 };
    let rectangle = |length: f64, fill: &str| {
        let rectangle = Rectangle::new().set("x", name_width).set("y", 3).set("rx", 2);
        rectangle.set("width", length).set("height", ROW - 7.0).set("fill", fill)
    };
    let name = label(&shorten(&row.name), name_width - 8.0, 13.0, 12.0);
    let value = label(&format!("{dice:.3}"), width, 13.0, 12.0).set("text-anchor", "end");
    let mut group = Group::new()
        .add(name.set("text-anchor", "end"))
        .add(rectangle(track, "#e5e7eb"))
        .add(rectangle(length, fill))
        .add(value);
    for quarter in 1..4 {
        let x = name_width + track * f64::from(quarter) / 4.0;
        let line = Line::new().set("x1", x).set("x2", x).set("y1", 3).set("y2", ROW - 4.0);
        group = group.add(line.set("stroke", "#ffffff").set("stroke-opacity", 0.7));
    }
    if row.state() != "both present" {
        let state = label(row.state(), name_width + 6.0, 13.0, 10.5);
        group = group.add(state.set("fill", "#b91c1c"));
    }
    group
}

fn shorten(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_string();
    }
    name.chars().take(LONGEST_NAME - 1).chain(['…']).collect()
}
