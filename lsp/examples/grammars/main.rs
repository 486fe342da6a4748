//! Writes the grammars of editors from the compiler's own tables:
//!
//! ```sh
//! cargo run -p tile-lsp --example grammars           # writes editors/…
//! cargo run -p tile-lsp --example grammars -- --check   # fails if they are not what would be written
//! ```
//! The words come from the lexer's tokens, the element types from their table. A grammar colours a
//! text before the server has answered, and where there is none; what a name means only the server
//! knows, and its colours lie above these.

mod emacs;
mod textmate;
mod vim;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, io};

/// A file of an editor, from the root of the repository, and its text.
type Written = (&'static str, String);

fn main() -> ExitCode {
    let is_check = env::args().any(|it| it == "--check");
    for (path, text) in files() {
        let file = root().join(path);
        if is_check && fs::read_to_string(&file).ok().as_deref() != Some(&text) {
            eprintln!(
                "{path} is not what the tables say: cargo run -p tile-lsp --example grammars"
            );
            return ExitCode::FAILURE;
        }
        if let Err(error) = write(&file, &text).or_else(|error| ignore_if(is_check, error)) {
            eprintln!("cannot write {path}: {error}");
            return ExitCode::from(3);
        }
    }
    ExitCode::SUCCESS
}

fn ignore_if(is_check: bool, error: io::Error) -> io::Result<()> {
    if is_check { Ok(()) } else { Err(error) }
}

fn write(file: &std::path::Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(file).is_ok_and(|it| it == text) {
        return Ok(());
    }
    file.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(file, text)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files that are generated.
fn files() -> Vec<Written> {
    vec![
        ("editors/vscode/syntaxes/tile.tmLanguage.json", textmate::grammar()),
        ("editors/vim/syntax/tile.vim", vim::syntax()),
        ("editors/emacs/tile-mode.el", emacs::mode()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_grammars_are_what_the_tables_say() {
        for (path, text) in files() {
            let committed = fs::read_to_string(root().join(path)).unwrap_or_default();
            assert!(
                committed == text,
                "{path} is out of date: cargo run -p tile-lsp --example grammars"
            );
        }
    }
}
