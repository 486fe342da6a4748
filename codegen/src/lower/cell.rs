//! Elements as they lie in memory: what one access moves, and the elements in it.
//!
//! # Idea
//! Elements of whole bytes are moved as a vector of themselves. Smaller ones are packed, low bits first,
//! into words as wide as the access is aligned: a vector of those is moved, and shifts take it apart.
//! In registers such an element is the low bits of a byte.
//!
//! # Invariants
//! * C1: an access moves whole bytes (the analyses refuse any other, E0609).

use inkwell::types::BasicTypeEnum;
use inkwell::values::IntValue;

use crate::emit::{Emit, Val, vector_type, width};

/// Bits of the widest word in which elements are packed.
const WORD_BITS: u32 = 32;

/// An element in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'c> {
    /// Its type in registers, `i8` for a `bool`.
    pub(crate) element: BasicTypeEnum<'c>,
    bits: u32,
}

/// The words of an access to packed elements.
struct Words {
    n: u32,
    bits: u32,
}

impl<'c> Cell<'c> {
    /// An element of whole bytes.
    pub(crate) fn whole(element: BasicTypeEnum<'c>) -> Cell<'c> {
        Cell { element, bits: width(element) }
    }

    /// An element of `bits` bits.
    pub(crate) fn packed(element: BasicTypeEnum<'c>, bits: u32) -> Cell<'c> {
        Cell { element, bits }
    }

    /// The bytes of `n` elements.
    pub(crate) fn bytes(self, n: usize) -> u32 {
        let bits = self.bits * n as u32;
        assert!(bits.is_multiple_of(8), "C1: an access moves whole bytes");
        bits / 8
    }

    /// The LLVM type of an access of `n` elements, and its alignment.
    pub(crate) fn access(self, emit: &Emit<'c>, n: usize) -> (BasicTypeEnum<'c>, u32) {
        let bytes = self.bytes(n);
        let align = bytes & bytes.wrapping_neg();
        let (element, n) = match self.words(n) {
            Some(words) => (emit.int_type(words.bits).into(), words.n),
            None => (self.element, n as u32),
        };
        (if n == 1 { element } else { vector_type(element, n) }, align)
    }

    /// Elements as one value to write.
    pub(crate) fn join(self, emit: &Emit<'c>, elements: &[Val<'c>]) -> Val<'c> {
        let Some(words) = self.words(elements.len()) else { return emit.pack(elements) };
        let ty = emit.int_type(words.bits);
        let mask = emit.int_type(8).const_int((1 << self.bits) - 1, false);
        let mut joined = vec![ty.const_zero(); words.n as usize];
        for (at, element) in elements.iter().enumerate() {
            let element = emit.zext(emit.and(element.into_int_value(), mask), ty);
            let (word, shift) = words.place(at as u32 * self.bits);
            joined[word] = emit.or(joined[word], up(emit, element, shift));
            if words.bits < shift + self.bits {
                joined[word + 1] =
                    emit.or(joined[word + 1], down(emit, element, words.bits - shift));
            }
        }
        emit.pack(&joined.into_iter().map(Val::from).collect::<Vec<_>>())
    }

    /// The `n` elements of a value that was read.
    pub(crate) fn split(self, emit: &Emit<'c>, value: Val<'c>, n: usize) -> Vec<Val<'c>> {
        let Some(words) = self.words(n) else { return emit.unpack(value, n) };
        let parts = emit.unpack(value, words.n as usize);
        let mask = emit.int_type(words.bits).const_int((1 << self.bits) - 1, false);
        let one = |at: usize| {
            let (word, shift) = words.place(at as u32 * self.bits);
            let mut bits = down(emit, parts[word].into_int_value(), shift);
            if words.bits < shift + self.bits {
                let above = parts[word + 1].into_int_value();
                bits = emit.or(bits, up(emit, above, words.bits - shift));
            }
            emit.zext(emit.and(bits, mask), emit.i8()).into()
        };
        (0..n).map(one).collect()
    }

    /// The words of `n` packed elements; `None` if they are whole bytes.
    fn words(self, n: usize) -> Option<Words> {
        if self.bits == width(self.element) {
            return None;
        }
        let bytes = self.bytes(n);
        let bits = (8 * (bytes & bytes.wrapping_neg())).min(WORD_BITS);
        Some(Words { n: bytes * 8 / bits, bits })
    }
}

impl Words {
    /// The word of a bit, and its place there.
    fn place(&self, bit: u32) -> (usize, u32) {
        ((bit / self.bits) as usize, bit % self.bits)
    }
}

fn up<'c>(emit: &Emit<'c>, value: IntValue<'c>, by: u32) -> IntValue<'c> {
    if by == 0 { value } else { emit.shl(value, value.get_type().const_int(by.into(), false)) }
}

fn down<'c>(emit: &Emit<'c>, value: IntValue<'c>, by: u32) -> IntValue<'c> {
    if by == 0 { value } else { emit.lshr(value, value.get_type().const_int(by.into(), false)) }
}
