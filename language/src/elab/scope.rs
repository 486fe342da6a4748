//! Names visible in a body.

/// The names around a place.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Scope;
