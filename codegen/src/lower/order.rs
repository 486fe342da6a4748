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
//! * G2: on entry of a loop body its accesses count as made: they are, by the turn before.
//!
//! Tensors do not overlap, unless they are one; pointers that were not made from a tensor may point
//! anywhere.

use std::collections::HashMap;

use tile_language::ir::{Kernel, Region, Value};
use tile_language::op::memory::AtomicOp;
use tile_language::op::{MemoryOp, Op};

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
    /// Writes.
    Write,
    /// Combines; the same combination gives the same memory in every order.
    Combine(AtomicOp),
}

impl AccessKind {
    /// Whether two accesses of the same memory may change places.
    fn commutes(self, other: AccessKind) -> bool {
        self == other && self != AccessKind::Write
    }

    fn of(op: AtomicOp) -> AccessKind {
        if op == AtomicOp::Exchange { AccessKind::Write } else { AccessKind::Combine(op) }
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
    origins: HashMap<Value, u32>,
    pending: Vec<Access>,
}

impl GlobalOrder {
    pub(crate) fn new(kernel: &Kernel) -> GlobalOrder {
        let mut origins = HashMap::new();
        kernel.body.walk(&mut |inst| {
            let origin = match &inst.op {
                Op::Memory(MemoryOp::At { tensor }) => Some(*tensor),
                // Whatever is computed from pointers of one tensor points into it.
                _ => inst.operands.iter().find_map(|it| origins.get(it).copied()),
            };
            if let Some(tensor) = origin {
                origins.extend(inst.results.iter().map(|&it| (it, tensor)));
            }
        });
        GlobalOrder { origins, pending: Vec::new() }
    }

    /// The tensor that the pointers point into; `None` if it is not known.
    pub(crate) fn tensor(&self, pointers: Value) -> Option<u32> {
        self.origins.get(&pointers).copied()
    }

    /// Whether the block has to meet before this access. `is_own`: every element is touched by one
    /// thread only, always the same for the same pointers.
    pub(crate) fn needs_barrier(&self, pointers: Value, kind: AccessKind, is_own: bool) -> bool {
        let access = self.access(pointers, kind, is_own);
        self.pending.iter().any(|it| {
            let is_conflict = it.memory.meets(access.memory) && !it.kind.commutes(kind);
            let is_same_thread = it.pointers.is_some() && it.pointers == access.pointers;
            is_conflict && !is_same_thread
        })
    }

    /// Remembers an access.
    pub(crate) fn add(&mut self, pointers: Value, kind: AccessKind, is_own: bool) {
        let access = self.access(pointers, kind, is_own);
        if !self.pending.contains(&access) {
            self.pending.push(access);
        }
    }

    fn access(&self, pointers: Value, kind: AccessKind, is_own: bool) -> Access {
        let memory = self.tensor(pointers).map_or(Memory::Anywhere, Memory::Tensor);
        Access { memory, pointers: is_own.then_some(pointers), kind }
    }

    /// The block has met.
    pub(crate) fn clear(&mut self) {
        self.pending.clear();
    }

    /// Counts the accesses of a loop's region as made (invariant G2).
    pub(crate) fn enter_loop(&mut self, region: &Region) {
        region.walk(&mut |inst| {
            if let Op::Memory(op) = &inst.op
                && let Some(kind) = AccessKind::of_op(op)
            {
                self.add(inst.operands[0], kind, false);
            }
        });
    }

    /// Adds what may have been accessed on another way here.
    pub(crate) fn join(&mut self, other: GlobalOrder) {
        for access in other.pending {
            if !self.pending.contains(&access) {
                self.pending.push(access);
            }
        }
    }
}
