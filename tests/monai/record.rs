//! Recorded calls: constructor arguments, inputs, result.

use std::fs;
use std::path::Path;

use crate::volume::unzlib;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// Numbers in C order.
#[derive(Clone, Debug)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

/// One call of a MONAI loss.
pub struct Call {
    /// `DiceLoss_001`.
    pub name: String,
    /// `DiceLoss`.
    pub class: String,
    pub init: Init,
    pub input: Tensor,
    pub target: Tensor,
    pub mask: Option<Tensor>,
    pub output: Tensor,
}

/// Constructor arguments.
pub struct Init(Map<String, Value>);

impl Call {
    /// All calls of a folder whose file begins with `loss_`, in the order of their names.
    pub fn read_all(folder: &Path) -> Vec<Self> {
        let mut calls: Vec<Self> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter_map(|path| {
                let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
                Some(Self::read(&path, name.strip_prefix("loss_")?))
            })
            .collect();
        calls.sort_by(|a, b| a.name.cmp(&b.name));
        calls
    }

    fn read(path: &Path, name: &str) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        // By position or by name.
        let argument = |place: usize, name: &str| match json["args"].get(place) {
            Some(value) => Some(value),
            None => json["kwargs"].get(name),
        };
        let tensor = |value: &Value| Tensor::from_json(value).expect("a tensor");
        Self {
            name: name.to_string(),
            class: json["class"].as_str().expect("a class name").to_string(),
            init: Init::from_json(&json["init"]),
            input: tensor(argument(0, "input").expect("an input")),
            target: tensor(argument(1, "target").expect("a target")),
            mask: argument(2, "mask").and_then(Tensor::from_json),
            output: tensor(&json["output"]),
        }
    }
}

impl Tensor {
    pub fn from_json(json: &Value) -> Option<Self> {
        let shape = json.get("shape")?.as_array()?;
        let values = match json.get("tensor") {
            Some(values) => values.as_array()?.iter().map(number).collect(),
            None => {
                let packed = json["u8_zlib_base64"].as_str()?;
                let bytes = unzlib(&STANDARD.decode(packed).ok()?);
                bytes.into_iter().map(f64::from).collect()
            }
        };
        Some(Self {
            shape: shape.iter().map(|size| size.as_u64().unwrap() as usize).collect(),
            values,
        })
    }
}

impl Init {
    /// Arguments that a constructor only passes on are recorded as one, `k`.
    pub fn from_json(json: &Value) -> Self {
        let arguments = json.as_object().expect("arguments");
        let inner = arguments.get("k").and_then(Value::as_object);
        Self(inner.unwrap_or(arguments).clone())
    }

    /// Refuses arguments that nothing here knows, so that none is lost unseen.
    pub fn check(&self, known: &[&str]) -> Result<(), String> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(format!("unknown argument {name}")),
            None => Ok(()),
        }
    }

    /// An argument that was given and is not `None`.
    fn given(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.given(name).map_or(default, |value| value.as_bool().expect("a flag"))
    }

    pub fn number(&self, name: &str, default: f64) -> f64 {
        self.given(name).map_or(default, number)
    }

    pub fn text(&self, name: &str, default: &'static str) -> &str {
        self.given(name).map_or(default, |value| value.as_str().expect("a text"))
    }

    /// Of a callable it is recorded only whether it is a built-in.
    pub fn builtin(&self, name: &str) -> bool {
        self.given(name).is_some_and(|value| value == "<builtin_function_or_method>")
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        self.given(name).map(|value| value.as_i64().expect("an integer"))
    }

    /// One number, or one for each channel.
    pub fn numbers(&self, name: &str) -> Option<Numbers> {
        let value = self.given(name)?;
        Some(match (Tensor::from_json(value), value) {
            (Some(tensor), _) if tensor.shape.is_empty() => Numbers::One(tensor.values[0]),
            (Some(tensor), _) => Numbers::Each(tensor.values),
            (None, Value::Array(values)) => Numbers::Each(values.iter().map(number).collect()),
            (None, value) => Numbers::One(number(value)),
        })
    }
}

/// One number for all channels, or one for each.
#[derive(Clone, Debug)]
pub enum Numbers {
    One(f64),
    Each(Vec<f64>),
}

/// Numbers that are not finite are written as text.
fn number(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.parse().unwrap(),
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        _ => value.as_f64().expect("a number"),
    }
}
