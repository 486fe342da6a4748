//! The interpreter: the meaning of a kernel, a tile at a time.
//!
//! A value is the whole tile as one typed vector in row-major order; layouts do not matter, because no
//! operation's meaning depends on them (`halves` and `butterfly` name bits of indices). Clusters, which are
//! single blocks mostly, run one after another, in an order that the launch's seed chooses; one block's
//! instructions run in program order. What is unsafe stops the run with a [`Failure`] that names tensor, index and extent; what
//! is merely suspicious (signed overflow, blocks that store different values to one place) is a
//! warning, once a place.
//!
//! # Invariants
//! * I1: the kernel keeps the verifier's rules; nothing here asks again.
//! * I2: the same launch gives the same bits on every machine: no platform mathematics, no hashing
//!   order, no threads.
//!
//! Layout of the folder: [`elements`] what a tile holds, `arith` and `shape` the loops, `memory` the
//! checked memory with `rows` of pointers and the `writers` of bytes, `buffers` shared memory and
//! copies in flight, `lifetimes` when values die; `tile`, `access`, `shared`, `sync`, `mma` and `flow`
//! one operation family each.

mod access;
mod arith;
mod boxes;
mod buffers;
mod elements;
mod flow;
mod lifetimes;
mod memory;
mod mma;
mod roles;
mod rows;
mod shape;
mod shared;
mod sync;
mod tile;
mod writers;

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis::Neighbours;
use crate::analysis::meetings::named_barriers;
use crate::engine::{Engine, Failure, Launch, Outcome, Word};
use crate::ir::{Inst, Kernel, Region, SiteId, Value};
use crate::op::memory::Order;
use crate::op::tile::BinaryOp;
use crate::op::{MemoryOp, Op, SyncOp};
use crate::report::runtime as wording;
use crate::target::TargetId;
use buffers::Runs;
use elements::Elements;
use lifetimes::{Step, Steps};
use memory::Memory;
use roles::Chance;
use shared::{Misuse, Shared};
use sync::{Apart, Stuck};

/// The engine `interp`.
#[derive(Clone, Copy, Debug)]
pub struct Interp {
    target: TargetId,
}

impl Interp {
    /// The interpreter, for launch expressions a device of that target.
    pub fn new(target: TargetId) -> Interp {
        Interp { target }
    }
}

impl Engine for Interp {
    fn name(&self) -> &'static str {
        "interp"
    }

    fn device(&self) -> tile_plan::Device {
        tile_plan::Device { sms: self.target.row().sms, blocks_per_sm: 1 }
    }

    fn run(&mut self, launch: Launch<'_>) -> Result<Outcome, Failure> {
        let kernel = launch.kernel;
        let steps = Steps::of_kernel(kernel);
        let params: Vec<Rc<Elements>> =
            launch.words.iter().zip(&kernel.body.params).map(|it| word(kernel, it)).collect();
        let mut machine = Machine {
            kernel,
            grid: launch.grid,
            memory: Memory::new(launch.buffers, launch.undefined, !orders_blocks(&kernel.body)),
            invariants: vec![None; kernel.values.len()],
            runs: vec![None; kernel.values.len()],
            arrivals: arrivals(&kernel.body),
            met_by: named_barriers(kernel).iter().map(|it| (it.number, it.roles.len())).collect(),
            neighbours: Neighbours::of(kernel),
            outcome: Outcome::default(),
            warned: FxHashSet::default(),
            n_insts: 0,
        };
        let n_blocks = launch.grid.iter().map(|&it| u64::from(it)).product::<u64>();
        let size = kernel.plan.cluster_size() as usize;
        let mut slots = vec![vec![None; kernel.values.len()]; size];
        for number in order(n_blocks / size as u64, launch.seed) {
            let clusters = Clusters { grid: launch.grid, extents: kernel.plan.cluster_extents() };
            let chance = Chance::of_seed(launch.seed.wrapping_mul(number.wrapping_add(1)));
            let mut owns: Vec<Option<Own>> = Vec::new();
            for (rank, slots) in slots.iter_mut().enumerate() {
                let (slots, shared) = (std::mem::take(slots), Shared::new(kernel.values.len()));
                owns.push(Some(Own { slots, shared, id: clusters.block(number, rank as u32) }));
            }
            let own = owns[0].take().expect("a cluster has a first block");
            let mut block =
                Block { machine: &mut machine, own, others: owns, rank: 0, chance, site: None };
            if let Err(fault) = block.run(&steps, &params) {
                return Err(block.failure(&fault));
            }
            slots = block.into_slots();
        }
        let mut outcome = machine.outcome;
        outcome.counts.insert("blocks".to_owned(), n_blocks);
        outcome.counts.insert("tile_instructions".to_owned(), machine.n_insts);
        Ok(outcome)
    }
}

