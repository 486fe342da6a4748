//! Copies from global to shared memory.
//!
//! # Idea
//! A copy without registers moves neighbours that a thread holds on both sides: as many as the
//! analysis of accesses gives on the global side and the layout crate's [`SharedAccess`] on the
//! other. Where the target copies that many bytes so, the copy is only started. Otherwise it is made
//! at once, by loads and stores, each as wide as its own side allows, and the groups have nothing to
//! wait for.

use inkwell::values::{IntValue, PointerValue};
use tile_language::ir::{Elem, Inst, Value};
use tile_language::op::CopyOp;
use tile_layout::SharedAccess;

use super::order::AccessKind;
use super::{AccessWidth, Lower};
use crate::chip::{CopyConditions, Hints};

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
        let when = conditions.first().map(|&it| self.scalar(it).into_int_value());
        let when = match (self.storing_thread(pointers), when) {
            (Some(owner), Some(when)) => Some(self.emit.and(owner, when)),
            (owner, when) => owner.or(when),
        };
        let mask = masks.first().copied();
        if !self.chip.copy_widths().contains(&bytes) {
            return self.through_registers(inst, mask, &access, when);
        }
        let pieces = self.pieces(view, pointers, mask, &access, n);
        self.accesses.push(AccessWidth { site: inst.site, bytes, n_accesses: pieces.len() as u32 });
        for Piece { to, from, mask } in pieces {
            let conditions = CopyConditions { when, mask };
            self.chip.start_copy(&self.emit, to, from, bytes, conditions);
        }
    }

    /// Copies by loads and stores, each as wide as its side allows.
    fn through_registers(
        &mut self,
        inst: &Inst,
        mask: Option<Value>,
        access: &SharedAccess,
        when: Option<IntValue<'c>>,
    ) {
        let (view, pointers) = (inst.operands[0], inst.operands[1]);
        let n_slots = self.get(pointers).len();
        let masks = mask.map(|it| self.masks(it, n_slots));
        let request = self.request(inst, pointers, masks, None, Hints::NONE);
        let addresses = self.addresses(view, access);
        let make = |lower: &Self| {
            let slots = lower.read(&request, |_| request.element.const_zero());
            for group in &access.groups {
                let registers = group.registers.iter().map(|it| slots[it[0] as usize]);
                let to = lower.address(&addresses, group);
                lower.store_row(access.means, to, &registers.collect::<Vec<_>>());
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
