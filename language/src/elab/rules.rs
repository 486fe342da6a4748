//! The meaning of operators and of the compiler's own operations, on evaluated operands.
//!
//! The evaluator calls these with at least one operand that is not a plain compile-time number.
//! Each reports its own mistakes and then gives [`Value::Error`]; an operand that is
//! [`Value::Error`] gives [`Value::Error`] without another message. Inside, a rule is a function
//! that gives `None` once it has reported something.

pub(crate) mod args;
pub(crate) mod arithmetic;
mod boxes;
pub(crate) mod casts;
pub(crate) mod cluster;
pub(crate) mod copy;
pub(crate) mod create;
mod describe;
pub(crate) mod layouts;
pub(crate) mod math;
pub(crate) mod memory;
pub(crate) mod mma;
pub(crate) mod numbers;
pub(crate) mod program;
pub(crate) mod shape;
pub(crate) mod shared;
pub(crate) mod stochastic;
pub(crate) mod sync;
mod unify;
pub(crate) mod wgmma;

use smol_str::SmolStr;
use tile_layout::Spec;
use tile_syntax::ast::{BinaryOp, Span, UnaryOp};

use self::args::Args;
pub(crate) use self::arithmetic::{Takes, symbol, takes, takes_unary};
use super::cx::Elab;
use super::value::{Arg, SharedType, TileLayout, TypeValue, Value};
use crate::dtype::DType;
use crate::ir;
use crate::op::surface::{Builtin, CONSTANTS};
use crate::report;

/// What stands in brackets after a tile, a tensor or a layout.
#[derive(Clone, PartialEq, Debug)]
pub enum Index {
    /// A value; a range too.
    Value(Value, Span),
    /// A lone `:`.
    Whole(Span),
    /// `None`: a new dimension.
    New(Span),
    /// `start ..+ len`, the length known now.
    Slice {
        /// The first index.
        start: Value,
        /// How many.
        len: u32,
        /// The range.
        span: Span,
    },
}

/// `lhs op rhs` where one side is no plain number.
pub fn binary(cx: &mut Elab<'_>, op: BinaryOp, lhs: Value, rhs: Value, span: Span) -> Value {
    if lhs == Value::Error || rhs == Value::Error {
        return Value::Error;
    }
    arithmetic::binary(cx, op, lhs, rhs, span).unwrap_or(Value::Error)
}

/// `lhs op rhs` as a program writes it: each side with its place, so that a fix can stand there.
pub fn binary_of(
    cx: &mut Elab<'_>,
    op: BinaryOp,
    lhs: (Value, Span),
    rhs: (Value, Span),
    span: Span,
) -> Value {
    if lhs.0 == Value::Error || rhs.0 == Value::Error {
        return Value::Error;
    }
    arithmetic::binary_of(cx, op, lhs, rhs, span).unwrap_or(Value::Error)
}

/// `op operand` on a tile.
pub fn unary(cx: &mut Elab<'_>, op: UnaryOp, operand: Value, span: Span) -> Value {
    if operand == Value::Error {
        return Value::Error;
    }
    arithmetic::unary(cx, op, operand, span).unwrap_or(Value::Error)
}

/// `value @ layout` on a tile or a list of extents.
pub fn at_layout(cx: &mut Elab<'_>, value: Value, layout: Value, span: Span) -> Value {
    let spec = match layout {
        Value::Layout(spec) if value != Value::Error => spec,
        Value::Error | Value::Layout(_) => return Value::Error,
        other => {
            let (place, got) = (cx.place(span), describe(cx, &other));
            cx.report(report::layouts::not_a_layout(place, &got));
            return Value::Error;
        }
    };
    shape::at_layout(cx, value, &spec, span).unwrap_or(Value::Error)
}

/// `base[…]` on a tile, a tensor or a layout.
pub fn bracket(cx: &mut Elab<'_>, base: Value, args: Vec<Index>, span: Span) -> Value {
    match base {
        Value::Tile(tile) => shape::bracket(cx, &tile, &args, span).unwrap_or(Value::Error),
        Value::View(view) => shared::bracket(cx, &view, &args, span).unwrap_or(Value::Error),
        Value::Barriers(it) => sync::barrier_at(cx, it, &args, span).unwrap_or(Value::Error),
        Value::Stages(it) => sync::stage(cx, &it, &args, span).unwrap_or(Value::Error),
        Value::Tiles(it) => copy::bracket(cx, &it, &args, span).unwrap_or(Value::Error),
        Value::Error => Value::Error,
        other => {
            let (place, got) = (cx.place(span), describe(cx, &other));
            cx.report(report::ops::takes_no_brackets(
                place,
                &got,
                matches!(other, Value::Tensor(_)),
            ));
            Value::Error
        }
    }
}

