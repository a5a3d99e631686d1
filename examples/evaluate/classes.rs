//! Labels of files and the classes that the library counts with: 0 to C - 1, the background first.

use crate::cases::Pair;
use crate::labels::LabelMap;
use crate::tree_file::TreeFile;
use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeSet, HashMap};

/// More different labels than this are those of an image.
const MOST_LABELS: usize = 4096;

/// What stands for the ignore label in a map of classes.
pub(crate) const IGNORED: i16 = -1;

/// Label and name of every class.
pub(crate) struct Classes {
    pub(crate) labels: Vec<i32>,
    pub(crate) names: Vec<String>,
}

/// A pair in classes.
pub(crate) struct ClassMaps {
    pub(crate) prediction: Vec<i16>,
    pub(crate) reference: Vec<i16>,
}

impl Classes {
    /// Leaves of the tree, or the labels of the pair and 0.
    pub(crate) fn of(pair: &Pair, tree: Option<&TreeFile>, ignore: Option<i32>) -> Result<Self> {
        if let Some(tree) = tree {
            let names = tree.leaf_of_class.iter().map(|&leaf| tree.name(leaf as usize).to_string());
            return Ok(Self { labels: tree.labels.clone(), names: names.collect() });
        }
        let mut found = BTreeSet::new();
        collect_labels(&pair.prediction, &mut found).context("prediction")?;
        collect_labels(&pair.reference, &mut found).context("reference")?;
        found.remove(&0);
        if let Some(ignore) = ignore {
            found.remove(&ignore);
        }
        let labels: Vec<i32> = std::iter::once(0).chain(found).collect();
        let names = labels.iter().map(i32::to_string).collect();
        Ok(Self { labels, names })
    }

    /// Whether class 0 is the background.
    pub(crate) fn has_background(&self) -> bool {
        self.labels.first() == Some(&0)
    }

    pub(crate) fn maps(&self, pair: &Pair, ignore: Option<i32>) -> Result<ClassMaps> {
        let convert = |map, name: &'static str| self.classes_of(map, ignore).context(name);
        Ok(ClassMaps {
            prediction: convert(&pair.prediction, "prediction")?,
            reference: convert(&pair.reference, "reference")?,
        })
    }

    fn classes_of(&self, map: &LabelMap, ignore: Option<i32>) -> Result<Vec<i16>> {
        let mut class_of = HashMap::new();
        for (class, &label) in self.labels.iter().enumerate() {
            let class = i16::try_from(class).context("more than 32767 classes")?;
            class_of.insert(label, class);
        }
        if let Some(ignore) = ignore {
            class_of.insert(ignore, IGNORED);
        }
        let mut classes = Vec::with_capacity(map.labels.len());
        // Neighbours mostly have the same label.
        let mut last = None;
        for &label in &map.labels {
            let class = match last {
                Some((known, class)) if known == label => class,
                _ => match class_of.get(&label) {
                    Some(&class) => class,
                    None => bail!(
                        "label {label} has no leaf in the tree: voxel {:?} (slowest axis first)",
                        map.grid.position(classes.len())
                    ),
                },
            };
            last = Some((label, class));
            classes.push(class);
        }
        Ok(classes)
    }
}

fn collect_labels(map: &LabelMap, found: &mut BTreeSet<i32>) -> Result<()> {
    let mut last = None;
    for &label in &map.labels {
        if last != Some(label) {
            found.insert(label);
            last = Some(label);
            ensure!(found.len() <= MOST_LABELS, "more than {MOST_LABELS} labels: an image?");
        }
    }
    Ok(())
}
