//! How wide each access to global memory is, and what keeps it from being wider.
//!
//! A thread moves as many elements at once as its *lowest registers* hold neighbours along one
//! dimension (the layout), those neighbours lie next to each other in memory (contiguity), each group
//! begins at a multiple of its size (alignment), and a group is wanted whole or not at all (mask).
//! The width is the least of the four and of what the target can move.
//!
//! The lowering emits exactly [`Access::elems`] elements an instruction: registers `i .. i + elems`
//! with `i` a multiple of `elems` are one access.

use tile_layout::{In, Layout};

use super::explain::{self, Defs};
use super::facts::{Axis, Facts};
use crate::diagnostic::Diagnostic;
use crate::ir::{Elem, Inst, Kernel, Type, Value};
use crate::op::{CopyOp, MemoryOp, Op};
use crate::report;

/// The width of one access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// The dimension along which a thread's lowest registers run.
    pub axis: u32,
    /// Elements that one instruction moves for one thread; a power of two.
    pub elems: u32,
    /// Bytes of that.
    pub bytes: u32,
    /// Elements that would fit an instruction of the target, given how many a thread has.
    pub ideal_elems: u32,
    /// What keeps it below the ideal.
    pub limit: Option<Limit>,
}

/// What keeps an access narrow: the first of these that is as narrow as the access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// A thread's lowest registers are no neighbours.
    Layout,
    /// Neighbours of the tile are no neighbours in memory.
    Contiguity,
    /// Groups begin at addresses that are not known to be multiples of their size.
    Alignment,
    /// The mask can change inside a group.
    Mask,
}

/// The parts of an instruction that decide its width.
pub(crate) struct Parts {
    pub(crate) pointer: Value,
    pub(crate) mask: Option<Value>,
    pub(crate) verb: &'static str,
}

/// The pointer and the mask of a load, a store or a copy; `None` for everything else, atomics included.
pub(crate) fn parts(kernel: &Kernel, inst: &Inst) -> Option<Parts> {
    let (pointer, mask, verb) = match &inst.op {
        Op::Memory(MemoryOp::Load { .. }) => (0, 1, "load"),
        Op::Memory(MemoryOp::Store { .. }) => (0, 2, "store"),
        Op::Copy(CopyOp::Async) => (1, 2, "copy"),
        Op::Copy(CopyOp::Fetch { .. }) => (0, 1, "copy"),
        _ => return None,
    };
    // A copy's condition is a scalar and stands where its mask would.
    let mask = inst.operands.get(mask).copied();
    let mask = mask.filter(|&it| verb != "copy" || !kernel.ty(it).is_scalar());
    Some(Parts { pointer: inst.operands[pointer], mask, verb })
}

/// The width of a load, a store or a copy of a tile; `None` for scalars and for what is no access.
pub fn access(kernel: &Kernel, facts: &Facts, inst: &Inst) -> Option<Access> {
    let parts = parts(kernel, inst)?;
    let ty = kernel.ty(parts.pointer);
    let layout = ty.layout.as_ref()?;
    let bits = storage_bits(ty);
    let (axis, run) = neighbours(layout);
    let fits = 1 << (kernel.target.row().access_bytes_max * 8 / bits).max(1).ilog2();
    let ideal = fits.min(held(layout));

    let pointer = facts.of_value(parts.pointer).axes[axis];
    let mask = parts.mask.map(|it| facts.of_value(it).axes[axis].constancy);
    let widths = [
        (Limit::Layout, run),
        (Limit::Contiguity, pointer.contiguity),
        (Limit::Alignment, aligned(pointer, fits)),
        (Limit::Mask, mask.unwrap_or(fits)),
    ];
    let elems = widths.iter().map(|it| it.1).min().unwrap_or(1).min(fits).min(ideal.max(1));
    let limit = widths.into_iter().find(|it| it.1 == elems && elems < ideal).map(|it| it.0);
    let bytes = (elems * bits).div_ceil(8);
    Some(Access { axis: axis as u32, elems, bytes, ideal_elems: ideal, limit })
}

