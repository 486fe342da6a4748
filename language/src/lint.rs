//! Lints: what a kernel loses, told at the place where an edit would win it back.
//!
//! A lint is a row of [`LINTS`]: a question asked of the analyses, never a computation of its own, so that what is
//! told is what is emitted. Its words are in `report`, its code is a row of the registry, its page has a program that
//! triggers it and the mended one, and `tests/it/lints.rs` shows in what `sim` counts that the mended one is better.

mod banks;
mod division;
mod masks;
mod registers;
mod sectors;

use crate::analysis::{Defs, Facts, access, bounds};
use crate::diagnostic::Diagnostic;
use crate::ir::{Inst, Kernel};

/// What lints are asked about.
pub(crate) struct Subject<'a> {
    pub(crate) kernel: &'a Kernel,
    pub(crate) facts: &'a Facts,
    pub(crate) defs: &'a Defs<'a>,
}

/// A question about one instruction.
type Lint = fn(&Subject<'_>, &Inst) -> Option<Diagnostic>;

/// All lints that look at one instruction.
const LINTS: &[Lint] = &[
    |it, inst| access::warning(it.kernel, it.facts, inst),
    |it, inst| bounds::warning(it.kernel, it.facts, inst),
    sectors::warning,
    banks::warning,
    masks::warning,
];

/// What the lints say of a kernel without mistakes.
pub(crate) fn findings(kernel: &Kernel, facts: &Facts) -> Vec<Diagnostic> {
    let defs = Defs::of(kernel);
    let subject = Subject { kernel, facts, defs: &defs };
    let mut found = Vec::new();
    kernel.body.walk(&mut |inst| found.extend(LINTS.iter().filter_map(|ask| ask(&subject, inst))));
    found.extend(division::warnings(&subject));
    found.extend(registers::warnings(kernel));
    found
}
