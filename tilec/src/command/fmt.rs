//! `tilec fmt`: the one way to write a program.
//!
//! A file whose syntax cannot be read in full is left alone, and its errors are shown: a formatter
//! must not guess at what somebody is in the middle of writing.

use std::io::Read;
use std::path::PathBuf;

use crate::cli::{self, Format};
use crate::files::{self, SourceFile};
use crate::render;
use crate::session::Session;
use crate::{Exit, Failure, Io};

pub(super) fn run(args: &cli::Fmt, io: &mut Io<'_>) -> Result<Exit, Failure> {
    if args.paths == [PathBuf::from("-")] {
        return filter(args.check, io);
    }
    let mut exit = Exit::Fine;
    for path in files::find(&args.paths)? {
        let file = files::read(&path)?;
        let outcome = format(&file, io)?;
        match outcome {
            None => exit = Exit::Program,
            Some(text) if text == file.text => {}
            Some(_) if args.check => {
                io.line(path.display())?;
                exit = Exit::Program;
            }
            Some(text) => files::write(&path, text.as_bytes())?,
        }
    }
    Ok(exit)
}

/// Formats standard input to standard output.
fn filter(check: bool, io: &mut Io<'_>) -> Result<Exit, Failure> {
    let path = PathBuf::from("<standard input>");
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|source| Failure::Read { path: path.clone(), source })?;
    let file = SourceFile { path, text };
    match format(&file, io)? {
        None => Ok(Exit::Program),
        Some(text) if check => Ok(if text == file.text { Exit::Fine } else { Exit::Program }),
        Some(text) => {
            io.text(text)?;
            Ok(Exit::Fine)
        }
    }
}

/// The formatted text; `None` after showing why there is none.
fn format(file: &SourceFile, io: &mut Io<'_>) -> Result<Option<String>, Failure> {
    let session = Session::of_file(file.clone());
    let errors = session.syntax_errors();
    if errors.is_empty() {
        return Ok(tile_syntax::format(&file.text).ok());
    }
    render::show(&errors, session.sources(), Format::Human, io)?;
    Ok(None)
}
