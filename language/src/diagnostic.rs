//! Diagnostics as data: what is wrong, where, why, and the edit that helps.
//!
//! A check decides *that* something is wrong and hands the facts to a wording function in
//! `report/`, which returns a [`Diagnostic`]; no check holds a sentence. The terminal, JSON and the
//! editor render the same data. Codes are rows of [`registry`]; each has a page
//! `docs/diagnostics/<code>.md` whose examples are run.

pub mod registry;

pub use registry::Code;

use crate::ir::Place;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Worth knowing; changes nothing.
    Note,
    /// The program works, and something about it is worse than it could be.
    Warning,
    /// The program cannot be built.
    Error,
}

/// One finding.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Diagnostic {
    /// The registry's row.
    pub code: Code,
    /// How bad it is, after levels were applied.
    pub severity: Severity,
    /// The rule or the fact, with numbers and units. Lower case, no full stop, stands alone.
    pub message: String,
    /// The smallest place that shows it.
    pub place: Place,
    /// Facts with places: why it is so.
    pub reasons: Vec<Reason>,
    /// How a run comes to what is wrong, step by step.
    pub steps: Vec<Step>,
    /// What to do, in a sentence.
    pub help: Option<String>,
    /// Edits that would mend it, best first.
    pub fixes: Vec<Fix>,
}

/// A fact that a diagnostic rests on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reason {
    /// Where it can be seen.
    pub place: Place,
    /// What is so.
    pub message: String,
}

/// What somebody does in a run.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Step {
    /// Who: a role, `math[0]`; empty for what all do.
    pub actor: String,
    /// What it does, in the third person.
    pub message: String,
    /// Where that is written.
    pub place: Place,
}

/// An edit that mends a diagnostic.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fix {
    /// What it does, as a menu entry.
    pub title: String,
    /// The edits, which do not overlap.
    pub edits: Vec<Edit>,
}

/// A replacement of text.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub place: Place,
    /// By what.
    pub text: String,
}

impl Diagnostic {
    /// A finding of the code's usual severity, without reasons, help and fixes.
    pub fn new(code: Code, message: String, place: Place) -> Diagnostic {
        Diagnostic {
            code,
            severity: code.severity(),
            message,
            place,
            reasons: Vec::new(),
            steps: Vec::new(),
            help: None,
            fixes: Vec::new(),
        }
    }

    /// The same with a fact that it rests on.
    pub fn because(mut self, place: Place, message: impl Into<String>) -> Diagnostic {
        self.reasons.push(Reason { place, message: message.into() });
        self
    }

    /// The same with advice.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }
}
