//! Fragments: which element of a small matrix a lane holds in which of its slots.
//!
//! A slot is an element of an operand in the order of its registers, low bits first. The maps are
//! formulas of the manuals: NVIDIA's from PTX ISA 9.7.14.5 (matrix fragments of `mma`), AMD's from
//! the CDNA3 and CDNA4 instruction set architectures, chapter 7. They are written for reading,
//! and evaluated once for every instruction of a kernel: [`Shape::moves`].

/// The shape of a matrix product, and with it the map from lanes to elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// `mma.sync` of `m` (8 or 16) by 8 by `k`, with `packed` elements of a factor in a register.
    Warp { m: usize, k: usize, packed: usize },
    /// `blocks` products of `m` by `m` by `k`, with sums of 32 bits.
    Wave { m: usize, k: usize, blocks: usize },
    /// Double precision: one product of 16 by 16 by 4, or four of 4 by 4 by 4.
    WaveDouble { m: usize },
    /// A product of `m` by `m` by `2048 / m` whose factors are bytes: a lane holds two runs of 16,
    /// half of `k` apart.
    WaveBytes { m: usize },
}

/// One of the matrices of a product.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// The left factor, `m` by `k`.
    Left,
    /// The right factor, `k` by `n`.
    Right,
    /// The sum, `m` by `n`.
    Sum,
}

/// Groups, strides and runs that are looked for, the best first.
const MOVES: [(usize, usize, usize); 5] = [(2, 1, 8), (1, 1, 8), (1, 4, 8), (4, 1, 4), (1, 1, 1)];

/// How elements move between slots and their row-major order, in runs as long as there are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Moves {
    /// Slots that are taken together: first all of a lane, then the next lane's.
    pub(super) group: usize,
    /// The lane that comes after a lane is so many further on; after the last such, lane 1, and so on.
    pub(super) stride: usize,
    /// Elements in that order that follow each other in row-major order too.
    pub(super) run: usize,
    /// Where each run begins.
    pub(super) starts: Vec<u16>,
}

impl Moves {
    fn new(
        places: &[u16],
        lanes: usize,
        (group, stride, run): (usize, usize, usize),
    ) -> Option<Self> {
        let by_stride = || (0..stride).flat_map(|first| (first..lanes).step_by(stride));
        let mut order: Vec<u16> = Vec::with_capacity(places.len());
        for group in places.chunks(group * lanes) {
            for lane in by_stride() {
                order.extend(group.iter().skip(lane).step_by(lanes));
            }
        }
        let follow = |it: &[u16]| it.windows(2).all(|it| it[0] + 1 == it[1]);
        let fits = places.len().is_multiple_of(group * lanes) && order.chunks(run).all(follow);
        let starts = order.iter().step_by(run).copied().collect();
        fits.then_some(Moves { group, stride, run, starts })
    }
}

/// An element of one of several matrices: its block, row and column.
type Place = (usize, usize, usize);

impl Shape {
    /// Blocks, rows, columns and depth.
    pub(super) fn extents(self) -> [usize; 4] {
        match self {
            Shape::Warp { m, k, .. } => [1, m, 8, k],
            Shape::Wave { m, k, blocks } => [blocks, m, m, k],
            Shape::WaveDouble { m: 16 } => [1, 16, 16, 4],
            Shape::WaveDouble { .. } => [4, 4, 4, 4],
            Shape::WaveBytes { m } => [1, m, m, 2048 / m],
        }
    }

    /// Elements of one matrix of all blocks.
    pub(super) fn elements(self, role: Role) -> usize {
        let [blocks, m, n, k] = self.extents();
        match role {
            Role::Left => blocks * m * k,
            Role::Right => blocks * k * n,
            Role::Sum => blocks * m * n,
        }
    }

    /// For every slot and lane, lane fastest, the index of the element in row-major order.
    pub(super) fn places(self, role: Role, lanes: usize) -> Vec<u16> {
        let [_, m, n, k] = self.extents();
        let (rows, columns) = match role {
            Role::Left => (m, k),
            Role::Right => (k, n),
            Role::Sum => (m, n),
        };
        let slots = self.elements(role) / lanes;
        let all = (0..slots).flat_map(|s| (0..lanes).map(move |lane| (lane, s)));
        all.map(|(lane, s)| {
            let (block, i, j) = self.place(role, lane, s);
            ((block * rows + i) * columns + j) as u16
        })
        .collect()
    }

