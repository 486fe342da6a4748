//! Products that a warp group's matrix unit computes beside the program.
//!
//! # Idea
//! A tile is cut into parts of 64 rows and the instruction's columns for each warp group. A part's registers go through its
//! instructions as they are and come out of the wait again, so that nothing can look at them in between. What a factor in
//! shared memory needs is one descriptor, made of the address of its view; everything that is known at
//! compile time (the way to a part's rows and columns and along `k`) is added to that as a constant.

use std::collections::BTreeMap;

use inkwell::values::IntValue;
use tile_language::ir::{Inst, Value};
use tile_language::target::wgmma::{Descriptor, ROWS, WgmmaId, WgmmaRow};
use tile_layout::{In, Layout, MemoryMap};

use super::Lower;
use super::index::is_zero;
use crate::chip::Left;
use crate::emit::Val;

/// The part of a tile that one instruction computes.
struct Part {
    row: u32,
    column: u32,
    /// The tile's registers in the order of the instruction's.
    slots: Vec<u32>,
}

/// The registers of the first thread, by the element that they hold.
fn registers(layout: &Layout) -> BTreeMap<[u32; 2], u32> {
    let index = |register| {
        let it = layout.index_of(register, 0, 0);
        ([it[0], it[1]], register)
    };
    (0..layout.registers()).map(index).collect()
}

/// The parts of an accumulator (PTX ISA 9.7.15.5, the registers of the matrix D).
fn parts(acc: &Layout, n: u32) -> Vec<Part> {
    let held = registers(acc);
    let corners = held.keys().filter(|it| it[0].is_multiple_of(ROWS) && it[1].is_multiple_of(n));
    let part = |&[row, column]: &[u32; 2]| {
        let slot = |j: u32| held[&[row + 8 * (j >> 1 & 1), column + 8 * (j >> 2) + (j & 1)]];
        Part { row, column, slots: (0..n / 2).map(slot).collect() }
    };
    corners.map(part).collect()
}

/// The registers of the left factor for 64 rows and one step along `k` (PTX ISA 9.7.15.5, the matrix A).
fn left_slots(row: &WgmmaRow, held: &BTreeMap<[u32; 2], u32>, [i, k]: [u32; 2]) -> Vec<u32> {
    let packed = row.k_width();
    let slot = |at: u32| {
        let (register, e) = (at / packed, at % packed);
        held[&[i + 8 * (register & 1), k + e + 4 * packed * (register >> 1)]]
    };
    (0..4 * packed).map(slot).collect()
}

/// A factor in shared memory.
struct Memory<'a, 'c> {
    descriptor: Descriptor,
    /// The descriptor of the view's first element.
    word: IntValue<'c>,
    map: &'a MemoryMap,
    elem_bytes: u32,
}

impl Memory<'_, '_> {
    /// What the element at an index adds to the descriptor.
    fn units(&self, index: [u32; 2]) -> u64 {
        u64::from((self.map.contribution_of(&index).offset() * self.elem_bytes) >> 4)
    }

    fn turned(&self) -> bool {
        self.descriptor.major == tile_language::target::wgmma::Major::Outer
    }
}

