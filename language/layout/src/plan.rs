//! How a tile gets from one layout to another: register moves, shuffles, or a trip through shared memory.
//!
//! # The idea
//! Source and destination are linear maps `S` and `D` from places to elements. The destination's
//! place `p` wants the element `D p`; its own registers, lane and warp hold what `S` says. The
//! correction `D p + S p` is written as a sum of bases of `S`, registers preferred to lanes and lanes
//! to warps, so that nothing travels farther than it must and replicated data is taken from the
//! nearest copy. What the correction needs decides the class of the plan:
//! * nothing or registers only: a renaming of registers, with selects where it depends on the lane;
//! * lanes: shuffles with selects before and after ([`exchange`](self)), if few selects do;
//! * warps, or lanes with too many selects: shared memory, in an order free of bank conflicts.
//!
//! # Law
//! Run by [`Plan::simulate`] on registers filled by `S`, a plan leaves registers filled by `D`.

mod exchange;
mod gather;
mod offsets;
mod shared;

use crate::access::{SharedMeans, SharedModel};
use crate::bits::parity;
use crate::layout::{In, Layout};
use crate::spec::SpecError;
use gather::Gather;

/// A conversion, step by step. Registers are numbered as in the layouts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// In order; none if every register already holds what it should.
    pub steps: Vec<PlanStep>,
    /// Registers a thread before.
    pub registers_before: u32,
    /// Registers a thread after.
    pub registers_after: u32,
}

/// One step over all registers of all threads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PlanStep {
    /// Register `i` becomes what register `from[i]` was.
    Permute {
        /// The old register of each new one.
        from: Vec<u32>,
    },
    /// Where an odd number of the lane's bits in `lanes` and the warp's in `warps` are one, register
    /// `i` becomes what register `i ^ xor` was.
    Swap {
        /// Between which registers.
        xor: u32,
        /// Bits of the lane.
        lanes: u32,
        /// Bits of the warp.
        warps: u32,
    },
    /// Values come from other lanes of the warp.
    Exchange(Exchange),
    /// All values go through shared memory.
    Shared(Shared),
}

/// Shuffles: every lane reads registers of one other lane.
///
/// Lane `l` of warp `w` reads lane `sum(lanes[i], bits i of l) ^ sum(warps[i], bits i of w) ^ xor`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchange {
    /// For every bit of the reading lane, what it adds to the lane that is read.
    pub lanes: Vec<u32>,
    /// For every bit of the warp, what it adds to the lane that is read.
    pub warps: Vec<u32>,
    /// What is read; registers in no group stay as they are.
    pub groups: Vec<ExchangeGroup>,
}

/// Registers that travel together, in one 32-bit word if they fit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExchangeGroup {
    /// The registers, read and written under the same number; lowest bits of the word first.
    pub registers: Vec<u32>,
    /// What is added to the lane that is read.
    pub xor: u32,
}

/// A trip through shared memory: rounds of store, barrier, load; between rounds another barrier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shared {
    /// Scratch memory of the block.
    pub bytes: u32,
    /// Bytes of one element there.
    pub elem_bytes: u32,
    /// Who must meet between stores and loads.
    pub barrier: BarrierScope,
    /// How stores are addressed.
    pub store: SharedSide,
    /// How loads are addressed.
    pub load: SharedSide,
    /// What is stored and loaded, a round after the other; the buffer is used again.
    pub rounds: Vec<Round>,
}

/// Who takes part in a barrier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum BarrierScope {
    /// The lanes of each warp.
    Warp,
    /// All warps of the role.
    Block,
}

