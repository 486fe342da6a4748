//! A tensor in memory: element type, extents, strides and a place in shared bytes.
//!
//! # Invariants
//! * H1: every element that shape, strides and offset reach lies in the bytes.
//! * H2: a tensor made by [`HostTensor::from_bits`] and its like is contiguous, row-major, at offset 0,
//!   and alone with its bytes; only [`HostTensor::view`], [`HostTensor::permuted`] and
//!   [`HostTensor::reshaped`] share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::dtype::{Class, DType};
use crate::op::tile::Round;
use crate::value::{self, Exact};

/// A tensor in memory. A clone is another handle on the same elements.
#[derive(Clone, Debug)]
pub struct HostTensor {
    dtype: DType,
    shape: Vec<u64>,
    /// In elements.
    strides: Vec<i64>,
    /// In elements.
    offset: u64,
    bytes: Rc<RefCell<Vec<u8>>>,
    /// Whether nothing has been written to the bytes yet.
    is_undefined: Rc<Cell<bool>>,
}

/// Strides of a contiguous row-major tensor.
fn row_major(shape: &[u64]) -> Vec<i64> {
    let mut strides = vec![1i64; shape.len()];
    for d in (1..shape.len()).rev() {
        strides[d - 1] = strides[d].saturating_mul(shape[d].max(1) as i64);
    }
    strides
}

fn bytes_of(dtype: DType, len: u64) -> usize {
    (len * u64::from(dtype.storage_bits())).div_ceil(8) as usize
}

impl HostTensor {
    /// A tensor of zeros.
    pub fn zeros(dtype: DType, shape: &[u64]) -> HostTensor {
        let bytes = vec![0; bytes_of(dtype, shape.iter().product())];
        HostTensor {
            dtype,
            shape: shape.to_vec(),
            strides: row_major(shape),
            offset: 0,
            bytes: Rc::new(RefCell::new(bytes)),
            is_undefined: Rc::new(Cell::new(false)),
        }
    }

    /// A tensor that holds nothing: checked engines refuse to read it before a kernel has written it,
    /// elsewhere its bytes are all ones.
    pub fn empty(dtype: DType, shape: &[u64]) -> HostTensor {
        let tensor = HostTensor::zeros(dtype, shape);
        tensor.bytes.borrow_mut().fill(0xff);
        tensor.is_undefined.set(true);
        tensor
    }

    /// Whether nothing has been written to it, or to what it is a view of.
    pub fn is_undefined(&self) -> bool {
        self.is_undefined.get()
    }

    /// A tensor with these elements' bits, in row-major order; missing ones are zero.
    pub fn from_bits(
        dtype: DType,
        shape: &[u64],
        bits: impl IntoIterator<Item = u64>,
    ) -> HostTensor {
        let tensor = HostTensor::zeros(dtype, shape);
        tensor.set_bits(bits);
        tensor
    }

