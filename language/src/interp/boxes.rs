//! Boxes of tensors: what a copy engine moves.
//!
//! A box in is read when it starts and lands when a wait for its barrier goes on, as copies that signal one do.
//! A box out is made at once, and its source may not be written until it is waited for.

use std::rc::Rc;

use super::buffers::{Flight, Reading};
use super::memory::{buffer_of, moved};
use super::rows::Pointers;
use super::{Block, Fault};
use crate::dtype::DType;
use crate::ir::{Inst, Tensor, Value};
use crate::op::memory::AtomicOp;

/// The elements of a box, in the order of its view.
struct Boxed {
    dtype: DType,
    /// Nothing is reached through those that are outside.
    pointers: Vec<u64>,
    inside: Vec<bool>,
}

impl<'a> Block<'_, 'a> {
    /// Starts to bring a box.
    pub(super) fn box_in(&mut self, multicast: bool, inst: &'a Inst) -> Result<(), Fault> {
        let (view, barrier) = (inst.operands[1], inst.operands[2]);
        let Boxed { dtype, pointers, inside } = self.boxed(inst, &inst.operands[3..]);
        let values =
            self.machine.memory.load(dtype, Pointers::Each(&pointers), Some(&inside), None)?;
        let (own, runs) = self.place(view);
        let map = self.machine.kernel.tensor_map(inst.operands[0]).expect("V3: a box has a map");
        let bytes = -i64::from(map.box_bytes());
        let at = self.view(barrier).clone();
        let blocks = if multicast { 0..self.others.len() } else { own.rank..own.rank + 1 };
        for rank in blocks {
            let view = self.view_on(&own, rank);
            let flight = Flight::start(view.clone(), Rc::clone(&runs), values.clone(), inst.site);
            let flight = flight.map_err(|it| self.refused(&view, &runs, it))?;
            self.hand_flight(rank, barrier, flight);
            self.arrive_on(rank, &at, inst.site, 0, bytes);
        }
        Ok(())
    }

    /// Brings a box out.
    pub(super) fn box_out(
        &mut self,
        inst: &'a Inst,
        reduce: Option<AtomicOp>,
    ) -> Result<(), Fault> {
        let corner = &inst.operands[2..];
        let (view, runs) = self.place(inst.operands[1]);
        let values = runs.load(&view).map_err(|it| self.refused(&view, &runs, it))?;
        for (axis, &at) in corner.iter().enumerate() {
            let at = self.get(at).index(0);
            if at < 0 {
                return Err(Fault::Corner { axis: axis as u32, at });
            }
        }
        let Boxed { dtype, pointers, inside } = self.boxed(inst, corner);
        let memory = &mut self.machine.memory;
        match reduce {
            Some(op) => {
                memory.atomic(op, dtype, &pointers, &values, Some(&inside))?;
            }
            None => memory.store(dtype, Pointers::Each(&pointers), &values, Some(&inside))?,
        }
        self.own.shared.flights.boxes_out.push_back(Reading::start(view, runs));
        Ok(())
    }

    /// The tensor that an instruction moves a box of.
    pub(super) fn tensor_of_box(&self, inst: &Inst) -> &'a Tensor {
        let kernel = self.machine.kernel;
        let map = kernel.tensor_map(inst.operands[0]).expect("V3: a box has a map");
        let is_tensor =
            |it: &&tile_plan::Param| matches!(it.kind, tile_plan::ParamKind::Tensor { .. });
        let before = &kernel.plan.params[..map.param as usize];
        &kernel.tensors[before.iter().filter(is_tensor).count()]
    }

    fn boxed(&self, inst: &Inst, corner: &[Value]) -> Boxed {
        let map = self.machine.kernel.tensor_map(inst.operands[0]).expect("V3: a box has a map");
        let tensor = self.tensor_of_box(inst);
        let mut extents = vec![1; corner.len()];
        for (&axis, &extent) in map.axes.iter().zip(&map.extents) {
            extents[axis as usize] = i64::from(extent);
        }
        let base = self.get(tensor.base).pointers()[0];
        // Of the elements so far, how far they are from the tensor's first, and whether they are inside.
        let mut places = vec![(0, buffer_of(base).is_some())];
        for (axis, &extent) in extents.iter().enumerate() {
            let (size, stride) =
                (self.extent(tensor.dims[axis]), self.extent(tensor.strides[axis]));
            let first = self.get(corner[axis]).index(0);
            let place =
                |at: i64| if (0..size).contains(&at) { (at * stride, true) } else { (0, false) };
            let along: Vec<(i64, bool)> = (first..first + extent).map(place).collect();
            let with = |it: &(i64, bool)| {
                let (distance, inside) = *it;
                along.iter().map(move |it| (distance + it.0, inside && it.1))
            };
            places = places.iter().flat_map(with).collect();
        }
        let bits = i64::from(tensor.dtype.storage_bits());
        let pointer = |it: &(i64, bool)| if it.1 { moved(base, it.0 * bits) } else { base };
        let pointers = places.iter().map(pointer).collect();
        let inside = places.iter().map(|it| it.1).collect();
        Boxed { dtype: tensor.dtype, pointers, inside }
    }
}
