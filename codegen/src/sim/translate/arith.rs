//! Arithmetic, comparisons, casts, vectors and aggregates.

use super::super::bytecode::RealTest;
use super::super::bytecode::{Piece, Repack, Rounding};
use super::super::llvm::{IntPredicate, Opcode, RealPredicate, TypeKind};
use super::*;

impl<'m> Lower<'m> {
    /// Translates one instruction.
    pub(super) fn instruction(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        use Opcode::*;
        match inst.opcode() {
            LLVMAdd | LLVMSub | LLVMMul | LLVMUDiv | LLVMSDiv | LLVMURem | LLVMSRem | LLVMShl
            | LLVMLShr | LLVMAShr | LLVMAnd | LLVMOr | LLVMXor => self.binary(inst),
            LLVMFAdd | LLVMFSub | LLVMFMul | LLVMFDiv | LLVMFRem => self.real_binary(inst),
            LLVMFNeg => self.real_unary(inst, Real1::Neg),
            LLVMICmp => self.compare(inst),
            LLVMFCmp => self.real_compare(inst),
            LLVMSelect => self.select(inst),
            LLVMTrunc | LLVMZExt | LLVMSExt | LLVMFPToUI | LLVMFPToSI | LLVMUIToFP | LLVMSIToFP
            | LLVMFPTrunc | LLVMFPExt | LLVMPtrToInt | LLVMPtrToAddr | LLVMIntToPtr => {
                self.cast(inst)
            }
            LLVMBitCast => self.bitcast(inst),
            LLVMAddrSpaceCast => self.address_space_cast(inst),
            LLVMFreeze => {
                let slots = self.slots(inst.operand(0))?;
                self.bind(inst, slots);
                Ok(())
            }
            LLVMExtractElement | LLVMInsertElement | LLVMShuffleVector => self.vector(inst),
            LLVMExtractValue | LLVMInsertValue => self.aggregate(inst),
            LLVMAlloca => self.alloca(inst),
            LLVMLoad => self.load(inst),
            LLVMStore => self.store(inst),
            LLVMGetElementPtr => self.element_pointer(inst),
            LLVMFence => self.fence(inst),
            LLVMAtomicRMW => self.atomic_rmw(inst),
            LLVMAtomicCmpXchg => self.compare_exchange(inst),
            LLVMCall => self.call(inst),
            LLVMPHI => Ok(()),
            LLVMBr | LLVMSwitch | LLVMRet | LLVMUnreachable => self.terminator(inst),
            _ => Err(SimError::unsupported("this instruction")),
        }
    }

    fn binary(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let op = match inst.opcode() {
            Opcode::LLVMAdd => IntOp::Add,
            Opcode::LLVMSub => IntOp::Sub,
            Opcode::LLVMMul => IntOp::Mul,
            Opcode::LLVMUDiv => IntOp::DivUnsigned,
            Opcode::LLVMSDiv => IntOp::DivSigned,
            Opcode::LLVMURem => IntOp::RemUnsigned,
            Opcode::LLVMSRem => IntOp::RemSigned,
            Opcode::LLVMShl => IntOp::Shl,
            Opcode::LLVMLShr => IntOp::Lshr,
            Opcode::LLVMAShr => IntOp::Ashr,
            Opcode::LLVMAnd => IntOp::And,
            Opcode::LLVMOr => IntOp::Or,
            _ => IntOp::Xor,
        };
        self.map2(inst, |lower, bits, a, b| lower.int(op, bits, a, b))
    }

    /// Applies `f` to every pair of scalars of the two operands.
    pub(in crate::sim) fn map2(
        &mut self,
        inst: Value<'m>,
        f: impl Fn(&mut Self, u32, Slot, Slot) -> Result<Slot, SimError>,
    ) -> Result<(), SimError> {
        let bits = self.element_bits_of(inst.operand(0).ty())?;
        let (a, b) = (self.slots(inst.operand(0))?, self.slots(inst.operand(1))?);
        let mut res = Vec::with_capacity(a.len());
        for (&a, &b) in a.iter().zip(b.iter()) {
            res.push(f(self, bits, a, b)?);
        }
        self.bind(inst, res);
        Ok(())
    }

