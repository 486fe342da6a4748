//! Conversions between element types, one rounding each.
//!
//! # Idea
//! Every source is first a *wide* number: an `f32` or `f64` that holds it exactly, or, where 53 or
//! 24 bits are too few, one rounded to odd, which keeps every later rounding right because the
//! target has at least two bits less. Rounding to nearest is the hardware's where it has one and
//! integer code where not; directed rounding takes the nearest and steps to the neighbour if it lies
//! on the wrong side.
//!
//! # Invariants
//! * R1: the result is the format's value that the rounding names (the laws of the language's
//!   `value/format.rs`); formats of at most 8 bits saturate, infinities included.
//! * R2: a NaN becomes a NaN, or the largest value where there is none.
//!
//! Sources: OCP "8-bit Floating Point Specification"; OCP "Microscaling Formats (MX) v1.0"; Boldo
//! and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to
//! odd", 2008.

use inkwell::types::FloatType;
use inkwell::values::{FloatValue, IntValue};
use inkwell::{FloatPredicate, IntPredicate};
use tile_language::dtype::{Class, DType, FloatFormat, Specials};
use tile_language::op::tile::Round;

use super::Lower;
use crate::emit::Val;

/// Stored bits of the mantissa of an `f32`.
const F32_MANTISSA: u32 = 23;
/// The bias of an `f32`.
const F32_BIAS: i32 = 127;
/// The bits of an infinite `f32`.
const F32_INFINITY: u64 = 0x7f80_0000;
/// Bits of an integer that are dropped, sticky, before it becomes a double.
const STICKY_BITS: u64 = 12;

/// The format of a float type.
fn format_of(dtype: DType) -> FloatFormat {
    match dtype.class() {
        Class::Float(it) => it,
        Class::Bool | Class::Signed | Class::Unsigned => panic!("V3: {dtype} is a float type"),
    }
}

/// The largest finite code of a format, without its sign.
fn max_finite_code(format: FloatFormat) -> u64 {
    let all = (1u64 << (format.exponent + format.mantissa)) - 1;
    match format.specials {
        Specials::Ieee => all - (1 << format.mantissa),
        Specials::NanOnly => all - 1,
        Specials::Fnuz | Specials::Finite => all,
    }
}

/// The code of a NaN, or of the largest value where there is none.
pub(crate) fn nan_code(dtype: DType) -> u64 {
    let format = format_of(dtype);
    match format.specials {
        Specials::Ieee => (max_finite_code(format) + 1) | 1 << (format.mantissa - 1),
        Specials::NanOnly => max_finite_code(format) + 1,
        Specials::Fnuz => 1 << (format.exponent + format.mantissa),
        Specials::Finite => max_finite_code(format),
    }
}

/// The bits of the `f32` that has the value of a normal code.
fn f32_bits(format: FloatFormat, code: u64) -> u64 {
    let rebias = (F32_BIAS - format.bias) as u64;
    (code << (F32_MANTISSA - u32::from(format.mantissa))) + (rebias << F32_MANTISSA)
}

/// `2^exponent` as an `f64`.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

