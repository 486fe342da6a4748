//! Accesses to shared memory: which registers of a thread move together, and where they lie.
//!
//! # Definition
//! A [`SharedAccess`] joins a tile's [`Layout`] with a view's [`MemoryMap`]. The offset of an element,
//! in elements from the view's place and before padding, is
//!
//! > `group.high + sum(step.stride * (group.steps[k] ^ step(thread))) + (group.low ^ low(thread)) + position`
//!
//! where `low(thread)` and `step(thread)` are exclusive ors of one number for every bit of the lane
//! and of the warp. What a view's own place shifts by exclusive or joins `low`.
//!
//! Where the lanes of a warp move matrices together ([`matrix`]), a lane's address is not that of
//! its own elements: the lanes of an access are then those that give addresses.
//!
//! # Laws
//! * A1: the element at a group's position is the one that each of its registers holds.
//! * A2: the bytes behind a lane's address are neighbours, and the first lies at a multiple of their
//!   number in every view of the buffer, or of its largest power of two; no padding lies between them.
//! * A3: every register is in exactly one position of one group.

mod matrix;
mod model;

use std::collections::{BTreeMap, BTreeSet};

pub use matrix::MatrixForm;
pub use model::SharedModel;

use crate::banks::{BankModel, Direction};
use crate::bits::{Echelon, apply, log2};
use crate::layout::{Coords, In, Layout};
use crate::memory_map::MemoryMap;

/// Bytes that one thread moves to or from shared memory at most.
const ACCESS_BYTES_MAX: u32 = 16;

/// What moves the elements.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SharedMeans {
    /// Every thread moves neighbours of its own.
    Vector,
    /// A warp moves matrices of 8 rows of 16 bytes: `ldmatrix`, `stmatrix`.
    Matrix {
        /// How many at once: 1, 2 or 4.
        count: u32,
        /// Whether a thread holds parts of columns.
        transposed: bool,
    },
    /// Sixteen lanes read rows of sixteen elements, and each gets a column: `ds_read_tr`.
    TransposeRead,
}

/// How a tile moves between registers and a view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SharedAccess {
    /// What moves the elements.
    pub means: SharedMeans,
    /// Elements that one access moves for one thread, a power of two.
    pub vector: u32,
    /// Bytes behind one lane's address.
    pub bytes: u32,
    /// What a thread moves, an access each.
    pub groups: Vec<AccessGroup>,
    /// What every bit of the lane adds, by exclusive or.
    pub lanes: Vec<u32>,
    /// What every bit of the warp adds, by exclusive or.
    pub warps: Vec<u32>,
    /// Parts of the index above the map's columns that differ between threads.
    pub steps: Vec<AccessStep>,
    padding: Vec<(u32, u32)>,
}

/// A part of the offset that grows by a stride.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessStep {
    /// What one step adds.
    pub stride: u32,
    /// Steps that every bit of the lane changes, by exclusive or.
    pub lanes: Vec<u32>,
    /// Steps that every bit of the warp changes, by exclusive or.
    pub warps: Vec<u32>,
}

/// One access of a thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccessGroup {
    /// For every position the registers that hold its element: the first, then copies of it.
    pub registers: Vec<Vec<u32>>,
    /// The part that is combined by exclusive or.
    pub low: u32,
    /// The part that is added.
    pub high: u32,
    /// For every [`SharedAccess::steps`] this group's steps, before the thread's.
    pub steps: Vec<u32>,
}

/// The parts of one offset.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Parts {
    high: u32,
    steps: Vec<u32>,
    low: u32,
}

