//! Values that need no registers of their own for every element: other names and single elements.
//!
//! * *Aliases*: a reshaped, permuted or opened tile is its operand with other numbers for its
//!   registers.
//! * *Streamed* values: a result of an elementwise operation that only elementwise operations and
//!   stores read, with nothing between that wants all elements at once. Schedulers run such a chain
//!   for one element after the other, so one element of it lives at a time.

use tile_layout::In;

use crate::ir::{Inst, Kernel, Region, Value};
use crate::op::{MemoryOp, Op, TileOp};

/// How a kernel's values share registers.
pub(super) struct Streams {
    /// The value whose registers each value lives in: mostly itself.
    pub(super) roots: Vec<Value>,
    /// Whether one element of it lives at a time.
    pub(super) streamed: Vec<bool>,
}

/// What becomes of the elements of an operation's operands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Element by element.
    Elementwise,
    /// Nothing: the result is the operand under another name.
    Rename,
    /// Element by element, and no result.
    Sink,
    /// All at once, or in an order of its own.
    Whole,
}

/// The aliases and the streamed values of a kernel.
pub(super) fn streams(kernel: &Kernel) -> Streams {
    let n = kernel.values.len();
    let mut walk = Walk {
        kernel,
        roots: (0..n as u32).map(Value).collect(),
        streamed: vec![false; n],
        defined: vec![None; n],
        n_regions: 0,
    };
    walk.region(&kernel.body);
    Streams { roots: walk.roots, streamed: walk.streamed }
}

/// Where a value is made: its region, and how many whole operations came before.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Epoch {
    region: u32,
    wholes: u32,
}

struct Walk<'a> {
    kernel: &'a Kernel,
    roots: Vec<Value>,
    streamed: Vec<bool>,
    defined: Vec<Option<Epoch>>,
    n_regions: u32,
}

impl Walk<'_> {
    fn region(&mut self, region: &Region) {
        self.n_regions += 1;
        let mut epoch = Epoch { region: self.n_regions, wholes: 0 };
        for inst in &region.insts {
            let manner = self.manner(inst);
            epoch.wholes += u32::from(manner == Manner::Whole);
            for &it in &inst.operands {
                let root = self.roots[it.0 as usize].0 as usize;
                if manner == Manner::Whole || self.defined[root] != Some(epoch) {
                    self.streamed[root] = false;
                }
            }
            inst.regions.iter().for_each(|it| self.region(it));
            for &it in &inst.results {
                let at = it.0 as usize;
                match manner {
                    Manner::Rename => self.roots[at] = self.roots[inst.operands[0].0 as usize],
                    Manner::Elementwise => {
                        self.streamed[at] = true;
                        self.defined[at] = Some(epoch);
                    }
                    Manner::Sink | Manner::Whole => {}
                }
            }
        }
        for it in &region.yields {
            self.streamed[self.roots[it.0 as usize].0 as usize] = false;
        }
    }

    fn manner(&self, inst: &Inst) -> Manner {
        match &inst.op {
            Op::Tile(op) => self.tile(op, inst),
            Op::Memory(MemoryOp::Store { .. }) => Manner::Sink,
            Op::Memory(MemoryOp::At { .. } | MemoryOp::Offset) => Manner::Sink,
            Op::Memory(
                MemoryOp::IsPresent { .. }
                | MemoryOp::Load { .. }
                | MemoryOp::Atomic { .. }
                | MemoryOp::AtomicCas { .. }
                | MemoryOp::Print { .. }
                | MemoryOp::Assert { .. }
                | MemoryOp::Assume,
            )
            | Op::Shared(_)
            | Op::Copy(_)
            | Op::Sync(_)
            | Op::Mma(_)
            | Op::Flow(_) => Manner::Whole,
        }
    }

    fn tile(&self, op: &TileOp, inst: &Inst) -> Manner {
        match op {
            TileOp::Unary { .. }
            | TileOp::Binary { .. }
            | TileOp::Cmp { .. }
            | TileOp::Select
            | TileOp::Fma
            | TileOp::Cast { .. }
            | TileOp::Bits => Manner::Elementwise,
            TileOp::Const { .. }
            | TileOp::Index { .. }
            | TileOp::BlockId { .. }
            | TileOp::NumBlocks { .. }
            | TileOp::ClusterRank
            | TileOp::Splat => Manner::Sink,
            TileOp::Expand { .. }
            | TileOp::Squeeze { .. }
            | TileOp::Broadcast
            | TileOp::Reshape
            | TileOp::Permute { .. } => Manner::Rename,
            TileOp::Halves { axis, bit } => self.halves(inst, *axis, *bit),
            TileOp::Split => {
                let rank = self.kernel.ty(inst.operands[0]).shape.len() as u32;
                self.halves(inst, rank - 1, 0)
            }
            TileOp::Convert => self.conversion(inst),
            TileOp::Join | TileOp::Butterfly { .. } | TileOp::Gather { .. } | TileOp::Histogram => {
                Manner::Whole
            }
        }
    }

    /// A tile that is opened along a bit of its registers is a choice among them.
    fn halves(&self, inst: &Inst, axis: u32, bit: u32) -> Manner {
        let layout = &self.kernel.ty(inst.operands[0]).layout;
        match layout.as_ref().map(|it| it.home(axis as usize, bit)) {
            Some(In::Register) => Manner::Rename,
            _ => Manner::Whole,
        }
    }

    /// A conversion that moves nothing is another name.
    fn conversion(&self, inst: &Inst) -> Manner {
        let layout = |it: Value| self.kernel.ty(it).layout.as_ref();
        let (Some(from), Some(to)) = (layout(inst.operands[0]), layout(inst.results[0])) else {
            return Manner::Whole;
        };
        match from == to {
            true => Manner::Rename,
            false => Manner::Whole,
        }
    }
}
