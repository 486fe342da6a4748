//! `ref::…`: what results are compared with, in float64, by the plainest algorithm there is.
//!
//! Sums run in index order. Integers are summed as integers. An operation that only moves or picks
//! elements keeps their bits and type. NaNs sort last and win no comparison for a maximum, as in the
//! language (`max` ignores a NaN).

use super::tensor::HostTensor;
use crate::dtype::{Class, DType};
use crate::value;

/// A tensor seen around one axis: `outer × extent × inner`.
#[derive(Clone, Copy)]
struct Lines {
    extent: usize,
    inner: usize,
}

impl Lines {
    fn of(shape: &[u64], axis: usize) -> Lines {
        let inner = shape[axis + 1..].iter().product::<u64>() as usize;
        Lines { extent: shape[axis] as usize, inner }
    }

    /// The positions of line `number`.
    fn positions(self, number: usize) -> impl DoubleEndedIterator<Item = usize> + Clone {
        let first = number / self.inner * self.extent * self.inner + number % self.inner;
        (0..self.extent).map(move |it| first + it * self.inner)
    }
}

fn without(shape: &[u64], axis: usize) -> Vec<u64> {
    let mut res = shape.to_vec();
    res.remove(axis);
    res
}

fn with_extent(shape: &[u64], axis: usize, extent: u64) -> Vec<u64> {
    let mut res = shape.to_vec();
    res[axis] = extent;
    res
}

fn of_f64(shape: &[u64], numbers: Vec<f64>) -> HostTensor {
    HostTensor::from_numbers(DType::F64, shape, numbers)
}

/// A function of every element.
pub(super) fn each(x: &HostTensor, f: impl Fn(f64) -> f64) -> HostTensor {
    of_f64(x.shape(), x.numbers().into_iter().map(f).collect())
}

/// Replaces every line along `axis` by what `f` makes of it.
fn along(x: &HostTensor, axis: usize, f: impl Fn(&mut [f64])) -> HostTensor {
    let mut numbers = x.numbers();
    let lines = Lines::of(x.shape(), axis);
    for number in 0..numbers.len().checked_div(lines.extent).unwrap_or(0) {
        let mut line: Vec<f64> = lines.positions(number).map(|it| numbers[it]).collect();
        f(&mut line);
        lines.positions(number).zip(line).for_each(|(at, it)| numbers[at] = it);
    }
    of_f64(x.shape(), numbers)
}

/// One element of type `dtype` for every line along `axis`, by the bits of its elements.
fn fold(x: &HostTensor, axis: usize, dtype: DType, f: impl Fn(&[u64]) -> u64) -> HostTensor {
    let bits = x.bits();
    let lines = Lines::of(x.shape(), axis);
    let shape = without(x.shape(), axis);
    let one = |number| {
        let line: Vec<u64> = lines.positions(number).map(|it| bits[it]).collect();
        f(&line)
    };
    let n = shape.iter().product::<u64>() as usize;
    HostTensor::from_bits(dtype, &shape, (0..n).map(one))
}

/// Softmax along an axis.
pub(super) fn softmax(x: &HostTensor, axis: usize) -> HostTensor {
    along(x, axis, |line| {
        let max = line.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        line.iter_mut().for_each(|it| *it = libm::exp(*it - max));
        let sum: f64 = line.iter().sum();
        line.iter_mut().for_each(|it| *it /= sum);
    })
}

/// The logarithm of softmax along an axis.
pub(super) fn log_softmax(x: &HostTensor, axis: usize) -> HostTensor {
    along(x, axis, |line| {
        let sum = log_sum_exp(line);
        line.iter_mut().for_each(|it| *it -= sum);
    })
}

fn log_sum_exp(line: &[f64]) -> f64 {
    let max = line.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = line.iter().map(|it| libm::exp(it - max)).sum();
    max + libm::log(sum)
}

/// Layer norm of the last dimension.
pub(super) fn layer_norm(
    x: &HostTensor,
    weight: Option<&HostTensor>,
    bias: Option<&HostTensor>,
    eps: f64,
) -> HostTensor {
    let (weight, bias) = (weight.map(HostTensor::numbers), bias.map(HostTensor::numbers));
    along(x, x.shape().len() - 1, |line| {
        let n = line.len() as f64;
        let mean = line.iter().sum::<f64>() / n;
        let variance = line.iter().map(|it| (it - mean) * (it - mean)).sum::<f64>() / n;
        let scale = 1.0 / (variance + eps).sqrt();
        for (i, it) in line.iter_mut().enumerate() {
            let factor = weight.as_ref().map_or(1.0, |it| it[i]);
            *it = (*it - mean) * scale * factor + bias.as_ref().map_or(0.0, |it| it[i]);
        }
    })
}

