//! The order of accesses to global memory inside a block.
//!
//! # Idea
//! A kernel is one block's program: what a store has written, a later load finds, whichever
//! threads hold the elements. Threads keep their own order; between threads it takes a barrier. So
//! the lowering remembers which tensors were read and written since the block last met, and meets
//! again before an access that could touch what another thread did.
//!
//! # Invariants
//! * G1: between a store and another access that may touch the same memory, at least one of them
//!   through other pointers or by other threads, lies a barrier.
//! * G2: between a copy and a write to what it reads, all copies are waited for.
//! * G3: on entry of a loop body its accesses count as made: they are, by the turn before.
//!
//! Tensors do not overlap, unless they are one; pointers that were not made from a tensor may point
//! anywhere.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use tile_language::analysis::pointed_tensors;
use tile_language::ir::{Inst, Kernel, Region, Value};
use tile_language::op::memory::AtomicOp;
use tile_language::op::tile::BinaryOp;
use tile_language::op::{CopyOp, FlowOp, MemoryOp, Op, TileOp};

/// What an access may touch: one tensor, or anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Memory {
    Tensor(u32),
    Anywhere,
}

impl Memory {
    fn meets(self, other: Memory) -> bool {
        self == other || self == Memory::Anywhere || other == Memory::Anywhere
    }
}

/// One access since the block last met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Access {
    memory: Memory,
    /// The pointers, if every thread touches only its own elements through them.
    pointers: Option<Value>,
    kind: AccessKind,
}

/// What an access does to memory, as far as order matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AccessKind {
    /// Reads.
    Read,
    /// Reads at some time until copies are waited for.
    Copy,
    /// Writes.
    Write,
    /// Combines; the same combination gives the same memory in every order.
    Combine(AtomicOp),
}

impl AccessKind {
    /// Whether two accesses of the same memory may change places.
    fn commutes(self, other: AccessKind) -> bool {
        let reads = |it| matches!(it, AccessKind::Read | AccessKind::Copy);
        self == other && self != AccessKind::Write || reads(self) && reads(other)
    }

    fn of(op: AtomicOp) -> AccessKind {
        if op == AtomicOp::Exchange { AccessKind::Write } else { AccessKind::Combine(op) }
    }

    /// What an instruction does, and through which pointers; `None` if it leaves memory alone.
    fn of_inst(inst: &Inst) -> Option<(Value, AccessKind)> {
        match &inst.op {
            Op::Memory(op) => AccessKind::of_op(op).map(|it| (inst.operands[0], it)),
            Op::Copy(CopyOp::Async) => Some((inst.operands[1], AccessKind::Copy)),
            _ => None,
        }
    }

    /// What an operation does; `None` if it leaves memory alone.
    pub(crate) fn of_op(op: &MemoryOp) -> Option<AccessKind> {
        match op {
            MemoryOp::Load { .. } => Some(AccessKind::Read),
            MemoryOp::Store { .. } | MemoryOp::AtomicCas { .. } => Some(AccessKind::Write),
            MemoryOp::Atomic { op, .. } => Some(AccessKind::of(*op)),
            MemoryOp::At { .. }
            | MemoryOp::IsPresent { .. }
            | MemoryOp::Offset
            | MemoryOp::Print { .. }
            | MemoryOp::Assert { .. }
            | MemoryOp::Assume => None,
        }
    }
}

/// What was accessed since the block last met.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct GlobalOrder {
    known: Rc<Known>,
    pending: Vec<Access>,
}

/// What the kernel's text says of its pointers.
#[derive(Clone, PartialEq, Debug, Default)]
struct Known {
    /// The tensor that pointers point into.
    tensors: HashMap<Value, u32>,
    /// The index of a loop whose turns use these pointers for elements that no other turn does.
    advances: HashMap<Value, Value>,
    /// Values that hold an element once.
    held_once: HashSet<Value>,
}

impl Known {
    fn of(kernel: &Kernel, is_held_once: impl Fn(Value) -> bool) -> Known {
        let mut known = Known { tensors: pointed_tensors(kernel), ..Known::default() };
        let mut definitions: HashMap<Value, &Inst> = HashMap::new();
        let mut loops: HashMap<Value, Value> = HashMap::new();
        kernel.body.walk(&mut |inst| {
            definitions.extend(inst.results.iter().map(|&it| (it, inst)));
            if let Op::Flow(FlowOp::For { .. }) = inst.op {
                loops.insert(inst.regions[0].params[0], inst.operands[2]);
            }
        });
        let loops = Loops { kernel, definitions, steps: loops };
        kernel.body.walk(&mut |inst| {
            if let Op::Memory(MemoryOp::At { .. }) = inst.op {
                let index = inst.operands.iter().find_map(|&it| loops.advances(it));
                known.advances.extend(index.map(|it| (inst.results[0], it)));
            }
            if let Some((pointers, _)) = AccessKind::of_inst(inst)
                && is_held_once(pointers)
            {
                known.held_once.insert(pointers);
            }
        });
        known
    }
}

/// The loops of a kernel and what their indices become.
struct Loops<'a> {
    kernel: &'a Kernel,
    definitions: HashMap<Value, &'a Inst>,
    /// For every loop's index, its step.
    steps: HashMap<Value, Value>,
}

