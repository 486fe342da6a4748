//! Functions of real numbers, the same bits on every machine.
//!
//! What the language calls an approximation is computed here to about one unit in the last place of
//! an `f64` and then rounded into the element type, so that the interpreter gives the correctly
//! rounded result up to cases that lie within 2^-28 ulp of a tie; the bound that engines must keep is in
//! [`super::accuracy`]. The `exact` functions work with pairs of `f64` (about 100 bits) and round
//! once. The platform's mathematical library is never called: its results differ between systems.
//!
//! Sources: T. J. Dekker, "A floating-point technique for extending the available precision" (1971);
//! Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms using
//! rounding to odd" (2008).

/// Powers of the logarithm of 2 over factorials: the series of `2^r`.
#[expect(clippy::approx_constant, reason = "the digits of a series, each a double")]
const EXP2_SERIES: [f64; 13] = [
    1.0,
    0.693_147_180_559_945_3,
    0.240_226_506_959_100_7,
    0.055_504_108_664_821_58,
    0.009_618_129_107_628_477,
    0.001_333_355_814_642_844_3,
    0.000_154_035_303_933_816_1,
    1.525_273_380_405_984e-5,
    1.321_548_679_014_430_7e-6,
    1.017_808_600_923_97e-7,
    7.054_911_620_801_122e-9,
    4.445_538_271_870_811_4e-10,
    2.567_843_599_348_820_5e-11,
];

/// `2^x` for an `f32`: no branches, so that a loop over it is vectorised.
#[expect(clippy::manual_clamp, reason = "a NaN passes both comparisons")]
#[inline(always)]
pub fn exp2_f32(x: f32) -> f32 {
    // Beyond ±200 the result is 0 or infinity; a NaN passes both comparisons.
    let x = f64::from(if x < -200.0 {
        -200.0
    } else if x > 200.0 {
        200.0
    } else {
        x
    });
    // Adding 1.5 · 2^52 leaves the nearest integer in the low bits of the sum.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    let shifted = x + SHIFT;
    let r = x - (shifted - SHIFT);
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    let c = &EXP2_SERIES;
    // Three independent chains, each of every third term.
    let r3 = r * r * r;
    let low = c[0] + r3 * (c[3] + r3 * (c[6] + r3 * (c[9] + r3 * c[12])));
    let middle = c[1] + r3 * (c[4] + r3 * (c[7] + r3 * c[10]));
    let high = c[2] + r3 * (c[5] + r3 * (c[8] + r3 * c[11]));
    ((low + r * (middle + r * high)) * scale) as f32
}

/// `2^x`.
pub fn exp2(x: f64) -> f64 {
    libm::exp2(x)
}

/// Logarithm to base 2.
pub fn log2(x: f64) -> f64 {
    libm::log2(x)
}

/// Sine of radians.
pub fn sin(x: f64) -> f64 {
    libm::sin(x)
}

/// Cosine of radians.
pub fn cos(x: f64) -> f64 {
    libm::cos(x)
}

/// Hyperbolic tangent.
pub fn tanh(x: f64) -> f64 {
    libm::tanh(x)
}

/// `x * y + z` with one rounding.
pub fn fma(x: f64, y: f64, z: f64) -> f64 {
    libm::fma(x, y, z)
}

/// `x * y + z` rounded to odd, where `x * y` is exact: any later rounding to 51 bits or fewer gives
/// what a single rounding would have given.
#[inline(always)]
pub fn fma_to_odd(x: f64, y: f64, z: f64) -> f64 {
    let (sum, error) = two_sum(x * y, z);
    to_odd(sum, error)
}

/// `x + y` and what its rounding lost.
#[inline(always)]
fn two_sum(x: f64, y: f64) -> (f64, f64) {
    let sum = x + y;
    let y_part = sum - x;
    (sum, (x - (sum - y_part)) + (y - y_part))
}

/// The sum of `high` and a small `low`, rounded to odd. Infinities and NaNs stay.
#[inline(always)]
fn to_odd(high: f64, low: f64) -> f64 {
    let bits = high.to_bits();
    let inexact = low != 0.0 && !low.is_nan();
    let away = (low > 0.0) == (high > 0.0);
    let step = if away { 1 } else { u64::MAX };
    let moved = if inexact && bits & 1 == 0 { bits.wrapping_add(step) } else { bits };
    f64::from_bits(moved)
}

/// A number as the sum of two, the second below half a unit in the last place of the first.
#[derive(Clone, Copy)]
struct Pair {
    high: f64,
    low: f64,
}

const LN_2: Pair = Pair { high: std::f64::consts::LN_2, low: 2.319_046_813_846_299_6e-17 };

impl Pair {
    fn new(high: f64) -> Pair {
        Pair { high, low: 0.0 }
    }

    fn sum(high: f64, low: f64) -> Pair {
        let (high, low) = two_sum(high, low);
        Pair { high, low }
    }

    fn plus(self, other: Pair) -> Pair {
        let (high, error) = two_sum(self.high, other.high);
        Pair::sum(high, error + self.low + other.low)
    }

    fn times(self, other: Pair) -> Pair {
        let high = self.high * other.high;
        let error = libm::fma(self.high, other.high, -high);
        Pair::sum(high, error + self.high * other.low + self.low * other.high)
    }

    fn over(self, other: Pair) -> Pair {
        let high = self.high / other.high;
        let product = other.times(Pair::new(high));
        let rest = self.plus(Pair { high: -product.high, low: -product.low });
        Pair::sum(high, rest.high / other.high)
    }

