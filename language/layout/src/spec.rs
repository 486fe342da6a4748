//! Layout constructors of the language: layouts that wait for a shape.
//!
//! [`Spec::apply`] spreads a tile over registers, lanes and warps; [`Spec::apply_in_memory`] places
//! it in shared or tensor memory. The recipes are in `spec/registers.rs` and `spec/memory.rs`; both
//! build products of identities with `spec/tile.rs`.
//!
//! Rules that hold for every register layout:
//! * a shape larger than the constructor's tile is covered by more registers, in a fixed order;
//! * a shape smaller than it leaves the places of what is missing as copies (zero bases), except in
//!   registers, where copies are dropped;
//! * fewer lanes or warps than the machine has are replicated; more are an error;
//! * a slice is its parent at extent 1 in the dimension that is taken out.

mod memory;
mod registers;
mod tile;

use crate::layout::{In, Layout, LayoutError};

/// The machine that a register layout is spread over.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Machine {
    /// Lanes of a warp: 32 or 64.
    pub lanes: u32,
    /// Warps of the role.
    pub warps: u32,
}

/// Which operand of a matrix multiplication.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// The left one, `[…, m, k]`.
    A,
    /// The right one, `[…, k, n]`.
    B,
}

/// A layout constructor with its arguments. Dimensions are counted from the outermost; `order`
/// lists dimensions, fastest first, and is row-major where it is left out (`None`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Spec {
    /// `blocked(regs:, lanes:, warps:, order:)`
    Blocked {
        /// Elements a thread holds in a row, by dimension.
        regs: Vec<u32>,
        /// Lanes by dimension.
        lanes: Vec<u32>,
        /// Warps by dimension.
        warps: Vec<u32>,
        /// Dimensions, fastest first.
        order: Option<Vec<u32>>,
    },
    /// `L.slice(d)`
    Slice(Box<Spec>, u32),
    /// `linear(regs:, lanes:, warps:)`: the bases themselves.
    Linear {
        /// Images of the bits of the register number.
        regs: Vec<Vec<u32>>,
        /// Images of the bits of the lane.
        lanes: Vec<Vec<u32>>,
        /// Images of the bits of the warp.
        warps: Vec<Vec<u32>>,
    },
    /// `mma::acc(warps:)`: accumulator of `mma.sync` m16n8, `[…, m, n]`.
    Mma {
        /// Warps by dimension.
        warps: Vec<u32>,
    },
    /// `wgmma::acc(n:)`: accumulator of `wgmma` m64, `[m, n]`; warps beyond four go on along `m`.
    Wgmma {
        /// Columns of one instruction.
        n: u32,
    },
    /// `mfma::acc(m:, n:, k:, warps:, transposed:, T:)`, `[…, m, n]`.
    Mfma {
        /// Rows of one instruction.
        m: u32,
        /// Columns of one instruction.
        n: u32,
        /// Depth of one instruction.
        k: u32,
        /// Warps by dimension.
        warps: Vec<u32>,
        /// Whether the operands are exchanged, so that a thread holds neighbours along `n`.
        transposed: bool,
        /// Whether elements have 64 bits: a thread's neighbours are then four rows apart.
        wide: bool,
    },
    /// `wmma::acc(version:, k:, warps:, transposed:)`, 16x16, `[…, m, n]`.
    Wmma {
        /// Generation of the instruction: 1 (RDNA3), 2 (RDNA4) or 3 (gfx1250).
        version: u32,
        /// Depth of one instruction.
        k: u32,
        /// Warps by dimension.
        warps: Vec<u32>,
        /// Whether the operands are exchanged.
        transposed: bool,
    },
    /// `C.a(k_width:)`, `C.b(k_width:)`: an operand of the accumulator's instruction.
    Operand {
        /// The accumulator.
        of: Box<Spec>,
        /// Which operand.
        side: Side,
        /// Neighbours along `k` in one thread.
        k_width: u32,
    },
    /// `plain()`: row-major memory.
    Plain,
    /// `swizzled(vec:, per_phase:, max_phase:, order:)`
    Swizzled {
        /// Elements that stay together.
        vec: u32,
        /// Rows with the same swizzle, one after another.
        per_phase: u32,
        /// Different swizzles.
        max_phase: u32,
        /// Dimensions, fastest first.
        order: Option<Vec<u32>>,
    },
    /// `crosswise(vec:)`: row-major tiles whose columns are read.
    Crosswise {
        /// Neighbours of a column that stay together.
        vec: u32,
    },
    /// `nvmma(swizzle:, transposed:)`: what the copy engine and the matrix units read.
    Nvmma {
        /// Bytes of a swizzled row: 0, 32, 64 or 128.
        swizzle: u32,
        /// Whether the first dimension is the contiguous one.
        transposed: bool,
    },
    /// `padded([(interval, pad)…], order:)`
    Padded {
        /// After every `interval` elements, `pad` are left out; each pair counts the unpadded offset.
        pads: Vec<(u32, u32)>,
        /// Dimensions, fastest first.
        order: Option<Vec<u32>>,
    },
    /// `shared_linear(…)`: the bases of the offset.
    SharedLinear {
        /// Images of the bits of the offset.
        offsets: Vec<Vec<u32>>,
    },
    /// `tcgen05::acc(m:, n:)`: an accumulator in tensor memory.
    TmemAcc {
        /// Rows of one instruction: 64 or 128.
        m: u32,
        /// Columns of one instruction.
        n: u32,
    },
    /// `tcgen05::scales()`: block scales in tensor memory, columns counted in bytes.
    TmemScales,
    /// A layout that has its shape already.
    Explicit(Layout),
}

