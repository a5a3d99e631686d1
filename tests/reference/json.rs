//! The stored cases as JSON: arrays are flat, in C order, beside their shape.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// All stored cases with their names; `None` when the folder is not there.
pub fn cases() -> Option<Vec<(String, Value)>> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/golden"));
    if !folder.is_dir() {
        eprintln!("SKIPPED: golden: no such data beside the checkout");
        return None;
    }
    let read = |name: &str| -> Value {
        let path = folder.join(format!("{name}.json"));
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    let index = read("index");
    Some(
        list(&index["cases"]).iter().map(text).map(|name| (name.to_string(), read(name))).collect(),
    )
}

/// Sizes of an array.
pub fn shape(json: &Value) -> Vec<usize> {
    list(&json["shape"]).iter().map(index).collect()
}

/// Elements of an array.
pub fn values(json: &Value) -> Vec<f64> {
    numbers(&json["values"])
}

/// Elements of an array of zeros and ones.
pub fn mask(json: &Value) -> Vec<bool> {
    values(json).into_iter().map(|value| value != 0.0).collect()
}

pub fn list(json: &Value) -> &[Value] {
    json.as_array().expect("a list")
}

pub fn text(json: &Value) -> &str {
    json.as_str().expect("a string")
}

pub fn integer(json: &Value) -> i64 {
    json.as_i64().expect("an integer")
}

pub fn index(json: &Value) -> usize {
    usize::try_from(integer(json)).expect("an integer that is not negative")
}

/// NaN and infinities are written as strings.
pub fn number(json: &Value) -> f64 {
    match json {
        Value::String(text) => text.parse().expect("nan or inf"),
        _ => json.as_f64().expect("a number"),
    }
}

pub fn numbers(json: &Value) -> Vec<f64> {
    list(json).iter().map(number).collect()
}
