//! Elementwise operations: one loop a type and operation, without a branch on either inside.
//!
//! Integers, `f32` and `f64` have loops that the compiler vectorises. Floats of 16 bits and fewer
//! go through [`value`](crate::value) one by one; conversions between them and `f32` have loops of
//! their own, because that is how kernels use them. What each operation means is said there; these
//! loops are tested against it.

use super::elements::{Elements, map, map_both};
use crate::dtype::DType;
use crate::ir::Elem;
use crate::op::tile::{BinaryOp, CmpOp, Round, UnaryOp};
use crate::value::{self, functions};

/// What an elementwise operation found besides its result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Finding {
    /// A signed result wrapped at this element.
    Overflow(usize),
    /// An integer was divided by zero at this element: there is no result.
    DivisionByZero(usize),
}

/// An integer type of Rust with what the loops need.
trait Int: Copy + PartialOrd + Eq {
    const ZERO: Self;
    const SIGNED: bool;
    fn add(self, y: Self) -> Self;
    fn sub(self, y: Self) -> Self;
    fn mul(self, y: Self) -> Self;
    fn div(self, y: Self) -> Self;
    fn rem(self, y: Self) -> Self;
    fn and(self, y: Self) -> Self;
    fn or(self, y: Self) -> Self;
    fn xor(self, y: Self) -> Self;
    fn shl(self, y: Self) -> Self;
    fn shr(self, y: Self) -> Self;
    fn mul_high(self, y: Self) -> Self;
    fn add_overflows(self, y: Self) -> bool;
    fn sub_overflows(self, y: Self) -> bool;
    fn mul_overflows(self, y: Self) -> bool;
    fn neg(self) -> Self;
    fn not(self) -> Self;
    fn abs(self) -> Self;
    fn popcount(self) -> Self;
    fn leading_zeros(self) -> Self;
    fn reverse_bits(self) -> Self;
}

macro_rules! int {
    ($($ty:ident, $unsigned:ident, $wide:ident, $signed:literal, |$x:ident| $abs:expr;)*) => {
        $(impl Int for $ty {
            const ZERO: Self = 0;
            const SIGNED: bool = $signed;
            #[inline(always)] fn add(self, y: Self) -> Self { self.wrapping_add(y) }
            #[inline(always)] fn sub(self, y: Self) -> Self { self.wrapping_sub(y) }
            #[inline(always)] fn mul(self, y: Self) -> Self { self.wrapping_mul(y) }
            #[inline(always)] fn div(self, y: Self) -> Self { self.wrapping_div(y) }
            #[inline(always)] fn rem(self, y: Self) -> Self { self.wrapping_rem(y) }
            #[inline(always)] fn and(self, y: Self) -> Self { self & y }
            #[inline(always)] fn or(self, y: Self) -> Self { self | y }
            #[inline(always)] fn xor(self, y: Self) -> Self { self ^ y }
            #[inline(always)] fn shl(self, y: Self) -> Self {
                if (y as $unsigned) < $ty::BITS as $unsigned { self << y } else { 0 }
            }
            #[inline(always)] fn shr(self, y: Self) -> Self {
                let inside = (y as $unsigned) < $ty::BITS as $unsigned;
                if inside { self >> y } else { (self >> ($ty::BITS - 1)) >> 1 }
            }
            #[inline(always)] fn mul_high(self, y: Self) -> Self {
                ((self as $wide * y as $wide) >> $ty::BITS) as $ty
            }
            #[inline(always)] fn add_overflows(self, y: Self) -> bool { self.overflowing_add(y).1 }
            #[inline(always)] fn sub_overflows(self, y: Self) -> bool { self.overflowing_sub(y).1 }
            #[inline(always)] fn mul_overflows(self, y: Self) -> bool {
                let wide = (self as $wide).wrapping_mul(y as $wide);
                wide as $ty as $wide != wide
            }
            #[inline(always)] fn neg(self) -> Self { self.wrapping_neg() }
            #[inline(always)] fn not(self) -> Self { !self }
            #[inline(always)] fn abs(self) -> Self { let $x = self; $abs }
            #[inline(always)] fn popcount(self) -> Self { self.count_ones() as $ty }
            #[inline(always)] fn leading_zeros(self) -> Self { $ty::leading_zeros(self) as $ty }
            #[inline(always)] fn reverse_bits(self) -> Self { $ty::reverse_bits(self) }
        })*
    };
}
int! {
    i8, u8, i16, true, |x| x.wrapping_abs();
    i16, u16, i32, true, |x| x.wrapping_abs();
    i32, u32, i64, true, |x| x.wrapping_abs();
    i64, u64, i128, true, |x| x.wrapping_abs();
    u8, u8, u16, false, |x| x;
    u16, u16, u32, false, |x| x;
    u32, u32, u64, false, |x| x;
    u64, u64, u128, false, |x| x;
}

