//! The block's shared memory: the kernel's buffers, scratch after them, and the barriers that make
//! scratch safe.
//!
//! # Idea
//! One symbol holds everything; what lies where is known before ([`Allocation`]). Whatever has to cross
//! warps is written to scratch, all threads meet, and it is read. Bytes that may still be read when
//! they are wanted again are given free by one more barrier.
//!
//! # Invariants
//! * S1: between the last access of a region and the next write to it lies a barrier.
//! * S2: on entry of a loop body, and after a loop, every region counts as still read.
//! * S3: barriers stand where the control flow of those who meet is uniform.
//! * S4: an instruction takes the scratch that the allocation gives it, use by use, and no more.

use std::ops::Range;

use inkwell::AddressSpace;
use inkwell::module::Linkage;
use inkwell::types::BasicTypeEnum;
use inkwell::values::{GlobalValue, IntValue, PointerValue};
use tile_language::pass::Allocation;

use super::Lower;
use super::index::{At, Spread, is_zero};
use super::transfer::{Pull, pulled_threads};
use crate::emit::{Emit, SHARED, Val, width};

/// The name of the symbol in modules.
const NAME: &str = "shared";

/// The shared memory of a kernel.
pub(crate) struct Scratch<'c> {
    global: GlobalValue<'c>,
    in_use: Vec<Range<u32>>,
    n_taken: u32,
}

/// The scratch before a loop.
pub(crate) struct LoopUse {
    n_taken: u32,
    in_use: Vec<Range<u32>>,
}

impl<'c> Scratch<'c> {
    /// Shared memory whose size is known in the end.
    pub(crate) fn new(emit: &Emit<'c>) -> Scratch<'c> {
        let empty = emit.i8().array_type(0);
        let global = emit.module.add_global(empty, Some(AddressSpace::from(SHARED)), NAME);
        Scratch { global, in_use: Vec::new(), n_taken: 0 }
    }

    /// The first byte of the block's shared memory.
    pub(crate) fn address(&self) -> PointerValue<'c> {
        self.global.as_pointer_value()
    }

    /// Every region may still be read (invariant S2).
    fn forget(&mut self) {
        self.in_use = std::iter::once(0..u32::MAX).collect();
    }

    /// On entry of a loop's body.
    pub(crate) fn enter_loop(&mut self) -> LoopUse {
        let before = LoopUse { n_taken: self.n_taken, in_use: self.in_use.clone() };
        self.forget();
        before
    }

    /// After a loop: one that took no scratch leaves things as they were.
    pub(crate) fn leave_loop(&mut self, before: LoopUse) {
        if self.n_taken == before.n_taken {
            self.in_use = before.in_use;
        } else {
            self.forget();
        }
    }

    /// What may still be read here.
    pub(crate) fn pending(&self) -> Vec<Range<u32>> {
        self.in_use.clone()
    }

    /// Says what may still be read here.
    pub(crate) fn set_pending(&mut self, pending: Vec<Range<u32>>) {
        self.in_use = pending;
    }

    /// Adds what may still be read on another way here.
    pub(crate) fn add_pending(&mut self, other: Vec<Range<u32>>) {
        self.in_use.extend(other);
    }

    /// Gives the symbol its size, declared if at most `static_max`.
    pub(crate) fn finish(self, emit: &Emit<'c>, allocation: &Allocation, static_max: u32) {
        let bytes = allocation.bytes;
        if bytes > 0 {
            let is_declared = bytes <= static_max;
            let ty = emit.i8().array_type(if is_declared { bytes } else { 0 });
            let sized = emit.module.add_global(ty, Some(AddressSpace::from(SHARED)), "");
            sized.set_alignment(allocation.align);
            if is_declared {
                sized.set_linkage(Linkage::Internal);
                sized.set_initializer(&ty.get_undef());
            }
            self.global.as_pointer_value().replace_all_uses_with(sized.as_pointer_value());
            self.delete();
            sized.set_name(NAME);
        } else {
            self.delete();
        }
    }

    fn delete(self) {
        // SAFETY: nothing uses the placeholder any more: it was replaced, or no region was taken.
        unsafe { self.global.delete() };
    }
}

/// Bytes that an element takes in scratch.
pub(crate) fn slot_bytes(ty: BasicTypeEnum<'_>) -> u32 {
    width(ty).div_ceil(8).next_power_of_two()
}

