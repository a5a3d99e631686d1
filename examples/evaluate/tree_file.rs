//! A label tree from a CSV file.

use anyhow::{Context, Result, anyhow, bail, ensure};
use segloss::{Argument, LabelTree};
use std::collections::HashMap;
use std::path::Path;

/// Nodes in the order of the file; classes are the leaves in the order of their labels, 0 first.
pub(crate) struct TreeFile {
    pub(crate) names: Vec<String>,
    pub(crate) parent: Vec<i32>,
    pub(crate) depth: Vec<usize>,
    /// Label of every class.
    pub(crate) labels: Vec<i32>,
    /// Node of every class.
    pub(crate) leaf_of_class: Vec<i32>,
    /// Of the [`LabelTree`].
    storage: Vec<u8>,
}

/// A line of the file.
struct Line {
    node: i64,
    parent: i64,
    name: String,
    label: Option<i32>,
}

impl TreeFile {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let mut reader = csv::Reader::from_path(path)?;
        let lines = reader.records().map(|record| {
            let record = record?;
            let line = record.position().map_or(0, csv::Position::line);
            parse(&record).with_context(|| format!("line {line}"))
        });
        Self::build(&lines.collect::<Result<Vec<_>>>()?)
    }

    fn build(lines: &[Line]) -> Result<Self> {
        let mut number = HashMap::new();
        for (index, line) in lines.iter().enumerate() {
            let before = number.insert(line.node, index as i32);
            ensure!(before.is_none(), "node {} stands there twice", line.node);
        }
        let parent = lines.iter().map(|line| match line.parent {
            -1 => Ok(-1),
            other => number.get(&other).copied().with_context(|| {
                format!("node {}: its parent {other} is not in the file", line.node)
            }),
        });
        let parent: Vec<i32> = parent.collect::<Result<_>>()?;
        let mut leaves: Vec<(i32, i32)> = Vec::new();
        for (line, node) in lines.iter().zip(0..) {
            leaves.extend(line.label.map(|label| (label, node)));
        }
        leaves.sort_unstable_by_key(|&(label, _)| (label != 0, label));
        for pair in leaves.windows(2) {
            if let [(label, _), (next, _)] = pair {
                ensure!(label != next, "two leaves have label {label}");
            }
        }
        let (labels, leaf_of_class): (Vec<_>, Vec<_>) = leaves.into_iter().unzip();
        let names = lines.iter().map(|line| line.name.clone()).collect();
        let storage = vec![0; LabelTree::storage_bytes(parent.len(), labels.len())?];
        let depth = Vec::new();
        let mut file = Self { names, parent, depth, labels, leaf_of_class, storage };
        file.measure_depth().map_err(|error| {
            let place = usize::try_from(error.position).unwrap_or(usize::MAX);
            let what = error.cause.message();
            match error.argument {
                Argument::TreeNode => anyhow!("{what}: {}", file.name(place)),
                Argument::TreeClass => {
                    let node = file.leaf_of_class.get(place).map_or(usize::MAX, |&v| v as usize);
                    anyhow!("{what}: {}", file.name(node))
                }
                _ => anyhow!("{what}"),
            }
        })?;
        Ok(file)
    }

    fn measure_depth(&mut self) -> Result<(), segloss::Error> {
        let (mut storage, nodes) = (self.storage.clone(), self.parent.len());
        let tree = LabelTree::new(&self.parent, None, &self.leaf_of_class, &mut storage)?;
        self.depth = (0..nodes).filter_map(|node| tree.depth(node)).collect();
        Ok(())
    }

    /// Runs `work` with the validated tree.
    pub(crate) fn with_tree<T>(&self, work: impl FnOnce(&LabelTree) -> Result<T>) -> Result<T> {
        let mut storage = self.storage.clone();
        work(&LabelTree::new(&self.parent, None, &self.leaf_of_class, &mut storage)?)
    }

    pub(crate) fn name(&self, node: usize) -> &str {
        self.names.get(node).map_or("?", String::as_str)
    }
}

fn parse(record: &csv::StringRecord) -> Result<Line> {
    let [node, parent, name, label] = [0, 1, 2, 3].map(|field| record.get(field).map(str::trim));
    let (Some(node), Some(parent), Some(name)) = (node, parent, name) else {
        bail!("not node_id,parent_id,name,leaf_label");
    };
    let whole = |text: &str, what| {
        text.parse::<i64>().with_context(|| format!("{what} {text:?} is not a whole number"))
    };
    let label = match label {
        None | Some("") => None,
        Some(text) => {
            let label = text.parse().with_context(|| format!("leaf_label {text:?}: no label"));
            Some(label?)
        }
    };
    Ok(Line {
        node: whole(node, "node_id")?,
        parent: whole(parent, "parent_id")?,
        name: name.to_string(),
        label,
    })
}
