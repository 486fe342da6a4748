//! Boxes of tensors: what a copy engine moves.
//!
//! A box in is read when it starts and lands when a wait for its barrier goes on, as copies that signal one do.
//! A box out is made at once: where its source is written again before it is waited for, the proof of the
//! roles says so, or the compiler waits.

use std::rc::Rc;

use super::buffers::Flight;
use super::memory::{buffer_of, moved};
use super::rows::Pointers;
use super::{Block, Fault, index_in};
use crate::dtype::DType;
use crate::ir::{Inst, Tensor, Value};

/// The elements of a box, in the order of its view.
struct Boxed {
    dtype: DType,
    /// Nothing is reached through those that are outside.
    pointers: Vec<u64>,
    inside: Vec<bool>,
}

impl<'a> Block<'_, 'a> {
    /// Starts to bring a box.
    pub(super) fn box_in(&mut self, inst: &'a Inst) -> Result<(), Fault> {
        let (view, barrier) = (inst.operands[1], inst.operands[2]);
        let Boxed { dtype, pointers, inside } = self.boxed(inst, &inst.operands[3..])?;
        let values =
            self.machine.memory.load(dtype, Pointers::Each(&pointers), Some(&inside), None)?;
        let (view, runs) = self.place(view);
        let flight = Flight::start(view.clone(), Rc::clone(&runs), values, inst.site);
        let flight = flight.map_err(|it| self.refused(&view, &runs, it))?;
        self.hand_flight(barrier, flight);
        let map = self.machine.kernel.tensor_map(inst.operands[0]).expect("V3: a box has a map");
        self.arrive(barrier, inst.site, 0, -i64::from(map.box_bytes()));
        Ok(())
    }

    /// Brings a box out.
    pub(super) fn box_out(&mut self, inst: &'a Inst) -> Result<(), Fault> {
        let corner = &inst.operands[2..];
        let (view, runs) = self.place(inst.operands[1]);
        let values = runs.load(&view).map_err(|it| self.refused(&view, &runs, it))?;
        for (axis, &at) in corner.iter().enumerate() {
            let at = self.get(at).index(0);
            if at < 0 {
                return Err(Fault::Corner { axis: axis as u32, at });
            }
        }
        let Boxed { dtype, pointers, inside } = self.boxed(inst, corner)?;
        self.machine.memory.store(dtype, Pointers::Each(&pointers), &values, Some(&inside))
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

    fn boxed(&self, inst: &Inst, corner: &[Value]) -> Result<Boxed, Fault> {
        let map = self.machine.kernel.tensor_map(inst.operands[0]).expect("V3: a box has a map");
        let tensor = self.tensor_of_box(inst);
        let mut extents = vec![1; corner.len()];
        for (&axis, &extent) in map.axes.iter().zip(&map.extents) {
            extents[axis as usize] = extent;
        }
        let first: Vec<i64> = corner.iter().map(|&it| self.get(it).index(0)).collect();
        let sizes: Vec<i64> = tensor.dims.iter().map(|&it| self.extent(it)).collect();
        let strides: Vec<i64> = tensor.strides.iter().map(|&it| self.extent(it)).collect();
        let base = self.get(tensor.base).pointers()[0];
        let n_elements: u32 = extents.iter().product();
        let mut boxed = Boxed { dtype: tensor.dtype, pointers: Vec::new(), inside: Vec::new() };
        for position in 0..n_elements as usize {
            let (mut distance, mut inside) = (0, buffer_of(base).is_some());
            for (axis, &at) in index_in(&extents, position).iter().enumerate() {
                let at = first[axis] + i64::from(at);
                inside &= (0..sizes[axis]).contains(&at);
                distance += at * strides[axis];
            }
            let bits = distance * i64::from(tensor.dtype.storage_bits());
            boxed.pointers.push(if inside { moved(base, bits) } else { base });
            boxed.inside.push(inside);
        }
        Ok(boxed)
    }
}
