//! P0110: a warp's accesses touch more sectors than their bytes fill, though those lie together in memory.
//!
//! What one instruction leaves of a sector and the next takes is not lost: it is in the cache by then. An access
//! that is narrow for want of a fact is told by P0101 alone.

use super::Subject;
use crate::analysis::access::access;
use crate::analysis::sectors::{SECTOR_BYTES, Span, sectors};
use crate::diagnostic::Diagnostic;
use crate::ir::Inst;
use crate::report;

/// How many times the fewest sectors are worth a word.
const FACTOR: u32 = 2;

pub(super) fn warning(it: &Subject<'_>, inst: &Inst) -> Option<Diagnostic> {
    if access(it.kernel, it.facts, inst)?.limit.is_some() {
        return None;
    }
    let of = |span| {
        let found = sectors(it.kernel, it.facts, inst, span)?;
        // Where fewer bytes lie together than a sector has, no layout does better.
        let is_worth = found.run_bytes >= SECTOR_BYTES && found.touched >= FACTOR * found.least;
        is_worth.then_some(found)
    };
    let found = of(Span::First).and_then(|_| of(Span::All))?;
    Some(report::lints::scattered(it.kernel, inst, &found, found.along?))
}
