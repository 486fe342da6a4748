//! P0112: a mask that is always true.

use super::Subject;
use crate::analysis::{access, bounds};
use crate::diagnostic::Diagnostic;
use crate::ir::{Inst, Value};
use crate::op::tile::{BinaryOp, CmpOp};
use crate::op::{Op, TileOp};
use crate::report;

pub(super) fn warning(it: &Subject<'_>, inst: &Inst) -> Option<Diagnostic> {
    let parts = access::parts(it.kernel, inst)?;
    let mask = parts.mask?;
    holds(it, mask).then(|| report::lints::needless_mask(it.kernel, inst.site, parts.verb))
}

/// Whether every element of a tile of truth values is true, by the facts.
fn holds(it: &Subject<'_>, value: Value) -> bool {
    let Some(inst) = it.defs.get(value) else { return false };
    let Op::Tile(op) = &inst.op else { return false };
    match op {
        TileOp::Const { bits } => bits & 1 != 0,
        TileOp::Binary { op: BinaryOp::And } => inst.operands.iter().all(|&x| holds(it, x)),
        TileOp::Binary { op: BinaryOp::Or } => inst.operands.iter().any(|&x| holds(it, x)),
        TileOp::Cmp { op } => {
            let [x, y] = [inst.operands[0], inst.operands[1]];
            match op {
                CmpOp::Lt => is_less(it, x, y),
                CmpOp::Gt => is_less(it, y, x),
                CmpOp::Le => is_at_most(it, x, y),
                CmpOp::Ge => is_at_most(it, y, x),
                CmpOp::Eq | CmpOp::Ne => false,
            }
        }
        _ => is_move(op) && holds(it, inst.operands[0]),
    }
}

fn is_less(it: &Subject<'_>, x: Value, y: Value) -> bool {
    let known = |value| it.facts.of_value(value);
    let by_number = known(x).hi.zip(known(y).lo).is_some_and(|(hi, lo)| hi < lo);
    let limit = scalar(it, y);
    by_number || known(x).below.iter().any(|&below| bounds::reaches(it.kernel, below, limit))
}

fn is_at_most(it: &Subject<'_>, x: Value, y: Value) -> bool {
    let known = |value| it.facts.of_value(value);
    known(x).hi.zip(known(y).lo).is_some_and(|(hi, lo)| hi <= lo)
}

/// The scalar that a tile has in every element, or the tile.
fn scalar(it: &Subject<'_>, mut value: Value) -> Value {
    while let Some(Inst { op: Op::Tile(op), operands, .. }) = it.defs.get(value)
        && is_move(op)
    {
        value = operands[0];
    }
    value
}

/// Whether an operation gives the elements of its operand in another shape or layout.
fn is_move(op: &TileOp) -> bool {
    matches!(
        op,
        TileOp::Splat
            | TileOp::Broadcast
            | TileOp::Expand { .. }
            | TileOp::Squeeze { .. }
            | TileOp::Permute { .. }
            | TileOp::Reshape
            | TileOp::Convert
    )
}
