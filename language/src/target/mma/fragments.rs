//! Which register slots one matrix instruction after another takes: from the layouts alone.
//!
//! # Idea
//! The accumulator's layout cuts its tile into tiles of the instruction: the elements of one lie in
//! the slots of one thread as the instruction's map says. Of an operand, every thread holds for each
//! row a sorted list of depths `k`; an instruction takes the next few of each list. Operands that
//! hold more neighbours along `k` than the manual draws are thereby taken in another order of `k`,
//! the same for both, which leaves the sum of products as it is (T3).
//!
//! # Invariants
//! * F1: what holds for lane 0 of warp 0 holds for all: layouts and maps are linear, and the images
//!   of lane and warp bits are compared.
//! * F2: every slot of the accumulator is in one instruction a depth, every operand slot is used.
//! * F3: instructions are ordered by depth first, so that neighbours do not depend on each other; over
//!   the tiles of one depth the way is a serpentine, so that one operand stays.

use std::collections::BTreeMap;

use smallvec::SmallVec;
use tile_layout::{In, Layout};

use super::{MatrixFamily, MatrixRow};

/// One execution of the instruction by every warp: slots in the order of the instruction's registers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Slots of the instruction's left operand.
    pub left: Vec<u32>,
    /// Slots of the instruction's right operand.
    pub right: Vec<u32>,
    /// Slots of the accumulator.
    pub acc: Vec<u32>,
}

/// The instructions that multiply two tiles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fragments {
    /// Whether the instruction computes the transposed product: its left operand is `b`.
    pub swapped: bool,
    /// In order.
    pub steps: Vec<Step>,
}

/// Leading coordinates, then the number of the instruction's tile along a dimension.
type Key = (SmallVec<[u32; 4]>, u32);
/// The operand's slots of each instruction along the depth.
type Chunks = Vec<Vec<u32>>;

/// An operand seen from the instruction: which dimension is its own, which is the depth.
struct Operand<'a> {
    layout: &'a Layout,
    outer: usize,
    depth: usize,
    /// Outer index and depth of a slot of a lane.
    map: fn(&MatrixRow, u32, u32) -> [u32; 2],
    n_slots: u32,
    extent: u32,
}

impl Fragments {
    /// The instructions for tiles in these layouts, if the instruction takes them so.
    pub fn of(row: &MatrixRow, a: &Layout, b: &Layout, acc: &Layout) -> Option<Fragments> {
        let rank = acc.rank();
        if rank < 2 || a.rank() != rank || b.rank() != rank {
            return None;
        }
        [false, true].into_iter().filter(|&it| !it || row.family == MatrixFamily::Mfma).find_map(
            |swapped| {
                let (left, right) = if swapped { (b, a) } else { (a, b) };
                Some(Fragments { swapped, steps: steps(row, [left, right, acc], swapped)? })
            },
        )
    }
}

fn right_map(row: &MatrixRow, lane: u32, slot: u32) -> [u32; 2] {
    let [k, col] = row.b(lane, slot);
    [col, k]
}

fn steps(row: &MatrixRow, [left, right, acc]: [&Layout; 3], swapped: bool) -> Option<Vec<Step>> {
    let (m, n) = (acc.rank() - 2, acc.rank() - 1);
    let (lo, hi) = if swapped { (n, m) } else { (m, n) };
    let left = Operand {
        layout: left,
        outer: lo,
        depth: hi,
        map: MatrixRow::a,
        n_slots: row.a_slots(),
        extent: row.m,
    };
    let right = Operand {
        layout: right,
        outer: hi,
        depth: lo,
        map: right_map,
        n_slots: row.b_slots(),
        extent: row.n,
    };
    check_threads(row, &left, &right, acc)?;
    let tiles = accumulator_tiles(row, acc, [lo, hi])?;
    let depths = left.depths(row)?;
    if right.depths(row)? != depths {
        return None;
    }
    let (left, right) = (left.chunks(row, &depths)?, right.chunks(row, &depths)?);
    let n_chunks = left.values().next()?.len();
    let mut res = Vec::with_capacity(n_chunks * tiles.len());
    for chunk in 0..n_chunks {
        for (lead, i, j, slots) in serpentine(&tiles) {
            res.push(Step {
                left: left.get(&(lead.clone(), *i))?[chunk].clone(),
                right: right.get(&(lead.clone(), *j))?[chunk].clone(),
                acc: slots.clone(),
            });
        }
    }
    Some(res)
}

/// Leading coordinates, then row and column of a tile of the accumulator, counted in tiles.
type Corner = (SmallVec<[u32; 4]>, u32, u32);
/// The accumulator's tiles with their slots.
type Tiles = Vec<(SmallVec<[u32; 4]>, u32, u32, Vec<u32>)>;

/// F3: every other row of tiles is gone through backwards.
fn serpentine(tiles: &Tiles) -> impl Iterator<Item = &(SmallVec<[u32; 4]>, u32, u32, Vec<u32>)> {
    let rows = tiles.chunk_by(|x, y| (&x.0, x.1) == (&y.0, y.1));
    rows.enumerate().flat_map(|(at, row)| {
        let n = row.len();
        (0..n).map(move |i| &row[if at % 2 == 0 { i } else { n - 1 - i }])
    })
}

/// An image of a lane or warp bit: leading coordinates are zero but for warps.
fn is_within(basis: &[u32]) -> bool {
    basis[..basis.len() - 2].iter().all(|&it| it == 0)
}

