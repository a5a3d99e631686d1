//! Pairs of real label maps.
#![allow(dead_code)]

use crate::volume::{read_grid, read_labels};
use segloss::{LabelPair, Labels, Spacing};
use std::collections::HashMap;
use std::path::Path;

pub(crate) type TableRow = HashMap<String, String>;

/// Prediction and reference of a pair, and the grid of both.
pub(crate) struct Maps {
    pub(crate) prediction: Vec<u8>,
    pub(crate) reference: Vec<u8>,
    pub(crate) extent: Vec<usize>,
    pub(crate) spacing: Spacing,
}

impl Maps {
    pub(crate) fn read(folder: &Path, names: &TableRow) -> Self {
        let (extent, spacing) = read_grid(folder, &names["reference"]);
        let spacing = Spacing::millimetres(&spacing).unwrap();
        let [prediction, reference] =
            ["prediction", "reference"].map(|side| read_labels(folder, &names[side]));
        Self { prediction, reference, extent, spacing }
    }

    pub(crate) fn pair<'a>(
        &'a self,
        classes: usize,
        prediction: impl Into<Labels<'a>>,
        reference: impl Into<Labels<'a>>,
    ) -> LabelPair<'a> {
        LabelPair {
            extent: &self.extent,
            spacing: self.spacing,
            classes,
            prediction: prediction.into(),
            reference: reference.into(),
            ignore: None,
        }
    }

    /// Labels as the files hold them, up to the largest.
    pub(crate) fn whole(&self) -> LabelPair<'_> {
        let largest = self.prediction.iter().chain(&self.reference).max().unwrap();
        self.pair(usize::from(*largest) + 1, &self.prediction[..], &self.reference[..])
    }
}
