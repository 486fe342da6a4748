//! Rules V3, V6 and V9 on views of shared memory and on copies.

use tile_layout::MemoryMap;

use super::{Rule, Verifier};
use crate::dtype::DType;
use crate::ir::{Elem, Inst, Type, Value, boxes};
use crate::op::{CopyOp, SharedOp};

impl<'a> Verifier<'a> {
    pub(super) fn shared(&mut self, op: &SharedOp, inst: &'a Inst) {
        match op {
            SharedOp::Alloc { align } => {
                self.v3(align.is_power_of_two(), "a buffer's alignment is a power of two");
                if let Some(([], [res])) = self.sides(inst) {
                    self.v3(res.is_view(), "`shared.alloc` gives a view");
                }
            }
            SharedOp::Index { axis } => {
                self.taken(*axis, inst, |view, axis, _| Some(view.map().without(axis)))
            }
            SharedOp::Slice { axis } => self.taken(*axis, inst, |view, axis, res| {
                view.map().slice(axis, *res.shape.get(axis)?).ok()
            }),
            SharedOp::Recast => {
                if let Some(([view], [res])) = self.sides(inst) {
                    self.v3(view.is_view() && res.is_view(), "`shared.recast` is between views");
                    let bits = |it: &Type| it.len() as u64 * u64::from(it.elem.bits());
                    self.v3(bits(view) == bits(res), "`shared.recast` keeps the bytes");
                }
            }
            SharedOp::Overlay => {
                if let Some(([buffer], [res])) = self.sides(inst) {
                    let bytes = buffer.elem == Elem::Shared(DType::U8) && buffer.shape.len() == 1;
                    self.v3(bytes && res.is_view(), "`shared.overlay` lays a view over bytes");
                    let bits = |it: &Type| {
                        let len = it.memory.as_ref().map_or(0, MemoryMap::buffer_len);
                        u64::from(len) * u64::from(it.elem.bits())
                    };
                    self.v3(bits(res) <= bits(buffer), "`shared.overlay` stays in its buffer");
                }
            }
            SharedOp::On => {
                if let Some(([view, rank], [res])) = self.sides(inst) {
                    self.v3(
                        view.is_view() && view == res,
                        "`shared.on` gives a view of the same map",
                    );
                    let rank = *rank == Type::scalar(DType::I32);
                    self.require(Rule::V9, rank, || "a block is named by a scalar i32".to_owned());
                }
            }
            SharedOp::Load => {
                if let Some(([view], [res])) = self.sides(inst) {
                    self.holds(view, res);
                }
            }
            SharedOp::Store => {
                if let Some(([view, value], [])) = self.sides(inst) {
                    self.holds(view, value);
                }
            }
            SharedOp::Gather { axis } => self.by_index(*axis, inst, 0, 1),
            SharedOp::Scatter { axis } => self.by_index(*axis, inst, 1, 0),
            SharedOp::Atomic { axis, .. } => self.by_index(*axis, inst, 1, 1),
        }
    }

    pub(super) fn copy(&mut self, op: &CopyOp, inst: &'a Inst) {
        match op {
            CopyOp::Async => match &self.types(&inst.operands)[..] {
                [view, from, rest @ ..] => {
                    self.v3(inst.results.is_empty(), "`copy.async` has no result");
                    self.copied(view, from);
                    let (scalars, masks): (Vec<&Type>, Vec<&Type>) =
                        rest.iter().partition(|it| it.is_scalar());
                    self.mask(&masks, from);
                    let conditions = scalars.iter().all(|it| **it == Type::scalar(DType::Bool));
                    self.require(Rule::V9, conditions && scalars.len() <= 1, || {
                        "`when` of `copy.async` is no scalar bool".to_owned()
                    });
                }
                _ => self.v3(false, "`copy.async` takes a view and pointers"),
            },
            CopyOp::Fetch { .. } => {
                match (&self.types(&inst.operands)[..], &self.types(&inst.results)[..]) {
                    ([from, mask @ ..], [view]) => {
                        self.copied(view, from);
                        self.mask(mask, from);
                    }
                    _ => self.v3(false, "`copy.fetch` takes pointers and gives a view"),
                }
            }
            CopyOp::Hold | CopyOp::Signal { .. } => {
                if let Some(([barrier], [])) = self.sides(inst) {
                    self.single_barrier(barrier);
                }
            }
            CopyOp::Land => {
                if let Some(([view], [])) = self.sides(inst) {
                    self.v3(view.memory.is_some(), "`copy.land` takes a view");
                }
            }
            CopyOp::Box { .. } => match &inst.operands[..] {
                [map, view, barrier, corner @ ..] => {
                    if let Some(barrier) = self.ty(*barrier) {
                        self.single_barrier(barrier);
                    }
                    self.boxed(*map, *view, corner);
                }
                _ => self.v3(false, "`copy.box` takes a map, a view, a barrier and a corner"),
            },
            CopyOp::BoxOut { .. } => match &inst.operands[..] {
                [map, view, corner @ ..] => self.boxed(*map, *view, corner),
                _ => self.v3(false, "`copy.box_out` takes a map, a view and a corner"),
            },
            CopyOp::Prefetch { .. } => match &inst.operands[..] {
                [map, corner @ ..] => {
                    let corners = corner
                        .iter()
                        .all(|it| self.ty(*it).is_some_and(|it| *it == Type::scalar(DType::I32)));
                    let rank = self.kernel.tensor_map(*map).map(|it| it.axes.len());
                    let fits = corners && rank == Some(corner.len());
                    self.v3(fits, "`copy.prefetch` takes a map and a corner of its dimensions");
                }
                [] => self.v3(false, "`copy.prefetch` takes a map and a corner"),
            },
            CopyOp::Commit | CopyOp::Wait { .. } | CopyOp::WaitOut { .. } => {
                self.sides::<0, 0>(inst);
            }
        }
    }