    /// Applies `f` to every scalar of the first operand.
    pub(in crate::sim) fn map1(
        &mut self,
        inst: Value<'m>,
        f: impl Fn(&mut Self, Slot) -> Result<Slot, SimError>,
    ) -> Result<(), SimError> {
        let a = self.slots(inst.operand(0))?;
        let mut res = Vec::with_capacity(a.len());
        for &a in a.iter() {
            res.push(f(self, a)?);
        }
        self.bind(inst, res);
        Ok(())
    }

    /// Bits of the elements of `ty`, which are all alike.
    pub(in crate::sim) fn element_bits_of(&mut self, ty: Type<'m>) -> Result<u32, SimError> {
        let scalar = self.element_scalar(ty)?;
        Ok(self.width(scalar))
    }

    /// The type of the elements of `ty`, which are all alike.
    pub(in crate::sim) fn element_scalar(&mut self, ty: Type<'m>) -> Result<Scalar, SimError> {
        let leaves = self.leaves(ty)?;
        leaves
            .first()
            .map(|leaf| leaf.scalar)
            .ok_or_else(|| SimError::unsupported(format!("`{}` as a value", ty.print())))
    }

    /// The number format of the elements of `ty`.
    pub(in crate::sim) fn real_of(&mut self, ty: Type<'m>) -> Result<Real, SimError> {
        match self.element_scalar(ty)? {
            Scalar::Real(real) => Ok(real),
            _ => Err(SimError::unsupported(format!("`{}` as a real number", ty.print()))),
        }
    }

    /// `a op b` on `bits`-bit integers.
    pub(in crate::sim) fn int(
        &mut self,
        op: IntOp,
        bits: u32,
        a: Slot,
        b: Slot,
    ) -> Result<Slot, SimError> {
        if let (Slot::Flag(a), Slot::Flag(b)) = (a, b) {
            return self.flag_int(op, a, b).map(Slot::Flag);
        }
        let container = if bits > 32 { 64 } else { 32 };
        let (a, b) = if bits < container && is_signed(op) {
            let shift = op == IntOp::Ashr;
            let b = if shift { b } else { self.sign_extended(bits, b) };
            (self.sign_extended(bits, a), b)
        } else {
            (a, b)
        };
        let d = self.like(a);
        let (dr, ar, br) = (row(d), row(a), row(b));
        self.emit(Op::Int { op, wide: container == 64, d: dr, a: ar, b: br });
        Ok(if bits < container && grows(op) { self.masked(bits, d) } else { d })
    }

    fn flag_int(&mut self, op: IntOp, a: Row, b: Row) -> Result<Row, SimError> {
        let op = match op {
            IntOp::Add | IntOp::Sub | IntOp::Xor => FlagOp::Xor,
            IntOp::And | IntOp::Mul | IntOp::MinUnsigned | IntOp::MaxSigned => FlagOp::And,
            IntOp::Or | IntOp::MaxUnsigned | IntOp::MinSigned => FlagOp::Or,
            IntOp::Shl | IntOp::Lshr => FlagOp::AndNot,
            _ => return Err(SimError::unsupported("this operation on one bit")),
        };
        Ok(self.flag_op(op, a, b))
    }

    /// `a op b` on flags.
    pub(in crate::sim) fn flag_op(&mut self, op: FlagOp, a: Row, b: Row) -> Row {
        let d = self.flag();
        self.emit(Op::Flag { op, d, a, b });
        d
    }

    /// A new row in the file of `slot`.
    pub(in crate::sim) fn like(&mut self, slot: Slot) -> Slot {
        match slot {
            Slot::Flag(_) => Slot::Flag(self.flag()),
            Slot::Word(_) => Slot::Word(self.word()),
            Slot::Wide(_) => Slot::Wide(self.wide()),
        }
    }

    /// The low `bits` bits of a row.
    pub(in crate::sim) fn masked(&mut self, bits: u32, slot: Slot) -> Slot {
        let d = self.like(slot);
        match (d, slot) {
            (Slot::Word(d), Slot::Word(a)) if bits < 32 => {
                let b = self.word_of((1 << bits) - 1);
                self.emit(Op::Int { op: IntOp::And, wide: false, d, a, b });
            }
            (Slot::Wide(d), Slot::Wide(a)) if bits < 64 => {
                let b = self.wide_of((1 << bits) - 1);
                self.emit(Op::Int { op: IntOp::And, wide: true, d, a, b });
            }
            _ => return slot,
        }
        d
    }

