//! What keeps a command from doing its work, and the codes that it exits with.
//!
//! A mistake in a user's program never appears here: that is a diagnostic.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// All is well.
    Fine = 0,
    /// The program that was looked at is at fault.
    Program = 1,
    /// The call is at fault.
    Call = 2,
    /// The machine is at fault.
    Machine = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command could not do its work: what was being done, and to what.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are the words of the sentences")]
pub enum Failure {
    #[error("`{}` does not exist", path.display())]
    NotFound { path: PathBuf },
    #[error("there is no .tile file in `{}`", path.display())]
    NothingThere { path: PathBuf },
    #[error(
        "`{}` is not UTF-8 text: line {line} has the byte {byte:#04x} where a character is expected",
        path.display()
    )]
    NotText { path: PathBuf, line: usize, byte: u8 },
    #[error("`{}` has {bytes} bytes, a source file has at most {max}", path.display())]
    TooLarge { path: PathBuf, bytes: u64, max: u64 },
    #[error("cannot read `{}`: {}", path.display(), reason(source))]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write `{}`: {}", path.display(), reason(source))]
    Write { path: PathBuf, source: io::Error },
    #[error("there is no target `{name}`; there are {known}")]
    UnknownTarget { name: String, known: String },
    #[error("there is nothing to explain by the name `{name}`{hint}")]
    UnknownCode { name: String, hint: String },
    #[error("{}", chain(.0))]
    Build(tile_codegen::BuildError),
    #[error("{0}")]
    Call(String),
    #[error("{0}")]
    Machine(String),
    #[error("cannot write the answer: {0}")]
    Output(io::Error),
}

impl Failure {
    /// The code that a command exits with because of it.
    pub fn exit(&self) -> Exit {
        match self {
            Failure::NotFound { .. }
            | Failure::NothingThere { .. }
            | Failure::NotText { .. }
            | Failure::TooLarge { .. }
            | Failure::UnknownTarget { .. }
            | Failure::UnknownCode { .. }
            | Failure::Call(_) => Exit::Call,
            Failure::Read { .. }
            | Failure::Write { .. }
            | Failure::Machine(_)
            | Failure::Build(_)
            | Failure::Output(_) => Exit::Machine,
        }
    }

    /// Whether the reader of the answer has gone away, as `head` does.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Failure::Output(it) if it.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// An error with the errors that it comes from.
fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |it| it.source());
    sources.fold(error.to_string(), |text, it| format!("{text}: {it}"))
}

/// The system's reason without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        _ => error.to_string(),
    }
}
