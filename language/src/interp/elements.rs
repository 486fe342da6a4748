//! The elements of a tile: one typed vector in row-major order.
//!
//! # Invariants
//! * D1: the vector's type is that of the element: numbers that Rust has are themselves (`tf32` is an
//!   `f32`), a float of 16 bits is its bits in a `u16`, one of 8 bits and fewer in a `u8`, a pointer is
//!   a `u64` ([`super::memory`]).
//! * D2: a scalar is a vector of one.
//! * D3: pointers are [`Rows`] only where every use of them is a load, store or copy that goes
//!   through them ([`super::lifetimes`]); nothing else ever sees that variant.

use super::rows::{Pointers, Rows};
use crate::dtype::{Class, DType};
use crate::ir::Elem;

/// What [`Elements::Rows`] promises.
pub(super) const D3: &str = "D3: rows of pointers go to loads and stores only";

/// The elements of a tile.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Elements {
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
    Rows(Rows),
}

/// `expr` on the vector of whatever type.
macro_rules! with {
    ($data:expr, $v:ident => $expr:expr) => {
        match $data {
            Elements::Bool($v) => $expr,
            Elements::I8($v) => $expr,
            Elements::I16($v) => $expr,
            Elements::I32($v) => $expr,
            Elements::I64($v) => $expr,
            Elements::U8($v) => $expr,
            Elements::U16($v) => $expr,
            Elements::U32($v) => $expr,
            Elements::U64($v) => $expr,
            Elements::F32($v) => $expr,
            Elements::F64($v) => $expr,
            Elements::Rows(_) => panic!("{D3}"),
        }
    };
}

/// A vector of the same type, made by `expr`.
macro_rules! map {
    ($data:expr, $v:ident => $expr:expr) => {
        match $data {
            Elements::Bool($v) => Elements::Bool($expr),
            Elements::I8($v) => Elements::I8($expr),
            Elements::I16($v) => Elements::I16($expr),
            Elements::I32($v) => Elements::I32($expr),
            Elements::I64($v) => Elements::I64($expr),
            Elements::U8($v) => Elements::U8($expr),
            Elements::U16($v) => Elements::U16($expr),
            Elements::U32($v) => Elements::U32($expr),
            Elements::U64($v) => Elements::U64($expr),
            Elements::F32($v) => Elements::F32($expr),
            Elements::F64($v) => Elements::F64($expr),
            Elements::Rows(_) => panic!("{}", super::elements::D3),
        }
    };
}

/// A vector of the same type as two of one type, made by `expr`.
macro_rules! map_both {
    ($x:expr, $y:expr, $v:ident, $w:ident => $expr:expr) => {
        match ($x, $y) {
            (Elements::Bool($v), Elements::Bool($w)) => Elements::Bool($expr),
            (Elements::I8($v), Elements::I8($w)) => Elements::I8($expr),
            (Elements::I16($v), Elements::I16($w)) => Elements::I16($expr),
            (Elements::I32($v), Elements::I32($w)) => Elements::I32($expr),
            (Elements::I64($v), Elements::I64($w)) => Elements::I64($expr),
            (Elements::U8($v), Elements::U8($w)) => Elements::U8($expr),
            (Elements::U16($v), Elements::U16($w)) => Elements::U16($expr),
            (Elements::U32($v), Elements::U32($w)) => Elements::U32($expr),
            (Elements::U64($v), Elements::U64($w)) => Elements::U64($expr),
            (Elements::F32($v), Elements::F32($w)) => Elements::F32($expr),
            (Elements::F64($v), Elements::F64($w)) => Elements::F64($expr),
            _ => panic!("V3: operands of one type are vectors of one type"),
        }
    };
}

