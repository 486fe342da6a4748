//! What the lowering asks of a vendor's copy engine: boxes of tensors.

use inkwell::values::{FunctionValue, IntValue, PointerValue};
use tile_language::op::memory::{AtomicOp, Evict};

use crate::emit::Emit;

/// A box of a tensor: a tensor map, and a corner in the engine's order.
#[derive(Clone, Debug)]
pub(crate) struct TensorBox<'c> {
    /// Where the kernel was given the tensor map.
    pub(crate) map: PointerValue<'c>,
    /// The contiguous dimension's index first, `i32` each.
    pub(crate) corner: Vec<IntValue<'c>>,
    /// How long the cache should keep it.
    pub(crate) evict: Evict,
}

/// A vendor's copy engine. What is done by one thread is reached by one.
pub(crate) trait CopyEngine {
    /// Makes a parameter of the kernel a tensor map, which the kernel is given a copy of.
    fn declare_map<'c>(&self, emit: &Emit<'c>, function: FunctionValue<'c>, number: u32);

    /// One thread: the map will be needed.
    fn prefetch_map<'c>(&self, emit: &Emit<'c>, map: PointerValue<'c>);

    /// Whether this lane is the one of its warp that acts for all; reached by the whole warp.
    fn is_elected<'c>(&self, emit: &Emit<'c>) -> IntValue<'c>;

    /// One thread: starts to bring a box to shared memory; the mbarrier hears of its bytes. It comes to the same place in
    /// each of so many blocks, all those of the cluster if there are several.
    fn bring_box<'c>(
        &self,
        emit: &Emit<'c>,
        from: &TensorBox<'c>,
        to: PointerValue<'c>,
        told: PointerValue<'c>,
        blocks: u32,
    );

    /// One thread: starts to take shared memory to a box, as a group of its own; `reduce` says how its elements are combined
    /// with what is there.
    fn take_box<'c>(
        &self,
        emit: &Emit<'c>,
        from: PointerValue<'c>,
        to: &TensorBox<'c>,
        reduce: Option<AtomicOp>,
    );

    /// One thread: brings a box to the second cache level.
    fn prefetch_box<'c>(&self, emit: &Emit<'c>, it: &TensorBox<'c>);

    /// Waits until at most so many groups of this thread's are left, or have not been read.
    fn await_boxes(&self, emit: &Emit<'_>, in_flight: u32, read: bool);

    /// What this thread knows of shared memory the engine sees in what is started from here on.
    fn show_engine(&self, emit: &Emit<'_>);
}
