//! Matrix products: from the words of a name to a [`Product`].
//!
//! PTX has one instruction with many types, AMD one instruction for each shape and type. Both
//! become the same operation; shapes that no device has are refused.

use std::sync::Arc;

use super::super::bytecode::{Arithmetic, Number, Operand, Product, Scale};
use super::super::fragment::{Role, Shape};
use super::super::llvm::Value;
use super::*;

/// What `mma.sync` is asked for.
struct Mma {
    m: usize,
    k: usize,
    left: Number,
    right: Number,
    sum: Number,
    result: Number,
    saturates: bool,
}

const F16: Number = Number::Real(Real::F16);
const F32: Number = Number::Real(Real::F32);
const F64: Number = Number::Real(Real::F64);
const S32: Number = Number::Signed { bits: 32 };

/// A type in PTX.
pub(super) fn number(word: &str) -> Option<Number> {
    Some(match word {
        "f16" => F16,
        "bf16" => Number::Real(Real::Bf16),
        "tf32" => Number::Truncated,
        "f32" => F32,
        "f64" => F64,
        "e4m3" => Number::Real(Real::E4m3),
        "e5m2" => Number::Real(Real::E5m2),
        "s8" => Number::Signed { bits: 8 },
        "u8" => Number::Unsigned { bits: 8 },
        "s4" => Number::Signed { bits: 4 },
        "u4" => Number::Unsigned { bits: 4 },
        "s32" => S32,
        _ => return None,
    })
}

/// Bits of an element in a register.
fn width(number: Number) -> u8 {
    match number {
        Number::Truncated => 32,
        Number::Signed { bits } | Number::Unsigned { bits } => bits,
        Number::Real(real) => match real {
            Real::F16 | Real::Bf16 => 16,
            Real::F32 | Real::F32Flush => 32,
            Real::F64 => 64,
            Real::E4m3 | Real::E5m2 | Real::E4m3Fnuz | Real::E5m2Fnuz => 8,
            Real::E2m3 | Real::E3m2 => 6,
            Real::E2m1 => 4,
        },
    }
}

impl Mma {
    /// The words after `mma.sync.aligned` in PTX: `m16n8k16 row col f32 f16 f16 f32`.
    fn of_instruction(words: &[&str]) -> Option<Mma> {
        let [shape, "row", "col", rest @ ..] = words else {
            return None;
        };
        let (saturates, types) = match rest {
            ["satfinite", types @ ..] => (true, types),
            _ => (false, rest),
        };
        let &[result, left, right, sum] = types else {
            return None;
        };
        let (m, k) = match shape.strip_prefix("m16n8k") {
            Some(k) => (16, k),
            None => (8, shape.strip_prefix("m8n8k")?),
        };
        let mma = Mma {
            m,
            k: k.parse().ok()?,
            left: number(left)?,
            right: number(right)?,
            sum: number(sum)?,
            result: number(result)?,
            saturates,
        };
        mma.exists().then_some(mma)
    }

    /// The words of an intrinsic's name, which leaves out what follows from the rest: a single type
    /// is that of both factors, two are result and sum of a product of halves, or two factors of
    /// integers (LLVM, `NVVM_MMA_OPS`).
    fn of_intrinsic(words: &[&str]) -> Option<Mma> {
        let count = words.iter().rev().take_while(|&&word| number(word).is_some()).count();
        let (head, types) = words.split_at(words.len() - count);
        let sum_of = |word: &str| match word {
            "f64" => "f64",
            "bf16" | "tf32" => "f32",
            _ => "s32",
        };
        let types = match *types {
            [both] => [sum_of(both), both, both, sum_of(both)],
            [result @ ("f16" | "f32"), sum] => [result, "f16", "f16", sum],
            [left, right] => ["s32", left, right, "s32"],
            [result, left, right, sum] => [result, left, right, sum],
            _ => return None,
        };
        Mma::of_instruction(&[head, &types].concat())
    }