/// `value.name` on a tile, a tensor, a layout or a type; `None` if it has no such field.
pub fn field(cx: &mut Elab<'_>, value: &Value, name: &str, span: Span) -> Option<Value> {
    match value {
        Value::Tile(tile) => shape::field(cx, tile, name, span),
        Value::Tensor(tensor) => memory::field(cx, *tensor, name),
        Value::View(view) => shared::field(cx, view, name),
        Value::Tiles(tiles) => copy::tiles_field(cx, tiles, name),
        Value::Unplaced(it) => match name {
            "shape" => {
                Some(Value::Array(it.shape.iter().map(|&it| Value::Int(i128::from(it))).collect()))
            }
            "rank" => Some(Value::Int(it.shape.len() as i128)),
            _ => None,
        },
        Value::Layout(spec) => match name {
            "rank" => spec.rank().map(|it| Value::Int(i128::from(it))),
            _ => None,
        },
        // A tuple of tiles is asked as its first one is.
        Value::Tuple(parts) => parts.first().and_then(|it| field(cx, it, name, span)),
        Value::Type(ty) => casts::field(ty, name),
        // What a number becomes if nothing else decides.
        Value::Float(_) if name == "dtype" => Some(Value::Type(TypeValue::Scalar(DType::F32))),
        Value::Int(_) if name == "dtype" => Some(Value::Type(TypeValue::Scalar(DType::I32))),
        Value::Bool(_) if name == "dtype" => Some(Value::Type(TypeValue::Scalar(DType::Bool))),
        _ => None,
    }
}

/// `let s: shared T;`
pub fn allocate(cx: &mut Elab<'_>, ty: &TypeValue, span: Span) -> Value {
    sync::allocate(cx, ty, span).unwrap_or(Value::Error)
}

/// `shared T` as a type.
pub(super) fn shared_type(cx: &mut Elab<'_>, of: TypeValue, span: Span) -> Option<TypeValue> {
    shared::shared_type(cx, of, span)
}

/// The map of memory of a type; reports a layout that does not fit it.
pub(super) fn memory_map(
    cx: &mut Elab<'_>,
    of: &SharedType,
    span: Span,
) -> Option<tile_layout::MemoryMap> {
    shared::map_of(cx, of, span)
}

/// Calls an operation of the compiler; for a method the receiver is the first argument.
pub fn call(cx: &mut Elab<'_>, builtin: Builtin, args: Vec<Arg>, span: Span) -> Value {
    if args.iter().any(|it| it.value == Value::Error) {
        return Value::Error;
    }
    let row = builtin.row();
    for &cap in row.needs {
        cx.need(cap, row.path, span);
    }
    let Some(args) = Args::bind(cx, builtin, args, span) else { return Value::Error };
    (row.rule)(cx, &args).unwrap_or(Value::Error)
}

/// A name of the compiler that is a value: `inf`, `nan`, `LN_2`; `None` if it is not one.
pub fn constant(path: &[SmolStr]) -> Option<Value> {
    let [name] = path else { return None };
    CONSTANTS.iter().find(|it| it.name == name.as_str()).map(|it| Value::Float(it.value))
}

/// A compile-time number as an IR scalar of type `wanted`; reports one that does not fit.
pub fn materialize(
    cx: &mut Elab<'_>,
    value: &Value,
    wanted: ir::Elem,
    span: Span,
) -> Option<ir::Value> {
    numbers::materialize(cx, value, wanted, span)
}

/// How a type, a layout or a value reads in a message: `f32[128] @ blocked(…)`.
pub fn describe(cx: &Elab<'_>, value: &Value) -> String {
    describe::value(cx, value)
}

/// How a layout reads in a message, as a program would write it.
pub fn describe_spec(spec: &Spec) -> String {
    describe::spec(spec)
}

/// How a type reads in a message.
pub fn describe_type(ty: &TypeValue) -> String {
    describe::ty(ty)
}

/// How an element type reads in a message.
pub fn describe_elem(elem: ir::Elem) -> String {
    describe::elem(elem)
}

/// How a shape reads in a message: `[128, 64]`.
pub fn describe_shape(shape: &[u32]) -> String {
    describe::shape(shape)
}

/// How an open layout reads in a message.
fn describe_open(layout: &TileLayout) -> String {
    describe::open_layout(layout)
}

/// Whether two layouts are the same map; they are compared on a shape that both fill if neither has one.
pub fn same_layout(cx: &Elab<'_>, a: &Spec, b: &Spec) -> bool {
    layouts::same_map(cx, a, b)
}

#[cfg(test)]
mod tests;
