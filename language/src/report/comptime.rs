//! Wording of what concerns compile-time evaluation.

use crate::diagnostic::{Code, Diagnostic};
use crate::ir::Place;

/// `what` is part of the language, but this release does not compile it.
pub fn unsupported(place: Place, what: &str) -> Diagnostic {
    Diagnostic::new(Code::E0401, format!("{what} is not supported yet"), place)
}
