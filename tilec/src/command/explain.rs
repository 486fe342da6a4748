//! `tilec explain`: the page of a diagnostic, or the documentation of a word.

use tile_language::diagnostic::Code;

use crate::cli;
use crate::io::Style;
use crate::{Exit, Failure, Io};

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

pub(super) fn run(args: &cli::Explain, io: &mut Io<'_>) -> Result<Exit, Failure> {
    let name = args.name.trim();
    let page = page(&name.to_uppercase()).ok_or_else(|| unknown(name))?;
    show(page, io)?;
    Ok(Exit::Fine)
}

/// The page of a diagnostic's code.
fn page(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|(name, _)| *name == code).map(|(_, text)| *text)
}

fn unknown(name: &str) -> Failure {
    let near: Vec<&str> = Code::ALL
        .iter()
        .map(|it| it.name())
        .filter(|it| !name.is_empty() && it.starts_with(&name.to_uppercase()))
        .collect();
    let hint = match near.as_slice() {
        [] => "; codes look like E0201 or P0101, and messages show them in brackets".to_owned(),
        near => format!("; there are {}", near.join(", ")),
    };
    Failure::UnknownCode { name: name.to_owned(), hint }
}

/// Shows Markdown as it is, with headings and code set apart where colours are shown.
fn show(page: &str, io: &mut Io<'_>) -> Result<(), Failure> {
    let mut in_code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
            io.line(io.paint(Style::Faint, line))?;
        } else if in_code {
            io.line(io.paint(Style::Code, line))?;
        } else if line.starts_with('#') {
            io.line(io.paint(Style::Strong, line))?;
        } else {
            io.line(line)?;
        }
    }
    Ok(())
}
