//! NIfTI-1 files.
//!
//! The `nifti` crate reads header and numbers; where the numbers begin is found here, since files
//! exist whose offset is not what their extensions add up to.

use crate::labels::{Grid, LabelMap, column_length, whole_numbers};
use anyhow::{Context, Result, anyhow, bail, ensure};
use flate2::read::MultiGzDecoder;
use nifti::{DataElement, InMemNiftiVolume, NiftiHeader, NiftiType, NiftiVolume, Unit};
use std::io::{self, Read};

const HEADER_BYTES: usize = 348;
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A file that has been read.
struct Volume {
    header: NiftiHeader,
    /// z, y, x.
    extent: Vec<usize>,
    data: InMemNiftiVolume,
}

/// A map with the spacing of the header, or with another.
pub(crate) fn parse(bytes: &[u8], spacing_mm: Option<&[f64]>) -> Result<LabelMap> {
    let volume = Volume::parse(bytes)?;
    let mut warnings = Vec::new();
    let grid = volume.grid(spacing_mm, &mut warnings)?;
    let scale = volume.scale();
    let labels = whole_numbers(numbers(volume.data)?, scale, &volume.extent)?;
    Ok(LabelMap { grid, labels, warnings })
}

/// An image and its grid.
pub(crate) fn parse_image(bytes: &[u8], spacing_mm: Option<&[f64]>) -> Result<(Grid, Vec<f32>)> {
    let volume = Volume::parse(bytes)?;
    let grid = volume.grid(spacing_mm, &mut Vec::new())?;
    let (slope, intercept) = volume.scale().unwrap_or((1.0, 0.0));
    let numbers = numbers(volume.data)?;
    Ok((grid, numbers.map(|number| (slope * number + intercept) as f32).collect()))
}

impl Volume {
    /// Of a file, which may be packed with gzip whatever its name.
    fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.starts_with(&GZIP) {
            let mut unpacked = MultiGzDecoder::new(bytes);
            let volume = Self::read(&mut unpacked)?;
            // The checksum stands at the end.
            io::copy(&mut unpacked, &mut io::sink()).context("damaged gzip data")?;
            return Ok(volume);
        }
        Self::read(bytes)
    }

    fn read(mut stream: impl Read) -> Result<Self> {
        let mut head = [0; HEADER_BYTES];
        stream.read_exact(&mut head).context("shorter than a NIfTI header")?;
        let header = header(&head)?;
        let mut extent: Vec<usize> = header.dim()?.iter().map(|&n| usize::from(n)).collect();
        while extent.len() > 3 && extent.last() == Some(&1) {
            extent.pop();
        }
        ensure!(extent.len() <= 3, "{} axes; 3 can be measured", extent.len());
        extent.reverse();

        let offset = header.vox_offset;
        ensure!((0.0..=1e15).contains(&offset), "vox_offset is {offset}");
        let gap = (offset as u64).saturating_sub(HEADER_BYTES as u64);
        let skipped = io::copy(&mut stream.by_ref().take(gap), &mut io::sink());
        ensure!(skipped.context("damaged data")? == gap, "cut off before the data");
        let data = InMemNiftiVolume::from_reader(stream, &header).context("cut off or damaged")?;
        Ok(Self { header, extent, data })
    }

    /// Slope and intercept, unless they change nothing.
    fn scale(&self) -> Option<(f64, f64)> {
        let slope = f64::from(self.header.scl_slope);
        let intercept = f64::from(self.header.scl_inter);
        let used = slope != 0.0 && slope.is_finite() && intercept.is_finite();
        (used && (slope, intercept) != (1.0, 0.0)).then_some((slope, intercept))
    }

    fn grid(&self, given: Option<&[f64]>, warnings: &mut Vec<String>) -> Result<Grid> {
        let millimetres = self.millimetres()?;
        let affine = affine(&self.header, millimetres);
        let axes = self.extent.len();
        let steps: Vec<f64> = self
            .header
            .pixdim
            .iter()
            .skip(1)
            .take(axes)
            .rev()
            .map(|&step| f64::from(step).abs() * millimetres)
            .collect();
        if affine.is_none() {
            warnings.push("no orientation in the header (qform and sform code 0)".to_string());
        }
        if let Some(given) = given {
            return Grid::new(&self.extent, given, affine);
        }
        for (step, (axis, &voxels)) in steps.iter().zip(self.extent.iter().enumerate()) {
            let valid = (1e-6..=1e6).contains(step) || voxels == 1;
            let number = axes - axis;
            ensure!(valid, "pixdim[{number}] is {step} mm: give --spacing Z,Y,X");
        }
        for (axis, step) in steps.iter().rev().enumerate() {
            let Some(affine) = &affine else { break };
            let length = column_length(affine, axis);
            if (length - step).abs() > 1e-3 * step {
                let number = axis + 1;
                warnings.push(format!(
                    "pixdim[{number}] is {step} mm, the affine steps by {length} mm; pixdim is used"
                ));
            }
        }
        Grid::new(&self.extent, &steps, affine)
    }

    /// Millimetres in a unit of length of the header.
    fn millimetres(&self) -> Result<f64> {
        Ok(match self.header.xyzt_to_space() {
            Ok(Unit::Meter) => 1e3,
            Ok(Unit::Micron) => 1e-3,
            Ok(Unit::Mm | Unit::Unknown) => 1.0,
            _ => bail!("xyzt_units is {}: no unit of length", self.header.xyzt_units),
        })
    }
}

