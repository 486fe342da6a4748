//! Arithmetic on whole rows.
//!
//! Every operation computes all lanes and then keeps those of the active mask, so that loops over
//! lanes have a fixed length and no branches.

use super::super::bytecode::{
    BitOp, FlagOp, IntOp, IntTest, Real, Real1, Real2, RealTest, Rounding, Row, Slot,
};
use super::super::error::{Kind, SimError};
use super::super::memory::PATTERN;
use super::number::{self, decode, encode};
use super::warp::Rows;
use super::{Turn, Warp};

/// The number in one lane of a row.
pub(super) trait Lane: Copy + Default {
    /// The rows of such numbers.
    fn rows<const L: usize>(rows: &Rows<L>) -> &[[Self; L]];

    fn rows_mut<const L: usize>(rows: &mut Rows<L>) -> &mut [[Self; L]];
}

impl Lane for u32 {
    fn rows<const L: usize>(rows: &Rows<L>) -> &[[u32; L]] {
        &rows.words
    }

    fn rows_mut<const L: usize>(rows: &mut Rows<L>) -> &mut [[u32; L]] {
        &mut rows.words
    }
}

impl Lane for u64 {
    fn rows<const L: usize>(rows: &Rows<L>) -> &[[u64; L]] {
        &rows.wides
    }

    fn rows_mut<const L: usize>(rows: &mut Rows<L>) -> &mut [[u64; L]] {
        &mut rows.wides
    }
}

impl<const L: usize> Turn<'_, '_, L> {
    pub(super) fn get<A: Lane>(&self, a: Row) -> [A; L] {
        *self.row(a)
    }

    fn row<A: Lane>(&self, a: Row) -> &[A; L] {
        &A::rows(&self.warp.rows)[a as usize]
    }

    /// Writes the active lanes of a row.
    pub(super) fn put<D: Lane>(&mut self, d: Row, values: [D; L]) {
        let mask = self.mask;
        let row = &mut D::rows_mut(&mut self.warp.rows)[d as usize];
        if mask == Warp::<L>::FULL {
            *row = values;
            return;
        }
        for (lane, (to, from)) in row.iter_mut().zip(values).enumerate() {
            if mask >> lane & 1 != 0 {
                *to = from;
            }
        }
    }

    pub(super) fn put_flag(&mut self, d: Row, value: u64) {
        let row = &mut self.warp.rows.flags[d as usize];
        *row = *row & !self.mask | value & self.mask;
    }

    pub(super) fn flag(&self, a: Row) -> u64 {
        self.warp.rows.flags[a as usize]
    }

    fn map1<A: Lane, D: Lane>(&mut self, d: Row, a: Row, f: impl Fn(A) -> D) {
        let a = self.row::<A>(a);
        let mut out = [D::default(); L];
        for lane in 0..L {
            out[lane] = f(a[lane]);
        }
        self.put(d, out);
    }

    fn map2<A: Lane, D: Lane>(&mut self, d: Row, a: Row, b: Row, f: impl Fn(A, A) -> D) {
        let (a, b) = (self.row::<A>(a), self.row::<A>(b));
        let mut out = [D::default(); L];
        for lane in 0..L {
            out[lane] = f(a[lane], b[lane]);
        }
        self.put(d, out);
    }

    fn map3<A: Lane>(&mut self, d: Row, a: Row, b: Row, c: Row, f: impl Fn(A, A, A) -> A) {
        let (a, b, c) = (self.row::<A>(a), self.row::<A>(b), self.row::<A>(c));
        let mut out = [A::default(); L];
        for lane in 0..L {
            out[lane] = f(a[lane], b[lane], c[lane]);
        }
        self.put(d, out);
    }

    fn test2<A: Lane>(&mut self, d: Row, a: Row, b: Row, f: impl Fn(A, A) -> bool) {
        let (a, b) = (self.row::<A>(a), self.row::<A>(b));
        let mut out = 0u64;
        for lane in 0..L {
            out |= u64::from(f(a[lane], b[lane])) << lane;
        }
        self.put_flag(d, out);
    }

