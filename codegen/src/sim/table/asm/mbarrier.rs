//! mbarriers in inline assembly (PTX ISA 9.7.13.15).

use super::super::super::bytecode::{Mbarrier, MbarrierMode};
use super::*;

const SOURCE: &str = "PTX ISA 9.7.13.15, mbarrier";

/// The rows.
pub(super) const ROWS: &[AsmRow] = &[
    row_of("mbarrier.init", init),
    row_of("mbarrier.inval", inval),
    row_of("mbarrier.arrive", arrive),
    row_of("mbarrier.arrive.expect_tx", arrive_expect),
    row_of("mbarrier.expect_tx", expect),
    row_of("mbarrier.complete_tx", complete),
    row_of("mbarrier.test_wait.parity", test_wait),
    row_of("mbarrier.try_wait.parity", test_wait),
    row_of("cp.async.mbarrier.arrive", copies),
    row_of("cp.async.mbarrier.arrive.noinc", copies_uncounted),
];

const fn row_of(
    name: &'static str,
    with: for<'m> fn(&mut Lower<'m>, &mut Statement) -> Result<(), SimError>,
) -> AsmRow {
    AsmRow { name, source: SOURCE, rule: AsmRule::With(with) }
}

impl Lower<'_> {
    /// An operation on the mbarrier that operand `address` is, with the number that operand `n` is, or 1.
    fn emit_mbarrier(
        &mut self,
        statement: &Statement,
        mode: MbarrierMode,
        (address, n): (usize, usize),
    ) -> Result<(), SimError> {
        if statement.words.iter().any(|it| it == "noComplete") {
            let words = statement.words.join(".");
            return Err(SimError::unsupported(format!("an mbarrier operation with `{words}`")));
        }
        let (address, offset) = statement.address(address)?;
        let n = match statement.operands.get(n) {
            None => self.constant(Scalar::Int(32), 1),
            Some(_) => self.asm_source(statement, n, 32)?,
        };
        let table = self.code.mbarriers.len() as u32;
        self.code.mbarriers.push(Mbarrier { mode, address, offset, n: row(n) });
        self.emit(Op::Mbarrier { table });
        Ok(())
    }
}

/// `mbarrier.init.shared.b64 [a], count`
fn init<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    lower.emit_mbarrier(statement, MbarrierMode::Init, (0, 1))
}

/// `mbarrier.inval.shared.b64 [a]`
fn inval<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    lower.emit_mbarrier(statement, MbarrierMode::Inval, (0, 1))
}

/// `mbarrier.arrive.shared.b64 state, [a], count`, and with `shared::cluster` that of another block. The state is opaque, and nothing here takes one.
fn arrive<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    lower.emit_mbarrier(statement, MbarrierMode::Arrive, (1, 2))
}

/// `mbarrier.arrive.expect_tx.shared::cta.b64 _, [a], bytes`
fn arrive_expect<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    lower.emit_mbarrier(statement, MbarrierMode::ArriveExpect, (1, 2))
}

/// `mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [a], bytes`
fn expect<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    lower.emit_mbarrier(statement, MbarrierMode::Expect, (0, 1))
}

/// `mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [a], bytes`
fn complete<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    lower.emit_mbarrier(statement, MbarrierMode::Complete, (0, 1))
}

/// `mbarrier.try_wait.parity.shared::cta.b64 complete, [a], parity`
fn test_wait<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    match statement.registers(0)?[..] {
        [Slot::Flag(d)] => lower.emit_mbarrier(statement, MbarrierMode::Test { d }, (1, 2)),
        _ => Err(refuse("a wait whose answer is no predicate")),
    }
}

/// `cp.async.mbarrier.arrive.shared.b64 [a]`
fn copies<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    lower.emit_mbarrier(statement, MbarrierMode::Copies { counts_more: true }, (0, 1))
}

/// `cp.async.mbarrier.arrive.noinc.shared.b64 [a]`
fn copies_uncounted<'m>(lower: &mut Lower<'m>, statement: &mut Statement) -> Result<(), SimError> {
    lower.emit_mbarrier(statement, MbarrierMode::Copies { counts_more: false }, (0, 1))
}
