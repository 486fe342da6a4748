//! Intrinsics of every target (LLVM language reference).

use super::super::bytecode::{CopyBytes, Pointer, Rounding, Trap};
use super::*;

const LANGREF: &str = "LLVM language reference, standard library and arithmetic intrinsics";

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row_of("llvm.assume", LANGREF, Rule::Ignore),
    row_of("llvm.dbg", LANGREF, Rule::Ignore),
    row_of("llvm.donothing", LANGREF, Rule::Ignore),
    row_of("llvm.experimental.noalias.scope.decl", LANGREF, Rule::Ignore),
    row_of("llvm.lifetime", LANGREF, Rule::Ignore),
    row_of("llvm.invariant.start", LANGREF, Rule::Ignore),
    row_of("llvm.invariant.end", LANGREF, Rule::Ignore),
    row_of("llvm.prefetch", LANGREF, Rule::Ignore),
    row_of("llvm.expect", LANGREF, Rule::With(identity)),
    row_of("llvm.launder.invariant.group", LANGREF, Rule::With(identity)),
    row_of("llvm.ptrmask", LANGREF, Rule::Int(IntOp::And)),
    row_of("llvm.trap", LANGREF, Rule::With(trap)),
    row_of("llvm.ubsantrap", LANGREF, Rule::With(trap)),
    row_of("llvm.debugtrap", LANGREF, Rule::With(trap)),
    row_of("llvm.fabs", LANGREF, Rule::Real1(Real1::Abs)),
    row_of("llvm.sqrt", LANGREF, Rule::Real1(Real1::Sqrt)),
    row_of("llvm.exp2", LANGREF, Rule::Real1(Real1::Exp2)),
    row_of("llvm.exp", LANGREF, Rule::Real1(Real1::Exp)),
    row_of("llvm.exp10", LANGREF, Rule::Real1(Real1::Exp10)),
    row_of("llvm.log2", LANGREF, Rule::Real1(Real1::Log2)),
    row_of("llvm.log", LANGREF, Rule::Real1(Real1::Log)),
    row_of("llvm.log10", LANGREF, Rule::Real1(Real1::Log10)),
    row_of("llvm.sin", LANGREF, Rule::Real1(Real1::Sin)),
    row_of("llvm.cos", LANGREF, Rule::Real1(Real1::Cos)),
    row_of("llvm.tanh", LANGREF, Rule::Real1(Real1::Tanh)),
    row_of("llvm.floor", LANGREF, Rule::Real1(Real1::Floor)),
    row_of("llvm.ceil", LANGREF, Rule::Real1(Real1::Ceil)),
    row_of("llvm.trunc", LANGREF, Rule::Real1(Real1::Trunc)),
    row_of("llvm.rint", LANGREF, Rule::Real1(Real1::RoundEven)),
    row_of("llvm.nearbyint", LANGREF, Rule::Real1(Real1::RoundEven)),
    row_of("llvm.roundeven", LANGREF, Rule::Real1(Real1::RoundEven)),
    row_of("llvm.round", LANGREF, Rule::Real1(Real1::RoundAway)),
    row_of("llvm.canonicalize", LANGREF, Rule::Real1(Real1::Canonical)),
    row_of("llvm.minnum", LANGREF, Rule::Real2(Real2::MinNumber)),
    row_of("llvm.maxnum", LANGREF, Rule::Real2(Real2::MaxNumber)),
    row_of("llvm.minimumnum", LANGREF, Rule::Real2(Real2::MinNumber)),
    row_of("llvm.maximumnum", LANGREF, Rule::Real2(Real2::MaxNumber)),
    row_of("llvm.minimum", LANGREF, Rule::Real2(Real2::Minimum)),
    row_of("llvm.maximum", LANGREF, Rule::Real2(Real2::Maximum)),
    row_of("llvm.copysign", LANGREF, Rule::Real2(Real2::CopySign)),
    row_of("llvm.pow", LANGREF, Rule::Real2(Real2::Pow)),
    row_of("llvm.ldexp", LANGREF, Rule::With(scale)),
    row_of("llvm.fma", LANGREF, Rule::Fma),
    row_of("llvm.fmuladd", LANGREF, Rule::Fma),
    row_of("llvm.is.fpclass", LANGREF, Rule::With(class)),
    row_of("llvm.umin", LANGREF, Rule::Int(IntOp::MinUnsigned)),
    row_of("llvm.umax", LANGREF, Rule::Int(IntOp::MaxUnsigned)),
    row_of("llvm.smin", LANGREF, Rule::Int(IntOp::MinSigned)),
    row_of("llvm.smax", LANGREF, Rule::Int(IntOp::MaxSigned)),
    row_of("llvm.uadd.sat", LANGREF, Rule::With(saturating)),
    row_of("llvm.usub.sat", LANGREF, Rule::With(saturating)),
    row_of("llvm.sadd.sat", LANGREF, Rule::With(saturating)),
    row_of("llvm.ssub.sat", LANGREF, Rule::With(saturating)),
    row_of("llvm.abs", LANGREF, Rule::With(absolute)),
    row_of("llvm.ctpop", LANGREF, Rule::Bit(BitOp::Popcount)),
    row_of("llvm.ctlz", LANGREF, Rule::Bit(BitOp::LeadingZeros)),
    row_of("llvm.cttz", LANGREF, Rule::Bit(BitOp::TrailingZeros)),
    row_of("llvm.bitreverse", LANGREF, Rule::Bit(BitOp::Reverse)),
    row_of("llvm.bswap", LANGREF, Rule::Bit(BitOp::SwapBytes)),
    row_of("llvm.fshl", LANGREF, Rule::With(funnel)),
    row_of("llvm.fshr", LANGREF, Rule::With(funnel)),
    row_of("llvm.uadd.with.overflow", LANGREF, Rule::With(overflow)),
    row_of("llvm.usub.with.overflow", LANGREF, Rule::With(overflow)),
    row_of("llvm.umul.with.overflow", LANGREF, Rule::With(overflow)),
    row_of("llvm.sadd.with.overflow", LANGREF, Rule::With(overflow)),
    row_of("llvm.ssub.with.overflow", LANGREF, Rule::With(overflow)),
    row_of("llvm.smul.with.overflow", LANGREF, Rule::With(overflow)),
    row_of("llvm.fptosi.sat", LANGREF, Rule::With(to_int)),
    row_of("llvm.fptoui.sat", LANGREF, Rule::With(to_int)),
    row_of("llvm.ucmp", LANGREF, Rule::With(three_way)),
    row_of("llvm.scmp", LANGREF, Rule::With(three_way)),
    row_of("llvm.memcpy", LANGREF, Rule::With(copy_bytes)),
    row_of("llvm.memmove", LANGREF, Rule::With(copy_bytes)),
    row_of("llvm.memset", LANGREF, Rule::With(fill_bytes)),
    row_of("llvm.vector.reduce.add", LANGREF, Rule::With(reduce)),
    row_of("llvm.vector.reduce.mul", LANGREF, Rule::With(reduce)),
    row_of("llvm.vector.reduce.and", LANGREF, Rule::With(reduce)),
    row_of("llvm.vector.reduce.or", LANGREF, Rule::With(reduce)),
    row_of("llvm.vector.reduce.xor", LANGREF, Rule::With(reduce)),
    row_of("llvm.vector.reduce.umin", LANGREF, Rule::With(reduce)),
    row_of("llvm.vector.reduce.umax", LANGREF, Rule::With(reduce)),
    row_of("llvm.vector.reduce.smin", LANGREF, Rule::With(reduce)),
    row_of("llvm.vector.reduce.smax", LANGREF, Rule::With(reduce)),
];