    pub(super) fn copy(&mut self, d: Slot, a: Slot) {
        match (d, a) {
            (Slot::Flag(d), Slot::Flag(a)) => self.put_flag(d, self.flag(a)),
            (Slot::Word(d), Slot::Word(a)) => {
                let row = self.get::<u32>(a);
                self.put(d, row);
            }
            (Slot::Wide(d), Slot::Wide(a)) => {
                let row = self.get::<u64>(a);
                self.put(d, row);
            }
            _ => unreachable!("B1: a copy stays in its file"),
        }
    }

    pub(super) fn select(&mut self, d: Slot, flag: Row, a: Row, b: Row) {
        let pick = self.flag(flag);
        match d {
            Slot::Flag(d) => {
                let value = self.flag(a) & pick | self.flag(b) & !pick;
                self.put_flag(d, value);
            }
            Slot::Word(d) => self.select_rows::<u32>(pick, d, a, b),
            Slot::Wide(d) => self.select_rows::<u64>(pick, d, a, b),
        }
    }

    fn select_rows<A: Lane>(&mut self, pick: u64, d: Row, a: Row, b: Row) {
        let (a, mut out) = (self.row::<A>(a), self.get::<A>(b));
        for lane in 0..L {
            if pick >> lane & 1 != 0 {
                out[lane] = a[lane];
            }
        }
        self.put(d, out);
    }

    pub(super) fn flags(&mut self, op: FlagOp, d: Row, a: Row, b: Row) {
        let (a, b) = (self.flag(a), self.flag(b));
        let value = match op {
            FlagOp::And => a & b,
            FlagOp::Or => a | b,
            FlagOp::Xor => a ^ b,
            FlagOp::AndNot => a & !b,
        };
        self.put_flag(d, value);
    }

    pub(super) fn int(
        &mut self,
        op: IntOp,
        wide: bool,
        d: Row,
        a: Row,
        b: Row,
    ) -> Result<(), SimError> {
        let divides = matches!(
            op,
            IntOp::DivUnsigned | IntOp::DivSigned | IntOp::RemUnsigned | IntOp::RemSigned
        );
        if divides {
            self.check_divisor(wide, b)?;
        }
        if wide {
            self.int_wide(op, d, a, b);
        } else {
            self.int_word(op, d, a, b);
        }
        Ok(())
    }

    fn check_divisor(&mut self, wide: bool, b: Row) -> Result<(), SimError> {
        let zero = |turn: &mut Self, lane: usize| {
            if wide {
                turn.warp.rows.wides[b as usize][lane] == 0
            } else {
                turn.warp.rows.words[b as usize][lane] == 0
            }
        };
        for lane in super::lanes_of(self.mask) {
            if zero(self, lane) {
                let error = SimError::new(Kind::Undefined, "an integer division by zero");
                return Err(error.at_lane(lane as u32));
            }
        }
        Ok(())
    }

    pub(super) fn bit(&mut self, op: BitOp, wide: bool, d: Row, a: Row) {
        match (op, wide) {
            (BitOp::Popcount, false) => self.map1::<u32, u32>(d, a, u32::count_ones),
            (BitOp::LeadingZeros, false) => self.map1::<u32, u32>(d, a, u32::leading_zeros),
            (BitOp::TrailingZeros, false) => self.map1::<u32, u32>(d, a, u32::trailing_zeros),
            (BitOp::Reverse, false) => self.map1::<u32, u32>(d, a, u32::reverse_bits),
            (BitOp::SwapBytes, false) => self.map1::<u32, u32>(d, a, u32::swap_bytes),
            (BitOp::Popcount, true) => self.map1::<u64, u64>(d, a, |x| u64::from(x.count_ones())),
            (BitOp::LeadingZeros, true) => {
                self.map1::<u64, u64>(d, a, |x| u64::from(x.leading_zeros()))
            }
            (BitOp::TrailingZeros, true) => {
                self.map1::<u64, u64>(d, a, |x| u64::from(x.trailing_zeros()))
            }
            (BitOp::Reverse, true) => self.map1::<u64, u64>(d, a, u64::reverse_bits),
            (BitOp::SwapBytes, true) => self.map1::<u64, u64>(d, a, u64::swap_bytes),
        }
    }

