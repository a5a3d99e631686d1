//! The surface between the voxels of a neighbourhood: how much there is, for every way to fill it.
//!
//! A neighbourhood is the cube whose corners are the centres of 2×2×2 voxels, or the square of 2×2.
//! Its **code** has one bit per voxel, set in the foreground. With offsets `dz`, `dy`, `dx` of 0 or
//! 1 from the voxel with the smallest coordinates, the voxel is corner `4 dz + 2 dy + dx` of the
//! cube and has bit `7 - corner` of the code: the first voxel has the value 128, the last has 1.
//! In the plane, corner `2 dy + dx` has bit `3 - corner`. A code and its complement have the same
//! surface.
//!
//! # Derivation
//! These are marching cubes for masks; all that has to be chosen is marked by a letter.
//!
//! An edge of the cube is *cut* if its ends are in different phases. The surface goes through the
//! middle of every cut edge (a): a mask does not say more. On a face of the cube, it joins cuts in
//! pairs. Two cuts leave no choice. A face with four cuts has two opposite corners in each phase,
//! and the cuts can be joined around either pair. They are joined around the corners of the phase
//! that has fewer in the cube (b), each by itself. Where both have four, either gives the same area,
//! and the foreground is taken. Two cubes may join the cuts of the face between them differently:
//! the surface then has a hole, which does not matter to a sum of areas.
//!
//! Every cut edge is on two faces, so the joins form closed loops, of three to six vertices. A loop
//! that is not planar has to be spanned somehow: by a fan of triangles from one of its vertices, the
//! one nearest to the plane through the centre of the cube, normal to the area vector `N` of the
//! loop (c). The fan from vertex `v` and the centre `m` of the cube enclose `|N · (v - m)| / 3`, the
//! volumes on either side of the fan taken with opposite signs: this fan favours neither phase more
//! than it must. Spacing scales that volume alike for all `v`, so that the choice does not depend on
//! it. Vertices equally near give the same area.
//!
//! The area is the sum over the triangles. A half-space along an axis or a diagonal of the grid
//! gets its true area from it, whatever the spacing. In the plane there is nothing but (a) and (b).
//!
//! The areas are those of `surface-distance` 0.1 (DeepMind), for all codes, within rounding.
#![forbid(unsafe_code)]

/// Step in the number of a corner of the cube along each axis, the slowest first.
const AXES: [u8; 3] = [4, 2, 1];

/// Centre of the cube, in half voxels from corner 0.
const CENTRE: [i32; 3] = [1; 3];

/// Area of the surface in a neighbourhood of 2×2×2 voxels, by [code](self).
pub(crate) fn surfel_areas(spacing: [f64; 3]) -> [f64; 256] {
    let [z, y, x] = spacing;
    // Vertices count half voxels, and a triangle is half of a parallelogram.
    let scale = [y * x, z * x, z * y].map(|face| face / 8.0);
    core::array::from_fn(|code| {
        let code = code as u8;
        cube_area(if code.count_ones() > 4 { !code } else { code }, scale)
    })
}

/// Length of the contour in a neighbourhood of 2×2 voxels, by [code](self).
pub(crate) fn surfel_lengths(spacing: [f64; 2]) -> [f64; 16] {
    core::array::from_fn(|code| {
        let code = code as u8;
        square_length(if code.count_ones() > 2 { !code & 15 } else { code }, spacing)
    })
}

/// Length of the contour around up to two of the four corners. Each is cut off by itself, unless
/// they are beside each other: each then has half of a straight line.
fn square_length(corners: u8, [y, x]: [f64; 2]) -> f64 {
    let holds = |corner: u8| corners & (8 >> corner) != 0;
    let part = |corner: u8| {
        if holds(corner ^ 2) {
            y / 2.0
        } else if holds(corner ^ 1) {
            x / 2.0
        } else {
            libm::sqrt(y * y + x * x) / 2.0
        }
    };
    (0..4).filter(|&corner| holds(corner)).fold(0.0, |length, corner| length + part(corner))
}

