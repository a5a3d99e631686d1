//! How much surface runs between the voxels of a 2×2×2 (2×2) neighbourhood.
//!
//! Written without a look at the library or at a table of marching cubes: segments on the faces are
//! chained to polygons, and a polygon that is not planar is spanned by the fan of triangles that
//! has the largest area where voxels are cubes. That gives the areas of DeepMind's table for all
//! 256 neighbourhoods and any spacing (compared once with surface-distance 0.1).

/// Corner of a neighbourhood: 0 or 1 along each axis, the slowest first.
pub type Corner = [usize; 3];

/// Middle of the edge between two corners of different phases, in half voxels.
type Vertex = [usize; 3];

/// Two vertices that are joined on a face.
type Segment = [Vertex; 2];

/// Area of the surface among eight voxels, `[z][y][x]`.
pub fn area(inside: impl Fn(Corner) -> bool, spacing: [f64; 3]) -> f64 {
    let polygons = polygons(segments(inside));
    polygons.iter().map(|polygon| fan(polygon, apex(polygon), spacing)).sum()
}

/// Length of the contour among four voxels, `[y][x]`.
pub fn length(inside: impl Fn([usize; 2]) -> bool, spacing: [f64; 2]) -> f64 {
    let diagonal = spacing[0].hypot(spacing[1]) / 2.0;
    let phases = [inside([0, 0]), inside([0, 1]), inside([1, 0]), inside([1, 1])];
    match phases.iter().filter(|&&phase| phase).count() {
        // A corner is cut off, of either phase.
        1 | 3 => diagonal,
        2 if phases[0] == phases[3] => 2.0 * diagonal,
        // The line runs along x between two voxels beside each other in x.
        2 if phases[0] == phases[1] => spacing[1],
        2 => spacing[0],
        _ => 0.0,
    }
}

fn corners() -> impl Iterator<Item = Corner> {
    (0..8).map(|code| [code >> 2, code >> 1 & 1, code & 1])
}

fn middle(a: Corner, b: Corner) -> Vertex {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// The segments of all six faces.
fn segments(inside: impl Fn(Corner) -> bool) -> Vec<Segment> {
    let foreground = corners().filter(|&corner| inside(corner)).count();
    // On a face with four cuts, the phase that has fewer corners is cut off corner by corner.
    let fewer = foreground <= 4;
    let mut segments = Vec::new();
    for axis in 0..3 {
        let (a, b) = ((axis + 1) % 3, (axis + 2) % 3);
        for side in 0..2 {
            let place = |i: usize, j: usize| {
                let mut corner = [0; 3];
                (corner[axis], corner[a], corner[b]) = (side, i, j);
                corner
            };
            let around = [place(0, 0), place(0, 1), place(1, 1), place(1, 0)];
            let cuts: Vec<Vertex> = (0..4)
                .map(|turn| [around[turn], around[(turn + 1) % 4]])
                .filter(|&[from, to]| inside(from) != inside(to))
                .map(|[from, to]| middle(from, to))
                .collect();
            match cuts[..] {
                [one, other] => segments.push([one, other]),
                [_, _, _, _] => {
                    for turn in (0..4).filter(|&turn| inside(around[turn]) == fewer) {
                        let (before, after) = (around[(turn + 3) % 4], around[(turn + 1) % 4]);
                        segments.push([middle(around[turn], before), middle(around[turn], after)]);
                    }
                }
                _ => {}
            }
        }
    }
    segments
}

/// Every vertex is the end of two segments: they form closed polygons.
fn polygons(mut segments: Vec<Segment>) -> Vec<Vec<Vertex>> {
    let mut polygons = Vec::new();
    while let Some([first, mut last]) = segments.pop() {
        let mut polygon = vec![first];
        while last != first {
            polygon.push(last);
            let next = segments.iter().position(|segment| segment.contains(&last));
            let [a, b] = segments.swap_remove(next.expect("the polygon is closed"));
            last = if a == last { b } else { a };
        }
        polygons.push(polygon);
    }
    polygons
}

fn triangle(corners: [Vertex; 3], spacing: [f64; 3]) -> f64 {
    let side = |to: usize, axis: usize| {
        (corners[to][axis] as f64 - corners[0][axis] as f64) * spacing[axis] / 2.0
    };
    let cross = |a: usize, b: usize| side(1, a) * side(2, b) - side(1, b) * side(2, a);
    (cross(1, 2).powi(2) + cross(2, 0).powi(2) + cross(0, 1).powi(2)).sqrt() / 2.0
}

/// Area of the triangles from one vertex to all sides of a polygon.
fn fan(polygon: &[Vertex], apex: usize, spacing: [f64; 3]) -> f64 {
    let sides = polygon.iter().zip(polygon.iter().cycle().skip(1));
    sides.map(|(&from, &to)| triangle([polygon[apex], from, to], spacing)).sum()
}

fn apex(polygon: &[Vertex]) -> usize {
    let area = |apex: &usize| fan(polygon, *apex, [1.0; 3]);
    (0..polygon.len()).max_by(|a, b| area(a).total_cmp(&area(b))).expect("a polygon has vertices")
}
