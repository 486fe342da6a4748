//! PTX mnemonics (PTX ISA 9.0).

use super::super::super::bytecode::{
    Access, Addressing, AsyncCopy, Atomic, AtomicOp, Landing, Order, Part, Rounding, Scope,
};
use super::super::copies::plain_source;
use super::*;

/// The rows.
pub(super) const ROWS: &[AsmRow] = &[
    asm_row("mov", "PTX ISA 9.7.9.2, mov", AsmRule::With(move_row)),
    asm_row("ld", "PTX ISA 9.7.9.8, ld", AsmRule::With(load)),
    asm_row("st", "PTX ISA 9.7.9.11, st", AsmRule::With(store)),
    asm_row("atom", "PTX ISA 9.7.13.5, atom", AsmRule::With(atomic)),
    asm_row("red", "PTX ISA 9.7.13.6, red", AsmRule::With(reduction)),
    asm_row("cvt", "PTX ISA 9.7.9.21, cvt", AsmRule::With(convert)),
    asm_row("prmt.b32", "PTX ISA 9.7.9.7, prmt", AsmRule::With(permute_bytes)),
    asm_row("lop3.b32", "PTX ISA 9.7.8.6, lop3", AsmRule::With(logic3)),
    asm_row("mad.lo.cc.u32", "PTX ISA 9.7.2.3, mad.cc", AsmRule::With(product_low)),
    asm_row("madc.hi.u32", "PTX ISA 9.7.2.4, madc", AsmRule::With(product_high)),
    asm_row("add", "PTX ISA 9.7.1.1 and 9.7.3.3, add", numbers(IntOp::Add, Real2::Add)),
    asm_row("sub", "PTX ISA 9.7.1.2 and 9.7.3.4, sub", numbers(IntOp::Sub, Real2::Sub)),
    asm_row("mul", "PTX ISA 9.7.3.5, mul", numbers(IntOp::Mul, Real2::Mul)),
    asm_row("mul.lo", "PTX ISA 9.7.1.3, mul", ints(IntOp::Mul)),
    asm_row(
        "mul.hi",
        "PTX ISA 9.7.1.3, mul",
        AsmRule::Binary {
            unsigned: IntOp::MulHighUnsigned,
            signed: IntOp::MulHighSigned,
            real: None,
        },
    ),
    asm_row("and", "PTX ISA 9.7.8.1, and", ints(IntOp::And)),
    asm_row("or", "PTX ISA 9.7.8.2, or", ints(IntOp::Or)),
    asm_row("xor", "PTX ISA 9.7.8.3, xor", ints(IntOp::Xor)),
    asm_row("shl", "PTX ISA 9.7.8.8, shl", ints(IntOp::Shl)),
    asm_row(
        "shr",
        "PTX ISA 9.7.8.9, shr",
        AsmRule::Binary { unsigned: IntOp::Lshr, signed: IntOp::Ashr, real: None },
    ),
    asm_row("ex2.approx", "PTX ISA 9.7.3.21, ex2", AsmRule::Unary(Real1::Exp2)),
    asm_row("lg2.approx", "PTX ISA 9.7.3.20, lg2", AsmRule::Unary(Real1::Log2)),
    asm_row("rcp.approx", "PTX ISA 9.7.3.13, rcp", AsmRule::Unary(Real1::Rcp)),
    asm_row("rsqrt.approx", "PTX ISA 9.7.3.16, rsqrt", AsmRule::Unary(Real1::Rsqrt)),
    asm_row("sqrt.approx", "PTX ISA 9.7.3.15, sqrt", AsmRule::Unary(Real1::Sqrt)),
    asm_row("tanh.approx", "PTX ISA 9.7.3.22, tanh", AsmRule::Unary(Real1::Tanh)),
    asm_row("mma.sync.aligned", "PTX ISA 9.7.14.5, mma", AsmRule::With(product)),
    asm_row(
        "wgmma.mma_async.sync.aligned",
        "PTX ISA 9.7.15.5.2, wgmma.mma_async",
        AsmRule::With(super::super::group::start),
    ),
    asm_row(
        "wgmma.wait_group.sync.aligned",
        "PTX ISA 9.7.15.7.3, wgmma.wait_group",
        AsmRule::With(super::super::group::wait_statement),
    ),
    asm_row("ldmatrix.sync.aligned", "PTX ISA 9.7.14.5.15, ldmatrix", AsmRule::With(move_rows)),
    asm_row("stmatrix.sync.aligned", "PTX ISA 9.7.14.5.16, stmatrix", AsmRule::With(move_rows)),
    asm_row("cp.async.ca", "PTX ISA 9.7.9.25.3.1, cp.async", AsmRule::With(copy)),
    asm_row("cp.async.cg", "PTX ISA 9.7.9.25.3.1, cp.async", AsmRule::With(copy)),
    asm_row(
        "cp.async.commit_group",
        "PTX ISA 9.7.9.25.3.2, cp.async.commit_group",
        AsmRule::With(commit_copies),
    ),
    asm_row(
        "cp.async.wait_group",
        "PTX ISA 9.7.9.25.3.3, cp.async.wait_group",
        AsmRule::With(await_group),
    ),
    asm_row(
        "cp.async.wait_all",
        "PTX ISA 9.7.9.25.3.3, cp.async.wait_all",
        AsmRule::With(await_all),
    ),
    asm_row("griddepcontrol", "PTX ISA 9.7.13.13: grids run one after another", AsmRule::Ignore),
    asm_row("prefetch", "PTX ISA 9.7.9.15, prefetch", AsmRule::Ignore),
];

