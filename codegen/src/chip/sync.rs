//! What the lowering asks of a vendor's barriers between roles.

use inkwell::values::{IntValue, PointerValue};

use super::Reach;
use crate::emit::Emit;

/// Who meets at a barrier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meeting {
    /// All threads of the block.
    Block,
    /// The lanes of the one warp that a role is.
    Warp,
    /// So many threads, at a barrier of their own.
    Named {
        /// Its number.
        id: u32,
        /// Threads.
        threads: u32,
    },
}

/// A vendor's mbarriers, and registers that warps hand to each other.
pub(crate) trait Mbarriers {
    /// Makes an mbarrier of which a phase counts so many arrivals.
    fn init_mbarrier<'c>(&self, emit: &Emit<'c>, at: PointerValue<'c>, count: u32);

    /// What was initialised is there for all that meet next, copy engines included.
    fn publish_mbarriers(&self, emit: &Emit<'_>);

    /// One lane of the warp arrives so many times at once; first it makes the phase wait for bytes where the flag says so.
    fn arrive<'c>(
        &self,
        emit: &Emit<'c>,
        at: PointerValue<'c>,
        count: u32,
        bytes: Option<(IntValue<'c>, u32)>,
    );

    /// Waits until the phase of that parity is complete, and sees what was done before its arrivals as far as `reach`.
    fn await_mbarrier<'c>(
        &self,
        emit: &Emit<'c>,
        at: PointerValue<'c>,
        parity: IntValue<'c>,
        reach: Reach,
    );

    /// Whether the phase of that parity is complete.
    fn ask_mbarrier<'c>(
        &self,
        emit: &Emit<'c>,
        at: PointerValue<'c>,
        parity: IntValue<'c>,
    ) -> IntValue<'c>;

    /// Whether a flag is set in all threads that meet.
    fn all<'c>(&self, emit: &Emit<'c>, meeting: Meeting, flag: IntValue<'c>) -> IntValue<'c>;

    /// The threads come to a named barrier and go on.
    fn come(&self, emit: &Emit<'_>, id: u32, threads: u32);

    /// The open phase waits for the copies that this thread has started.
    fn hold_for_copies<'c>(&self, emit: &Emit<'c>, at: PointerValue<'c>);

    /// Goes from `start` registers a thread to `wanted`; reached by whole groups of warps.
    fn hand_registers(&self, emit: &Emit<'_>, start: u32, wanted: u32);
}
