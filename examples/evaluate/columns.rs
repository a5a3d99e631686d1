//! The numbers of a row, under the names they have in tables and files.

use crate::convention::Convention;
use crate::measure::{Row, Surfaces};
use crate::options::Options;
use segloss::OverlapMetric;

/// How a number is written in tables.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// From 0 to 1.
    Share,
    Millimetres,
}

/// A number of every row, NaN or infinite where it is undefined.
pub(crate) struct Column {
    pub(crate) title: String,
    pub(crate) kind: Kind,
    pub(crate) of: Box<dyn Fn(&Row) -> f64>,
}

impl Column {
    fn overlap(title: &str, metric: OverlapMetric) -> Self {
        let of = Box::new(move |row: &Row| row.overlap(metric));
        Self { title: title.to_string(), kind: Kind::Share, of }
    }

    fn surface(
        title: impl Into<String>,
        kind: Kind,
        of: impl Fn(&Surfaces) -> Option<f64> + 'static,
    ) -> Self {
        Self { title: title.into(), kind, of: Box::new(move |row| row.surface(&of)) }
    }

    /// The number of a row where it is defined.
    pub(crate) fn defined(&self, row: &Row) -> Option<f64> {
        Some((self.of)(row)).filter(|value| value.is_finite())
    }
}

/// Columns of tables, with the names of the convention.
pub(crate) fn of_table(options: &Options, convention: &Convention) -> Vec<Column> {
    let mut columns = vec![
        Column::overlap("Dice", OverlapMetric::Dice),
        Column::overlap("IoU", OverlapMetric::Jaccard),
        Column::surface("HD", Kind::Millimetres, |surfaces| Some(surfaces.hausdorff)),
    ];
    for (place, percentile) in options.percentiles.iter().enumerate() {
        let of = move |surfaces: &Surfaces| surfaces.percentiles.get(place).copied();
        columns.push(Column::surface(format!("HD{percentile}"), Kind::Millimetres, of));
    }
    for mean in convention.means {
        let of = mean.of;
        columns.push(Column::surface(mean.title, Kind::Millimetres, move |each| Some(of(each))));
    }
    for (place, tolerance) in options.tolerances.iter().enumerate() {
        let of = move |surfaces: &Surfaces| Some(surfaces.shares.get(place)?.surface_dice);
        columns.push(Column::surface(format!("NSD@{tolerance}"), Kind::Share, of));
    }
    columns
}

/// Columns of files, the same in every convention.
pub(crate) fn of_files(options: &Options) -> Vec<Column> {
    let mm = Kind::Millimetres;
    let mut columns = vec![
        Column::overlap("dice", OverlapMetric::Dice),
        Column::overlap("iou", OverlapMetric::Jaccard),
        Column::overlap("precision", OverlapMetric::Precision),
        Column::overlap("sensitivity", OverlapMetric::Sensitivity),
        Column::overlap("specificity", OverlapMetric::Specificity),
        Column::overlap("volume_similarity", OverlapMetric::VolumeSimilarity),
        Column::overlap("relative_volume_difference", OverlapMetric::RelativeVolumeDifference),
        Column::surface("hd_mm", mm, |surfaces| Some(surfaces.hausdorff)),
    ];
    for (place, percentile) in options.percentiles.iter().enumerate() {
        let of = move |surfaces: &Surfaces| surfaces.percentiles.get(place).copied();
        columns.push(Column::surface(format!("hd{percentile}_mm"), mm, of));
    }
    columns.push(Column::surface("assd_mm", mm, |surfaces| Some(surfaces.assd)));
    columns.push(Column::surface("masd_mm", mm, |surfaces| Some(surfaces.masd)));
    let directions = ["prediction_to_reference_mm", "reference_to_prediction_mm"];
    for (side, direction) in directions.into_iter().enumerate() {
        let of = move |surfaces: &Surfaces| surfaces.directed_mean.get(side).copied();
        columns.push(Column::surface(format!("mean_{direction}"), mm, of));
        let of = move |surfaces: &Surfaces| surfaces.directed_maximum.get(side).copied();
        columns.push(Column::surface(format!("maximum_{direction}"), mm, of));
    }
    for (place, tolerance) in options.tolerances.iter().enumerate() {
        let of = move |surfaces: &Surfaces| Some(surfaces.shares.get(place)?.surface_dice);
        columns.push(Column::surface(format!("nsd_{tolerance}mm"), Kind::Share, of));
        let of = move |surfaces: &Surfaces| Some(surfaces.shares.get(place)?.prediction_overlap);
        let title = format!("prediction_surface_overlap_{tolerance}mm");
        columns.push(Column::surface(title, Kind::Share, of));
        let of = move |surfaces: &Surfaces| Some(surfaces.shares.get(place)?.reference_overlap);
        let title = format!("reference_surface_overlap_{tolerance}mm");
        columns.push(Column::surface(title, Kind::Share, of));
    }
    for (side, name) in ["prediction_surface", "reference_surface"].into_iter().enumerate() {
        let of = move |surfaces: &Surfaces| surfaces.sizes.get(side).copied();
        columns.push(Column::surface(name, mm, of));
    }
    columns
}
