//! Rule V11: what a matrix instruction multiplies.

use super::{Rule, Verifier};
use tile_layout::{In, Layout, Machine, Spec};

use crate::dtype::DType;
use crate::ir::{Elem, Inst, Type};
use crate::op::MmaOp;
use crate::target::Cap;
use crate::target::mma::{Fragments, MatrixId};
use crate::target::wgmma::{Descriptor, WgmmaId, WgmmaRow};

impl<'a> Verifier<'a> {
    pub(super) fn mma(&mut self, op: &MmaOp, inst: &'a Inst) {
        match *op {
            MmaOp::Mma { instruction } => self.product(instruction, inst),
            MmaOp::Wgmma { instruction, n } => self.group_product(instruction, n, inst),
            MmaOp::Wait { .. } => {
                let same = self.types(&inst.operands) == self.types(&inst.results);
                self.v3(same, "`mma.wait` gives what its operands are");
            }
        }
    }

    fn product(&mut self, instruction: MatrixId, inst: &'a Inst) {
        let row = instruction.row();
        let Some(([a, b, acc], [res])) = self.sides(inst) else {
            return;
        };
        let has = self.kernel.target.row().has(row.cap);
        self.v11(has, || format!("the target has no `{}`", row.name));
        self.v3(acc == res, "`mma.mma` gives what its accumulator is");
        self.types_and_shapes(row.name, [row.a, row.b, row.acc], [a, b, acc]);
        let (Some(a), Some(b), Some(acc)) = (&a.layout, &b.layout, &acc.layout) else {
            return;
        };
        self.v11(Fragments::of(row, a, b, acc).is_some(), || {
            format!("layouts of a product are not those of `{}`", row.name)
        });
    }

    fn group_product(&mut self, instruction: WgmmaId, n: u32, inst: &'a Inst) {
        let row = instruction.row();
        let Some(([a, b, acc], [res])) = self.sides(inst) else {
            return;
        };
        let has = self.kernel.target.row().has(Cap::Wgmma);
        self.v11(has, || format!("the target has no `{}`", row.name));
        self.v3(acc == res, "`mma.wgmma` gives what its accumulator is");
        self.types_and_shapes(row.name, [row.a, row.b, row.acc], [a, b, acc]);
        self.v11(is_held(row, n, a, b, acc), || {
            format!("operands of `{}` with {n} columns lie as it cannot take them", row.name)
        });
    }

    fn types_and_shapes(&mut self, name: &str, types: [DType; 3], of: [&Type; 3]) {
        let has_types = of.map(|it| number(it.elem)) == types.map(Some);
        self.v11(has_types, || format!("`{name}` multiplies other types"));
        self.v11(has_shapes(of[0], of[1], of[2]), || {
            "shapes of a product are not […, m, k], […, k, n] and […, m, n]".to_owned()
        });
    }

    fn v11(&mut self, holds: bool, message: impl FnOnce() -> String) {
        self.require(Rule::V11, holds, message);
    }
}

/// The type of numbers in registers or in shared memory.
fn number(elem: Elem) -> Option<DType> {
    match elem {
        Elem::Data(it) | Elem::Shared(it) => Some(it),
        Elem::Pointer(_) | Elem::Barrier | Elem::Map => None,
    }
}

/// Whether a warp group's instructions of `n` columns can take the operands as they lie.
fn is_held(row: &WgmmaRow, n: u32, a: &Type, b: &Type, acc: &Type) -> bool {
    let (Some(own), Some(b)) = (&acc.layout, &b.memory) else { return false };
    if acc.shape.len() != 2 || b.dims().len() != 2 || !row.has_columns(n) {
        return false;
    }
    let spec = Spec::Wgmma { n };
    let bits = row.a.storage_bits();
    let left = match (&a.layout, &a.memory) {
        (Some(layout), None) => is_layout(layout, &row.left(&spec)),
        (None, Some(map)) => {
            map.dims().len() == 2
                && Descriptor::of(map, [0, 1], bits, crate::target::wgmma::ROWS, row.turns())
                    .is_some()
        }
        _ => false,
    };
    left && is_layout(own, &spec) && Descriptor::of(b, [1, 0], bits, n, row.turns()).is_some()
}

/// Whether a layout is what its constructor gives for as many threads.
fn is_layout(layout: &Layout, spec: &Spec) -> bool {
    let [lanes, warps] = [In::Lane, In::Warp].map(|it| 1 << layout.bases(it).len());
    spec.apply(layout.shape(), Machine { lanes, warps }).as_ref() == Ok(layout)
}

fn has_shapes(a: &Type, b: &Type, acc: &Type) -> bool {
    match (&a.shape[..], &b.shape[..], &acc.shape[..]) {
        ([lead_a @ .., m, k], [lead_b @ .., k_b, n], [lead @ .., m_acc, n_acc]) => {
            lead_a == lead && lead_b == lead && (m, k, n) == (m_acc, k_b, n_acc)
        }
        _ => false,
    }
}
