//! Rules V3, V4, V6, V7 and V9 on the operands and results of memory operations.

use super::{Rule, Verifier, pointer};
use crate::dtype::{Class, DType};
use crate::ir::{Elem, Inst, Type};
use crate::op::MemoryOp;
use crate::op::memory::AtomicOp;

impl<'a> Verifier<'a> {
    pub(super) fn memory(&mut self, op: &MemoryOp, inst: &'a Inst) {
        match op {
            MemoryOp::At { tensor } => self.at(*tensor, inst),
            MemoryOp::IsPresent { tensor } => {
                let known = (*tensor as usize) < self.kernel.tensors.len();
                self.require(Rule::V7, known, || format!("there is no tensor {tensor}"));
                if let Some(([], [res])) = self.sides(inst) {
                    self.v3(
                        *res == Type::scalar(DType::Bool),
                        "`memory.is_present` gives a scalar bool",
                    );
                }
            }
            MemoryOp::Offset => {
                if let Some(([from, elements], [res])) = self.sides(inst) {
                    self.aligned(from, elements);
                    self.v3(
                        matches!(from.elem, Elem::Pointer(_)) && from == res,
                        "`memory.offset` moves pointers",
                    );
                    self.v3(is_index(elements), "`memory.offset` counts in i32 or i64");
                }
            }
            MemoryOp::Load { .. } => self.load(inst),
            MemoryOp::Store { .. } => self.write(inst, 1),
            MemoryOp::Atomic { op, .. } => {
                self.write(inst, 1);
                self.atomic_type(*op, inst);
            }
            MemoryOp::AtomicCas { .. } => self.write(inst, 2),
            MemoryOp::Print { pieces } => {
                let scalars = self.types(&inst.operands).iter().all(|it| it.is_scalar());
                self.require(Rule::V9, scalars, || "`memory.print` shows scalars".to_owned());
                let counts = pieces.len() == inst.operands.len() + 1 && inst.results.is_empty();
                self.v3(counts, "`memory.print` has one more piece of text than values");
            }
            MemoryOp::Assert { .. } | MemoryOp::Assume => {
                if let Some(([cond], [])) = self.sides(inst) {
                    self.v3(cond.elem == Elem::Data(DType::Bool), "an asserted condition is bool");
                }
            }
        }
    }

    fn at(&mut self, tensor: u32, inst: &'a Inst) {
        let Some(decl) = self.kernel.tensors.get(tensor as usize) else {
            return self.broken(Rule::V7, format!("there is no tensor {tensor}"));
        };
        let indices = self.types(&inst.operands);
        let results = self.types(&inst.results);
        let [res] = results[..] else {
            return self.v3(false, "`memory.at` has one result");
        };
        self.v3(
            res.elem == pointer(decl.dtype).elem,
            "`memory.at` gives pointers to the tensor's elements",
        );
        self.v3(indices.len() == decl.dims.len(), "`memory.at` takes an index a dimension");
        for index in indices {
            self.aligned(index, res);
            self.v3(is_index(index), "`memory.at` takes i32 or i64");
        }
    }

    fn load(&mut self, inst: &'a Inst) {
        let (operands, results) = (self.types(&inst.operands), self.types(&inst.results));
        let (&[from, ref rest @ ..], &[res]) = (&operands[..], &results[..]) else {
            return self.v3(false, "`memory.load` has one to three operands and one result");
        };
        self.aligned(from, res);
        let pointee = matches!((from.elem, res.elem), (Elem::Pointer(a), Elem::Data(b)) if a == b);
        self.v3(pointee, "`memory.load` gives what its pointers point to");
        self.mask(&rest[..rest.len().min(1)], from);
        let other = rest.get(1).is_none_or(|it| *it == res) && rest.len() <= 2;
        self.v3(other, "`other` of `memory.load` has the result's type");
    }

    /// A store or an atomic with `n_values` operands between the pointers and the mask.
    fn write(&mut self, inst: &'a Inst, n_values: usize) {
        let name = inst.op.row().name;
        let (operands, results) = (self.types(&inst.operands), self.types(&inst.results));
        let [to, rest @ ..] = &operands[..] else {
            return self.v3(false, "a write has pointers");
        };
        if rest.len() < n_values {
            return self.require(Rule::V3, false, || format!("`{name}` has too few operands"));
        }
        let (values, mask) = rest.split_at(n_values);
        for value in values.iter().chain(&results) {
            self.aligned(to, value);
            let pointee =
                matches!((to.elem, value.elem), (Elem::Pointer(a), Elem::Data(b)) if a == b);
            self.require(Rule::V3, pointee, || {
                format!("`{name}` works on what its pointers point to")
            });
        }
        self.mask(mask, to);
        let n_results =
            usize::from(!matches!(inst.op, crate::op::Op::Memory(MemoryOp::Store { .. })));
        self.require(Rule::V3, results.len() == n_results, || {
            format!("`{name}` has {n_results} results")
        });
    }

    fn atomic_type(&mut self, op: AtomicOp, inst: &'a Inst) {
        let class = match self.types(&inst.operands).first().map(|it| it.elem) {
            Some(Elem::Pointer(it)) => it.class(),
            _ => return,
        };
        let fits = match op {
            AtomicOp::And | AtomicOp::Or | AtomicOp::Xor => {
                matches!(class, Class::Signed | Class::Unsigned)
            }
            AtomicOp::Add | AtomicOp::Min | AtomicOp::Max => class != Class::Bool,
            AtomicOp::Exchange => true,
        };
        let name = op.name();
        self.require(Rule::V3, fits, || {
            format!("atomic `{name}` is not defined on this element type")
        });
    }
}

fn is_index(ty: &Type) -> bool {
    matches!(ty.elem, Elem::Data(DType::I32 | DType::I64))
}
