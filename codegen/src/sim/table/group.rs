//! Products of warp groups: `wgmma` (PTX ISA 9.7.15).

use super::super::bytecode::{AwaitProducts, GroupLeft, GroupProduct, Number, Real};
use super::asm::{Operand, Statement};
use super::matrix::number;
use super::*;

/// Columns and depth of a shape, `m64n128k16`.
fn shape(word: &str) -> Option<(usize, usize)> {
    let (n, k) = word.strip_prefix("m64n")?.split_once('k')?;
    Some((n.parse().ok()?, k.parse().ok()?))
}

/// PTX ISA 9.7.15.2, the table of shapes and types.
fn exists(n: usize, k: usize, numbers: [Number; 3]) -> bool {
    let real = |it: Real| Number::Real(it);
    let bytes = |it: Number| it == real(Real::E4m3) || it == real(Real::E5m2);
    let whole = |it: Number| it == Number::Signed { bits: 8 } || it == Number::Unsigned { bits: 8 };
    let (f16, f32) = (real(Real::F16), real(Real::F32));
    let [left, right, sum] = numbers;
    let typed = match left {
        it if it == f16 => right == f16 && (sum == f16 || sum == f32) && k == 16,
        it if it == real(Real::Bf16) => right == it && sum == f32 && k == 16,
        Number::Truncated => right == left && sum == f32 && k == 8,
        it if bytes(it) => bytes(right) && (sum == f16 || sum == f32) && k == 32,
        it if whole(it) => whole(right) && sum == Number::Signed { bits: 32 } && k == 32,
        _ => false,
    };
    let by = if whole(left) && 24 < n { 16 } else { 8 };
    typed && 0 < n && n <= 256 && n.is_multiple_of(by)
}

fn immediate(statement: &Statement, at: usize) -> Option<u64> {
    match statement.operands.get(at)? {
        Operand::Immediate(it) => Some(*it),
        _ => None,
    }
}

/// `wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 {d…}, a, b, p, signs and turns…`.
pub(super) fn start<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    let refuse = || {
        let words = statement.words.join(".");
        SimError::unsupported(format!("`wgmma.mma_async.sync.aligned.{words}`"))
    };
    let product = product(statement).ok_or_else(refuse)?;
    let table = lower.code.group_products.len() as u32;
    lower.code.group_products.push(product);
    lower.emit(Op::GroupProduct { table });
    Ok(())
}

fn product(statement: &Statement) -> Option<GroupProduct> {
    let words: Vec<&str> = statement.words.iter().map(String::as_str).collect();
    let &[size, sum, left, right] = &words[..] else { return None };
    let (n, k) = shape(size)?;
    let numbers = [number(left)?, number(right)?, number(sum)?];
    if !exists(n, k, numbers) {
        return None;
    }
    let is_real = !matches!(numbers[0], Number::Signed { .. } | Number::Unsigned { .. });
    let turns = matches!(numbers[0], Number::Real(Real::F16 | Real::Bf16));
    let Operand::Registers(d) = statement.operands.first()? else { return None };
    let Operand::Register(Slot::Wide(right)) = *statement.operands.get(2)? else { return None };
    let Operand::Register(Slot::Flag(adds)) = *statement.operands.get(3)? else { return None };
    let mut at = 4;
    if is_real {
        // Negated factors are nobody's wish so far.
        (immediate(statement, 4)? == 1 && immediate(statement, 5)? == 1).then_some(())?;
        at = 6;
    }
    let mut turned = || {
        let it = if turns { immediate(statement, at)? } else { 0 };
        at += usize::from(turns);
        (it < 2).then_some(it == 1)
    };
    let left = match statement.operands.get(1)? {
        Operand::Register(Slot::Wide(word)) => GroupLeft::Memory { word: *word, turned: turned()? },
        Operand::Registers(rows) if rows.len() == 4 => GroupLeft::Registers(rows.clone()),
        _ => return None,
    };
    let right_turned = turned()?;
    let packed = if numbers[2] == Number::Real(Real::F16) { 2 } else { 1 };
    let sound = d.len() == n / 2 / packed && statement.operands.len() == at;
    let d = d.clone();
    sound.then_some(GroupProduct { n, k, numbers, left, right, right_turned, adds, d })
}

pub(super) fn commit<'m>(lower: &mut Lower<'m>, _: &Call<'m>) -> Result<(), SimError> {
    lower.emit(Op::CommitProducts);
    Ok(())
}

pub(super) fn wait<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let pending = lower.immediate(call, 0)? as u32;
    emit_wait(lower, pending, Vec::new());
    Ok(())
}

/// `wgmma.wait_group.sync.aligned N`; what the assembly hands through comes out ready.
pub(super) fn wait_statement<'m>(
    lower: &mut Lower<'m>,
    statement: &mut Statement,
) -> Result<(), SimError> {
    let Some(pending) = immediate(statement, 0) else {
        return Err(SimError::unsupported("`wgmma.wait_group` of a variable number"));
    };
    emit_wait(lower, pending as u32, statement.outputs.clone());
    Ok(())
}

fn emit_wait(lower: &mut Lower<'_>, pending: u32, rows: Vec<Slot>) {
    let table = lower.code.product_waits.len() as u32;
    lower.code.product_waits.push(AwaitProducts { pending, rows });
    lower.emit(Op::AwaitProducts { table });
}