/// How the threads of a warp access the scratch memory.
///
/// Lane `l` of warp `w` gives byte `access.offset ^ sum(lanes[i], bits i of l) ^ sum(warps[i], bits i of w)`.
/// Behind it lie its own elements, or a row of a matrix that the lanes move together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SharedSide {
    /// What moves the elements.
    pub means: SharedMeans,
    /// Elements that one access moves for one thread.
    pub vector: u32,
    /// Bytes behind one lane's address, a multiple of their number.
    pub bytes: u32,
    /// What every bit of the lane adds, in bytes.
    pub lanes: Vec<u32>,
    /// What every bit of the warp adds, in bytes.
    pub warps: Vec<u32>,
    /// Threads with one of these lane bits set hold copies and stay idle; always 0 for loads.
    pub idle_lanes: u32,
    /// Threads with one of these warp bits set hold copies and stay idle; always 0 for loads.
    pub idle_warps: u32,
    /// Extra times that the banks need for one access, beyond what its width needs.
    pub conflicts: u32,
}

/// What one thread stores and loads between two barriers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Round {
    /// Stores.
    pub stores: Vec<RoundAccess>,
    /// Loads.
    pub loads: Vec<RoundAccess>,
}

/// One access of one thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoundAccess {
    /// What the registers add to the address, in bytes.
    pub offset: u32,
    /// For every position the registers that hold its element: the first, then copies of it.
    pub registers: Vec<Vec<u32>>,
}

/// What a plan costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// The most expensive means.
    pub class: CostClass,
    /// Shuffle instructions a warp, of 32 bits each.
    pub shuffles: u32,
    /// Select instructions a warp.
    pub selects: u32,
    /// Scratch memory of the block.
    pub shared_bytes: u32,
    /// Loads from and stores to scratch, of a warp.
    pub accesses: u32,
    /// Times that the banks must serve one of them again, at most.
    pub conflicts: u32,
    /// Barriers of the block; those of a warp alone cost next to nothing.
    pub barriers: u32,
}

/// The means of a conversion, cheapest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum CostClass {
    /// Nothing happens.
    #[default]
    Nothing,
    /// Within each thread.
    Registers,
    /// Within each warp.
    Shuffles,
    /// Through shared memory.
    Shared,
}

/// How a tile is opened along a bit of its index: the halves where the bit is clear and set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Halves {
    /// Both halves are registers of the same thread: the old register of each new one.
    Registers {
        /// Where the bit is clear.
        low: Vec<u32>,
        /// Where it is set.
        high: Vec<u32>,
    },
    /// Every thread holds one half and gets the other: `partner` brings the element whose index
    /// differs in the bit. A thread holds the high half itself where the number of one bits of the
    /// lane in `lanes` and of the warp in `warps` is odd.
    Partner {
        /// Brings the other half.
        partner: Plan,
        /// Bits of the lane.
        lanes: u32,
        /// Bits of the warp.
        warps: u32,
    },
    /// Each half comes by its own way.
    Apart {
        /// Brings the elements where the bit is clear.
        low: Plan,
        /// Brings the others.
        high: Plan,
    },
}

impl Plan {
    /// From layout `src` to layout `dst` of the same shape, for elements of `elem_bits` bits.
    /// `model` is the shared memory that there is.
    ///
    /// # Panics
    /// If the two are not register layouts of one shape with equally many lanes and warps.
    pub fn convert(src: &Layout, dst: &Layout, elem_bits: u32, model: &SharedModel) -> Plan {
        assert_eq!(src.shape(), dst.shape(), "V3: a conversion keeps the shape");
        Gather::new(src, dst, dst.columns().to_vec(), 0).plan(elem_bits, model)
    }

    /// Element `i` along `axis` becomes element `i ^ mask`; the layout stays.
    ///
    /// # Panics
    /// If `mask` is not below the power of two in the extent.
    pub fn butterfly(
        layout: &Layout,
        axis: usize,
        mask: u32,
        elem_bits: u32,
        model: &SharedModel,
    ) -> Plan {
        let flip = flat_unit(layout, axis, mask);
        Gather::new(layout, layout, layout.columns().to_vec(), flip).plan(elem_bits, model)
    }

