//! The Tile language: from text to checked tile IR, its analyses and its meaning.
//!
//! Pure: no files, no threads, no clock, no LLVM, no editor.

pub mod analysis;
pub mod check;
pub mod db;
pub mod diagnostic;
pub mod dtype;
pub mod elab;
pub mod engine;
pub mod host;
pub mod interp;
pub mod ir;
mod lint;
pub mod names;
pub mod op;
pub mod pass;
pub mod protocol;
pub mod query;
pub mod report;
pub mod target;
pub mod value;
