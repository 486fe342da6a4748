//! Arithmetic on elements.
//!
//! # Invariants
//! * A1: `+ - * / fma sqrt` of floats are correctly rounded and nothing is contracted: no
//!   instruction carries a fast-math flag but the approximations.
//! * A2: formats without arithmetic of their own are computed in `f32` and rounded once; that is
//!   exact for `+ - * / sqrt`, because `f32` has more than twice their digits.
//! * A3: no integer operation is undefined: divisors and shift counts are guarded.

use inkwell::types::FloatType;
use inkwell::values::{FloatValue, IntValue};
use inkwell::{FloatPredicate, IntPredicate};
use tile_language::dtype::{Class, DType};
use tile_language::op::tile::{BinaryOp, CmpOp, Round, UnaryOp};

use super::Lower;
use crate::emit::Val;

/// Whether LLVM computes in this format; the others are widened.
fn is_native(dtype: DType) -> bool {
    matches!(dtype, DType::F16 | DType::Bf16 | DType::F32 | DType::F64)
}

/// Whether an element is kept as its bits.
fn is_bits(dtype: DType) -> bool {
    !is_native(dtype) && dtype != DType::Tf32
}

/// Whether quotients, roots and the like are computed in `f32`.
fn is_half(dtype: DType) -> bool {
    matches!(dtype, DType::F16 | DType::Bf16)
}