fn header(bytes: &[u8; HEADER_BYTES]) -> Result<NiftiHeader> {
    let size = bytes.first_chunk().map_or(0, |size| i32::from_le_bytes(*size));
    ensure!(size != 540 && size.swap_bytes() != 540, "NIfTI-2; only NIfTI-1 can be read");
    ensure!(size == 348 || size.swap_bytes() == 348, "not a NIfTI file");
    let header = NiftiHeader::from_reader(&bytes[..])?;
    ensure!(&header.magic != b"ni1\0", "a header whose data lie in another file (.hdr and .img)");
    let kind = header.data_type().map_err(|_| anyhow!("data type {}", header.datatype))?;
    let bits = kind.size_of() * 8;
    ensure!(
        i64::from(header.bitpix) == bits as i64,
        "bitpix is {}, but {kind:?} has {bits} bits",
        header.bitpix
    );
    Ok(header)
}

type Numbers = Box<dyn Iterator<Item = f64>>;

/// The stored numbers, not scaled, x fastest.
fn numbers(data: InMemNiftiVolume) -> Result<Numbers> {
    fn read<T: DataElement>(data: InMemNiftiVolume, to: fn(T) -> f64) -> Result<Numbers> {
        Ok(Box::new(data.into_nifti_typed_data::<T>()?.into_iter().map(to)))
    }
    match data.data_type() {
        NiftiType::Uint8 => read::<u8>(data, f64::from),
        NiftiType::Int8 => read::<i8>(data, f64::from),
        NiftiType::Uint16 => read::<u16>(data, f64::from),
        NiftiType::Int16 => read::<i16>(data, f64::from),
        NiftiType::Uint32 => read::<u32>(data, f64::from),
        NiftiType::Int32 => read::<i32>(data, f64::from),
        NiftiType::Uint64 => read::<u64>(data, |value| value as f64),
        NiftiType::Int64 => read::<i64>(data, |value| value as f64),
        NiftiType::Float32 => read::<f32>(data, f64::from),
        NiftiType::Float64 => read::<f64>(data, |value| value),
        other => bail!("data type {other:?} holds no labels"),
    }
}

/// From voxel numbers to mm: the sform, else the qform.
fn affine(header: &NiftiHeader, millimetres: f64) -> Option<[[f64; 4]; 3]> {
    let rows = if header.sform_code > 0 {
        [header.srow_x, header.srow_y, header.srow_z].map(|row| row.map(f64::from))
    } else if header.qform_code > 0 {
        qform(header)
    } else {
        return None;
    };
    Some(rows.map(|row| row.map(|value| value * millimetres)))
}

fn qform(header: &NiftiHeader) -> [[f64; 4]; 3] {
    let [b, c, d] = [header.quatern_b, header.quatern_c, header.quatern_d].map(f64::from);
    let a = (1.0 - b * b - c * c - d * d).max(0.0).sqrt();
    let [qfac, x, y, z, ..] = header.pixdim.map(f64::from);
    let z = if qfac < 0.0 { -z } else { z };
    let [to_x, to_y, to_z] = [header.quatern_x, header.quatern_y, header.quatern_z].map(f64::from);
    [
        [
            x * (a * a + b * b - c * c - d * d),
            y * 2.0 * (b * c - a * d),
            z * 2.0 * (b * d + a * c),
            to_x,
        ],
        [
            x * 2.0 * (b * c + a * d),
            y * (a * a + c * c - b * b - d * d),
            z * 2.0 * (c * d - a * b),
            to_y,
        ],
        [
            x * 2.0 * (b * d - a * c),
            y * 2.0 * (c * d + a * b),
            z * (a * a + d * d - c * c - b * b),
            to_z,
        ],
    ]
}