    /// A tensor with these numbers, rounded to nearest into the type.
    pub fn from_numbers(
        dtype: DType,
        shape: &[u64],
        numbers: impl IntoIterator<Item = f64>,
    ) -> HostTensor {
        HostTensor::from_bits(dtype, shape, numbers.into_iter().map(|it| of_number(dtype, it)))
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Extents, outermost first.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// Distances between neighbours, in elements.
    pub fn strides(&self) -> &[i64] {
        &self.strides
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product::<u64>() as usize
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the elements follow one another in row-major order.
    pub fn is_contiguous(&self) -> bool {
        let wanted = row_major(&self.shape);
        self.is_empty()
            || (0..self.shape.len()).all(|d| self.shape[d] == 1 || self.strides[d] == wanted[d])
    }

    /// Positions of the elements in the bytes, in row-major order.
    fn positions(&self) -> Vec<u64> {
        if self.is_contiguous() {
            return (self.offset..self.offset + self.len() as u64).collect();
        }
        let mut res = vec![self.offset];
        for (&extent, &stride) in self.shape.iter().zip(&self.strides) {
            let steps =
                |base: u64| (0..extent as i64).map(move |it| base.wrapping_add_signed(it * stride));
            res = res.into_iter().flat_map(steps).collect();
        }
        res
    }

    /// The bits of all elements in row-major order.
    pub fn bits(&self) -> Vec<u64> {
        let bytes = self.bytes.borrow();
        let one = |it| value::read(self.dtype, &bytes, it).expect("H1: elements lie in the bytes");
        self.positions().into_iter().map(one).collect()
    }

    /// All elements as numbers in row-major order; integers beyond 2^53 are rounded.
    pub fn numbers(&self) -> Vec<f64> {
        self.bits().into_iter().map(|it| to_number(self.dtype, it)).collect()
    }

    /// Puts in elements' bits, in row-major order, as far as they go.
    pub fn set_bits(&self, bits: impl IntoIterator<Item = u64>) {
        self.is_undefined.set(false);
        let mut bytes = self.bytes.borrow_mut();
        for (position, bits) in self.positions().into_iter().zip(bits) {
            value::write(self.dtype, &mut bytes, position, bits)
                .expect("H1: elements lie in the bytes");
        }
    }

    /// The part with these first indices, extents and steps: a view.
    pub(super) fn view(&self, first: &[u64], shape: Vec<u64>, strides: Vec<i64>) -> HostTensor {
        let distance: i64 =
            first.iter().zip(&self.strides).map(|(&it, &stride)| it as i64 * stride).sum();
        HostTensor {
            shape,
            strides,
            offset: self.offset.wrapping_add_signed(distance),
            ..self.clone()
        }
    }

    /// Dimension `i` is dimension `perm[i]`: a view.
    pub fn permuted(&self, perm: &[usize]) -> HostTensor {
        let shape = perm.iter().map(|&it| self.shape[it]).collect();
        let strides = perm.iter().map(|&it| self.strides[it]).collect();
        HostTensor { shape, strides, ..self.clone() }
    }

    /// The same elements in another shape of as many; a view if this is contiguous, otherwise a copy.
    pub fn reshaped(&self, shape: &[u64]) -> HostTensor {
        if self.is_contiguous() {
            return HostTensor { shape: shape.to_vec(), strides: row_major(shape), ..self.clone() };
        }
        HostTensor::from_bits(self.dtype, shape, self.bits())
    }

    /// The same numbers in another type.
    pub fn cast(&self, dtype: DType, round: Round) -> HostTensor {
        let cast = |it| value::cast(self.dtype, dtype, round, it);
        HostTensor::from_bits(dtype, &self.shape, self.bits().into_iter().map(cast))
    }

    /// The same bits in another type of the same width.
    pub fn reinterpreted(&self, dtype: DType) -> HostTensor {
        HostTensor::from_bits(dtype, &self.shape, self.bits())
    }

    /// Repeats dimensions of extent 1 to `shape`, putting in new ones in front: a view that is only read.
    pub(super) fn broadcast(&self, shape: &[u64]) -> HostTensor {
        let new = shape.len() - self.shape.len();
        let stride = |d: usize| {
            let own = d.checked_sub(new).map(|it| (self.shape[it], self.strides[it]));
            own.map_or(0, |(extent, stride)| if extent == shape[d] { stride } else { 0 })
        };
        HostTensor {
            shape: shape.to_vec(),
            strides: (0..shape.len()).map(stride).collect(),
            ..self.clone()
        }
    }

    /// Distance of the first element from the start of the bytes, in bytes rounded down.
    pub(super) fn byte_offset(&self) -> u64 {
        self.offset * u64::from(self.dtype.storage_bits()) / 8
    }

    /// Whether two handles share their bytes.
    pub(super) fn shares(&self, other: &HostTensor) -> bool {
        Rc::ptr_eq(&self.bytes, &other.bytes)
    }

    /// The bytes from the first element to the last, for an engine. A span that begins within a byte
    /// is moved to the start of one.
    pub(super) fn copy_bytes(&self) -> Vec<u8> {
        let span = self.span();
        let bytes = self.bytes.borrow();
        if let Some(range) = self.byte_range(&span) {
            return bytes[range].to_vec();
        }
        let mut res = vec![0; bytes_of(self.dtype, span.end - span.start)];
        for (number, position) in span.enumerate() {
            let bits =
                value::read(self.dtype, &bytes, position).expect("H1: elements lie in the bytes");
            value::write(self.dtype, &mut res, number as u64, bits).expect("as long as the span");
        }
        res
    }

    /// Puts back what [`HostTensor::copy_bytes`] gave and an engine changed. Where `before` is given,
    /// only what differs from it is written, because another view may have changed the rest.
    pub(super) fn put_bytes(&self, after: &[u8], before: Option<&[u8]>) {
        let span = self.span();
        self.is_undefined.set(false);
        let mut bytes = self.bytes.borrow_mut();
        if let (Some(range), None) = (self.byte_range(&span), before) {
            return bytes[range].copy_from_slice(after);
        }
        for (number, position) in span.enumerate() {
            let bits = value::read(self.dtype, after, number as u64).expect("as long as the span");
            let old = before.and_then(|it| value::read(self.dtype, it, number as u64));
            if old != Some(bits) {
                value::write(self.dtype, &mut bytes, position, bits)
                    .expect("H1: elements lie in the bytes");
            }
        }
    }

    /// The bytes of a span of elements if those are whole bytes.
    fn byte_range(&self, span: &std::ops::Range<u64>) -> Option<std::ops::Range<usize>> {
        let width = u64::from(self.dtype.storage_bits());
        let whole = [span.start, span.end].iter().all(|it| (it * width).is_multiple_of(8));
        whole.then(|| (span.start * width / 8) as usize..(span.end * width / 8) as usize)
    }

    /// Positions from the first element to the last.
    fn span(&self) -> std::ops::Range<u64> {
        if self.is_empty() {
            return self.offset..self.offset;
        }
        let last: i64 = self
            .shape
            .iter()
            .zip(&self.strides)
            .map(|(&it, &stride)| (it as i64 - 1) * stride)
            .sum();
        self.offset..self.offset.wrapping_add_signed(last) + 1
    }
}

/// An element as a number.
pub(super) fn to_number(dtype: DType, bits: u64) -> f64 {
    match dtype.class() {
        Class::Float(_) => value::decode(dtype, bits),
        Class::Bool | Class::Signed | Class::Unsigned => value::to_int(dtype, bits) as f64,
    }
}

/// A number rounded to nearest into a type; integers saturate.
pub(super) fn of_number(dtype: DType, x: f64) -> u64 {
    value::cast(DType::F64, dtype, Round::Nearest, x.to_bits())
}

/// An integer in a type: low bits for integers, rounded for floats.
pub(super) fn of_int(dtype: DType, x: i128) -> u64 {
    match dtype.class() {
        Class::Float(_) => value::encode_exact(dtype, Exact::from_int(x), Round::Nearest),
        Class::Bool => u64::from(x != 0),
        Class::Signed | Class::Unsigned => value::from_int(dtype, x),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iota(shape: &[u64]) -> HostTensor {
        let n = shape.iter().product::<u64>();
        HostTensor::from_bits(DType::I32, shape, 0..n)
    }

    #[test]
    fn views_share_and_copies_do_not() {
        let x = iota(&[3, 4]);
        let row = x.view(&[1, 0], vec![4], vec![1]);
        row.set_bits([9, 9, 9, 9]);
        assert_eq!(x.bits(), [0, 1, 2, 3, 9, 9, 9, 9, 8, 9, 10, 11]);
        let turned = x.permuted(&[1, 0]);
        assert_eq!(turned.shape(), [4, 3]);
        assert_eq!(turned.bits()[..3], [0, 9, 8]);
        let flat = turned.reshaped(&[12]);
        flat.set_bits([100]);
        assert_eq!(x.bits()[0], 0);
        assert!(x.reshaped(&[2, 6]).shares(&x) && !flat.shares(&x));
    }

    #[test]
    fn a_part_goes_to_an_engine_and_comes_back() {
        let x = iota(&[4, 4]);
        let inner = x.view(&[1, 1], vec![2, 2], vec![4, 1]);
        let before = inner.copy_bytes();
        assert_eq!(before.len(), 6 * 4);
        let mut after = before.clone();
        after[0] = 77;
        inner.put_bytes(&after, None);
        assert_eq!(x.bits()[4..8], [4, 77, 6, 7]);
        // Only what the engine changed is put back where others may have written.
        x.set_bits(0..16);
        inner.put_bytes(&before, Some(&after));
        inner.put_bytes(&after, Some(&after));
        assert_eq!(x.bits()[4..8], [4, 5, 6, 7]);
        assert_eq!(inner.byte_offset(), 20);
    }

    #[test]
    fn elements_smaller_than_a_byte_are_packed() {
        let x = HostTensor::from_numbers(DType::F4E2M1, &[3], [1.0, -6.0, 0.5]);
        assert_eq!(x.numbers(), [1.0, -6.0, 0.5]);
        assert_eq!(x.copy_bytes(), [0xf2, 0x01]);
    }

    #[test]
    fn empty_tensors_and_scalars() {
        assert_eq!(HostTensor::zeros(DType::F32, &[0, 5]).bits(), [0u64; 0]);
        assert_eq!(iota(&[]).len(), 1);
        assert_eq!(iota(&[1]).broadcast(&[2, 3]).bits(), [0; 6]);
    }
}
