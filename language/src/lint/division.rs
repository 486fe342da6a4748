//! P0114: an integer division in every turn of an innermost loop.
//!
//! No machine divides integers by an instruction: it is a sequence of about twenty (CUDA C++ Best Practices Guide,
//! "Division Modulo Operations"), and several times that for 64 bits. By a power of two that is known at
//! compile time it is a shift, by another such number a product and a shift; before a loop it is paid once. Where a
//! turn is products of matrices or boxes on their way, it runs beside them and nobody waits for it.

use rustc_hash::FxHashSet;

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::ir::{Elem, Inst, Region, Value};
use crate::op::tile::BinaryOp;
use crate::op::{CopyOp, FlowOp, Op, TileOp};
use crate::report;

pub(super) fn warnings(it: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    it.kernel.body.walk(&mut |inst| {
        if is_loop(inst) && !inst.regions.iter().any(hides) {
            inst.regions.iter().for_each(|body| inside(it, body, &mut found));
        }
    });
    found
}

fn inside(it: &Subject<'_>, body: &Region, found: &mut Vec<Diagnostic>) {
    let mut made: FxHashSet<Value> = body.params.iter().copied().collect();
    body.walk(&mut |inst| {
        // What changes from turn to turn stems from a value that is made in the loop out of such a one.
        let varies = inst.operands.iter().any(|it| made.contains(it)) || reads(inst);
        if varies {
            made.extend(inst.results.iter().copied());
            if let Some(bits) = divides(it, inst) {
                found.push(report::lints::division(it.kernel, inst.site, bits));
            }
        }
    });
}

/// The width of an integer division by what is not known at compile time.
fn divides(it: &Subject<'_>, inst: &Inst) -> Option<u32> {
    let Op::Tile(TileOp::Binary { op: BinaryOp::Div | BinaryOp::Rem }) = inst.op else {
        return None;
    };
    let Elem::Data(dtype) = it.kernel.ty(inst.results[0]).elem else { return None };
    let by = it.facts.of_value(inst.operands[1]);
    (dtype.is_int() && by.value().is_none()).then(|| dtype.bits())
}

/// Whether an instruction's results can differ from turn to turn though its operands do not.
fn reads(inst: &Inst) -> bool {
    !matches!(inst.op, Op::Tile(_))
}

/// Whether what is in a loop takes longer than a division: another loop, a product of matrices, a box.
fn hides(region: &Region) -> bool {
    let mut found = false;
    region.walk(&mut |inst| {
        let is_long =
            matches!(inst.op, Op::Mma(_) | Op::Copy(CopyOp::Box { .. } | CopyOp::BoxOut { .. }));
        found |= is_loop(inst) || is_long;
    });
    found
}

fn is_loop(inst: &Inst) -> bool {
    matches!(inst.op, Op::Flow(FlowOp::For { .. } | FlowOp::While))
}
