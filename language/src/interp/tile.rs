//! The `tile` family: which loop each operation is.

use std::rc::Rc;

use super::arith::{self, Finding};
use super::elements::Elements;
use super::memory;
use super::shape::{self, Axis};
use super::{Block, Fault};
use crate::ir::{Elem, Inst, Type, Value};
use crate::op::TileOp;

impl Block<'_, '_> {
    pub(super) fn tile(&mut self, op: &TileOp, inst: &Inst) -> Result<(), Fault> {
        let kernel = self.machine.kernel;
        let res_ty = kernel.ty(inst.results[0]);
        let data = match op {
            TileOp::Const { .. } | TileOp::Index { .. } => {
                let data = self.invariant(op, inst.results[0], res_ty);
                return self.set_one(inst, data);
            }
            TileOp::BlockId { axis } => Elements::I32(vec![self.own.id[*axis as usize] as i32]),
            TileOp::ClusterRank => Elements::I32(vec![self.rank as i32]),
            TileOp::NumBlocks { axis } => {
                Elements::I32(vec![self.machine.grid[*axis as usize] as i32])
            }
            TileOp::Unary { op } => arith::unary(*op, res_ty.elem, self.operand(inst, 0)),
            TileOp::Binary { op } => {
                let (x, y) = (self.operand(inst, 0), self.operand(inst, 1));
                let (data, found) = arith::binary(*op, res_ty.elem, x, y);
                match found {
                    Some(Finding::DivisionByZero(at)) => return Err(Fault::DivisionByZero { at }),
                    Some(Finding::Overflow(at)) => self.overflow(*op, inst, at),
                    None => {}
                }
                data
            }
            TileOp::Cmp { op } => {
                let elem = kernel.ty(inst.operands[0]).elem;
                arith::cmp(*op, elem, self.operand(inst, 0), self.operand(inst, 1))
            }
            TileOp::Fma => arith::fma(
                res_ty.elem,
                self.operand(inst, 0),
                self.operand(inst, 1),
                self.operand(inst, 2),
            ),
            TileOp::Select => arith::select(
                self.operand(inst, 0).bools(),
                self.operand(inst, 1),
                self.operand(inst, 2),
            ),
            TileOp::Cast { round } => {
                let from =
                    kernel.ty(inst.operands[0]).elem.data().expect("V3: `cast` converts numbers");
                let to = res_ty.elem.data().expect("V3: `cast` converts numbers");
                arith::cast(from, to, *round, self.operand(inst, 0))
            }
            TileOp::Bits => self.reinterpreted(inst, res_ty),
            TileOp::Splat => shape::splat(self.operand(inst, 0), res_ty.len()),
            TileOp::Broadcast => shape::broadcast(
                self.operand(inst, 0),
                &kernel.ty(inst.operands[0]).shape,
                &res_ty.shape,
            ),
            TileOp::Expand { .. } | TileOp::Squeeze { .. } | TileOp::Reshape | TileOp::Convert => {
                let same = self.share(inst.operands[0]);
                return self.set_one(inst, same);
            }
            TileOp::Permute { perm } => {
                shape::permute(self.operand(inst, 0), &kernel.ty(inst.operands[0]).shape, perm)
            }
            TileOp::Join => shape::join(self.operand(inst, 0), self.operand(inst, 1)),
            TileOp::Split => {
                let halves = shape::halves(self.operand(inst, 0), Axis { extent: 2, inner: 1 }, 0);
                return self.set_two(inst, halves);
            }
            TileOp::Halves { axis, bit } => {
                let axis = Axis::of(&kernel.ty(inst.operands[0]).shape, *axis);
                let halves = shape::halves(self.operand(inst, 0), axis, *bit);
                return self.set_two(inst, halves);
            }
            TileOp::Butterfly { axis, mask } => {
                shape::butterfly(self.operand(inst, 0), Axis::of(&res_ty.shape, *axis), *mask)
            }
            TileOp::Gather { axis } => {
                let from = Axis::of(&kernel.ty(inst.operands[0]).shape, *axis);
                let res = Axis::of(&res_ty.shape, *axis);
                shape::gather(self.operand(inst, 0), self.operand(inst, 1), from, res).map_err(
                    |it| Fault::Gather {
                        at: it.position,
                        index: it.index,
                        extent: from.extent,
                        axis: *axis,
                    },
                )?
            }
            TileOp::Histogram => {
                let mask = inst.operands.get(1).map(|&it| self.get(it).bools());
                shape::histogram(self.operand(inst, 0), mask, res_ty.len())
            }
        };
        self.set_one(inst, Rc::new(data))
    }

    fn set_one(&mut self, inst: &Inst, data: Rc<Elements>) -> Result<(), Fault> {
        self.set(inst.results[0], data);
        Ok(())
    }

    fn set_two(&mut self, inst: &Inst, (low, high): (Elements, Elements)) -> Result<(), Fault> {
        self.set(inst.results[0], Rc::new(low));
        self.set(inst.results[1], Rc::new(high));
        Ok(())
    }

    /// What is the same in every block is made once.
    fn invariant(&mut self, op: &TileOp, result: Value, ty: &Type) -> Rc<Elements> {
        let cached = &mut self.machine.invariants[result.0 as usize];
        let data = cached.get_or_insert_with(|| {
            Rc::new(match op {
                TileOp::Index { axis } => shape::index(&ty.shape, *axis),
                TileOp::Const { bits } => match ty.elem {
                    Elem::Data(_) | Elem::Shared(_) => Elements::filled(ty.elem, *bits, ty.len()),
                    Elem::Pointer(_) => {
                        Elements::filled(ty.elem, memory::from_address(*bits), ty.len())
                    }
                    Elem::Barrier | Elem::Map => panic!("V3: a constant is a number"),
                },
                other => panic!("`{other:?}` depends on the block"),
            })
        });
        Rc::clone(data)
    }

    fn reinterpreted(&self, inst: &Inst, to: &Type) -> Elements {
        let from = self.machine.kernel.ty(inst.operands[0]).elem;
        let x = self.operand(inst, 0);
        match (from, to.elem) {
            (Elem::Pointer(_), Elem::Pointer(_)) => x.clone(),
            (Elem::Pointer(_), Elem::Data(_)) => {
                Elements::from_bits(to.elem, x.pointers().iter().map(|&it| memory::to_address(it)))
            }
            (Elem::Data(_), Elem::Pointer(_)) => {
                Elements::from_bits(to.elem, x.all_bits().map(memory::from_address))
            }
            (Elem::Data(_), Elem::Data(_)) => arith::reinterpret(to.elem, x),
            (Elem::Shared(_) | Elem::Barrier | Elem::Map, _)
            | (_, Elem::Shared(_) | Elem::Barrier | Elem::Map) => {
                panic!("V3: `bits` is between tiles")
            }
        }
    }
}