impl Loops<'_> {
    /// The loop index `i` of a tile `i * n + (0 .. m)` with `m` at most what a turn adds: no two
    /// turns have an index in common.
    fn advances(&self, tile: Value) -> Option<Value> {
        let inst = self.definitions.get(&tile)?;
        match &inst.op {
            Op::Tile(TileOp::Broadcast | TileOp::Expand { .. }) => self.advances(inst.operands[0]),
            Op::Tile(TileOp::Binary { op: BinaryOp::Add }) => {
                let [a, b] = [inst.operands[0], inst.operands[1]];
                self.advances_by(a, self.extent(b)?)
                    .or_else(|| self.advances_by(b, self.extent(a)?))
            }
            _ => None,
        }
    }

    /// The extent that a tile of indices counts up to.
    fn extent(&self, tile: Value) -> Option<u64> {
        let inst = self.definitions.get(&tile)?;
        match &inst.op {
            Op::Tile(TileOp::Index { axis }) => {
                Some(self.kernel.ty(tile).shape[*axis as usize].into())
            }
            // Of the other operand of the sum.
            _ => Some(u64::MAX),
        }
    }

    /// The loop index of which `start` grows by at least `extent` a turn.
    fn advances_by(&self, start: Value, extent: u64) -> Option<Value> {
        let splat = self.definitions.get(&start)?;
        let Op::Tile(TileOp::Splat) = splat.op else { return None };
        let scalar = splat.operands[0];
        if let Some(step) = self.steps.get(&scalar) {
            return (self.constant(*step)? >= extent).then_some(scalar);
        }
        let product = self.definitions.get(&scalar)?;
        let Op::Tile(TileOp::Binary { op: BinaryOp::Mul }) = product.op else { return None };
        let [a, b] = [product.operands[0], product.operands[1]];
        let (index, factor) = if self.steps.contains_key(&a) { (a, b) } else { (b, a) };
        let is_far = self.steps.contains_key(&index) && self.constant(factor)? >= extent;
        is_far.then_some(index)
    }

    /// A constant that is positive as `i32` and `i64`.
    fn constant(&self, value: Value) -> Option<u64> {
        match self.definitions.get(&value)?.op {
            Op::Tile(TileOp::Const { bits }) => (bits <= i32::MAX as u64).then_some(bits),
            _ => None,
        }
    }
}

impl GlobalOrder {
    /// Nothing was accessed yet. `is_held_once` says whether no element of a tile has copies in
    /// other threads.
    pub(crate) fn new(kernel: &Kernel, is_held_once: impl Fn(Value) -> bool) -> GlobalOrder {
        GlobalOrder { known: Rc::new(Known::of(kernel, is_held_once)), pending: Vec::new() }
    }

    /// The tensor that the pointers point into; `None` if it is not known.
    pub(crate) fn tensor(&self, pointers: Value) -> Option<u32> {
        self.known.tensors.get(&pointers).copied()
    }

    /// Whether the block has to meet before this access.
    pub(crate) fn needs_barrier(&self, pointers: Value, kind: AccessKind) -> bool {
        let access = self.access(pointers, kind, self.known.held_once.contains(&pointers));
        self.pending.iter().any(|it| {
            let is_conflict = it.memory.meets(access.memory) && !it.kind.commutes(kind);
            let is_same_thread = it.pointers.is_some() && it.pointers == access.pointers;
            is_conflict && !is_same_thread
        })
    }

    /// Remembers an access.
    pub(crate) fn add(&mut self, pointers: Value, kind: AccessKind) {
        let is_own = self.known.held_once.contains(&pointers);
        self.remember(self.access(pointers, kind, is_own));
    }

    fn remember(&mut self, access: Access) {
        if !self.pending.contains(&access) {
            self.pending.push(access);
        }
    }

    fn access(&self, pointers: Value, kind: AccessKind, is_own: bool) -> Access {
        let memory = self.tensor(pointers).map_or(Memory::Anywhere, Memory::Tensor);
        // Not even its own thread knows when a copy reads.
        let is_own = is_own && kind != AccessKind::Copy;
        Access { memory, pointers: is_own.then_some(pointers), kind }
    }

    /// Whether copies have to land before this access.
    pub(crate) fn needs_landing(&self, pointers: Value, kind: AccessKind) -> bool {
        let memory = self.access(pointers, kind, false).memory;
        self.pending.iter().any(|it| {
            it.kind == AccessKind::Copy && it.memory.meets(memory) && !it.kind.commutes(kind)
        })
    }

    /// The copies of every thread have landed: they were reads.
    pub(crate) fn land(&mut self) {
        for access in &mut self.pending {
            if access.kind == AccessKind::Copy {
                access.kind = AccessKind::Read;
            }
        }
    }

    /// The block has met; copies may still be in flight.
    pub(crate) fn clear(&mut self) {
        self.pending.retain(|it| it.kind == AccessKind::Copy);
    }

    /// Counts the accesses of a loop's region as made (invariant G3). The same pointers are the same
    /// threads' in every turn if they are made outside, or if every turn has elements of its own.
    pub(crate) fn enter_loop(&mut self, region: &Region, index: Option<Value>) {
        let known = Rc::clone(&self.known);
        let mut inside: HashSet<Value> = HashSet::new();
        inside.extend(&region.params);
        region.walk(&mut |inst| {
            inside.extend(&inst.results);
            inst.regions.iter().for_each(|it| inside.extend(&it.params));
        });
        region.walk(&mut |inst| {
            let Some((pointers, kind)) = AccessKind::of_inst(inst) else { return };
            let advances = index.is_some() && known.advances.get(&pointers).copied() == index;
            let is_own =
                known.held_once.contains(&pointers) && (advances || !inside.contains(&pointers));
            self.remember(self.access(pointers, kind, is_own));
        });
    }

    /// Adds what may have been accessed on another way here.
    pub(crate) fn join(&mut self, other: GlobalOrder) {
        for access in other.pending {
            self.remember(access);
        }
    }
}
