//! `tilec explain`: the page of a diagnostic, or the documentation of a word.

use tile_language::diagnostic::Code;
use tile_language::op::surface::{Builtin, CONSTANTS, Row};
use tile_lsp::pages::page;

use crate::cli;
use crate::io::Style;
use crate::{Exit, Failure, Io};

pub(super) fn run(args: &cli::Explain, io: &mut Io<'_>) -> Result<Exit, Failure> {
    let name = args.name.trim();
    if let Some(page) = page(&name.to_uppercase()) {
        show(page, io)?;
        return Ok(Exit::Fine);
    }
    let rows: Vec<&Row> =
        Builtin::all().map(Builtin::row).filter(|it| is_named(it, name)).collect();
    if rows.is_empty() {
        return constant(name, io);
    }
    for row in rows {
        show(&documentation(row), io)?;
    }
    Ok(Exit::Fine)
}

/// Whether a row is meant by `name`: its path, or the last word of it.
fn is_named(row: &Row, name: &str) -> bool {
    row.path == name || row.path.rsplit("::").next() == Some(name)
}

/// A row as a page.
fn documentation(row: &Row) -> String {
    let lines: String = row.doc.lines().map(|it| format!("{}\n", it.trim_end())).collect();
    let needs: Vec<&str> = row.needs.iter().map(|it| it.name()).collect();
    let needs =
        if needs.is_empty() { String::new() } else { format!("Needs:   {}\n", needs.join(", ")) };
    format!("# {}\n\n{lines}{needs}Source:  {}\n", row.signature, row.source)
}

fn constant(name: &str, io: &mut Io<'_>) -> Result<Exit, Failure> {
    let constant = CONSTANTS.iter().find(|it| it.name == name).ok_or_else(|| unknown(name))?;
    show(&format!("# {}\n\n{}\n", constant.name, constant.doc), io)?;
    Ok(Exit::Fine)
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
        let line = line.strip_prefix(' ').unwrap_or(line);
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
