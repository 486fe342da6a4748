//! Boxes of tensors that a copy engine moves (PTX ISA 9.7.9.25.5).

use super::{Row, Slot};

/// Which way a box goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) enum BoxWay {
    /// To shared memory; the mbarrier there hears of its bytes.
    /// With `blocks` it comes to all blocks of the cluster whose bits are set there.
    In { told: Slot, offset: u32, blocks: Option<Slot> },
    /// To the tensor, in the thread's open group; elements may be combined with what is there.
    Out { reduce: Option<Combining> },
}

/// How a box is combined with what is there; in which type the tensor map says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) enum Combining {
    Add,
    Min,
    Max,
    And,
    Or,
    Xor,
}

/// What each lane moves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::sim) struct BoxCopy {
    pub(in crate::sim) way: BoxWay,
    /// The address of a tensor map.
    pub(in crate::sim) map: Slot,
    /// The contiguous dimension's index first.
    pub(in crate::sim) corner: Vec<Row>,
    pub(in crate::sim) shared: Slot,
    pub(in crate::sim) offset: u32,
}
