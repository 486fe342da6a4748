//! Launching kernels from a library directory that `tilec build` made.
//!
//! A [`Library`] is a directory with `manifest.json` and code objects: what was built, for which
//! targets, with the hash of every file and the launch plan of every kernel. [`Gpu`] is a device
//! behind its driver, which is loaded when it is first asked for: a program that links this crate
//! starts on a machine without one, and is told what is missing.
//!
//! A launch binds arguments by the kernel's plan first, so that a violated clause is the same
//! message here as on every engine, and nothing is launched then.
//!
//! A [`Recording`] is a library with launches beside it: what tests gave to kernels, and what must come
//! of it. `examples/replay.rs` repeats them on a device.
//!
//! Absent on purpose: the compiler. This crate is what a user's program links.

mod descriptor;
pub mod gpu;
pub mod manifest;
pub mod recording;

pub use gpu::{Geometry, Gpu, GpuError, Module};
pub use manifest::{Library, LibraryError, Manifest};
pub use recording::Recording;
