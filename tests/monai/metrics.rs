//! MONAI's metric functions expressed in the metrics of the library.

use std::fs;
use std::path::Path;

use segloss::{
    LabelPair, Labels, OverlapCounts, OverlapMetric, PercentileConvention, Sequential, Spacing,
    SurfaceMetrics, SurfaceModel, SurfaceOutput, SurfaceResult, ToleranceShares, count_overlap,
};
use serde_json::Value;

use super::record::{Init, Numbers, Tensor};

/// Every argument that is looked at below.
const KNOWN: [&str; 10] = [
    "y_pred",
    "y",
    "include_background",
    "ignore_empty",
    "ignore_index",
    "spacing",
    "symmetric",
    "distance_metric",
    "use_subvoxels",
    "class_thresholds",
];

/// One call of a MONAI metric.
pub struct MetricCall {
    /// `compute_iou_001`.
    pub name: String,
    function: String,
    arguments: Init,
    prediction: Tensor,
    reference: Tensor,
    pub output: Tensor,
}

/// One channel of one sample as a pair of label maps.
struct Channel {
    extent: Vec<usize>,
    spacing: Spacing,
    prediction: Vec<u8>,
    reference: Vec<u8>,
}

impl MetricCall {
    /// All calls of a folder whose file begins with `metric_`, in the order of their names.
    pub fn read_all(folder: &Path) -> Vec<Self> {
        let mut calls: Vec<Self> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter_map(|path| {
                let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
                Some(Self::read(&path, name.strip_prefix("metric_")?))
            })
            .collect();
        calls.sort_by(|a, b| a.name.cmp(&b.name));
        calls
    }

    fn read(path: &Path, name: &str) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let arguments = &json["arguments"];
        let tensor = |value: &Value| Tensor::from_json(value).expect("a tensor");
        Self {
            name: name.to_string(),
            function: json["function"].as_str().expect("a function name").to_string(),
            arguments: Init::from_json(arguments),
            prediction: tensor(&arguments["y_pred"]),
            reference: tensor(&arguments["y"]),
            output: tensor(&json["output"]),
        }
    }

    /// What the library gives, in the order of MONAI's result: `[B][C]`.
    pub fn replay(&self) -> Result<Vec<f64>, String> {
        self.arguments.check(&KNOWN)?;
        if self.arguments.integer("ignore_index").is_some() {
            return Err("no counterpart of ignore_index".to_string());
        }
        let [samples, classes, ..] = self.prediction.shape[..] else {
            return Err("the prediction has no channels".to_string());
        };
        // With one channel MONAI keeps it.
        let dropped = classes > 1 && !self.arguments.flag("include_background", self.background());
        let first = usize::from(dropped);
        let mut values = Vec::new();
        for sample in 0..samples {
            for class in first..classes {
                let channel = self.channel(sample * classes + class)?;
                values.push(self.value(&channel, class - first)?);
            }
        }
        Ok(values)
    }

    /// MONAI's default of `include_background`.
    fn background(&self) -> bool {
        matches!(self.function.as_str(), "compute_dice" | "compute_iou")
    }

    fn channel(&self, index: usize) -> Result<Channel, String> {
        let extent = self.prediction.shape[2..].to_vec();
        let voxels: usize = extent.iter().product();
        let bytes = |tensor: &Tensor| -> Vec<u8> {
            let values = &tensor.values[index * voxels..(index + 1) * voxels];
            values.iter().map(|&value| u8::from(value != 0.0)).collect()
        };
        let along = match self.arguments.numbers("spacing") {
            None => vec![1.0; extent.len()],
            Some(Numbers::One(spacing)) => vec![spacing; extent.len()],
            Some(Numbers::Each(spacing)) => spacing,
        };
        let spacing = Spacing::millimetres(&along).map_err(|error| error.to_string())?;
        let (prediction, reference) = (bytes(&self.prediction), bytes(&self.reference));
        Ok(Channel { extent, spacing, prediction, reference })
    }

    /// The value of the channel, `place` in the lists of options.
    fn value(&self, channel: &Channel, place: usize) -> Result<f64, String> {
        let overlap = |metric| {
            let counts = channel.counts();
            // MONAI leaves out what is not in the reference, or counts it.
            let absent = counts.true_positive + counts.false_negative == 0;
            match self.arguments.flag("ignore_empty", true) && absent {
                true => f64::NAN,
                false => counts.score(metric, 1.0),
            }
        };
        match self.function.as_str() {
            "compute_iou" => Ok(overlap(OverlapMetric::Jaccard)),
            "compute_dice" => Ok(overlap(OverlapMetric::Dice)),
            "compute_surface_dice" => {
                let tolerance = match self.arguments.numbers("class_thresholds") {
                    Some(Numbers::Each(tolerances)) => tolerances[place],
                    other => return Err(format!("class_thresholds {other:?}")),
                };
                self.check_distance(tolerance)?;
                let subvoxels = self.arguments.flag("use_subvoxels", false);
                let metrics = if subvoxels { surfels() } else { SurfaceMetrics::default() };
                Ok(channel.surfaces(&metrics, tolerance).1.surface_dice)
            }
            "compute_average_surface_distance" => {
                self.check_distance(f64::INFINITY)?;
                let (own, _) = channel.surfaces(&SurfaceMetrics::default(), 0.0);
                let symmetric = self.arguments.flag("symmetric", false);
                Ok(if symmetric { own.assd } else { own.directed_mean[0] })
            }
            other => Err(format!("no counterpart of {other}")),
        }
    }

    /// Another distance than Euclid's makes no difference within a tolerance of 0.
    fn check_distance(&self, tolerance: f64) -> Result<(), String> {
        match self.arguments.text("distance_metric", "euclidean") {
            "euclidean" => Ok(()),
            _ if tolerance == 0.0 => Ok(()),
            other => Err(format!("no counterpart of {other} distances")),
        }
    }
}

fn surfels() -> SurfaceMetrics<'static> {
    SurfaceMetrics {
        model: SurfaceModel::Surfel,
        convention: PercentileConvention::AreaWeighted,
        ..SurfaceMetrics::default()
    }
}

impl Channel {
    fn pair(&self) -> LabelPair<'_> {
        LabelPair {
            extent: &self.extent,
            spacing: self.spacing,
            classes: 2,
            prediction: Labels::U8(&self.prediction),
            reference: Labels::U8(&self.reference),
            ignore: None,
        }
    }

    fn counts(&self) -> OverlapCounts {
        let mut counts = [OverlapCounts::default(); 2];
        count_overlap(&self.pair(), None, &mut counts).unwrap();
        counts[1]
    }

    fn surfaces(
        &self,
        metrics: &SurfaceMetrics<'_>,
        tolerance: f64,
    ) -> (SurfaceResult, ToleranceShares) {
        let tolerances = [tolerance];
        let metrics = SurfaceMetrics { percentiles: &[], tolerances: &tolerances, ..*metrics };
        let mut scratch = vec![0; metrics.scratch_bytes(&self.extent, 2, 1).unwrap()];
        let mut classes = [SurfaceResult::default(); 2];
        let mut shares = [ToleranceShares::default(); 2];
        let output =
            SurfaceOutput { classes: &mut classes, percentiles: &mut [], shares: &mut shares };
        metrics.evaluate(&self.pair(), output, &mut scratch, &Sequential).unwrap();
        (classes[1], shares[1])
    }
}
