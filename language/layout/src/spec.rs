//! Layout constructors of the language: layouts that wait for a shape.

use crate::Layout;

/// The machine that a register layout is spread over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Machine {
    /// Lanes of a warp: 32 or 64.
    pub lanes: u32,
    /// Warps of the role.
    pub warps: u32,
}

/// A layout constructor with its arguments.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Spec {
    /// `blocked(regs:, lanes:, warps:, order:)`; `order` lists dimensions, fastest first.
    Blocked {
        /// Elements a thread holds in a row, by dimension.
        regs: Vec<u32>,
        /// Lanes by dimension.
        lanes: Vec<u32>,
        /// Warps by dimension.
        warps: Vec<u32>,
        /// Dimensions, fastest first.
        order: Vec<u32>,
    },
    /// `L.slice(d)`
    Slice(Box<Spec>, u32),
    /// A layout that has its shape already.
    Explicit(Layout),
}

/// Why a constructor does not fit a shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SpecError {
    /// The constructor has another rank than the shape.
    Rank {
        /// Of the constructor.
        wanted: u32,
        /// Of the shape.
        got: u32,
    },
}

impl Spec {
    /// The map for this shape on this machine.
    pub fn apply(&self, _shape: &[u32], _machine: Machine) -> Result<Layout, SpecError> {
        match self {
            Spec::Explicit(layout) => Ok(layout.clone()),
            Spec::Blocked { regs, .. } => Err(SpecError::Rank { wanted: regs.len() as u32, got: 0 }),
            Spec::Slice(parent, _) => parent.apply(_shape, _machine),
        }
    }
}