    pub(super) fn funnel(&mut self, left: bool, wide: bool, d: Row, a: Row, b: Row, c: Row) {
        match (left, wide) {
            (true, false) => self.map3::<u32>(d, a, b, c, |a, b, c| {
                ((u64::from(a) << 32 | u64::from(b)) << (c % 32) >> 32) as u32
            }),
            (false, false) => self.map3::<u32>(d, a, b, c, |a, b, c| {
                ((u64::from(a) << 32 | u64::from(b)) >> (c % 32)) as u32
            }),
            (true, true) => self.map3::<u64>(d, a, b, c, |a, b, c| {
                ((u128::from(a) << 64 | u128::from(b)) << (c % 64) >> 64) as u64
            }),
            (false, true) => self.map3::<u64>(d, a, b, c, |a, b, c| {
                ((u128::from(a) << 64 | u128::from(b)) >> (c % 64)) as u64
            }),
        }
    }

    pub(super) fn test(&mut self, test: IntTest, wide: bool, d: Row, a: Row, b: Row) {
        match (test, wide) {
            (IntTest::Eq, false) => self.test2::<u32>(d, a, b, |x, y| x == y),
            (IntTest::Ne, false) => self.test2::<u32>(d, a, b, |x, y| x != y),
            (IntTest::LtUnsigned, false) => self.test2::<u32>(d, a, b, |x, y| x < y),
            (IntTest::LeUnsigned, false) => self.test2::<u32>(d, a, b, |x, y| x <= y),
            (IntTest::LtSigned, false) => self.test2::<u32>(d, a, b, |x, y| (x as i32) < y as i32),
            (IntTest::LeSigned, false) => self.test2::<u32>(d, a, b, |x, y| x as i32 <= y as i32),
            (IntTest::Eq, true) => self.test2::<u64>(d, a, b, |x, y| x == y),
            (IntTest::Ne, true) => self.test2::<u64>(d, a, b, |x, y| x != y),
            (IntTest::LtUnsigned, true) => self.test2::<u64>(d, a, b, |x, y| x < y),
            (IntTest::LeUnsigned, true) => self.test2::<u64>(d, a, b, |x, y| x <= y),
            (IntTest::LtSigned, true) => self.test2::<u64>(d, a, b, |x, y| (x as i64) < y as i64),
            (IntTest::LeSigned, true) => self.test2::<u64>(d, a, b, |x, y| x as i64 <= y as i64),
        }
    }

    pub(super) fn sign_extend(&mut self, bits: u8, d: Row, a: Row) {
        let shift = 32 - u32::from(bits);
        self.map1::<u32, u32>(d, a, |x| ((x << shift) as i32 >> shift) as u32);
    }

    pub(super) fn widen(&mut self, signed: bool, d: Row, a: Row) {
        if signed {
            self.map1::<u32, u64>(d, a, |x| i64::from(x as i32) as u64);
        } else {
            self.map1::<u32, u64>(d, a, u64::from);
        }
    }

    pub(super) fn narrow(&mut self, d: Row, a: Row) {
        self.map1::<u64, u32>(d, a, |x| x as u32);
    }

    pub(super) fn repack(&mut self, table: u32) {
        let program = self.program;
        let repack = &program.code.repacks[table as usize];
        let mut out = [0u64; L];
        for piece in &repack.pieces {
            let ones = if piece.width == 64 { !0 } else { (1u64 << piece.width) - 1 };
            let from = self.warp.rows.all(piece.from);
            for lane in 0..L {
                out[lane] |= (from[lane] >> piece.from_bit & ones) << piece.to_bit;
            }
        }
        match repack.d {
            Slot::Flag(d) => {
                let flags = out.iter().enumerate().fold(0, |all, (lane, it)| all | it << lane);
                self.put_flag(d, flags);
            }
            Slot::Word(d) => self.put(d, out.map(|it| it as u32)),
            Slot::Wide(d) => self.put(d, out),
        }
    }

    pub(super) fn real_test(&mut self, test: RealTest, real: Real, d: Row, a: Row, b: Row) {
        let holds = move |x: f64, y: f64| {
            (test.less && x < y)
                || (test.equal && x == y)
                || (test.greater && x > y)
                || (test.unordered && (x.is_nan() || y.is_nan()))
        };
        match real {
            Real::F64 => self.test2::<u64>(d, a, b, |x, y| holds(decode(real, x), decode(real, y))),
            _ => self.test2::<u32>(d, a, b, |x, y| {
                holds(decode(real, x.into()), decode(real, y.into()))
            }),
        }
    }