const fn asm_row(name: &'static str, source: &'static str, rule: AsmRule) -> AsmRow {
    AsmRow { name, source, rule }
}

/// An operation on integers only, whatever their sign.
const fn ints(op: IntOp) -> AsmRule {
    AsmRule::Binary { unsigned: op, signed: op, real: None }
}

/// An operation on integers and reals.
const fn numbers(op: IntOp, real: Real2) -> AsmRule {
    AsmRule::Binary { unsigned: op, signed: op, real: Some(real) }
}

/// Bits of the type at the end of a mnemonic: `b32`, `f16x2`, `pred`.
fn type_bits(statement: &Statement) -> Result<u32, SimError> {
    let last = statement.words.last().map_or("", String::as_str);
    let digits = last.trim_start_matches(|c: char| !c.is_ascii_digit());
    match digits {
        "16x2" => Ok(32),
        _ if last == "pred" => Ok(1),
        _ => digits.parse().map_err(|_| SimError::unsupported(format!("the PTX type `{last}`"))),
    }
}

/// Real numbers of a type, and how many of them are packed in a register.
fn real_type(word: &str) -> Option<(Real, usize)> {
    Some(match word {
        "f16" => (Real::F16, 1),
        "f16x2" => (Real::F16, 2),
        "bf16" => (Real::Bf16, 1),
        "bf16x2" => (Real::Bf16, 2),
        "f32" => (Real::F32, 1),
        "f64" => (Real::F64, 1),
        "e4m3x2" => (Real::E4m3, 2),
        "e5m2x2" => (Real::E5m2, 2),
        _ => return None,
    })
}

/// `mov`, also between a register and the parts it is packed of.
fn move_row<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let bits = type_bits(statement)?;
    let to = statement.registers(0)?;
    if let Some(Operand::Registers(from)) = statement.operands.get(1) {
        let width = bits / from.len() as u32;
        let packed = lower.repack(from, &vec![width; from.len()], &[Scalar::Int(bits)]);
        return lower.asm_result(statement, 0, packed[0]);
    }
    let from = lower.asm_source(statement, 1, bits)?;
    if to.len() == 1 {
        return lower.asm_result(statement, 0, from);
    }
    let width = bits / to.len() as u32;
    let parts = lower.repack(&[from], &[bits], &vec![Scalar::Int(width); to.len()]);
    for (&d, a) in to.iter().zip(parts) {
        lower.emit(Op::Copy { d, a });
    }
    Ok(())
}

