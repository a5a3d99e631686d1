//! Small NIfTI and NumPy files, made by hand.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

pub const DATA_OFFSET: usize = 352;

/// Element types by their NIfTI code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    U8 = 2,
    I16 = 4,
    I32 = 8,
    F32 = 16,
    F64 = 64,
    I8 = 256,
    U16 = 512,
    U32 = 768,
    I64 = 1024,
    U64 = 1280,
}

pub const KINDS: [Kind; 10] = [
    Kind::U8,
    Kind::I16,
    Kind::I32,
    Kind::F32,
    Kind::F64,
    Kind::I8,
    Kind::U16,
    Kind::U32,
    Kind::I64,
    Kind::U64,
];

impl Kind {
    fn bytes(self, value: f64, big: bool) -> Vec<u8> {
        let mut bytes = match self {
            Self::U8 => vec![value as u8],
            Self::I8 => (value as i8).to_le_bytes().to_vec(),
            Self::I16 => (value as i16).to_le_bytes().to_vec(),
            Self::U16 => (value as u16).to_le_bytes().to_vec(),
            Self::I32 => (value as i32).to_le_bytes().to_vec(),
            Self::U32 => (value as u32).to_le_bytes().to_vec(),
            Self::I64 => (value as i64).to_le_bytes().to_vec(),
            Self::U64 => (value as u64).to_le_bytes().to_vec(),
            Self::F32 => (value as f32).to_le_bytes().to_vec(),
            Self::F64 => value.to_le_bytes().to_vec(),
        };
        if big {
            bytes.reverse();
        }
        bytes
    }

    /// NumPy's letter and size.
    fn numpy(self, big: bool) -> String {
        let letter = match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => 'u',
            Self::F32 | Self::F64 => 'f',
            _ => 'i',
        };
        let size = self.bytes(0.0, big).len();
        let order = match (size, big) {
            (1, _) => '|',
            (_, true) => '>',
            _ => '<',
        };
        format!("{order}{letter}{size}")
    }
}

/// A NIfTI-1 file in the making; axes are x, y, z as in its header.
#[derive(Clone)]
pub struct Nifti {
    pub dim: Vec<u16>,
    pub pixdim: [f32; 3],
    pub kind: Kind,
    pub big: bool,
    pub units: u8,
    pub slope: f32,
    pub intercept: f32,
    /// Rows of the sform.
    pub sform: Option<[[f32; 4]; 3]>,
    /// Quaternion b, c, d and offset of the qform.
    pub qform: Option<[f32; 6]>,
    pub qfac: f32,
    /// x fastest.
    pub values: Vec<f64>,
}

impl Nifti {
    pub fn new(dim: &[u16], values: &[f64]) -> Self {
        Self {
            dim: dim.to_vec(),
            pixdim: [1.0; 3],
            kind: Kind::U8,
            big: false,
            units: 2,
            slope: 0.0,
            intercept: 0.0,
            sform: None,
            qform: Some([0.0; 6]),
            qfac: 1.0,
            values: values.to_vec(),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut file = vec![0u8; DATA_OFFSET];
        let mut put = |offset: usize, value: f64, kind: Kind| {
            let bytes = kind.bytes(value, self.big);
            file[offset..offset + bytes.len()].copy_from_slice(&bytes);
        };
        put(0, 348.0, Kind::I32);
        put(40, self.dim.len() as f64, Kind::I16);
        for axis in 0..7 {
            put(42 + 2 * axis, self.dim.get(axis).map_or(1.0, |&n| f64::from(n)), Kind::I16);
        }
        put(70, f64::from(self.kind as i16), Kind::I16);
        put(72, 8.0 * self.kind.bytes(0.0, false).len() as f64, Kind::I16);
        put(76, f64::from(self.qfac), Kind::F32);
        for (axis, &step) in self.pixdim.iter().enumerate() {
            put(80 + 4 * axis, f64::from(step), Kind::F32);
        }
        put(108, DATA_OFFSET as f64, Kind::F32);
        put(112, f64::from(self.slope), Kind::F32);
        put(116, f64::from(self.intercept), Kind::F32);
        put(123, f64::from(self.units), Kind::U8);
        if let Some(numbers) = self.qform {
            put(252, 1.0, Kind::I16);
            for (place, &number) in numbers.iter().enumerate() {
                put(256 + 4 * place, f64::from(number), Kind::F32);
            }
        }
        if let Some(rows) = self.sform {
            put(254, 2.0, Kind::I16);
            for (place, &number) in rows.as_flattened().iter().enumerate() {
                put(280 + 4 * place, f64::from(number), Kind::F32);
            }
        }
        file[344..348].copy_from_slice(b"n+1\0");
        file.extend(self.values.iter().flat_map(|&value| self.kind.bytes(value, self.big)));
        file
    }
}

/// A `.npy` file of numbers in the order in which they are given.
pub fn npy(shape: &[usize], fortran: bool, kind: Kind, big: bool, values: &[f64]) -> Vec<u8> {
    let lengths: Vec<_> = shape.iter().map(|n| format!("{n},")).collect();
    let order = if fortran { "True" } else { "False" };
    let (descr, shape) = (kind.numpy(big), lengths.join(" "));
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({shape}), }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(values.iter().flat_map(|&value| kind.bytes(value, big)));
    file
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