/// The machine word as a scalar.
fn word(kernel: &Kernel, (word, &param): (&Word, &Value)) -> Rc<Elements> {
    let bits = match word {
        Word::Address(Some(buffer)) | Word::Map { buffer, .. } => memory::pointer(*buffer),
        Word::Address(None) => memory::NULL,
        Word::Bits(bits) => *bits,
    };
    Rc::new(Elements::filled(kernel.ty(param).elem, bits, 1))
}

/// How many roles arrive in a phase of each list of mbarriers.
fn arrivals(body: &Region) -> FxHashMap<Value, u32> {
    let mut res = FxHashMap::default();
    body.walk(&mut |inst| {
        if let Op::Sync(SyncOp::Mbarriers { arrivals, .. }) = inst.op {
            res.insert(inst.results[0], arrivals);
        }
    });
    res
}

/// Whether blocks of the kernel may wait for one another, so that stores to one place can be in order.
fn orders_blocks(body: &Region) -> bool {
    let mut orders = false;
    body.walk(&mut |inst| {
        if let Op::Memory(MemoryOp::Atomic { order, .. } | MemoryOp::AtomicCas { order, .. }) =
            inst.op
        {
            orders |= order != Order::Relaxed;
        }
    });
    orders
}

/// The order in which blocks run: theirs for seed 0, otherwise one that the seed picks.
fn order(n_blocks: u64, seed: u64) -> impl Iterator<Item = u64> {
    let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let first = if n_blocks == 0 { 0 } else { (mixed >> 17) % n_blocks };
    // A step that shares no divisor with the number of blocks reaches all of them.
    let wanted = (mixed >> 33) % n_blocks.max(1);
    let step = if seed == 0 {
        1
    } else {
        (wanted.max(1)..).find(|&it| gcd(it, n_blocks) == 1).unwrap_or(1)
    };
    let mut at = first;
    (0..n_blocks).map(move |_| {
        let this = at;
        at = ((u128::from(at) + u128::from(step)) % u128::from(n_blocks)) as u64;
        this
    })
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn block_id(grid: [u32; 3], number: u64) -> [u32; 3] {
    let [x, y, _] = grid.map(u64::from);
    [(number % x) as u32, (number / x % y) as u32, (number / x / y) as u32]
}

/// The clusters of a launch; a block is one of its own if there are none.
struct Clusters {
    grid: [u32; 3],
    extents: [u32; 3],
}

impl Clusters {
    /// The id of a block of a cluster.
    fn block(&self, number: u64, rank: u32) -> [u32; 3] {
        let [x, y, _] = std::array::from_fn(|it| u64::from(self.grid[it] / self.extents[it]));
        let first = [number % x, number / x % y, number / x / y];
        let [w, h, _] = self.extents;
        let inside = [rank % w, rank / w % h, rank / w / h];
        std::array::from_fn(|it| first[it] as u32 * self.extents[it] + inside[it])
    }
}

/// What all blocks of a launch share.
struct Machine<'a> {
    kernel: &'a Kernel,
    grid: [u32; 3],
    memory: Memory<'a>,
    /// By value: what is the same in every block.
    invariants: Vec<Option<Rc<Elements>>>,
    /// By value: where the elements of a view lie.
    runs: Vec<Option<Rc<Runs>>>,
    /// By `sync.mbarriers`: roles that arrive in a phase.
    arrivals: FxHashMap<Value, u32>,
    /// By named barrier: roles that come in a phase.
    met_by: FxHashMap<u32, usize>,
    /// What blocks reach of each other.
    neighbours: Neighbours,
    outcome: Outcome,
    /// Sites that have had their warning.
    warned: FxHashSet<SiteId>,
    n_insts: u64,
}

/// What a block has for itself.
struct Own {
    slots: Vec<Option<Rc<Elements>>>,
    shared: Shared,
    id: [u32; 3],
}