/// RMS norm of the last dimension.
pub(super) fn rms_norm(x: &HostTensor, weight: Option<&HostTensor>, eps: f64) -> HostTensor {
    let weight = weight.map(HostTensor::numbers);
    along(x, x.shape().len() - 1, |line| {
        let square = line.iter().map(|it| it * it).sum::<f64>() / line.len() as f64;
        let scale = 1.0 / (square + eps).sqrt();
        for (i, it) in line.iter_mut().enumerate() {
            *it *= scale * weight.as_ref().map_or(1.0, |it| it[i]);
        }
    })
}

/// The product of two matrices.
pub(super) fn matmul(a: &HostTensor, b: &HostTensor) -> HostTensor {
    let (m, k, n) = (a.shape()[0] as usize, a.shape()[1] as usize, b.shape()[1] as usize);
    let (x, y) = (a.numbers(), b.numbers());
    let mut res = vec![0.0; m * n];
    for i in 0..m {
        for p in 0..k {
            for j in 0..n {
                res[i * n + j] += x[i * k + p] * y[p * n + j];
            }
        }
    }
    of_f64(&[m as u64, n as u64], res)
}

/// The losses of rows of logits for their labels.
pub(super) fn cross_entropy(x: &HostTensor, labels: &HostTensor) -> HostTensor {
    let classes = x.shape()[1] as usize;
    let (numbers, labels) = (x.numbers(), labels.numbers());
    let loss = |(row, label): (&[f64], &f64)| {
        // A label that is no class has no logit.
        let logit = row.get(*label as usize).filter(|_| 0.0 <= *label);
        log_sum_exp(row) - logit.copied().unwrap_or(f64::NAN)
    };
    of_f64(&x.shape()[..1], numbers.chunks(classes.max(1)).zip(&labels).map(loss).collect())
}

/// 1 where the new last index is the element, 0 elsewhere.
pub(super) fn one_hot(x: &HostTensor, classes: u64) -> HostTensor {
    let mut shape = x.shape().to_vec();
    shape.push(classes);
    let one = |it: f64| (0..classes).map(move |class| f64::from(u8::from(class as f64 == it)));
    of_f64(&shape, x.numbers().into_iter().flat_map(one).collect())
}

/// The sum along an axis: `i64` for integers, otherwise `f64`.
pub(super) fn sum(x: &HostTensor, axis: usize) -> HostTensor {
    if x.dtype().is_float() {
        let sum = |line: &[u64]| {
            line.iter().map(|&it| value::decode(x.dtype(), it)).sum::<f64>().to_bits()
        };
        return fold(x, axis, DType::F64, sum);
    }
    let sum = |line: &[u64]| {
        value::from_int(DType::I64, line.iter().map(|&it| value::to_int(x.dtype(), it)).sum())
    };
    fold(x, axis, DType::I64, sum)
}

/// The mean along an axis.
pub(super) fn mean(x: &HostTensor, axis: usize) -> HostTensor {
    let mean = |line: &[u64]| {
        let sum: f64 = line.iter().map(|&it| super::tensor::to_number(x.dtype(), it)).sum();
        (sum / line.len() as f64).to_bits()
    };
    fold(x, axis, DType::F64, mean)
}

/// Running sums along an axis: `i64` for integers, otherwise `f64`.
pub(super) fn cumsum(x: &HostTensor, axis: usize) -> HostTensor {
    if x.dtype().is_float() {
        return along(x, axis, |line| {
            let mut sum = 0.0;
            line.iter_mut().for_each(|it| {
                sum += *it;
                *it = sum;
            });
        });
    }
    let lines = Lines::of(x.shape(), axis);
    let mut ints: Vec<i128> = x.bits().into_iter().map(|it| value::to_int(x.dtype(), it)).collect();
    for number in 0..ints.len().checked_div(lines.extent).unwrap_or(0) {
        let mut sum = 0;
        for at in lines.positions(number) {
            sum += ints[at];
            ints[at] = sum;
        }
    }
    HostTensor::from_bits(
        DType::I64,
        x.shape(),
        ints.into_iter().map(|it| value::from_int(DType::I64, it)),
    )
}