    /// How the elements of a matrix move between slots and their row-major order.
    pub(super) fn moves(self, role: Role, lanes: usize) -> Moves {
        let places = self.places(role, lanes);
        let all = MOVES.iter().find_map(|&sizes| Moves::new(&places, lanes, sizes));
        all.expect("every element is a run of one")
    }

    fn place(self, role: Role, lane: usize, s: usize) -> Place {
        match role {
            Role::Left => self.left(lane, s),
            // On both vendors a lane holds of the right factor's column what it would hold of the
            // left factor's row.
            Role::Right => match self {
                Shape::Warp { packed, .. } => {
                    let (r, e) = (s / packed, s % packed);
                    (0, lane % 4 * packed + e + 4 * packed * r, lane / 4)
                }
                _ => {
                    let (block, column, depth) = self.left(lane, s);
                    (block, depth, column)
                }
            },
            Role::Sum => self.sum(lane, s),
        }
    }

    fn left(self, lane: usize, s: usize) -> Place {
        match self {
            Shape::Warp { m: 8, packed, .. } => (0, lane / 4, lane % 4 * packed + s),
            Shape::Warp { packed, .. } => {
                let (r, e) = (s / packed, s % packed);
                let column = lane % 4 * packed + e + 4 * packed * (r >> 1);
                (0, lane / 4 + 8 * (r & 1), column)
            }
            Shape::Wave { m, k, blocks: 1 } => (0, lane % m, m * k / 64 * (lane / m) + s),
            Shape::Wave { m, .. } => (lane / m, lane % m, s),
            Shape::WaveDouble { m: 16 } => (0, lane % 16, lane / 16),
            Shape::WaveDouble { .. } => (lane / 4 % 4, lane % 4, lane / 16),
            Shape::WaveBytes { m } => (0, lane % m, 1024 / m * (s / 16) + 16 * (lane / m) + s % 16),
        }
    }

