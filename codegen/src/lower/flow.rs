//! Control flow: regions become basic blocks, carried values become phis.
//!
//! Elements narrower than a register are carried in words of 32 bits, as loads make them and stores
//! and matrix instructions take them; a phi an element would take each word apart and put it
//! together again in every turn.

use inkwell::IntPredicate;
use inkwell::values::{BasicValue, IntValue, PhiValue};
use tile_language::ir::{Inst, Region, Value};
use tile_language::op::{FlowOp, MmaOp, Op};

use super::Lower;
use super::shared::LoopUse;
use crate::emit::{Val, vector_type, width};

impl<'c> Lower<'_, 'c> {
    /// Lowers a loop or a branch.
    pub(crate) fn flow(&mut self, op: &FlowOp, inst: &Inst) {
        match op {
            FlowOp::If => self.branch(inst),
            FlowOp::For { .. } => self.counted_loop(inst),
            FlowOp::While => self.conditional_loop(inst),
            FlowOp::Roles { roles } => self.roles(roles, inst),
        }
    }

    fn branch(&mut self, inst: &Inst) {
        let cond = self.scalar(inst.operands[0]).into_int_value();
        let (then, other, join) = (self.emit.block(), self.emit.block(), self.emit.block());
        self.emit.branch(cond, then, other);
        let (scratch, order) = (self.scratch.pending(), self.order.clone());
        let mut ways = Vec::new();
        for (block, region) in [(then, &inst.regions[0]), (other, &inst.regions[1])] {
            self.scratch.set_pending(scratch.clone());
            let before = std::mem::replace(&mut self.order, order.clone());
            self.emit.enter(block);
            self.region(region);
            ways.push((self.carried(&region.yields), self.emit.here(), self.scratch.pending()));
            self.emit.jump(join);
            self.order.join(before);
        }
        self.emit.enter(join);
        let (second, first) = (
            ways.pop().expect("V5: an `if` has two regions"),
            ways.pop().expect("V5: an `if` has two regions"),
        );
        self.scratch.set_pending(first.2);
        self.scratch.add_pending(second.2);
        let merged = self.emit.merge(&first.0, first.1, &second.0, second.1);
        self.define(&inst.results, &merged);
    }

    /// `lo, lo + step, …` below `hi`, tested before the first turn and after each. Whether another
    /// turn comes is decided on the distance left, so that the index never overflows.
    fn counted_loop(&mut self, inst: &Inst) {
        let &[lo, hi, step, ref inits @ ..] = inst.operands.as_slice() else {
            panic!("V3: a loop has bounds")
        };
        let region = &inst.regions[0];
        let is_signed = self.dtype(lo).is_signed();
        let [lo, hi, step] = [lo, hi, step].map(|it| self.scalar(it).into_int_value());
        let below = if is_signed { IntPredicate::SLT } else { IntPredicate::ULT };
        let inits = self.begun(inits, region);
        let (body, exit) = (self.emit.block(), self.emit.block());
        let entry = self.emit.here();
        let enters = self.emit.icmp(below, lo, hi);
        self.emit.branch(enters, body, exit);

        self.emit.enter(body);
        let index = self.emit.phi(lo.get_type().into());
        index.add_incoming(&[(&lo as &dyn BasicValue<'c>, entry)]);
        let phis = self.phis(&inits, entry);
        let (index_param, carried_params) =
            region.params.split_first().expect("V5: a loop's region has an index");
        self.set(*index_param, vec![index.as_basic_value()]);
        self.define(carried_params, &values_of(&phis));
        let uses = self.enter_loop(region, Some(*index_param));
        self.region(region);
        let nexts = self.carried(&region.yields);
        let at = index.as_basic_value().into_int_value();
        let next = self.emit.add(at, step);
        let goes_on = self.goes_on(at, next, hi, step, below);
        let latch = self.emit.here();
        self.emit.branch(goes_on, body, exit);
        index.add_incoming(&[(&next as &dyn BasicValue<'c>, latch)]);
        close(&phis, &nexts, latch);

        self.emit.enter(exit);
        self.scratch.leave_loop(uses);
        let results = self.emit.merge(&inits, entry, &nexts, latch);
        self.define(&inst.results, &results);
    }

    /// The words that a loop begins with. The registers of a sum in flight are made once, before the ways part that go
    /// into the loop and past it: made on each way, they would be others than those in flight.
    fn begun(&self, inits: &[Value], body: &Region) -> Vec<Val<'c>> {
        let params = &body.params[1..];
        let words = |(&init, &param): (&Value, &Value)| {
            let words = self.carried(&[init]);
            match is_summed(body, param) {
                true => self.chip.warp_groups().anchor(&self.emit, &words),
                false => words,
            }
        };
        inits.iter().zip(params).flat_map(words).collect()
    }

    fn goes_on(
        &self,
        at: IntValue<'c>,
        next: IntValue<'c>,
        hi: IntValue<'c>,
        step: IntValue<'c>,
        below: IntPredicate,
    ) -> IntValue<'c> {
        // Steps of one cannot pass `hi` unseen.
        if step.get_zero_extended_constant() == Some(1) {
            return self.emit.icmp(below, next, hi);
        }
        let left = self.emit.sub(hi, at);
        self.emit.icmp(IntPredicate::UGT, left, step)
    }

    fn conditional_loop(&mut self, inst: &Inst) {
        let (test, turn) = (&inst.regions[0], &inst.regions[1]);
        let inits = self.carried(&inst.operands);
        let (head, body, exit) = (self.emit.block(), self.emit.block(), self.emit.block());
        let entry = self.emit.here();
        self.emit.jump(head);

        self.emit.enter(head);
        let phis = self.phis(&inits, entry);
        let carried = values_of(&phis);
        self.define(&test.params, &carried);
        let uses = self.enter_loop(test, None);
        self.order.enter_loop(turn, None);
        self.region(test);
        let cond = self.scalar(test.yields[0]).into_int_value();
        self.emit.branch(cond, body, exit);

        self.emit.enter(body);
        self.define(&turn.params, &carried);
        self.region(turn);
        let nexts = self.carried(&turn.yields);
        let latch = self.emit.here();
        self.emit.jump(head);
        close(&phis, &nexts, latch);

        self.emit.enter(exit);
        self.scratch.leave_loop(uses);
        self.define(&inst.results, &carried);
    }

    /// What the end of a turn leaves behind is there at the beginning of the next.
    fn enter_loop(&mut self, region: &Region, index: Option<Value>) -> LoopUse {
        self.order.enter_loop(region, index);
        self.scratch.enter_loop()
    }

    /// The slots of values as words, one after the other.
    fn carried(&self, values: &[Value]) -> Vec<Val<'c>> {
        let words = |&value: &Value| {
            let slots = self.get(value);
            let n = self.slots_a_word(value, slots.len());
            let word = |it: &[Val<'c>]| {
                let whole = self.emit.pack(it);
                if n == 1 { whole } else { self.emit.bitcast(whole, self.emit.i32().into()) }
            };
            slots.chunks(n).map(word).collect::<Vec<_>>()
        };
        values.iter().flat_map(words).collect()
    }

    /// How many slots of a value are carried in one word.
    fn slots_a_word(&self, value: Value, n_slots: usize) -> usize {
        let bits = width(self.register_type(value));
        let n = if (8..32).contains(&bits) { 32 / bits as usize } else { 1 };
        if n_slots.is_multiple_of(n) { n } else { 1 }
    }

    /// Gives values their slots from one list of words.
    fn define(&mut self, values: &[Value], words: &[Val<'c>]) {
        let mut rest = words;
        for &value in values {
            let n_slots = self.spread(self.kernel.ty(value)).n_slots();
            let n = self.slots_a_word(value, n_slots);
            let (own, others) = rest.split_at(n_slots / n);
            let ty = vector_type(self.register_type(value), n as u32);
            let slots = |&it: &Val<'c>| match n {
                1 => vec![it],
                _ => self.emit.unpack(self.emit.bitcast(it, ty), n),
            };
            let slots = own.iter().flat_map(slots).collect();
            self.set(value, slots);
            rest = others;
        }
    }

    fn phis(
        &self,
        inits: &[Val<'c>],
        entry: inkwell::basic_block::BasicBlock<'c>,
    ) -> Vec<PhiValue<'c>> {
        let one = |init: &Val<'c>| {
            let phi = self.emit.phi(init.get_type());
            phi.add_incoming(&[(init as &dyn BasicValue<'c>, entry)]);
            phi
        };
        inits.iter().map(one).collect()
    }
}

fn values_of<'c>(phis: &[PhiValue<'c>]) -> Vec<Val<'c>> {
    phis.iter().map(|it| it.as_basic_value()).collect()
}

fn close<'c>(
    phis: &[PhiValue<'c>],
    nexts: &[Val<'c>],
    latch: inkwell::basic_block::BasicBlock<'c>,
) {
    for (phi, next) in phis.iter().zip(nexts) {
        phi.add_incoming(&[(next as &dyn BasicValue<'c>, latch)]);
    }
}

/// Whether products of a warp group go on with a value, also in loops that carry it.
fn is_summed(region: &Region, value: Value) -> bool {
    region.insts.iter().any(|inst| match inst.op {
        Op::Mma(MmaOp::Wgmma { .. }) => inst.operands[2] == value,
        Op::Flow(FlowOp::For { .. }) => {
            let params = &inst.regions[0].params[1..];
            let inner = inst.operands[3..].iter().zip(params).filter(|it| *it.0 == value);
            inner.into_iter().any(|it| is_summed(&inst.regions[0], *it.1))
        }
        _ => inst.regions.iter().any(|it| is_summed(it, value)),
    })
}
