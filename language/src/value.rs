//! Numbers of all element types, bit by bit.
//!
//! An element is its bits, zero-extended to `u64`; which number they stand for is the element type's
//! business ([`format`](decode)). What an operation gives on one element is defined here and nowhere
//! else; the interpreter's loops over tiles, constants folded at compile time and host tensors all
//! give these bits.

mod format;

pub use format::{Exact, decode, encode, encode_exact, max_finite, nan};