    pub(super) fn class(&mut self, mask: u16, real: Real, d: Row, a: Row) {
        let normal = match real {
            Real::F64 => f64::MIN_POSITIVE,
            Real::F16 => 2f64.powi(-14),
            _ => f64::from(f32::MIN_POSITIVE),
        };
        let is = move |x: f64| {
            let negative = x.is_sign_negative();
            let bit = if x.is_nan() {
                return mask & 3 != 0;
            } else if x.is_infinite() {
                if negative { 2 } else { 9 }
            } else if x == 0.0 {
                if negative { 5 } else { 6 }
            } else if x.abs() < normal {
                if negative { 4 } else { 7 }
            } else if negative {
                3
            } else {
                8
            };
            mask >> bit & 1 != 0
        };
        let unflushed = if real == Real::F32Flush { Real::F32 } else { real };
        match real {
            Real::F64 => self.test2::<u64>(d, a, a, |x, _| is(decode(real, x))),
            _ => self.test2::<u32>(d, a, a, |x, _| is(decode(unflushed, x.into()))),
        }
    }

    pub(super) fn convert(
        &mut self,
        from: Real,
        to: Real,
        round: Rounding,
        finite: bool,
        d: Row,
        a: Row,
    ) {
        match (from, to) {
            (Real::F32, Real::F16) if round == Rounding::Nearest && !finite => {
                self.map1::<u32, u32>(d, a, |x| number::f32_to_f16(f32::from_bits(x)));
            }
            (Real::F32, Real::Bf16) if round == Rounding::Nearest && !finite => {
                self.map1::<u32, u32>(d, a, |x| number::f32_to_bf16(f32::from_bits(x)));
            }
            (Real::F16, Real::F32) => {
                self.map1::<u32, u32>(d, a, |x| number::f16_to_f32(x).to_bits())
            }
            (Real::Bf16, Real::F32) => self.map1::<u32, u32>(d, a, |x| x << 16),
            (Real::F64, Real::F64) => self.map1::<u64, u64>(d, a, |x| x),
            (Real::F64, _) => {
                self.map1::<u64, u32>(d, a, |x| encode(to, decode(from, x), round, finite) as u32)
            }
            (_, Real::F64) => {
                self.map1::<u32, u64>(d, a, |x| encode(to, decode(from, x.into()), round, finite))
            }
            _ => self.map1::<u32, u32>(d, a, |x| {
                encode(to, decode(from, x.into()), round, finite) as u32
            }),
        }
    }

    pub(super) fn real_of_int(&mut self, signed: bool, wide: bool, real: Real, d: Row, a: Row) {
        let value = move |x: u64| -> u64 {
            let single = matches!(real, Real::F32 | Real::F32Flush);
            match (signed, single) {
                (true, true) => u64::from((x as i64 as f32).to_bits()),
                (false, true) => u64::from((x as f32).to_bits()),
                (true, false) => encode(real, x as i64 as f64, Rounding::Nearest, false),
                (false, false) => encode(real, x as f64, Rounding::Nearest, false),
            }
        };
        let extend = move |x: u32| if signed { i64::from(x as i32) as u64 } else { u64::from(x) };
        match (wide, real == Real::F64) {
            (false, false) => self.map1::<u32, u32>(d, a, |x| value(extend(x)) as u32),
            (false, true) => self.map1::<u32, u64>(d, a, |x| value(extend(x))),
            (true, false) => self.map1::<u64, u32>(d, a, |x| value(x) as u32),
            (true, true) => self.map1::<u64, u64>(d, a, value),
        }
    }

    pub(super) fn int_of_real(
        &mut self,
        signed: bool,
        real: Real,
        round: Rounding,
        bits: u8,
        d: Row,
        a: Row,
    ) {
        let value = move |x: f64| clamp_int(x, signed, round, u32::from(bits));
        match (real == Real::F64, bits > 32) {
            (false, false) => self.map1::<u32, u32>(d, a, |x| value(decode(real, x.into())) as u32),
            (false, true) => self.map1::<u32, u64>(d, a, |x| value(decode(real, x.into()))),
            (true, false) => self.map1::<u64, u32>(d, a, |x| value(f64::from_bits(x)) as u32),
            (true, true) => self.map1::<u64, u64>(d, a, |x| value(f64::from_bits(x))),
        }
    }

