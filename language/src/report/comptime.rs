//! Wording of what concerns compile-time evaluation.

use super::names::quoted;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::Place;

fn new(code: Code, message: impl Into<String>, place: Place) -> Diagnostic {
    Diagnostic::new(code, message.into(), place)
}

/// `what` is part of the language, but this release does not compile it.
pub fn unsupported(place: Place, what: &str) -> Diagnostic {
    new(Code::E0401, format!("{what} is not supported yet"), place)
}

/// A value that depends on run time where it must be known.
pub fn not_known(place: Place, got: &str) -> Diagnostic {
    let got = quoted(got);
    new(Code::E0402, format!("this must be known at compile time, it is {got}"), place)
}

/// A literal past 127 bits.
pub fn number_too_large(place: Place) -> Diagnostic {
    new(Code::E0403, "this number does not fit 127 bits", place)
}

/// Arithmetic past 128 bits.
pub fn overflow(place: Place) -> Diagnostic {
    new(Code::E0403, "the result does not fit 128 bits", place)
}

/// Division by zero.
pub fn division_by_zero(place: Place) -> Diagnostic {
    new(Code::E0403, "the divisor is zero", place)
}

/// Calls nested too deep.
pub fn too_deep(place: Place) -> Diagnostic {
    new(Code::E0404, "calls are nested 256 deep here", place)
        .help("functions are inlined: a recursion must end at compile time, under `static if`")
}

/// Evaluation that takes too many steps.
pub fn too_long(place: Place, steps: u64) -> Diagnostic {
    new(Code::E0404, format!("evaluation has not ended after {steps} steps"), place)
}

/// A constant that needs its own value.
pub fn constant_of_itself(place: Place) -> Diagnostic {
    new(Code::E0404, "this constant's value depends on itself", place)
}

/// A loop whose variables never settle to types.
pub fn loop_unsettled(place: Place) -> Diagnostic {
    new(Code::E0404, "the variables that this loop changes do not settle to fixed types", place)
}

/// A `static_assert` that does not hold.
pub fn static_assert(place: Place, why: Option<&str>) -> Diagnostic {
    match why {
        Some(why) => new(Code::E0405, why, place),
        None => new(Code::E0405, "this does not hold", place),
    }
}

/// An `expect` clause.
pub fn contract_unchecked(place: Place) -> Diagnostic {
    new(Code::W0101, "contracts are not checked yet", place)
}

/// Code that should have been refused was not.
pub fn not_refused(place: Place, code: &str) -> Diagnostic {
    new(Code::E0406, format!("this should give `{code}`, and gives nothing"), place)
}