fn identity<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let slots = lower.slots(call.args[0])?;
    lower.bind(call.inst, slots);
    Ok(())
}

fn trap<'m>(lower: &mut Lower<'m>, _: &Call<'m>) -> Result<(), SimError> {
    lower.emit(Op::Trap { why: Trap::Abort });
    Ok(())
}

fn scale<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let real = lower.real_of_call(call)?;
    let bits = lower.element_bits_of(call.args[1].ty())?;
    lower.map2(call.inst, |lower, _, a, b| {
        let b = lower.sign_extended(bits, b);
        let d = lower.like(a);
        lower.emit(Op::Scale { real, d: row(d), a: row(a), b: row(b) });
        Ok(d)
    })
}

fn class<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let real = lower.real_of(call.args[0].ty())?;
    let mask = lower.immediate(call, 1)? as u16;
    lower.map1(call.inst, |lower, a| {
        let d = lower.flag();
        lower.emit(Op::Class { mask, real, d, a: row(a) });
        Ok(Slot::Flag(d))
    })
}

/// Narrow operands are moved to the top of their row, where saturation happens by itself.
fn saturating<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let op = match &call.name[..10] {
        "llvm.uadd." => IntOp::AddSatUnsigned,
        "llvm.usub." => IntOp::SubSatUnsigned,
        "llvm.sadd." => IntOp::AddSatSigned,
        _ => IntOp::SubSatSigned,
    };
    lower.map2(call.inst, |lower, bits, a, b| {
        let container = if bits > 32 { 64 } else { 32 };
        let shift = lower.constant(Scalar::Int(container), u64::from(container - bits));
        let a = lower.int(IntOp::Shl, container, a, shift)?;
        let b = lower.int(IntOp::Shl, container, b, shift)?;
        let sum = lower.int(op, container, a, b)?;
        lower.int(IntOp::Lshr, container, sum, shift)
    })
}