impl<'c> Lower<'_, 'c> {
    /// The next of this instruction's regions of scratch, which nobody reads any more.
    pub(crate) fn take_scratch(&mut self, bytes: u32) -> Range<u32> {
        let given = &self.allocation.scratch_of(self.inst)[self.n_scratch_uses];
        let (range, replaces_buffers) = (given.range.clone(), given.replaces_buffers);
        assert_eq!(range.len(), bytes as usize, "S4: an instruction takes what it is given");
        let is_read = |it: &Range<u32>| it.start < range.end && range.start < it.end;
        if replaces_buffers || self.scratch.in_use.iter().any(is_read) {
            self.meet();
        }
        self.n_scratch_uses += 1;
        self.scratch.in_use.push(range.clone());
        self.scratch.n_taken += 1;
        range
    }

    /// All threads meet: regions that were read are free, and memory is as if one had written it.
    pub(crate) fn meet(&mut self) {
        match self.flights {
            Some(_) => self.chip.barrier_beside_copies(&self.emit),
            None => self.chip.barrier(&self.emit, self.team.meeting),
        }
        self.have_met();
    }

    /// All threads of the role have met, alone or with others.
    pub(crate) fn have_met(&mut self) {
        self.scratch.in_use.clear();
        self.order.clear();
    }

    /// All threads meet between the writes and the reads of a region.
    pub(crate) fn publish(&mut self, region: &Range<u32>) {
        self.meet();
        self.scratch.in_use.push(region.clone());
    }

    /// The address of element number `at` of `bytes` bytes in a region.
    pub(crate) fn scratch_address(
        &self,
        region: &Range<u32>,
        at: IntValue<'c>,
        bytes: u32,
    ) -> PointerValue<'c> {
        let emit = &self.emit;
        let base = emit.offset(
            emit.i8().into(),
            self.scratch.global.as_pointer_value(),
            emit.int(region.start),
        );
        if is_zero(at) { base } else { emit.offset(emit.int_type(bytes * 8).into(), base, at) }
    }

    /// The element number of a slot in scratch: repetitions one after the other, each by packed index.
    pub(crate) fn scratch_index(
        &self,
        spread: &Spread,
        at: &At,
        base: IntValue<'c>,
        varying: u32,
    ) -> IntValue<'c> {
        let box_bits = spread.shape.iter().map(|it| it.trailing_zeros()).sum::<u32>();
        let repetition = spread.slot(&at.rep, 0) >> spread.regs.len();
        let inside = self.join_index(base, varying, at.packed);
        self.join_index(inside, (1 << box_bits) - 1, (repetition as u32) << box_bits)
    }

    /// Writes every element of a tile to a region once, by packed index; the region.
    pub(crate) fn spill(&mut self, values: &[Val<'c>], spread: &Spread) -> Range<u32> {
        let bytes = slot_bytes(values[0].get_type());
        let region = self.take_scratch(bytes * spread.shape.iter().product::<u32>());
        let base = self.of_thread(&spread.threads.clone());
        let varying = spread.threads.iter().fold(0, |it, image| it | image);
        let copies = spread.copies();
        let is_owner = self.is_owner(copies.threads);
        let write = |lower: &Self| {
            for (slot, &value) in
                values.iter().enumerate().filter(|(slot, _)| *slot as u64 & copies.regs == 0)
            {
                let index = lower.scratch_index(spread, &spread.at(slot), base, varying);
                lower.emit.store(
                    lower.to_memory(value),
                    lower.scratch_address(&region, index, bytes),
                    bytes,
                );
            }
        };
        match is_owner {
            Some(owner) => self.emit.when(owner, || write(self)),
            None => write(self),
        }
        region
    }

    /// Moves elements through shared memory.
    pub(crate) fn through_shared(
        &mut self,
        values: &[Val<'c>],
        source: &Spread,
        result: &Spread,
        pull: &Pull<'_>,
    ) -> Vec<Val<'c>> {
        let ty = values[0].get_type();
        let bytes = slot_bytes(ty);
        let region = self.spill(values, source);
        self.publish(&region);
        let threads = pulled_threads(result, pull);
        let base = self.of_thread(&threads);
        let varying = threads.iter().fold(0, |it, image| it | image);
        let one = |slot| {
            let at = Self::pulled(&result.at(slot), pull);
            let index = self.scratch_index(source, &at, base, varying);
            let loaded = self.emit.load(
                self.memory_type(ty),
                self.scratch_address(&region, index, bytes),
                bytes,
            );
            self.loaded_as(loaded, ty)
        };
        (0..result.n_slots()).map(one).collect()
    }

    /// Whether this thread is the one of its copies that acts; `None` if every thread is.
    pub(crate) fn is_owner(&mut self, copies: u32) -> Option<IntValue<'c>> {
        if copies == 0 {
            return None;
        }
        let n = u32::BITS - copies.leading_zeros();
        let images: Vec<u32> = (0..n).map(|at| copies & (1 << at)).collect();
        let bits = self.of_thread(&images);
        Some(self.emit.icmp(inkwell::IntPredicate::EQ, bits, self.emit.int(0)))
    }
}
