//! Correctly rounded powers and logarithms, on pairs of doubles.
//!
//! A [`Pair`] is a number of about 100 bits, the sum of two doubles of which the second is below
//! half a unit in the last place of the first. A series in pairs is far closer to the exact value
//! than the cases that are hard to round; rounded to odd, it is then rounded once to the element
//! type.
//!
//! Sources: Dekker, "A floating-point technique for extending the available precision", 1971; Boldo
//! and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to
//! odd", 2008.

use std::f64::consts::LN_2;

use inkwell::FloatPredicate;
use inkwell::values::FloatValue;

use super::Lower;

/// What the double of the logarithm of 2 leaves out.
const LN_2_REST: f64 = 2.319_046_813_846_299_6e-17;
/// Terms of the series of the exponential; factorials up to here are exact doubles.
const N_TERMS: u32 = 22;
/// Outside, every power of two is 0 or infinite in every type.
const EXPONENT_MAX: f64 = 1100.0;

/// A number as a sum of two.
#[derive(Clone, Copy)]
struct Pair<'c> {
    high: FloatValue<'c>,
    low: FloatValue<'c>,
}

/// Arithmetic of pairs.
impl<'c> Lower<'_, 'c> {
    fn pair(&self, like: FloatValue<'c>, high: f64, low: f64) -> Pair<'c> {
        Pair { high: self.emit.real(like, high), low: self.emit.real(like, low) }
    }

    fn negated(&self, a: Pair<'c>) -> Pair<'c> {
        Pair { high: self.emit.fneg(a.high), low: self.emit.fneg(a.low) }
    }

    /// The sum of two numbers and what its rounding lost.
    fn two_sum(&self, a: FloatValue<'c>, b: FloatValue<'c>) -> Pair<'c> {
        let emit = &self.emit;
        let sum = emit.fadd(a, b);
        let part = emit.fsub(sum, a);
        let lost = emit.fadd(emit.fsub(a, emit.fsub(sum, part)), emit.fsub(b, part));
        Pair { high: sum, low: lost }
    }

    fn plus(&self, a: Pair<'c>, b: Pair<'c>) -> Pair<'c> {
        let emit = &self.emit;
        let sum = self.two_sum(a.high, b.high);
        self.two_sum(sum.high, emit.fadd(emit.fadd(sum.low, a.low), b.low))
    }

    fn times(&self, a: Pair<'c>, b: Pair<'c>) -> Pair<'c> {
        let emit = &self.emit;
        let high = emit.fmul(a.high, b.high);
        let lost = emit.float_intrinsic("llvm.fma", &[a.high, b.high, emit.fneg(high)]);
        let low = emit.fadd(emit.fadd(lost, emit.fmul(a.high, b.low)), emit.fmul(a.low, b.high));
        self.two_sum(high, low)
    }

    fn over(&self, a: Pair<'c>, b: Pair<'c>) -> Pair<'c> {
        let emit = &self.emit;
        let high = emit.fdiv(a.high, b.high);
        let product = self.times(b, Pair { high, low: emit.real(high, 0.0) });
        let rest = self.plus(a, self.negated(product));
        self.two_sum(high, emit.fdiv(rest.high, b.high))
    }

    /// The double from which rounding to fewer bits is right: an inexact one has its last bit set.
    fn pair_to_odd(&self, a: Pair<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        let zero = emit.real(a.high, 0.0);
        let bits = emit.float_bits(a.high);
        let is_inexact = emit.fcmp(FloatPredicate::ONE, a.low, zero);
        let is_even = emit.not(emit.zext(bits, emit.i1()));
        let went_away = {
            let low_negative = emit.fcmp(FloatPredicate::OLT, a.low, zero);
            let high_negative = emit.fcmp(FloatPredicate::OLT, a.high, zero);
            emit.xor(low_negative, high_negative)
        };
        let step = emit.select_int(went_away, emit.long(u64::MAX), emit.long(1));
        let odd = emit.add(bits, step);
        let moves = emit.and(is_inexact, is_even);
        emit.bits_float(emit.select_int(moves, odd, bits), a.high.get_type())
    }

    /// `2^r` for `r` of at most a half: the series of `e^(r ln 2)`.
    fn exp2_pair(&self, r: FloatValue<'c>) -> Pair<'c> {
        let ln_2 = self.pair(r, LN_2, LN_2_REST);
        let y = self.times(ln_2, Pair { high: r, low: self.emit.real(r, 0.0) });
        let coefficient = |n: u32| {
            let factorial: f64 = (1..=n).map(f64::from).product();
            let high = 1.0 / factorial;
            self.pair(r, high, -high.mul_add(factorial, -1.0) / factorial)
        };
        (0..N_TERMS)
            .rev()
            .fold(coefficient(N_TERMS), |sum, n| self.plus(coefficient(n), self.times(sum, y)))
    }
}

impl<'c> Lower<'_, 'c> {
    /// `2^x`, correctly rounded.
    pub(crate) fn exact_exp2(&self, x: FloatValue<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        let wide = emit.fcast(x, emit.f64());
        let limit = emit.real(wide, EXPONENT_MAX);
        let clamped = emit.float_intrinsic("llvm.minimumnum", &[wide, limit]);
        let clamped = emit.float_intrinsic("llvm.maximumnum", &[clamped, emit.fneg(limit)]);
        let whole = emit.float_intrinsic("llvm.rint", &[clamped]);
        let power = self.exp2_pair(emit.fsub(clamped, whole));
        let odd = self.pair_to_odd(power);
        let mantissa = if x.get_type() == emit.f64() {
            // Where the result is subnormal the scaling is the only rounding.
            let is_normal = emit.fcmp(FloatPredicate::OGE, whole, emit.real(whole, -1021.0));
            emit.select_float(is_normal, power.high, odd)
        } else {
            odd
        };
        let it = emit.fcast(self.scaled(mantissa, whole), x.get_type());
        emit.select_float(emit.fcmp(FloatPredicate::UNO, x, x), x, it)
    }

    /// Logarithm to base 2, correctly rounded: one step of Newton's method in pairs doubles the
    /// digits of the series.
    pub(crate) fn exact_log2(&self, x: FloatValue<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        let wide = emit.fcast(x, emit.f64());
        let (mantissa, exponent) = self.split_exponent(wide);
        let guess = self.log2_of_mantissa(mantissa);
        let power = self.exp2_pair(guess);
        let zero = emit.real(wide, 0.0);
        let rest = self.plus(Pair { high: mantissa, low: zero }, self.negated(power));
        let correction = self.over(self.over(rest, power), self.pair(wide, LN_2, LN_2_REST));
        let sum = self.plus(Pair { high: guess, low: zero }, correction);
        let log = self.plus(Pair { high: exponent, low: zero }, sum);
        let rounded = if x.get_type() == emit.f64() { log.high } else { self.pair_to_odd(log) };
        emit.fcast(self.log2_of_special(wide, rounded), x.get_type())
    }
}
