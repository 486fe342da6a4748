//! Findings as people and tools read them.
//!
//! A [`Finding`] is a diagnostic whose places were turned into files and bytes; all renderers show
//! that same data. Lines and columns are counted from 1, columns in characters (Unicode scalar
//! values), and the end is the first place after.

mod human;
mod json;
mod sarif;
mod sources;
mod timeline;

use tile_language::diagnostic::{Code, Severity};

use crate::cli::Format;
use crate::io::Style;
use crate::{Failure, Io};

pub(crate) use sources::{Sources, Stretch};

/// A diagnostic with places in files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Finding {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) place: Stretch,
    /// Facts with their places.
    pub(crate) reasons: Vec<(Stretch, String)>,
    /// How a run comes to it: who, what, and where that is written.
    pub(crate) steps: Vec<(String, String, Stretch)>,
    /// Facts without places: the first wrong elements, the arguments of a launch.
    pub(crate) notes: Vec<String>,
    pub(crate) help: Option<String>,
    pub(crate) fixes: Vec<Repair>,
}

impl Finding {
    /// A finding of the code's usual severity, without reasons, notes, help and fixes.
    pub(crate) fn new(code: Code, message: String, place: Stretch) -> Self {
        Finding {
            code,
            severity: code.severity(),
            message,
            place,
            reasons: Vec::new(),
            steps: Vec::new(),
            notes: Vec::new(),
            help: None,
            fixes: Vec::new(),
        }
    }
}

/// A fix: what it does and its edits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Repair {
    pub(crate) title: String,
    pub(crate) edits: Vec<(Stretch, String)>,
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Tally {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    /// Those that are not shown because the call allows them.
    pub(crate) allowed: usize,
}

impl Tally {
    /// Counts `findings`.
    pub(crate) fn of(findings: &[Finding]) -> Tally {
        let count = |severity| findings.iter().filter(|it| it.severity == severity).count();
        Tally { errors: count(Severity::Error), warnings: count(Severity::Warning), allowed: 0 }
    }
}

/// The word for a severity.
pub(crate) fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Shows `findings`: for people beside the work, for tools as the answer.
pub(crate) fn show(
    findings: &[Finding],
    sources: &Sources,
    format: Format,
    io: &mut Io<'_>,
) -> Result<(), Failure> {
    match format {
        Format::Human => human::show(findings, sources, io),
        Format::Json => json::show(findings, sources, io),
        Format::Sarif => sarif::show(findings, sources, io),
    }
}

/// The JSON objects of `findings`.
pub(crate) fn objects(findings: &[Finding], sources: &Sources) -> serde_json::Value {
    findings.iter().map(|it| json::object(it, sources)).collect()
}

/// Says how many findings there are, if there are any.
pub(crate) fn summarize(tally: Tally, io: &mut Io<'_>) -> Result<(), Failure> {
    let count = |n: usize, word: &str| match n {
        1 => format!("1 {word}"),
        n => format!("{n} {word}s"),
    };
    let mut parts = Vec::new();
    if tally.errors > 0 {
        parts.push(io.paint(Style::Error, count(tally.errors, "error")));
    }
    if tally.warnings > 0 {
        parts.push(io.paint(Style::Warning, count(tally.warnings, "warning")));
    }
    if tally.allowed > 0 {
        parts.push(io.paint(Style::Faint, format!("{} allowed", tally.allowed)));
    }
    if parts.is_empty() { Ok(()) } else { io.note(parts.join(", ")) }
}

#[cfg(test)]
mod tests;
