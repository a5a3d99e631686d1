//! Which prediction goes with which reference, and how files are read.

use crate::labels::LabelMap;
use crate::options::Options;
use crate::{nifti_file, npy_file};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const EXTENSIONS: [&str; 3] = [".nii.gz", ".nii", ".npy"];

/// A prediction and what it is measured against.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) prediction: PathBuf,
    pub(crate) reference: PathBuf,
}

/// Both maps of a case, on one grid.
pub(crate) struct Pair {
    pub(crate) prediction: LabelMap,
    pub(crate) reference: LabelMap,
}

impl Pair {
    pub(crate) fn read(case: &Case, spacing_mm: Option<&[f64]>) -> Result<Self> {
        let read = |path: &Path| {
            let map = read_labels(path, spacing_mm);
            map.with_context(|| path.display().to_string())
        };
        let pair = Self { prediction: read(&case.prediction)?, reference: read(&case.reference)? };
        pair.prediction.grid.must_equal(&pair.reference.grid)?;
        Ok(pair)
    }

    /// Warnings of both, with their names.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let named = |name, map: &LabelMap| {
            let warnings = map.warnings.iter();
            warnings.map(|warning| format!("{name}: {warning}")).collect::<Vec<_>>()
        };
        let mut all = named("prediction", &self.prediction);
        all.extend(named("reference", &self.reference));
        all
    }
}

fn read_labels(path: &Path, spacing_mm: Option<&[f64]>) -> Result<LabelMap> {
    let bytes = fs::read(path)?;
    match extension(path) {
        Some(".npy") => npy_file::parse(&bytes, spacing_mm),
        Some(_) => nifti_file::parse(&bytes, spacing_mm),
        None => bail!("not a .nii, .nii.gz or .npy file"),
    }
}

/// The extension of a label map, `None` for other files.
fn extension(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    EXTENSIONS.into_iter().find(|extension| name.ends_with(extension))
}

/// The file's name without the extension of a label map.
fn stem(path: &Path) -> String {
    let name =
        path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let cut = extension(path).and_then(|extension| name.strip_suffix(extension));
    cut.unwrap_or(&name).to_string()
}

/// The cases of a run, in the order of their names, and warnings.
pub(crate) fn find(options: &Options) -> Result<(Vec<Case>, Vec<String>)> {
    let (prediction, reference) = (&options.prediction, &options.reference);
    for path in [prediction, reference] {
        ensure!(path.exists(), "{}: no such file or folder", path.display());
    }
    match (prediction.is_dir(), reference.is_dir()) {
        (true, true) => folders(options),
        (false, false) => {
            let (name, prediction, reference) =
                (stem(prediction), prediction.clone(), reference.clone());
            Ok((vec![Case { name, prediction, reference }], Vec::new()))
        }
        (true, false) => bail!("the prediction is a folder, the reference is a file"),
        (false, true) => bail!("the prediction is a file, the reference is a folder"),
    }
}

fn folders(options: &Options) -> Result<(Vec<Case>, Vec<String>)> {
    let predictions = label_maps(&options.prediction)?;
    let mut references = label_maps(&options.reference)?;
    let (mut cases, mut warnings) = (Vec::new(), Vec::new());
    let mut lone = Vec::new();
    for (name, prediction) in predictions {
        match references.remove(&name) {
            Some(reference) => cases.push(Case { name, prediction, reference }),
            None => lone.push(name),
        }
    }
    if !lone.is_empty() {
        warnings.push(format!("predictions without a reference: {}", lone.join(", ")));
    }
    if !references.is_empty() {
        let names = references.into_keys().collect::<Vec<_>>().join(", ");
        let message = format!("references without a prediction: {names}");
        // Cases left out silently would make the scores better.
        ensure!(options.allow_missing, "{message} (--allow-missing goes on)");
        warnings.push(message);
    }
    ensure!(!cases.is_empty(), "no file of one folder has the name of one in the other");
    Ok((cases, warnings))
}

/// Label maps of a folder by their names without extensions.
fn label_maps(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    for entry in entries {
        let path = entry.with_context(|| folder.display().to_string())?.path();
        if extension(&path).is_none() || path.is_dir() {
            continue;
        }
        if let Some(other) = found.insert(stem(&path), path.clone()) {
            bail!("{} and {} have one name", other.display(), path.display());
        }
    }
    ensure!(!found.is_empty(), "{}: no .nii, .nii.gz or .npy file", folder.display());
    Ok(found)
}