impl SharedAccess {
    /// The widest accesses that move a tile in `layout` to or from a view with that map.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn new(layout: &Layout, map: &MemoryMap, elem_bits: u32) -> SharedAccess {
        SharedAccess::up_to(layout, map, elem_bits, u32::MAX)
    }

    /// The widest accesses of at most `most` elements, a power of two or more than any access has.
    pub(crate) fn up_to(
        layout: &Layout,
        map: &MemoryMap,
        elem_bits: u32,
        most: u32,
    ) -> SharedAccess {
        assert_eq!(layout.shape(), &map.shape()[..], "V3: one tile has one shape");
        let split = Split::new(layout, map, None);
        let vector = split.vector(elem_bits).min(most);
        let mut groups: BTreeMap<Parts, Vec<Vec<u32>>> = BTreeMap::new();
        for register in 0..layout.registers() {
            let mut parts = split.parts(&layout.index_of(register, 0, 0));
            let position = parts.low & (vector - 1);
            parts.low -= position;
            let members = groups.entry(parts).or_insert_with(|| vec![Vec::new(); vector as usize]);
            members[position as usize].push(register);
        }
        let bytes = (vector * elem_bits).div_ceil(8);
        let mut access = split.access(SharedMeans::Vector, bytes, vector, groups);
        // Those that differ by a constant only follow each other, so that one instruction can do two of them.
        let of_thread = access.lanes.iter().chain(&access.warps).fold(0, |bits, it| bits | it);
        access.groups.sort_by_key(|it| it.low & of_thread);
        access
    }

    /// One access a register, in order, where the index along `axis` comes from elsewhere and adds
    /// nothing here.
    pub fn along(layout: &Layout, map: &MemoryMap, axis: usize, elem_bits: u32) -> SharedAccess {
        let split = Split::new(layout, map, Some(axis));
        let one = |register| {
            let parts = split.parts(&layout.index_of(register, 0, 0));
            (parts, vec![vec![register]])
        };
        let groups: Vec<_> = (0..layout.registers()).map(one).collect();
        split.access(SharedMeans::Vector, elem_bits.div_ceil(8), 1, groups)
    }

    /// Elements of one access of a whole warp.
    pub fn span(&self) -> u32 {
        self.vector << self.lanes.len()
    }

    /// `(interval, pad)` in elements.
    pub fn padding(&self) -> &[(u32, u32)] {
        &self.padding
    }

    /// The offset of a group's first element for a thread, padding included, in the view that lies
    /// where its buffer does.
    pub fn offset(&self, group: &AccessGroup, lane: u32, warp: u32) -> u32 {
        let of = |lanes: &[u32], warps: &[u32]| sum(lanes, lane) ^ sum(warps, warp);
        let steps = self.steps.iter().zip(&group.steps);
        let steps: u32 =
            steps.map(|(step, at)| (at ^ of(&step.lanes, &step.warps)) * step.stride).sum();
        let plain = group.high + steps + (group.low ^ of(&self.lanes, &self.warps));
        plain + self.padding.iter().map(|&(interval, pad)| plain / interval * pad).sum::<u32>()
    }

    /// How often the banks must repeat the worst access beyond what its width needs.
    pub fn conflicts(&self, elem_bits: u32, model: &BankModel, direction: Direction) -> u32 {
        let is_linear = self.padding.is_empty() && self.steps.iter().all(|it| is_zero(&it.lanes));
        // Elements of three bits a power of two are no linear map of bytes.
        if is_linear && elem_bits.is_power_of_two() {
            let lanes: Vec<u32> = self.lanes.iter().map(|it| it * elem_bits / 8).collect();
            return model.extra_wavefronts(&lanes, self.bytes, direction);
        }
        let counted = |it| self.counted(it, elem_bits, model, direction) - 1;
        self.groups.iter().map(counted).max().unwrap_or(0)
    }

    /// Wavefronts of the worst lanes that are served together, by looking at every address.
    fn counted(
        &self,
        group: &AccessGroup,
        elem_bits: u32,
        model: &BankModel,
        direction: Direction,
    ) -> u32 {
        let together = model.served_together(self.lanes.len() as u32, self.bytes, direction);
        let count = model.group(self.bytes, direction).banks;
        let mut worst = 1;
        for (start, warp) in (0..1u32 << self.lanes.len())
            .flat_map(|it| (0..1u32 << self.warps.len()).map(move |warp| (it, warp)))
        {
            let lanes = (0..1u64 << together.len()).map(|it| start ^ apply(&together, it) as u32);
            let words: BTreeSet<u32> = lanes
                .map(|lane| self.offset(group, lane, warp) * elem_bits / 8)
                .flat_map(|first| first / 4..(first + self.bytes).div_ceil(4))
                .collect();
            let mut banks = vec![0; count as usize];
            words.into_iter().for_each(|word| banks[(word % count) as usize] += 1);
            worst = worst.max(banks.into_iter().max().unwrap_or(1));
        }
        worst
    }
}

/// A map taken apart for a layout: what is exclusive-or'ed and what is added.
struct Split<'a> {
    map: &'a MemoryMap,
    without: Option<usize>,
    /// Every register bit's low part, and above it the steps that it makes in all dimensions.
    registers: Vec<u64>,
    lanes: Vec<u32>,
    warps: Vec<u32>,
    /// The dimensions whose steps differ between threads.
    steps: Vec<(usize, AccessStep)>,
}

