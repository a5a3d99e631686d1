//! Metrics of surfaces: every element of one surface against every element of the other.

use super::distance::Grid;
use super::surfel::{area, length};

/// A piece of a surface.
#[derive(Clone, Debug)]
pub struct Element {
    /// In voxels along every axis.
    pub place: Vec<f64>,
    /// Boundary voxels weigh 1; surfels their area, in the plane their length.
    pub size: f64,
}

/// Whether a mask holds a place, which may lie outside the volume.
fn holds(grid: &Grid, mask: &[bool], place: &[isize]) -> bool {
    let within = place.iter().zip(&grid.extent).all(|(&i, &size)| i >= 0 && i < size as isize);
    let place: Vec<usize> = place.iter().map(|&i| i as usize).collect();
    within && mask[grid.voxel(&place)]
}

/// Foreground voxels with a face neighbour in the background.
pub fn boundary_voxels(grid: &Grid, mask: &[bool]) -> Vec<Element> {
    let is_boundary = |place: &[isize]| {
        (0..place.len()).any(|axis| {
            [-1, 1].iter().any(|step| {
                let mut beside = place.to_vec();
                beside[axis] += step;
                !holds(grid, mask, &beside)
            })
        })
    };
    (0..grid.voxels())
        .filter(|&voxel| mask[voxel])
        .map(|voxel| grid.place(voxel))
        .filter(|place| is_boundary(&place.iter().map(|&i| i as isize).collect::<Vec<_>>()))
        .map(|place| Element { place: place.iter().map(|&i| i as f64).collect(), size: 1.0 })
        .collect()
}

/// Neighbourhoods of both phases, named by their last voxel: the volume is padded by one voxel of
/// background all around.
pub fn surfels(grid: &Grid, mask: &[bool]) -> Vec<Element> {
    let ends = Grid::unit(&grid.extent.iter().map(|size| size + 1).collect::<Vec<_>>());
    let element = |end: usize| {
        let end = ends.place(end);
        let inside = |corner: &[usize]| {
            let place: Vec<isize> =
                end.iter().zip(corner).map(|(&i, &c)| i as isize + c as isize - 1).collect();
            holds(grid, mask, &place)
        };
        let size = match grid.spacing[..] {
            [z, y, x] => area(|corner| inside(&corner), [z, y, x]),
            [y, x] => length(|corner| inside(&corner), [y, x]),
            _ => panic!("surfels have two or three axes"),
        };
        Element { place: end.iter().map(|&i| i as f64).collect(), size }
    };
    (0..ends.voxels()).map(element).filter(|element| element.size > 0.0).collect()
}

/// How a percentile is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    MaximumOfDirected,
    Pooled,
    AreaWeighted,
}

/// Distances with the sizes of the elements that have them, ascending.
pub struct Directed(Vec<(f64, f64)>);

/// From every element of one surface to the nearest one of another.
pub fn directed(grid: &Grid, from: &[Element], to: &[Element]) -> Directed {
    let nearest = |element: &Element| {
        let squares = to.iter().map(|other| grid.squared_distance(&element.place, &other.place));
        squares.fold(f64::INFINITY, f64::min).sqrt()
    };
    Directed::new(from.iter().map(|element| (nearest(element), element.size)).collect())
}

impl Directed {
    fn new(mut distances: Vec<(f64, f64)>) -> Self {
        distances.sort_by(|a, b| a.0.total_cmp(&b.0));
        Self(distances)
    }

    pub fn pooled(&self, other: &Self) -> Self {
        Self::new(self.0.iter().chain(&other.0).copied().collect())
    }

    pub fn maximum(&self) -> f64 {
        self.0.last().expect("a surface").0
    }

    pub fn size(&self) -> f64 {
        self.0.iter().map(|(_, size)| size).sum()
    }

    pub fn mean(&self) -> f64 {
        self.0.iter().map(|(distance, size)| distance * size).sum::<f64>() / self.size()
    }

    /// Linear between order statistics, whatever the sizes.
    fn linear(&self, percentile: f64) -> f64 {
        let place = percentile / 100.0 * (self.0.len() - 1) as f64;
        let (low, high) = (place.floor() as usize, place.ceil() as usize);
        let (low, high) = (self.0[low].0, self.0[high].0);
        low + (high - low) * place.fract()
    }

    /// The smallest distance within which that share of the surface lies. Rounding of sums must not
    /// decide.
    fn weighted(&self, percentile: f64) -> f64 {
        let needed = percentile / 100.0 * self.size() * (1.0 - 1e-12);
        let mut sum = 0.0;
        for (distance, size) in &self.0 {
            sum += size;
            if sum >= needed {
                return *distance;
            }
        }
        self.maximum()
    }

    /// Size of what lies within a tolerance. Rounding of distances must not decide.
    fn within(&self, tolerance: f64) -> f64 {
        let near = self.0.iter().filter(|(distance, _)| *distance <= tolerance * (1.0 + 1e-6));
        near.map(|(_, size)| size).sum()
    }
}

/// Both directions.
pub struct Surfaces {
    pub there: Directed,
    pub back: Directed,
}

impl Surfaces {
    pub fn new(grid: &Grid, prediction: &[Element], reference: &[Element]) -> Self {
        Self {
            there: directed(grid, prediction, reference),
            back: directed(grid, reference, prediction),
        }
    }

    pub fn hausdorff(&self) -> f64 {
        self.there.maximum().max(self.back.maximum())
    }

    pub fn percentile(&self, convention: Convention, percentile: f64) -> f64 {
        let larger = |of: fn(&Directed, f64) -> f64| {
            of(&self.there, percentile).max(of(&self.back, percentile))
        };
        match convention {
            Convention::MaximumOfDirected => larger(Directed::linear),
            Convention::Pooled => self.there.pooled(&self.back).linear(percentile),
            Convention::AreaWeighted => larger(Directed::weighted),
        }
    }

    pub fn assd(&self) -> f64 {
        self.there.pooled(&self.back).mean()
    }

    pub fn masd(&self) -> f64 {
        (self.there.mean() + self.back.mean()) / 2.0
    }

    /// Surface Dice, and the shares of prediction and reference.
    pub fn shares(&self, tolerance: f64) -> [f64; 3] {
        let (there, back) = (self.there.within(tolerance), self.back.within(tolerance));
        let (prediction, reference) = (self.there.size(), self.back.size());
        [(there + back) / (prediction + reference), there / prediction, back / reference]
    }
}