/// Unary functions.
impl<'c> Lower<'_, 'c> {
    /// A function of one element.
    pub(crate) fn unary(&mut self, op: UnaryOp, dtype: DType, x: Val<'c>) -> Val<'c> {
        match dtype.class() {
            Class::Float(_) => self.unary_float(op, dtype, x),
            Class::Bool | Class::Signed | Class::Unsigned => {
                self.unary_int(op, dtype.is_signed(), x.into_int_value()).into()
            }
        }
    }

    fn unary_int(&self, op: UnaryOp, is_signed: bool, x: IntValue<'c>) -> IntValue<'c> {
        let emit = &self.emit;
        let counted = |name: &str| {
            let args = [x.into(), emit.bool(false).into()];
            emit.intrinsic(name, &[x.get_type().into()], &args)
                .expect("it has a result")
                .into_int_value()
        };
        match op {
            UnaryOp::Neg => emit.neg(x),
            UnaryOp::Not => emit.not(x),
            UnaryOp::Abs if is_signed => counted("llvm.abs"),
            UnaryOp::Popcount => emit.int_intrinsic("llvm.ctpop", &[x]),
            UnaryOp::LeadingZeros => counted("llvm.ctlz"),
            UnaryOp::ReverseBits => emit.int_intrinsic("llvm.bitreverse", &[x]),
            // An integer is its own absolute value if unsigned, and already whole.
            UnaryOp::Abs | UnaryOp::Floor | UnaryOp::Ceil | UnaryOp::Round | UnaryOp::Trunc => x,
            UnaryOp::Sqrt
            | UnaryOp::Exp2
            | UnaryOp::Log2
            | UnaryOp::Rcp
            | UnaryOp::Rsqrt
            | UnaryOp::Sin
            | UnaryOp::Cos
            | UnaryOp::Tanh
            | UnaryOp::ExactExp2
            | UnaryOp::ExactLog2 => panic!("V3: {} is a function of floats", op.name()),
        }
    }

    fn unary_float(&mut self, op: UnaryOp, dtype: DType, x: Val<'c>) -> Val<'c> {
        let is_sign = matches!(op, UnaryOp::Neg | UnaryOp::Abs);
        if is_sign && is_bits(dtype) {
            return self.sign_of_small(op, dtype, x.into_int_value()).into();
        }
        if !is_sign && (!is_native(dtype) || is_half(dtype)) {
            let wide = self.cast(x, dtype, DType::F32, Round::Nearest);
            let result = self.unary_float(op, DType::F32, wide);
            return self.cast(result, DType::F32, dtype, Round::Nearest);
        }
        let x = x.into_float_value();
        let emit = &self.emit;
        let it = match op {
            UnaryOp::Neg => emit.fneg(x),
            UnaryOp::Abs => emit.float_intrinsic("llvm.fabs", &[x]),
            UnaryOp::Sqrt => emit.float_intrinsic("llvm.sqrt", &[x]),
            UnaryOp::Floor => emit.float_intrinsic("llvm.floor", &[x]),
            UnaryOp::Ceil => emit.float_intrinsic("llvm.ceil", &[x]),
            UnaryOp::Round => emit.float_intrinsic("llvm.rint", &[x]),
            UnaryOp::Trunc => emit.float_intrinsic("llvm.trunc", &[x]),
            UnaryOp::Exp2 => self.exp2(x),
            UnaryOp::Log2 => self.log2(x),
            UnaryOp::Rcp => self.rcp(x),
            UnaryOp::Rsqrt => self.rsqrt(x),
            UnaryOp::Sin => self.sin(x),
            UnaryOp::Cos => self.cos(x),
            UnaryOp::Tanh => self.tanh(x),
            UnaryOp::ExactExp2 => self.exact_exp2(x),
            UnaryOp::ExactLog2 => self.exact_log2(x),
            UnaryOp::Not | UnaryOp::Popcount | UnaryOp::LeadingZeros | UnaryOp::ReverseBits => {
                panic!("V3: {} is a function of integers", op.name())
            }
        };
        it.into()
    }

    /// Negation and absolute value of a small format, which is kept as its bits.
    fn sign_of_small(&self, op: UnaryOp, dtype: DType, x: IntValue<'c>) -> IntValue<'c> {
        let emit = &self.emit;
        if dtype == DType::F8E8M0 {
            return x;
        }
        let sign = emit.like(x, 1 << (dtype.bits() - 1));
        let magnitude = emit.and(x, emit.not(sign));
        let is_fnuz = matches!(dtype, DType::F8E4M3Fnuz | DType::F8E5M2Fnuz);
        match op {
            UnaryOp::Abs if !is_fnuz => magnitude,
            UnaryOp::Neg if !is_fnuz => emit.xor(x, sign),
            _ => {
                // There is no minus zero: its pattern is the NaN, which stays what it is.
                let is_alone = emit.icmp(IntPredicate::EQ, magnitude, emit.like(x, 0));
                let changed = if op == UnaryOp::Abs { magnitude } else { emit.xor(x, sign) };
                emit.select_int(is_alone, x, changed)
            }
        }
    }
}

/// Binary functions.
impl<'c> Lower<'_, 'c> {
    /// A function of two elements of one type.
    pub(crate) fn binary(&mut self, op: BinaryOp, dtype: DType, x: Val<'c>, y: Val<'c>) -> Val<'c> {
        match dtype.class() {
            Class::Float(_) => self.binary_float(op, dtype, x, y),
            Class::Bool | Class::Signed | Class::Unsigned => self
                .binary_int(op, dtype.is_signed(), x.into_int_value(), y.into_int_value())
                .into(),
        }
    }

    fn binary_int(
        &self,
        op: BinaryOp,
        is_signed: bool,
        x: IntValue<'c>,
        y: IntValue<'c>,
    ) -> IntValue<'c> {
        let emit = &self.emit;
        let signed = |name: &str| {
            emit.int_intrinsic(
                &format!("llvm.{}{name}", if is_signed { "s" } else { "u" }),
                &[x, y],
            )
        };
        match op {
            BinaryOp::Add => emit.add(x, y),
            BinaryOp::Sub => emit.sub(x, y),
            BinaryOp::Mul => emit.mul(x, y),
            BinaryOp::Div | BinaryOp::Rem => self.divide(op, is_signed, x, y),
            BinaryOp::Min | BinaryOp::MinNan => signed("min"),
            BinaryOp::Max | BinaryOp::MaxNan => signed("max"),
            BinaryOp::And => emit.and(x, y),
            BinaryOp::Or => emit.or(x, y),
            BinaryOp::Xor => emit.xor(x, y),
            BinaryOp::Shl | BinaryOp::Shr => self.shift(op, is_signed, x, y),
            BinaryOp::MulHigh => self.mul_high(is_signed, x, y),
        }
    }

    /// Quotient or remainder. By 0 the quotient has all bits set and the remainder is the dividend,
    /// as the hardware's long division leaves them; by -1 the quotient wraps.
    fn divide(
        &self,
        op: BinaryOp,
        is_signed: bool,
        x: IntValue<'c>,
        y: IntValue<'c>,
    ) -> IntValue<'c> {
        let emit = &self.emit;
        let (zero, one, ones) = (emit.like(y, 0), emit.like(y, 1), y.get_type().const_all_ones());
        let by_zero = emit.icmp(IntPredicate::EQ, y, zero);
        let by_minus_one =
            if is_signed { emit.icmp(IntPredicate::EQ, y, ones) } else { emit.bool(false) };
        let is_special = emit.or(by_zero, by_minus_one);
        let safe = emit.select_int(is_special, one, y);
        match op {
            BinaryOp::Div => {
                let quotient = if is_signed { emit.sdiv(x, safe) } else { emit.udiv(x, safe) };
                let quotient = emit.select_int(by_minus_one, emit.neg(x), quotient);
                emit.select_int(by_zero, ones, quotient)
            }
            _ => {
                let rest = if is_signed { emit.srem(x, safe) } else { emit.urem(x, safe) };
                emit.select_int(by_zero, x, rest)
            }
        }
    }

    /// A shift by the width or more leaves nothing but the sign.
    fn shift(
        &self,
        op: BinaryOp,
        is_signed: bool,
        x: IntValue<'c>,
        by: IntValue<'c>,
    ) -> IntValue<'c> {
        let emit = &self.emit;
        let last = emit.like(by, u64::from(by.get_type().get_bit_width()) - 1);
        let is_inside = emit.icmp(IntPredicate::ULE, by, last);
        let safe = emit.select_int(is_inside, by, last);
        match op {
            BinaryOp::Shr if is_signed => emit.ashr(x, safe),
            BinaryOp::Shr => emit.select_int(is_inside, emit.lshr(x, safe), emit.like(x, 0)),
            _ => emit.select_int(is_inside, emit.shl(x, safe), emit.like(x, 0)),
        }
    }

    fn mul_high(&self, is_signed: bool, x: IntValue<'c>, y: IntValue<'c>) -> IntValue<'c> {
        let emit = &self.emit;
        let ty = x.get_type();
        let bits = ty.get_bit_width();
        if bits < 64 {
            let wide = emit.int_type(bits * 2);
            let [x, y] =
                [x, y].map(|it| if is_signed { emit.sext(it, wide) } else { emit.zext(it, wide) });
            return emit.zext(emit.lshr(emit.mul(x, y), emit.like(x, u64::from(bits))), ty);
        }
        // Schoolbook with halves of 32 bits; the sign is put right after (Hacker's Delight, 8-3).
        let half = emit.like(x, 32);
        let low = |it| emit.and(it, emit.like(x, u64::from(u32::MAX)));
        let high = |it| emit.lshr(it, half);
        let cross = emit.add(emit.mul(high(x), low(y)), high(emit.mul(low(x), low(y))));
        let middle = emit.add(emit.mul(low(x), high(y)), low(cross));
        let unsigned = emit.add(emit.add(emit.mul(high(x), high(y)), high(cross)), high(middle));
        if !is_signed {
            return unsigned;
        }
        let sign = emit.like(x, 63);
        let by_x = emit.and(emit.ashr(x, sign), y);
        let by_y = emit.and(emit.ashr(y, sign), x);
        emit.sub(emit.sub(unsigned, by_x), by_y)
    }

    /// The smaller or larger of two elements kept as their bits, without a conversion that would
    /// saturate.
    fn choose(&self, op: BinaryOp, dtype: DType, x: Val<'c>, y: Val<'c>) -> Val<'c> {
        let emit = &self.emit;
        let [first, second] = [x, y].map(|it| self.decode(it.into_int_value(), dtype));
        let name = match op {
            BinaryOp::Min => "llvm.minimumnum",
            BinaryOp::Max => "llvm.maximumnum",
            BinaryOp::MinNan => "llvm.minimum",
            _ => "llvm.maximum",
        };
        let chosen = emit.float_intrinsic(name, &[first, second]);
        let is_nan = emit.fcmp(FloatPredicate::UNO, chosen, chosen);
        let [chosen, first] = [chosen, first].map(|it| emit.float_bits(it));
        let it = emit.select(emit.icmp(IntPredicate::EQ, chosen, first), x, y);
        let nan = emit.like(x.into_int_value(), super::cast::nan_code(dtype));
        emit.select(is_nan, nan.into(), it)
    }

    fn binary_float(&mut self, op: BinaryOp, dtype: DType, x: Val<'c>, y: Val<'c>) -> Val<'c> {
        let is_choice =
            matches!(op, BinaryOp::Min | BinaryOp::Max | BinaryOp::MinNan | BinaryOp::MaxNan);
        if is_choice && is_bits(dtype) {
            return self.choose(op, dtype, x, y);
        }
        let is_exact_in_half = matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul);
        if !is_native(dtype) || (is_half(dtype) && !is_exact_in_half) {
            let [x, y] = [x, y].map(|it| self.cast(it, dtype, DType::F32, Round::Nearest));
            let result = self.binary_float(op, DType::F32, x, y);
            return self.cast(result, DType::F32, dtype, Round::Nearest);
        }
        let (x, y) = (x.into_float_value(), y.into_float_value());
        let emit = &self.emit;
        let it = match op {
            BinaryOp::Add => emit.fadd(x, y),
            BinaryOp::Sub => emit.fsub(x, y),
            BinaryOp::Mul => emit.fmul(x, y),
            BinaryOp::Div => emit.fdiv(x, y),
            BinaryOp::Rem => self.remainder(x, y),
            BinaryOp::Min => emit.float_intrinsic("llvm.minimumnum", &[x, y]),
            BinaryOp::Max => emit.float_intrinsic("llvm.maximumnum", &[x, y]),
            BinaryOp::MinNan => emit.float_intrinsic("llvm.minimum", &[x, y]),
            BinaryOp::MaxNan => emit.float_intrinsic("llvm.maximum", &[x, y]),
            BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::Shr
            | BinaryOp::MulHigh => {
                panic!("V3: {} is a function of integers", op.name())
            }
        };
        it.into()
    }

    /// `x * y + z` with one rounding.
    pub(crate) fn fma(&mut self, dtype: DType, x: Val<'c>, y: Val<'c>, z: Val<'c>) -> Val<'c> {
        if !dtype.is_float() {
            let product = self.emit.mul(x.into_int_value(), y.into_int_value());
            return self.emit.add(product, z.into_int_value()).into();
        }
        if matches!(dtype, DType::F16 | DType::F32 | DType::F64) {
            return self
                .emit
                .float_intrinsic("llvm.fma", &[x, y, z].map(|it| it.into_float_value()))
                .into();
        }
        // The product of two narrow numbers is exact in f64; the sum is rounded to odd there, so
        // that the rounding to the format is the only one that shows (Boldo and Melquiond, 2008).
        let [x, y, z] = [x, y, z].map(|it| self.to_double(it, dtype));
        let sum = self.add_to_odd(self.emit.fmul(x, y), z);
        self.cast(sum.into(), DType::F64, dtype, Round::Nearest)
    }

    /// The sum of two doubles, rounded to odd: an inexact one has its last bit set.
    fn add_to_odd(&self, a: FloatValue<'c>, b: FloatValue<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        let sum = emit.fadd(a, b);
        // Knuth's two-sum: what the rounding lost.
        let part = emit.fsub(sum, a);
        let error = emit.fadd(emit.fsub(a, emit.fsub(sum, part)), emit.fsub(b, part));
        let zero = emit.real(sum, 0.0);
        let is_inexact = emit.fcmp(FloatPredicate::ONE, error, zero);
        // Towards zero: one step back if the rounding went away from it.
        let went_away = {
            let error_negative = emit.fcmp(FloatPredicate::OLT, error, zero);
            let sum_negative = emit.fcmp(FloatPredicate::OLT, sum, zero);
            emit.xor(error_negative, sum_negative)
        };
        let bits = emit.float_bits(sum);
        let back = emit.sub(bits, emit.zext(went_away, bits.get_type()));
        let odd = emit.or(back, emit.like(bits, 1));
        emit.bits_float(emit.select_int(is_inexact, odd, bits), sum.get_type())
    }

    /// An element as a double, which holds every format.
    pub(crate) fn to_double(&self, x: Val<'c>, dtype: DType) -> FloatValue<'c> {
        let x = if is_bits(dtype) {
            self.decode(x.into_int_value(), dtype)
        } else {
            x.into_float_value()
        };
        self.emit.fcast(x, self.emit.f64())
    }

    /// The LLVM type of a format with arithmetic.
    pub(crate) fn float_type(&self, dtype: DType) -> FloatType<'c> {
        super::element_type(self.emit.context, tile_language::ir::Elem::Data(dtype))
            .into_float_type()
    }

    /// A comparison of two elements.
    pub(crate) fn compare(
        &mut self,
        op: CmpOp,
        elem: tile_language::ir::Elem,
        x: Val<'c>,
        y: Val<'c>,
    ) -> IntValue<'c> {
        let Some(dtype) = elem.data() else {
            let [x, y] =
                [x, y].map(|it| self.emit.bitcast(it, self.emit.i64().into()).into_int_value());
            return self.emit.icmp(int_predicate(op, false), x, y);
        };
        match dtype.class() {
            Class::Float(_) => {
                let [x, y] = [x, y].map(|it| {
                    if is_bits(dtype) {
                        self.decode(it.into_int_value(), dtype)
                    } else {
                        it.into_float_value()
                    }
                });
                self.emit.fcmp(float_predicate(op), x, y)
            }
            Class::Bool | Class::Signed | Class::Unsigned => self.emit.icmp(
                int_predicate(op, dtype.is_signed()),
                x.into_int_value(),
                y.into_int_value(),
            ),
        }
    }
}

fn int_predicate(op: CmpOp, is_signed: bool) -> IntPredicate {
    match (op, is_signed) {
        (CmpOp::Eq, _) => IntPredicate::EQ,
        (CmpOp::Ne, _) => IntPredicate::NE,
        (CmpOp::Lt, true) => IntPredicate::SLT,
        (CmpOp::Le, true) => IntPredicate::SLE,
        (CmpOp::Gt, true) => IntPredicate::SGT,
        (CmpOp::Ge, true) => IntPredicate::SGE,
        (CmpOp::Lt, false) => IntPredicate::ULT,
        (CmpOp::Le, false) => IntPredicate::ULE,
        (CmpOp::Gt, false) => IntPredicate::UGT,
        (CmpOp::Ge, false) => IntPredicate::UGE,
    }
}

fn float_predicate(op: CmpOp) -> FloatPredicate {
    match op {
        CmpOp::Eq => FloatPredicate::OEQ,
        CmpOp::Ne => FloatPredicate::UNE,
        CmpOp::Lt => FloatPredicate::OLT,
        CmpOp::Le => FloatPredicate::OLE,
        CmpOp::Gt => FloatPredicate::OGT,
        CmpOp::Ge => FloatPredicate::OGE,
    }
}
