//! Products of matrices as lanes hold them: those of a warp, and those of a warp group beside the program.

use std::sync::Arc;

use super::{Real, Row, Slot};
use crate::sim::fragment::Moves;

/// How an element of a matrix operand lies in its bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) enum Number {
    Real(Real),
    /// Single precision of which the low 13 bits have no effect (tf32, xf32).
    Truncated,
    Signed {
        bits: u8,
    },
    Unsigned {
        bits: u8,
    },
}

/// A matrix of a product as the lanes hold it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::sim) struct Operand {
    pub(in crate::sim) number: Number,
    /// Bits of an element in a row.
    pub(in crate::sim) bits: u8,
    /// Elements in a row.
    pub(in crate::sim) packed: usize,
    pub(in crate::sim) rows: Vec<Slot>,
    pub(in crate::sim) moves: Arc<Moves>,
}

/// What the terms of a product are summed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) enum Arithmetic {
    /// Fused chains over `k` in single precision, rounded to the sum's format at the end.
    Single,
    /// Fused chains over `k` in double precision.
    Double,
    /// Integers of 32 bits, which wrap around or stop at the largest and smallest.
    Integer { saturates: bool },
}

/// Where the power of two comes from that 32 elements along `k` are multiplied by: the exponent,
/// with 127 for one, is byte `byte` of this row in lane `i + m * (k / 32)` for row (or column) `i`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) struct Scale {
    pub(in crate::sim) row: Row,
    pub(in crate::sim) byte: u8,
}

/// `d = left * right + sum` over the lanes of a warp.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::sim) struct Product {
    /// Products side by side, rows, columns, depth.
    pub(in crate::sim) extents: [usize; 4],
    pub(in crate::sim) arithmetic: Arithmetic,
    pub(in crate::sim) left: Operand,
    pub(in crate::sim) right: Operand,
    pub(in crate::sim) sum: Operand,
    /// Rows of the result, which lie as those of the sum but may be packed otherwise.
    pub(in crate::sim) d: Operand,
    /// Scales of the factors.
    pub(in crate::sim) scales: Option<[Scale; 2]>,
}

/// The left factor of a warp group's product.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::sim) enum GroupLeft {
    Registers(Vec<Slot>),
    /// By a descriptor; whether its neighbours along `k` are apart.
    Memory {
        word: Row,
        turned: bool,
    },
}

/// `d = left * right + d` over the warps of a group, beside the program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::sim) struct GroupProduct {
    /// Columns and depth.
    pub(in crate::sim) n: usize,
    pub(in crate::sim) k: usize,
    /// Elements of the left factor, of the right one and of the sum.
    pub(in crate::sim) numbers: [Number; 3],
    pub(in crate::sim) left: GroupLeft,
    pub(in crate::sim) right: Row,
    pub(in crate::sim) right_turned: bool,
    /// Whether the sum starts from what is in `d`.
    pub(in crate::sim) adds: Row,
    pub(in crate::sim) d: Vec<Slot>,
}

/// A wait for products: how many groups may stay, and the rows that get what has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::sim) struct AwaitProducts {
    pub(in crate::sim) pending: u32,
    pub(in crate::sim) rows: Vec<Slot>,
}
