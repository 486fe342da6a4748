//! From tile IR to code objects, and the simulator that judges the lowering.
//!
//! [`lower()`] makes the LLVM module, [`Backend`] optimises it and turns it into PTX or AMDGCN, and
//! [`build`] does all of it for a kernel, with what an assembler and a linker make of it where they
//! are found. This crate alone names LLVM.

mod artifacts;
mod assembler;
mod backend;
mod chip;
mod emit;
mod engine;
mod error;
mod link;
mod listing;
mod lower;
mod report;
pub mod sim;

pub use artifacts::{Artifacts, BuildOptions, CodeObject, build};
pub use assembler::find_ptxas;
pub use backend::Backend;
pub use engine::SimEngine;
pub use error::BuildError;
pub use link::find_lld;
pub use listing::{Listing, ListingForm, list};
pub use lower::{AccessWidth, Hook, HookKind, LowerOptions, Lowered, lower};
pub use report::Resources;

/// The version of LLVM that this program runs with, `22.1.8`.
pub fn llvm_version() -> String {
    let (major, minor, patch) = inkwell::support::get_llvm_version();
    format!("{major}.{minor}.{patch}")
}