    pub(super) fn fma(&mut self, real: Real, d: Row, a: Row, b: Row, c: Row) {
        match real {
            Real::F32 => self.map3::<u32>(d, a, b, c, |a, b, c| {
                let (a, b, c) = (f32::from_bits(a), f32::from_bits(b), f32::from_bits(c));
                quiet(a.mul_add(b, c))
            }),
            Real::F64 => self.map3::<u64>(d, a, b, c, |a, b, c| {
                f64::from_bits(a).mul_add(f64::from_bits(b), f64::from_bits(c)).to_bits()
            }),
            Real::F32Flush => self.map3::<u32>(d, a, b, c, |a, b, c| {
                let get = |x| number::flush(f32::from_bits(x));
                quiet(number::flush(get(a).mul_add(get(b), get(c))))
            }),
            _ => self.map3::<u32>(d, a, b, c, |a, b, c| {
                let get = |x: u32| decode(real, x.into());
                let sum = number::fma_narrow(get(a), get(b), get(c));
                encode(real, sum, Rounding::Nearest, false) as u32
            }),
        }
    }

    pub(super) fn scale(&mut self, real: Real, d: Row, a: Row, b: Row) {
        let by = self.get::<u32>(b);
        let scaled = |x: f64, lane: usize| {
            // Two steps: a single power of two would overflow where the result does not.
            let by = (by[lane] as i32).clamp(-4200, 4200);
            let half = by / 2;
            x * 2f64.powi(half.clamp(-1022, 1023)) * 2f64.powi((by - half).clamp(-1022, 1023))
        };
        match real {
            Real::F64 => {
                let a = self.get::<u64>(a);
                let out =
                    std::array::from_fn(|lane| scaled(f64::from_bits(a[lane]), lane).to_bits());
                self.put::<u64>(d, out);
            }
            _ => {
                let a = self.get::<u32>(a);
                let out = std::array::from_fn(|lane| {
                    let x = scaled(decode(real, a[lane].into()), lane);
                    encode(real, x, Rounding::Nearest, false) as u32
                });
                self.put::<u32>(d, out);
            }
        }
    }

    pub(super) fn real1(&mut self, op: Real1, real: Real, d: Row, a: Row) {
        match (op, real) {
            (Real1::Neg | Real1::Abs, Real::F64) => {
                let sign = 1u64 << 63;
                self.map1::<u64, u64>(
                    d,
                    a,
                    |x| if op == Real1::Neg { x ^ sign } else { x & !sign },
                );
            }
            (Real1::Neg | Real1::Abs, _) => {
                let sign =
                    if matches!(real, Real::F32 | Real::F32Flush) { 1u32 << 31 } else { 1 << 15 };
                self.map1::<u32, u32>(
                    d,
                    a,
                    |x| if op == Real1::Neg { x ^ sign } else { x & !sign },
                );
            }
            (_, Real::F64) => {
                self.map1::<u64, u64>(d, a, |x| real1(op, f64::from_bits(x)).to_bits())
            }
            (Real1::Sqrt, Real::F32) => {
                self.map1::<u32, u32>(d, a, |x| quiet(f32::from_bits(x).sqrt()))
            }
            _ => self.map1::<u32, u32>(d, a, |x| {
                encode(real, real1(op, decode(real, x.into())), Rounding::Nearest, false) as u32
            }),
        }
    }

    pub(super) fn real2(&mut self, op: Real2, real: Real, d: Row, a: Row, b: Row) {
        match real {
            Real::F64 => self.map2::<u64, u64>(d, a, b, |x, y| {
                real2_wide(op, f64::from_bits(x), f64::from_bits(y)).to_bits()
            }),
            Real::F32 => self.real2_in(op, d, a, b, f32::from_bits, quiet),
            Real::F32Flush => self.real2_in(
                op,
                d,
                a,
                b,
                |x| number::flush(f32::from_bits(x)),
                |x| quiet(number::flush(x)),
            ),
            Real::F16 => self.real2_in(op, d, a, b, number::f16_to_f32, number::f32_to_f16),
            Real::Bf16 => {
                self.real2_in(op, d, a, b, |x| f32::from_bits(x << 16), number::f32_to_bf16);
            }
            _ => self.map2::<u32, u32>(d, a, b, |x, y| {
                let res = real2_wide(op, decode(real, x.into()), decode(real, y.into()));
                encode(real, res, Rounding::Nearest, false) as u32
            }),
        }
    }

