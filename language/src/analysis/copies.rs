//! How a copy from global to shared memory is made: started, and without registers, or by loads and stores.
//!
//! One operation of a thread moves neighbours that it holds on both sides. Where the lanes of a wave
//! write one after another (LDS DMA), so must the elements of a copy lie: lane `i` of every access has
//! the bytes that follow those of lane `i - 1`.

use tile_layout::SharedAccess;

use super::access::{access, storage_bits};
use super::facts::Facts;
use crate::ir::{Inst, Kernel, Value};
use crate::op::{CopyOp, Op};

/// How a copy moves elements.
#[derive(Clone, Debug)]
pub struct CopyAccess {
    /// The shared side.
    pub shared: SharedAccess,
    /// Neighbours on both sides that one operation moves.
    pub elems: u32,
    /// Bytes of that.
    pub bytes: u32,
    /// Whether the target starts such a copy without registers.
    pub is_started: bool,
}

/// The pointers and the view of a copy.
///
/// # Panics
/// If the instruction is no copy.
fn sides(inst: &Inst) -> (Value, Value) {
    match &inst.op {
        Op::Copy(CopyOp::Async) => (inst.operands[1], inst.operands[0]),
        Op::Copy(CopyOp::Fetch { .. }) => (inst.operands[0], inst.results[0]),
        _ => panic!("V3: a copy has two sides"),
    }
}

/// How a `copy.async` or a `copy.fetch` moves elements.
pub fn copy_access(kernel: &Kernel, facts: &Facts, inst: &Inst) -> CopyAccess {
    let (pointers, view) = sides(inst);
    let ty = kernel.ty(pointers);
    let layout = ty.layout.as_ref().expect("V3: a copy takes a tile of pointers");
    let bits = storage_bits(ty);
    let shared = SharedAccess::new(layout, kernel.ty(view).map(), bits);
    let elems = elements(&shared, access(kernel, facts, inst).map_or(1, |it| it.elems));
    let bytes = (elems * bits).div_ceil(8);
    let target = kernel.target.row();
    let is_started = target.copy_bytes.contains(&bytes)
        && (!target.copies_in_line() || is_in_line(&shared, elems));
    CopyAccess { shared, elems, bytes, is_started }
}

/// Elements that are neighbours on both sides: registers `i .. i + n` with `i` a multiple of `n` go to
/// consecutive positions. `global` is how many are neighbours behind the pointers.
fn elements(access: &SharedAccess, global: u32) -> u32 {
    let is_run = |n: u32| {
        access.groups.iter().flat_map(|it| it.registers.chunks(n as usize)).all(|chunk| {
            let first = chunk[0][0];
            let follow = chunk.iter().zip(first..).all(|(registers, at)| registers[0] == at);
            chunk.len() == n as usize && first.is_multiple_of(n) && follow
        })
    };
    let mut n = global;
    while n > 1 && !is_run(n) {
        n /= 2;
    }
    n.max(1)
}

/// Whether the lanes of a warp write `elems` elements each, one after another.
fn is_in_line(access: &SharedAccess, elems: u32) -> bool {
    let span = access.span();
    let follow = access.lanes.iter().enumerate().all(|(bit, &it)| it == elems << bit);
    let is_apart = |it: u32| it & (span - 1) == 0;
    access.vector == elems
        && follow
        && access.warps.iter().all(|&it| is_apart(it))
        && access.groups.iter().all(|it| is_apart(it.low))
        && access.steps.iter().all(|it| it.lanes.iter().all(|&lane| lane == 0))
        && access.padding().iter().all(|it| is_apart(it.0))
}
