//! Compares label maps of images with references, file by file or folder by folder:
//! `cargo run --release --example evaluate -- PREDICTION REFERENCE` (`--help` tells the rest).

mod cases;
mod classes;
mod columns;
mod convention;
mod files;
mod labels;
mod measure;
mod nifti_file;
mod nodes;
mod npy_file;
mod options;
mod picture;
mod summary;
mod table;
mod threads;
mod tree_file;

use anyhow::{Context, Result};
use cases::{Case, Pair};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use measure::{Measured, Settings};
use options::Options;
use rayon::prelude::*;
use segloss::{Executor, Sequential};
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            let refused = error.use_stderr();
            let _ = error.print();
            return ExitCode::from(u8::from(refused));
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain("error", &format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// A line on standard error; a closed one is nobody's concern.
fn complain(kind: &str, text: &str) {
    let _ = writeln!(stderr(), "{kind}: {text}");
}

/// Whether every case could be measured.
fn run(options: &Options) -> Result<bool> {
    let tree = options
        .tree
        .as_ref()
        .map(|path| tree_file::TreeFile::read(path).with_context(|| path.display().to_string()));
    let convention = convention::Convention::of(options.like);
    let settings = Settings { options, convention, tree: tree.transpose()? };
    let (cases, warnings) = cases::find(options)?;
    warnings.iter().for_each(|warning| complain("warning", warning));

    let Outcome { measured, refused } = measure_all(&cases, &settings)?;
    for case in &measured {
        let warnings = case.warnings.iter();
        warnings.for_each(|warning| complain("warning", &format!("{}: {warning}", case.case.name)));
    }
    let columns = columns::of_table(options, &settings.convention);
    let text = match measured.as_slice() {
        [] => String::new(),
        [case] if cases.len() == 1 => table::of_case(case, &settings, &columns),
        several => summary::text(several, &columns),
    };
    // A reader that has seen enough may close the pipe.
    let _ = stdout().write_all(text.as_bytes());
    for (name, why) in &refused {
        complain("error", &format!("{name}: {why}"));
    }

    let columns = columns::of_files(options);
    if let Some(path) = &options.csv {
        let written = files::write_csv(path, &measured, &columns);
        written.with_context(|| path.display().to_string())?;
    }
    if let Some(path) = &options.json {
        let written = files::write_json(path, &measured, &refused, &settings, &columns);
        written.with_context(|| path.display().to_string())?;
    }
    if let (Some(path), Some(case)) = (&options.picture, measured.first()) {
        let drawn = picture::write(path, case, options);
        drawn.with_context(|| path.display().to_string())?;
    }
    Ok(refused.is_empty())
}

/// What became of the cases.
struct Outcome {
    measured: Vec<Measured>,
    /// Names of those that were refused, with the reason.
    refused: Vec<(String, String)>,
}

fn measure_all(cases: &[Case], settings: &Settings) -> Result<Outcome> {
    let threads = settings.options.threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    // Enough cases keep every thread busy; fewer share their classes out.
    let inside: &(dyn Executor + Sync) =
        if cases.len() < pool.current_num_threads() || cases.len() == 1 {
            &threads::Pool
        } else {
            &Sequential
        };
    let bar =
        if cases.len() > 1 { ProgressBar::new(cases.len() as u64) } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {elapsed} {msg}")?);
    let results: Vec<Result<Measured>> = pool.install(|| {
        let one = |case: &Case| {
            let pair = Pair::read(case, settings.options.spacing.as_deref())?;
            let measured = measure::measure(case, &pair, settings, inside);
            bar.set_message(case.name.clone());
            bar.inc(1);
            measured
        };
        cases.par_iter().map(one).collect()
    });
    bar.finish_and_clear();
    let (mut measured, mut refused) = (Vec::new(), Vec::new());
    for (case, result) in cases.iter().zip(results) {
        match result {
            Ok(result) => measured.push(result),
            Err(error) => refused.push((case.name.clone(), format!("{error:#}"))),
        }
    }
    Ok(Outcome { measured, refused })
}
