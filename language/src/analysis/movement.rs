//! What moves elements between threads: the plan of an instruction, and what it costs.
//!
//! The lowering carries out these very plans, scratch memory has its place by them, and the editor
//! and reports show their costs.

use tile_layout::{Cost, Halves, Layout, Plan};

use crate::ir::{Inst, Kernel};
use crate::op::{Op, TileOp};

/// How an instruction moves the elements of its operand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Movement {
    /// All of them, by one plan.
    Whole(Plan),
    /// The two halves along a bit of the index.
    Opened(Halves),
}

impl Movement {
    /// What a change of layout, a butterfly or an opening does; `None` for other instructions.
    pub fn of(kernel: &Kernel, inst: &Inst) -> Option<Movement> {
        let Op::Tile(op) = &inst.op else { return None };
        let (from, bits) = (operand(kernel, inst)?, element_bits(kernel, inst));
        let model = kernel.target.row().shared_model();
        let whole = |plan| Some(Movement::Whole(plan));
        match *op {
            TileOp::Convert => {
                let to = kernel.ty(inst.results[0]).layout.as_ref()?;
                whole(Plan::convert(from, to, bits, &model))
            }
            TileOp::Butterfly { axis, mask } => {
                whole(Plan::butterfly(from, axis as usize, mask, bits, &model))
            }
            TileOp::Halves { axis, bit } => {
                let halves = Halves::plan(from, axis as usize, bit, bits, &model);
                Some(Movement::Opened(halves.expect("V3: the bit is one of the index")))
            }
            _ => None,
        }
    }

    /// Its plans, in the order in which they are carried out.
    pub fn plans(&self) -> Vec<&Plan> {
        match self {
            Movement::Whole(plan) => vec![plan],
            Movement::Opened(Halves::Registers { .. }) => Vec::new(),
            Movement::Opened(Halves::Partner { partner, .. }) => vec![partner],
            Movement::Opened(Halves::Apart { low, high }) => vec![low, high],
        }
    }

    /// What all of them cost, for elements of `elem_bits` bits.
    pub fn cost(&self, elem_bits: u32) -> Cost {
        self.plans().into_iter().map(|it| it.cost(elem_bits)).fold(Cost::default(), Cost::and)
    }
}

/// The layout of an instruction's only operand that is moved.
fn operand<'a>(kernel: &'a Kernel, inst: &Inst) -> Option<&'a Layout> {
    kernel.ty(*inst.operands.first()?).layout.as_ref()
}

/// Bits of a register that holds one of the elements.
fn element_bits(kernel: &Kernel, inst: &Inst) -> u32 {
    // Elements narrower than a byte have a byte's register each.
    kernel.ty(inst.operands[0]).elem.bits().max(8)
}
