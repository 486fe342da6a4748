//! Names: which declaration a name means.
//!
//! A declaration is named by its item, which survives edits elsewhere; a member of an `impl` by its
//! place in that. Resolution itself is in the modules below.

use crate::ir::ItemKey;
use crate::op::surface::Builtin;

/// A function that a name means.
#[derive(Clone, PartialEq, Debug)]
pub enum FnRef {
    /// Written in Tile.
    Declared {
        /// The `fn`, `iter` or `kernel` item, or the `impl` around it.
        item: ItemKey,
        /// Its place among the members of the `impl`.
        member: Option<u32>,
    },
    /// Part of the compiler.
    Builtin(Builtin),
}

/// A struct, permit or enum.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TypeRef {
    /// Its item.
    pub item: ItemKey,
}