/// One block of a cluster as it runs, beside the others.
struct Block<'m, 'a> {
    machine: &'m mut Machine<'a>,
    /// What the block that runs has.
    own: Own,
    /// What the blocks of the cluster have, by number; none where it is the one that runs.
    others: Vec<Option<Own>>,
    /// The number of the block that runs.
    rank: usize,
    /// Picks what goes on.
    chance: Option<Chance>,
    /// The instruction that runs.
    site: Option<(SiteId, &'a Inst)>,
}

/// Why an access to memory is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Access {
    /// An index is outside of its tensor.
    Index,
    /// The tensor is absent.
    Null,
    /// The element does not lie in the buffer; distances in bits.
    Address { buffer: usize, offset: i64, len: u64 },
    /// Nothing has been written to the element at this byte.
    Undefined { buffer: usize, byte: usize },
    /// The address is no multiple of the element's width.
    Misaligned { buffer: usize, bits: u64 },
}

/// Why a block stops.
#[derive(Clone, PartialEq, Debug)]
enum Fault {
    /// At this element of a memory operation.
    Access { access: Access, at: usize },
    /// At this element of an integer division.
    DivisionByZero { at: usize },
    /// A gather's index at this element.
    Gather { at: usize, index: i64, extent: usize, axis: u32 },
    /// An assertion or assumption that does not hold at this element.
    Refuted { at: usize },
    /// Of shared memory.
    Shared(Misuse),
    /// A box begins before the first index of a dimension, where it cannot be written.
    Corner { axis: u32, at: i64 },
    /// A wait never ends.
    Stuck(Stuck),
    /// Roles do not meet; the places of the others.
    Apart(Apart),
    /// A block waits for its cluster, and another one does not come.
    Parted,
    /// A block of the cluster that there is not.
    Rank(i64),
    /// A loop's step is not positive.
    Step(i128),
    /// A `while` ran this often.
    Endless(u64),
}

