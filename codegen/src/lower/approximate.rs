//! Transcendental functions.
//!
//! `f32` takes the hardware's approximations (through [`crate::chip`]), made good where they lose
//! accuracy: arguments of sine and cosine are reduced, `tanh` keeps its relative accuracy near 0.
//! `f64` has none in hardware and is computed by series. The correctly rounded functions are in
//! [`super::exact`].
//!
//! Sources of the methods: Muller, "Elementary Functions"; Cody and Waite, "Software Manual for the
//! Elementary Functions".

use std::f64::consts::{FRAC_1_PI, LN_2, LOG2_E, PI};

use inkwell::FloatPredicate;
use inkwell::values::{FloatValue, IntValue};

use super::Lower;
use crate::chip::Approx;

/// Pi in two parts: the first short enough that its product with a turn count is exact in `f64`.
const PI_HIGH: f64 = 3.141_592_653_468_251_2;
/// What is left of pi.
const PI_LOW: f64 = 1.215_420_101_301_238_4e-10;
/// Two pi for `f32`, in two parts; the second product is exact after the fused first.
const TAU_HIGH: f64 = 6.283_185_482_025_146_5;
/// What is left of two pi after its `f32`.
const TAU_LOW: f64 = 2.0 * PI - TAU_HIGH;
/// Powers of two by which a subnormal number is lifted to a normal one.
const SUBNORMAL_LIFT: u64 = 54;
/// Below this, `tanh` is computed by its series.
const TANH_SMALL: f64 = 0.25;