impl Lower<'_> {
    /// The access of `ld`, `st` and their like: a vector of registers at an address.
    fn asm_access(
        &mut self,
        statement: &Statement,
        slots: &[Slot],
        address: usize,
    ) -> Result<(Access, RowId), SimError> {
        let bytes = type_bits(statement)?.div_ceil(8);
        let (base, offset) = statement.address(address)?;
        let parts = slots.iter().enumerate();
        let parts =
            parts.map(|(i, &slot)| Part { offset: i as u32 * bytes, bytes: bytes as u8, slot });
        let total = bytes * slots.len() as u32;
        let access = Access {
            space: space_of(statement),
            addressing: Addressing::Pointer { wide: matches!(base, Slot::Wide(_)) },
            offset,
            bytes: total,
            align: total,
            order: order_of(statement),
            scope: scope_of(statement),
            parts: parts.collect(),
        };
        Ok((access, row(base)))
    }
}

fn order_of(statement: &Statement) -> Order {
    for (word, order) in [
        ("acq_rel", Order::AcqRel),
        ("acquire", Order::Acquire),
        ("release", Order::Release),
        ("relaxed", Order::Relaxed),
        ("volatile", Order::Relaxed),
    ] {
        if statement.has(word) {
            return order;
        }
    }
    Order::Plain
}

fn scope_of(statement: &Statement) -> Scope {
    if statement.has("cta") {
        Scope::Block
    } else if statement.has("cluster") {
        Scope::Cluster
    } else {
        Scope::Device
    }
}

fn load<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let slots = statement.registers(0)?;
    let (access, addr) = lower.asm_access(statement, &slots, 1)?;
    lower.emit_load(access, addr);
    Ok(())
}

fn store<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let slots = match statement.operands.get(1) {
        Some(Operand::Immediate(_)) => {
            let bits = type_bits(statement)?;
            vec![lower.asm_source(statement, 1, bits)?]
        }
        _ => statement.registers(1)?,
    };
    let (access, addr) = lower.asm_access(statement, &slots, 0)?;
    lower.emit_store(access, addr);
    Ok(())
}

fn atomic_op(statement: &Statement) -> Result<AtomicOp, SimError> {
    let last = statement.words.last().map_or("", String::as_str);
    let signed = last.starts_with('s');
    let real = real_type(last).map(|(real, _)| real);
    for (word, op) in [
        ("exch", AtomicOp::Exchange),
        ("cas", AtomicOp::CompareExchange),
        ("and", AtomicOp::Int(IntOp::And)),
        ("or", AtomicOp::Int(IntOp::Or)),
        ("xor", AtomicOp::Int(IntOp::Xor)),
        ("inc", AtomicOp::IncWrap),
        ("dec", AtomicOp::DecWrap),
    ] {
        if statement.has(word) {
            return Ok(op);
        }
    }
    let minimum = if signed { IntOp::MinSigned } else { IntOp::MinUnsigned };
    let maximum = if signed { IntOp::MaxSigned } else { IntOp::MaxUnsigned };
    let (int, number) = if statement.has("add") {
        (IntOp::Add, Real2::Add)
    } else if statement.has("min") {
        (minimum, Real2::MinNumber)
    } else if statement.has("max") {
        (maximum, Real2::MaxNumber)
    } else {
        return Err(SimError::unsupported("this form of `atom`"));
    };
    Ok(real.map_or(AtomicOp::Int(int), |real| AtomicOp::Real(number, real)))
}

/// `atom.… d, [a], b` and with `.cas` `d, [a], expected, b`; packed halves are atomic one by one.
fn atomic<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let d = statement.registers(0)?;
    lower.asm_atomic(statement, &d, 1)
}

fn reduction<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    lower.asm_atomic(statement, &[], 0)
}

