//! How bad warnings are, as the call wants it: `--allow`, `--warn` and `--deny`.
//!
//! A level is for a code, or for `warnings`, which is all of them; what is said of a code itself counts more. A
//! mistake is a mistake: errors have no level. What a kernel allows with its reason stays allowed. Nothing
//! goes silently: how many findings were allowed is said with the others.

use clap::Args;
use tile_language::diagnostic::{Code, Severity};

use crate::Failure;
use crate::render::Finding;

/// What stands for every warning.
const ALL: &str = "warnings";

/// The options.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Levels {
    /// Warnings that are not shown, separated by commas: codes, or `warnings`
    #[arg(long, value_delimiter = ',', value_name = "CODES")]
    allow: Vec<String>,
    /// Warnings that are shown though `warnings` has another level
    #[arg(long, value_delimiter = ',', value_name = "CODES")]
    warn: Vec<String>,
    /// Warnings that are errors, separated by commas: codes, or `warnings`
    #[arg(long, value_delimiter = ',', value_name = "CODES")]
    deny: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Level {
    Allow,
    Warn,
    Deny,
}

impl Levels {
    /// Gives the findings their levels, and says how many were allowed.
    ///
    /// # Errors
    /// A name that is no code of a warning, and a code with two levels.
    pub(crate) fn apply(&self, findings: Vec<Finding>) -> Result<(Vec<Finding>, usize), Failure> {
        let given = self.given()?;
        let level = |code: Code| {
            let of = |name: &str| given.iter().find(|it| it.0 == name).map(|it| it.1);
            of(code.name()).or_else(|| of(ALL)).unwrap_or(Level::Warn)
        };
        let before = findings.len();
        let shown: Vec<Finding> = findings
            .into_iter()
            .filter_map(|mut it| {
                match (it.severity, level(it.code)) {
                    (Severity::Warning, Level::Allow) => return None,
                    (Severity::Warning, Level::Deny) => it.severity = Severity::Error,
                    (Severity::Warning, Level::Warn) | (Severity::Error | Severity::Note, _) => {}
                }
                Some(it)
            })
            .collect();
        let n_allowed = before - shown.len();
        Ok((shown, n_allowed))
    }

    /// Every name with its level, after a look at each.
    fn given(&self) -> Result<Vec<(&str, Level)>, Failure> {
        let lists =
            [(&self.allow, Level::Allow), (&self.warn, Level::Warn), (&self.deny, Level::Deny)];
        let mut given: Vec<(&str, Level)> = Vec::new();
        for (name, level) in
            lists.into_iter().flat_map(|(names, it)| names.iter().map(move |n| (n, it)))
        {
            check(name)?;
            match given.iter().find(|it| it.0 == name) {
                Some(it) if it.1 != level => {
                    return Err(Failure::Call(format!("`{name}` is given two levels")));
                }
                Some(_) => {}
                None => given.push((name, level)),
            }
        }
        Ok(given)
    }
}

fn check(name: &str) -> Result<(), Failure> {
    if name == ALL {
        return Ok(());
    }
    match Code::from_name(name) {
        Some(code) if code.severity() == Severity::Warning => Ok(()),
        Some(_) => Err(Failure::Call(format!("`{name}` is no warning: only warnings have levels"))),
        None => Err(Failure::Call(format!(
            "there is no diagnostic `{name}`; a level is for a code such as `P0101`, or for `{ALL}`"
        ))),
    }
}