    fn real2_in(
        &mut self,
        op: Real2,
        d: Row,
        a: Row,
        b: Row,
        get: impl Fn(u32) -> f32 + Copy,
        put: impl Fn(f32) -> u32 + Copy,
    ) {
        match op {
            Real2::Add => self.map2::<u32, u32>(d, a, b, |x, y| put(get(x) + get(y))),
            Real2::Sub => self.map2::<u32, u32>(d, a, b, |x, y| put(get(x) - get(y))),
            Real2::Mul => self.map2::<u32, u32>(d, a, b, |x, y| put(get(x) * get(y))),
            Real2::Div => self.map2::<u32, u32>(d, a, b, |x, y| put(get(x) / get(y))),
            Real2::Rem => self.map2::<u32, u32>(d, a, b, |x, y| put(get(x) % get(y))),
            Real2::CopySign => self.map2::<u32, u32>(d, a, b, |x, y| put(get(x).copysign(get(y)))),
            _ => self.map2::<u32, u32>(d, a, b, |x, y| {
                put(real2_wide(op, f64::from(get(x)), f64::from(get(y))) as f32)
            }),
        }
    }
}

macro_rules! int_rows {
    ($name:ident, $unsigned:ty, $signed:ty, $double:ty, $signed_double:ty) => {
        impl<const L: usize> Turn<'_, '_, L> {
            fn $name(&mut self, op: IntOp, d: Row, a: Row, b: Row) {
                let f = int_function::<$unsigned>(op);
                // One loop for each of the frequent operations, so that it is vectorised.
                match op {
                    IntOp::Add => {
                        self.map2::<$unsigned, $unsigned>(d, a, b, |x, y| x.wrapping_add(y))
                    }
                    IntOp::Sub => {
                        self.map2::<$unsigned, $unsigned>(d, a, b, |x, y| x.wrapping_sub(y))
                    }
                    IntOp::Mul => {
                        self.map2::<$unsigned, $unsigned>(d, a, b, |x, y| x.wrapping_mul(y))
                    }
                    IntOp::And => self.map2::<$unsigned, $unsigned>(d, a, b, |x, y| x & y),
                    IntOp::Or => self.map2::<$unsigned, $unsigned>(d, a, b, |x, y| x | y),
                    IntOp::Xor => self.map2::<$unsigned, $unsigned>(d, a, b, |x, y| x ^ y),
                    _ => self.map2::<$unsigned, $unsigned>(d, a, b, f),
                }
            }
        }

        impl Integer for $unsigned {
            fn apply(op: IntOp, x: Self, y: Self) -> Self {
                const BITS: u32 = <$unsigned>::BITS;
                let poison = <$unsigned>::from_ne_bytes([PATTERN; size_of::<$unsigned>()]);
                let (sx, sy) = (x as $signed, y as $signed);
                let by = u32::try_from(y).unwrap_or(BITS);
                match op {
                    IntOp::Add => x.wrapping_add(y),
                    IntOp::Sub => x.wrapping_sub(y),
                    IntOp::Mul => x.wrapping_mul(y),
                    IntOp::MulHighUnsigned => ((x as $double * y as $double) >> BITS) as $unsigned,
                    IntOp::MulHighSigned => {
                        ((sx as $signed_double * sy as $signed_double) >> BITS) as $unsigned
                    }
                    IntOp::DivUnsigned => x.checked_div(y).unwrap_or(0),
                    IntOp::RemUnsigned => x.checked_rem(y).unwrap_or(0),
                    IntOp::DivSigned if y == 0 => 0,
                    IntOp::RemSigned if y == 0 => 0,
                    IntOp::DivSigned => sx.wrapping_div(sy) as $unsigned,
                    IntOp::RemSigned => sx.wrapping_rem(sy) as $unsigned,
                    IntOp::Shl => x.checked_shl(by).unwrap_or(poison),
                    IntOp::Lshr => x.checked_shr(by).unwrap_or(poison),
                    IntOp::Ashr => sx.checked_shr(by).map_or(poison, |it| it as $unsigned),
                    IntOp::And => x & y,
                    IntOp::Or => x | y,
                    IntOp::Xor => x ^ y,
                    IntOp::MinUnsigned => x.min(y),
                    IntOp::MaxUnsigned => x.max(y),
                    IntOp::MinSigned => sx.min(sy) as $unsigned,
                    IntOp::MaxSigned => sx.max(sy) as $unsigned,
                    IntOp::AddSatUnsigned => x.saturating_add(y),
                    IntOp::SubSatUnsigned => x.saturating_sub(y),
                    IntOp::AddSatSigned => sx.saturating_add(sy) as $unsigned,
                    IntOp::SubSatSigned => sx.saturating_sub(sy) as $unsigned,
                }
            }
        }
    };
}

