//! Why a launch is refused: data, and one sentence for each reason.
//!
//! The sentence names kernel, clause and values, and reads the same on every engine and launcher.

use std::fmt;

use crate::MapRule;
use crate::expr::EvalError;

/// A launch that was refused. Nothing was launched.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("cannot launch `{kernel}`: {problem}")]
pub struct LaunchError {
    /// The kernel as the user names it.
    pub kernel: String,
    /// The rule that was violated.
    pub problem: Problem,
}

/// A name and what it stands for in this launch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Value {
    /// The symbol or the scalar parameter.
    pub name: String,
    /// Its value.
    pub value: i64,
}

/// The rules that a launch can violate. `param` is always the parameter's name.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "the fields are the words of the sentences below")]
pub enum Problem {
    /// More arguments than parameters.
    TooManyArguments { given: usize, expected: usize },
    /// Neither optional nor with a default, and left out.
    Missing { param: String },
    /// A tensor where a scalar belongs, or the reverse.
    Kind { param: String, expected: &'static str, given: &'static str },
    /// Another element type.
    Dtype { param: String, expected: String, given: String },
    /// Another number of dimensions.
    Rank { param: String, expected: usize, given: usize },
    /// An extent is not what the declaration says.
    Extent { param: String, axis: usize, text: String, expected: i64, given: i64 },
    /// Law L2: one name, two values.
    Conflict { name: String, first: Box<Sighting>, second: Box<Sighting> },
    /// A size or stride that does not fit its machine word.
    TooLarge { name: String, value: i128, bits: u32 },
    /// A stride is not what the declaration says.
    Stride { param: String, axis: usize, expected: i64, given: i64, contiguous: bool },
    /// The address is not a multiple of what was promised.
    Alignment { param: String, address: u64, align: u32 },
    /// Elements smaller than a byte that do not fill whole bytes.
    PartOfByte { param: String, axis: usize, is_stride: bool, elements: i64, whole: i64 },
    /// A scalar has no such value.
    Scalar { param: String, dtype: String, value: String },
    /// A `where` clause is false.
    Where { text: String, values: Vec<Value> },
    /// A clause or the grid cannot be computed.
    Eval { clause: String, error: EvalError, values: Vec<Value> },
    /// The copy engine cannot move boxes of a tensor that is like this.
    Map { param: String, rule: MapRule },
    /// A grid's extent is negative or too large.
    Grid { axis: usize, value: i64, max: u32, text: String },
    /// A grid's extent is no whole number of clusters.
    Cluster { axis: usize, value: u32, blocks: u32, text: String },
}

/// Where a name got its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sighting {
    /// The tensor.
    pub param: String,
    /// Its dimension.
    pub axis: usize,
    /// Whether it is the dimension's stride instead of its extent.
    pub stride: bool,
    /// The value.
    pub value: i64,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::TooManyArguments { given, expected } => {
                write!(f, "{given} arguments are given, it has {expected} parameters")
            }
            Problem::Missing { param } => write!(f, "argument `{param}` is missing"),
            Problem::Kind { param, expected, given } => {
                write!(f, "argument `{param}` is a {expected}, a {given} is given")
            }
            Problem::Dtype { param, expected, given } => {
                write!(f, "`{param}` has elements of type `{expected}`, `{given}` is given")
            }
            Problem::Rank { param, expected, given } => {
                write!(f, "`{param}` has {expected} dimensions, {given} are given")
            }
            Problem::Extent { param, axis, text, expected, given } => {
                write!(f, "dimension {axis} of `{param}` is {given}")?;
                if *text == expected.to_string() {
                    write!(f, " where it is declared as {expected}")
                } else {
                    write!(f, " where `{text}` is {expected}")
                }
            }
            Problem::Conflict { name, first, second } => {
                write!(f, "`{name}` is {first} and {second}")
            }
            Problem::TooLarge { name, value, bits } => {
                write!(f, "`{name}` is {value}, which does not fit its {bits} bits")
            }
            Problem::Stride { param, axis, expected, given, contiguous } => {
                let why = if *contiguous { " for a contiguous row-major tensor" } else { "" };
                write!(
                    f,
                    "dimension {axis} of `{param}` has a stride of {given} elements where \
                     {expected} is expected{why}"
                )
            }
            Problem::Alignment { param, address, align } => {
                write!(
                    f,
                    "the address of `{param}` ({address:#x}) is not a multiple of {align} bytes"
                )
            }
            Problem::PartOfByte { param, axis, is_stride, elements, whole } => {
                let what = if *is_stride { "has a stride of" } else { "is" };
                write!(
                    f,
                    "dimension {axis} of `{param}` {what} {elements} elements, which are no whole \
                     bytes: {whole} elements are"
                )
            }
            Problem::Scalar { param, dtype, value } => {
                write!(f, "`{param}` is {value}, which is no `{dtype}`")
            }
            Problem::Where { text, values } => {
                write!(f, "`where {text}` does not hold")?;
                write_values(f, ": ", values)
            }
            Problem::Eval { clause, error, values } => {
                write!(f, "`{clause}` has no value: {error}")?;
                write_values(f, "; ", values)
            }
            Problem::Map { param, rule } => {
                write!(f, "the copy engine cannot move boxes of `{param}`: {rule}")
            }
            Problem::Grid { axis, value, max, text } => {
                write!(f, "`grid` has {value} blocks along axis {axis} (`{text}`)")?;
                if *value < 0 { Ok(()) } else { write!(f, ", at most {max} are possible") }
            }
            Problem::Cluster { axis, value, blocks, text } => {
                let ones = if *value == 1 { "block" } else { "blocks" };
                write!(
                    f,
                    "`grid` has {value} {ones} along axis {axis} (`{text}`), which is no multiple of the \
                     {blocks} of a `cluster`"
                )
            }
        }
    }
}

fn write_values(f: &mut fmt::Formatter<'_>, before: &str, values: &[Value]) -> fmt::Result {
    for (idx, Value { name, value }) in values.iter().enumerate() {
        write!(f, "{}`{name}` is {value}", if idx == 0 { before } else { ", " })?;
    }
    Ok(())
}

impl fmt::Display for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sighting { param, axis, stride, value } = self;
        let what = if *stride { "stride of dimension" } else { "dimension" };
        write!(f, "{value} by {what} {axis} of `{param}`")
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvalError::Overflow { fun, a, b } => {
                write!(f, "`{fun}` of {a} and {b} does not fit 64 bits")
            }
            EvalError::DivisionByZero { a } => write!(f, "{a} is divided by zero"),
            EvalError::Unbound(_) => write!(f, "it reads a size of a tensor that is absent"),
            EvalError::NotAnInteger(_) => write!(f, "it reads an argument that is not an integer"),
        }
    }
}