    /// Bit `bits - 1` copied up to the top of the row.
    pub(in crate::sim) fn sign_extended(&mut self, bits: u32, slot: Slot) -> Slot {
        match slot {
            Slot::Word(a) if bits < 32 => {
                let d = self.word();
                self.emit(Op::SignExtend { bits: bits as u8, d, a });
                Slot::Word(d)
            }
            Slot::Wide(a) if bits < 64 => {
                let shift = self.wide_of(64 - u64::from(bits));
                let (high, d) = (self.wide(), self.wide());
                self.emit(Op::Int { op: IntOp::Shl, wide: true, d: high, a, b: shift });
                self.emit(Op::Int { op: IntOp::Ashr, wide: true, d, a: high, b: shift });
                Slot::Wide(d)
            }
            _ => slot,
        }
    }

    fn real_binary(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let op = match inst.opcode() {
            Opcode::LLVMFAdd => Real2::Add,
            Opcode::LLVMFSub => Real2::Sub,
            Opcode::LLVMFMul => Real2::Mul,
            Opcode::LLVMFDiv => Real2::Div,
            _ => Real2::Rem,
        };
        let real = self.real_of(inst.ty())?;
        self.map2(inst, |lower, _, a, b| Ok(lower.real2(op, real, a, b)))
    }

    /// `op a` on real numbers.
    pub(in crate::sim) fn real1(&mut self, op: Real1, real: Real, a: Slot) -> Slot {
        let d = self.like(a);
        self.emit(Op::Real1 { op, real, d: row(d), a: row(a) });
        d
    }

    /// `a op b` on real numbers.
    pub(in crate::sim) fn real2(&mut self, op: Real2, real: Real, a: Slot, b: Slot) -> Slot {
        let d = self.like(a);
        self.emit(Op::Real2 { op, real, d: row(d), a: row(a), b: row(b) });
        d
    }

    pub(in crate::sim) fn real_unary(
        &mut self,
        inst: Value<'m>,
        op: Real1,
    ) -> Result<(), SimError> {
        let real = self.real_of(inst.ty())?;
        self.map1(inst, |lower, a| Ok(lower.real1(op, real, a)))
    }

    fn compare(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let predicate = inst.int_predicate();
        self.map2(inst, |lower, bits, a, b| Ok(Slot::Flag(lower.test(predicate, bits, a, b))))
    }

    /// `a predicate b` on `bits`-bit integers.
    pub(in crate::sim) fn test(
        &mut self,
        predicate: IntPredicate,
        bits: u32,
        a: Slot,
        b: Slot,
    ) -> Row {
        use IntPredicate::*;
        if let (Slot::Flag(a), Slot::Flag(b)) = (a, b) {
            return self.flag_test(predicate, a, b);
        }
        let signed = matches!(predicate, LLVMIntSGT | LLVMIntSGE | LLVMIntSLT | LLVMIntSLE);
        let (a, b) = if signed {
            (self.sign_extended(bits, a), self.sign_extended(bits, b))
        } else {
            (a, b)
        };
        let (test, swap) = match predicate {
            LLVMIntEQ => (IntTest::Eq, false),
            LLVMIntNE => (IntTest::Ne, false),
            LLVMIntULT => (IntTest::LtUnsigned, false),
            LLVMIntULE => (IntTest::LeUnsigned, false),
            LLVMIntUGT => (IntTest::LtUnsigned, true),
            LLVMIntUGE => (IntTest::LeUnsigned, true),
            LLVMIntSLT => (IntTest::LtSigned, false),
            LLVMIntSLE => (IntTest::LeSigned, false),
            LLVMIntSGT => (IntTest::LtSigned, true),
            LLVMIntSGE => (IntTest::LeSigned, true),
        };
        let (a, b) = if swap { (b, a) } else { (a, b) };
        let d = self.flag();
        let wide = matches!(a, Slot::Wide(_));
        self.emit(Op::Test { test, wide, d, a: row(a), b: row(b) });
        d
    }