/// `expr` on two vectors of one type.
macro_rules! with_both {
    ($x:expr, $y:expr, $v:ident, $w:ident => $expr:expr) => {
        match ($x, $y) {
            (Elements::Bool($v), Elements::Bool($w)) => $expr,
            (Elements::I8($v), Elements::I8($w)) => $expr,
            (Elements::I16($v), Elements::I16($w)) => $expr,
            (Elements::I32($v), Elements::I32($w)) => $expr,
            (Elements::I64($v), Elements::I64($w)) => $expr,
            (Elements::U8($v), Elements::U8($w)) => $expr,
            (Elements::U16($v), Elements::U16($w)) => $expr,
            (Elements::U32($v), Elements::U32($w)) => $expr,
            (Elements::U64($v), Elements::U64($w)) => $expr,
            (Elements::F32($v), Elements::F32($w)) => $expr,
            (Elements::F64($v), Elements::F64($w)) => $expr,
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

impl Elements {
    /// An empty vector for elements of that kind, with room for `len`.
    pub(super) fn with_capacity(elem: Elem, len: usize) -> Elements {
        let dtype = match elem {
            Elem::Pointer(_) | Elem::Barrier | Elem::Map => DType::U64,
            Elem::Data(it) | Elem::Shared(it) => it,
        };
        match (dtype.class(), dtype.bits()) {
            (Class::Bool, _) => Elements::Bool(Vec::with_capacity(len)),
            (Class::Signed, 8) => Elements::I8(Vec::with_capacity(len)),
            (Class::Signed, 16) => Elements::I16(Vec::with_capacity(len)),
            (Class::Signed, 32) => Elements::I32(Vec::with_capacity(len)),
            (Class::Signed, _) => Elements::I64(Vec::with_capacity(len)),
            (Class::Unsigned, 32) => Elements::U32(Vec::with_capacity(len)),
            (Class::Unsigned, 64) => Elements::U64(Vec::with_capacity(len)),
            (Class::Float(_), 32) => Elements::F32(Vec::with_capacity(len)),
            (Class::Float(_), 64) => Elements::F64(Vec::with_capacity(len)),
            (Class::Unsigned | Class::Float(_), 16) => Elements::U16(Vec::with_capacity(len)),
            (Class::Unsigned | Class::Float(_), _) => Elements::U8(Vec::with_capacity(len)),
        }
    }

    /// Elements from their bits.
    pub(super) fn from_bits(elem: Elem, bits: impl IntoIterator<Item = u64>) -> Elements {
        let bits = bits.into_iter();
        let mut data = Elements::with_capacity(elem, bits.size_hint().0);
        with!(&mut data, v => extend(v, bits));
        data
    }

    /// `len` times one element.
    pub(super) fn filled(elem: Elem, bits: u64, len: usize) -> Elements {
        let mut data = Elements::with_capacity(elem, len);
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
            Elements::Bool(it) => it,
            _ => panic!("V6: a mask or condition is a vector of bools"),
        }
    }

    pub(super) fn pointers(&self) -> &[u64] {
        match self {
            Elements::U64(it) => it,
            _ => panic!("V3: pointers are a vector of u64"),
        }
    }

    /// Pointers as loads and stores take them.
    pub(super) fn places(&self) -> Pointers<'_> {
        match self {
            Elements::Rows(it) => Pointers::Rows(it),
            other => Pointers::Each(other.pointers()),
        }
    }

    /// One element of an `i32` or `i64` vector.
    pub(super) fn index(&self, at: usize) -> i64 {
        match self {
            Elements::I32(it) => i64::from(it[at]),
            Elements::I64(it) => it[at],
            Elements::I8(it) => i64::from(it[at]),
            Elements::I16(it) => i64::from(it[at]),
            Elements::U8(it) => i64::from(it[at]),
            Elements::U16(it) => i64::from(it[at]),
            Elements::U32(it) => i64::from(it[at]),
            Elements::U64(it) => i64::try_from(it[at]).unwrap_or(i64::MAX),
            Elements::Bool(_) | Elements::F32(_) | Elements::F64(_) | Elements::Rows(_) => {
                panic!("V3: an index is an integer")
            }
        }
    }
}

/// A number type as bytes of memory, little-endian.
macro_rules! with_bytes {
    ($data:expr, $v:ident, $ty:ident => $expr:expr, $bool:expr) => {
        match $data {
            Elements::Bool($v) => $bool,
            Elements::I8($v) => {
                type $ty = i8;
                $expr
            }
            Elements::I16($v) => {
                type $ty = i16;
                $expr
            }
            Elements::I32($v) => {
                type $ty = i32;
                $expr
            }
            Elements::I64($v) => {
                type $ty = i64;
                $expr
            }
            Elements::U8($v) => {
                type $ty = u8;
                $expr
            }
            Elements::U16($v) => {
                type $ty = u16;
                $expr
            }
            Elements::U32($v) => {
                type $ty = u32;
                $expr
            }
            Elements::U64($v) => {
                type $ty = u64;
                $expr
            }
            Elements::F32($v) => {
                type $ty = f32;
                $expr
            }
            Elements::F64($v) => {
                type $ty = f64;
                $expr
            }
            Elements::Rows(_) => panic!("{D3}"),
        }
    };
}

impl Elements {
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
    pub(super) fn extend_from(&mut self, other: &Elements, at: usize, len: usize) {
        with_both!(self, other, v, w => v.extend_from_slice(&w[at..at + len]));
    }
}