/// A float type of Rust with what the loops need.
trait Float: Copy + PartialOrd {
    /// The bits of `x` or `y` of which one is below the other or equal to it.
    fn or_bits(self, y: Self) -> Self;
    fn and_bits(self, y: Self) -> Self;
    fn is_nan(self) -> bool;
    const NAN: Self;
}

macro_rules! float {
    ($($ty:ident)*) => {
        $(impl Float for $ty {
            #[inline(always)] fn or_bits(self, y: Self) -> Self { $ty::from_bits(self.to_bits() | y.to_bits()) }
            #[inline(always)] fn and_bits(self, y: Self) -> Self { $ty::from_bits(self.to_bits() & y.to_bits()) }
            #[inline(always)] fn is_nan(self) -> bool { self != self }
            const NAN: Self = $ty::NAN;
        })*
    };
}
float! { f32 f64 }

/// The smaller of two numbers. Equal ones differ in nothing but a zero's sign, which is or-ed.
#[inline(always)]
fn smaller<T: Float>(x: T, y: T) -> T {
    if x < y {
        x
    } else if y < x {
        y
    } else {
        x.or_bits(y)
    }
}

/// The larger of two numbers, see [`smaller`].
#[inline(always)]
fn larger<T: Float>(x: T, y: T) -> T {
    if x > y {
        x
    } else if y > x {
        y
    } else {
        x.and_bits(y)
    }
}

/// `pick` of two numbers; of a number and a NaN, the number.
#[inline(always)]
fn ignoring_nan<T: Float>(x: T, y: T, pick: impl Fn(T, T) -> T) -> T {
    let picked = pick(x, y);
    if x.is_nan() {
        y
    } else if y.is_nan() {
        x
    } else {
        picked
    }
}

/// `pick` of two numbers, a NaN if there is one.
#[inline(always)]
fn with_nan<T: Float>(x: T, y: T, pick: impl Fn(T, T) -> T) -> T {
    let picked = pick(x, y);
    if x.is_nan() || y.is_nan() { T::NAN } else { picked }
}

#[inline(always)]
fn each<T: Copy, U>(x: &[T], f: impl Fn(T) -> U) -> Vec<U> {
    x.iter().map(|&it| f(it)).collect()
}

#[inline(always)]
fn each_two<T: Copy, U>(x: &[T], y: &[T], f: impl Fn(T, T) -> U) -> Vec<U> {
    x.iter().zip(y).map(|(&x, &y)| f(x, y)).collect()
}

fn native(elem: Elem) -> Option<DType> {
    elem.data().filter(|it| !it.is_float() || matches!(it, DType::F32 | DType::F64))
}

/// The element type that arithmetic works in; pointers have none.
fn dtype_of(elem: Elem) -> DType {
    elem.data().expect("V3: arithmetic is on numbers")
}

/// A function of one operand.
pub(super) fn unary(op: UnaryOp, elem: Elem, x: &Elements) -> Elements {
    if native(elem).is_none() {
        let dtype = dtype_of(elem);
        return Elements::from_bits(elem, x.all_bits().map(|it| value::unary(op, dtype, it)));
    }
    match x {
        Elements::Bool(x) => Elements::Bool(each(x, |it| !it)),
        Elements::I8(x) => Elements::I8(int_unary(op, x)),
        Elements::I16(x) => Elements::I16(int_unary(op, x)),
        Elements::I32(x) => Elements::I32(int_unary(op, x)),
        Elements::I64(x) => Elements::I64(int_unary(op, x)),
        Elements::U8(x) => Elements::U8(int_unary(op, x)),
        Elements::U16(x) => Elements::U16(int_unary(op, x)),
        Elements::U32(x) => Elements::U32(int_unary(op, x)),
        Elements::U64(x) => Elements::U64(int_unary(op, x)),
        Elements::F32(x) => Elements::F32(f32_unary(op, x)),
        Elements::F64(x) => Elements::F64(f64_unary(op, x)),
        Elements::Rows(_) => panic!("{}", super::elements::D3),
    }
}

