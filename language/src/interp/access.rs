//! The `memory` family: pointers of tensors, accesses, and what a kernel tells the world.

use std::rc::Rc;

use smallvec::SmallVec;
use tile_plan::AbiSlot;

use super::elements::Elements;
use super::lifetimes::Step;
use super::memory::{self, buffer_of, moved, outside};
use super::rows::{Dimension, Indices, Rows};
use super::{Access, Block, Fault};
use crate::dtype::DType;
use crate::ir::{Elem, Extent, Inst, Value};
use crate::op::{CopyOp, MemoryOp, Op};
use crate::report::runtime as wording;

impl Block<'_, '_> {
    pub(super) fn memory(&mut self, op: &MemoryOp, step: &Step<'_>) -> Result<(), Fault> {
        let inst = step.inst;
        let data = match op {
            MemoryOp::At { tensor } => self.at(*tensor as usize, inst, step.only_accessed),
            MemoryOp::IsPresent { tensor } => {
                let base = self.machine.kernel.tensors[*tensor as usize].base;
                Elements::Bool(vec![buffer_of(self.get(base).pointers()[0]).is_some()])
            }
            MemoryOp::Offset => self.offset(inst),
            MemoryOp::Load { .. } => {
                let mask = inst.operands.get(1).map(|&it| self.get(it).bools());
                let other = inst.operands.get(2).map(|&it| self.get(it));
                let dtype = self.pointee(inst);
                self.machine.memory.load(dtype, self.operand(inst, 0).places(), mask, other)?
            }
            MemoryOp::Store { .. } => return self.store(inst),
            MemoryOp::Atomic { op, .. } => {
                let [pointers, values] = [0, 1].map(|it| self.share(inst.operands[it]));
                let mask = inst.operands.get(2).map(|&it| self.share(it));
                let mask = mask.as_ref().map(|it| it.bools());
                let dtype = self.pointee(inst);
                self.machine.memory.atomic(*op, dtype, pointers.pointers(), &values, mask)?
            }
            MemoryOp::AtomicCas { .. } => {
                let [pointers, expected, values] =
                    [0, 1, 2].map(|it| self.share(inst.operands[it]));
                let mask = inst.operands.get(3).map(|&it| self.share(it));
                let mask = mask.as_ref().map(|it| it.bools());
                let dtype = self.pointee(inst);
                let memory = &mut self.machine.memory;
                memory.compare_and_swap(dtype, pointers.pointers(), &expected, &values, mask)?
            }
            MemoryOp::Print { pieces } => {
                let line = self.line(pieces, inst);
                self.machine.outcome.printed.push(line);
                return Ok(());
            }
            MemoryOp::Assert { .. } | MemoryOp::Assume => {
                return match self.operand(inst, 0).bools().iter().position(|it| !it) {
                    Some(at) => Err(Fault::Refuted { at }),
                    None => Ok(()),
                };
            }
        };
        self.set(inst.results[0], Rc::new(data));
        Ok(())
    }

    /// What the pointers of an access point to.
    fn pointee(&self, inst: &Inst) -> DType {
        match self.machine.kernel.ty(pointers(inst)).elem {
            Elem::Pointer(it) => it,
            Elem::Map => self.tensor_of_box(inst).dtype,
            Elem::Data(_) | Elem::Shared(_) | Elem::Barrier => {
                panic!("V3: memory is reached through pointers")
            }
        }
    }

    pub(super) fn extent(&self, extent: Extent) -> i64 {
        match extent {
            Extent::Const(it) => it,
            Extent::Value(it) => self.get(it).index(0),
        }
    }

