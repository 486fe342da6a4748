//! Copies from global to shared memory.
//!
//! # Idea
//! One access moves neighbours that a thread holds on both sides: as many as the analysis of accesses
//! gives on the global side and the layout crate's [`SharedAccess`] on the other. Where the target
//! copies that many bytes without registers the copy is only started; otherwise it is made at once,
//! by a load and a store, and the groups have nothing to wait for.

use inkwell::values::{IntValue, PointerValue};
use tile_language::ir::{Elem, Inst, Value};
use tile_language::op::CopyOp;
use tile_layout::SharedAccess;

use super::memory::group_type;
use super::order::AccessKind;
use super::{AccessWidth, Lower};
use crate::chip::CopyConditions;
use crate::emit::Val;

/// What one thread copies at once.
struct Piece<'c> {
    to: PointerValue<'c>,
    from: PointerValue<'c>,
    mask: Option<IntValue<'c>>,
}

impl<'c> Lower<'_, 'c> {
    /// Lowers an operation on copies in flight.
    pub(crate) fn copy(&mut self, op: &CopyOp, inst: &Inst) {
        match op {
            CopyOp::Async => {
                self.order_before(inst.operands[1], AccessKind::Copy);
                self.start(inst);
                self.order.add(inst.operands[1], AccessKind::Copy);
            }
            CopyOp::Commit => self.chip.commit_copies(&self.emit),
            CopyOp::Wait { in_flight } => {
                self.chip.await_copies(&self.emit, Some(*in_flight));
                if *in_flight == 0 {
                    self.order.land();
                }
            }
            CopyOp::Fetch { .. } => unreachable!("the pass `pipeline` leaves no `copy.fetch`"),
            CopyOp::Signal { .. } => unreachable!("passes leave no mbarriers in one role"),
        }
    }

    fn start(&mut self, inst: &Inst) {
        let (view, pointers) = (inst.operands[0], inst.operands[1]);
        let Elem::Pointer(dtype) = self.kernel.ty(pointers).elem else {
            panic!("V3: a copy takes pointers")
        };
        let (masks, conditions): (Vec<Value>, Vec<Value>) =
            inst.operands[2..].iter().partition(|&&it| !self.kernel.ty(it).is_scalar());
        let access = self.own_access(view, pointers);
        let n = elements(&access, self.access_elements(inst));
        let bytes = n as u32 * dtype.storage_bits() / 8;
        let pieces = self.pieces(view, pointers, masks.first().copied(), &access, n);
        self.accesses.push(AccessWidth { site: inst.site, bytes, n_accesses: pieces.len() as u32 });
        let when = conditions.first().map(|&it| self.scalar(it).into_int_value());
        let when = match (self.storing_thread(pointers), when) {
            (Some(owner), Some(when)) => Some(self.emit.and(owner, when)),
            (owner, when) => owner.or(when),
        };
        if self.chip.copy_widths().contains(&bytes) {
            for Piece { to, from, mask } in pieces {
                let conditions = CopyConditions { when, mask };
                self.chip.start_copy(&self.emit, to, from, bytes, conditions);
            }
            return;
        }
        let element = super::element_type(self.emit.context, Elem::Data(dtype));
        let (ty, align) = group_type(self.memory_type(element), n);
        let is_constant = self.is_constant(pointers);
        let resource = masks.first().and_then(|_| self.resource(pointers));
        let make = |lower: &Self| {
            let load = |piece: &Piece<'c>| {
                let load = || {
                    let it = lower.emit.load(ty, piece.from, align);
                    if is_constant {
                        lower.emit.mark(it, "invariant.load");
                    }
                    vec![it]
                };
                let Some(mask) = piece.mask else { return load()[0] };
                let (emit, from) = (&lower.emit, piece.from);
                lower
                    .chip
                    .load_or_zeros(emit, ty, from, align, mask, resource)
                    .unwrap_or_else(|| emit.when_or(mask, &[ty.const_zero()], load)[0])
            };
            // All loads are on their way before the first is waited for.
            let loaded: Vec<Val<'c>> = pieces.iter().map(load).collect();
            for (piece, value) in pieces.iter().zip(loaded) {
                lower.emit.store(value, piece.to, align);
            }
        };
        match when {
            Some(when) => self.emit.when(when, || make(self)),
            None => make(self),
        }
    }

    /// What a thread copies, `n` elements each.
    fn pieces(
        &mut self,
        view: Value,
        pointers: Value,
        mask: Option<Value>,
        access: &SharedAccess,
        n: usize,
    ) -> Vec<Piece<'c>> {
        let elem_bytes = self.kernel.ty(view).elem.bits() / 8;
        let addresses = self.addresses(view, access);
        let slots = self.get(pointers);
        let masks = mask.map(|it| self.masks(it, slots.len()));
        let mut pieces = Vec::new();
        for group in &access.groups {
            let first = self.address(&addresses, group);
            for at in (0..group.registers.len()).step_by(n) {
                let slot = group.registers[at][0] as usize;
                let bytes = self.emit.int(at as u32 * elem_bytes);
                pieces.push(Piece {
                    to: self.emit.offset(self.emit.i8().into(), first, bytes),
                    from: Self::pointer(slots[slot]),
                    mask: masks.as_ref().map(|it| it[slot]),
                });
            }
        }
        pieces
    }
}

/// Elements that are neighbours on both sides: slots `i .. i + n` with `i` a multiple of `n` go to
/// consecutive positions. `global` is how many are neighbours behind the pointers.
fn elements(access: &SharedAccess, global: usize) -> usize {
    let is_run = |n: usize| {
        access.groups.iter().flat_map(|it| it.registers.chunks(n)).all(|chunk| {
            let first = chunk[0][0];
            let follow = chunk.iter().zip(first..).all(|(registers, at)| registers[0] == at);
            chunk.len() == n && first.is_multiple_of(n as u32) && follow
        })
    };
    let mut n = global;
    while n > 1 && !is_run(n) {
        n /= 2;
    }
    n.max(1)
}
