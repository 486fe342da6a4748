//! Judging results: `expect_close`, `expect_equal`, `expect_same_bits`.
//!
//! A failure says how many elements are wrong, shows the first of them with both values, and names
//! the tolerance and the largest error. A NaN equals a NaN.

use super::args::error;
use super::tensor::{HostTensor, of_number, to_number};
use crate::diagnostic::Code;
use crate::dtype::DType;
use crate::elab::host::HostError;
use crate::report::runtime as wording;
use crate::value;

/// Wrong elements that a failure shows.
const SHOWN_MAX: usize = 5;

/// How far apart two numbers may be: `atol + rtol · |expected|`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tolerance {
    /// Relative to the expected number.
    pub rtol: f64,
    /// In all cases.
    pub atol: f64,
}

/// What `expect_close` measured of a result that it accepted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Closeness {
    /// The type of the result.
    pub dtype: DType,
    /// What the test allows.
    pub within: Tolerance,
    /// The error of the element that is nearest to its bound.
    pub error: f64,
    /// That error as a part of its bound; 0 where everything is exact.
    pub share: f64,
}

impl Tolerance {
    /// What results of a type are held to unless a test says otherwise: a few roundings.
    pub fn of(dtype: DType) -> Tolerance {
        let (rtol, atol) = match dtype {
            DType::F64 => (1e-12, 1e-15),
            DType::F32 => (1e-5, 1e-8),
            DType::Tf32 | DType::F16 => (2e-3, 1e-6),
            DType::Bf16 => (1.6e-2, 1e-6),
            it if it.is_float() => (0.125, value::decode(it, 1)),
            _ => (0.0, 0.0),
        };
        Tolerance { rtol, atol }
    }
}

/// Refuses tensors of different shapes.
fn same_shape(got: &HostTensor, expected: &HostTensor) -> Result<(), HostError> {
    if got.shape() == expected.shape() {
        return Ok(());
    }
    let message =
        format!("the result has extents {:?}, {:?} are expected", got.shape(), expected.shape());
    Err(error(Code::R0101, message))
}

/// Whether two elements of any types are the same number.
fn equal(a: (DType, u64), b: (DType, u64)) -> bool {
    if !a.0.is_float() && !b.0.is_float() {
        return value::to_int(a.0, a.1) == value::to_int(b.0, b.1);
    }
    let (x, y) = (to_number(a.0, a.1), to_number(b.0, b.1));
    x == y || x.is_nan() && y.is_nan()
}

/// Every element of `got` is the number in `expected`.
pub(super) fn expect_equal(got: &HostTensor, expected: &HostTensor) -> Result<(), HostError> {
    same_shape(got, expected)?;
    let types = (got.dtype(), expected.dtype());
    judge(got, expected, &[], |a, b| equal((types.0, a), (types.1, b)))
}

/// Every element of `got` has the bits in `expected`, and the types are the same.
pub(super) fn expect_same_bits(got: &HostTensor, expected: &HostTensor) -> Result<(), HostError> {
    same_shape(got, expected)?;
    if got.dtype() != expected.dtype() {
        let message =
            format!("the result is `{}`, `{}` is expected", got.dtype(), expected.dtype());
        return Err(error(Code::R0101, message));
    }
    judge(got, expected, &["compared bit by bit".to_owned()], |a, b| a == b)
}

/// Every element of `got` is near the number in `expected`.
pub(super) fn expect_close(
    got: &HostTensor,
    expected: &HostTensor,
    within: Tolerance,
) -> Result<Closeness, HostError> {
    same_shape(got, expected)?;
    let (dtype, wanted_dtype) = (got.dtype(), expected.dtype());
    let close = |a: u64, b: u64| {
        let (x, y) = (to_number(dtype, a), to_number(wanted_dtype, b));
        // What rounds to the expected number's nearest is right, infinities and saturation included.
        let rounded = to_number(dtype, of_number(dtype, y));
        let near = (x - y).abs() <= within.atol + within.rtol * y.abs();
        x == y || x == rounded || x.is_nan() && y.is_nan() || near && y.is_finite()
    };
    let tolerance = format!("tolerance: {:e} + {:e} * |expected|", within.atol, within.rtol);
    judge(got, expected, &[tolerance], close)?;
    Ok(closeness(got, expected, within))
}

/// How near an accepted result is. What is right by being the nearest number of its type, or an
/// infinity where one is expected, has no error.
fn closeness(got: &HostTensor, expected: &HostTensor, within: Tolerance) -> Closeness {
    let mut nearest = Closeness { dtype: got.dtype(), within, error: 0.0, share: 0.0 };
    for (x, y) in got.numbers().into_iter().zip(expected.numbers()) {
        let error = (x - y).abs();
        let share = error / (within.atol + within.rtol * y.abs());
        // A NaN is no larger share.
        if share > nearest.share && share <= 1.0 {
            nearest = Closeness { error, share, ..nearest };
        }
    }
    nearest
}

fn judge(
    got: &HostTensor,
    expected: &HostTensor,
    notes: &[String],
    right: impl Fn(u64, u64) -> bool,
) -> Result<(), HostError> {
    let (bits, wanted) = (got.bits(), expected.bits());
    let wrong: Vec<usize> = (0..bits.len()).filter(|&it| !right(bits[it], wanted[it])).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let mut failure = error(
        Code::R0101,
        format!("{} of {} elements are not as expected", wrong.len(), bits.len()),
    );
    for &at in wrong.iter().take(SHOWN_MAX) {
        let index = index_of(got.shape(), at);
        let x = wording::number(got.dtype(), bits[at]);
        let y = wording::number(expected.dtype(), wanted[at]);
        failure.details.push(format!("at {index:?}: {x}, expected {y}"));
    }
    if SHOWN_MAX < wrong.len() {
        failure.details.push(format!("and {} more", wrong.len() - SHOWN_MAX));
    }
    failure.details.extend(notes.iter().cloned());
    failure.details.extend(largest_error(got, expected, &bits, &wanted, &wrong));
    Err(failure)
}