    /// Pointers to elements of a tensor; `only_accessed` says that they may be rows.
    fn at(&self, tensor: usize, inst: &Inst, only_accessed: bool) -> Elements {
        let tensor = &self.machine.kernel.tensors[tensor];
        let base = self.get(tensor.base).pointers()[0];
        let width = i64::from(tensor.dtype.storage_bits());
        let ty = self.machine.kernel.ty(inst.results[0]);
        if let (true, Some(&last)) = (only_accessed, ty.shape.last()) {
            let dimensions: SmallVec<[Dimension<'_>; 4]> = inst
                .operands
                .iter()
                .enumerate()
                .map(|(d, &index)| Dimension {
                    indices: self.indices(index),
                    extent: self.extent(tensor.dims[d]),
                    stride: self.extent(tensor.strides[d]),
                })
                .collect();
            if let Some(rows) = Rows::of(base, width as u64, last as usize, &dimensions) {
                return Elements::Rows(rows);
            }
        }
        let len = ty.len();
        let mut distances = vec![0i64; len];
        let mut inside = vec![true; len];
        for (d, &index) in inst.operands.iter().enumerate() {
            let (extent, stride) = (self.extent(tensor.dims[d]), self.extent(tensor.strides[d]));
            match self.indices(index) {
                Indices::I32(it) => advance(it, extent, stride, &mut distances, &mut inside),
                Indices::I64(it) => advance(it, extent, stride, &mut distances, &mut inside),
            }
        }
        let pointer = |(&distance, &inside): (&i64, &bool)| {
            let pointer = moved(base, distance.saturating_mul(width));
            if inside { pointer } else { outside(pointer) }
        };
        Elements::U64(distances.iter().zip(&inside).map(pointer).collect())
    }

    fn indices(&self, value: Value) -> Indices<'_> {
        match self.get(value) {
            Elements::I32(it) => Indices::I32(it),
            Elements::I64(it) => Indices::I64(it),
            other => panic!("V3: an index is i32 or i64, not {other:?}"),
        }
    }

    fn offset(&self, inst: &Inst) -> Elements {
        let width = i64::from(self.pointee(inst).storage_bits());
        let elements = self.operand(inst, 1);
        let pointers = self.operand(inst, 0).pointers();
        let moved = |(at, &it): (usize, &u64)| moved(it, elements.index(at).saturating_mul(width));
        Elements::U64(pointers.iter().enumerate().map(moved).collect())
    }

    fn store(&mut self, inst: &Inst) -> Result<(), Fault> {
        let [pointers, values] = [0, 1].map(|it| self.share(inst.operands[it]));
        let mask = inst.operands.get(2).map(|&it| self.share(it));
        let mask = mask.as_ref().map(|it| it.bools());
        let dtype = self.pointee(inst);
        self.machine.memory.store(dtype, pointers.places(), &values, mask)?;
        if let Some(race) =
            self.machine.memory.race.filter(|_| self.machine.warned.insert(inst.site))
        {
            let element = race.byte as u64 * 8 / u64::from(dtype.storage_bits());
            let earlier = super::block_id(self.machine.grid, u64::from(race.earlier));
            let (message, details) =
                wording::race(&self.buffer_name(race.buffer), element, earlier);
            self.warn(message, details, inst.site);
        }
        Ok(())
    }

    fn line(&self, pieces: &[String], inst: &Inst) -> String {
        let mut line = String::new();
        for (number, piece) in pieces.iter().enumerate() {
            line.push_str(piece);
            if let Some(&value) = inst.operands.get(number) {
                line.push_str(&self.shown(value));
            }
        }
        line
    }

    /// A scalar as people read it.
    fn shown(&self, value: Value) -> String {
        let bits = self.get(value).bits(0);
        match self.machine.kernel.ty(value).elem {
            Elem::Pointer(_) => format!("{:#x}", memory::to_address(bits)),
            Elem::Data(dtype) | Elem::Shared(dtype) => wording::number(dtype, bits),
            Elem::Barrier => format!("barrier {bits}"),
            Elem::Map => format!("tensor map {bits}"),
        }
    }

    /// The argument whose elements a buffer holds.
    fn buffer_name(&self, buffer: usize) -> String {
        let kernel = self.machine.kernel;
        let owner = kernel.body.params.iter().zip(&kernel.plan.abi).find_map(|(param, slot)| {
            let AbiSlot::Address(number) = slot else { return None };
            let address = self.own.slots[param.0 as usize].as_ref()?.pointers()[0];
            (buffer_of(address) == Some(buffer)).then_some(*number)
        });
        let param = owner.and_then(|it| kernel.plan.params.get(it as usize));
        param.map_or_else(|| format!("buffer {buffer}"), |it| it.name.clone())
    }

