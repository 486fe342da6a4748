//! Copies from global to shared memory.
//!
//! # Idea
//! The analysis of copies says which are started, and what one operation of them moves
//! ([`copy_access`]). Others are made at once, by loads and stores, each as wide as its own side
//! allows, and the groups have nothing to wait for.

use inkwell::values::{IntValue, PointerValue};
use tile_language::analysis::{CopyAccess, copy_access};
use tile_language::ir::{Inst, Value};
use tile_language::op::CopyOp;
use tile_layout::SharedAccess;

use super::order::AccessKind;
use super::views::Addresses;
use super::{AccessWidth, Lower};
use crate::chip::{CopyConditions, Hints, InFlight};
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
                let copies = self.flights.as_ref().map_or(0, |it| it.after(self.n_insts));
                let in_flight = InFlight { groups: *in_flight, copies };
                self.chip.await_copies(&self.emit, Some(in_flight));
                if in_flight.groups == 0 {
                    self.order.land();
                }
            }
            CopyOp::Land => unreachable!("the pass `waits` leaves no `copy.land`"),
            CopyOp::Fetch { .. } => unreachable!("the pass `pipeline` leaves no `copy.fetch`"),
            CopyOp::Hold => self.hold(inst.operands[0]),
            CopyOp::Signal { .. } => unreachable!("E0712: copies by warps count no bytes"),
            CopyOp::Box { evict, multicast } => self.bring_box(inst, *evict, *multicast),
            CopyOp::BoxOut { evict, reduce } => self.take_box(inst, *evict, *reduce),
            CopyOp::Prefetch { evict } => self.prefetch_box(inst, *evict),
            CopyOp::WaitOut { in_flight, read } => self.await_boxes(*in_flight, *read),
        }
    }

    fn start(&mut self, inst: &Inst) {
        let (view, pointers) = (inst.operands[0], inst.operands[1]);
        let (masks, conditions): (Vec<Value>, Vec<Value>) =
            inst.operands[2..].iter().partition(|&&it| !self.kernel.ty(it).is_scalar());
        let CopyAccess { shared: access, elems, bytes, is_started } =
            copy_access(self.kernel, &self.facts, inst);
        let when = conditions.first().map(|&it| self.scalar(it).into_int_value());
        let when = match (self.storing_thread(pointers), when) {
            (Some(owner), Some(when)) => Some(self.emit.and(owner, when)),
            (owner, when) => owner.or(when),
        };
        let mask = masks.first().copied();
        let in_line = self.kernel.target.row().copies_in_line();
        if !is_started || in_line && self.cuts_lines(view, &access) {
            return self.through_registers(inst, mask, &access, when);
        }
        let addresses = if in_line {
            self.warp_addresses(view, &access)
        } else {
            self.addresses(view, &access)
        };
        let pieces = self.pieces(&addresses, pointers, mask, &access, elems as usize);
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
            let slots = lower.read(&request, |_| request.cell.element.const_zero());
            for group in &access.groups {
                let registers = group.registers.iter().map(|it| slots[it[0] as usize]);
                let to = lower.address(&addresses, group);
                let values: Vec<Val<'c>> = registers.collect();
                lower.store_row(access.means, to, &values, request.cell);
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
        addresses: &Addresses<'c>,
        pointers: Value,
        mask: Option<Value>,
        access: &SharedAccess,
        n: usize,
    ) -> Vec<Piece<'c>> {
        let slots = self.get(pointers);
        let masks = mask.map(|it| self.masks(it, slots.len()));
        let mut pieces = Vec::new();
        for group in &access.groups {
            let first = self.address(addresses, group);
            for at in (0..group.registers.len()).step_by(n) {
                let slot = group.registers[at][0] as usize;
                let bytes = self.emit.int(at as u32 * access.bytes / access.vector);
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