/// Area of the surface around up to four of the eight corners.
fn cube_area(corners: u8, scale: [f64; 3]) -> f64 {
    let mut area = 0.0;
    let mut seen = 0;
    for inner in (0..8).filter(|&corner| holds(corners, corner)) {
        for across in AXES.into_iter().filter(|axis| !holds(corners, inner ^ axis)) {
            // Either of the two other axes does: it sets the direction of the loop.
            let start = Cut { inner, across, along: if across == 1 { 4 } else { across >> 1 } };
            if seen & start.mark() == 0 {
                seen |= walk(corners, start).fold(0, |marks, cut| marks | cut.mark());
                area += loop_area(corners, start, scale);
            }
        }
    }
    area
}

/// Area of the fan over the loop through `start`.
fn loop_area(corners: u8, start: Cut, scale: [f64; 3]) -> f64 {
    let sides = || walk(corners, start).map(|cut| (cut.vertex(), cut.next(corners).vertex()));
    let normal = sides().fold([0; 3], |[z, y, x], (from, to)| {
        let [dz, dy, dx] = cross(from, to);
        [z + dz, y + dy, x + dx]
    });
    let vertices = || walk(corners, start).map(Cut::vertex);
    let apex = vertices().min_by_key(|&vertex| dot(normal, minus(vertex, CENTRE)).abs());
    let apex = apex.unwrap_or(CENTRE);
    // The two sides that meet at the apex add nothing.
    sides().fold(0.0, |area, (from, to)| {
        let [nz, ny, nx] = cross(minus(from, apex), minus(to, apex)).map(f64::from);
        let [z, y, x] = scale;
        let [z, y, x] = [nz * z, ny * y, nx * x];
        area + libm::sqrt(z * z + y * y + x * x)
    })
}

/// A cut edge of the cube, on the way along a loop.
#[derive(Clone, Copy, PartialEq)]
struct Cut {
    /// The end of the edge that is one of the corners to go around.
    inner: u8,
    /// Axis of the edge; `inner ^ across` is its other end.
    across: u8,
    /// The second axis of the face on which the loop goes on.
    along: u8,
}

impl Cut {
    /// The cut to which this one is joined on the next face.
    fn next(self, corners: u8) -> Self {
        let Self { inner, across, along } = self;
        let (beside, opposite) = (inner ^ along, inner ^ along ^ across);
        let (inner, turned) = if !holds(corners, beside) {
            // Rule (b): `inner` is cut off by itself, even if `opposite` is of its phase.
            (inner, along)
        } else if !holds(corners, opposite) {
            (beside, across)
        } else {
            (opposite, along)
        };
        // That edge is on two faces, with either of the two other axes: this one was the first.
        Self { inner, across: turned, along: 7 ^ across ^ along }
    }

    /// The middle of the edge, in half voxels from corner 0.
    fn vertex(self) -> [i32; 3] {
        AXES.map(|axis| match axis & self.inner {
            _ if axis == self.across => 1,
            0 => 0,
            _ => 2,
        })
    }

    /// A bit for each of the edges.
    fn mark(self) -> u32 {
        u32::from(self.across) << (3 * self.inner)
    }
}

/// The loop through `start`, each cut once.
fn walk(corners: u8, start: Cut) -> impl Iterator<Item = Cut> {
    let next = move |cut: &Cut| Some(cut.next(corners)).filter(|&next| next != start);
    core::iter::successors(Some(start), next)
}

/// Whether a set of corners of the cube has this one.
const fn holds(corners: u8, corner: u8) -> bool {
    corners & (128 >> corner) != 0
}

fn minus([az, ay, ax]: [i32; 3], [bz, by, bx]: [i32; 3]) -> [i32; 3] {
    [az - bz, ay - by, ax - bx]
}

fn dot([az, ay, ax]: [i32; 3], [bz, by, bx]: [i32; 3]) -> i32 {
    az * bz + ay * by + ax * bx
}

