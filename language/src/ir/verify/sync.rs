//! Rule V3 on barriers and permits.

use super::Verifier;
use crate::dtype::DType;
use crate::ir::{Elem, Inst, Type};
use crate::op::SyncOp;

impl<'a> Verifier<'a> {
    pub(super) fn sync(&mut self, op: &SyncOp, inst: &'a Inst) {
        match op {
            SyncOp::Barrier | SyncOp::ClusterBarrier | SyncOp::FenceAsync => {
                self.sides::<0, 0>(inst);
            }
            SyncOp::Mbarriers { .. } => {
                if let Some(([], [res])) = self.sides(inst) {
                    self.v3(res.elem == Elem::Barrier, "`sync.mbarriers` gives barriers");
                }
            }
            SyncOp::Wait => {
                if let Some(([barrier, phases], [])) = self.sides(inst) {
                    self.single_barrier(barrier);
                    self.v3(*phases == Type::scalar(DType::I32), "phases are counted in i32");
                }
            }
            SyncOp::Test => {
                if let Some(([barrier, phases], [res])) = self.sides(inst) {
                    self.single_barrier(barrier);
                    self.v3(*phases == Type::scalar(DType::I32), "phases are counted in i32");
                    self.v3(*res == Type::scalar(DType::Bool), "a test gives a bool");
                }
            }
            SyncOp::Meet { .. } => match &self.types(&inst.operands)[..] {
                [] => {}
                [value] => self.v3(!value.is_view(), "a meeting stands for values"),
                _ => self.v3(false, "a meeting stands for one value"),
            },
            SyncOp::Arrive { .. } => match &self.types(&inst.operands)[..] {
                [barrier, views @ ..] => {
                    self.single_barrier(barrier);
                    self.v3(views.iter().all(|it| it.is_view()), "an arrival gives views away");
                }
                [] => self.v3(false, "an arrival has a barrier"),
            },
            SyncOp::Expect { .. } | SyncOp::End => {
                if let Some(([barrier], [])) = self.sides(inst) {
                    self.single_barrier(barrier);
                }
            }
            SyncOp::Permit => {
                let (operands, results) = (self.types(&inst.operands), self.types(&inst.results));
                self.v3(operands == results, "a permit hands its operands on");
                self.v3(operands.iter().all(|it| it.is_view()), "a permit is of views");
                match operands.first() {
                    Some(ends) => self.single_barrier(ends),
                    None => self.v3(false, "a permit has a barrier for its end"),
                }
            }
        }
    }

    pub(super) fn single_barrier(&mut self, ty: &Type) {
        self.v3(ty.elem == Elem::Barrier && ty.shape.is_empty(), "one barrier stands here");
    }
}
