//! Which accesses are neither masked nor provably inside their tensor.
//!
//! An index is inside if it is at least 0 and its range or a scalar that it is known to be below
//! reaches no further than the extent. Masked accesses are the mask's business: the checked engines
//! test them.

use super::access::parts;
use super::explain::Defs;
use super::facts::{Facts, Known};
use crate::diagnostic::Diagnostic;
use crate::ir::{Extent, FactKind, Inst, Kernel, Value};
use crate::op::{MemoryOp, Op, TileOp};
use crate::report;

/// W0601, if the access has no mask and an index could be outside.
pub(crate) fn warning(kernel: &Kernel, facts: &Facts, inst: &Inst) -> Option<Diagnostic> {
    let parts = parts(kernel, inst)?;
    if parts.mask.is_some() {
        return None;
    }
    let at = element(kernel, &Defs::of(kernel), parts.pointer)?;
    let Op::Memory(MemoryOp::At { tensor }) = &at.op else { return None };
    let it = &kernel.tensors[*tensor as usize];
    let outside = at
        .operands
        .iter()
        .zip(&it.dims)
        .position(|(index, extent)| !inside(kernel, facts, facts.of_value(*index), *extent))?;
    let known = facts.of_value(at.operands[outside]);
    let size = match it.dims[outside] {
        Extent::Const(it) => it.to_string(),
        Extent::Value(it) => kernel.values[it.0 as usize].name.to_string(),
    };
    let range = (known.lo, known.hi);
    Some(report::performance::unmasked(kernel, inst.site, parts.verb, outside, &size, range, it))
}

/// The `at` that made a pointer, through operations that only move it.
fn element<'a>(kernel: &Kernel, defs: &Defs<'a>, mut pointer: Value) -> Option<&'a Inst> {
    for _ in 0..kernel.values.len() {
        let inst = defs.get(pointer)?;
        match &inst.op {
            Op::Memory(MemoryOp::At { .. }) => return Some(inst),
            Op::Tile(TileOp::Convert | TileOp::Splat | TileOp::Broadcast) => {
                pointer = inst.operands[0]
            }
            _ => return None,
        }
    }
    None
}

fn inside(kernel: &Kernel, facts: &Facts, index: &Known, extent: Extent) -> bool {
    if index.lo.is_none_or(|it| it < 0) {
        return false;
    }
    match extent {
        Extent::Const(size) => index.hi.is_some_and(|it| it < size),
        Extent::Value(size) => {
            let least = facts.of_value(size).lo;
            let by_number = index.hi.zip(least).is_some_and(|(hi, least)| hi < least);
            by_number || index.below.iter().any(|it| reaches(kernel, *it, size))
        }
    }
}

/// Whether `a <= b` at every launch.
pub(crate) fn reaches(kernel: &Kernel, a: Value, b: Value) -> bool {
    a == b || kernel.facts.iter().any(|it| it.kind == FactKind::AtMost { a, b })
}