impl Lower<'_> {
    fn asm_atomic(
        &mut self,
        statement: &Statement,
        d: &[Slot],
        address: usize,
    ) -> Result<(), SimError> {
        let op = atomic_op(statement)?;
        let bits = type_bits(statement)?;
        let exchanges = op == AtomicOp::CompareExchange;
        let value = address + 1 + usize::from(exchanges);
        let mut values = match statement.operands.get(value) {
            Some(Operand::Immediate(_)) => vec![self.asm_source(statement, value, bits)?],
            _ => statement.registers(value)?,
        };
        let last = statement.words.last().map_or("", String::as_str);
        let pairs = real_type(last).is_some_and(|(_, n)| n == 2);
        let packed = if pairs && values.len() == 1 {
            values = self.repack(&values, &[32], &[Scalar::Int(16); 2]);
            true
        } else {
            false
        };
        let olds: Vec<Slot> = values.iter().map(|&it| self.like(it)).collect();
        let (mut access, addr) = self.asm_access(statement, &olds, address)?;
        if packed {
            access.parts.iter_mut().enumerate().for_each(|(i, part)| {
                (part.offset, part.bytes) = (2 * i as u32, 2);
            });
            (access.bytes, access.align) = (4, 4);
        }
        access.order = access.order.max(Order::Relaxed);
        let expected =
            if exchanges { Some(self.asm_source(statement, address + 1, bits)?) } else { None };
        self.emit_atomic(Atomic { op, access, addr, values, expected, stored: None });
        let olds = if packed { self.repack(&olds, &[16; 2], &[Scalar::Int(32)]) } else { olds };
        for (&d, a) in d.iter().zip(olds) {
            self.emit(Op::Copy { d, a });
        }
        Ok(())
    }
}

/// `cvt.round.to.from d, a` and, for two sources in one register, `d, a, b` with `a` in the upper
/// half.
fn convert<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let n = statement.words.len();
    let kinds =
        (n >= 2).then(|| (real_type(&statement.words[n - 2]), real_type(&statement.words[n - 1])));
    let Some((Some((to, width)), Some((from, from_width)))) = kinds else {
        return Err(SimError::unsupported(format!("`cvt.{}`", statement.words.join("."))));
    };
    let round = match statement.words.first().map(String::as_str) {
        Some("rz") => Rounding::Zero,
        Some("rp") => Rounding::Up,
        Some("rm") => Rounding::Down,
        _ => Rounding::Nearest,
    };
    let finite = statement.has("satfinite") || matches!(to, Real::E4m3 | Real::E5m2);
    let relu = statement.has("relu");
    let (from_bits, bits) = (lower.width(Scalar::Real(from)), lower.width(Scalar::Real(to)));
    let mut sources = Vec::new();
    for i in (1..statement.operands.len()).rev() {
        let slot = lower.asm_source(statement, i, from_bits * from_width as u32)?;
        let unpacked = vec![Scalar::Int(from_bits); from_width];
        sources.extend(lower.repack(&[slot], &[from_bits * from_width as u32], &unpacked));
    }
    let res: Vec<Slot> = sources
        .iter()
        .take(width.max(1))
        .map(|&a| lower.convert_fully(from, to, round, finite, relu, a))
        .collect();
    let res = if width == 1 {
        res[0]
    } else {
        lower.repack(&res, &vec![bits; width], &[Scalar::Int(bits * width as u32)])[0]
    };
    lower.asm_result(statement, 0, res)
}

fn permute_bytes<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let (a, b) = (lower.asm_source(statement, 1, 32)?, lower.asm_source(statement, 2, 32)?);
    let Some(Operand::Immediate(selector)) = statement.operands.get(3) else {
        return Err(SimError::unsupported("`prmt` with a variable selector"));
    };
    let selector = *selector;
    if selector & 0x8888 != 0 {
        return Err(SimError::unsupported("`prmt` that copies signs"));
    }
    let bytes = lower.repack(&[a, b], &[32, 32], &[Scalar::Int(8); 8]);
    let picked: Vec<Slot> = (0..4).map(|i| bytes[(selector >> (4 * i) & 7) as usize]).collect();
    let res = lower.repack(&picked, &[8; 4], &[Scalar::Int(32)]);
    lower.asm_result(statement, 0, res[0])
}

