//! Host code: whole tensors, for `test` and `bench` bodies.
//!
//! [`HostTensor`] is a tensor in memory, possibly a view of another one. [`HostRun`] is what the
//! evaluator asks of a test: it makes tensors, computes with them, launches kernels on an engine and
//! judges results; an [`Outline`] only says their types. Everything random is seeded ([`random`]).
//!
//! Arithmetic of host tensors is that of their element type, to the bit. References (`ref::…`) are
//! computed in float64 and have element type `f64`, except where an operation only moves or picks
//! elements.

mod args;
mod arith;
mod call;
mod expect;
mod outline;
pub mod random;
mod reference;
mod run;
mod tensor;

pub(crate) use call::knows;
pub use expect::{Closeness, Tolerance};
pub use outline::{Idle, Outline};
pub use run::HostRun;
pub use tensor::HostTensor;

/// A tensor of host code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TensorId(pub u32);
