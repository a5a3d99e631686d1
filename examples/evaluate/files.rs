//! Results as CSV and JSON.

use crate::columns::Column;
use crate::labels::by;
use crate::measure::{Measured, Row, Settings};
use crate::summary::{Statistics, by_class, in_state};
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;

/// A line for each class and node of each case; undefined numbers are empty.
pub(crate) fn write_csv(path: &Path, cases: &[Measured], columns: &[Column]) -> Result<()> {
    let mut writer = csv::Writer::from_path(path)?;
    let heads = ["case", "kind", "label", "node", "name", "state", "prediction_voxels"];
    let heads = heads.into_iter().chain(["reference_voxels", "common_voxels"]);
    writer.write_record(heads.chain(columns.iter().map(|column| column.title.as_str())))?;
    for case in cases {
        for row in case.classes.iter().chain(&case.nodes) {
            let number = |number: Option<i64>| number.map_or_else(String::new, |n| n.to_string());
            let mut record = vec![
                case.case.name.clone(),
                if row.label.is_some() { "class" } else { "node" }.to_string(),
                number(row.label.map(i64::from)),
                number(row.node.map(|node| node as i64)),
                row.name.clone(),
                row.state().to_string(),
                row.prediction_voxels().to_string(),
                row.reference_voxels().to_string(),
                row.counts.true_positive.to_string(),
            ];
            let numbers = columns.iter().map(|column| column.defined(row));
            record.extend(numbers.map(|value| value.map_or_else(String::new, |v| v.to_string())));
            writer.write_record(record)?;
        }
    }
    Ok(writer.flush()?)
}

/// Everything; undefined numbers are null.
pub(crate) fn write_json(
    path: &Path,
    cases: &[Measured],
    refused: &[(String, String)],
    settings: &Settings,
    columns: &[Column],
) -> Result<()> {
    let refused = refused.iter().map(|(name, why)| json!({"case": name, "error": why}));
    let value = json!({
        "settings": of_settings(settings),
        "cases": cases.iter().map(|case| of_case(case, columns)).collect::<Value>(),
        "refused": refused.collect::<Value>(),
        "summary": by_class(cases).values().filter_map(|rows| of_class(rows, columns)).collect::<Value>(),
    });
    let mut text = serde_json::to_string_pretty(&value).context("no text")?;
    text.push('\n');
    Ok(fs::write(path, text)?)
}

fn of_settings(settings: &Settings) -> Value {
    json!({
        "convention": settings.convention.name,
        "surface": settings.convention.model_name(),
        "percentile": settings.convention.percentile_name(),
        "percentiles": settings.options.percentiles,
        "tolerances_mm": settings.options.tolerances,
        "ignore_label": settings.options.ignore,
        "include_background": settings.options.include_background,
    })
}

fn of_case(case: &Measured, columns: &[Column]) -> Value {
    let rows = |rows: &[Row]| rows.iter().map(|row| of_row(row, columns)).collect::<Value>();
    let mut value = json!({
        "case": case.case.name,
        "prediction": case.case.prediction.display().to_string(),
        "reference": case.case.reference.display().to_string(),
        "shape": by(&case.grid.extent),
        "extent": case.grid.extent,
        "spacing_mm": case.grid.spacing_mm,
        "warnings": case.warnings,
        "absent_classes": case.absent,
        "classes": rows(&case.classes),
    });
    if let (Some(distances), Some(object)) = (&case.tree_distances, value.as_object_mut()) {
        object.insert("nodes".to_string(), rows(&case.nodes));
        object.insert("counted_voxels".to_string(), distances.counted_voxels.into());
        let mean = distances.mean_distance(f64::NAN);
        object.insert("mean_tree_distance".to_string(), mean.into());
        let mean = distances.mean_ancestor_depth(f64::NAN);
        object.insert("mean_common_ancestor_depth".to_string(), mean.into());
    }
    value
}

fn of_row(row: &Row, columns: &[Column]) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_string(), value);
    if let Some(label) = row.label {
        put("label", label.into());
    }
    if let Some(node) = row.node {
        put("node", node.into());
    }
    put("name", row.name.as_str().into());
    put("state", row.state().into());
    put("prediction_voxels", row.prediction_voxels().into());
    put("reference_voxels", row.reference_voxels().into());
    put("common_voxels", row.counts.true_positive.into());
    for column in columns {
        put(&column.title, column.defined(row).into());
    }
    Value::Object(object)
}

/// A class over all cases.
fn of_class(rows: &[&Row], columns: &[Column]) -> Option<Value> {
    let first = rows.first()?;
    let mut object = Map::new();
    for column in columns {
        let statistics = Statistics::of(rows, column).map(|statistics| {
            json!({
                "mean": statistics.mean,
                "standard_deviation": statistics.deviation,
                "cases": statistics.defined,
            })
        });
        object.insert(column.title.clone(), statistics.unwrap_or_default());
    }
    Some(json!({
        "label": first.label,
        "node": first.node,
        "name": first.name,
        "cases": rows.len(),
        "prediction_empty": in_state(rows, "prediction empty"),
        "reference_empty": in_state(rows, "reference empty"),
        "metrics": object,
    }))
}
