//! A layout applied to a shape: a linear map over F2 from the bits of a place to an element's index.

use std::sync::Arc;

use smallvec::SmallVec;

/// An element's index, outermost dimension first.
pub type Coords = SmallVec<[u32; 4]>;

/// What the bits of a place count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum In {
    /// Registers of a thread.
    Register,
    /// Lanes of a warp.
    Lane,
    /// Warps of a role.
    Warp,
    /// Elements of a buffer in memory.
    Offset,
}

/// A linear map over F2 from a place to an index, and an odd number of repetitions a dimension.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Layout(Arc<Repr>);

#[derive(PartialEq, Eq, Hash, Debug)]
struct Repr {
    // Invariant: inputs ascend; every basis has one coordinate a dimension, below the power-of-two box.
    ins: Vec<(In, Vec<Coords>)>,
    // Invariant: every extent is at least 1.
    shape: Coords,
}

impl Layout {
    /// The layout with these bases over the power-of-two part of `shape`.
    pub fn new(shape: &[u32], ins: Vec<(In, Vec<Coords>)>) -> Layout {
        Layout(Arc::new(Repr { ins, shape: shape.into() }))
    }

    /// Extents, outermost first.
    pub fn shape(&self) -> &[u32] {
        &self.0.shape
    }

    /// Images of the bits of `input`, lowest first; empty if it has none.
    pub fn bases(&self, input: In) -> &[Coords] {
        self.0.ins.iter().find(|it| it.0 == input).map_or(&[], |it| &it.1)
    }
}