impl<'c> Lower<'_, 'c> {
    fn is_double(&self, x: FloatValue<'c>) -> bool {
        x.get_type() == self.emit.f64()
    }

    pub(crate) fn exp2(&self, x: FloatValue<'c>) -> FloatValue<'c> {
        if self.is_double(x) {
            self.exp2_double(x)
        } else {
            self.chip.approximate(&self.emit, Approx::Exp2, x)
        }
    }

    pub(crate) fn log2(&self, x: FloatValue<'c>) -> FloatValue<'c> {
        if self.is_double(x) {
            self.log2_double(x)
        } else {
            self.chip.approximate(&self.emit, Approx::Log2, x)
        }
    }

    pub(crate) fn rcp(&self, x: FloatValue<'c>) -> FloatValue<'c> {
        if self.is_double(x) {
            return self.emit.fdiv(self.emit.real(x, 1.0), x);
        }
        self.chip.approximate(&self.emit, Approx::Rcp, x)
    }

    pub(crate) fn rsqrt(&self, x: FloatValue<'c>) -> FloatValue<'c> {
        if self.is_double(x) {
            let root = self.emit.float_intrinsic("llvm.sqrt", &[x]);
            return self.emit.fdiv(self.emit.real(x, 1.0), root);
        }
        self.chip.approximate(&self.emit, Approx::Rsqrt, x)
    }

    pub(crate) fn sin(&self, x: FloatValue<'c>) -> FloatValue<'c> {
        if self.is_double(x) { self.sin_double(x, 0.0) } else { self.circular(Approx::Sin, x) }
    }

    pub(crate) fn cos(&self, x: FloatValue<'c>) -> FloatValue<'c> {
        if self.is_double(x) { self.sin_double(x, 0.5) } else { self.circular(Approx::Cos, x) }
    }

    /// Takes whole turns away first: the hardware is accurate near 0 only.
    fn circular(&self, function: Approx, x: FloatValue<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        let turns =
            emit.float_intrinsic("llvm.rint", &[emit.fmul(x, emit.real(x, FRAC_1_PI / 2.0))]);
        let back = emit.fneg(turns);
        let rest = emit.float_intrinsic("llvm.fma", &[back, emit.real(x, TAU_HIGH), x]);
        let rest = emit.float_intrinsic("llvm.fma", &[back, emit.real(x, TAU_LOW), rest]);
        self.chip.approximate(emit, function, rest)
    }

    /// `1 - 2 / (e^2|x| + 1)` with the sign of `x`, a series near 0 where that would cancel.
    pub(crate) fn tanh(&self, x: FloatValue<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        let magnitude = emit.float_intrinsic("llvm.fabs", &[x]);
        let power = self.exp2(emit.fmul(magnitude, emit.real(x, 2.0 * LOG2_E)));
        let one = emit.real(x, 1.0);
        let quotient = emit.fmul(emit.real(x, 2.0), self.rcp(emit.fadd(power, one)));
        let large = emit.fsub(one, quotient);
        let square = emit.fmul(x, x);
        // tanh x / x = 1 - x^2/3 + 2x^4/15 - 17x^6/315 + 62x^8/2835 - …
        let series = [
            1.0,
            -1.0 / 3.0,
            2.0 / 15.0,
            -17.0 / 315.0,
            62.0 / 2835.0,
            -1382.0 / 155_925.0,
            21_844.0 / 6_081_075.0,
            -929_569.0 / 638_512_875.0,
        ];
        let n = if self.is_double(x) { series.len() } else { 5 };
        let small = emit.fmul(magnitude, self.polynomial(square, &series[..n]));
        let is_small = emit.fcmp(FloatPredicate::OLT, magnitude, emit.real(x, TANH_SMALL));
        emit.float_intrinsic("llvm.copysign", &[emit.select_float(is_small, small, large), x])
    }

    /// `c[0] + c[1] x + c[2] x^2 + …`, by Horner's rule.
    fn polynomial(&self, x: FloatValue<'c>, coefficients: &[f64]) -> FloatValue<'c> {
        let emit = &self.emit;
        let (last, rest) = coefficients.split_last().expect("a polynomial has a coefficient");
        let mut sum = emit.real(x, *last);
        for &it in rest.iter().rev() {
            sum = emit.float_intrinsic("llvm.fma", &[sum, x, emit.real(x, it)]);
        }
        sum
    }

    /// `2^n` for a whole `n` in -1022 to 1023.
    fn power_of_two(&self, n: IntValue<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        let biased = emit.add(emit.sext(n, emit.i64()), emit.long(1023));
        emit.bits_float(emit.shl(biased, emit.long(52)), emit.f64())
    }

    /// `2^x = 2^n e^(r ln 2)` with `n` whole and `r` at most a half.
    fn exp2_double(&self, x: FloatValue<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        let real = |it: f64| emit.real(x, it);
        let low = emit.float_intrinsic("llvm.maximumnum", &[x, real(-1100.0)]);
        let clamped = emit.float_intrinsic("llvm.minimumnum", &[low, real(1100.0)]);
        let whole = emit.float_intrinsic("llvm.rint", &[clamped]);
        let rest = emit.fmul(emit.fsub(clamped, whole), real(LN_2));
        let mut factorials = [1.0; 15];
        for at in 1..factorials.len() {
            factorials[at] = factorials[at - 1] / at as f64;
        }
        let mantissa = self.polynomial(rest, &factorials);
        let it = self.scaled(mantissa, whole);
        emit.select_float(emit.fcmp(FloatPredicate::UNO, x, x), x, it)
    }

    /// `x 2^n` for a whole `n`, in two steps, because the power alone may be out of range.
    pub(crate) fn scaled(&self, x: FloatValue<'c>, n: FloatValue<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        let n = emit.builder().build_float_to_signed_int(n, emit.i32(), "");
        let n = n.expect("M1: the builder stands at the end of an open block");
        let half = emit.ashr(n, emit.int(1));
        let other = emit.sub(n, half);
        emit.fmul(emit.fmul(x, self.power_of_two(half)), self.power_of_two(other))
    }

    /// `log2 x = e + log2 m` with `x = m 2^e` and `m` around 1.
    fn log2_double(&self, x: FloatValue<'c>) -> FloatValue<'c> {
        let (mantissa, exponent) = self.split_exponent(x);
        let it = self.emit.fadd(exponent, self.log2_of_mantissa(mantissa));
        self.log2_of_special(x, it)
    }

    /// A positive number as a mantissa between the roots of a half and of two, and its exponent.
    pub(crate) fn split_exponent(&self, x: FloatValue<'c>) -> (FloatValue<'c>, FloatValue<'c>) {
        let emit = &self.emit;
        let is_subnormal = emit.fcmp(FloatPredicate::OLT, x, emit.real(x, f64::MIN_POSITIVE));
        let lifted = emit.fmul(x, emit.real(x, (1u64 << SUBNORMAL_LIFT) as f64));
        let bits = emit.float_bits(emit.select_float(is_subnormal, lifted, x));
        let lift = emit.select_int(is_subnormal, emit.long(SUBNORMAL_LIFT), emit.long(0));
        let root_half = std::f64::consts::FRAC_1_SQRT_2.to_bits();
        let exponent = emit.ashr(emit.sub(bits, emit.long(root_half)), emit.long(52));
        let mantissa = emit.sub(bits, emit.shl(exponent, emit.long(52)));
        let exponent = emit.sitofp(emit.sub(exponent, lift), emit.f64());
        (emit.bits_float(mantissa, emit.f64()), exponent)
    }

    /// `2 atanh((m - 1) / (m + 1)) / ln 2`.
    pub(crate) fn log2_of_mantissa(&self, m: FloatValue<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        let one = emit.real(m, 1.0);
        let s = emit.fdiv(emit.fsub(m, one), emit.fadd(m, one));
        let series: Vec<f64> = (0..13).map(|it| 2.0 * LOG2_E / f64::from(2 * it + 1)).collect();
        emit.fmul(s, self.polynomial(emit.fmul(s, s), &series))
    }

    /// `log`, or what the logarithm of 0, an infinity, a negative number or a NaN is.
    pub(crate) fn log2_of_special(&self, x: FloatValue<'c>, log: FloatValue<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        let real = |it: f64| emit.real(x, it);
        let is_zero = emit.fcmp(FloatPredicate::OEQ, x, real(0.0));
        let it = emit.select_float(is_zero, real(f64::NEG_INFINITY), log);
        let is_infinite = emit.fcmp(FloatPredicate::OEQ, x, real(f64::INFINITY));
        let it = emit.select_float(is_infinite, x, it);
        let is_outside = emit.fcmp(FloatPredicate::ULT, x, real(0.0));
        emit.select_float(is_outside, real(f64::NAN), it)
    }

    /// `sin (x + shift pi)`: half turns are taken away, the rest is a series.
    fn sin_double(&self, x: FloatValue<'c>, shift: f64) -> FloatValue<'c> {
        let emit = &self.emit;
        let real = |it: f64| emit.real(x, it);
        let turns = emit.float_intrinsic("llvm.fma", &[x, real(FRAC_1_PI), real(shift)]);
        let turns = emit.float_intrinsic("llvm.rint", &[turns]);
        let back = emit.fsub(real(shift), turns);
        let rest = emit.float_intrinsic("llvm.fma", &[back, real(PI_HIGH), x]);
        let rest = emit.float_intrinsic("llvm.fma", &[back, real(PI_LOW), rest]);
        let mut series = [1.0; 13];
        for at in 1..series.len() {
            series[at] = -series[at - 1] / ((2 * at) * (2 * at + 1)) as f64;
        }
        let sine = emit.fmul(rest, self.polynomial(emit.fmul(rest, rest), &series));
        // An odd number of half turns changes the sign.
        let half = emit.fmul(turns, real(0.5));
        let is_odd =
            emit.fcmp(FloatPredicate::UNE, half, emit.float_intrinsic("llvm.floor", &[half]));
        emit.select_float(is_odd, emit.fneg(sine), sine)
    }
}