/// Whether `a` comes before `b` in ascending order; NaNs come last.
fn before(dtype: DType, a: u64, b: u64) -> std::cmp::Ordering {
    match dtype.class() {
        Class::Float(_) => {
            let (x, y) = (value::decode(dtype, a), value::decode(dtype, b));
            x.is_nan().cmp(&y.is_nan()).then(x.partial_cmp(&y).unwrap_or(std::cmp::Ordering::Equal))
        }
        Class::Bool | Class::Signed | Class::Unsigned => {
            value::to_int(dtype, a).cmp(&value::to_int(dtype, b))
        }
    }
}

/// Where elements go in order along a line; equal ones keep their order.
fn order(dtype: DType, line: &[u64], descending: bool) -> Vec<usize> {
    let mut places: Vec<usize> = (0..line.len()).collect();
    places.sort_by(|&a, &b| {
        let nan = |it: usize| dtype.is_float() && value::decode(dtype, line[it]).is_nan();
        let ascending = before(dtype, line[a], line[b]);
        let reversed = descending && !nan(a) && !nan(b);
        if reversed { ascending.reverse() } else { ascending }
    });
    places
}

/// The first `k` elements of every line in order, and where each of them stood.
pub(super) fn sorted(
    x: &HostTensor,
    axis: usize,
    descending: bool,
    k: u64,
) -> (HostTensor, HostTensor) {
    let bits = x.bits();
    let lines = Lines::of(x.shape(), axis);
    let shape = with_extent(x.shape(), axis, k);
    let to = Lines::of(&shape, axis);
    let n = shape.iter().product::<u64>() as usize;
    let (mut values, mut places) = (vec![0; n], vec![0; n]);
    for number in 0..n.checked_div(k as usize).unwrap_or(0) {
        let line: Vec<u64> = lines.positions(number).map(|it| bits[it]).collect();
        for (at, place) in to.positions(number).zip(order(x.dtype(), &line, descending)) {
            values[at] = line[place];
            places[at] = place as u64;
        }
    }
    (
        HostTensor::from_bits(x.dtype(), &shape, values),
        HostTensor::from_bits(DType::I32, &shape, places),
    )
}

/// The largest (or smallest) element along an axis, NaNs ignored.
pub(super) fn extreme(x: &HostTensor, axis: usize, largest: bool) -> HostTensor {
    fold(x, axis, x.dtype(), |line| {
        order(x.dtype(), line, largest).first().map_or(0, |&it| line[it])
    })
}

/// Where the largest (or smallest) element along an axis first stands.
pub(super) fn arg_extreme(x: &HostTensor, axis: usize, largest: bool) -> HostTensor {
    fold(x, axis, DType::I32, |line| {
        order(x.dtype(), line, largest).first().map_or(0, |&it| it as u64)
    })
}

/// The slices of `table` along `axis` that `index` names, in its shape; zeros where it is outside.
pub(super) fn gather(table: &HostTensor, index: &HostTensor, axis: usize) -> HostTensor {
    let bits = table.bits();
    let lines = Lines::of(table.shape(), axis);
    let mut shape = table.shape()[..axis].to_vec();
    shape.extend(index.shape());
    shape.extend(&table.shape()[axis + 1..]);
    let wanted: Vec<i128> =
        index.bits().into_iter().map(|it| value::to_int(index.dtype(), it)).collect();
    let outer = table.shape()[..axis].iter().product::<u64>() as usize;
    let mut res = Vec::with_capacity(outer * wanted.len() * lines.inner);
    for block in 0..outer {
        for &at in &wanted {
            let at = usize::try_from(at).ok().filter(|&it| it < lines.extent);
            let first = at.map(|it| (block * lines.extent + it) * lines.inner);
            res.extend((0..lines.inner).map(|it| first.map_or(0, |first| bits[first + it])));
        }
    }
    HostTensor::from_bits(table.dtype(), &shape, res)
}

