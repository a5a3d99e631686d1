//! Distance transforms: the nearest voxel is looked for among all of them.

/// Sizes and spacing of a volume, the slowest axis first.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    pub extent: Vec<usize>,
    pub spacing: Vec<f64>,
}

impl Grid {
    pub fn new(extent: &[usize], spacing: &[f64]) -> Self {
        assert_eq!(extent.len(), spacing.len(), "axes");
        Self { extent: extent.to_vec(), spacing: spacing.to_vec() }
    }

    /// Distances in voxels.
    pub fn unit(extent: &[usize]) -> Self {
        Self::new(extent, &vec![1.0; extent.len()])
    }

    pub fn is_unit(&self) -> bool {
        self.spacing.iter().all(|&s| s == 1.0)
    }

    /// Whether every squared distance is a whole number that f32 holds.
    pub fn is_exact(&self) -> bool {
        self.is_unit() && self.extent.iter().map(|size| size * size).sum::<usize>() < 1 << 24
    }

    pub fn voxels(&self) -> usize {
        self.extent.iter().product()
    }

    /// Index of a voxel along every axis.
    pub fn place(&self, voxel: usize) -> Vec<usize> {
        let mut rest = voxel;
        let mut place: Vec<usize> = (self.extent.iter().rev())
            .map(|&size| {
                let index = rest % size;
                rest /= size;
                index
            })
            .collect();
        place.reverse();
        place
    }

    pub fn voxel(&self, place: &[usize]) -> usize {
        place.iter().zip(&self.extent).fold(0, |voxel, (index, size)| voxel * size + index)
    }

    /// Squared distance between two points that are given by their index along every axis.
    pub fn squared_distance(&self, a: &[f64], b: &[f64]) -> f64 {
        let along = a.iter().zip(b).zip(&self.spacing);
        along.map(|((a, b), s)| (a - b) * s * ((a - b) * s)).sum()
    }
}

/// Squared distance of every voxel to the nearest of a set, infinite if the set is empty.
pub fn to_nearest(grid: &Grid, set: &[bool]) -> Vec<f64> {
    let place = |voxel| -> Vec<f64> { grid.place(voxel).iter().map(|&i| i as f64).collect() };
    let all: Vec<Vec<f64>> = (0..grid.voxels()).map(place).collect();
    let set: Vec<&Vec<f64>> = all.iter().zip(set).filter(|(_, s)| **s).map(|(p, _)| p).collect();
    all.iter()
        .map(|a| set.iter().fold(f64::INFINITY, |least, b| least.min(grid.squared_distance(a, b))))
        .collect()
}

/// The same axis by axis, for larger volumes: along the longest axis by two sweeps, along the
/// others by trying every voxel of the line.
pub fn to_nearest_separable(grid: &Grid, set: &[bool]) -> Vec<f64> {
    let mut least: Vec<f64> = set.iter().map(|&s| if s { 0.0 } else { f64::INFINITY }).collect();
    let mut axes: Vec<usize> = (0..grid.extent.len()).collect();
    axes.sort_by_key(|&axis| std::cmp::Reverse(grid.extent[axis]));
    for (turn, axis) in axes.into_iter().enumerate() {
        let (size, spacing) = (grid.extent[axis], grid.spacing[axis]);
        let stride: usize = grid.extent[axis + 1..].iter().product();
        for first in (0..grid.voxels()).filter(|voxel| (voxel / stride).is_multiple_of(size)) {
            let line: Vec<f64> = (0..size).map(|i| least[first + i * stride]).collect();
            let along = |i: usize, j: usize| (i.abs_diff(j) as f64 * spacing).powi(2);
            if turn == 0 {
                let mut last = None;
                for i in (0..size).chain((0..size).rev()) {
                    if line[i] == 0.0 {
                        last = Some(i);
                    }
                    let value = &mut least[first + i * stride];
                    *value = value.min(last.map_or(f64::INFINITY, |last| along(i, last)));
                }
            } else {
                for i in 0..size {
                    let candidates = (0..size).map(|j| line[j] + along(i, j));
                    least[first + i * stride] = candidates.fold(f64::INFINITY, f64::min);
                }
            }
        }
    }
    least
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Inside,
    Outside,
    Signed,
    TwoPhase,
}

pub const SIDES: [Side; 4] = [Side::Inside, Side::Outside, Side::Signed, Side::TwoPhase];

/// Squared distances to the nearest voxel of the foreground and of the background.
pub struct Phases {
    to_foreground: Vec<f64>,
    to_background: Vec<f64>,
}

impl Phases {
    pub fn new(grid: &Grid, mask: &[bool]) -> Self {
        Self::by(to_nearest, grid, mask)
    }

    pub fn separable(grid: &Grid, mask: &[bool]) -> Self {
        Self::by(to_nearest_separable, grid, mask)
    }

    /// The slow way as long as that is bearable.
    pub fn of_any_size(grid: &Grid, mask: &[bool]) -> Self {
        if grid.voxels() > 1000 { Self::separable(grid, mask) } else { Self::new(grid, mask) }
    }

    fn by(search: fn(&Grid, &[bool]) -> Vec<f64>, grid: &Grid, mask: &[bool]) -> Self {
        let background: Vec<bool> = mask.iter().map(|m| !m).collect();
        Self { to_foreground: search(grid, mask), to_background: search(grid, &background) }
    }

    /// The squared field; `sign(d) d^2` for the signed side.
    pub fn squared(&self, side: Side) -> Vec<f64> {
        let one_phase = [&self.to_foreground, &self.to_background]
            .iter()
            .any(|distances| distances.iter().all(|d| d.is_infinite()));
        let voxels = self.to_foreground.iter().zip(&self.to_background);
        voxels
            .map(|(&outside, &inside)| match side {
                Side::Inside => inside,
                Side::Outside => outside,
                // A voxel of one phase is at distance 0 from that phase.
                Side::Signed => outside - inside,
                Side::TwoPhase if one_phase => 0.0,
                Side::TwoPhase => outside + inside,
            })
            .collect()
    }

    pub fn field(&self, side: Side) -> Vec<f64> {
        self.squared(side).iter().map(|d| d.signum() * d.abs().sqrt()).collect()
    }
}