/// F1: lanes hold what the instruction's lanes hold, warps whole tiles of the instruction.
fn check_threads(
    row: &MatrixRow,
    left: &Operand<'_>,
    right: &Operand<'_>,
    acc: &Layout,
) -> Option<()> {
    let (lo, hi) = (left.outer, right.outer);
    let lanes = [left.layout, right.layout, acc].map(|it| it.bases(In::Lane));
    if lanes.iter().any(|it| 1 << it.len() != row.lanes()) {
        return None;
    }
    for (bit, basis) in lanes[2].iter().enumerate() {
        let wanted = row.acc(1 << bit, 0);
        let (l, r) = (&lanes[0][bit], &lanes[1][bit]);
        let sound = is_within(basis)
            && [basis[lo], basis[hi]] == wanted
            && left.is_lane(row, bit as u32, l)
            && right.is_lane(row, bit as u32, r)
            && l[left.depth] == r[right.depth];
        if !sound {
            return None;
        }
    }
    let warps = [left.layout, right.layout, acc].map(|it| it.bases(In::Warp));
    let n_warps = warps[2].len();
    if warps.iter().any(|it| it.len() != n_warps) {
        return None;
    }
    let sound = (0..n_warps).all(|bit| {
        let [l, r, c] = warps.map(|it| &it[bit]);
        let lead = c.len() - 2;
        c[lo] % row.m == 0
            && c[hi] % row.n == 0
            && (l[lo], l[left.depth]) == (c[lo], 0)
            && (r[hi], r[right.depth]) == (c[hi], 0)
            && l[..lead] == c[..lead]
            && r[..lead] == c[..lead]
    });
    sound.then_some(())
}

fn accumulator_tiles(row: &MatrixRow, acc: &Layout, [lo, hi]: [usize; 2]) -> Option<Tiles> {
    let within: BTreeMap<[u32; 2], u32> =
        (0..row.acc_slots()).map(|slot| (row.acc(0, slot), slot)).collect();
    let mut tiles: BTreeMap<Corner, Vec<Option<u32>>> = BTreeMap::new();
    for register in 0..acc.registers() {
        let index = acc.index_of(register, 0, 0);
        let slot = *within.get(&[index[lo] % row.m, index[hi] % row.n])?;
        let key = (index[..index.len() - 2].into(), index[lo] / row.m, index[hi] / row.n);
        let slots = tiles.entry(key).or_insert_with(|| vec![None; within.len()]);
        if slots[slot as usize].replace(register).is_some() {
            return None;
        }
    }
    let whole = |((lead, i, j), slots): (_, Vec<Option<u32>>)| {
        Some((lead, i, j, slots.into_iter().collect::<Option<_>>()?))
    };
    tiles.into_iter().map(whole).collect()
}

impl Operand<'_> {
    /// Whether a lane bit moves by what the instruction's moves by; along the depth any way will do.
    fn is_lane(&self, row: &MatrixRow, bit: u32, basis: &[u32]) -> bool {
        let [outer, depth] = (self.map)(row, 1 << bit, 0);
        is_within(basis) && basis[self.outer] == outer && (basis[self.depth] != 0) == (depth != 0)
    }

    /// The depths that thread 0 holds of its first row, ascending; `None` if they are no whole number
    /// of instructions or lanes hold copies.
    fn depths(&self, row: &MatrixRow) -> Option<Vec<u32>> {
        let mut res = Vec::new();
        for register in 0..self.layout.registers() {
            let index = self.layout.index_of(register, 0, 0);
            let is_first = index.iter().enumerate().all(|(d, &it)| d == self.depth || it == 0);
            if is_first {
                res.push(index[self.depth]);
            }
        }
        res.sort_unstable();
        let all = res.len() as u32 * row.k_lanes();
        let is_covered = all == self.layout.shape()[self.depth] && all.is_multiple_of(row.k);
        is_covered.then_some(res)
    }

    /// For every tile of the instruction along the outer dimension: its slots, an instruction after
    /// the other along the depth.
    fn chunks(&self, row: &MatrixRow, depths: &[u32]) -> Option<BTreeMap<Key, Chunks>> {
        let held = row.k / row.k_lanes();
        let n_chunks = depths.len() as u32 / held;
        // The instruction's slots by what they hold: the outer index, and which of its depths.
        let own: Vec<[u32; 2]> = (0..self.n_slots).map(|slot| (self.map)(row, 0, slot)).collect();
        let mut order: Vec<u32> = own.iter().map(|it| it[1]).collect();
        order.sort_unstable();
        order.dedup();
        let slot_of =
            |outer: u32, rank: u32| own.iter().position(|it| *it == [outer, order[rank as usize]]);
        let mut res: BTreeMap<Key, Vec<Vec<Option<u32>>>> = BTreeMap::new();
        for register in 0..self.layout.registers() {
            let index = self.layout.index_of(register, 0, 0);
            let at = depths.binary_search(&index[self.depth]).ok()? as u32;
            let slot = slot_of(index[self.outer] % self.extent, at % held)?;
            let key = (index[..index.len() - 2].into(), index[self.outer] / self.extent);
            let chunks =
                res.entry(key).or_insert_with(|| vec![vec![None; own.len()]; n_chunks as usize]);
            if chunks[(at / held) as usize][slot].replace(register).is_some() {
                return None;
            }
        }
        let whole = |(key, chunks): (Key, Vec<Vec<Option<u32>>>)| {
            let chunks = chunks.into_iter().map(|it| it.into_iter().collect::<Option<_>>());
            Some((key, chunks.collect::<Option<_>>()?))
        };
        res.into_iter().map(whole).collect()
    }
}