fn int_unary<T: Int>(op: UnaryOp, x: &[T]) -> Vec<T> {
    match op {
        UnaryOp::Neg => each(x, T::neg),
        UnaryOp::Not => each(x, T::not),
        UnaryOp::Abs => each(x, T::abs),
        UnaryOp::Popcount => each(x, T::popcount),
        UnaryOp::LeadingZeros => each(x, T::leading_zeros),
        UnaryOp::ReverseBits => each(x, T::reverse_bits),
        UnaryOp::Sqrt
        | UnaryOp::Exp2
        | UnaryOp::Log2
        | UnaryOp::Rcp
        | UnaryOp::Rsqrt
        | UnaryOp::Sin
        | UnaryOp::Cos
        | UnaryOp::Tanh
        | UnaryOp::ExactExp2
        | UnaryOp::ExactLog2
        | UnaryOp::Floor
        | UnaryOp::Ceil
        | UnaryOp::Round
        | UnaryOp::Trunc => panic!("V3: `{}` is not defined on integers", op.name()),
    }
}

/// Through `f64` and rounded once.
#[inline(always)]
fn through_f64(x: &[f32], f: impl Fn(f64) -> f64) -> Vec<f32> {
    each(x, |it| f(f64::from(it)) as f32)
}

fn f32_unary(op: UnaryOp, x: &[f32]) -> Vec<f32> {
    match op {
        UnaryOp::Neg => each(x, |it| -it),
        UnaryOp::Abs => each(x, f32::abs),
        UnaryOp::Sqrt => each(x, f32::sqrt),
        UnaryOp::Exp2 => each(x, functions::exp2_f32),
        UnaryOp::Log2 => through_f64(x, functions::log2),
        UnaryOp::Rcp => each(x, |it| 1.0 / it),
        UnaryOp::Rsqrt => through_f64(x, |it| 1.0 / it.sqrt()),
        UnaryOp::Sin => through_f64(x, functions::sin),
        UnaryOp::Cos => through_f64(x, functions::cos),
        UnaryOp::Tanh => through_f64(x, functions::tanh),
        UnaryOp::ExactExp2 => through_f64(x, functions::exp2_to_odd),
        UnaryOp::ExactLog2 => through_f64(x, functions::log2_to_odd),
        UnaryOp::Floor => each(x, f32::floor),
        UnaryOp::Ceil => each(x, f32::ceil),
        UnaryOp::Round => each(x, f32::round_ties_even),
        UnaryOp::Trunc => each(x, f32::trunc),
        UnaryOp::Not | UnaryOp::Popcount | UnaryOp::LeadingZeros | UnaryOp::ReverseBits => {
            panic!("V3: `{}` is not defined on floats", op.name())
        }
    }
}

fn f64_unary(op: UnaryOp, x: &[f64]) -> Vec<f64> {
    match op {
        UnaryOp::Neg => each(x, |it| -it),
        UnaryOp::Abs => each(x, f64::abs),
        UnaryOp::Sqrt => each(x, f64::sqrt),
        UnaryOp::Exp2 => each(x, functions::exp2),
        UnaryOp::Log2 => each(x, functions::log2),
        UnaryOp::Rcp => each(x, |it| 1.0 / it),
        UnaryOp::Rsqrt => each(x, |it| 1.0 / it.sqrt()),
        UnaryOp::Sin => each(x, functions::sin),
        UnaryOp::Cos => each(x, functions::cos),
        UnaryOp::Tanh => each(x, functions::tanh),
        UnaryOp::ExactExp2 => each(x, functions::exact_exp2),
        UnaryOp::ExactLog2 => each(x, functions::exact_log2),
        UnaryOp::Floor => each(x, f64::floor),
        UnaryOp::Ceil => each(x, f64::ceil),
        UnaryOp::Round => each(x, f64::round_ties_even),
        UnaryOp::Trunc => each(x, f64::trunc),
        UnaryOp::Not | UnaryOp::Popcount | UnaryOp::LeadingZeros | UnaryOp::ReverseBits => {
            panic!("V3: `{}` is not defined on floats", op.name())
        }
    }
}

