//! Numbers of all element types, bit by bit.
//!
//! An element is its bits, zero-extended to `u64`; which number they stand for is the element type's
//! business ([`decode`]). What an operation gives on one element is defined here ([`unary`],
//! [`binary`], [`cmp`], [`fma`], [`cast`]) and nowhere else: the interpreter's loops over tiles are
//! tested against it, constants folded at compile time and host tensors use it.

pub mod accuracy;
mod format;
pub mod functions;
mod pack;
mod scalar;

pub use format::{Exact, decode, encode, encode_exact, max_finite, nan};
pub use pack::{read, write};
pub use scalar::{binary, cast, cmp, fma, from_int, to_int, unary};
