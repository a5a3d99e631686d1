//! Outlines of a mask along the edges of its pixels.

use std::collections::HashMap;
use std::fmt::Write;

/// A corner of a pixel: column and row.
type Corner = (usize, usize);

/// A mask of `rows` times `columns` pixels.
pub(crate) struct Mask {
    pub(crate) columns: usize,
    pub(crate) inside: Vec<bool>,
}

impl Mask {
    fn at(&self, column: Option<usize>, row: Option<usize>) -> bool {
        let (Some(column), Some(row)) = (column, row) else { return false };
        let inside = self.inside.get(row * self.columns + column);
        column < self.columns && inside.copied().unwrap_or(false)
    }

    /// The outline as an SVG path, a pixel being `width` times `height`.
    pub(crate) fn path(&self, width: f64, height: f64) -> String {
        let mut data = String::new();
        for outline in self.outlines() {
            let mut before = None;
            for (column, row) in outline {
                let (x, y) = (column as f64 * width, row as f64 * height);
                // Every side of a pixel is horizontal or vertical.
                let _ = match before.replace((column, row)) {
                    None => write!(data, "M{x:.1} {y:.1}"),
                    Some((_, last)) if last == row => write!(data, "H{x:.1}"),
                    Some(_) => write!(data, "V{y:.1}"),
                };
            }
            data.push('Z');
        }
        data
    }

    /// Closed outlines, corners only where they turn; the mask lies to the right of the way.
    fn outlines(&self) -> Vec<Vec<Corner>> {
        let mut next = self.edges();
        let mut starts: Vec<Corner> = next.keys().copied().collect();
        starts.sort_unstable();
        let mut outlines = Vec::new();
        for start in starts {
            while let Some(first) = take(&mut next, start, None) {
                let mut outline = vec![start];
                let (mut from, mut to) = (start, first);
                while to != start {
                    let Some(after) = take(&mut next, to, Some(from)) else { break };
                    if !straight(from, to, after) {
                        outline.push(to);
                    }
                    (from, to) = (to, after);
                }
                outlines.push(outline);
            }
        }
        outlines
    }

    /// The sides of pixels between inside and outside, by where they begin.
    fn edges(&self) -> HashMap<Corner, Vec<Corner>> {
        let mut edges: HashMap<Corner, Vec<Corner>> = HashMap::new();
        for (index, _) in self.inside.iter().enumerate().filter(|&(_, &inside)| inside) {
            let (column, row) = (index % self.columns, index / self.columns);
            let (here, below) = (Some(column), Some(row));
            let mut edge = |from, to| edges.entry(from).or_default().push(to);
            if !self.at(here, row.checked_sub(1)) {
                edge((column, row), (column + 1, row));
            }
            if !self.at(Some(column + 1), below) {
                edge((column + 1, row), (column + 1, row + 1));
            }
            if !self.at(here, Some(row + 1)) {
                edge((column + 1, row + 1), (column, row + 1));
            }
            if !self.at(column.checked_sub(1), below) {
                edge((column, row + 1), (column, row));
            }
        }
        edges
    }
}

/// The edge that goes on from a corner. Where two pixels meet at a corner alone, the one that turns
/// is taken, so that their outlines stay apart.
fn take(
    next: &mut HashMap<Corner, Vec<Corner>>,
    at: Corner,
    from: Option<Corner>,
) -> Option<Corner> {
    let ways = next.get_mut(&at)?;
    let turn = from.and_then(|from| {
        let right = |&way: &Corner| turns_right(from, at, way);
        ways.iter().position(right)
    });
    let way = turn.unwrap_or(0);
    (way < ways.len()).then(|| ways.swap_remove(way))
}

fn direction(from: Corner, to: Corner) -> (i64, i64) {
    (to.0 as i64 - from.0 as i64, to.1 as i64 - from.1 as i64)
}

fn straight(from: Corner, at: Corner, to: Corner) -> bool {
    direction(from, at) == direction(at, to)
}

fn turns_right(from: Corner, at: Corner, to: Corner) -> bool {
    let ((ax, ay), (bx, by)) = (direction(from, at), direction(at, to));
    ax * by - ay * bx > 0
}
