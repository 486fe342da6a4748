//! Moves of small matrices between registers and shared memory.

use super::super::bytecode::{MatrixMove, RowsForm, Space, TransposedRead};
use super::*;

/// `{ d } = ldmatrix.…(address)`.
pub(super) fn load_matrices<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let result = lower.fresh_all(call.inst.ty())?;
    let addr = shared_address(lower, call)?;
    let words: Vec<&str> = call.words.iter().map(String::as_str).collect();
    emit_move(lower, &words, false, &result, addr)?;
    lower.bind(call.inst, result);
    Ok(())
}

/// `stmatrix.…(address, values..)`.
pub(super) fn store_matrices<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let mut values = Vec::new();
    for &arg in &call.args[1..] {
        values.push(lower.slot(arg)?);
    }
    let addr = shared_address(lower, call)?;
    let words: Vec<&str> = call.words.iter().map(String::as_str).collect();
    emit_move(lower, &words, true, &values, addr)
}

fn shared_address<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<Slot, SimError> {
    if lower.space(call.args[0].ty().address_space())? != Space::Shared {
        return Err(SimError::unsupported(format!("a call of `{}`", call.name)));
    }
    lower.slot(call.args[0])
}

/// Appends a move whose mnemonic goes on with `words`: `m8n8 x4 trans b16`.
pub(super) fn emit_move(
    lower: &mut Lower<'_>,
    words: &[&str],
    store: bool,
    registers: &[Slot],
    addr: Slot,
) -> Result<(), SimError> {
    let refuse = || {
        let name = if store { "stmatrix" } else { "ldmatrix" };
        SimError::unsupported(format!("`{name}.sync.aligned.{}`", words.join(".")))
    };
    let has = |word: &str| words.contains(&word);
    let matrices = if has("x4") { 4 } else { 1 + usize::from(has("x2")) };
    let kind = (words.first().copied().unwrap_or(""), has("trans"), store);
    let (form, each) = match kind {
        ("m8n8", false, _) if has("b16") => (RowsForm::Plain, 1),
        ("m8n8", true, _) if has("b16") => (RowsForm::Transposed, 1),
        ("m16n16", true, false) if has("b8") && matrices < 4 => (RowsForm::TransposedBytes16, 2),
        ("m16n8", true, true) if has("b8") => (RowsForm::TransposedBytes8, 1),
        _ => return Err(refuse()),
    };
    let rows = registers.iter().map(|&slot| match slot {
        Slot::Word(row) => Some(row),
        _ => None,
    });
    let registers: Vec<RowId> = rows.collect::<Option<_>>().ok_or_else(refuse)?;
    if registers.len() != each * matrices {
        return Err(refuse());
    }
    let table = lower.code.matrix_moves.len() as u32;
    lower.code.matrix_moves.push(MatrixMove { form, store, registers, addr });
    lower.emit(Op::MatrixMove { table });
    Ok(())
}

/// `ds.read.tr<element bits>.b<bits of a lane>(address)`.
pub(super) fn read_transposed<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let (bits, bytes) = match call.name.split('.').nth(4) {
        Some("tr4") => (4, 8),
        Some("tr6") => (6, 12),
        Some("tr8") => (8, 8),
        _ => (16, 8),
    };
    let result = lower.fresh_all(call.inst.ty())?;
    let d: Vec<RowId> = result.iter().map(|&slot| row(slot)).collect();
    let d_bits = 8 * bytes / d.len() as u32;
    let addr = shared_address(lower, call)?;
    let table = lower.code.transposed_reads.len() as u32;
    lower.code.transposed_reads.push(TransposedRead { bits, bytes, d, d_bits, addr });
    lower.emit(Op::TransposedRead { table });
    lower.bind(call.inst, result);
    Ok(())
}
