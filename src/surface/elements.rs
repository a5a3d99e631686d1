//! From the masks of a box to the elements of their surfaces.
//!
//! An element is a byte that is not 0: 1 for a boundary voxel, the code of its neighbourhood for a
//! surfel. Outside the box is background.

/// Two masks of one box, `bit 0` the prediction's and `bit 1` the reference's.
#[derive(Clone, Copy)]
pub(crate) struct Masks<'m> {
    pub voxels: &'m [u8],
    /// Planes, rows, voxels of a row.
    pub extent: [usize; 3],
    /// Axes of the volume: planes and rows of one voxel need not be axes.
    pub axes: usize,
}

impl<'m> Masks<'m> {
    /// A row, empty outside the box.
    fn row(&self, plane: Option<usize>, row: Option<usize>) -> &'m [u8] {
        let [planes, rows, length] = self.extent;
        match (plane, row) {
            (Some(plane), Some(row)) if plane < planes && row < rows => {
                let begin = (plane * rows + row) * length;
                self.voxels.get(begin..begin + length).unwrap_or_default()
            }
            _ => &[],
        }
    }
}

/// Keeps what a neighbouring row holds as well; nothing for a row outside the box.
fn keep_common(inner: &mut [u8], neighbour: &[u8]) {
    let (head, tail) = inner.split_at_mut(neighbour.len().min(inner.len()));
    for (inner, neighbour) in head.iter_mut().zip(neighbour) {
        *inner &= *neighbour;
    }
    tail.fill(0);
}

/// Foreground voxels with a face neighbour in the background, of either mask. `inner` is a buffer
/// of a row.
pub(crate) fn boundary_voxels(
    masks: &Masks<'_>,
    inner: &mut [u8],
    prediction: &mut [u8],
    reference: &mut [u8],
) {
    let [planes, rows, length] = masks.extent;
    let lines =
        prediction.chunks_exact_mut(length.max(1)).zip(reference.chunks_exact_mut(length.max(1)));
    let places = (0..planes).flat_map(|plane| (0..rows).map(move |row| (plane, row)));
    for ((plane, row), (prediction, reference)) in places.zip(lines) {
        let own = masks.row(Some(plane), Some(row));
        for (inner, own) in inner.iter_mut().zip(own) {
            *inner = *own;
        }
        let inner = inner.get_mut(..length).unwrap_or_default();
        keep_common(inner, own.get(1..).unwrap_or_default());
        if let Some((first, others)) = inner.split_first_mut() {
            *first = 0;
            keep_common(others, own);
        }
        if masks.axes > 1 {
            keep_common(inner, masks.row(Some(plane), row.checked_sub(1)));
            keep_common(inner, masks.row(Some(plane), Some(row + 1)));
        }
        if masks.axes > 2 {
            keep_common(inner, masks.row(plane.checked_sub(1), Some(row)));
            keep_common(inner, masks.row(Some(plane + 1), Some(row)));
        }
        let elements = prediction.iter_mut().zip(reference);
        for ((prediction, reference), (own, inner)) in elements.zip(own.iter().zip(inner)) {
            let boundary = own & !*inner;
            *prediction = boundary & 1;
            *reference = boundary >> 1;
        }
    }
}

/// Neighbourhoods of 2x2x2 or 2x2 voxels that hold both phases, by their
/// [code](super::area), of either mask. There is one more along each axis than there are voxels.
pub(crate) fn surfels(masks: &Masks<'_>, prediction: &mut [u8], reference: &mut [u8]) {
    let [planes, rows, length] = masks.extent;
    let (planes, full) = if masks.axes > 2 { (planes + 1, u8::MAX) } else { (1, 15) };
    let width = (length + 1).max(1);
    let lines = prediction.chunks_exact_mut(width).zip(reference.chunks_exact_mut(width));
    let places = (0..planes).flat_map(|plane| (0..=rows).map(move |row| (plane, row)));
    for ((plane, row), (prediction, reference)) in places.zip(lines) {
        prediction.fill(0);
        reference.fill(0);
        let mut bit = if masks.axes > 2 { 128 } else { 8 };
        let before = if masks.axes > 2 { plane.checked_sub(1) } else { None };
        for plane in [before, Some(plane)] {
            if plane.is_none() && masks.axes <= 2 {
                continue;
            }
            for row in [row.checked_sub(1), Some(row)] {
                let voxels = masks.row(plane, row);
                add_bits(voxels, 1, bit, prediction);
                add_bits(voxels, 2, bit, reference);
                bit >>= 2;
            }
        }
        for codes in [prediction, reference] {
            for code in codes {
                *code = if *code == full { 0 } else { *code };
            }
        }
    }
}

/// Adds a row's voxels to the codes of the neighbourhoods on either side of them.
fn add_bits(voxels: &[u8], mask: u8, bit: u8, codes: &mut [u8]) {
    for (code, voxel) in codes.iter_mut().zip(voxels) {
        *code |= if voxel & mask == 0 { 0 } else { bit >> 1 };
    }
    for (code, voxel) in codes.iter_mut().skip(1).zip(voxels) {
        *code |= if voxel & mask == 0 { 0 } else { bit };
    }
}