/// A function of two operands.
pub(super) fn binary(
    op: BinaryOp,
    elem: Elem,
    x: &Elements,
    y: &Elements,
) -> (Elements, Option<Finding>) {
    if native(elem).is_none() {
        let dtype = dtype_of(elem);
        let one = |(x, y)| value::binary(op, dtype, x, y).expect("floats divide by zero");
        return (Elements::from_bits(elem, x.all_bits().zip(y.all_bits()).map(one)), None);
    }
    let found = finding(op, x, y);
    if matches!(found, Some(Finding::DivisionByZero(_))) {
        return (Elements::with_capacity(elem, 0), found);
    }
    let data = match (x, y) {
        (Elements::Bool(x), Elements::Bool(y)) => Elements::Bool(bool_binary(op, x, y)),
        (Elements::I8(x), Elements::I8(y)) => Elements::I8(int_binary(op, x, y)),
        (Elements::I16(x), Elements::I16(y)) => Elements::I16(int_binary(op, x, y)),
        (Elements::I32(x), Elements::I32(y)) => Elements::I32(int_binary(op, x, y)),
        (Elements::I64(x), Elements::I64(y)) => Elements::I64(int_binary(op, x, y)),
        (Elements::U8(x), Elements::U8(y)) => Elements::U8(int_binary(op, x, y)),
        (Elements::U16(x), Elements::U16(y)) => Elements::U16(int_binary(op, x, y)),
        (Elements::U32(x), Elements::U32(y)) => Elements::U32(int_binary(op, x, y)),
        (Elements::U64(x), Elements::U64(y)) => Elements::U64(int_binary(op, x, y)),
        (Elements::F32(x), Elements::F32(y)) => Elements::F32(float_binary(op, x, y)),
        (Elements::F64(x), Elements::F64(y)) => Elements::F64(float_binary(op, x, y)),
        _ => panic!("V3: operands of one type are vectors of one type"),
    };
    (data, found)
}

fn finding(op: BinaryOp, x: &Elements, y: &Elements) -> Option<Finding> {
    match (x, y) {
        (Elements::I8(x), Elements::I8(y)) => int_finding(op, x, y),
        (Elements::I16(x), Elements::I16(y)) => int_finding(op, x, y),
        (Elements::I32(x), Elements::I32(y)) => int_finding(op, x, y),
        (Elements::I64(x), Elements::I64(y)) => int_finding(op, x, y),
        (Elements::U8(x), Elements::U8(y)) => int_finding(op, x, y),
        (Elements::U16(x), Elements::U16(y)) => int_finding(op, x, y),
        (Elements::U32(x), Elements::U32(y)) => int_finding(op, x, y),
        (Elements::U64(x), Elements::U64(y)) => int_finding(op, x, y),
        _ => None,
    }
}

fn int_finding<T: Int>(op: BinaryOp, x: &[T], y: &[T]) -> Option<Finding> {
    // Folded without an early end, so that the loop is vectorised; looked for only if there is one.
    let overflow = |wraps: fn(T, T) -> bool| {
        let pairs = || x.iter().zip(y);
        if !T::SIGNED || !pairs().fold(false, |acc, (&x, &y)| acc | wraps(x, y)) {
            return None;
        }
        pairs().position(|(&x, &y)| wraps(x, y)).map(Finding::Overflow)
    };
    match op {
        BinaryOp::Add => overflow(T::add_overflows),
        BinaryOp::Sub => overflow(T::sub_overflows),
        BinaryOp::Mul => overflow(T::mul_overflows),
        BinaryOp::Div | BinaryOp::Rem => {
            y.iter().position(|&it| it == T::ZERO).map(Finding::DivisionByZero)
        }
        BinaryOp::Min
        | BinaryOp::Max
        | BinaryOp::MinNan
        | BinaryOp::MaxNan
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
        | BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::MulHigh => None,
    }
}

fn int_binary<T: Int>(op: BinaryOp, x: &[T], y: &[T]) -> Vec<T> {
    match op {
        BinaryOp::Add => each_two(x, y, T::add),
        BinaryOp::Sub => each_two(x, y, T::sub),
        BinaryOp::Mul => each_two(x, y, T::mul),
        BinaryOp::Div => each_two(x, y, T::div),
        BinaryOp::Rem => each_two(x, y, T::rem),
        BinaryOp::Min | BinaryOp::MinNan => each_two(x, y, |x, y| if x < y { x } else { y }),
        BinaryOp::Max | BinaryOp::MaxNan => each_two(x, y, |x, y| if x > y { x } else { y }),
        BinaryOp::And => each_two(x, y, T::and),
        BinaryOp::Or => each_two(x, y, T::or),
        BinaryOp::Xor => each_two(x, y, T::xor),
        BinaryOp::Shl => each_two(x, y, T::shl),
        BinaryOp::Shr => each_two(x, y, T::shr),
        BinaryOp::MulHigh => each_two(x, y, T::mul_high),
    }
}

