//! Volumes and label trees as files hold them.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use flate2::read::{GzDecoder, ZlibDecoder};
use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::Path;

/// Bytes of `NAME.TYPE.raw`, or of `NAME.TYPE.raw.gz` unpacked.
fn raw_bytes(folder: &Path, name: &str, kind: &str) -> Vec<u8> {
    let plain = folder.join(format!("{name}.{kind}.raw"));
    if plain.is_file() {
        return fs::read(plain).unwrap();
    }
    let packed = folder.join(format!("{name}.{kind}.raw.gz"));
    let bytes = fs::read(&packed).unwrap_or_else(|error| panic!("{name}: {error}"));
    gunzip(&bytes)
}

/// A label map of bytes.
pub fn read_labels(folder: &Path, name: &str) -> Vec<u8> {
    raw_bytes(folder, name, "u8")
}

/// A map of little-endian single-precision numbers.
pub fn read_floats(folder: &Path, name: &str) -> Vec<f32> {
    let bytes = raw_bytes(folder, name, "f32");
    let (words, rest) = bytes.as_chunks();
    assert!(rest.is_empty(), "{name} ends inside a number");
    words.iter().map(|&word| f32::from_le_bytes(word)).collect()
}

/// Extent and spacing in millimetres, from `NAME.json`, the slowest axis first.
pub fn read_grid(folder: &Path, name: &str) -> (Vec<usize>, Vec<f64>) {
    let text = fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let extent = json["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize);
    let spacing = json["spacing_mm"].as_array().unwrap().iter().map(|n| n.as_f64().unwrap());
    (extent.collect(), spacing.collect())
}

/// Rows of a table, each as text by column.
pub fn read_table(folder: &Path, file: &str) -> Vec<HashMap<String, String>> {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let mut lines = text.lines();
    let columns = fields(lines.next().unwrap());
    lines
        .map(|line| {
            let fields = fields(line);
            assert_eq!(fields.len(), columns.len(), "{file}: {line}");
            columns.iter().cloned().zip(fields).collect()
        })
        .collect()
}

/// Fields of a line; commas within quotes are no separators.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().unwrap().push(other),
        }
    }
    fields
}

/// A tree file: `node_id,parent_id,name,leaf_label`.
pub struct TreeFile {
    /// -1 for the root.
    pub parent: Vec<i32>,
    pub names: Vec<String>,
    /// Labels of the leaves, ascending: class `c` is `labels[c]`.
    pub labels: Vec<u8>,
    pub leaf_of_class: Vec<usize>,
}

impl TreeFile {
    pub fn read(folder: &Path, file: &str) -> Self {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let mut leaves: Vec<(u8, usize)> = Vec::new();
        let (mut parent, mut names) = (Vec::new(), Vec::new());
        for (node, line) in text.lines().skip(1).enumerate() {
            let (head, leaf) = line.rsplit_once(',').unwrap();
            let mut fields = head.splitn(3, ',');
            assert_eq!(fields.next().unwrap().parse(), Ok(node), "{file}");
            parent.push(fields.next().unwrap().parse().unwrap());
            names.push(fields.next().unwrap().trim_matches('"').to_string());
            if !leaf.is_empty() {
                leaves.push((leaf.parse().unwrap(), node));
            }
        }
        leaves.sort_unstable();
        Self {
            parent,
            names,
            labels: leaves.iter().map(|&(label, _)| label).collect(),
            leaf_of_class: leaves.iter().map(|&(_, node)| node).collect(),
        }
    }

    pub fn class_of(&self, label: u8) -> usize {
        self.labels.binary_search(&label).unwrap_or_else(|_| panic!("label {label} has no leaf"))
    }

    pub fn node_named(&self, name: &str) -> usize {
        let mut names = self.names.iter();
        names.position(|other| other == name).unwrap_or_else(|| panic!("no node {name}"))
    }
}

/// Unpacks a gzip file.
fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut unpacked).unwrap();
    unpacked
}

/// Unpacks a zlib stream.
pub fn unzlib(bytes: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    ZlibDecoder::new(bytes).read_to_end(&mut unpacked).unwrap();
    unpacked
}