impl Lower<'_> {
    /// A row of [`ROWS`] as operations.
    pub(super) fn asm_rule(
        &mut self,
        rule: &AsmRule,
        statement: &mut Statement,
    ) -> Result<(), SimError> {
        match *rule {
            AsmRule::Ignore => Ok(()),
            AsmRule::With(with) => with(self, statement),
            AsmRule::Unary(op) => {
                let reals = AsmType::of(statement)?;
                let a = self.asm_elements(statement, 1, reals)?;
                let real = reals.real_or_refuse()?;
                let res = a.into_iter().map(|a| self.real1(op, real, a)).collect();
                self.asm_packed(statement, res, reals)
            }
            AsmRule::Binary { unsigned, signed, real } => {
                let ty = AsmType::of(statement)?;
                let a = self.asm_elements(statement, 1, ty)?;
                let b = self.asm_elements(statement, 2, ty)?;
                let int = if ty.signed { signed } else { unsigned };
                let mut res = Vec::new();
                for (a, b) in a.into_iter().zip(b) {
                    res.push(match (ty.real, real) {
                        (Some(format), Some(op)) => self.real2(op, format, a, b),
                        (None, _) => self.int(int, ty.bits, a, b)?,
                        (Some(_), None) => {
                            return Err(refuse("a real number in an integer operation"));
                        }
                    });
                }
                self.asm_packed(statement, res, ty)
            }
        }
    }

    fn asm_elements(
        &mut self,
        statement: &Statement,
        i: usize,
        ty: AsmType,
    ) -> Result<Vec<Slot>, SimError> {
        let whole = ty.bits * ty.count as u32;
        let slot = self.asm_source(statement, i, whole)?;
        Ok(self.repack(&[slot], &[whole], &vec![Scalar::Int(ty.bits); ty.count]))
    }

    fn asm_packed(
        &mut self,
        statement: &Statement,
        parts: Vec<Slot>,
        ty: AsmType,
    ) -> Result<(), SimError> {
        let whole = Scalar::Int(ty.bits * ty.count as u32);
        let res = self.repack(&parts, &vec![ty.bits; parts.len()], &[whole]);
        self.asm_result(statement, 0, res[0])
    }
}

/// The type that ends a mnemonic, as elements of a register.
#[derive(Clone, Copy)]
struct AsmType {
    real: Option<Real>,
    signed: bool,
    bits: u32,
    count: usize,
}

impl AsmType {
    fn of(statement: &Statement) -> Result<AsmType, SimError> {
        let last = statement.words.last().map_or("", String::as_str);
        let bits = type_bits(statement)?;
        let real = match real_type(last) {
            Some((Real::F32, _)) if statement.has("ftz") => Some((Real::F32Flush, 1)),
            other => other,
        };
        let count = real.map_or(1, |(_, count)| count);
        Ok(AsmType {
            real: real.map(|(real, _)| real),
            signed: last.starts_with('s'),
            bits: bits / count as u32,
            count,
        })
    }

    fn real_or_refuse(self) -> Result<Real, SimError> {
        self.real.ok_or_else(|| refuse("an integer in an operation on real numbers"))
    }
}

/// `mad.lo.cc`: the low half of `a * b + c`, whose carry the next `madc` adds.
fn product_low<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    use super::super::super::llvm::IntPredicate::LLVMIntULT;
    let (a, b) = (lower.asm_source(statement, 1, 32)?, lower.asm_source(statement, 2, 32)?);
    let c = lower.asm_source(statement, 3, 32)?;
    let product = lower.int(IntOp::Mul, 32, a, b)?;
    let sum = lower.int(IntOp::Add, 32, product, c)?;
    let carry = lower.test(LLVMIntULT, 32, sum, c);
    statement.carry = Some(lower.resize(false, 1, 32, Slot::Flag(carry)));
    lower.asm_result(statement, 0, sum)
}

fn product_high<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let (a, b) = (lower.asm_source(statement, 1, 32)?, lower.asm_source(statement, 2, 32)?);
    let c = lower.asm_source(statement, 3, 32)?;
    let carry = statement.carry.ok_or_else(|| refuse("`madc` without a carry"))?;
    let high = lower.int(IntOp::MulHighUnsigned, 32, a, b)?;
    let sum = lower.int(IntOp::Add, 32, high, c)?;
    let res = lower.int(IntOp::Add, 32, sum, carry)?;
    lower.asm_result(statement, 0, res)
}

