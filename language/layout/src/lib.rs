//! Linear layouts over F2: where the elements of a tile live.

pub use layout::{In, Layout};
pub use spec::{Machine, Spec, SpecError};

mod layout;
mod spec;