/// P0101, if the access is narrower than it could be and an edit could widen it.
pub(crate) fn warning(kernel: &Kernel, facts: &Facts, inst: &Inst) -> Option<Diagnostic> {
    let found = access(kernel, facts, inst)?;
    let limit = found.limit?;
    let parts = parts(kernel, inst)?;
    // A tile of which every lane holds copies (a slice, mostly) is too small to gain by another layout.
    let copies = kernel.ty(parts.pointer).layout.as_ref().is_some_and(lanes_hold_copies);
    // Where the copy's other side keeps columns together, a thread needs some of those too.
    if limit == Limit::Layout && (copies || is_turned(kernel, inst, found.axis)) {
        return None;
    }
    let defs = Defs::of(kernel);
    let why = explain::narrow(kernel, facts, &defs, &parts, found, limit)?;
    let bits = storage_bits(kernel.ty(parts.pointer));
    Some(report::performance::narrow_access(
        kernel,
        inst.site,
        &report::performance::Narrow {
            verb: parts.verb,
            bytes: found.bytes,
            ideal_bytes: found.ideal_elems * bits / 8,
            why,
        },
    ))
}

/// The dimension along which the lowest registers run, and how many neighbours they hold.
///
/// A run begins at a multiple of its length: no other place may add to the bits that it counts.
fn neighbours(layout: &Layout) -> (usize, u32) {
    let bases = layout.bases(In::Register);
    let Some(axis) = bases.first().and_then(|it| it.iter().position(|&c| c == 1)) else {
        return (layout.shape().len() - 1, 1);
    };
    let runs = |(k, basis): (usize, &_)| is_step(basis, axis, 1 << k);
    let mut count = bases.iter().enumerate().take_while(|&(k, basis)| runs((k, basis))).count();
    let others = [In::Lane, In::Warp].into_iter().flat_map(|it| layout.bases(it));
    let other_bits = others.fold(0, |bits, basis| bits | basis[axis]);
    let adds =
        |count: usize| bases[count..].iter().fold(other_bits, |bits, basis| bits | basis[axis]);
    while adds(count) & ((1 << count) - 1) != 0 {
        count -= 1;
    }
    (axis, 1 << count)
}

/// Whether a copy goes to shared memory in which neighbours along `axis` do not lie together.
fn is_turned(kernel: &Kernel, inst: &Inst, axis: u32) -> bool {
    let view = match &inst.op {
        Op::Copy(CopyOp::Async) => inst.operands[0],
        Op::Copy(CopyOp::Fetch { .. }) => inst.results[0],
        _ => return false,
    };
    kernel.ty(view).map().dims()[axis as usize].columns.first() != Some(&1)
}

fn lanes_hold_copies(layout: &Layout) -> bool {
    layout.bases(In::Lane).iter().any(|it| it.iter().all(|&c| c == 0))
}

fn is_step(basis: &[u32], axis: usize, step: u32) -> bool {
    basis.iter().enumerate().all(|(d, &c)| c == if d == axis { step } else { 0 })
}

/// Different elements that a thread holds, as a power of two.
fn held(layout: &Layout) -> u32 {
    let distinct = layout.bases(In::Register).iter().filter(|it| it.iter().any(|&c| c != 0));
    1 << distinct.count()
}

/// The largest group that begins at a multiple of its own size.
fn aligned(pointer: Axis, most: u32) -> u32 {
    let mut group = most;
    while group > 1 {
        if u64::from(group) <= pointer.start_divisor(group) {
            return group;
        }
        group /= 2;
    }
    1
}

/// Bits of memory that one pointer of the tile stands for.
pub(super) fn storage_bits(ty: &Type) -> u32 {
    match ty.elem {
        Elem::Pointer(it) | Elem::Data(it) | Elem::Shared(it) => it.storage_bits(),
        Elem::Barrier | Elem::Map => ty.elem.bits(),
    }
}
