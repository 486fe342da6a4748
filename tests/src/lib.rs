//! What the suites share: code blocks of Markdown, and commands of `tilec` in process.
//!
//! # Code blocks
//! A fenced block whose info string begins with `tile` is Tile, and the words after it say what
//! must come of it:
//!
//! | info string | what must hold |
//! | --- | --- |
//! | `tile` | no finding; its tests, if it has any, pass on the interpreter |
//! | `tile error[E0201]` | that code is found, and no other |
//! | `tile warning[P0101]` | likewise |
//! | `tile error[R0101]` | no error is found, but its tests fail with that code on the interpreter |
//! | `tile test` | no finding; its tests pass on the interpreter and on the simulator |
//! | `tile fragment` | nothing: a piece of a program, shown for its look |
//!
//! `for gfx942` at the end names the target. Otherwise that is `sm_90a`, and `gfx942` too for tests.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A fenced block of Markdown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// What stands after the opening fence.
    pub info: String,
    /// Its lines.
    pub text: String,
    /// The line of the opening fence, from 1.
    pub line: usize,
}

/// The fenced blocks of `markdown`, in order.
pub fn blocks(markdown: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (idx, line) in markdown.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut open, fence) {
            (None, Some(info)) => {
                let info = info.trim().to_owned();
                open = Some(Block { info, text: String::new(), line: idx + 1 });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

/// What must come of a block of Tile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expectation {
    /// The only code that is found; `None` if there must be no finding.
    pub code: Option<String>,
    /// The engines that its tests are run on; none if there are no tests.
    pub engines: Vec<&'static str>,
    /// The targets that it is looked at for, separated by commas.
    pub targets: String,
}

impl Block {
    /// What must come of it; `None` if it is not Tile or a mere fragment.
    pub fn expectation(&self) -> Option<Expectation> {
        let mut words = self.info.split_whitespace();
        if words.next() != Some("tile") {
            return None;
        }
        let mut expectation =
            Expectation { code: None, engines: Vec::new(), targets: "sm_90a".to_owned() };
        let has_tests = self.text.lines().any(|it| it.starts_with("test \""));
        if has_tests {
            expectation.engines.push("interp");
        }
        while let Some(word) = words.next() {
            match word {
                "fragment" => return None,
                "test" => {
                    expectation.engines.push("sim");
                    expectation.targets.push_str(",gfx942");
                }
                "for" => expectation.targets = words.next().unwrap_or_default().to_owned(),
                word => {
                    let (_, code) = word.split_once('[')?;
                    expectation.code = Some(code.trim_end_matches(']').to_owned());
                }
            }
        }
        Some(expectation)
    }
}

/// What a command of `tilec` answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Its exit code.
    pub exit: tilec::Exit,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Answer {
    /// The objects of its output, one a line.
    ///
    /// # Panics
    /// If a line is no JSON.
    pub fn objects(&self) -> Vec<Value> {
        let parse = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
        };
        self.out.lines().map(parse).collect()
    }

    /// The codes of the findings in its output, in order, each once.
    pub fn codes(&self) -> Vec<String> {
        let code = |it: &Value| it["code"].as_str().unwrap_or_default().to_owned();
        let mut codes: Vec<String> = self.objects().iter().map(code).collect();
        codes.sort();
        codes.dedup();
        codes
    }
}

/// Runs a command of `tilec` in this process.
pub fn tilec<S: Into<OsString>>(args: impl IntoIterator<Item = S>) -> Answer {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = std::iter::once("tilec".into()).chain(args.into_iter().map(Into::into));
    let exit = tilec::run(args, &mut tilec::Io::plain(&mut out, &mut err));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("tilec writes text");
    Answer { exit, out: text(out), err: text(err) }
}

/// What counts as a finding where none is expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strictness {
    /// Errors and warnings: pages that show how something is done well.
    Warnings,
    /// Errors: pages that test what something means.
    Errors,
}

/// Checks a block as its info string asks, and says what is wrong with it.
pub fn check_block(name: &str, block: &Block, strictness: Strictness) -> Result<(), String> {
    let Some(expectation) = block.expectation() else {
        return Ok(());
    };
    let folder = tempfile::tempdir().map_err(|it| it.to_string())?;
    let stem = Path::new(name).file_stem().unwrap_or_default();
    let file = folder.path().join(stem).with_extension("tile");
    fs::write(&file, &block.text).map_err(|it| it.to_string())?;
    let checked = run_on("check", &file, &expectation, &[]);
    let tested = || {
        let engines = expectation.engines.join(",");
        run_on("test", &file, &expectation, &["--on", &engines])
    };
    judge(&expectation, strictness, &checked, tested)
        .map_err(|what| format!("{name}:{}: {what}", block.line))
}

/// Whether what was found is what was expected. A code that checking does not find must be what the
/// tests fail with.
fn judge(
    expectation: &Expectation,
    strictness: Strictness,
    checked: &Answer,
    tested: impl FnOnce() -> Answer,
) -> Result<(), String> {
    let found = checked.codes();
    let errors = found.iter().filter(|it| it.starts_with('E')).count();
    let has_tests = !expectation.engines.is_empty();
    match &expectation.code {
        Some(code) if found == [code.as_str()] => Ok(()),
        Some(code) if has_tests && errors == 0 => {
            let tested = tested();
            let fails = tested.out.contains(&format!("\"{code}\""));
            if fails {
                Ok(())
            } else {
                Err(format!("its tests do not fail with {code}\n{}", tested.out))
            }
        }
        Some(code) => Err(format!("expected {code}, found {found:?}\n{}", checked.out)),
        None if errors > 0 || (strictness == Strictness::Warnings && !found.is_empty()) => {
            Err(format!("expected no finding, found {found:?}\n{}{}", checked.out, checked.err))
        }
        None if has_tests => {
            let tested = tested();
            let passed = tested.exit == tilec::Exit::Fine;
            if passed {
                Ok(())
            } else {
                Err(format!("its tests fail\n{}{}", tested.out, tested.err))
            }
        }
        None => Ok(()),
    }
}

fn run_on(command: &str, file: &Path, expectation: &Expectation, more: &[&str]) -> Answer {
    let mut args: Vec<OsString> = vec![command.into(), file.into()];
    let targets = expectation.targets.as_str();
    args.extend(["--format", "json", "--target", targets].map(Into::into));
    args.extend(more.iter().map(Into::into));
    tilec(args)
}

/// The repository's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the crate stands in the repository").to_owned()
}

/// The files below `folder` with that extension, in order.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Checks the blocks of each page, and fails with everything that is wrong.
///
/// # Panics
/// If a block does not do what its info string says.
#[track_caller]
pub fn check_pages(strictness: Strictness, pages: impl IntoIterator<Item = (String, String)>) {
    let mut wrong = Vec::new();
    for (name, text) in pages {
        for block in blocks(&text) {
            wrong.extend(check_block(&name, &block, strictness).err());
        }
    }
    assert!(wrong.is_empty(), "{} blocks are wrong:\n{}", wrong.len(), wrong.join("\n"));
}