fn logic3<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let Some(Operand::Immediate(table)) = statement.operands.get(4) else {
        return Err(SimError::unsupported("`lop3` with a variable table"));
    };
    let table = *table;
    let mut sources = Vec::new();
    for i in 1..4 {
        sources.push(lower.asm_source(statement, i, 32)?);
    }
    let ones = lower.constant(Scalar::Int(32), 0xffff_ffff);
    let mut sum = lower.constant(Scalar::Int(32), 0);
    for entry in (0..8u64).filter(|entry| table >> entry & 1 != 0) {
        let mut term = ones;
        for (i, &source) in sources.iter().enumerate() {
            let wanted = entry >> (2 - i) & 1 != 0;
            let source = if wanted { source } else { lower.int(IntOp::Xor, 32, source, ones)? };
            term = lower.int(IntOp::And, 32, term, source)?;
        }
        sum = lower.int(IntOp::Or, 32, sum, term)?;
    }
    lower.asm_result(statement, 0, sum)
}

/// `mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 d, a, b, c`.
fn product<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let words: Vec<&str> = statement.words.iter().map(String::as_str).collect();
    let registers = |i: usize| statement.registers(i);
    let operands = [registers(0)?, registers(1)?, registers(2)?, registers(3)?];
    super::super::matrix::mma_statement(lower, &words, operands)
}

/// `ldmatrix.sync.aligned.m8n8.x4.shared.b16 d, [a]` and `stmatrix.… [a], d`.
fn move_rows<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let store = matches!(statement.operands.first(), Some(Operand::Address(..)));
    let (address, registers) = if store { (0, 1) } else { (1, 0) };
    let words: Vec<&str> = statement.words.iter().map(String::as_str).collect();
    let (base, offset) = statement.address(address)?;
    if space_of(statement) != Space::Shared {
        return Err(SimError::unsupported(format!("`{}` of generic memory", words.join("."))));
    }
    let bits = if matches!(base, Slot::Wide(_)) { 64 } else { 32 };
    let addr = lower.add_constant(base, bits, u64::from(offset))?;
    let registers = statement.registers(registers)?;
    super::super::rows::emit_move(lower, &words, store, &registers, addr)
}

/// `cp.async.cg.shared.global [to], [from], bytes, bytes to read` or `…, whether to read nothing`.
fn copy<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let ((to, to_offset), (from, from_offset)) = (statement.address(0)?, statement.address(1)?);
    let bytes = match statement.operands.get(2) {
        Some(&Operand::Immediate(bytes @ (4 | 8 | 16))) => bytes as u32,
        _ => return Err(refuse("`cp.async` of this size")),
    };
    let (read, ignore) = match statement.operands.get(3) {
        None => (None, None),
        Some(&Operand::Register(Slot::Flag(flag))) => (None, Some(flag)),
        Some(_) => (Some(row(lower.asm_source(statement, 3, 32)?)), None),
    };
    lower.emit_async_copy(AsyncCopy {
        from: Access {
            offset: from_offset,
            ..plain_source(Addressing::Pointer { wide: matches!(from, Slot::Wide(_)) }, bytes)
        },
        from_addr: row(from),
        to,
        landing: Landing::Scattered { offset: to_offset },
        to_align: bytes,
        read,
        ignore,
        is_apart: false,
    });
    Ok(())
}

fn commit_copies<'m>(lower: &mut Lower<'m>, _: &mut Statement) -> Result<(), SimError> {
    lower.emit(Op::CommitCopies);
    Ok(())
}

fn await_group<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let Some(&Operand::Immediate(pending)) = statement.operands.first() else {
        return Err(refuse("`cp.async.wait_group` of a variable number"));
    };
    lower.emit(Op::AwaitCopies { pending: pending as u32 });
    Ok(())
}

fn await_all<'m>(lower: &mut Lower<'m>, _: &mut Statement) -> Result<(), SimError> {
    lower.emit(Op::CommitCopies);
    lower.emit(Op::AwaitCopies { pending: 0 });
    Ok(())
}