impl<'c> Lower<'_, 'c> {
    /// Converts an element.
    pub(crate) fn cast(&mut self, x: Val<'c>, from: DType, to: DType, round: Round) -> Val<'c> {
        if from == to {
            return x;
        }
        match (from.class(), to.class()) {
            (Class::Float(_), Class::Float(_)) => self.float_to_float(x, from, to, round),
            (Class::Float(_), Class::Bool) => {
                let x = self.to_double(x, from);
                self.emit.fcmp(FloatPredicate::UNE, x, self.emit.real(x, 0.0)).into()
            }
            (Class::Float(_), _) => self.float_to_int(x, from, to).into(),
            (_, Class::Float(_)) => self.int_to_float(x.into_int_value(), from, to, round),
            (_, Class::Bool) => self.emit.is_set(x.into_int_value()).into(),
            _ => {
                let ty = self.emit.int_type(to.bits());
                let x = x.into_int_value();
                if from.is_signed() {
                    self.emit.sext(x, ty).into()
                } else {
                    self.emit.zext(x, ty).into()
                }
            }
        }
    }

    fn float_to_int(&self, x: Val<'c>, from: DType, to: DType) -> IntValue<'c> {
        let x = self.wide(x, from);
        let name = if to.is_signed() { "llvm.fptosi.sat" } else { "llvm.fptoui.sat" };
        let ty = self.emit.int_type(to.bits());
        let it = self.emit.intrinsic(name, &[ty.into(), x.get_type().into()], &[x.into()]);
        it.expect("a conversion has a result").into_int_value()
    }

    fn int_to_float(&mut self, x: IntValue<'c>, from: DType, to: DType, round: Round) -> Val<'c> {
        let convert = |lower: &Self, x, ty: FloatType<'c>| {
            if from.is_signed() { lower.emit.sitofp(x, ty) } else { lower.emit.uitofp(x, ty) }
        };
        let holds_all = from.bits() <= 32;
        match to {
            DType::F64 if holds_all || round == Round::Nearest => {
                convert(self, x, self.emit.f64()).into()
            }
            DType::F64 => self.long_to_double(x, from, round).into(),
            DType::F32 if round == Round::Nearest => convert(self, x, self.emit.f32()).into(),
            _ => {
                let wide = if holds_all {
                    convert(self, x, self.emit.f64())
                } else {
                    self.long_to_odd(x, from)
                };
                self.float_to_float(wide.into(), DType::F64, to, round)
            }
        }
    }

    /// A 64-bit integer as a double rounded to odd: the low bits of a large one are folded into one.
    fn long_to_odd(&self, x: IntValue<'c>, from: DType) -> FloatValue<'c> {
        let emit = &self.emit;
        let is_negative = if from.is_signed() {
            emit.icmp(IntPredicate::SLT, x, emit.long(0))
        } else {
            emit.bool(false)
        };
        let magnitude = emit.select_int(is_negative, emit.neg(x), x);
        let is_large = emit.icmp(IntPredicate::UGT, magnitude, emit.long(1 << 52));
        let lost = emit.is_set(emit.and(magnitude, emit.long((1 << STICKY_BITS) - 1)));
        let folded =
            emit.or(emit.lshr(magnitude, emit.long(STICKY_BITS)), emit.zext(lost, emit.i64()));
        let whole = emit.uitofp(emit.select_int(is_large, folded, magnitude), emit.f64());
        let scale = emit.select_float(
            is_large,
            emit.real(whole, (1u64 << STICKY_BITS) as f64),
            emit.real(whole, 1.0),
        );
        let value = emit.fmul(whole, scale);
        emit.select_float(is_negative, emit.fneg(value), value)
    }

    /// A 64-bit integer as a double, rounded in a direction.
    fn long_to_double(&self, x: IntValue<'c>, from: DType, round: Round) -> FloatValue<'c> {
        let emit = &self.emit;
        let high = if from.is_signed() {
            emit.ashr(x, emit.long(32))
        } else {
            emit.lshr(x, emit.long(32))
        };
        let high = if from.is_signed() {
            emit.sitofp(high, emit.f64())
        } else {
            emit.uitofp(high, emit.f64())
        };
        let high = emit.fmul(high, emit.real(high, power_of_two(32)));
        let low = emit.uitofp(emit.and(x, emit.long(u64::from(u32::MAX))), emit.f64());
        let nearest = emit.fadd(high, low);
        // What the rounding lost is exact, because `high` is 0 or the larger of the two.
        let error = emit.fsub(low, emit.fsub(nearest, high));
        let zero = emit.real(error, 0.0);
        let is_negative = emit.fcmp(FloatPredicate::OLT, nearest, zero);
        let [too_small, too_large] =
            [FloatPredicate::OGT, FloatPredicate::OLT].map(|it| emit.fcmp(it, error, zero));
        // Of magnitudes.
        let below = emit.select_int(is_negative, too_large, too_small);
        let above = emit.select_int(is_negative, too_small, too_large);
        let bits = emit.float_bits(nearest);
        emit.bits_float(self.step(bits, below, above, is_negative, round), nearest.get_type())
    }

    /// The neighbour of a code of which nearest rounding lost something: one up if the exact
    /// magnitude is larger and rounding goes away from zero, one down if it is smaller and rounding
    /// goes towards zero.
    fn step(
        &self,
        code: IntValue<'c>,
        below: IntValue<'c>,
        above: IntValue<'c>,
        is_negative: IntValue<'c>,
        round: Round,
    ) -> IntValue<'c> {
        let emit = &self.emit;
        let away = match round {
            Round::Nearest => return code,
            Round::Zero => emit.bool(false),
            Round::Up => emit.not(is_negative),
            Round::Down => is_negative,
        };
        let ty = code.get_type();
        let up = emit.zext(emit.and(away, below), ty);
        let down = emit.zext(emit.and(emit.not(away), above), ty);
        emit.sub(emit.add(code, up), down)
    }

    /// An element of any float type as an LLVM float that holds it.
    fn wide(&self, x: Val<'c>, dtype: DType) -> FloatValue<'c> {
        match dtype {
            DType::F64 | DType::F32 | DType::Tf32 => x.into_float_value(),
            DType::F16 | DType::Bf16 => self.emit.fcast(x.into_float_value(), self.emit.f32()),
            _ => self.decode(x.into_int_value(), dtype),
        }
    }

    fn float_to_float(&mut self, x: Val<'c>, from: DType, to: DType, round: Round) -> Val<'c> {
        let wide = self.wide(x, from);
        let (f32, f64) = (self.emit.f32(), self.emit.f64());
        match to {
            DType::F64 => self.emit.fcast(wide, f64).into(),
            DType::F32 if from != DType::F64 => wide.into(),
            DType::F32 => self.narrow(wide, f32, round).into(),
            DType::F16 | DType::Bf16 => {
                let narrow = self.double_to_odd(wide);
                self.narrow(narrow, self.float_type(to), round).into()
            }
            DType::Tf32 => self.to_tf32(self.double_to_odd(wide), round).into(),
            _ => self.encode(self.double_to_odd(wide), to, round).into(),
        }
    }

    /// A number as an `f32`, a double rounded to odd.
    fn double_to_odd(&self, x: FloatValue<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        if x.get_type() != emit.f64() {
            return x;
        }
        let nearest = emit.fcast(x, emit.f32());
        let back = emit.fcast(nearest, emit.f64());
        let is_inexact = emit.fcmp(FloatPredicate::ONE, back, x);
        let [near, exact] = [back, x].map(|it| emit.float_intrinsic("llvm.fabs", &[it]));
        let went_away = emit.fcmp(FloatPredicate::OGT, near, exact);
        let bits = emit.float_bits(nearest);
        let cut = emit.sub(bits, emit.zext(went_away, emit.i32()));
        emit.bits_float(emit.select_int(is_inexact, emit.or(cut, emit.int(1)), bits), emit.f32())
    }

    /// To a narrower format that LLVM knows.
    fn narrow(&self, x: FloatValue<'c>, to: FloatType<'c>, round: Round) -> FloatValue<'c> {
        let emit = &self.emit;
        let nearest = emit.fcast(x, to);
        if round == Round::Nearest {
            return nearest;
        }
        let back = emit.fcast(nearest, x.get_type());
        let [near, exact] = [back, x].map(|it| emit.float_intrinsic("llvm.fabs", &[it]));
        let below = emit.fcmp(FloatPredicate::OLT, near, exact);
        let above = emit.fcmp(FloatPredicate::OGT, near, exact);
        let bits = self.step(emit.float_bits(nearest), below, above, self.is_negative(x), round);
        emit.bits_float(bits, to)
    }

    fn is_negative(&self, x: FloatValue<'c>) -> IntValue<'c> {
        let bits = self.emit.float_bits(x);
        self.emit.icmp(IntPredicate::SLT, bits, self.emit.like(bits, 0))
    }

    /// An `f32` with the low 13 bits rounded away.
    fn to_tf32(&self, x: FloatValue<'c>, round: Round) -> FloatValue<'c> {
        let emit = &self.emit;
        let bits = emit.float_bits(x);
        let sign = emit.and(bits, emit.int(1 << 31));
        let magnitude = emit.xor(bits, sign);
        let unused = F32_MANTISSA - u32::from(format_of(DType::Tf32).mantissa);
        let code = self.round_code(magnitude, unused, self.is_negative(x), round);
        let rounded = emit.or(sign, emit.shl(code, emit.int(unused)));
        let is_nan = emit.fcmp(FloatPredicate::UNO, x, x);
        emit.select_float(
            is_nan,
            emit.bits_float(emit.int(0x7fc0_0000), emit.f32()),
            emit.bits_float(rounded, emit.f32()),
        )
    }

    /// `magnitude >> drop` with the rounding; a carry goes into the exponent by itself.
    fn round_code(
        &self,
        magnitude: IntValue<'c>,
        drop: u32,
        is_negative: IntValue<'c>,
        round: Round,
    ) -> IntValue<'c> {
        let emit = &self.emit;
        let kept = emit.lshr(magnitude, emit.int(drop));
        let all = emit.int((1 << drop) - 1);
        let bias = match round {
            Round::Nearest => {
                emit.add(emit.int((1 << (drop - 1)) - 1), emit.and(kept, emit.int(1)))
            }
            Round::Zero => emit.int(0),
            Round::Up => emit.select_int(is_negative, emit.int(0), all),
            Round::Down => emit.select_int(is_negative, all, emit.int(0)),
        };
        emit.lshr(emit.add(magnitude, bias), emit.int(drop))
    }

    /// The bits of a small format for an `f32`.
    fn encode(&self, x: FloatValue<'c>, to: DType, round: Round) -> IntValue<'c> {
        let emit = &self.emit;
        let format = format_of(to);
        let bits = emit.float_bits(x);
        let is_negative = self.is_negative(x);
        let magnitude = emit.and(bits, emit.int(i32::MAX as u32));
        let is_nan = emit.icmp(IntPredicate::UGT, magnitude, emit.int(F32_INFINITY as u32));
        let largest = emit.int(f32_bits(format, max_finite_code(format)) as u32);
        let clamped = emit.int_intrinsic("llvm.umin", &[magnitude, largest]);
        let code = if to == DType::F8E8M0 {
            self.encode_scale(clamped, is_negative, round)
        } else {
            self.encode_magnitude(clamped, format, is_negative, round)
        };
        let sign_bit = u32::from(format.exponent + format.mantissa);
        let sign = emit.shl(emit.zext(is_negative, emit.i32()), emit.int(sign_bit));
        let signed = match format.specials {
            _ if to == DType::F8E8M0 => code,
            // There is no minus zero.
            Specials::Fnuz => emit.select_int(emit.is_set(code), emit.or(code, sign), code),
            Specials::Ieee | Specials::NanOnly | Specials::Finite => emit.or(code, sign),
        };
        let it = emit.select_int(is_nan, emit.int(nan_code(to) as u32), signed);
        emit.zext(it, emit.i8())
    }

    fn encode_magnitude(
        &self,
        magnitude: IntValue<'c>,
        format: FloatFormat,
        is_negative: IntValue<'c>,
        round: Round,
    ) -> IntValue<'c> {
        let emit = &self.emit;
        let mantissa = u32::from(format.mantissa);
        let rebias = ((F32_BIAS - format.bias) as u32) << mantissa;
        let normal = emit.sub(
            self.round_code(magnitude, F32_MANTISSA - mantissa, is_negative, round),
            emit.int(rebias),
        );
        // Below the smallest normal number: the sum with a power whose last place is the format's
        // smallest step is rounded to that step by the addition itself.
        let step_exponent = 1 - format.bias - format.mantissa as i32;
        let x = emit.bits_float(magnitude, emit.f32());
        let shifter = emit.real(x, power_of_two(step_exponent + F32_MANTISSA as i32));
        let sum = emit.fadd(x, shifter);
        let nearest = emit.sub(emit.float_bits(sum), emit.float_bits(shifter));
        let back = emit.fsub(sum, shifter);
        let below = emit.fcmp(FloatPredicate::OLT, back, x);
        let above = emit.fcmp(FloatPredicate::OGT, back, x);
        let subnormal = self.step(nearest, below, above, is_negative, round);
        let smallest_normal = emit.int(f32_bits(format, 1 << mantissa) as u32);
        emit.select_int(emit.icmp(IntPredicate::ULT, magnitude, smallest_normal), subnormal, normal)
    }

    /// A scale is the exponent alone: 2^-127 is code 0, and so is everything below.
    fn encode_scale(
        &self,
        magnitude: IntValue<'c>,
        is_negative: IntValue<'c>,
        round: Round,
    ) -> IntValue<'c> {
        let emit = &self.emit;
        // The least magnitudes that round to code 1, for rounding to nearest, down and away.
        let (half, least_up) = (1u32 << 22, (1u32 << 22) + 1);
        let nearest = (emit.int(half), emit.int(half + (half >> 1)));
        let down = (emit.int(0), emit.int(1 << F32_MANTISSA));
        let away = (emit.int((1 << F32_MANTISSA) - 1), emit.int(least_up));
        let by_sign = |negative: (IntValue<'c>, IntValue<'c>),
                       positive: (IntValue<'c>, IntValue<'c>)| {
            (
                emit.select_int(is_negative, negative.0, positive.0),
                emit.select_int(is_negative, negative.1, positive.1),
            )
        };
        let (bias, least) = match round {
            Round::Nearest => nearest,
            Round::Zero => down,
            Round::Up => by_sign(down, away),
            Round::Down => by_sign(away, down),
        };
        let code = emit.lshr(emit.add(magnitude, bias), emit.int(F32_MANTISSA));
        emit.select_int(emit.icmp(IntPredicate::ULT, magnitude, least), emit.int(0), code)
    }

    /// The `f32` that an element of a small format stands for, kept as its bits.
    pub(crate) fn decode(&self, x: IntValue<'c>, dtype: DType) -> FloatValue<'c> {
        let emit = &self.emit;
        let format = format_of(dtype);
        let (exponent, mantissa) = (u32::from(format.exponent), u32::from(format.mantissa));
        let bits = emit.zext(x, emit.i32());
        if dtype == DType::F8E8M0 {
            return self.decode_scale(bits);
        }
        let magnitude = emit.and(bits, emit.int((1 << (exponent + mantissa)) - 1));
        // In the places of an `f32` the number is too small by the difference of the biases; a
        // product with a power of two is exact, for subnormal numbers too.
        let placed =
            emit.bits_float(emit.shl(magnitude, emit.int(F32_MANTISSA - mantissa)), emit.f32());
        let value = emit.fmul(placed, emit.real(placed, power_of_two(F32_BIAS - format.bias)));
        let sign = emit.and(emit.lshr(bits, emit.int(exponent + mantissa)), emit.int(1));
        let sign = emit.shl(sign, emit.int(31));
        let value = emit.bits_float(emit.or(emit.float_bits(value), sign), emit.f32());
        let nan = emit.bits_float(emit.int(0x7fc0_0000), emit.f32());
        let largest = emit.int(max_finite_code(format) as u32);
        let is_above =
            |by: u32| emit.icmp(IntPredicate::UGT, magnitude, emit.add(largest, emit.int(by)));
        match format.specials {
            Specials::Finite => value,
            Specials::NanOnly => emit.select_float(is_above(0), nan, value),
            Specials::Fnuz => {
                let is_nan = emit.icmp(IntPredicate::EQ, bits, emit.int(nan_code(dtype) as u32));
                emit.select_float(is_nan, nan, value)
            }
            Specials::Ieee => {
                let infinity =
                    emit.bits_float(emit.or(emit.int(F32_INFINITY as u32), sign), emit.f32());
                let it = emit.select_float(is_above(0), infinity, value);
                emit.select_float(is_above(1), nan, it)
            }
        }
    }

    fn decode_scale(&self, bits: IntValue<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        let normal = emit.shl(bits, emit.int(F32_MANTISSA));
        // 2^-127 is subnormal.
        let placed = emit.select_int(emit.is_set(bits), normal, emit.int(1 << (F32_MANTISSA - 1)));
        let is_nan = emit.icmp(IntPredicate::EQ, bits, emit.int(0xff));
        emit.bits_float(emit.select_int(is_nan, emit.int(0x7fc0_0000), placed), emit.f32())
    }
}