fn bool_binary(op: BinaryOp, x: &[bool], y: &[bool]) -> Vec<bool> {
    match op {
        BinaryOp::And => each_two(x, y, |x, y| x & y),
        BinaryOp::Or => each_two(x, y, |x, y| x | y),
        BinaryOp::Xor => each_two(x, y, |x, y| x ^ y),
        BinaryOp::Add
        | BinaryOp::Sub
        | BinaryOp::Mul
        | BinaryOp::Div
        | BinaryOp::Rem
        | BinaryOp::Min
        | BinaryOp::Max
        | BinaryOp::MinNan
        | BinaryOp::MaxNan
        | BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::MulHigh => panic!("V3: `{}` is not defined on bool", op.name()),
    }
}

fn float_binary<T>(op: BinaryOp, x: &[T], y: &[T]) -> Vec<T>
where
    T: Float
        + std::ops::Add<Output = T>
        + std::ops::Sub<Output = T>
        + std::ops::Mul<Output = T>
        + std::ops::Div<Output = T>
        + std::ops::Rem<Output = T>,
{
    match op {
        BinaryOp::Add => each_two(x, y, |x, y| x + y),
        BinaryOp::Sub => each_two(x, y, |x, y| x - y),
        BinaryOp::Mul => each_two(x, y, |x, y| x * y),
        BinaryOp::Div => each_two(x, y, |x, y| x / y),
        BinaryOp::Rem => each_two(x, y, |x, y| x % y),
        BinaryOp::Min => each_two(x, y, |x, y| ignoring_nan(x, y, smaller)),
        BinaryOp::Max => each_two(x, y, |x, y| ignoring_nan(x, y, larger)),
        BinaryOp::MinNan => each_two(x, y, |x, y| with_nan(x, y, smaller)),
        BinaryOp::MaxNan => each_two(x, y, |x, y| with_nan(x, y, larger)),
        BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
        | BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::MulHigh => {
            panic!("V3: `{}` is not defined on floats", op.name())
        }
    }
}

/// A comparison.
pub(super) fn cmp(op: CmpOp, elem: Elem, x: &Elements, y: &Elements) -> Elements {
    if let (None, Some(dtype)) = (native(elem), elem.data()) {
        let bits = x.all_bits().zip(y.all_bits());
        return Elements::Bool(bits.map(|(x, y)| value::cmp(op, dtype, x, y)).collect());
    }
    let bools = match (x, y) {
        (Elements::Bool(x), Elements::Bool(y)) => compare(op, x, y),
        (Elements::I8(x), Elements::I8(y)) => compare(op, x, y),
        (Elements::I16(x), Elements::I16(y)) => compare(op, x, y),
        (Elements::I32(x), Elements::I32(y)) => compare(op, x, y),
        (Elements::I64(x), Elements::I64(y)) => compare(op, x, y),
        (Elements::U8(x), Elements::U8(y)) => compare(op, x, y),
        (Elements::U16(x), Elements::U16(y)) => compare(op, x, y),
        (Elements::U32(x), Elements::U32(y)) => compare(op, x, y),
        (Elements::U64(x), Elements::U64(y)) => compare(op, x, y),
        (Elements::F32(x), Elements::F32(y)) => compare(op, x, y),
        (Elements::F64(x), Elements::F64(y)) => compare(op, x, y),
        _ => panic!("V3: operands of one type are vectors of one type"),
    };
    Elements::Bool(bools)
}

fn compare<T: Copy + PartialOrd>(op: CmpOp, x: &[T], y: &[T]) -> Vec<bool> {
    match op {
        CmpOp::Eq => each_two(x, y, |x, y| x == y),
        CmpOp::Ne => each_two(x, y, |x, y| x != y),
        CmpOp::Lt => each_two(x, y, |x, y| x < y),
        CmpOp::Le => each_two(x, y, |x, y| x <= y),
        CmpOp::Gt => each_two(x, y, |x, y| x > y),
        CmpOp::Ge => each_two(x, y, |x, y| x >= y),
    }
}

/// `x * y + z` with one rounding; for integers, wrapping.
pub(super) fn fma(elem: Elem, x: &Elements, y: &Elements, z: &Elements) -> Elements {
    let dtype = dtype_of(elem);
    if let (DType::F32, Elements::F32(x), Elements::F32(y), Elements::F32(z)) = (dtype, x, y, z) {
        let one =
            |((&x, &y), &z)| functions::fma_to_odd(f64::from(x), f64::from(y), f64::from(z)) as f32;
        return Elements::F32(x.iter().zip(y).zip(z).map(one).collect());
    }
    let bits = x.all_bits().zip(y.all_bits()).zip(z.all_bits());
    Elements::from_bits(elem, bits.map(|((x, y), z)| value::fma(dtype, x, y, z)))
}

