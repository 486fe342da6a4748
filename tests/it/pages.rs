//! Pages that show code: every block does what its info string says.

use std::fs;

use tile_language::diagnostic::{Code, Severity};
use tile_tests::{Strictness, blocks, check_pages, files, root};

/// Pages below that folder of the repository, named from its root.
fn pages(folder: &str) -> Vec<(String, String)> {
    let root = root();
    let read = |path: &std::path::PathBuf| {
        let name = path.strip_prefix(&root).expect("below the root").display().to_string();
        (name, fs::read_to_string(path).expect("pages are text"))
    };
    files(&root.join(folder), "md").iter().map(read).collect()
}

#[test]
fn examples_of_diagnostics_give_exactly_their_code_and_are_mended() {
    check_pages(Strictness::Warnings, pages("docs/diagnostics"));
}

#[test]
fn every_page_of_a_diagnostic_fails_once_and_is_mended() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let path = root().join(format!("docs/diagnostics/{code}.md"));
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let word = match code.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let fails = |it: &str| it.starts_with(&format!("tile {word}[{code}]"));
        let mended = |it: &str| it == "tile" || it == "tile test" || it.starts_with("tile for ");
        let infos: Vec<String> = blocks(&text).into_iter().map(|it| it.info).collect();
        if !infos.iter().any(|it| fails(it)) {
            wrong.push(format!("{code} has no example marked `tile {word}[{code}]`"));
        }
        if !infos.iter().any(|it| mended(it)) {
            wrong.push(format!("{code} has no mended example"));
        }
        if !text.starts_with(&format!("# {code}: ")) {
            wrong.push(format!("{code}'s page does not open with its name"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_readme_and_the_documentation_show_programs_that_work() {
    let readme = fs::read_to_string(root().join("README.md")).expect("there is a README");
    let documentation = pages("docs").into_iter().filter(|it| !it.0.contains("diagnostics"));
    check_pages(
        Strictness::Warnings,
        [("README.md".to_owned(), readme)].into_iter().chain(documentation),
    );
}

#[test]
fn the_suite_of_the_language_does_what_its_pages_say() {
    check_pages(Strictness::Errors, pages("tests/suite"));
}

#[test]
fn examples_in_the_standard_librarys_documentation_work() {
    let root = root();
    let docs = files(&root.join("stdlib"), "tile").into_iter().map(|path| {
        let name = path.strip_prefix(&root).expect("below the root").display().to_string();
        (name, documentation(&fs::read_to_string(&path).expect("the library is text")))
    });
    check_pages(Strictness::Errors, docs);
}

/// The text of `///` and `//!` lines, at their own lines; other lines are empty.
fn documentation(source: &str) -> String {
    let line = |it: &str| {
        let it = it.trim_start();
        let text = it.strip_prefix("///").or_else(|| it.strip_prefix("//!")).unwrap_or_default();
        format!("{}\n", text.strip_prefix(' ').unwrap_or(text))
    };
    source.lines().map(line).collect()
}
