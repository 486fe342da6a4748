//! Operations: the closed set of things that a kernel's IR can do, one row each.
//!
//! A row is a variant of a family's enum together with its [`OpRow`]: the name in the IR's text,
//! the user's documentation, what it reads and writes, what the target must have, and the manual.
//! The checker, completion, hover, the reference, the verifier, the interpreter and the lowering
//! all read the same row. Families are `tile`, `memory` (global), `shared`, `copy`, `sync` and `mma`;
//! control flow is [`FlowOp`]. A match over a family has no `_ =>` arm anywhere, so a new
//! row fails to compile in exactly the places that must learn it.

pub mod copy;
pub mod flow;
pub mod memory;
pub mod mma;
pub mod shared;
pub mod surface;
pub mod sync;
pub mod tile;

pub use copy::CopyOp;
pub use flow::FlowOp;
pub use memory::MemoryOp;
pub use mma::MmaOp;
pub use shared::SharedOp;
pub use sync::SyncOp;
pub use tile::TileOp;

/// What an operation does besides computing its results.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Effects {
    /// Nothing: equal operands give equal results, and an unused result can be dropped.
    Pure,
    /// Reads memory that others may write.
    Read,
    /// Writes memory, or what a person sees.
    Write,
    /// Reads and writes memory.
    ReadWrite,
    /// Runs its regions; their effects are its own.
    Regions,
}

/// The declaration of one operation.
#[derive(Clone, Copy, Debug)]
pub struct OpRow {
    /// Its name in the IR's text, `tile.select`.
    pub name: &'static str,
    /// Names of its operands, in order; the last may end in `…` for any number.
    pub operands: &'static [&'static str],
    /// What it does besides its results.
    pub effects: Effects,
    /// Where its meaning is written down.
    pub source: &'static str,
    /// The user's documentation.
    pub doc: &'static str,
}

/// Declares a family: an enum with a row for every variant.
///
/// `Name { field: Type } = "text"(operands) Effects, "source";` under a doc comment.
macro_rules! family {
    (
        $(#[$meta:meta])* $family:ident $prefix:literal;
        $(
            $(#[doc = $doc:literal])+
            $variant:ident $({ $($(#[$fmeta:meta])* $field:ident : $fty:ty),* $(,)? })? = $name:literal ($($operand:literal),*) $effects:ident, $source:literal;
        )*
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        pub enum $family {
            $( $(#[doc = $doc])+ $variant $({ $($(#[$fmeta])* $field: $fty),* })?, )*
        }

        impl $family {
            /// Every row of the family, in order of declaration.
            pub const ROWS: &'static [$crate::op::OpRow] = &[
                $($crate::op::OpRow {
                    name: concat!($prefix, ".", $name),
                    operands: &[$($operand),*],
                    effects: $crate::op::Effects::$effects,
                    source: $source,
                    doc: concat!($($doc, "\n"),+),
                }),*
            ];

            /// This operation's row.
            pub fn row(&self) -> &'static $crate::op::OpRow {
                #[allow(non_camel_case_types, clippy::enum_variant_names, reason = "indices of the rows, named as the variants")]
                enum Index { $($variant),* }
                let index = match self { $( $family::$variant { .. } => Index::$variant as usize ),* };
                &Self::ROWS[index]
            }
        }
    };
}
pub(crate) use family;

/// Declares a list of words with a doc sentence each: kinds of arithmetic, orders, scopes.
macro_rules! words {
    ($(#[$meta:meta])* $list:ident; $($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)*) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $list { $($(#[doc = $doc])+ $variant,)* }

        impl $list {
            /// All of them, in order.
            pub const ALL: &'static [$list] = &[$($list::$variant),*];

            /// The word.
            pub fn name(self) -> &'static str {
                match self { $($list::$variant => $name),* }
            }

            /// The one of that name; `None` if there is none.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.name() == name)
            }

            /// What it means, for users.
            pub fn doc(self) -> &'static str {
                match self { $($list::$variant => concat!($($doc, "\n"),+)),* }
            }
        }
    };
}
pub(crate) use words;

/// Any operation.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    /// Loops and branches.
    Flow(FlowOp),
    /// Values in registers.
    Tile(TileOp),
    /// Global memory.
    Memory(MemoryOp),
    /// Shared memory.
    Shared(SharedOp),
    /// Copies in flight.
    Copy(CopyOp),
    /// Order between threads.
    Sync(SyncOp),
    /// Matrix units.
    Mma(MmaOp),
}

impl Op {
    /// The operation's row.
    pub fn row(&self) -> &'static OpRow {
        match self {
            Op::Flow(it) => it.row(),
            Op::Tile(it) => it.row(),
            Op::Memory(it) => it.row(),
            Op::Shared(it) => it.row(),
            Op::Copy(it) => it.row(),
            Op::Sync(it) => it.row(),
            Op::Mma(it) => it.row(),
        }
    }
}