    /// One-bit integers: unsigned true is 1, signed true is -1.
    fn flag_test(&mut self, predicate: IntPredicate, a: Row, b: Row) -> Row {
        use IntPredicate::*;
        let all = self.flag_of(true);
        let (negate, op, x, y) = match predicate {
            LLVMIntEQ => (true, FlagOp::Xor, a, b),
            LLVMIntNE => (false, FlagOp::Xor, a, b),
            LLVMIntUGT | LLVMIntSLT => (false, FlagOp::AndNot, a, b),
            LLVMIntULT | LLVMIntSGT => (false, FlagOp::AndNot, b, a),
            LLVMIntULE | LLVMIntSGE => (true, FlagOp::AndNot, a, b),
            LLVMIntUGE | LLVMIntSLE => (true, FlagOp::AndNot, b, a),
        };
        let res = self.flag_op(op, x, y);
        if negate { self.flag_op(FlagOp::Xor, res, all) } else { res }
    }

    fn real_compare(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let real = self.real_of(inst.operand(0).ty())?;
        let test = real_test(inst.real_predicate());
        self.map2(inst, |lower, _, a, b| {
            let d = lower.flag();
            lower.emit(Op::RealTest { test, real, d, a: row(a), b: row(b) });
            Ok(Slot::Flag(d))
        })
    }

    fn select(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let flags = self.slots(inst.operand(0))?;
        let (a, b) = (self.slots(inst.operand(1))?, self.slots(inst.operand(2))?);
        let mut res = Vec::with_capacity(a.len());
        for i in 0..a.len() {
            let flag = row(flags[if flags.len() == 1 { 0 } else { i }]);
            res.push(self.choose(flag, a[i], b[i]));
        }
        self.bind(inst, res);
        Ok(())
    }

    /// `flag ? a : b`.
    pub(in crate::sim) fn choose(&mut self, flag: Row, a: Slot, b: Slot) -> Slot {
        let d = self.like(a);
        self.emit(Op::Select { d, flag, a: row(a), b: row(b) });
        d
    }

    fn cast(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let from = self.element_scalar(inst.operand(0).ty())?;
        let to = self.element_scalar(inst.ty())?;
        let opcode = inst.opcode();
        self.map1(inst, |lower, a| lower.cast_scalar(opcode, from, to, a))
    }

    fn cast_scalar(
        &mut self,
        opcode: Opcode,
        from: Scalar,
        to: Scalar,
        a: Slot,
    ) -> Result<Slot, SimError> {
        let (from_bits, to_bits) = (self.width(from), self.width(to));
        match (opcode, from, to) {
            (Opcode::LLVMSExt, ..) => Ok(self.resize(true, from_bits, to_bits, a)),
            (Opcode::LLVMSIToFP | Opcode::LLVMUIToFP, _, Scalar::Real(real)) => {
                Ok(self.real_of_int(opcode == Opcode::LLVMSIToFP, from_bits, real, a))
            }
            (Opcode::LLVMFPToSI | Opcode::LLVMFPToUI, Scalar::Real(real), _) => {
                Ok(self.int_of_real(opcode == Opcode::LLVMFPToSI, real, Rounding::Zero, to_bits, a))
            }
            (Opcode::LLVMFPTrunc | Opcode::LLVMFPExt, Scalar::Real(from), Scalar::Real(to)) => {
                Ok(self.convert(from, to, Rounding::Nearest, a))
            }
            _ => Ok(self.resize(false, from_bits, to_bits, a)),
        }
    }

    /// The integer `a` of `from` bits as one of `to` bits.
    pub(in crate::sim) fn resize(&mut self, signed: bool, from: u32, to: u32, a: Slot) -> Slot {
        if let Slot::Flag(flag) = a {
            if to == 1 {
                return a;
            }
            let ones = if signed { truncate(!0, to) } else { 1 };
            let (one, zero) =
                (self.constant(Scalar::Int(to), ones), self.constant(Scalar::Int(to), 0));
            return self.choose(flag, one, zero);
        }
        if to == 1 {
            let zero = self.constant(Scalar::Int(from), 0);
            let low = self.masked(1, a);
            return Slot::Flag(self.test(IntPredicate::LLVMIntNE, from, low, zero));
        }
        let a = if signed { self.sign_extended(from, a) } else { a };
        let moved = match (a, to > 32) {
            (Slot::Word(a), true) => {
                let d = self.wide();
                self.emit(Op::Widen { signed, d, a });
                Slot::Wide(d)
            }
            (Slot::Wide(a), false) => {
                let d = self.word();
                self.emit(Op::Narrow { d, a });
                Slot::Word(d)
            }
            _ => a,
        };
        if to < from || signed { self.masked(to, moved) } else { moved }
    }

