//! `x.to(T, round: stochastic(bits))`: up with the probability that nearness gives, from random bits.
//!
//! # Definition
//! Let `T` keep `p` bits of a mantissa, so that a normal `f32` has `d = 23 - p` bits below the last one
//! kept. The low `d` bits of `bits` are added to the magnitude at these places, then what is below
//! the last kept bit is cut off. Below the smallest normal number of `T` the places are those of its
//! steps, to which the magnitude is first brought, rounded to nearest even at the lowest of them. A
//! carry goes into the exponent; beyond the largest number stands what nearest rounding gives.
//! Infinities and NaNs convert as ever.
//!
//! No engine knows of it: it is integer and float arithmetic of the IR, and so the same on all.

use tile_syntax::ast::{BinaryOp, Span};

use super::args::Args;
use super::arithmetic;
use super::unify::elem_of;
use crate::dtype::{Class, DType, FloatFormat};
use crate::elab::cx::Elab;
use crate::elab::value::{Tile, Value};
use crate::ir::Elem;
use crate::op::TileOp;
use crate::op::tile::Round;
use crate::report;

/// The field of the record that stands for this rounding.
const FIELD: &str = "stochastic";

const F32: Elem = Elem::Data(DType::F32);
const U32: Elem = Elem::Data(DType::U32);
const MANTISSA: u32 = 23;
const BIAS: i32 = 127;
const SIGN: i128 = 1 << 31;
const INFINITY: i128 = 0x7f80_0000;

/// `stochastic(bits)`: a rounding for `.to`.
pub(crate) fn rounding(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let bits = args.value("bits");
    if elem_of(cx, bits) != Some(U32) {
        args.mismatch(cx, args.arg("bits"), "random bits, a tile or a scalar of `u32`");
        return None;
    }
    Some(Value::Record([(FIELD.into(), bits.clone())].into()))
}

/// The random bits, if that is the rounding that `.to` was given.
pub(super) fn bits_of(rounding: &Value) -> Option<&Value> {
    match rounding {
        Value::Record(fields) => match &fields[..] {
            [(name, bits)] if name == FIELD => Some(bits),
            _ => None,
        },
        _ => None,
    }
}

/// The conversion.
pub(super) fn convert(
    cx: &mut Elab<'_>,
    args: &Args,
    dtype: DType,
    random: &Value,
) -> Option<Value> {
    let arg = args.arg("x");
    if elem_of(cx, &arg.value) != Some(F32) || !matches!(arg.value, Value::Tile(_)) {
        args.mismatch(cx, arg, "a tile or a scalar of `f32` for stochastic rounding");
        return None;
    }
    let Some(format) = target_format(dtype) else {
        let place = cx.place(args.arg("T").span);
        cx.report(report::ops::not_stochastic(place, dtype));
        return None;
    };
    let mut it = Steps { cx, span: args.span };
    let raw = it.reinterpreted(arg.value.clone(), DType::U32)?;
    let rounded = it.rounded(&raw, random, format)?;
    let value = it.reinterpreted(rounded, DType::F32)?;
    let Value::Tile(tile) = value else { return None };
    let ty = cx.ty(tile.value).with_elem(Elem::Data(dtype));
    let op = TileOp::Cast { round: Round::Nearest };
    let value = cx.emit_one(op, &[tile.value], ty, args.span);
    Some(Value::Tile(Tile { value, layout: tile.layout }))
}

/// The format of a type that this rounding goes to.
fn target_format(dtype: DType) -> Option<FloatFormat> {
    match dtype.class() {
        Class::Float(it) if dtype.bits() <= 16 && dtype != DType::F8E8M0 => Some(it),
        _ => None,
    }
}

/// Emits one operation after the other.
struct Steps<'c, 'a> {
    cx: &'c mut Elab<'a>,
    span: Span,
}

impl Steps<'_, '_> {
    /// The bits of an `f32` that the type has, or one beyond its largest, for the bits of any `f32`.
    fn rounded(&mut self, raw: &Value, random: &Value, format: FloatFormat) -> Option<Value> {
        let below = (1i128 << (MANTISSA - u32::from(format.mantissa))) - 1;
        let smallest = i128::from(1 - format.bias + BIAS) << MANTISSA;
        let sign = self.binary(BinaryOp::BitAnd, raw.clone(), Value::Int(SIGN))?;
        let magnitude = self.binary(BinaryOp::BitAnd, raw.clone(), Value::Int(SIGN - 1))?;
        let is_small = self.binary(BinaryOp::Lt, magnitude.clone(), Value::Int(smallest))?;
        // Added to the smallest normal number, a smaller one has its bits at the places of that one's.
        let base = Value::Float(f64::from(f32::from_bits(smallest as u32)));
        let base = self.select(is_small, base, Value::Float(0.0))?;
        let x = self.reinterpreted(magnitude.clone(), DType::F32)?;
        let placed = self.binary(BinaryOp::Add, x, base.clone())?;
        let placed = self.reinterpreted(placed, DType::U32)?;
        let noise = self.binary(BinaryOp::BitAnd, random.clone(), Value::Int(below))?;
        let sum = self.binary(BinaryOp::Add, placed, noise)?;
        let cut = self.binary(BinaryOp::BitAnd, sum, Value::Int(i128::from(u32::MAX) - below))?;
        let cut = self.reinterpreted(cut, DType::F32)?;
        let back = self.binary(BinaryOp::Sub, cut, base)?;
        let back = self.reinterpreted(back, DType::U32)?;
        let signed = self.binary(BinaryOp::BitOr, back, sign)?;
        let is_finite = self.binary(BinaryOp::Lt, magnitude, Value::Int(INFINITY))?;
        self.select(is_finite, signed, raw.clone())
    }

    fn binary(&mut self, op: BinaryOp, a: Value, b: Value) -> Option<Value> {
        arithmetic::binary(self.cx, op, a, b, self.span)
    }

    fn select(&mut self, cond: Value, a: Value, b: Value) -> Option<Value> {
        match self.cx.call_builtin(&["select"], vec![cond, a, b], self.span) {
            Value::Error => None,
            other => Some(other),
        }
    }

    fn reinterpreted(&mut self, value: Value, dtype: DType) -> Option<Value> {
        let Value::Tile(tile) = value else { return None };
        let ty = self.cx.ty(tile.value).with_elem(Elem::Data(dtype));
        let value = self.cx.emit_one(TileOp::Bits, &[tile.value], ty, self.span);
        Some(Value::Tile(Tile { value, layout: tile.layout }))
    }
}
