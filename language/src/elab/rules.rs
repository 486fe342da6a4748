//! The meaning of operators and of the compiler's own operations, on evaluated operands.
//!
//! The evaluator calls these with at least one operand that is not a plain compile-time number;
//! [`Value::Error`] never arrives. Each reports its own mistakes and then gives [`Value::Error`].

use smol_str::SmolStr;
use tile_syntax::ast::{BinaryOp, Span, UnaryOp};

use super::cx::Elab;
use super::value::{Arg, Value};
use crate::ir;
use crate::op::surface::Builtin;

/// What stands in brackets after a tile, a tensor or a layout.
#[derive(Clone, PartialEq, Debug)]
pub enum Index {
    /// A value; a range too.
    Value(Value, Span),
    /// A lone `:`.
    Whole(Span),
    /// `None`: a new dimension.
    New(Span),
}

/// `lhs op rhs` where one side is a tile or a layout.
pub fn binary(cx: &mut Elab<'_>, op: BinaryOp, lhs: Value, rhs: Value, span: Span) -> Value {
    let _ = (op, lhs, rhs);
    cx.unsupported("this operator", span)
}

/// `op operand` on a tile.
pub fn unary(cx: &mut Elab<'_>, op: UnaryOp, operand: Value, span: Span) -> Value {
    let _ = (op, operand);
    cx.unsupported("this operator", span)
}

/// `value @ layout` on a tile.
pub fn at_layout(cx: &mut Elab<'_>, value: Value, layout: Value, span: Span) -> Value {
    let _ = (value, layout);
    cx.unsupported("`@` on a tile", span)
}

/// `base[…]` on a tile, a tensor or a layout.
pub fn bracket(cx: &mut Elab<'_>, base: Value, args: Vec<Index>, span: Span) -> Value {
    let _ = (base, args);
    cx.unsupported("this index", span)
}

/// `value.name` on a tile, a tensor or a layout; `None` if it has no such field.
pub fn field(cx: &mut Elab<'_>, value: &Value, name: &str, span: Span) -> Option<Value> {
    let _ = (cx, value, name, span);
    None
}

/// Calls an operation of the compiler; for a method the receiver is the first argument.
pub fn call(cx: &mut Elab<'_>, builtin: Builtin, args: Vec<Arg>, span: Span) -> Value {
    let _ = (builtin, args);
    cx.unsupported("this operation", span)
}

/// A name of the compiler that is a value: `inf`, `nan`, `LN_2`; `None` if it is not one.
pub fn constant(path: &[SmolStr]) -> Option<Value> {
    let _ = path;
    None
}

/// A compile-time number as an IR scalar of type `wanted`; reports one that does not fit.
pub fn materialize(
    cx: &mut Elab<'_>,
    value: &Value,
    wanted: ir::Elem,
    span: Span,
) -> Option<ir::Value> {
    let _ = (value, wanted);
    cx.unsupported("this number", span);
    None
}

/// How a type, a layout or a value reads in a message: `f32[128] @ blocked(…)`.
pub fn describe(cx: &Elab<'_>, value: &Value) -> String {
    let _ = cx;
    format!("{value:?}")
}