    /// An integer as a real number.
    pub(in crate::sim) fn real_of_int(
        &mut self,
        signed: bool,
        bits: u32,
        real: Real,
        a: Slot,
    ) -> Slot {
        let a = match a {
            Slot::Flag(_) => self.resize(signed, 1, 32, a),
            _ if signed => self.sign_extended(bits, a),
            _ => a,
        };
        let wide = matches!(a, Slot::Wide(_));
        let d = self.fresh(Scalar::Real(real));
        self.emit(Op::FromInt { signed, wide, real, d: row(d), a: row(a) });
        d
    }

    /// A real number as an integer; what does not fit becomes the nearest that does, NaN zero.
    pub(in crate::sim) fn int_of_real(
        &mut self,
        signed: bool,
        real: Real,
        round: Rounding,
        bits: u32,
        a: Slot,
    ) -> Slot {
        let container = bits.max(2);
        let d = self.fresh(Scalar::Int(container));
        self.emit(Op::ToInt { signed, real, round, bits: bits as u8, d: row(d), a: row(a) });
        if bits == 1 { self.resize(false, container, 1, d) } else { d }
    }

    /// A real number in another format.
    pub(in crate::sim) fn convert(
        &mut self,
        from: Real,
        to: Real,
        round: Rounding,
        a: Slot,
    ) -> Slot {
        let d = self.fresh(Scalar::Real(to));
        self.emit(Op::Convert { from, to, round, finite: false, d: row(d), a: row(a) });
        d
    }

    fn bitcast(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let from = inst.operand(0);
        let slots = self.slots(from)?;
        let (source, target) = (self.leaves(from.ty())?, self.leaves(inst.ty())?);
        let widths: Vec<u32> = source.iter().map(|leaf| self.width(leaf.scalar)).collect();
        let wanted: Vec<Scalar> = target.iter().map(|leaf| leaf.scalar).collect();
        let res = self.repack(&slots, &widths, &wanted);
        self.bind(inst, res);
        Ok(())
    }

    /// Lays the scalars `slots` of `widths` bits end to end and cuts the result into `wanted`.
    pub(in crate::sim) fn repack(
        &mut self,
        slots: &[Slot],
        widths: &[u32],
        wanted: &[Scalar],
    ) -> Vec<Slot> {
        let target: Vec<u32> = wanted.iter().map(|&s| self.width(s)).collect();
        if target == widths {
            return slots.to_vec();
        }
        let mut res = Vec::with_capacity(wanted.len());
        let (mut source, mut used) = (0, 0);
        for (&scalar, &width) in wanted.iter().zip(&target) {
            let mut pieces = Vec::new();
            let mut filled = 0;
            while filled < width && source < slots.len() {
                let len = (width - filled).min(widths[source] - used);
                pieces.push(Piece {
                    from: slots[source],
                    from_bit: used as u8,
                    width: len as u8,
                    to_bit: filled as u8,
                });
                filled += len;
                used += len;
                if used == widths[source] {
                    (source, used) = (source + 1, 0);
                }
            }
            let d = self.fresh(scalar);
            let table = self.code.repacks.len() as u32;
            self.code.repacks.push(Repack { d, pieces });
            self.emit(Op::Repack { table });
            res.push(d);
        }
        res
    }

    fn vector(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let slots = self.slots(inst.operand(0))?;
        match inst.opcode() {
            Opcode::LLVMExtractElement => {
                let res = self.extract(&slots, inst.operand(1))?;
                self.bind(inst, vec![res]);
            }
            Opcode::LLVMInsertElement => {
                let value = self.slot(inst.operand(1))?;
                let res = self.insert(&slots, value, inst.operand(2))?;
                self.bind(inst, res);
            }
            _ => {
                let other = self.slots(inst.operand(1))?;
                let both: Vec<Slot> = slots.iter().chain(other.iter()).copied().collect();
                let pick = |i: u32| both[inst.mask_value(i).max(0) as usize];
                let res: Vec<Slot> = (0..inst.mask_len()).map(pick).collect();
                self.bind(inst, res);
            }
        }
        Ok(())
    }