    /// What it costs, for elements of `elem_bits` bits.
    pub fn cost(&self, elem_bits: u32) -> Cost {
        let mut res = Cost::default();
        let mut registers = self.registers_before;
        for step in &self.steps {
            let class = match step {
                PlanStep::Permute { from } => {
                    registers = from.len() as u32;
                    CostClass::Registers
                }
                PlanStep::Swap { .. } => {
                    res.selects += registers;
                    CostClass::Registers
                }
                PlanStep::Exchange(it) => {
                    res.shuffles += it.groups.len() as u32 * elem_bits.div_ceil(32);
                    CostClass::Shuffles
                }
                PlanStep::Shared(it) => {
                    res.shared_bytes = res.shared_bytes.max(it.bytes);
                    let of = |round: &Round| (round.stores.len() + round.loads.len()) as u32;
                    res.accesses += it.rounds.iter().map(of).sum::<u32>();
                    res.conflicts = res.conflicts.max(it.store.conflicts).max(it.load.conflicts);
                    if it.barrier == BarrierScope::Block {
                        res.barriers += 2 * it.rounds.len() as u32 - 1;
                    }
                    registers = self.registers_after;
                    CostClass::Shared
                }
            };
            res.class = res.class.max(class);
        }
        res
    }

    /// Runs the plan on `registers[warp][lane][register]`: the reference for lowerings and tests.
    pub fn simulate<T: Clone>(&self, registers: &[Vec<Vec<T>>]) -> Vec<Vec<Vec<T>>> {
        self.steps.iter().fold(registers.to_vec(), |now, step| step.simulate(&now))
    }
}

impl Cost {
    /// Of one plan after another; they use the same scratch memory.
    #[must_use]
    pub fn and(self, other: Cost) -> Cost {
        Cost {
            class: self.class.max(other.class),
            shuffles: self.shuffles + other.shuffles,
            selects: self.selects + other.selects,
            shared_bytes: self.shared_bytes.max(other.shared_bytes),
            accesses: self.accesses + other.accesses,
            conflicts: self.conflicts.max(other.conflicts),
            barriers: self.barriers + other.barriers,
        }
    }
}

impl PlanStep {
    fn simulate<T: Clone>(&self, old: &[Vec<Vec<T>>]) -> Vec<Vec<Vec<T>>> {
        let each = |f: &dyn Fn(usize, usize) -> Vec<T>| -> Vec<Vec<Vec<T>>> {
            let lanes = |warp: usize| (0..old[warp].len()).map(|lane| f(warp, lane)).collect();
            (0..old.len()).map(lanes).collect()
        };
        match self {
            PlanStep::Permute { from } => each(&|warp, lane| {
                from.iter().map(|&it| old[warp][lane][it as usize].clone()).collect()
            }),
            &PlanStep::Swap { xor, lanes, warps } => each(&|warp, lane| {
                let odd = is_odd(lane as u32, lanes) != is_odd(warp as u32, warps);
                let xor = if odd { xor as usize } else { 0 };
                let here = &old[warp][lane];
                (0..here.len()).map(|i| here[i ^ xor].clone()).collect()
            }),
            PlanStep::Exchange(it) => each(&|warp, lane| {
                let mut res = old[warp][lane].clone();
                for group in &it.groups {
                    let from = it.source(lane as u32, warp as u32) ^ group.xor;
                    for &register in &group.registers {
                        res[register as usize] =
                            old[warp][from as usize][register as usize].clone();
                    }
                }
                res
            }),
            PlanStep::Shared(it) => it.simulate(old),
        }
    }
}

impl Exchange {
    /// The lane that `lane` of `warp` reads, before a group's `xor`.
    pub fn source(&self, lane: u32, warp: u32) -> u32 {
        sum(&self.lanes, lane) ^ sum(&self.warps, warp)
    }