/// `x` where `cond` holds, `y` elsewhere.
pub(super) fn select(cond: &[bool], x: &Elements, y: &Elements) -> Elements {
    map_both!(x, y, x, y => cond.iter().zip(x.iter().zip(y)).map(|(&c, (&x, &y))| if c { x } else { y }).collect())
}

/// Every element converted.
pub(super) fn cast(from: DType, to: DType, round: Round, x: &Elements) -> Elements {
    match (x, from, to) {
        _ if from == to => map!(x, v => v.clone()),
        (Elements::I32(x), _, DType::F32) if round == Round::Nearest => {
            Elements::F32(each(x, |it| it as f32))
        }
        (Elements::I32(x), _, DType::I64) => Elements::I64(each(x, i64::from)),
        (Elements::I64(x), _, DType::I32) => Elements::I32(each(x, |it| it as i32)),
        (Elements::Bool(x), _, DType::F32) => {
            Elements::F32(each(x, |it| if it { 1.0 } else { 0.0 }))
        }
        (Elements::Bool(x), _, DType::I32) => Elements::I32(each(x, i32::from)),
        (Elements::F32(x), DType::F32, DType::I32) => Elements::I32(each(x, |it| it as i32)),
        (Elements::F32(x), DType::F32, DType::F64) => Elements::F64(each(x, f64::from)),
        (Elements::F64(x), DType::F64, DType::F32) if round == Round::Nearest => {
            Elements::F32(each(x, |it| it as f32))
        }
        (Elements::U16(x), DType::Bf16, DType::F32) => Elements::F32(each(x, bf16_to_f32)),
        (Elements::U16(x), DType::F16, DType::F32) => Elements::F32(each(x, f16_to_f32)),
        (Elements::F32(x), DType::F32, DType::Bf16) if round == Round::Nearest => {
            Elements::U16(each(x, f32_to_bf16))
        }
        (Elements::F32(x), DType::F32, DType::F16) if round == Round::Nearest => {
            Elements::U16(each(x, f32_to_f16))
        }
        _ => Elements::from_bits(
            Elem::Data(to),
            x.all_bits().map(|it| value::cast(from, to, round, it)),
        ),
    }
}

#[inline(always)]
fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// Rounds by adding just under half an ulp, one more if the last kept bit is odd.
#[inline(always)]
fn f32_to_bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    let rounded = (bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16;
    if x.is_nan() { 0x7fc0 } else { rounded }
}

/// The exponent is moved by a multiplication, which also normalises subnormals.
#[inline(always)]
fn f16_to_f32(bits: u16) -> f32 {
    let magnitude = u32::from(bits & 0x7fff) << 13;
    // 2^112: the difference of the two biases.
    let scaled = f32::from_bits(magnitude) * f32::from_bits((112 + 127) << 23);
    let special = f32::from_bits(magnitude | 0xff << 23);
    let value = if bits & 0x7c00 == 0x7c00 { special } else { scaled };
    f32::from_bits(value.to_bits() | u32::from(bits & 0x8000) << 16)
}

/// Rounding by the adder: a number as large as the result's ulp times 2^23 pushes the rest out.
#[inline(always)]
fn f32_to_f16(x: f32) -> u16 {
    let sign = (x.to_bits() >> 16 & 0x8000) as u16;
    let magnitude = x.abs();
    // The exponent of the sum's ulp: that of the number less 10, at least that of a subnormal.
    let exponent = (magnitude.to_bits() >> 23).max(127 - 14);
    let pusher = f32::from_bits((exponent + 13) << 23);
    let rounded = (magnitude + pusher) - pusher;
    let code = if rounded < f32::from_bits((127 - 14) << 23) {
        // A subnormal counts multiples of 2^-24.
        (rounded * f32::from_bits((127 + 24) << 23)) as u16
    } else {
        ((rounded.to_bits() - ((127 - 15) << 23)) >> 13) as u16
    };
    let finite = if rounded < 65536.0 { code } else { 0x7c00 };
    sign | if x.is_nan() { 0x7e00 } else { finite }
}

/// Bits read as another type of the same width.
pub(super) fn reinterpret(to: Elem, x: &Elements) -> Elements {
    Elements::from_bits(to, x.all_bits())
}

#[cfg(test)]
mod tests;