    /// PTX ISA 9.7.14.5, the table of shapes and types.
    fn exists(&self) -> bool {
        let (m, k, halves) = (self.m, self.k, self.sum == F16 || self.sum == F32);
        let same = self.left == self.right && self.sum == self.result;
        match self.left {
            Number::Real(Real::F16) => {
                let mixed = matches!(self.result, F16 | F32);
                self.right == F16 && halves && mixed && m == 16 && matches!(k, 8 | 16)
            }
            Number::Real(Real::Bf16) => same && self.sum == F32 && m == 16 && matches!(k, 8 | 16),
            Number::Truncated => same && self.sum == F32 && m == 16 && matches!(k, 4 | 8),
            Number::Real(Real::F64) => {
                let shape = matches!((m, k), (8, 4) | (16, 4 | 8 | 16));
                same && self.sum == F64 && shape
            }
            Number::Real(Real::E4m3 | Real::E5m2) => {
                let bytes = matches!(self.right, Number::Real(Real::E4m3 | Real::E5m2));
                let shape = m == 16 && matches!(k, 16 | 32);
                bytes && halves && self.sum == self.result && shape
            }
            Number::Signed { bits } | Number::Unsigned { bits } => {
                let (integers, k) = match self.right {
                    Number::Signed { bits: other } | Number::Unsigned { bits: other } => {
                        (other == bits && self.sum == S32 && self.result == S32, k)
                    }
                    Number::Real(_) | Number::Truncated => (false, k),
                };
                let unit = 128 / usize::from(bits);
                let shape = if m == 8 { k == unit } else { k == unit || k == 2 * unit };
                integers && matches!(bits, 4 | 8) && shape
            }
            Number::Real(_) => false,
        }
    }

    fn arithmetic(&self) -> Arithmetic {
        match self.sum {
            F64 => Arithmetic::Double,
            Number::Signed { .. } => Arithmetic::Integer { saturates: self.saturates },
            _ => Arithmetic::Single,
        }
    }

    fn shape(&self) -> Shape {
        let packed = (32 / usize::from(width(self.left))).max(1);
        Shape::Warp { m: self.m, k: self.k, packed }
    }
}

/// `mma.sync.aligned.… d, a, b, c` in inline assembly.
pub(super) fn mma_statement(
    lower: &mut Lower<'_>,
    words: &[&str],
    operands: [Vec<Slot>; 4],
) -> Result<(), SimError> {
    let refuse = || SimError::unsupported(format!("`mma.sync.aligned.{}`", words.join(".")));
    let mma = Mma::of_instruction(words).ok_or_else(refuse)?;
    emit_mma(lower, &mma, operands).ok_or_else(refuse)
}

/// `{ d } = llvm.nvvm.mma.…(a.., b.., c..)`, every register an argument.
pub(super) fn mma<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let refuse = || SimError::unsupported(format!("a call of `{}`", call.name));
    let words: Vec<&str> = call.words.iter().map(String::as_str).collect();
    let mma = Mma::of_intrinsic(&words).ok_or_else(refuse)?;
    let registers = |role: Role, number: Number| {
        let bits = mma.shape().elements(role) * usize::from(width(number)) / 32;
        bits.div_ceil(if width(number) == 64 { 64 } else { 32 })
    };
    let counts = [
        registers(Role::Left, mma.left),
        registers(Role::Right, mma.right),
        registers(Role::Sum, mma.sum),
    ];
    if call.args.len() != counts.iter().sum::<usize>() {
        return Err(refuse());
    }
    let mut args = call.args.iter();
    let mut take = |lower: &mut Lower<'m>, n: usize| -> Result<Vec<Slot>, SimError> {
        let mut res = Vec::new();
        for &arg in args.by_ref().take(n) {
            res.extend_from_slice(&lower.slots(arg)?);
        }
        Ok(res)
    };
    let (a, b) = (take(lower, counts[0])?, take(lower, counts[1])?);
    let c = take(lower, counts[2])?;
    let d = lower.fresh_all(call.inst.ty())?;
    emit_mma(lower, &mma, [d.clone(), a, b, c]).ok_or_else(refuse)?;
    lower.bind(call.inst, d);
    Ok(())
}