    /// A box of a map, at a corner, with the memory that the engine lays it out in.
    fn boxed(&mut self, map: Value, view: Value, corner: &[Value]) {
        let Some(of) = self.kernel.tensor_map(map) else {
            return self.v3(false, "a box is of a tensor map of the kernel's");
        };
        let scalars = corner.iter().all(|&it| self.ty(it) == Some(&Type::scalar(DType::I32)));
        self.v3(scalars && corner.len() == of.axes.len(), "a corner has an i32 for each dimension");
        let Some(view) = self.ty(view) else { return };
        let is_data = matches!(view.elem, Elem::Shared(_)) && view.elem.bits() == of.bits;
        self.v3(is_data, "a box has the view's elements");
        let fits = view.memory.as_ref().is_some_and(|it| boxes::lies_so(of, it));
        self.v3(fits, "a view lies as the copy engine lays out its box");
    }

    /// An index or a slice of a view: the result is what `taken` says.
    fn taken(
        &mut self,
        axis: u32,
        inst: &'a Inst,
        taken: impl Fn(&Type, usize, &Type) -> Option<tile_layout::MemoryMap>,
    ) {
        let Some(([view, at], [res])) = self.sides(inst) else { return };
        let index = *at == Type::scalar(DType::I32);
        self.require(Rule::V9, index, || "a view is indexed by a scalar i32".to_owned());
        let axis = axis as usize;
        let sound = view.is_view() && axis < view.shape.len() && view.elem == res.elem;
        let map = if sound { taken(view, axis, res) } else { None };
        self.v3(map.is_some() && map == res.memory, "the view has the map of what was taken");
    }

    /// A tile with the elements of a view.
    fn holds(&mut self, view: &Type, tile: &Type) {
        let same = matches!((view.elem, tile.elem), (Elem::Shared(a), Elem::Data(b)) if a == b)
            && view.shape == tile.shape;
        self.v3(same, "a view is read and written by tiles of its type and shape");
    }

    /// Pointers to the elements of a view.
    fn copied(&mut self, view: &Type, from: &Type) {
        let same = matches!((view.elem, from.elem), (Elem::Shared(a), Elem::Pointer(b)) if a == b)
            && view.shape == from.shape;
        self.v3(same, "a copy has a pointer for each element of its view");
    }

    fn by_index(&mut self, axis: u32, inst: &'a Inst, n_values: usize, n_results: usize) {
        let name = inst.op.row().name;
        let (operands, results) = (self.types(&inst.operands), self.types(&inst.results));
        let ([view, index, rest @ ..], true) = (&operands[..], results.len() == n_results) else {
            return self.require(Rule::V3, false, || format!("`{name}` has a view and indices"));
        };
        if rest.len() < n_values {
            return self.require(Rule::V3, false, || format!("`{name}` has too few operands"));
        }
        let (values, mask) = rest.split_at(n_values);
        for value in values.iter().chain(&results) {
            self.aligned(index, value);
            let same =
                matches!((view.elem, value.elem), (Elem::Shared(a), Elem::Data(b)) if a == b);
            self.require(Rule::V3, same, || format!("`{name}` works on the view's elements"));
        }
        self.mask(mask, index);
        self.v3(index.elem == Elem::Data(DType::I32), "a view is indexed by i32");
        let same_but = |(at, (a, b)): (usize, (&u32, &u32))| at == axis as usize || a == b;
        let fits = view.shape.len() == index.shape.len()
            && (axis as usize) < view.shape.len()
            && view.shape.iter().zip(&index.shape).enumerate().all(same_but);
        self.require(Rule::V3, fits, || format!("`{name}` has other extents than its view"));
    }
}