/// How often each of `0 .. bins` occurs.
pub(super) fn histogram(x: &HostTensor, bins: u64) -> HostTensor {
    let mut counts = vec![0; bins as usize];
    for it in x.numbers() {
        if let Some(count) = counts.get_mut(it as usize).filter(|_| 0.0 <= it) {
            *count += 1;
        }
    }
    HostTensor::from_bits(DType::I32, &[bins], counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f32s(shape: &[u64], numbers: &[f64]) -> HostTensor {
        HostTensor::from_numbers(DType::F32, shape, numbers.iter().copied())
    }

    fn i32s(shape: &[u64], numbers: &[f64]) -> HostTensor {
        HostTensor::from_numbers(DType::I32, shape, numbers.iter().copied())
    }

    #[test]
    fn reductions_along_either_axis() {
        let x = i32s(&[2, 3], &[1.0, 5.0, 3.0, 4.0, 2.0, 6.0]);
        assert_eq!(sum(&x, 0).numbers(), [5.0, 7.0, 9.0]);
        assert_eq!(sum(&x, 1).numbers(), [9.0, 12.0]);
        assert_eq!(mean(&x, 1).numbers(), [3.0, 4.0]);
        assert_eq!(extreme(&x, 0, true).numbers(), [4.0, 5.0, 6.0]);
        assert_eq!(extreme(&x, 1, false).numbers(), [1.0, 2.0]);
        assert_eq!(arg_extreme(&x, 1, true).numbers(), [1.0, 2.0]);
        assert_eq!(cumsum(&x, 0).numbers(), [1.0, 5.0, 3.0, 5.0, 7.0, 9.0]);
        assert_eq!(cumsum(&x, 1).numbers(), [1.0, 6.0, 9.0, 4.0, 6.0, 12.0]);
    }

    #[test]
    fn sorting_keeps_bits_and_puts_nans_last() {
        let x = f32s(&[4], &[2.0, f64::NAN, -1.0, 2.0]);
        let (up, places) = sorted(&x, 0, false, 4);
        assert_eq!(up.numbers()[..3], [-1.0, 2.0, 2.0]);
        assert_eq!(places.numbers(), [2.0, 0.0, 3.0, 1.0]);
        let (top, places) = sorted(&x, 0, true, 2);
        assert_eq!((top.numbers(), places.numbers()), (vec![2.0, 2.0], vec![0.0, 3.0]));
        assert_eq!(extreme(&x, 0, true).numbers(), [2.0]);
    }

    #[test]
    fn softmax_sums_to_one_and_knows_infinities() {
        let x = f32s(&[2, 3], &[1.0, 2.0, 3.0, f64::NEG_INFINITY, 0.0, f64::NEG_INFINITY]);
        let y = softmax(&x, 1);
        assert!(sum(&y, 1).numbers().iter().all(|it| (it - 1.0).abs() < 1e-15));
        assert_eq!(y.numbers()[3..], [0.0, 1.0, 0.0]);
        let logs = log_softmax(&x, 1).numbers();
        assert!((logs[2] - libm::log(y.numbers()[2])).abs() < 1e-14);
    }

    #[test]
    fn norms_have_the_moments_that_they_promise() {
        let x = f32s(&[1, 4], &[1.0, 2.0, 3.0, 6.0]);
        let y = layer_norm(&x, None, None, 0.0).numbers();
        assert!(y.iter().sum::<f64>().abs() < 1e-12);
        assert!((y.iter().map(|it| it * it).sum::<f64>() - 4.0).abs() < 1e-12);
        let z = rms_norm(&x, Some(&f32s(&[4], &[2.0; 4])), 0.0).numbers();
        assert!((z.iter().map(|it| it * it).sum::<f64>() - 16.0).abs() < 1e-12);
    }

    #[test]
    fn picking_and_counting() {
        let table = i32s(&[3, 2], &[0.0, 1.0, 10.0, 11.0, 20.0, 21.0]);
        let index = i32s(&[3], &[2.0, 0.0, 5.0]);
        assert_eq!(gather(&table, &index, 0).numbers(), [20.0, 21.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(histogram(&index, 3).numbers(), [1.0, 0.0, 1.0]);
        assert_eq!(one_hot(&i32s(&[2], &[1.0, 0.0]), 2).numbers(), [0.0, 1.0, 1.0, 0.0]);
        let losses = cross_entropy(&f32s(&[1, 2], &[0.0, 0.0]), &i32s(&[1], &[1.0])).numbers();
        assert!((losses[0] - std::f64::consts::LN_2).abs() < 1e-15);
    }

    #[test]
    fn product_of_matrices() {
        let a = i32s(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
        let b = i32s(&[2, 1], &[5.0, 6.0]);
        assert_eq!(matmul(&a, &b).numbers(), [17.0, 39.0]);
    }
}