impl<'a, 'c> Lower<'a, 'c> {
    /// Starts a product, as a group of its own.
    pub(crate) fn start_product(&mut self, instruction: WgmmaId, n: u32, inst: &Inst) {
        let row = instruction.row();
        let [a, b, acc] = [0, 1, 2].map(|it| inst.operands[it]);
        let layout = |value| self.kernel.ty(value).layout.clone();
        let own = layout(acc).expect("V11: a sum is a tile");
        let parts = parts(&own, n);
        let depth = self.kernel.ty(b).shape[0];
        let held = layout(a).map(|it| (registers(&it), self.get(a)));
        let left = held.is_none().then(|| self.in_memory(a, [0, 1], ROWS, row, &own));
        let right = self.in_memory(b, [1, 0], n, row, &own);
        let mut slots = self.get(acc);
        let mut sums: Vec<Option<Vec<Val<'c>>>> = parts
            .iter()
            .map(|part| {
                let own: Vec<Val<'c>> = part.slots.iter().map(|&it| slots[it as usize]).collect();
                (!own.iter().all(|it| is_nothing(*it))).then_some(own)
            })
            .collect();
        let (emit, groups) = (&self.emit, self.chip.warp_groups());
        groups.fence_registers(emit);
        for k in (0..depth).step_by(row.k as usize) {
            for (part, sum) in parts.iter().zip(&mut sums) {
                let advance =
                    |of: &Memory<'_, 'c>, index| emit.add(of.word, emit.long(of.units(index)));
                let left = match (&held, &left) {
                    (Some((held, values)), _) => {
                        let slots = left_slots(row, held, [part.row, k]);
                        Left::Registers(slots.iter().map(|&it| values[it as usize]).collect())
                    }
                    (None, Some(of)) => {
                        Left::Memory { word: advance(of, [part.row, k]), turned: of.turned() }
                    }
                    (None, None) => unreachable!("V11: a factor is a tile or a view"),
                };
                let right_word = advance(&right, [k, part.column]);
                let ty = self.register_type(acc);
                let right = (right_word, right.turned());
                *sum = Some(groups.multiply(emit, row, n, ty, &left, right, sum.as_deref()));
            }
        }
        groups.commit(emit);
        for (part, sum) in parts.iter().zip(sums) {
            let sum = sum.expect("a product has a depth");
            part.slots.iter().zip(sum).for_each(|(&slot, it)| slots[slot as usize] = it);
        }
        self.set(inst.results[0], slots);
    }

    /// Waits for products: what the operands hold comes out of the wait.
    pub(crate) fn await_products(&mut self, in_flight: u32, inst: &Inst) {
        let operands: Vec<Vec<Val<'c>>> = inst.operands.iter().map(|&it| self.get(it)).collect();
        let all: Vec<Val<'c>> = operands.concat();
        let handed = self.chip.warp_groups().wait(&self.emit, in_flight, &all);
        let mut handed = handed.into_iter();
        for (&result, slots) in inst.results.iter().zip(&operands) {
            let slots = handed.by_ref().take(slots.len()).collect();
            self.set(result, slots);
        }
    }

    /// The descriptor of a view; of `a` each warp group has its own rows.
    fn in_memory(
        &mut self,
        view: Value,
        axes: [usize; 2],
        part: u32,
        row: &WgmmaRow,
        acc: &Layout,
    ) -> Memory<'a, 'c> {
        let ty = self.kernel.ty(view);
        let (map, bits) = (ty.map(), ty.elem.bits());
        let descriptor = Descriptor::of(map, axes, bits, part, row.turns())
            .expect("V11: a factor in memory has a descriptor");
        let pointer = self.view_address(view).into();
        let word = self.emit.i32().into();
        let mut address = self.emit.bitcast(pointer, word).into_int_value();
        if axes == [0, 1] {
            let rows = acc.bases(In::Warp).iter();
            let images: Vec<u32> =
                rows.map(|it| map.contribution_of(&[it[0] / ROWS * ROWS, 0]).offset()).collect();
            let images: Vec<u32> = images.iter().map(|it| it * bits / 8).collect();
            let images = self.thread_images(&[], &images);
            let own = self.of_warp(&images);
            address = self.emit.add(address, own);
        }
        let emit = &self.emit;
        // Shared memory ends below 2^18.
        let start = emit.lshr(emit.and(address, emit.int(0x3fff0)), emit.int(4));
        let word = emit.or(emit.zext(start, emit.i64()), emit.long(descriptor.word()));
        Memory { descriptor, word, map, elem_bytes: bits / 8 }
    }
}

/// Whether a value is the constant zero, which an instruction has of its own.
fn is_nothing(value: Val<'_>) -> bool {
    match value {
        Val::IntValue(it) => is_zero(it),
        Val::FloatValue(it) => it.get_constant().is_some_and(|it| it.0.to_bits() == 0),
        _ => false,
    }
}
