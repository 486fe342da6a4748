//! What of a loop's body can be computed for any turn at any time.
//!
//! An instruction is *free* if it has no effect, costs little, and depends on the loop's index, on what
//! is before the loop and on free values alone. A carried value is free if what it becomes is: then
//! each stage counts its own. Free instructions are copied to where they are wanted.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ir::{Inst, Region, Value};
use crate::op::tile::BinaryOp;
use crate::op::{MemoryOp, Op, TileOp};

/// The free values of a loop.
pub(super) struct Free<'a> {
    body: &'a Region,
    /// Instruction of the body by result.
    definitions: FxHashMap<Value, usize>,
    bound: FxHashSet<Value>,
}

impl<'a> Free<'a> {
    /// Of the body of a `for`.
    pub(super) fn of(body: &'a Region) -> Free<'a> {
        let results = body.insts.iter().enumerate();
        let definitions =
            results.flat_map(|(at, it)| it.results.iter().map(move |&result| (result, at)));
        let mut free =
            Free { body, definitions: definitions.collect(), bound: FxHashSet::default() };
        loop {
            free.bind();
            let carried = body.params[1..].iter().zip(&body.yields);
            let new: Vec<Value> = carried
                .filter(|(param, next)| free.has(**param) && !free.has(**next))
                .map(|(param, _)| *param)
                .collect();
            if new.is_empty() {
                return free;
            }
            free.bound.extend(new);
        }
    }

    /// Finds the instructions that are not free.
    fn bind(&mut self) {
        for inst in &self.body.insts {
            if !self.is_cheap(inst) || inst.operands.iter().any(|it| !self.has(*it)) {
                self.bound.extend(&inst.results);
            }
        }
    }

    /// Whether a value is free; all from before the loop are.
    pub(super) fn has(&self, value: Value) -> bool {
        !self.bound.contains(&value)
    }

    /// The instruction of the body that a value is the result of.
    pub(super) fn definition(&self, value: Value) -> Option<&'a Inst> {
        self.definitions.get(&value).map(|&at| &self.body.insts[at])
    }

    /// What keeps a value from being free: the first carried value or instruction behind it.
    pub(super) fn root(&self, value: Value) -> Value {
        let mut value = value;
        loop {
            let operands = self.definition(value).map_or(&[][..], |it| &it.operands[..]);
            match operands.iter().find(|it| !self.has(**it)) {
                Some(next) => value = *next,
                None => return value,
            }
        }
    }

    fn is_cheap(&self, inst: &Inst) -> bool {
        match &inst.op {
            // A divisor of a turn that never comes may be 0.
            Op::Tile(TileOp::Binary { op: BinaryOp::Div | BinaryOp::Rem }) => {
                let divisor = inst.operands[1];
                match self.definition(divisor).map(|it| &it.op) {
                    Some(op) => matches!(op, Op::Tile(TileOp::Const { .. })),
                    None => !self.body.params.contains(&divisor),
                }
            }
            Op::Tile(
                TileOp::Const { .. }
                | TileOp::Index { .. }
                | TileOp::BlockId { .. }
                | TileOp::NumBlocks { .. }
                | TileOp::ClusterRank
                | TileOp::Unary { .. }
                | TileOp::Binary { .. }
                | TileOp::Cmp { .. }
                | TileOp::Fma
                | TileOp::Select
                | TileOp::Cast { .. }
                | TileOp::Bits
                | TileOp::Splat
                | TileOp::Broadcast
                | TileOp::Expand { .. }
                | TileOp::Squeeze { .. }
                | TileOp::Reshape
                | TileOp::Permute { .. },
            )
            | Op::Memory(MemoryOp::At { .. } | MemoryOp::IsPresent { .. } | MemoryOp::Offset) => {
                true
            }
            Op::Tile(
                TileOp::Join
                | TileOp::Split
                | TileOp::Halves { .. }
                | TileOp::Butterfly { .. }
                | TileOp::Gather { .. }
                | TileOp::Histogram
                | TileOp::Convert,
            )
            | Op::Memory(_)
            | Op::Flow(_)
            | Op::Mma(_)
            | Op::Shared(_)
            | Op::Copy(_)
            | Op::Sync(_) => false,
        }
    }
}
