//! One case: overlap and surface distances of every class and, with a tree, of every node.

use crate::cases::{Case, Pair};
use crate::classes::{ClassMaps, Classes, IGNORED};
use crate::convention::Convention;
use crate::labels::Grid;
use crate::nodes;
use crate::options::Options;
use crate::tree_file::TreeFile;
use anyhow::Result;
use segloss::{
    Executor, LabelPair, Labels, OverlapCounts, OverlapMetric, Spacing, SurfaceMetrics,
    SurfaceOutput, SurfaceResult, ToleranceShares, TreeDistances, count_overlap,
};

/// What a run measures, and how.
pub(crate) struct Settings<'a> {
    pub(crate) options: &'a Options,
    pub(crate) convention: Convention,
    pub(crate) tree: Option<TreeFile>,
}

/// Results of a case.
pub(crate) struct Measured {
    pub(crate) case: Case,
    pub(crate) grid: Grid,
    pub(crate) warnings: Vec<String>,
    /// Classes with a voxel in either map; the background if it is asked for.
    pub(crate) classes: Vec<Row>,
    /// Classes without a voxel.
    pub(crate) absent: usize,
    /// Inner nodes with a voxel in either map, without the root.
    pub(crate) nodes: Vec<Row>,
    pub(crate) tree_distances: Option<TreeDistances>,
}

/// Results of a class or node.
pub(crate) struct Row {
    /// Label of a class.
    pub(crate) label: Option<i32>,
    /// Node of the tree, where there is one.
    pub(crate) node: Option<usize>,
    pub(crate) name: String,
    pub(crate) counts: OverlapCounts,
    pub(crate) surfaces: Option<Surfaces>,
}

/// Surface metrics of a class or node; what is not finite is undefined.
pub(crate) struct Surfaces {
    /// Boundary voxels, or area in mm^2 (2-D: length in mm), of prediction and reference.
    pub(crate) sizes: [f64; 2],
    pub(crate) hausdorff: f64,
    /// Prediction to reference, reference to prediction.
    pub(crate) directed_maximum: [f64; 2],
    pub(crate) directed_mean: [f64; 2],
    pub(crate) assd: f64,
    pub(crate) masd: f64,
    pub(crate) percentiles: Vec<f64>,
    pub(crate) shares: Vec<ToleranceShares>,
}

impl Row {
    pub(crate) const fn prediction_voxels(&self) -> u64 {
        self.counts.true_positive + self.counts.false_positive
    }

    pub(crate) const fn reference_voxels(&self) -> u64 {
        self.counts.true_positive + self.counts.false_negative
    }

    pub(crate) const fn state(&self) -> &'static str {
        match (self.prediction_voxels(), self.reference_voxels()) {
            (0, 0) => "both empty",
            (0, _) => "prediction empty",
            (_, 0) => "reference empty",
            _ => "both present",
        }
    }

    pub(crate) fn overlap(&self, metric: OverlapMetric) -> f64 {
        self.counts.score(metric, f64::NAN)
    }

    pub(crate) fn dice(&self) -> f64 {
        self.overlap(OverlapMetric::Dice)
    }

    /// A number of the surfaces, NaN where there is none.
    pub(crate) fn surface(&self, of: impl Fn(&Surfaces) -> Option<f64>) -> f64 {
        self.surfaces.as_ref().and_then(of).unwrap_or(f64::NAN)
    }
}

/// Measures a pair that has been read.
pub(crate) fn measure(
    case: &Case,
    pair: &Pair,
    settings: &Settings,
    executor: &dyn Executor,
) -> Result<Measured> {
    let options = settings.options;
    let classes = Classes::of(pair, settings.tree.as_ref(), options.ignore)?;
    let maps = classes.maps(pair, options.ignore)?;
    let grid = &pair.reference.grid;
    let mut measured = Measured {
        case: case.clone(),
        grid: grid.clone(),
        warnings: pair.warnings(),
        classes: Vec::new(),
        absent: 0,
        nodes: Vec::new(),
        tree_distances: None,
    };

    let all = maps.pair(grid, classes.labels.len(), options.ignore)?;
    let mut counts = vec![OverlapCounts::default(); classes.labels.len()];
    count_overlap(&all, None, &mut counts)?;
    // Without a background, class 0 is like the others.
    let from_zero = options.include_background || !classes.has_background();
    let surfaces = surfaces(settings, &all, from_zero, executor)?;
    for (class, (counts, surfaces)) in counts.into_iter().zip(surfaces).enumerate() {
        if class == 0 && !from_zero {
            continue;
        }
        let leaf = settings.tree.as_ref().and_then(|tree| tree.leaf_of_class.get(class));
        let row = Row {
            label: classes.labels.get(class).copied(),
            node: leaf.map(|&leaf| leaf as usize),
            name: classes.names.get(class).cloned().unwrap_or_default(),
            counts,
            surfaces: Some(surfaces),
        };
        if row.state() == "both empty" {
            measured.absent += 1;
        } else {
            measured.classes.push(row);
        }
    }
    if let Some(tree) = &settings.tree {
        nodes::measure(&mut measured, tree, &all, settings, executor)?;
    }
    Ok(measured)
}

impl ClassMaps {
    fn pair<'a>(
        &'a self,
        grid: &'a Grid,
        classes: usize,
        ignore: Option<i32>,
    ) -> Result<LabelPair<'a>> {
        Ok(LabelPair {
            extent: &grid.extent,
            spacing: Spacing::millimetres(&grid.spacing_mm)?,
            classes,
            prediction: Labels::I16(&self.prediction),
            reference: Labels::I16(&self.reference),
            ignore: ignore.map(|_| i64::from(IGNORED)),
        })
    }
}

/// Surface metrics of every class of a pair.
pub(crate) fn surfaces(
    settings: &Settings,
    pair: &LabelPair,
    include_background: bool,
    executor: &dyn Executor,
) -> Result<Vec<Surfaces>> {
    let options = settings.options;
    let metrics = SurfaceMetrics {
        model: settings.convention.model,
        convention: settings.convention.percentile,
        percentiles: &options.percentiles,
        tolerances: &options.tolerances,
        include_background,
        ..SurfaceMetrics::default()
    };
    let (each, shares_each) = (options.percentiles.len(), options.tolerances.len());
    let mut classes = vec![SurfaceResult::default(); pair.classes];
    let mut percentiles = vec![0.0; pair.classes * each];
    let mut shares = vec![ToleranceShares::default(); pair.classes * shares_each];
    let bytes = metrics.scratch_bytes(pair.extent, pair.classes, executor.workers())?;
    let output =
        SurfaceOutput { classes: &mut classes, percentiles: &mut percentiles, shares: &mut shares };
    metrics.evaluate(pair, output, &mut vec![0; bytes], executor)?;

    let part = |class: usize, each: usize| class * each..(class + 1) * each;
    let rows = classes.into_iter().enumerate().map(|(class, result)| Surfaces {
        sizes: [result.prediction_surface, result.reference_surface],
        hausdorff: result.hausdorff,
        directed_maximum: result.directed_maximum,
        directed_mean: result.directed_mean,
        assd: result.assd,
        masd: result.masd,
        percentiles: percentiles.get(part(class, each)).unwrap_or_default().to_vec(),
        shares: shares.get(part(class, shares_each)).unwrap_or_default().to_vec(),
    });
    Ok(rows.collect())
}
