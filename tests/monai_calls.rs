//! The calls that MONAI's own unit tests make, through the library.
#![allow(unreachable_pub, clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "support/data.rs"]
mod data;
mod monai;
#[path = "support/volume.rs"]
mod volume;

use monai::metrics::MetricCall;
use monai::plan::replay;
use monai::record::Call;

/// Calls that rest on something in MONAI that the library does otherwise, each with the reason.
const NOT_REPRODUCED: &[(&str, &str)] = &[(
    "MaskedDiceLoss_007",
    "MONAI multiplies the label map by the mask as well: masked voxels become background",
)];

/// Allowed error of a value, relative to it.
const RELATIVE: f64 = 1e-5;

/// Allowed error beside that: MONAI rounds `1 - x` with `x` near 1 to single precision.
const ABSOLUTE: f64 = f32::EPSILON as f64 / 2.0;

/// The worst error over the allowed one, or why the library's values are not MONAI's.
fn difference(found: &[f64], expected: &[f64]) -> Result<f64, String> {
    if found.len() != expected.len() {
        return Err(format!("{} values for {}", found.len(), expected.len()));
    }
    let mut worst = 0.0f64;
    for (place, (f, e)) in found.iter().zip(expected).enumerate() {
        // NaN stands for what is not defined.
        if f == e || (f.is_nan() && e.is_nan()) {
            continue;
        }
        let error = (f - e).abs() / (RELATIVE * e.abs()).max(ABSOLUTE);
        if error.is_nan() || error > 1.0 {
            return Err(format!("{f} for {e} at {place}"));
        }
        worst = worst.max(error);
    }
    Ok(worst)
}

#[test]
fn calls_of_monai() {
    let Some(folder) = data::shared("golden/monai-tests") else {
        return;
    };
    let calls = Call::read_all(&folder);
    assert!(calls.len() >= 100, "{} calls", calls.len());
    let (mut passed, mut worst) = (0, 0.0f64);
    let (mut listed, mut wrong) = (Vec::new(), Vec::new());
    for call in &calls {
        let name = call.name.as_str();
        let reason = NOT_REPRODUCED.iter().find(|(other, _)| *other == name);
        let found = replay(call).and_then(|found| difference(&found, &call.output.values));
        match (found, reason) {
            (Ok(error), None) => {
                passed += 1;
                worst = worst.max(error);
            }
            (Ok(_), Some(_)) => wrong.push(format!("{name} is listed and passes")),
            (Err(_), Some((_, reason))) => listed.push(format!("{name}: {reason}")),
            (Err(error), None) => wrong.push(format!("{name}: {error}")),
        }
    }
    println!("{passed} calls pass, worst error {worst:.3} of the allowed one");
    println!("{} not reproduced: {listed:#?}", listed.len());
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), calls.len());
}

#[test]
fn calls_of_monai_metrics() {
    let Some(folder) = data::shared("golden/monai-tests") else {
        return;
    };
    let calls = MetricCall::read_all(&folder);
    assert!(calls.len() >= 15, "{} calls", calls.len());
    let (mut wrong, mut worst) = (Vec::new(), 0.0f64);
    for call in &calls {
        match call.replay().and_then(|found| difference(&found, &call.output.values)) {
            Ok(error) => worst = worst.max(error),
            Err(error) => wrong.push(format!("{}: {error}", call.name)),
        }
    }
    println!("{} calls, worst error {worst:.3} of the allowed one", calls.len());
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), calls.len());
}