impl<'a> Block<'_, 'a> {
    fn get(&self, value: Value) -> &Elements {
        self.own.slots[value.0 as usize].as_ref().expect("V1: a value is defined before its uses")
    }

    fn share(&self, value: Value) -> Rc<Elements> {
        Rc::clone(
            self.own.slots[value.0 as usize]
                .as_ref()
                .expect("V1: a value is defined before its uses"),
        )
    }

    fn operand(&self, inst: &Inst, number: usize) -> &Elements {
        self.get(inst.operands[number])
    }

    fn set(&mut self, value: Value, data: Rc<Elements>) {
        self.own.slots[value.0 as usize] = Some(data);
    }

    fn bind(&mut self, values: &[Value], data: Vec<Rc<Elements>>) {
        for (&value, data) in values.iter().zip(data) {
            self.own.slots[value.0 as usize] = Some(data);
        }
    }

    /// The block of that number is the one that runs.
    fn enter_block(&mut self, rank: usize) {
        if rank != self.rank {
            let next = self.others[rank].take().expect("every block but one is among the others");
            self.others[self.rank] = Some(std::mem::replace(&mut self.own, next));
            self.rank = rank;
        }
        let [x, y, z] = self.own.id;
        let [w, h, _] = self.machine.grid;
        self.machine.memory.block = (z * h + y) * w + x + 1;
    }

    /// What a block of the cluster has.
    fn block_mut(&mut self, rank: usize) -> &mut Own {
        self.others[rank].as_mut().unwrap_or(&mut self.own)
    }

    /// What blocks of the cluster hold their values in, to be used again.
    fn into_slots(self) -> Vec<Vec<Option<Rc<Elements>>>> {
        let mut own = Some(self.own);
        let all = self.others.into_iter().map(|it| it.or_else(|| own.take()));
        all.flatten().map(|it| it.slots).collect()
    }

    /// Runs the blocks of a cluster from their first instruction to the ends of their roles.
    fn run(&mut self, steps: &Steps<'a>, params: &[Rc<Elements>]) -> Result<(), Fault> {
        for rank in 0..self.others.len() {
            self.enter_block(rank);
            self.bind(&steps.region.params, params.to_vec());
        }
        self.run_cluster(steps)
    }

    /// Goes on to an instruction: it is what a fault from here on is about.
    fn enter_step(&mut self, step: &Step<'a>) {
        self.site = Some((step.inst.site, step.inst));
    }

    /// Gives back the memory of values that are not used any more.
    fn forget(&mut self, dead: &[Value]) {
        for &value in dead {
            self.own.slots[value.0 as usize] = None;
        }
    }

    /// Runs an instruction without regions; `false` if it has to wait.
    fn step(&mut self, step: &Step<'a>) -> Result<bool, Fault> {
        let inst = step.inst;
        self.enter_step(step);
        let goes_on = match inst.op {
            Op::Sync(SyncOp::Wait) => self.is_ready(inst)?,
            Op::Sync(SyncOp::Meet { barrier, waits }) => self.meets(barrier, waits, inst.site)?,
            // Whoever runs the cluster lets all blocks pass at once.
            Op::Sync(SyncOp::ClusterBarrier) => false,
            _ => true,
        };
        if !goes_on {
            return Ok(false);
        }
        self.machine.n_insts += 1;
        match &inst.op {
            Op::Flow(_) => panic!("a task enters regions itself"),
            Op::Tile(op) => self.tile(op, inst)?,
            Op::Memory(op) => self.memory(op, step)?,
            Op::Shared(op) => self.shared(op, inst)?,
            Op::Copy(op) => self.copy(op, inst)?,
            Op::Sync(op) => self.sync(op, inst)?,
            Op::Mma(op) => self.mma(op, inst)?,
        }
        self.forget(&step.dead);
        Ok(true)
    }

    /// Warns of a wrapped result, once a place.
    fn overflow(&mut self, op: BinaryOp, inst: &Inst, at: usize) {
        if self.machine.warned.insert(inst.site) {
            let elem = self.machine.kernel.ty(inst.results[0]).elem;
            let dtype = elem.data().expect("V3: arithmetic is on numbers");
            let operands =
                [0, 1].map(|it| crate::value::to_int(dtype, self.operand(inst, it).bits(at)));
            let (message, details) =
                wording::signed_overflow(op, dtype, operands, &self.coordinates(inst, at));
            self.warn(message, details, inst.site);
        }
    }

    fn warn(&mut self, message: String, details: Vec<String>, site: SiteId) {
        let failure = Failure {
            message,
            site: Some(site),
            block: Some(self.own.id),
            details,
            because: vec![],
        };
        self.machine.outcome.warnings.push(failure);
    }

    /// The index in its tile of an element of an instruction's first operand or result.
    fn coordinates(&self, inst: &Inst, at: usize) -> Vec<u32> {
        let value =
            inst.operands.first().or(inst.results.first()).expect("a fault is about a value");
        index_in(&self.machine.kernel.ty(*value).shape, at)
    }

    fn failure(&self, fault: &Fault) -> Failure {
        let (site, inst) = self.site.expect("a fault is an instruction's");
        let mut because = vec![];
        let (message, details) = match *fault {
            Fault::Access { access, at } => self.access_wording(inst, access, at),
            Fault::DivisionByZero { at } => wording::division_by_zero(&self.coordinates(inst, at)),
            Fault::Gather { at, index, extent, axis } => {
                wording::gather_outside(index, extent, axis, &self.coordinates(inst, at))
            }
            Fault::Refuted { at } => self.refuted_wording(inst, at),
            Fault::Shared(ref misuse) => {
                let tile =
                    |at: usize| index_in(&self.machine.kernel.ty(inst.operands[1]).shape, at);
                let (found, places) = misuse.wording(&inst.op, tile);
                because = places;
                found
            }
            Fault::Stuck(ref stuck) => {
                let (found, places) = stuck.wording();
                because = places;
                found
            }
            Fault::Apart(ref it) => {
                let (found, places) = it.wording();
                because = places;
                found
            }
            Fault::Parted => wording::cluster_apart(),
            Fault::Rank(rank) => wording::cluster_rank(rank, self.others.len()),
            Fault::Corner { axis, at } => {
                wording::box_before(&self.tensor_of_box(inst).name, axis, at)
            }
            Fault::Step(step) => wording::loop_step(step),
            Fault::Endless(turns) => wording::endless_while(turns),
        };
        Failure { message, site: Some(site), block: Some(self.own.id), details, because }
    }
}

/// The index in a tile of `shape` of the element at a position.
fn index_in(shape: &[u32], position: usize) -> Vec<u32> {
    let mut rest = position;
    let mut res: Vec<u32> = vec![];
    for &extent in shape.iter().rev() {
        res.push((rest % extent as usize) as u32);
        rest /= extent as usize;
    }
    res.reverse();
    res
}

#[cfg(test)]
mod tests;