/// Why a constructor does not fit a shape or a machine, or an operation does not fit a layout.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SpecError {
    /// The constructor has another rank than the shape.
    #[error("the layout has {wanted} dimensions, the shape has {got}")]
    Rank {
        /// Of the constructor.
        wanted: u32,
        /// Of the shape.
        got: u32,
    },
    /// An argument that counts places is no power of two.
    #[error("`{name}` is {value}, which is not a power of two")]
    PowerOfTwo {
        /// The argument.
        name: &'static str,
        /// Its value.
        value: u32,
    },
    /// An argument has a value that no such layout has.
    #[error("`{name}` is {value}, possible are {possible}")]
    Argument {
        /// The argument.
        name: &'static str,
        /// Its value.
        value: u32,
        /// What it can be.
        possible: &'static str,
    },
    /// `order` does not list every dimension once.
    #[error("`order` is {order:?}, which does not list each of {rank} dimensions once")]
    Order {
        /// The argument.
        order: Vec<u32>,
        /// Dimensions.
        rank: u32,
    },
    /// More places than the machine has.
    #[error("the layout has {wanted} {}, the machine has {got}", if *input == In::Lane { "lanes" } else { "warps" })]
    Places {
        /// Lanes or warps.
        input: In,
        /// Of the layout.
        wanted: u32,
        /// Of the machine.
        got: u32,
    },
    /// The instruction belongs to machines with another number of lanes or warps.
    #[error("the instruction wants {} {wanted}, the machine has {got}", if *input == In::Lane { "lanes in multiples of" } else { "warps in multiples of" })]
    Machine {
        /// Lanes or warps.
        input: In,
        /// What the instruction wants.
        wanted: u32,
        /// Of the machine.
        got: u32,
    },
    /// The shape is smaller than one instruction.
    #[error("dimension {axis} has extent {extent}, one instruction covers {wanted}")]
    Small {
        /// Which dimension.
        axis: u32,
        /// Of the shape.
        extent: u32,
        /// Of the instruction.
        wanted: u32,
    },
    /// A row is narrower than the swizzle.
    #[error("a row is {bytes} bytes, the swizzle needs {swizzle}")]
    Narrow {
        /// Bytes of the contiguous dimension.
        bytes: u32,
        /// Bytes of a swizzled row.
        swizzle: u32,
    },
    /// Only accumulators have operands.
    #[error("the layout is no accumulator, so it has no operands")]
    NoOperands,
    /// A memory's layout stands where one for registers is wanted.
    #[error("the layout is one of memory, not of registers")]
    OfMemory,
    /// A register layout stands where one for memory is wanted.
    #[error("the layout is one of registers, not of memory")]
    OfRegisters,
    /// A layout that has its shape was applied to another one.
    #[error("the layout is for shape {wanted:?}, not {got:?}")]
    Shape {
        /// Of the layout.
        wanted: Vec<u32>,
        /// The shape asked for.
        got: Vec<u32>,
    },
    /// A slice of a dimension that the parent does not have.
    #[error("dimension {axis} is not one of {rank}")]
    Axis {
        /// Which dimension.
        axis: u32,
        /// Dimensions that there are.
        rank: u32,
    },
    /// The layout cannot be carried through a reshape.
    #[error("a layout cannot be carried from shape {from:?} to {to:?}")]
    Reshape {
        /// Of the operand.
        from: Vec<u32>,
        /// Of the result.
        to: Vec<u32>,
    },
    /// `split` wants a last dimension of extent 2 and another one before it.
    #[error(
        "the last of {rank} dimensions has extent {extent}; a split wants 2 and one dimension before it"
    )]
    SplitExtent {
        /// Dimensions.
        rank: u32,
        /// Of the last one.
        extent: u32,
    },
    /// The halves of the last dimension lie in different threads.
    #[error("the halves of the last dimension lie in different {}s", input.name())]
    SplitAcross {
        /// What they differ in.
        input: In,
    },
    /// An index has no such bit.
    #[error("dimension {axis} has extent {extent}, its index has no bit {bit} that can be opened")]
    Bit {
        /// Which dimension.
        axis: u32,
        /// The bit.
        bit: u32,
        /// The extent.
        extent: u32,
    },
    /// The bases are no layout.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

