//! Products of tiles: slots grouped into the registers of matrix instructions.
//!
//! [`Fragments`] says which slots each instruction takes; a vendor's file says what they look like as
//! arguments. A factor is put together once, however many instructions read it, and an accumulator
//! stays in the instruction's form from its first instruction to its last. Zeros reach the
//! instruction as constants, which is its own zero where it has one.

use std::collections::BTreeMap;

use tile_language::ir::Inst;
use tile_language::op::MmaOp;
use tile_language::target::mma::{Fragments, MatrixId};

use super::Lower;
use crate::emit::Val;

/// Arguments by the first slot that they were made of.
type Made<'c> = BTreeMap<u32, Vec<Val<'c>>>;

fn of_slots<'c>(values: &[Val<'c>], slots: &[u32]) -> Vec<Val<'c>> {
    slots.iter().map(|&it| values[it as usize]).collect()
}

impl<'c> Lower<'_, 'c> {
    /// Lowers an operation of the matrix units.
    pub(crate) fn mma(&mut self, op: &MmaOp, inst: &Inst) {
        match *op {
            MmaOp::Mma { instruction } => self.product(instruction, inst),
            MmaOp::Wgmma { instruction, n } => self.start_product(instruction, n, inst),
            MmaOp::Wait { in_flight } => {
                let in_flight = in_flight.expect("every wait has its number");
                self.await_products(in_flight, inst);
            }
        }
    }

    fn product(&mut self, instruction: MatrixId, inst: &Inst) {
        let row = instruction.row();
        if !self.instructions.contains(&instruction) {
            self.instructions.push(instruction);
        }
        let layout = |at: usize| {
            let ty = self.kernel.ty(inst.operands[at]);
            ty.layout.as_ref().expect("V11: factors and sums are tiles")
        };
        let fragments = Fragments::of(row, layout(0), layout(1), layout(2))
            .expect("V11: layouts are those of the instruction");
        let order = if fragments.swapped { [1, 0] } else { [0, 1] };
        let [left, right] = order.map(|it| self.get(inst.operands[it]));
        let mut sums = self.get(inst.operands[2]);
        let (emit, chip) = (&self.emit, &self.chip);
        let (mut lefts, mut rights, mut accs) = (Made::new(), Made::new(), Made::new());
        for step in &fragments.steps {
            let operand = |made: &mut Made<'c>, values: &[Val<'c>], slots: &[u32]| {
                let make = || chip.matrix_operand(emit, &of_slots(values, slots));
                made.entry(slots[0]).or_insert_with(make).clone()
            };
            let factors =
                [operand(&mut lefts, &left, &step.left), operand(&mut rights, &right, &step.right)];
            let acc = accs
                .entry(step.acc[0])
                .or_insert_with(|| chip.matrix_acc(emit, &of_slots(&sums, &step.acc)));
            *acc = chip.multiply(emit, row, fragments.swapped, [&factors[0], &factors[1]], acc);
        }
        for step in &fragments.steps {
            let Some(acc) = accs.remove(&step.acc[0]) else { continue };
            let elements = chip.matrix_elements(emit, row, &acc);
            step.acc.iter().zip(elements).for_each(|(&slot, it)| sums[slot as usize] = it);
        }
        self.set(inst.results[0], sums);
    }
}
