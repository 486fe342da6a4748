//! Rule V11: what a matrix instruction multiplies.

use super::{Rule, Verifier};
use crate::ir::{Inst, Type};
use crate::op::MmaOp;
use crate::target::mma::{Fragments, MatrixRow};

impl<'a> Verifier<'a> {
    pub(super) fn mma(&mut self, op: &MmaOp, inst: &'a Inst) {
        let MmaOp::Mma { instruction } = op;
        let row = instruction.row();
        let Some(([a, b, acc], [res])) = self.sides(inst) else {
            return;
        };
        let has = self.kernel.target.row().has(row.cap);
        self.v11(has, || format!("the target has no `{}`", row.name));
        self.v3(acc == res, "`mma.mma` gives what its accumulator is");
        self.v11(has_types(row, a, b, acc), || format!("`{}` multiplies other types", row.name));
        self.v11(has_shapes(a, b, acc), || {
            "shapes of a product are not […, m, k], […, k, n] and […, m, n]".to_owned()
        });
        let (Some(a), Some(b), Some(acc)) = (&a.layout, &b.layout, &acc.layout) else {
            return;
        };
        self.v11(Fragments::of(row, a, b, acc).is_some(), || {
            format!("layouts of a product are not those of `{}`", row.name)
        });
    }

    fn v11(&mut self, holds: bool, message: impl FnOnce() -> String) {
        self.require(Rule::V11, holds, message);
    }
}

fn has_types(row: &MatrixRow, a: &Type, b: &Type, acc: &Type) -> bool {
    [a, b, acc].map(|it| it.elem.data()) == [row.a, row.b, row.acc].map(Some)
}

fn has_shapes(a: &Type, b: &Type, acc: &Type) -> bool {
    match (&a.shape[..], &b.shape[..], &acc.shape[..]) {
        ([lead_a @ .., m, k], [lead_b @ .., k_b, n], [lead @ .., m_acc, n_acc]) => {
            lead_a == lead && lead_b == lead && (m, k, n) == (m_acc, k_b, n_acc)
        }
        _ => false,
    }
}
