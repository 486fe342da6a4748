//! The exact remainder of a division of floats.
//!
//! LLVM's `frem` becomes `x - trunc(x / y) * y` on devices, which is wrong as soon as the quotient
//! has more digits than a float. Here the divisor is first made larger, by powers of two, until the
//! quotient is short; then quotients are taken off as the divisor comes down again. Each step is
//! exact: its quotient is a whole number that the format holds, at most one too large, and a fused
//! product leaves a rest that the format holds.

use inkwell::FloatPredicate;
use inkwell::values::{BasicValue, FloatValue};

use super::Lower;

/// Bits of a quotient that is taken off at once, for `f32`.
const STEP_BITS_F32: i32 = 22;
/// The same for `f64`.
const STEP_BITS_F64: i32 = 50;

impl<'c> Lower<'_, 'c> {
    /// `x` modulo `y` with the sign of `x`.
    pub(crate) fn remainder(&self, x: FloatValue<'c>, y: FloatValue<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        let real = |it: f64| emit.real(x, it);
        let [dividend, divisor] = [x, y].map(|it| emit.float_intrinsic("llvm.fabs", &[it]));
        let is_finite = emit.fcmp(FloatPredicate::OLT, dividend, real(f64::INFINITY));
        let is_divisor = emit.fcmp(FloatPredicate::OGT, divisor, real(0.0));
        let is_endless = emit.fcmp(FloatPredicate::OEQ, divisor, real(f64::INFINITY));
        let is_plain = emit.and(emit.and(is_finite, is_divisor), emit.not(is_endless));
        let dividend = emit.select_float(is_plain, dividend, real(0.0));
        let divisor = emit.select_float(is_plain, divisor, real(1.0));
        let rest = self.reduced(dividend, divisor);
        let rest = emit.float_intrinsic("llvm.copysign", &[rest, x]);
        let otherwise = emit.select_float(emit.and(is_finite, is_endless), x, real(f64::NAN));
        emit.select_float(is_plain, rest, otherwise)
    }

    /// The remainder of two finite numbers that are not negative, the second not zero.
    fn reduced(&self, dividend: FloatValue<'c>, divisor: FloatValue<'c>) -> FloatValue<'c> {
        let emit = &self.emit;
        let ty = dividend.get_type();
        let bits = if ty == emit.f64() { STEP_BITS_F64 } else { STEP_BITS_F32 };
        let (entry, up, down, exit) = (emit.here(), emit.block(), emit.block(), emit.block());
        emit.jump(up);

        emit.enter(up);
        let scale = emit.phi(ty.into());
        let large = scale.as_basic_value().into_float_value();
        let larger = emit.fmul(large, emit.real(large, 2f64.powi(bits)));
        let fits = emit.fcmp(FloatPredicate::OLE, larger, dividend);
        scale.add_incoming(&[(&divisor as &dyn BasicValue<'c>, entry), (&larger, up)]);
        emit.branch(fits, up, down);

        emit.enter(down);
        let (left, scale) = (emit.phi(ty.into()), emit.phi(ty.into()));
        let [r, m] = [left, scale].map(|it| it.as_basic_value().into_float_value());
        let quotient = emit.float_intrinsic("llvm.trunc", &[emit.fdiv(r, m)]);
        let rest = emit.float_intrinsic("llvm.fma", &[emit.fneg(quotient), m, r]);
        let is_over = emit.fcmp(FloatPredicate::OLT, rest, emit.real(rest, 0.0));
        let rest = emit.select_float(is_over, emit.fadd(rest, m), rest);
        let smaller = emit.fmul(m, emit.real(m, 2f64.powi(-bits)));
        let goes_on = emit.fcmp(FloatPredicate::OGT, m, divisor);
        left.add_incoming(&[(&dividend as &dyn BasicValue<'c>, up), (&rest, down)]);
        scale.add_incoming(&[(&large as &dyn BasicValue<'c>, up), (&smaller, down)]);
        emit.branch(goes_on, down, exit);

        emit.enter(exit);
        rest
    }
}
