//! The elements of a tile: one typed vector in row-major order.
//!
//! # Invariants
//! * D1: the vector's type is that of the element: numbers that Rust has are themselves (`tf32` is an
//!   `f32`), a float of 16 bits is its bits in a `u16`, one of 8 bits and fewer in a `u8`, a pointer is
//!   a `u64` ([`super::memory`]).
//! * D2: a scalar is a vector of one.

use crate::dtype::{Class, DType};
use crate::ir::Elem;

/// The elements of a tile.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Data {
    Bool(Vec<bool>),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    U64(Vec<u64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// `expr` on the vector of whatever type.
macro_rules! with {
    ($data:expr, $v:ident => $expr:expr) => {
        match $data {
            Data::Bool($v) => $expr,
            Data::I8($v) => $expr,
            Data::I16($v) => $expr,
            Data::I32($v) => $expr,
            Data::I64($v) => $expr,
            Data::U8($v) => $expr,
            Data::U16($v) => $expr,
            Data::U32($v) => $expr,
            Data::U64($v) => $expr,
            Data::F32($v) => $expr,
            Data::F64($v) => $expr,
        }
    };
}

/// A vector of the same type, made by `expr`.
macro_rules! map {
    ($data:expr, $v:ident => $expr:expr) => {
        match $data {
            Data::Bool($v) => Data::Bool($expr),
            Data::I8($v) => Data::I8($expr),
            Data::I16($v) => Data::I16($expr),
            Data::I32($v) => Data::I32($expr),
            Data::I64($v) => Data::I64($expr),
            Data::U8($v) => Data::U8($expr),
            Data::U16($v) => Data::U16($expr),
            Data::U32($v) => Data::U32($expr),
            Data::U64($v) => Data::U64($expr),
            Data::F32($v) => Data::F32($expr),
            Data::F64($v) => Data::F64($expr),
        }
    };
}

/// A vector of the same type as two of one type, made by `expr`.
macro_rules! map_both {
    ($x:expr, $y:expr, $v:ident, $w:ident => $expr:expr) => {
        match ($x, $y) {
            (Data::Bool($v), Data::Bool($w)) => Data::Bool($expr),
            (Data::I8($v), Data::I8($w)) => Data::I8($expr),
            (Data::I16($v), Data::I16($w)) => Data::I16($expr),
            (Data::I32($v), Data::I32($w)) => Data::I32($expr),
            (Data::I64($v), Data::I64($w)) => Data::I64($expr),
            (Data::U8($v), Data::U8($w)) => Data::U8($expr),
            (Data::U16($v), Data::U16($w)) => Data::U16($expr),
            (Data::U32($v), Data::U32($w)) => Data::U32($expr),
            (Data::U64($v), Data::U64($w)) => Data::U64($expr),
            (Data::F32($v), Data::F32($w)) => Data::F32($expr),
            (Data::F64($v), Data::F64($w)) => Data::F64($expr),
            _ => panic!("V3: operands of one type are vectors of one type"),
        }
    };
}

/// `expr` on two vectors of one type.
macro_rules! with_both {
    ($x:expr, $y:expr, $v:ident, $w:ident => $expr:expr) => {
        match ($x, $y) {
            (Data::Bool($v), Data::Bool($w)) => $expr,
            (Data::I8($v), Data::I8($w)) => $expr,
            (Data::I16($v), Data::I16($w)) => $expr,
            (Data::I32($v), Data::I32($w)) => $expr,
            (Data::I64($v), Data::I64($w)) => $expr,
            (Data::U8($v), Data::U8($w)) => $expr,
            (Data::U16($v), Data::U16($w)) => $expr,
            (Data::U32($v), Data::U32($w)) => $expr,
            (Data::U64($v), Data::U64($w)) => $expr,
            (Data::F32($v), Data::F32($w)) => $expr,
            (Data::F64($v), Data::F64($w)) => $expr,
            _ => panic!("V3: operands of one type are vectors of one type"),
        }
    };
}
pub(super) use {map, map_both};

/// An element as its bits and back.
trait Bits: Copy {
    fn to_bits_64(self) -> u64;
    fn from_bits_64(bits: u64) -> Self;
}

macro_rules! bits {
    ($($ty:ty, $word:ty;)*) => {
        $(impl Bits for $ty {
            fn to_bits_64(self) -> u64 {
                self as $word as u64
            }
            fn from_bits_64(bits: u64) -> Self {
                bits as $ty
            }
        })*
    };
}
bits! { i8, u8; i16, u16; i32, u32; i64, u64; u8, u8; u16, u16; u32, u32; u64, u64; }

impl Bits for bool {
    fn to_bits_64(self) -> u64 {
        u64::from(self)
    }
    fn from_bits_64(bits: u64) -> Self {
        bits != 0
    }
}

impl Bits for f32 {
    fn to_bits_64(self) -> u64 {
        u64::from(self.to_bits())
    }
    fn from_bits_64(bits: u64) -> Self {
        f32::from_bits(bits as u32)
    }
}

impl Bits for f64 {
    fn to_bits_64(self) -> u64 {
        self.to_bits()
    }
    fn from_bits_64(bits: u64) -> Self {
        f64::from_bits(bits)
    }
}

fn extend<T: Bits>(v: &mut Vec<T>, bits: impl Iterator<Item = u64>) {
    v.extend(bits.map(|it| T::from_bits_64(it)));
}

impl Data {
    /// An empty vector for elements of that kind, with room for `len`.
    pub(super) fn with_capacity(elem: Elem, len: usize) -> Data {
        let dtype = match elem {
            Elem::Pointer(_) => DType::U64,
            Elem::Data(it) => it,
        };
        match (dtype.class(), dtype.bits()) {
            (Class::Bool, _) => Data::Bool(Vec::with_capacity(len)),
            (Class::Signed, 8) => Data::I8(Vec::with_capacity(len)),
            (Class::Signed, 16) => Data::I16(Vec::with_capacity(len)),
            (Class::Signed, 32) => Data::I32(Vec::with_capacity(len)),
            (Class::Signed, _) => Data::I64(Vec::with_capacity(len)),
            (Class::Unsigned, 32) => Data::U32(Vec::with_capacity(len)),
            (Class::Unsigned, 64) => Data::U64(Vec::with_capacity(len)),
            (Class::Float(_), 32) => Data::F32(Vec::with_capacity(len)),
            (Class::Float(_), 64) => Data::F64(Vec::with_capacity(len)),
            (Class::Unsigned | Class::Float(_), 16) => Data::U16(Vec::with_capacity(len)),
            (Class::Unsigned | Class::Float(_), _) => Data::U8(Vec::with_capacity(len)),
        }
    }

    /// Elements from their bits.
    pub(super) fn from_bits(elem: Elem, bits: impl IntoIterator<Item = u64>) -> Data {
        let bits = bits.into_iter();
        let mut data = Data::with_capacity(elem, bits.size_hint().0);
        with!(&mut data, v => extend(v, bits));
        data
    }

    /// `len` times one element.
    pub(super) fn filled(elem: Elem, bits: u64, len: usize) -> Data {
        let mut data = Data::with_capacity(elem, len);
        with!(&mut data, v => v.resize(len, Bits::from_bits_64(bits)));
        data
    }

    pub(super) fn len(&self) -> usize {
        with!(self, v => v.len())
    }

    /// The bits of one element.
    pub(super) fn bits(&self, at: usize) -> u64 {
        with!(self, v => v[at].to_bits_64())
    }

    /// Adds one element.
    pub(super) fn push(&mut self, bits: u64) {
        with!(self, v => v.push(Bits::from_bits_64(bits)));
    }

    /// The bits of all elements in order.
    pub(super) fn all_bits(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.len()).map(|it| self.bits(it))
    }

    pub(super) fn bools(&self) -> &[bool] {
        match self {
            Data::Bool(it) => it,
            _ => panic!("V6: a mask or condition is a vector of bools"),
        }
    }

    pub(super) fn pointers(&self) -> &[u64] {
        match self {
            Data::U64(it) => it,
            _ => panic!("V3: pointers are a vector of u64"),
        }
    }

    /// One element of an `i32` or `i64` vector.
    pub(super) fn index(&self, at: usize) -> i64 {
        match self {
            Data::I32(it) => i64::from(it[at]),
            Data::I64(it) => it[at],
            Data::I8(it) => i64::from(it[at]),
            Data::I16(it) => i64::from(it[at]),
            Data::U8(it) => i64::from(it[at]),
            Data::U16(it) => i64::from(it[at]),
            Data::U32(it) => i64::from(it[at]),
            Data::U64(it) => i64::try_from(it[at]).unwrap_or(i64::MAX),
            Data::Bool(_) | Data::F32(_) | Data::F64(_) => panic!("V3: an index is an integer"),
        }
    }
}

