//! Host code: whole tensors, for `test` and `bench` bodies.

/// A tensor of host code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TensorId(pub u32);
