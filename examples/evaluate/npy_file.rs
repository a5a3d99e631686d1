//! NumPy's `.npy` files.
//!
//! Read by hand: the format is a line of text before the numbers, and crates for it bring a parser
//! generator along.

use crate::labels::{Grid, LabelMap, whole_numbers};
use anyhow::{Context, Result, anyhow, bail, ensure};

/// What the header says.
struct Header {
    /// Like `<i2`: byte order, kind, bytes.
    kind: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

/// A map with the spacing that the command line gives.
pub(crate) fn parse(bytes: &[u8], spacing_mm: Option<&[f64]>) -> Result<LabelMap> {
    let (header, data) = split(bytes)?;
    let spacing_mm = spacing_mm.context("a .npy file has no spacing: give --spacing Z,Y,X")?;
    let grid = Grid::new(&header.shape, spacing_mm, None)?;
    let mut numbers = numbers(&header, data)?;
    if header.fortran_order {
        let stored: Vec<f64> = numbers.collect();
        let turned = slowest_first(&header.shape).filter_map(|index| stored.get(index).copied());
        numbers = Box::new(turned.collect::<Vec<_>>().into_iter());
    }
    let labels = whole_numbers(numbers, None, &header.shape)?;
    Ok(LabelMap { grid, labels, warnings: Vec::new() })
}

/// Header and the bytes after it.
fn split(bytes: &[u8]) -> Result<(Header, &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").context("not a .npy file")?;
    let ([major, _minor], rest) = rest.split_first_chunk().context("the header is cut off")?;
    let (length, rest) = if *major == 1 {
        let (length, rest) = rest.split_first_chunk().context("the header is cut off")?;
        (usize::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk().context("the header is cut off")?;
        (u32::from_le_bytes(*length) as usize, rest)
    };
    let (text, data) = rest.split_at_checked(length).context("the header is cut off")?;
    let text = std::str::from_utf8(text).context("the header is not text")?;
    Ok((header(text)?, data))
}

/// `{'descr': '<i2', 'fortran_order': False, 'shape': (3, 4), }`
fn header(text: &str) -> Result<Header> {
    let value = |key: &str| {
        let after = text.split_once(&format!("'{key}':")).map(|(_, after)| after.trim_start());
        after.ok_or_else(|| anyhow!("the header has no {key}"))
    };
    let kind = value("descr")?.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
    let (kind, _) = kind.context("an array of structs, not of numbers")?;
    let shape = value("shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let (shape, _) = shape.context("the shape is not a tuple")?;
    let lengths = shape.split(',').map(str::trim).filter(|length| !length.is_empty());
    let shape = lengths
        .map(|length| length.parse().with_context(|| format!("{length:?} is no length of an axis")))
        .collect::<Result<_>>()?;
    let fortran_order = value("fortran_order")?.starts_with("True");
    Ok(Header { kind: kind.to_string(), fortran_order, shape })
}

/// The numbers in the order of the file.
fn numbers<'a>(header: &Header, data: &'a [u8]) -> Result<Box<dyn Iterator<Item = f64> + 'a>> {
    let voxels = header.shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
    let voxels = voxels.context("more voxels than memory has addresses")?;
    let big = header.kind.starts_with('>');
    macro_rules! read {
        ($type:ty) => {{
            let (words, _) = data.as_chunks::<{ size_of::<$type>() }>();
            let words = words.get(..voxels);
            let words = words.with_context(|| {
                let (bytes, kind) = (data.len(), &header.kind);
                format!("cut off: {bytes} bytes of data for {voxels} voxels of type {kind}")
            })?;
            let convert = if big { <$type>::from_be_bytes } else { <$type>::from_le_bytes };
            Box::new(words.iter().map(move |word| convert(*word) as f64))
        }};
    }
    ensure!(voxels > 0, "no voxels");
    Ok(match header.kind.trim_start_matches(['<', '>', '|', '=']) {
        "b1" | "u1" => read!(u8),
        "i1" => read!(i8),
        "u2" => read!(u16),
        "i2" => read!(i16),
        "u4" => read!(u32),
        "i4" => read!(i32),
        "u8" => read!(u64),
        "i8" => read!(i64),
        "f4" => read!(f32),
        "f8" => read!(f64),
        _ => bail!("type {} holds no labels", header.kind),
    })
}

/// Where the voxels of an array in Fortran order lie, the last axis fastest.
fn slowest_first(shape: &[usize]) -> impl Iterator<Item = usize> {
    let voxels = shape.iter().product();
    (0..voxels).map(move |index| {
        let position = crate::labels::position(shape, index);
        let places = position.iter().zip(shape).rev();
        places.fold(0, |place, (&number, &length)| place * length + number)
    })
}