fn emit_mma(lower: &mut Lower<'_>, mma: &Mma, [d, a, b, c]: [Vec<Slot>; 4]) -> Option<()> {
    let shape = mma.shape();
    let left = operand(lower, shape, Role::Left, mma.left, a)?;
    let right = operand(lower, shape, Role::Right, mma.right, b)?;
    let sum = operand(lower, shape, Role::Sum, mma.sum, c)?;
    let d = operand(lower, shape, Role::Sum, mma.result, d)?;
    let (extents, arithmetic) = (shape.extents(), mma.arithmetic());
    lower.emit_product(Product { extents, arithmetic, left, right, sum, d, scales: None });
    Some(())
}

/// The matrix that the rows hold, if they are as many as its elements need.
fn operand(
    lower: &Lower<'_>,
    shape: Shape,
    role: Role,
    number: Number,
    rows: Vec<Slot>,
) -> Option<Operand> {
    let bits = width(number);
    let elements = shape.elements(role) / lower.lanes as usize;
    let packed = elements / rows.len().max(1);
    let room = match rows.first()? {
        Slot::Wide(_) => 64,
        Slot::Word(_) => 32,
        Slot::Flag(_) => return None,
    };
    let fits = packed > 0 && packed * rows.len() == elements && packed * usize::from(bits) <= room;
    let moves = Arc::new(shape.moves(role, lower.lanes as usize));
    fits.then_some(Operand { number, bits, packed, rows, moves })
}

/// `mfma.<sum>.<m>x<m>x<k><type>(a, b, c, cbsz, abid, blgp)` without broadcasts.
pub(super) fn mfma<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let refuse = || SimError::unsupported(format!("a call of `{}`", call.name));
    for i in 3..call.args.len() {
        if lower.immediate(call, i)? != 0 {
            let message = format!("broadcasts or negations in `{}`", call.name);
            return Err(SimError::unsupported(message));
        }
    }
    let (m, k, numbers) = mfma_words(lower, call).ok_or_else(refuse)?;
    let [left, _, sum] = numbers;
    let bits = bits_of(lower, call.args[0])?;
    let blocks = 64 * (bits / usize::from(width(left))) / (m * k);
    let shape = match sum {
        F64 => Shape::WaveDouble { m },
        _ => Shape::Wave { m, k, blocks },
    };
    let mut rows = Vec::new();
    for &arg in &call.args[..3] {
        rows.push(lower.slots(arg)?.to_vec());
    }
    let result = lower.fresh_all(call.inst.ty())?;
    rows.push(result.clone());
    emit_mfma(lower, [shape; 2], numbers, rows, None).ok_or_else(refuse)?;
    lower.bind(call.inst, result);
    Ok(())
}

/// Appends the product of the operands `a`, `b`, `c` and `d`, whose factors may lie differently.
fn emit_mfma(
    lower: &mut Lower<'_>,
    shapes: [Shape; 2],
    [left, right, sum]: [Number; 3],
    rows: Vec<Vec<Slot>>,
    scales: Option<[Scale; 2]>,
) -> Option<()> {
    let [a, b, c, d] = <[Vec<Slot>; 4]>::try_from(rows).ok()?;
    let left = operand(lower, shapes[0], Role::Left, left, a)?;
    let right = operand(lower, shapes[1], Role::Right, right, b)?;
    let d = operand(lower, shapes[0], Role::Sum, sum, d)?;
    let sum = operand(lower, shapes[0], Role::Sum, sum, c)?;
    let arithmetic = match sum.number {
        F64 => Arithmetic::Double,
        Number::Signed { .. } => Arithmetic::Integer { saturates: false },
        _ => Arithmetic::Single,
    };
    let extents = shapes[0].extents();
    lower.emit_product(Product { extents, arithmetic, left, right, sum, d, scales });
    Some(())
}