fn cross([az, ay, ax]: [i32; 3], [bz, by, bx]: [i32; 3]) -> [i32; 3] {
    [ay * bx - ax * by, ax * bz - az * bx, az * by - ay * bz]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPACINGS: [[f64; 3]; 3] = [[1.0; 3], [3.0, 0.7, 1.1], [0.25, 4.0, 1.5]];

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-13 * expected, "{found} is not {expected}");
    }

    /// Code of the corners for which `inside` holds.
    fn code_of(inside: impl Fn([usize; 3]) -> bool) -> usize {
        (0..8)
            .filter(|corner| inside([corner >> 2, corner >> 1 & 1, corner & 1]))
            .fold(0, |code, corner| code | 128 >> corner)
    }

    /// Area of a piece of plane that covers one voxel as seen along every axis in `along`.
    fn face(spacing: [f64; 3], along: [bool; 3]) -> f64 {
        let [z, y, x] = spacing;
        let part = |on: bool, area: f64| if on { area * area } else { 0.0 };
        (part(along[0], y * x) + part(along[1], z * x) + part(along[2], z * y)).sqrt()
    }

    #[test]
    fn half_spaces_have_the_area_of_their_plane() {
        for spacing in SPACINGS {
            let areas = surfel_areas(spacing);
            for along in (1..8).map(|set| [4, 2, 1].map(|axis| set & axis != 0)) {
                // The plane where the sum of these coordinates is a constant crosses a column of
                // voxels in one neighbourhood of each level.
                let count = along.iter().filter(|&&on| on).count();
                let area = |level: usize| {
                    areas[code_of(|corner| {
                        let up = corner.iter().zip(along).filter(|&(&c, on)| on && c == 1);
                        up.count() <= level
                    })]
                };
                assert_close((0..count).map(area).sum(), face(spacing, along));
            }
        }
    }

    #[test]
    fn a_corner_is_cut_off_by_a_triangle() {
        for spacing in SPACINGS {
            let areas = surfel_areas(spacing);
            for corner in 0..8 {
                assert_close(areas[128 >> corner], face(spacing, [true; 3]) / 8.0);
            }
        }
    }

    #[test]
    fn complements_have_the_same_area() {
        let (areas, lengths) = (surfel_areas([3.0, 0.7, 1.1]), surfel_lengths([3.0, 0.7]));
        for code in 0..128 {
            assert_close(areas[code], areas[255 - code]);
        }
        for code in 0..8 {
            assert_close(lengths[code], lengths[15 - code]);
        }
        assert_eq!((areas[0], lengths[0]), (0.0, 0.0));
    }

    /// Also between phases of four voxels each, where the rule prefers the foreground.
    #[test]
    fn turning_and_mirroring_changes_nothing() {
        let spacing = [3.0, 0.7, 1.1];
        let areas = surfel_areas(spacing);
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let turned_areas = surfel_areas(order.map(|axis| spacing[axis]));
            for (code, mirror) in (0..256).flat_map(|code| (0..8).map(move |m| (code, m))) {
                let turned = code_of(|turned| {
                    let corner =
                        (0..3).fold(0, |sum, axis| sum | turned[axis] << (2 - order[axis]));
                    code & (128 >> (corner ^ mirror)) != 0
                });
                assert_close(turned_areas[turned], areas[code]);
            }
        }
    }

    /// Figures printed by surface-distance 0.1: spacing (1, 1, 1) and (3, 0.7, 1.1).
    #[test]
    fn areas_are_those_of_surface_distance() {
        let figures = [
            (3, core::f64::consts::FRAC_1_SQRT_2, 1.69432139808243),
            (7, 1.149519052838329, 1.8799712580849173),
            (22, 0.649519052838329, 1.4949712580849173),
            (23, 1.2990381056766578, 2.989942516169834),
            (24, 0.4330127018922193, 0.9966475053899448),
            (25, 0.9236131321326573, 2.454084474255767),
            (27, 1.573132184970986, 3.530354457363753),
            (30, 1.3660254037844386, 2.3782950107798895),
            (61, 0.9236131321326573, 2.1926451507774027),
            (105, 0.8660254037844386, 1.9932950107798897),
            (114, 1.573132184970986, 3.530354457363753),
            (200, 1.149519052838329, 3.144971258084917),
        ];
        let (cubic, other) = (surfel_areas([1.0; 3]), surfel_areas([3.0, 0.7, 1.1]));
        for (code, in_cubic, in_other) in figures {
            assert_close(cubic[code], in_cubic);
            assert_close(other[code], in_other);
        }
    }

    #[test]
    fn lengths_are_those_of_surface_distance() {
        let corner = 1.5402921800749363;
        let lengths = surfel_lengths([3.0, 0.7]);
        for (code, length) in
            [(1, corner), (2, corner), (3, 0.7), (4, corner), (5, 3.0), (8, corner)]
        {
            assert_close(lengths[code], length);
        }
        assert_close(lengths[6], 3.0805843601498726);
        assert_close(lengths[9], 3.0805843601498726);
    }
}
