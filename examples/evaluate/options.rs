//! The command line.

use crate::convention::{HELP, Tool};
use clap::Parser;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Compares segmentations with references: overlap and surface distances of every class.
#[derive(Parser, Debug)]
#[command(name = "evaluate", after_help = HELP, allow_negative_numbers = true)]
pub(crate) struct Options {
    /// Label map (.nii, .nii.gz, .npy), or a folder of them
    pub(crate) prediction: PathBuf,

    /// Label map of the same grid, or a folder with files of the same names
    pub(crate) reference: PathBuf,

    /// Distance of voxel centres in mm, slowest axis first; .npy needs it, for NIfTI it replaces
    /// that of the header
    #[arg(long, value_name = "Z,Y,X", value_delimiter = ',', value_parser = spacing)]
    pub(crate) spacing: Option<Vec<f64>>,

    /// Label tree: node_id,parent_id,name,leaf_label (a header line; parent -1 for the root; no
    /// leaf_label for inner nodes). Names the classes, adds a table of nodes
    #[arg(long, value_name = "FILE")]
    pub(crate) tree: Option<PathBuf>,

    /// Tolerances in mm, each a column of NSD (surface Dice)
    #[arg(long, value_name = "MM,..", value_delimiter = ',', value_parser = tolerance)]
    pub(crate) tolerances: Vec<f64>,

    /// Percentiles of the surface distance, each a column
    #[arg(long, value_name = "P,..", value_delimiter = ',', value_parser = percentile)]
    #[arg(default_value = "95")]
    pub(crate) percentiles: Vec<f64>,

    /// Definitions and names of this tool, see below
    #[arg(long, value_name = "TOOL", value_enum)]
    pub(crate) like: Option<Tool>,

    /// Voxels with this label in the reference do not count
    #[arg(long, value_name = "LABEL")]
    pub(crate) ignore: Option<i32>,

    /// Measure label 0 as well
    #[arg(long)]
    pub(crate) include_background: bool,

    /// Go on when a reference has no prediction
    #[arg(long)]
    pub(crate) allow_missing: bool,

    /// Write a line for each class (and node) of each case
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,

    /// Write everything
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Draw slices with the contours of both, and the Dice of every class (of the first case)
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) picture: Option<PathBuf>,

    /// Image of the same grid to draw below the contours
    #[arg(long, value_name = "FILE", requires = "picture")]
    pub(crate) image: Option<PathBuf>,

    /// Threads; all processors by default
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
}

/// A finite number that lies in a range.
fn number(text: &str, valid: impl Fn(f64) -> bool, what: &str) -> Result<f64, String> {
    let value = text.trim().parse::<f64>().ok().filter(|value| valid(*value));
    value.ok_or_else(|| format!("{text:?} is not {what}"))
}

fn spacing(text: &str) -> Result<f64, String> {
    number(text, |value| (1e-6..=1e6).contains(&value), "a number of mm from 1e-6 to 1e6")
}

fn tolerance(text: &str) -> Result<f64, String> {
    number(text, |value| (0.0..=1e18).contains(&value), "a number of mm from 0 on")
}

fn percentile(text: &str) -> Result<f64, String> {
    number(text, |value| (0.0..=100.0).contains(&value), "a number from 0 to 100")
}