    fn sum(self, lane: usize, s: usize) -> Place {
        match self {
            Shape::Warp { m: 8, .. } => (0, lane / 4, 2 * (lane % 4) + s),
            Shape::Warp { .. } => (0, lane / 4 + 8 * (s >> 1), 2 * (lane % 4) + (s & 1)),
            Shape::Wave { m: 4, .. } => (lane / 4, s, lane % 4),
            Shape::WaveDouble { m: 16 } => (0, 4 * s + lane / 16, lane % 16),
            Shape::WaveDouble { .. } => (lane / 4 % 4, lane / 16, lane % 4),
            Shape::Wave { m: 16, .. } | Shape::WaveBytes { m: 16 } => {
                (s / 4, 4 * (lane / 16) + s % 4, lane % 16)
            }
            Shape::Wave { .. } | Shape::WaveBytes { .. } => {
                (s / 16, 8 * (s % 16 / 4) + 4 * (lane / 32) + s % 4, lane % 32)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 3] = [Role::Left, Role::Right, Role::Sum];

    const fn warp(m: usize, k: usize, packed: usize) -> Shape {
        Shape::Warp { m, k, packed }
    }

    const fn wave(m: usize, k: usize, blocks: usize) -> Shape {
        Shape::Wave { m, k, blocks }
    }

    #[test]
    fn lanes_hold_every_element_once() {
        let warps = [
            warp(8, 4, 1),
            warp(8, 16, 4),
            warp(8, 32, 8),
            warp(16, 4, 1),
            warp(16, 8, 1),
            warp(16, 16, 1),
            warp(16, 8, 2),
            warp(16, 16, 2),
            warp(16, 16, 4),
            warp(16, 32, 4),
            warp(16, 32, 8),
            warp(16, 64, 8),
        ];
        let waves = [
            wave(32, 1, 2),
            wave(16, 1, 4),
            wave(4, 1, 16),
            wave(32, 2, 1),
            wave(16, 4, 1),
            wave(32, 4, 2),
            wave(16, 4, 4),
            wave(4, 4, 16),
            wave(32, 8, 1),
            wave(16, 16, 1),
            wave(32, 16, 1),
            wave(16, 32, 1),
            wave(16, 64, 1),
            wave(32, 32, 1),
            wave(16, 128, 1),
            wave(32, 64, 1),
            Shape::WaveDouble { m: 16 },
            Shape::WaveDouble { m: 4 },
            Shape::WaveBytes { m: 16 },
            Shape::WaveBytes { m: 32 },
        ];
        let all = warps.map(|it| (it, 32)).into_iter().chain(waves.map(|it| (it, 64)));
        for (shape, lanes) in all {
            for role in ROLES {
                let mut places = shape.places(role, lanes);
                places.sort_unstable();
                let every: Vec<u16> = (0..shape.elements(role) as u16).collect();
                assert_eq!(places, every, "{shape:?} {role:?}");
            }
        }
    }

    /// The formulas of PTX ISA 9.7.14.5.1 to 9.7.14.5.13, shape by shape as printed there.
    #[test]
    fn left_fragments_of_warps_are_those_of_the_manual() {
        type Formula = fn(usize, usize) -> (usize, usize);
        let cases: [(Shape, usize, Formula); 7] = [
            (warp(16, 8, 2), 4, |l, i| (l / 4 + if i < 2 { 0 } else { 8 }, l % 4 * 2 + (i & 1))),
            (warp(16, 16, 2), 8, |l, i| {
                let row = l / 4 + if i < 2 || (4..6).contains(&i) { 0 } else { 8 };
                (row, l % 4 * 2 + (i & 1) + if i < 4 { 0 } else { 8 })
            }),
            (warp(16, 4, 1), 2, |l, i| (l / 4 + 8 * i, l % 4)),
            (warp(16, 8, 1), 4, |l, i| {
                (l / 4 + if i == 0 || i == 2 { 0 } else { 8 }, l % 4 + if i < 2 { 0 } else { 4 })
            }),
            (warp(16, 16, 1), 8, |l, i| {
                (l / 4 + 8 * (i & 1), l % 4 + if i % 2 == 0 { 2 * i } else { 2 * i - 2 })
            }),
            (warp(16, 16, 4), 8, |l, i| (l / 4 + if i < 4 { 0 } else { 8 }, l % 4 * 4 + (i & 3))),
            (warp(16, 32, 4), 16, |l, i| {
                let row = l / 4 + if i < 4 || (8..12).contains(&i) { 0 } else { 8 };
                (row, l % 4 * 4 + (i & 3) + if i < 8 { 0 } else { 16 })
            }),
        ];
        for (shape, slots, formula) in cases {
            for (lane, s) in (0..32).flat_map(|lane| (0..slots).map(move |s| (lane, s))) {
                let (_, i, j) = shape.left(lane, s);
                assert_eq!((i, j), formula(lane, s), "{shape:?}, lane {lane}, slot {s}");
            }
        }
    }

    /// Quoted from the manuals' figures and from AMD's matrix instruction calculator.
    #[test]
    fn elements_lie_where_the_manuals_say() {
        let golden = [
            (warp(16, 16, 2), Role::Left, 5, 7, (0, 9, 11)),
            (warp(16, 16, 2), Role::Right, 5, 2, (0, 10, 1)),
            (warp(16, 16, 2), Role::Sum, 5, 3, (0, 9, 3)),
            (warp(8, 4, 1), Role::Right, 6, 0, (0, 2, 1)),
            (warp(16, 32, 4), Role::Right, 6, 5, (0, 25, 1)),
            (wave(32, 8, 1), Role::Left, 33, 2, (0, 1, 6)),
            (wave(32, 8, 1), Role::Sum, 33, 5, (0, 13, 1)),
            (wave(16, 32, 1), Role::Left, 17, 3, (0, 1, 11)),
            (wave(16, 64, 1), Role::Left, 17, 3, (0, 1, 19)),
            (wave(4, 4, 16), Role::Left, 22, 3, (5, 2, 3)),
            (wave(4, 4, 16), Role::Right, 22, 3, (5, 3, 2)),
            (Shape::WaveDouble { m: 16 }, Role::Sum, 37, 2, (0, 10, 5)),
            (Shape::WaveBytes { m: 16 }, Role::Left, 17, 20, (0, 1, 84)),
            (wave(16, 128, 1), Role::Left, 17, 20, (0, 1, 52)),
        ];
        for (shape, role, lane, s, place) in golden {
            assert_eq!(shape.place(role, lane, s), place, "{shape:?} {role:?}");
        }
    }
}
