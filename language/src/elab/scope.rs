//! Names visible in a body, as a closure keeps them.

use std::sync::Arc;

use smol_str::SmolStr;

use super::value::Value;
use crate::names::TypeRef;

/// The names around a closure with the values that they had when it was made.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Scope {
    /// Local names, innermost last.
    pub names: Arc<[(SmolStr, Value)]>,
    /// The type whose `impl` the closure stands in, with its compile-time arguments.
    pub this: Option<(TypeRef, Arc<[Value]>)>,
}