/// Integers that rows hold.
pub(super) trait Integer: Copy {
    /// `x op y`. Shifts by too much give a pattern; division by zero is refused before.
    fn apply(op: IntOp, x: Self, y: Self) -> Self;
}

fn int_function<A: Integer>(op: IntOp) -> impl Fn(A, A) -> A {
    move |x, y| A::apply(op, x, y)
}

int_rows!(int_word, u32, i32, u64, i64);
int_rows!(int_wide, u64, i64, u128, i128);

/// The bits of a result, with one NaN for all.
fn quiet(x: f32) -> u32 {
    if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }
}

/// `x` as an integer of `bits` bits; what does not fit becomes the nearest that does.
fn clamp_int(x: f64, signed: bool, round: Rounding, bits: u32) -> u64 {
    let whole = match round {
        Rounding::Nearest => x.round_ties_even(),
        Rounding::Away => x.round(),
        Rounding::Zero => x.trunc(),
        Rounding::Up => x.ceil(),
        Rounding::Down => x.floor(),
    };
    let mask = if bits == 64 { !0 } else { (1u64 << bits) - 1 };
    if signed {
        let limit = 1i64.checked_shl(bits - 1).unwrap_or(0);
        let value = whole as i64;
        let clamped = if bits == 64 { value } else { value.clamp(-limit, limit - 1) };
        clamped as u64 & mask
    } else {
        (whole as u64).min(mask)
    }
}

/// One operation in double precision.
pub(super) fn real1(op: Real1, x: f64) -> f64 {
    match op {
        Real1::Neg => -x,
        Real1::Abs => x.abs(),
        Real1::Sqrt => x.sqrt(),
        Real1::Rsqrt => 1.0 / x.sqrt(),
        Real1::Rcp => 1.0 / x,
        Real1::Exp2 => x.exp2(),
        Real1::Exp => x.exp(),
        Real1::Exp10 => 10f64.powf(x),
        Real1::Log2 => x.log2(),
        Real1::Log => x.ln(),
        Real1::Log10 => x.log10(),
        Real1::Sin => x.sin(),
        Real1::Cos => x.cos(),
        Real1::SinTurns => (x.fract() * std::f64::consts::TAU).sin(),
        Real1::CosTurns => (x.fract() * std::f64::consts::TAU).cos(),
        Real1::Tanh => x.tanh(),
        Real1::Floor => x.floor(),
        Real1::Ceil => x.ceil(),
        Real1::Trunc => x.trunc(),
        Real1::RoundEven => x.round_ties_even(),
        Real1::RoundAway => x.round(),
        Real1::Fract => x - x.floor(),
        Real1::Canonical => x,
        Real1::Saturate if x.is_nan() => 0.0,
        Real1::Saturate => x.clamp(0.0, 1.0),
        Real1::Relu if x.is_nan() => x,
        Real1::Relu => x.max(0.0),
    }
}

/// One operation in double precision. Of two zeros, the negative one is the smaller.
pub(super) fn real2_wide(op: Real2, x: f64, y: f64) -> f64 {
    let lesser = |x: f64, y: f64| if x < y || (x == y && x.is_sign_negative()) { x } else { y };
    match op {
        Real2::Add => x + y,
        Real2::Sub => x - y,
        Real2::Mul => x * y,
        Real2::Div => x / y,
        Real2::Rem => x % y,
        Real2::MinNumber | Real2::MaxNumber if x.is_nan() => y,
        Real2::MinNumber | Real2::MaxNumber if y.is_nan() => x,
        Real2::Minimum | Real2::Maximum if x.is_nan() || y.is_nan() => f64::NAN,
        Real2::MinNumber | Real2::Minimum => lesser(x, y),
        Real2::MaxNumber | Real2::Maximum => -lesser(-x, -y),
        Real2::CopySign => x.copysign(y),
        Real2::Pow => x.powf(y),
    }
}