    /// Whether every lane reads `lane ^ xor`: a butterfly shuffle with an immediate.
    pub fn is_butterfly(&self) -> bool {
        self.lanes.iter().enumerate().all(|(i, &it)| it == 1 << i)
            && self.warps.iter().all(|&it| it == 0)
    }
}

impl SharedSide {
    /// The byte that an access of a thread begins at.
    pub fn address(&self, access: &RoundAccess, lane: u32, warp: u32) -> u32 {
        access.offset ^ sum(&self.lanes, lane) ^ sum(&self.warps, warp)
    }

    /// Whether the thread takes part.
    pub fn is_active(&self, lane: u32, warp: u32) -> bool {
        lane & self.idle_lanes == 0 && warp & self.idle_warps == 0
    }
}

impl Halves {
    /// How a tile in `layout` is opened along bit `bit` of the index of `axis`; the halves have
    /// the layout [`Layout::without_bit`].
    pub fn plan(
        layout: &Layout,
        axis: usize,
        bit: u32,
        elem_bits: u32,
        model: &SharedModel,
    ) -> Result<Halves, SpecError> {
        let result = layout.without_bit(axis, bit)?;
        let unit = flat_unit(layout, axis, 1 << bit);
        let [low, high] = [0, unit]
            .map(|constant| half(layout, &result, axis, bit, constant).plan(elem_bits, model));
        if let (Some(low), Some(high)) = (low.as_permutation(), high.as_permutation()) {
            return Ok(Halves::Registers { low, high });
        }
        let is_set = |column: &u64| column & unit != 0;
        let columns = layout.columns();
        let n_regs = layout.bases(In::Register).len();
        let n_lanes = layout.bases(In::Lane).len();
        let by_register = columns[..n_regs].iter().any(is_set);
        if by_register || result.registers() != layout.registers() {
            return Ok(Halves::Apart { low, high });
        }
        let mask = |columns: &[u64]| {
            columns
                .iter()
                .enumerate()
                .filter(|it| is_set(it.1))
                .fold(0, |mask, it| mask | 1 << it.0)
        };
        Ok(Halves::Partner {
            partner: Plan::butterfly(layout, axis, 1 << bit, elem_bits, model),
            lanes: mask(&columns[n_regs..n_regs + n_lanes]),
            warps: mask(&columns[n_regs + n_lanes..]),
        })
    }
}

impl Plan {
    /// The old register of each new one, if nothing but that happens.
    pub fn as_permutation(&self) -> Option<Vec<u32>> {
        match &self.steps[..] {
            [] => Some((0..self.registers_after).collect()),
            [PlanStep::Permute { from }] => Some(from.clone()),
            _ => None,
        }
    }
}

/// One half of a tile: elements whose index has bit `bit` as in `constant`.
fn half<'a>(src: &'a Layout, dst: &Layout, axis: usize, bit: u32, constant: u64) -> Gather<'a> {
    let low = (1 << bit) - 1;
    let extents = src.extents();
    let columns = dst.inputs().iter().flat_map(|(_, bases)| bases).map(|basis| {
        let mut open = basis.clone();
        open[axis] = (basis[axis] & low) | (basis[axis] & !low) << 1;
        crate::layout::flatten(&open, &extents)
    });
    Gather::new(src, dst, columns.collect(), constant)
}

fn flat_unit(layout: &Layout, axis: usize, mask: u32) -> u64 {
    let extents = layout.extents();
    assert!(mask < extents[axis], "V3: a butterfly stays inside the box");
    let mut index = crate::Coords::from_elem(0, layout.rank());
    index[axis] = mask;
    crate::layout::flatten(&index, &extents)
}

/// The sum of the columns at the one bits of `x`.
fn sum(columns: &[u32], x: u32) -> u32 {
    columns.iter().enumerate().filter(|it| x >> it.0 & 1 == 1).fold(0, |sum, it| sum ^ it.1)
}

fn is_odd(x: u32, mask: u32) -> bool {
    parity(u64::from(x & mask))
}
