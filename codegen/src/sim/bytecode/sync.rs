//! Operations that threads of a block wait for each other by: barriers and mbarriers.

use super::{Row, Slot, VoteMode};

/// What a barrier does besides waiting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) enum BarrierMode {
    Sync,
    Arrive,
    /// `barrier.red`: the answer about every thread's flag.
    Reduce(VoteMode),
}

/// A barrier of the block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::sim) struct Barrier {
    pub(in crate::sim) mode: BarrierMode,
    /// The number of the barrier; AMD has one.
    pub(in crate::sim) id: Option<Row>,
    /// How many threads take part; all of the block if none.
    pub(in crate::sim) threads: Option<Row>,
    /// Whether all lanes of a warp must come together.
    pub(in crate::sim) aligned: bool,
    /// Whether the barrier orders memory by itself (NVIDIA) or needs fences (AMD).
    pub(in crate::sim) orders_memory: bool,
    pub(in crate::sim) flag: Option<Row>,
    pub(in crate::sim) d: Option<Slot>,
}

/// What is done to an mbarrier (PTX ISA 9.7.13.15).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) enum MbarrierMode {
    /// A phase counts `n` arrivals from here on.
    Init,
    /// The memory is for something else from here on.
    Inval,
    /// `n` arrivals at once.
    Arrive,
    /// `n` more bytes, and an arrival.
    ArriveExpect,
    /// `n` more bytes.
    Expect,
    /// `n` bytes have come.
    Complete,
    /// Whether the phase of parity `n` is complete, for which the lanes may sleep. The answer goes to `d`.
    Test { d: Row },
    /// An arrival when the copies of this thread have ended; the open phase counts one more if `counts_more`.
    Copies { counts_more: bool },
}

/// An operation on the mbarrier that each lane names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) struct Mbarrier {
    pub(in crate::sim) mode: MbarrierMode,
    pub(in crate::sim) address: Slot,
    pub(in crate::sim) offset: u32,
    /// The number that goes with it.
    pub(in crate::sim) n: Row,
}