/// `mfma.scale.f32.<m>x<m>x<k>.f8f6f4(a, b, c, format of a, of b, byte and scale of a, of b)`
/// (CDNA4 ISA 7; the formats are the instruction's fields CBSZ and BLGP).
pub(super) fn scaled_mfma<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let refuse = || SimError::unsupported(format!("a call of `{}`", call.name));
    let (m, k) = if call.has("16x16x128") { (16, 128) } else { (32, 64) };
    let (mut numbers, mut shapes, mut rows, mut scales) = ([F32; 3], [None; 2], vec![], vec![]);
    for i in 0..2 {
        let (real, words) = match lower.immediate(call, 3 + i)? {
            0 => (Real::E4m3, 8),
            1 => (Real::E5m2, 8),
            2 => (Real::E2m3, 6),
            3 => (Real::E3m2, 6),
            4 => (Real::E2m1, 4),
            _ => return Err(refuse()),
        };
        numbers[i] = Number::Real(real);
        shapes[i] = Some(match words {
            8 => Shape::WaveBytes { m },
            _ => Shape::Wave { m, k, blocks: 1 },
        });
        let slots = lower.slots(call.args[i])?;
        if slots.len() < words {
            return Err(refuse());
        }
        // Elements of six bits lie across words.
        rows.push(match words {
            6 => lower.repack(&slots[..6], &[32; 6], &[Scalar::Int(6); 32]),
            _ => slots[..words].to_vec(),
        });
        let byte = (lower.immediate(call, 5 + 2 * i)? & 3) as u8;
        scales.push(Scale { row: lower.word_arg(call, 6 + 2 * i)?, byte });
    }
    rows.push(lower.slots(call.args[2])?.to_vec());
    let result = lower.fresh_all(call.inst.ty())?;
    rows.push(result.clone());
    // Two scales that are the constant 0 mean the instruction without scales.
    let unscaled = [6, 8].iter().all(|&i| {
        call.args[i].is_constant() && lower.constant_bits(call.args[i]).is_ok_and(|it| it == [0])
    });
    let scales = <[Scale; 2]>::try_from(scales).ok().filter(|_| !unscaled);
    let shapes = shapes.map(|it| it.expect("both were set"));
    emit_mfma(lower, shapes, numbers, rows, scales).ok_or_else(refuse)?;
    lower.bind(call.inst, result);
    Ok(())
}

fn bits_of<'m>(lower: &mut Lower<'m>, value: Value<'m>) -> Result<usize, SimError> {
    let leaves = lower.leaves(value.ty())?;
    Ok(leaves.iter().map(|leaf| lower.width(leaf.scalar) as usize).sum())
}

/// Rows, depth and the numbers of factors and sum: `f32 16x16x32 fp8 bf8`, `f32 32x32x8bf16 1k`.
fn mfma_words(lower: &Lower<'_>, call: &Call<'_>) -> Option<(usize, usize, [Number; 3])> {
    let mut words = call.words.iter().map(String::as_str);
    let sum = match words.next()? {
        "f32" => F32,
        "f64" => F64,
        "i32" => S32,
        _ => return None,
    };
    let mut dims = words.next()?.splitn(3, 'x');
    let (m, n, rest) = (dims.next()?, dims.next()?, dims.next()?);
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (k, joined) = rest.split_at(digits);
    let mut types = (!joined.is_empty()).then_some(joined).into_iter().chain(words);
    let left = types.next()?;
    let right = match types.next() {
        Some(word @ ("fp8" | "bf8")) => word,
        Some("1k") | None => left,
        Some(_) => return None,
    };
    let of = |word: &str| {
        Some(match word {
            "f16" => F16,
            "bf16" => Number::Real(Real::Bf16),
            "f32" => F32,
            "xf32" => Number::Truncated,
            "f64" => F64,
            "i8" => Number::Signed { bits: 8 },
            "fp8" | "bf8" => Number::Real(lower.byte_format(word)),
            _ => return None,
        })
    };
    let m = (m == n).then(|| m.parse().ok())??;
    Some((m, k.parse().ok()?, [of(left)?, of(right)?, sum]))
}
