//! Boxes that a copy engine moves.
//!
//! # Idea
//! One thread of a role tells the engine, the same each time. What comes in, its mbarrier announces; what goes out
//! is read after the role's writes were shown to the engine and its threads have met, and the thread that started it
//! waits for it, then all meet again. Before the role ends nothing may still be read.
//!
//! # Invariants
//! * T1: the address that the engine is given is that of the box without its permutation, which the engine makes.

use inkwell::values::IntValue;
use tile_language::ir::{Elem, Inst, Region, Value};
use tile_language::op::memory::{AtomicOp, Evict};
use tile_language::op::{CopyOp, Op};

use super::Lower;
use crate::chip::TensorBox;

impl<'c> Lower<'_, 'c> {
    /// The tensor maps are parameters of a kind of their own, and fetched before they are needed.
    pub(crate) fn declare_maps(&mut self) {
        let params = self.kernel.body.params.clone();
        let is_map = |it: &Value| self.kernel.ty(*it).elem == Elem::Map;
        let maps: Vec<Value> = params.iter().copied().filter(is_map).collect();
        if maps.is_empty() {
            return;
        }
        for (number, param) in (0..).zip(&params) {
            if maps.contains(param) {
                self.chip.declare_map(&self.emit, self.emit.function, number);
            }
        }
        let is_first = self.is_first_thread();
        self.emit.when(is_first, || {
            for &map in &maps {
                self.chip.prefetch_map(&self.emit, Self::pointer(self.scalar(map)));
            }
        });
    }

    /// Starts to bring a box.
    pub(crate) fn bring_box(&mut self, inst: &Inst, evict: Evict, multicast: bool) {
        let from = self.tensor_box(inst, 3, evict);
        let (to, told) = (self.box_address(inst.operands[1]), self.view_address(inst.operands[2]));
        // What the warp's lanes have done comes before what is written in its place.
        self.chip.warp_barrier(&self.emit);
        let blocks = if multicast { self.kernel.plan.cluster_size() } else { 1 };
        self.by_one(|it| it.chip.bring_box(&it.emit, &from, to, told, blocks));
    }

    /// Starts to take a box out.
    pub(crate) fn take_box(&mut self, inst: &Inst, evict: Evict, reduce: Option<AtomicOp>) {
        let to = self.tensor_box(inst, 2, evict);
        let from = self.box_address(inst.operands[1]);
        self.chip.show_engine(&self.emit);
        self.meet();
        self.by_one(|it| it.chip.take_box(&it.emit, from, &to, reduce));
    }

    /// Says that a box will be wanted.
    pub(crate) fn prefetch_box(&mut self, inst: &Inst, evict: Evict) {
        let from = self.tensor_box(inst, 1, evict);
        self.by_one(|it| it.chip.prefetch_box(&it.emit, &from));
    }

    /// Waits for boxes on their way out.
    pub(crate) fn await_boxes(&mut self, in_flight: u32, read: bool) {
        self.chip.await_boxes(&self.emit, in_flight, read);
        self.meet();
    }

    /// Before a role ends: its memory is not given up while the engine reads it.
    pub(crate) fn end_boxes(&self, role: &Region) {
        let mut takes_out = false;
        role.walk(&mut |inst| takes_out |= matches!(inst.op, Op::Copy(CopyOp::BoxOut { .. })));
        if takes_out {
            self.chip.await_boxes(&self.emit, 0, true);
        }
    }

    /// One thread of the role, the same each time.
    fn by_one(&mut self, make: impl FnOnce(&Self)) {
        let first_warp = self.is_first_warp();
        let emit = &self.emit;
        emit.when(first_warp, || {
            let elected = self.chip.is_elected(emit);
            emit.when(elected, || make(self));
        });
    }

    fn tensor_box(&self, inst: &Inst, corner: usize, evict: Evict) -> TensorBox<'c> {
        let map = self.kernel.tensor_map(inst.operands[0]).expect("V3: a box has a tensor map");
        let index = |axis: &u32| -> IntValue<'c> {
            self.scalar(inst.operands[corner + *axis as usize]).into_int_value()
        };
        let corner = map.axes.iter().map(index).collect();
        TensorBox { map: Self::pointer(self.scalar(inst.operands[0])), corner, evict }
    }
}