/// A number type as bytes of memory, little-endian.
macro_rules! with_bytes {
    ($data:expr, $v:ident, $ty:ident => $expr:expr, $bool:expr) => {
        match $data {
            Data::Bool($v) => $bool,
            Data::I8($v) => {
                type $ty = i8;
                $expr
            }
            Data::I16($v) => {
                type $ty = i16;
                $expr
            }
            Data::I32($v) => {
                type $ty = i32;
                $expr
            }
            Data::I64($v) => {
                type $ty = i64;
                $expr
            }
            Data::U8($v) => {
                type $ty = u8;
                $expr
            }
            Data::U16($v) => {
                type $ty = u16;
                $expr
            }
            Data::U32($v) => {
                type $ty = u32;
                $expr
            }
            Data::U64($v) => {
                type $ty = u64;
                $expr
            }
            Data::F32($v) => {
                type $ty = f32;
                $expr
            }
            Data::F64($v) => {
                type $ty = f64;
                $expr
            }
        }
    };
}

impl Data {
    /// Adds the elements whose bytes follow one another.
    pub(super) fn extend_from_bytes(&mut self, bytes: &[u8]) {
        with_bytes!(self, v, T => {
            let words = bytes.chunks_exact(size_of::<T>());
            v.extend(words.map(|it| T::from_le_bytes(it.try_into().expect("a chunk has the width of an element"))));
        }, v.extend(bytes.iter().map(|&it| it != 0)))
    }

    /// Writes the bytes of `len` elements from position `at` on.
    pub(super) fn write_bytes(&self, at: usize, len: usize, bytes: &mut [u8]) {
        with_bytes!(self, v, T => {
            for (word, it) in bytes.chunks_exact_mut(size_of::<T>()).zip(&v[at..at + len]) {
                word.copy_from_slice(&it.to_le_bytes());
            }
        }, bytes.iter_mut().zip(&v[at..at + len]).for_each(|(byte, &it)| *byte = u8::from(it)))
    }

    /// Adds `len` elements of another vector of this type, from position `at` on.
    pub(super) fn extend_from(&mut self, other: &Data, at: usize, len: usize) {
        with_both!(self, other, v, w => v.extend_from_slice(&w[at..at + len]));
    }
}