fn absolute<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let bits = lower.element_bits_of(call.args[0].ty())?;
    lower.map1(call.inst, |lower, a| {
        let zero = lower.constant(Scalar::Int(bits), 0);
        let negative = lower.int(IntOp::Sub, bits, zero, a)?;
        lower.int(IntOp::MaxSigned, bits, a, negative)
    })
}

fn funnel<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let left = call.name.starts_with("llvm.fshl");
    let bits = lower.element_bits_of(call.args[0].ty())?;
    lower.map3(call, |lower, a, b, c| lower.funnel(left, bits, a, b, c))
}

impl Lower<'_> {
    /// A funnel shift of `bits`-bit integers; narrow ones are shifted apart.
    pub(super) fn funnel(
        &mut self,
        left: bool,
        bits: u32,
        a: Slot,
        b: Slot,
        c: Slot,
    ) -> Result<Slot, SimError> {
        if bits == 32 || bits == 64 {
            let d = self.like(a);
            let (a, b, c) = (row(a), row(b), row(c));
            self.emit(Op::Funnel { left, wide: bits == 64, d: row(d), a, b, c });
            return Ok(d);
        }
        if bits > 16 {
            return Err(SimError::unsupported(format!("funnel shifts of {bits} bits")));
        }
        let width = self.constant(Scalar::Int(32), u64::from(bits));
        let by = self.int(IntOp::RemUnsigned, 32, c, width)?;
        let high = self.int(IntOp::Shl, 32, a, width)?;
        let both = self.int(IntOp::Or, 32, high, b)?;
        let moved = if left {
            let shifted = self.int(IntOp::Shl, 32, both, by)?;
            self.int(IntOp::Lshr, 32, shifted, width)?
        } else {
            self.int(IntOp::Lshr, 32, both, by)?
        };
        Ok(self.masked(bits, moved))
    }
}

fn overflow<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let signed = call.name.as_bytes()[5] == b's';
    let op = match &call.name[6..9] {
        "add" => IntOp::Add,
        "sub" => IntOp::Sub,
        _ => IntOp::Mul,
    };
    let bits = lower.element_bits_of(call.args[0].ty())?;
    let (a, b) = (lower.slots(call.args[0])?, lower.slots(call.args[1])?);
    let (mut values, mut flags) = (Vec::new(), Vec::new());
    for (&a, &b) in a.iter().zip(b.iter()) {
        let value = lower.int(op, bits, a, b)?;
        flags.push(lower.overflowed(op, signed, bits, a, b, value)?);
        values.push(value);
    }
    values.extend(flags);
    lower.bind(call.inst, values);
    Ok(())
}