impl<'a> Split<'a> {
    fn new(layout: &Layout, map: &'a MemoryMap, without: Option<usize>) -> Split<'a> {
        let mut split = Split {
            map,
            without,
            registers: Vec::new(),
            lanes: Vec::new(),
            warps: Vec::new(),
            steps: Vec::new(),
        };
        let lows = |input| layout.bases(input).iter().map(|it| split.low(it)).collect();
        let [lanes, warps] = [In::Lane, In::Warp].map(lows);
        let registers = layout.bases(In::Register).iter();
        let registers =
            registers.map(|it| split.steps_of(it) << u32::BITS | u64::from(split.low(it)));
        let registers = registers.collect();
        for axis in (0..layout.rank()).filter(|&it| Some(it) != without) {
            let n_columns = map.dims()[axis].columns.len();
            let of = |input| layout.bases(input).iter().map(|it| it[axis] >> n_columns).collect();
            let [lanes, warps]: [Vec<u32>; 2] = [In::Lane, In::Warp].map(of);
            if !is_zero(&lanes) || !is_zero(&warps) {
                let stride = map.dims()[axis].stride;
                split.steps.push((axis, AccessStep { stride, lanes, warps }));
            }
        }
        Split { registers, lanes, warps, ..split }
    }

    /// The part of an index that the map's columns make.
    fn low(&self, index: &Coords) -> u32 {
        let dims = self.map.dims().iter().enumerate().filter(|it| Some(it.0) != self.without);
        dims.fold(0, |low, (axis, dim)| low ^ sum(&dim.columns, index[axis]))
    }

    /// The steps of all dimensions in one number.
    fn steps_of(&self, index: &Coords) -> u64 {
        let dims = self.map.dims().iter().zip(index);
        dims.fold(0, |all, (dim, &at)| {
            let n_columns = dim.columns.len() as u32;
            let n_bits = dim.extent.trailing_zeros() - n_columns;
            all << n_bits | u64::from(at >> n_columns)
        })
    }

    fn parts(&self, index: &Coords) -> Parts {
        let high_of = |axis: usize| index[axis] >> self.map.dims()[axis].columns.len();
        let steps = self.steps.iter().map(|it| high_of(it.0)).collect();
        let fixed = (0..index.len())
            .filter(|&axis| Some(axis) != self.without && self.steps.iter().all(|it| it.0 != axis));
        let high = fixed.map(|axis| high_of(axis) * self.map.dims()[axis].stride).sum();
        Parts { high, steps, low: self.low(index) }
    }

    /// Elements of one access: as many as a thread's registers hold in a row, wherever the view begins.
    fn vector(&self, elem_bits: u32) -> u32 {
        let padding = self.map.padding().iter().flat_map(|&(interval, pad)| [interval, pad]);
        let strides = self.map.dims().iter().map(|it| it.stride);
        let whole = padding.chain(strides).chain([self.map.mixed()]);
        let fits = 1u32 << (ACCESS_BYTES_MAX * 8 / elem_bits.max(1)).max(1).ilog2();
        let most =
            whole.filter(|&it| it != 0).fold(fits, |most, it| most.min(1 << it.trailing_zeros()));
        let held = Echelon::new(self.registers.iter().copied());
        let threads = self.lanes.iter().chain(&self.warps).fold(0, |bits, it| bits | it);
        let is_own = |n: u32| threads & n == 0 && held.contains(n.into());
        let n_bits = (0..log2(most.into())).take_while(|&bit| is_own(1 << bit)).count();
        1 << n_bits
    }

    fn access(
        self,
        means: SharedMeans,
        bytes: u32,
        vector: u32,
        groups: impl IntoIterator<Item = (Parts, Vec<Vec<u32>>)>,
    ) -> SharedAccess {
        let group = |(parts, registers): (Parts, Vec<Vec<u32>>)| AccessGroup {
            registers,
            low: parts.low,
            high: parts.high,
            steps: parts.steps,
        };
        SharedAccess {
            means,
            bytes,
            vector,
            groups: groups.into_iter().map(group).collect(),
            padding: self.map.padding().to_vec(),
            lanes: self.lanes,
            warps: self.warps,
            steps: self.steps.into_iter().map(|it| it.1).collect(),
        }
    }
}

/// The exclusive or of the numbers at the one bits of `x`.
fn sum(numbers: &[u32], x: u32) -> u32 {
    numbers.iter().enumerate().filter(|it| x >> it.0 & 1 == 1).fold(0, |sum, it| sum ^ it.1)
}

fn is_zero(numbers: &[u32]) -> bool {
    numbers.iter().all(|&it| it == 0)
}
