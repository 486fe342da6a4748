//! Compile-time numbers: their bits as elements, and the integer functions of shapes and launches.

use tile_syntax::ast::Span;

use super::args::Args;
use super::{arithmetic, math};
use crate::dtype::{Class, DType, FloatFormat, Specials};
use crate::elab::cx::Elab;
use crate::elab::value::Value;
use crate::ir::{self, Elem, Type};
use crate::op::TileOp;
use crate::op::tile::{BinaryOp, Round};
use crate::report;
use crate::value::{Exact, decode, encode, encode_exact, max_finite};

/// The bits of a compile-time number as an element; reports one that the type does not have.
pub(super) fn constant_bits(
    cx: &mut Elab<'_>,
    value: &Value,
    elem: Elem,
    span: Span,
) -> Option<u64> {
    let bits = match elem {
        Elem::Data(dtype) => bits_of(value, dtype),
        Elem::Pointer(_) | Elem::Shared(_) | Elem::Barrier | Elem::Map => None,
    };
    if bits.is_none() && *value != Value::Error {
        let (place, got) = (cx.place(span), super::describe(cx, value));
        cx.report(report::ops::does_not_fit(place, &got, elem));
    }
    bits
}

/// The bits of a number in a type that has it; `None` if the type has not.
fn bits_of(value: &Value, dtype: DType) -> Option<u64> {
    match (value, dtype.class()) {
        (Value::Bool(it), Class::Bool) => Some(u64::from(*it)),
        (Value::Int(it), Class::Signed | Class::Unsigned) => int_bits(*it, dtype),
        (Value::Int(it), Class::Float(_)) => whole_bits(*it, dtype),
        (Value::Float(it), Class::Float(format)) => float_bits(*it, dtype, format),
        _ => None,
    }
}

/// Two's complement, zero-extended.
fn int_bits(value: i128, dtype: DType) -> Option<u64> {
    let width = dtype.bits();
    let (lo, hi) = match dtype.class() {
        Class::Signed => (-(1i128 << (width - 1)), (1i128 << (width - 1)) - 1),
        _ => (0, (1i128 << width) - 1),
    };
    let mask = u64::MAX >> (64 - width);
    (lo <= value && value <= hi).then_some(value as u64 & mask)
}

/// An integer in a float type, if it is exactly one of its numbers.
fn whole_bits(value: i128, dtype: DType) -> Option<u64> {
    let bits = encode_exact(dtype, Exact::from_int(value), Round::Nearest);
    (decode(dtype, bits) == value as f64 && value.unsigned_abs() < 1 << 100).then_some(bits)
}

/// A float rounded to nearest, if it is not beyond the type's range.
fn float_bits(value: f64, dtype: DType, format: FloatFormat) -> Option<u64> {
    let has = match format.specials {
        Specials::Ieee => true,
        Specials::NanOnly | Specials::Fnuz => !value.is_infinite(),
        Specials::Finite => value.is_finite(),
    };
    let bits = encode(dtype, value, Round::Nearest);
    let fits = !value.is_finite()
        || decode(dtype, bits).is_finite() && value.abs() <= 2.0 * max_finite(dtype);
    (has && fits).then_some(bits)
}

/// A compile-time number, or a scalar, as an IR scalar of type `wanted`; reports what does not fit.
pub(super) fn materialize(
    cx: &mut Elab<'_>,
    value: &Value,
    wanted: Elem,
    span: Span,
) -> Option<ir::Value> {
    if let Value::Tile(tile) = value {
        return Some(tile.value);
    }
    let bits = constant_bits(cx, value, wanted, span)?;
    let ty = Type::single(wanted);
    Some(cx.emit_one(TileOp::Const { bits }, &[], ty, span))
}

/// `cdiv(a, b)`: `a / b` rounded up, for `a` not negative.
pub(crate) fn cdiv(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (a, b) = (args.value("a").clone(), args.value("b").clone());
    if let (Value::Int(a), Value::Int(b)) = (&a, &b) {
        if *b <= 0 {
            args.mismatch(cx, args.arg("b"), "a positive divisor");
            return None;
        }
        return Some(Value::Int(a.div_euclid(*b) + i128::from(a.rem_euclid(*b) != 0)));
    }
    use tile_syntax::ast::BinaryOp as Op;
    let less = arithmetic::binary(cx, Op::Sub, b.clone(), Value::Int(1), args.span)?;
    let sum = arithmetic::binary(cx, Op::Add, a, less, args.span)?;
    arithmetic::binary(cx, Op::Div, sum, b, args.span)
}

/// `log2(x)`: of an integer the position of its highest bit, of floats the logarithm.
pub(crate) fn log2(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    match args.value("x") {
        Value::Int(it) if *it > 0 => Some(Value::Int(i128::from(it.ilog2()))),
        Value::Int(_) => {
            args.mismatch(cx, args.arg("x"), "a positive integer");
            None
        }
        _ => math::log2(cx, args),
    }
}

/// `next_pow2(n)`: the smallest power of two not below `n`.
pub(crate) fn next_pow2(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let n = args.int(cx, "n")?;
    if let Some(power) = u64::try_from(n).ok().and_then(u64::checked_next_power_of_two) {
        return Some(Value::Int(i128::from(power)));
    }
    args.mismatch(cx, args.arg("n"), "an integer from 0 to 2^63");
    None
}

/// `is_pow2(n)`
pub(crate) fn is_pow2(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let n = args.int(cx, "n")?;
    Some(Value::Bool(n > 0 && n & (n - 1) == 0))
}

/// The smaller or the larger of two compile-time numbers; `None` if one is not.
pub(super) fn pick(op: BinaryOp, a: &Value, b: &Value) -> Option<Value> {
    let smaller = matches!(op, BinaryOp::Min | BinaryOp::MinNan);
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => {
            Some(Value::Int(if smaller { *a.min(b) } else { *a.max(b) }))
        }
        (Value::Float(a), Value::Float(b)) => {
            let propagates = matches!(op, BinaryOp::MinNan | BinaryOp::MaxNan);
            let picked = match (propagates && (a.is_nan() || b.is_nan()), smaller) {
                (true, _) => f64::NAN,
                (false, true) => a.min(*b),
                (false, false) => a.max(*b),
            };
            Some(Value::Float(picked))
        }
        (Value::Int(a), Value::Float(_)) => pick(op, &Value::Float(*a as f64), b),
        (Value::Float(_), Value::Int(b)) => pick(op, a, &Value::Float(*b as f64)),
        _ => None,
    }
}