/// The wrong element that is furthest off.
fn largest_error(
    got: &HostTensor,
    expected: &HostTensor,
    bits: &[u64],
    wanted: &[u64],
    wrong: &[usize],
) -> Option<String> {
    let distance = |at: usize| {
        let (x, y) = (to_number(got.dtype(), bits[at]), to_number(expected.dtype(), wanted[at]));
        ((x - y).abs(), y.abs())
    };
    let finite = wrong.iter().map(|&it| (it, distance(it))).filter(|it| it.1.0.is_finite());
    let (at, (absolute, scale)) = finite.max_by(|a, b| a.1.0.total_cmp(&b.1.0))?;
    let index = index_of(got.shape(), at);
    Some(format!("largest error: {absolute:.3e} ({:.3e} relative) at {index:?}", absolute / scale))
}

/// The index of an element from its place in row-major order.
fn index_of(shape: &[u64], at: usize) -> Vec<u64> {
    let mut rest = at as u64;
    let mut res: Vec<u64> = vec![];
    for &extent in shape.iter().rev() {
        res.push(rest % extent.max(1));
        rest /= extent.max(1);
    }
    res.reverse();
    res
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(dtype: DType, shape: &[u64], numbers: &[f64]) -> HostTensor {
        HostTensor::from_numbers(dtype, shape, numbers.iter().copied())
    }

    #[track_caller]
    fn text<T: std::fmt::Debug>(result: Result<T, HostError>) -> String {
        let failure = result.unwrap_err();
        assert_eq!(failure.code, Code::R0101);
        format!("{}\n{}", failure.message, failure.details.join("\n"))
    }

    #[test]
    fn a_failure_shows_the_first_wrong_elements() {
        let got = tensor(DType::F32, &[2, 4], &[0.0, 1.0, 2.0, 3.5, 4.0, 5.0, f64::NAN, 7.25]);
        let expected = tensor(DType::F64, &[2, 4], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        let within = Tolerance { rtol: 1e-5, atol: 0.0 };
        insta::assert_snapshot!(text(expect_close(&got, &expected, within)), @r"
        3 of 8 elements are not as expected
        at [0, 3]: 3.5, expected 3.0
        at [1, 2]: nan, expected 6.0
        at [1, 3]: 7.25, expected 7.0
        tolerance: 0e0 + 1e-5 * |expected|
        largest error: 5.000e-1 (1.667e-1 relative) at [0, 3]
        ");
    }

    #[test]
    fn the_element_nearest_to_its_bound_is_measured() {
        let got = tensor(DType::F64, &[4], &[1.0, 2.0 + 2e-6, 100.0 + 5e-6, f64::NAN]);
        let expected = tensor(DType::F64, &[4], &[1.0, 2.0, 100.0, f64::NAN]);
        let within = Tolerance { rtol: 1e-5, atol: 0.0 };
        let near = expect_close(&got, &expected, within).expect("it is close");
        assert!((near.error - 2e-6).abs() < 1e-12 && (near.share - 0.1).abs() < 1e-6, "{near:?}");
        let exact = expect_close(&got, &got, within).expect("it is the same");
        assert_eq!((exact.error, exact.share), (0.0, 0.0));
    }

    #[test]
    fn many_failures_are_counted() {
        let (got, expected) =
            (tensor(DType::I32, &[100], &[0.0; 100]), tensor(DType::I32, &[100], &[1.0; 100]));
        let text = text(expect_equal(&got, &expected));
        assert!(text.starts_with("100 of 100 elements") && text.contains("and 95 more"), "{text}");
    }

    #[test]
    fn special_values_are_equal_to_themselves() {
        let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0];
        let got = tensor(DType::F32, &[4], &special);
        assert!(
            expect_close(&got, &tensor(DType::F64, &[4], &special), Tolerance::of(DType::F32))
                .is_ok()
        );
        assert!(expect_equal(&got, &tensor(DType::F32, &[4], &special)).is_ok());
        let other = tensor(DType::F32, &[4], &[f64::NAN, f64::NEG_INFINITY, f64::INFINITY, 0.0]);
        assert!(expect_close(&got, &other, Tolerance { rtol: 1.0, atol: 1.0 }).is_err());
        // What overflows the type is right as its infinity.
        let big = tensor(DType::F64, &[1], &[1e39]);
        assert!(
            expect_close(
                &tensor(DType::F32, &[1], &[f64::INFINITY]),
                &big,
                Tolerance::of(DType::F32)
            )
            .is_ok()
        );
    }

    #[test]
    fn bits_and_types_and_shapes() {
        let zero = tensor(DType::F32, &[1], &[0.0]);
        let minus = tensor(DType::F32, &[1], &[-0.0]);
        assert!(expect_equal(&zero, &minus).is_ok() && expect_same_bits(&zero, &minus).is_err());
        assert!(text(expect_same_bits(&zero, &tensor(DType::F64, &[1], &[0.0]))).contains("`f32`"));
        assert!(text(expect_equal(&zero, &tensor(DType::F32, &[2], &[0.0; 2]))).contains("[2]"));
    }
}
