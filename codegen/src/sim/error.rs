//! What stops a simulation, and where it happened.

use std::fmt;

use super::HookReport;

/// The kind of a finding. Every kind has a test that causes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// The module uses something that `sim` has no row for.
    Unsupported,
    /// The module is not what its kernel promises: text that does not parse, no such kernel.
    BadModule,
    /// The launch does not fit the kernel.
    BadLaunch,
    /// An address outside every allocation.
    OutOfBounds,
    /// An address that is not a multiple of the alignment the instruction states.
    Misaligned,
    /// A read of shared or local memory that nothing has written.
    Uninitialised,
    /// A write to memory that must not change.
    ReadOnly,
    /// Two accesses without order, one of them a write.
    Race,
    /// Warps that wait for each other for ever.
    Deadlock,
    /// More instructions than the launch allows.
    TooLong,
    /// An instruction for a whole warp that not all of its lanes reach.
    Divergence,
    /// `trap`, a failed assertion, or control at a place declared unreachable.
    Trap,
    /// An operation without a defined result: division by zero.
    Undefined,
}

/// Where in the module an operation stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The LLVM instruction as text.
    pub instruction: String,
    /// The line of its debug location.
    pub line: Option<u32>,
}

/// Why a simulation did not start or stopped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SimError {
    /// What kind of finding this is.
    pub kind: Kind,
    /// What happened, in a sentence without full stop.
    pub message: String,
    /// The instruction.
    pub place: Option<Box<Place>>,
    /// The block of the grid.
    pub block: Option<[u32; 3]>,
    /// The warp in its block.
    pub warp: Option<u16>,
    /// The lane in its warp.
    pub lane: Option<u16>,
    /// The call of a hook that stopped the launch.
    pub hook: Option<Box<HookReport>>,
    /// Lines of other instructions that explain it, with what happened there.
    pub others: Vec<(u32, String)>,
    /// Facts that explain it: the allocation, the other access, every warp's state.
    pub details: Vec<String>,
}

impl SimError {
    /// A finding without a place.
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        SimError {
            kind,
            message: message.into(),
            place: None,
            block: None,
            warp: None,
            lane: None,
            hook: None,
            others: Vec::new(),
            details: Vec::new(),
        }
    }

    /// A module that `sim` cannot run.
    pub(super) fn unsupported(message: impl Into<String>) -> Self {
        SimError::new(Kind::Unsupported, message)
    }

    /// Adds the lane.
    pub(super) fn at_lane(mut self, lane: u32) -> Self {
        self.lane = Some(lane as u16);
        self
    }

    /// Adds a fact.
    pub(super) fn because(mut self, fact: impl Into<String>) -> Self {
        self.details.push(fact.into());
        self
    }
}

impl fmt::Display for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if let Some([x, y, z]) = self.block {
            write!(f, "\n  in block ({x}, {y}, {z})")?;
        }
        if let Some(warp) = self.warp {
            write!(f, ", warp {warp}")?;
        }
        if let Some(lane) = self.lane {
            write!(f, ", lane {lane}")?;
        }
        if let Some(place) = &self.place {
            write!(f, "\n  at `{}`", place.instruction)?;
            if let Some(line) = place.line {
                write!(f, " (line {line})")?;
            }
        }
        for detail in &self.details {
            write!(f, "\n  {detail}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SimError {}
