//! Names: which declaration a name means.
//!
//! # Definition
//! A file is a module. Its [`Module`] lists what it declares, by name and kind, without bodies, so
//! that editing a body leaves it equal. [`resolve`] finds what a path means in a file: its own
//! declarations first, then what its `use` items bring, then the prelude (`pub use` items of
//! `std/prelude.tile`). Locals and the compiler's own operations are not names of modules; the
//! evaluator asks for those itself.
//!
//! A function, a type and a module may share a name, so a path means a list of declarations, and
//! the place decides: a call takes the function, `for` the `iter`, brackets and constructors the type.

mod declared;
pub mod mentions;
mod resolve;
pub mod suggest;

pub use declared::{Decl, DeclKind, ImplDecl, MemberDecl, Module, UseDecl, module};
pub use resolve::{Found, neighbours, resolve, resolve_use, visible};

use smol_str::SmolStr;

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

impl FnRef {
    /// The name that it was declared with.
    pub fn name(&self) -> SmolStr {
        match self {
            // An item is named by its kind and its name, `fn gelu`.
            FnRef::Declared { item, .. } => item.item.rsplit(' ').next().unwrap_or("").into(),
            FnRef::Builtin(it) => SmolStr::new_static(it.name()),
        }
    }
}

/// A struct, permit or enum.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TypeRef {
    /// Its item.
    pub item: ItemKey,
}
