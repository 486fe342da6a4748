//! Memory of elements that are smaller than a byte: whatever touches it takes whole bytes.
//!
//! A thread's pointers have no place for half a byte, and two threads that wrote halves of one would
//! destroy each other's. So every access moves whole bytes of a thread, and a view begins at one. The
//! analyses that decide the widths of accesses say whether that is so. Where it is, the first pointer of
//! what moves together is exact, as every part of its distance is whole bytes; nothing looks at the others.

use tile_layout::{MemoryMap, whole_bytes};

use super::access::{access, parts, storage_bits};
use super::explain::{self, Defs};
use super::facts::Facts;
use super::shared::shared_access;
use super::{Access, Limit, copy_access};
use crate::diagnostic::Diagnostic;
use crate::ir::{Elem, Inst, Kernel, SiteId, Value};
use crate::op::{CopyOp, MemoryOp, Op, SharedOp};
use crate::report::packed as wording;

/// E0609, if an instruction takes a part of a byte.
pub(super) fn error(kernel: &Kernel, facts: &Facts, inst: &Inst) -> Option<Diagnostic> {
    let op = &inst.op;
    match op {
        Op::Memory(MemoryOp::Load { .. } | MemoryOp::Store { .. }) => global(kernel, facts, inst),
        Op::Copy(CopyOp::Async | CopyOp::Fetch { .. }) => {
            global(kernel, facts, inst).or_else(|| landing(kernel, facts, inst))
        }
        Op::Shared(SharedOp::Load | SharedOp::Store) => shared(kernel, inst),
        Op::Shared(
            SharedOp::Gather { .. } | SharedOp::Scatter { .. } | SharedOp::Atomic { .. },
        ) => {
            let whole = whole(kernel, inst.operands[0])?;
            Some(wording::single(kernel, inst.site, "access by index", whole))
        }
        Op::Shared(SharedOp::Index { axis } | SharedOp::Slice { axis }) => {
            cut(kernel, facts, inst, *axis as usize)
        }
        _ => None,
    }
}

/// The fewest elements behind a pointer or in a view that are whole bytes; `None` if one is.
fn whole(kernel: &Kernel, value: Value) -> Option<u32> {
    let ty = kernel.ty(value);
    match ty.elem {
        Elem::Pointer(_) | Elem::Shared(_) => {
            Some(whole_bytes(storage_bits(ty))).filter(|&it| it > 1)
        }
        Elem::Data(_) | Elem::Barrier | Elem::Map => None,
    }
}

/// The global side of an access.
fn global(kernel: &Kernel, facts: &Facts, inst: &Inst) -> Option<Diagnostic> {
    let parts = parts(kernel, inst)?;
    let whole = whole(kernel, parts.pointer)?;
    let Some(found) = access(kernel, facts, inst) else {
        return Some(wording::single(kernel, inst.site, parts.verb, whole));
    };
    if whole <= found.elems {
        return None;
    }
    let wanted = Access { ideal_elems: whole, ..found };
    let defs = Defs::of(kernel);
    let limit = found.limit.unwrap_or(Limit::Layout);
    let why = explain::narrow(kernel, facts, &defs, &parts, wanted, limit);
    let bits = found.elems * storage_bits(kernel.ty(parts.pointer));
    Some(wording::narrow(kernel, inst.site, parts.verb, bits, whole, why))
}

/// The shared side of a copy.
fn landing(kernel: &Kernel, facts: &Facts, inst: &Inst) -> Option<Diagnostic> {
    let whole = whole(kernel, parts(kernel, inst)?.pointer)?;
    let bits = storage_bits(kernel.ty(inst.operands[0]));
    let vector = copy_access(kernel, facts, inst).shared.vector;
    narrow(kernel, inst.site, "copy", [whole, vector], bits)
}

fn shared(kernel: &Kernel, inst: &Inst) -> Option<Diagnostic> {
    use tile_layout::banks::Direction;
    let view = inst.operands[0];
    let whole = whole(kernel, view)?;
    let (tile, verb, direction) = match inst.op {
        Op::Shared(SharedOp::Store) => (inst.operands[1], "store", Direction::Write),
        _ => (inst.results[0], "load", Direction::Read),
    };
    let Some(layout) = &kernel.ty(tile).layout else {
        return Some(wording::single(kernel, inst.site, verb, whole));
    };
    let ty = kernel.ty(view);
    let access = shared_access(kernel.target.row(), layout, ty.map(), ty.elem.bits(), direction);
    narrow(kernel, inst.site, verb, [whole, access.vector], ty.elem.bits())
}

/// The complaint about an access to shared memory that moves fewer elements at once than are whole bytes.
fn narrow(
    kernel: &Kernel,
    site: SiteId,
    verb: &str,
    [whole, vector]: [u32; 2],
    bits: u32,
) -> Option<Diagnostic> {
    (vector < whole).then(|| wording::narrow(kernel, site, verb, vector * bits, whole, None))
}

/// A view that begins within a byte.
fn cut(kernel: &Kernel, facts: &Facts, inst: &Inst, axis: usize) -> Option<Diagnostic> {
    let view = inst.operands[0];
    let whole = whole(kernel, view)?;
    let map = kernel.ty(view).map();
    let unit = match inst.op {
        Op::Shared(SharedOp::Slice { .. }) => {
            map.slice_unit(axis, kernel.ty(inst.results[0]).shape[axis])
        }
        _ => 1,
    };
    let known = facts.of_value(inst.operands[1]).divisor().max(unit.into());
    begins_within(map, axis, known, whole).then(|| wording::cut(kernel, inst.site, axis, whole))
}

/// Whether an index that is a multiple of `known` can lie within `whole` elements of memory.
fn begins_within(map: &MemoryMap, axis: usize, known: u64, whole: u32) -> bool {
    let dim = &map.dims()[axis];
    let columns = dim.columns.iter().enumerate();
    let inside = |column: u32| !column.is_multiple_of(whole);
    let has_steps = dim.extent >> dim.columns.len() > 1;
    columns.filter(|(bit, _)| known >> bit <= 1).any(|(_, &it)| inside(it))
        || has_steps && inside(dim.stride)
}