    fn extract(&mut self, slots: &[Slot], index: Value<'m>) -> Result<Slot, SimError> {
        if index.is_constant() {
            let at = self.constant_bits(index)?[0] as usize;
            return Ok(slots[at.min(slots.len() - 1)]);
        }
        let bits = index.ty().int_width();
        let index = self.slot(index)?;
        let mut res = slots[0];
        for (i, &slot) in slots.iter().enumerate().skip(1) {
            let at = self.constant(Scalar::Int(bits), i as u64);
            let here = self.test(IntPredicate::LLVMIntEQ, bits, index, at);
            res = self.choose(here, slot, res);
        }
        Ok(res)
    }

    fn insert(
        &mut self,
        slots: &[Slot],
        value: Slot,
        index: Value<'m>,
    ) -> Result<Vec<Slot>, SimError> {
        let mut res = slots.to_vec();
        if index.is_constant() {
            let at = self.constant_bits(index)?[0] as usize;
            if let Some(slot) = res.get_mut(at) {
                *slot = value;
            }
            return Ok(res);
        }
        let bits = index.ty().int_width();
        let index = self.slot(index)?;
        for (i, slot) in res.iter_mut().enumerate() {
            let at = self.constant(Scalar::Int(bits), i as u64);
            let here = self.test(IntPredicate::LLVMIntEQ, bits, index, at);
            *slot = self.choose(here, value, *slot);
        }
        Ok(res)
    }

    fn aggregate(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let whole = inst.operand(0);
        let slots = self.slots(whole)?;
        let (start, len) = self.member(whole.ty(), &inst.indices())?;
        if inst.opcode() == Opcode::LLVMExtractValue {
            self.bind(inst, slots[start..start + len].to_vec());
        } else {
            let value = self.slots(inst.operand(1))?;
            let mut res = slots.to_vec();
            res[start..start + len].copy_from_slice(&value);
            self.bind(inst, res);
        }
        Ok(())
    }

    /// Which scalars of `ty` the member at `path` is.
    fn member(&mut self, ty: Type<'m>, path: &[u32]) -> Result<(usize, usize), SimError> {
        let Some((&first, rest)) = path.split_first() else {
            return Ok((0, self.leaves(ty)?.len()));
        };
        let (mut start, member) = match ty.kind() {
            TypeKind::LLVMStructTypeKind => {
                let mut before = 0;
                for i in 0..first {
                    before += self.leaves(ty.field(i))?.len();
                }
                (before, ty.field(first))
            }
            _ => {
                let each = self.leaves(ty.element())?.len();
                (each * first as usize, ty.element())
            }
        };
        let (inner, len) = self.member(member, rest)?;
        start += inner;
        Ok((start, len))
    }
}

/// The index of a row, whatever its file.
pub(in crate::sim) fn row(slot: Slot) -> Row {
    match slot {
        Slot::Flag(row) | Slot::Word(row) | Slot::Wide(row) => row,
    }
}

/// Whether an operation looks at the sign of its operands.
fn is_signed(op: IntOp) -> bool {
    matches!(
        op,
        IntOp::DivSigned | IntOp::RemSigned | IntOp::Ashr | IntOp::MinSigned | IntOp::MaxSigned
    )
}

/// Whether a result of canonical operands can have bits above the width.
fn grows(op: IntOp) -> bool {
    is_signed(op) || matches!(op, IntOp::Add | IntOp::Sub | IntOp::Mul | IntOp::Shl)
}

fn real_test(predicate: RealPredicate) -> RealTest {
    // LLVM numbers its predicates by the relations that make them true: bit 0 equal, bit 1
    // greater, bit 2 less, bit 3 unordered.
    let bits = predicate as u32;
    RealTest {
        equal: bits & 1 != 0,
        greater: bits & 2 != 0,
        less: bits & 4 != 0,
        unordered: bits & 8 != 0,
    }
}