    /// The one `f64` from which rounding to fewer bits is right.
    fn to_odd(self) -> f64 {
        to_odd(self.high, self.low)
    }
}

/// `2^r` for `|r| <= 1/2`, to about 100 bits.
fn exp2_pair(r: f64) -> Pair {
    let y = LN_2.times(Pair::new(r));
    let one = Pair::new(1.0);
    (1..=26).rev().fold(one, |acc, n| one.plus(acc.times(y.over(Pair::new(f64::from(n))))))
}

/// `2^x` rounded to odd: right for every element type but `f64`, for which see [`exact_exp2`].
pub fn exp2_to_odd(x: f64) -> f64 {
    if !(-1100.0..=1100.0).contains(&x) {
        return exp2(x);
    }
    let whole = libm::rint(x);
    let power = exp2_pair(x - whole).to_odd();
    // Far below the range of `f64` the scaling rounds; element types there are zero anyway.
    libm::scalbn(power, whole as i32)
}

/// `2^x`, correctly rounded.
pub fn exact_exp2(x: f64) -> f64 {
    if !(-1100.0..=1100.0).contains(&x) {
        return exp2(x);
    }
    let whole = libm::rint(x);
    let power = exp2_pair(x - whole);
    let normal = whole >= -1021.0;
    libm::scalbn(if normal { power.high } else { power.to_odd() }, whole as i32)
}

/// Logarithm to base 2 as a pair; `x` is positive and finite.
fn log2_pair(x: f64) -> Pair {
    let (mut m, mut e) = libm::frexp(x);
    if m < std::f64::consts::FRAC_1_SQRT_2 {
        m *= 2.0;
        e -= 1;
    }
    // One step of Newton's method from the library's answer doubles its digits.
    let guess = libm::log2(m);
    let power = exp2_pair(guess);
    let rest = Pair::new(m).plus(Pair { high: -power.high, low: -power.low });
    let correction = rest.over(power).over(LN_2);
    Pair::new(f64::from(e)).plus(Pair::new(guess).plus(correction))
}

/// Logarithm to base 2 rounded to odd; see [`exp2_to_odd`].
pub fn log2_to_odd(x: f64) -> f64 {
    if x > 0.0 && x < f64::INFINITY { log2_pair(x).to_odd() } else { log2(x) }
}

/// Logarithm to base 2, correctly rounded.
pub fn exact_log2(x: f64) -> f64 {
    if x > 0.0 && x < f64::INFINITY { log2_pair(x).high } else { log2(x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_is_what_it_says() {
        let mut term = 1.0;
        for (n, &coefficient) in EXP2_SERIES.iter().enumerate() {
            if n > 0 {
                term *= std::f64::consts::LN_2 / n as f64;
            }
            assert!((coefficient / term - 1.0).abs() < 4e-15, "{n}: {coefficient} {term}");
        }
    }

    #[test]
    fn fast_exp2_is_the_correctly_rounded_one_almost_everywhere() {
        let mut wrong = 0;
        for step in -160_000..140_000 {
            let x = step as f32 * 0.001 + 0.000_017;
            let exact = exp2_to_odd(f64::from(x)) as f32;
            let fast = exp2_f32(x);
            assert!(fast.to_bits().abs_diff(exact.to_bits()) <= 1, "{x}: {fast} {exact}");
            wrong += u32::from(fast != exact);
        }
        assert_eq!(wrong, 0);
    }

    #[test]
    fn exp2_of_special_values() {
        assert_eq!(exp2_f32(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp2_f32(f32::INFINITY), f32::INFINITY);
        assert!(exp2_f32(f32::NAN).is_nan());
        assert_eq!(exp2_f32(-0.0), 1.0);
        assert_eq!(exp2_f32(-149.0), f32::from_bits(1));
        assert_eq!(exp2_f32(-151.0), 0.0);
        assert_eq!(exp2_f32(128.0), f32::INFINITY);
        for whole in -149..128 {
            assert_eq!(exp2_f32(whole as f32), 2f64.powi(whole) as f32);
            assert_eq!(exact_exp2(f64::from(whole)), 2f64.powi(whole));
        }
        assert_eq!(exact_exp2(-1074.0), f64::from_bits(1));
        assert!(exact_exp2(f64::NAN).is_nan() && exact_log2(-1.0).is_nan());
        assert_eq!(exact_log2(0.0), f64::NEG_INFINITY);
    }

    #[test]
    fn exact_logarithms_invert_exact_powers() {
        for step in 1..4000 {
            let x = f64::from(step) * 0.37 - 700.0;
            let back = exact_log2(exact_exp2(x));
            assert!((back - x).abs() <= 2e-16 * x.abs().max(1.0) + 3e-16, "{x} {back}");
        }
        assert_eq!(exact_log2(8.0), 3.0);
        assert_eq!(exact_log2(f64::MIN_POSITIVE / 4.0), -1024.0);
    }

    #[test]
    fn fma_to_odd_rounds_once() {
        // 1 + 2^-24 + 2^-60 is just above a tie of f32.
        let product = 2f64.powi(-24) + 2f64.powi(-60);
        assert_eq!(fma_to_odd(1.0, product, 1.0) as f32, 1.0 + f32::EPSILON);
        assert_eq!((product + 1.0) as f32, 1.0);
        assert!(fma_to_odd(f64::INFINITY, 1.0, f64::NEG_INFINITY).is_nan());
        assert_eq!(fma_to_odd(f64::INFINITY, 1.0, 1.0), f64::INFINITY);
    }
}