impl Lower<'_> {
    fn overflowed(
        &mut self,
        op: IntOp,
        signed: bool,
        bits: u32,
        a: Slot,
        b: Slot,
        value: Slot,
    ) -> Result<Slot, SimError> {
        use super::super::llvm::IntPredicate::{LLVMIntNE, LLVMIntSLT, LLVMIntULT};
        let zero = self.constant(Scalar::Int(bits), 0);
        let flag = match (op, signed) {
            (IntOp::Add, false) => self.test(LLVMIntULT, bits, value, a),
            (IntOp::Sub, false) => self.test(LLVMIntULT, bits, a, b),
            (IntOp::Add, true) => {
                let x = self.int(IntOp::Xor, bits, value, a)?;
                let y = self.int(IntOp::Xor, bits, value, b)?;
                let both = self.int(IntOp::And, bits, x, y)?;
                self.test(LLVMIntSLT, bits, both, zero)
            }
            (IntOp::Sub, true) => {
                let x = self.int(IntOp::Xor, bits, a, b)?;
                let y = self.int(IntOp::Xor, bits, value, a)?;
                let both = self.int(IntOp::And, bits, x, y)?;
                self.test(LLVMIntSLT, bits, both, zero)
            }
            _ if bits == 32 || bits == 64 => {
                let high = if signed { IntOp::MulHighSigned } else { IntOp::MulHighUnsigned };
                let high = self.int(high, bits, a, b)?;
                let sign = self.constant(Scalar::Int(bits), u64::from(bits - 1));
                let expected =
                    if signed { self.int(IntOp::Ashr, bits, value, sign)? } else { zero };
                self.test(LLVMIntNE, bits, high, expected)
            }
            _ => return Err(SimError::unsupported(format!("overflow of {bits}-bit products"))),
        };
        Ok(Slot::Flag(flag))
    }
}

fn to_int<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let signed = call.name.starts_with("llvm.fptosi");
    let real = lower.real_of(call.args[0].ty())?;
    let bits = lower.element_bits_of(call.inst.ty())?;
    lower.map1(call.inst, |lower, a| Ok(lower.int_of_real(signed, real, Rounding::Zero, bits, a)))
}

fn three_way<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    use super::super::llvm::IntPredicate::{LLVMIntSLT, LLVMIntULT};
    let less = if call.name.starts_with("llvm.scmp") { LLVMIntSLT } else { LLVMIntULT };
    let bits = lower.element_bits_of(call.inst.ty())?;
    lower.map2(call.inst, |lower, from, a, b| {
        let (below, above) = (lower.test(less, from, a, b), lower.test(less, from, b, a));
        let below = lower.resize(true, 1, bits, Slot::Flag(below));
        let above = lower.resize(false, 1, bits, Slot::Flag(above));
        lower.int(IntOp::Or, bits, below, above)
    })
}

fn pointer<'m>(lower: &mut Lower<'m>, call: &Call<'m>, i: usize) -> Result<Pointer, SimError> {
    let space = lower.space(call.args[i].ty().address_space())?;
    Ok(Pointer { space, row: lower.slot(call.args[i])? })
}

fn copy_bytes<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let (to, from) = (pointer(lower, call, 0)?, pointer(lower, call, 1)?);
    let len = lower.slot(call.args[2])?;
    lower.emit_copy(CopyBytes { to, from: Ok(from), len });
    Ok(())
}

fn fill_bytes<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let (to, value) = (pointer(lower, call, 0)?, lower.word_arg(call, 1)?);
    let len = lower.slot(call.args[2])?;
    lower.emit_copy(CopyBytes { to, from: Err(value), len });
    Ok(())
}

impl Lower<'_> {
    fn emit_copy(&mut self, copy: CopyBytes) {
        let table = self.code.copies.len() as u32;
        self.code.copies.push(copy);
        self.emit(Op::CopyBytes { table });
    }
}

fn reduce<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let op = match call.name.split('.').nth(3) {
        Some("add") => IntOp::Add,
        Some("mul") => IntOp::Mul,
        Some("and") => IntOp::And,
        Some("or") => IntOp::Or,
        Some("xor") => IntOp::Xor,
        Some("umin") => IntOp::MinUnsigned,
        Some("umax") => IntOp::MaxUnsigned,
        Some("smin") => IntOp::MinSigned,
        _ => IntOp::MaxSigned,
    };
    let bits = lower.element_bits_of(call.args[0].ty())?;
    let slots = lower.slots(call.args[0])?;
    let mut res = slots[0];
    for &slot in &slots[1..] {
        res = lower.int(op, bits, res, slot)?;
    }
    lower.bind(call.inst, vec![res]);
    Ok(())
}