impl Spec {
    /// `blocked(regs:, lanes:, warps:)`, row-major.
    pub fn blocked(regs: &[u32], lanes: &[u32], warps: &[u32]) -> Spec {
        Spec::Blocked { regs: regs.into(), lanes: lanes.into(), warps: warps.into(), order: None }
    }

    /// `self.slice(axis)`
    #[must_use]
    pub fn slice(self, axis: u32) -> Spec {
        Spec::Slice(Box::new(self), axis)
    }

    /// `self.a(k_width:)`
    #[must_use]
    pub fn a(self, k_width: u32) -> Spec {
        Spec::Operand { of: Box::new(self), side: Side::A, k_width }
    }

    /// `self.b(k_width:)`
    #[must_use]
    pub fn b(self, k_width: u32) -> Spec {
        Spec::Operand { of: Box::new(self), side: Side::B, k_width }
    }

    /// The number of dimensions it is for; `None` if it fits several.
    pub fn rank(&self) -> Option<u32> {
        let given = |list: &Vec<Vec<u32>>| list.first().map(|it| it.len() as u32);
        match self {
            Spec::Blocked { regs, .. } => Some(regs.len() as u32),
            Spec::Slice(parent, _) => parent.rank().map(|it| it.saturating_sub(1)),
            Spec::Linear { regs, lanes, warps } => {
                given(regs).or_else(|| given(lanes)).or_else(|| given(warps))
            }
            Spec::Mma { warps } | Spec::Mfma { warps, .. } | Spec::Wmma { warps, .. } => {
                Some(warps.len() as u32)
            }
            Spec::Wgmma { .. } | Spec::TmemAcc { .. } | Spec::TmemScales => Some(2),
            Spec::Operand { of, .. } => of.rank(),
            Spec::Plain | Spec::Crosswise { .. } | Spec::Nvmma { .. } => None,
            Spec::Swizzled { order, .. } | Spec::Padded { order, .. } => {
                order.as_ref().map(|it| it.len() as u32)
            }
            Spec::SharedLinear { offsets } => given(offsets),
            Spec::Explicit(layout) => Some(layout.rank() as u32),
        }
    }

    /// Whether it spreads a tile over registers, lanes and warps.
    pub fn is_for_registers(&self) -> bool {
        match self {
            Spec::Blocked { .. }
            | Spec::Linear { .. }
            | Spec::Mma { .. }
            | Spec::Wgmma { .. }
            | Spec::Mfma { .. }
            | Spec::Wmma { .. }
            | Spec::Operand { .. } => true,
            Spec::Slice(parent, _) => parent.is_for_registers(),
            Spec::Plain
            | Spec::Swizzled { .. }
            | Spec::Crosswise { .. }
            | Spec::Nvmma { .. }
            | Spec::Padded { .. }
            | Spec::SharedLinear { .. }
            | Spec::TmemAcc { .. }
            | Spec::TmemScales => false,
            Spec::Explicit(layout) => layout.is_register_layout(),
        }
    }

    /// The map of registers, lanes and warps for this shape on this machine.
    pub fn apply(&self, shape: &[u32], machine: Machine) -> Result<Layout, SpecError> {
        registers::apply(self, shape, machine)
    }

    /// The map of offsets (or cells of tensor memory) for this shape of elements of `elem_bits` bits.
    pub fn apply_in_memory(&self, shape: &[u32], elem_bits: u32) -> Result<Layout, SpecError> {
        memory::apply(self, shape, elem_bits)
    }
}