    pub(super) fn access_wording(
        &self,
        inst: &Inst,
        access: Access,
        at: usize,
    ) -> (String, Vec<String>) {
        let place = self.coordinates(inst, at);
        let reads = match inst.op {
            Op::Copy(CopyOp::BoxOut { .. }) => false,
            Op::Memory(MemoryOp::Load { .. }) | Op::Copy(_) => true,
            _ => false,
        };
        let verb = if reads { "reads" } else { "writes" };
        match access {
            Access::Index | Access::Null => {
                self.index_wording(inst, at, verb, access == Access::Null)
            }
            Access::Address { buffer, offset, len } => {
                let width = u64::from(self.pointee(inst).storage_bits());
                let element = offset.div_euclid(width as i64);
                wording::address_outside(
                    verb,
                    &self.buffer_name(buffer),
                    element,
                    len / width,
                    &place,
                )
            }
            Access::Undefined { buffer, byte } => {
                let element = byte as u64 * 8 / u64::from(self.pointee(inst).storage_bits());
                wording::undefined(&self.buffer_name(buffer), element)
            }
            Access::Misaligned { buffer, bits } => {
                let bytes = u64::from(self.pointee(inst).storage_bits()).div_ceil(8);
                wording::misaligned(verb, &self.buffer_name(buffer), bits / 8, bytes, &place)
            }
        }
    }

    /// An index that is outside, or a tensor that is absent: looks where the pointer was made.
    fn index_wording(
        &self,
        inst: &Inst,
        at: usize,
        verb: &str,
        absent: bool,
    ) -> (String, Vec<String>) {
        let place = self.coordinates(inst, at);
        let kernel = self.machine.kernel;
        let pointer = pointers(inst);
        let Some(made) = definition(&kernel.body, pointer) else {
            return wording::pointer_outside(verb, absent, &place);
        };
        let Op::Memory(MemoryOp::At { tensor }) = made.op else {
            return wording::pointer_outside(verb, absent, &place);
        };
        let tensor = &kernel.tensors[tensor as usize];
        if absent {
            return wording::absent(verb, &tensor.name);
        }
        let known = made.operands.iter().all(|it| self.own.slots[it.0 as usize].is_some());
        if !known {
            return wording::pointer_outside(verb, absent, &place);
        }
        let index: Vec<i64> = made.operands.iter().map(|&it| self.get(it).index(at)).collect();
        let extents: Vec<i64> = tensor.dims.iter().map(|&it| self.extent(it)).collect();
        wording::index_outside(verb, &tensor.name, &index, &extents, &place)
    }

    pub(super) fn refuted_wording(&self, inst: &Inst, at: usize) -> (String, Vec<String>) {
        let place = self.coordinates(inst, at);
        match &inst.op {
            Op::Memory(MemoryOp::Assert { message }) => wording::assertion(message, &place),
            _ => wording::assumption(&place),
        }
    }
}

/// The pointers of an access to global memory.
fn pointers(inst: &Inst) -> Value {
    inst.operands[usize::from(matches!(inst.op, Op::Copy(CopyOp::Async)))]
}

/// Adds one dimension's index to distances in elements, and notes which are outside.
fn advance<T: Copy + Into<i64>>(
    index: &[T],
    extent: i64,
    stride: i64,
    distances: &mut [i64],
    inside: &mut [bool],
) {
    for ((&index, distance), inside) in index.iter().zip(distances).zip(inside) {
        let index: i64 = index.into();
        *distance = distance.wrapping_add(index.wrapping_mul(stride));
        *inside &= 0 <= index && index < extent;
    }
}

/// The instruction that defines a value, in the region or below.
fn definition(region: &crate::ir::Region, value: Value) -> Option<&Inst> {
    let mut found = None;
    region.walk(&mut |inst| {
        if inst.results.contains(&value) {
            found = Some(inst);
        }
    });
    found
}
