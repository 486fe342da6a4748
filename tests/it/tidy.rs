//! The house rules that a program can check: headers, sizes, directions, homes of facts, words.
//!
//! Each test reads the tracked sources as text and names file and line of what it finds. The limits are
//! those of CONTRIBUTING.md.

use std::fs;
use std::path::{Path, PathBuf};

use tile_language::diagnostic::Code;

/// Lines of a file without its inline tests; tables and the IR's definition are exempt.
const FILE_LINES_MAX: usize = 900;

/// Files that are tables or definitions, where length is no fault.
const EXEMPT: &[&str] = &["language/src/ir.rs", "language/syntax/src/ast.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests have a parent").to_owned()
}

/// Files below the root with one of these endings, as (path relative to the root, text).
fn sources(endings: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&root(), endings, &mut found);
    found.sort();
    found
}

fn collect(dir: &Path, endings: &[&str], found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).expect("the repository can be read").flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let hidden = name.starts_with('.') && name != ".ci";
        if path.is_dir() {
            if !hidden && name != "target" && name != "out" && name != "node_modules" {
                collect(&path, endings, found);
            }
        } else if endings.iter().any(|it| name.ends_with(it))
            && let Ok(text) = fs::read_to_string(&path)
        {
            let relative = path.strip_prefix(root()).expect("below the root");
            found.push((relative.to_string_lossy().into_owned(), text));
        }
    }
}

fn rust() -> Vec<(String, String)> {
    sources(&[".rs"])
}

/// The part of a file before its inline tests.
fn without_tests(text: &str) -> &str {
    text.find("\n#[cfg(test)]\nmod ").map_or(text, |end| &text[..end])
}

#[track_caller]
fn none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

/// Lines of the files that `applies` picks, in which `wrong` sees something.
fn lines(
    files: &[(String, String)],
    applies: impl Fn(&str) -> bool,
    wrong: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files.iter().filter(|it| applies(&it.0)) {
        for (number, line) in without_tests(text).lines().enumerate() {
            if wrong(line) {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn files_open_with_a_doc_comment() {
    let bare: Vec<String> = rust()
        .into_iter()
        .filter(|it| !it.1.starts_with("//!") && !it.0.ends_with("/tests.rs"))
        .map(|it| it.0)
        .collect();
    none(&bare, "a file's first line says what it is (`//!`)");
}

#[test]
fn files_stay_below_the_limit() {
    let long: Vec<String> = rust()
        .iter()
        .filter(|it| !EXEMPT.contains(&it.0.as_str()))
        .map(|(path, text)| (path, without_tests(text).lines().count()))
        .filter(|it| it.1 > FILE_LINES_MAX)
        .map(|(path, count)| format!("{path}: {count} lines"))
        .collect();
    none(&long, "a file has at most 900 lines without its inline tests");
}

#[test]
fn names_say_more_than_util() {
    let vague = ["util", "utils", "helper", "helpers", "manager", "common", "misc", "data", "info"];
    let found: Vec<String> = rust()
        .into_iter()
        .map(|it| it.0)
        .filter(|path| Path::new(path).file_stem().is_some_and(|it| vague.iter().any(|v| it == *v)))
        .collect();
    none(&found, "a file's name says what it is about");
}

#[test]
fn only_codegen_names_llvm_in_code() {
    let found = lines(
        &rust(),
        |path| !path.starts_with("codegen/") && !path.starts_with("tests/"),
        |line| {
            let code = line.split("//").next().unwrap_or_default();
            code.contains("inkwell") || code.contains("llvm_sys")
        },
    );
    none(&found, "LLVM's bindings are used in `codegen` alone");
}

#[test]
fn the_language_does_no_input_or_output() {
    let forbidden =
        ["std::fs", "std::env", "std::net", "std::thread", "std::process", "Instant::now"];
    let found = lines(
        &rust(),
        |path| path.starts_with("language/") && path.contains("/src/"),
        |line| {
            let code = line.split("//").next().unwrap_or_default();
            forbidden.iter().any(|it| code.contains(it))
        },
    );
    none(&found, "`tile-language` and what it stands on are pure");
}

#[test]
fn targets_are_named_in_target_tables_and_vendor_files_only() {
    let home = |path: &str| {
        path.starts_with("language/src/target")
            || path.starts_with("codegen/")
            || path.starts_with("runtime/")
            || path.starts_with("tilec/")
            || path.starts_with("tests/")
            || path.contains("/tests")
    };
    let found = lines(
        &rust(),
        |path| !home(path) && path.starts_with("language/"),
        |line| {
            let code = line.split("//").next().unwrap_or_default();
            ["\"sm_", "\"gfx"].iter().any(|it| code.contains(it))
        },
    );
    none(&found, "targets are asked, not named");
}

#[test]
fn crates_depend_downwards_only() {
    let allowed: &[(&str, &[&str])] = &[
        ("language/syntax", &[]),
        ("language/layout", &[]),
        ("runtime/plan", &[]),
        ("language", &["tile-syntax", "tile-layout", "tile-plan"]),
        ("runtime", &["tile-plan"]),
        ("codegen", &["tile-language", "tile-layout", "tile-plan", "tile-runtime", "tile-syntax"]),
    ];
    let mut found = Vec::new();
    for (folder, may) in allowed {
        let path = root().join(folder).join("Cargo.toml");
        let manifest = fs::read_to_string(&path).expect("every crate has a manifest");
        let used = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        for line in used.lines().filter(|it| it.starts_with("tile-")) {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if !may.contains(&name) {
                found.push(format!("{folder} uses {name}"));
            }
        }
    }
    none(&found, "a crate uses only the crates below it");
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let folder = root().join("docs/diagnostics");
    let mut missing: Vec<String> = Code::ALL
        .iter()
        .filter(|it| !folder.join(format!("{it}.md")).exists())
        .map(|it| format!("{it} ({}) has no page", it.summary()))
        .collect();
    for (path, _) in sources(&[".md"]) {
        let Some(name) =
            path.strip_prefix("docs/diagnostics/").and_then(|it| it.strip_suffix(".md"))
        else {
            continue;
        };
        if Code::from_name(name).is_none() {
            missing.push(format!("{path} is about no code"));
        }
    }
    none(&missing, "codes and pages go together");
}

#[test]
fn no_code_is_declared_and_never_used() {
    let files = rust();
    let unused: Vec<String> = Code::ALL
        .iter()
        .filter(|code| {
            let mention = format!("Code::{}", code.name());
            !files.iter().any(|it| it.1.contains(&mention))
        })
        .map(|it| it.name().to_owned())
        .collect();
    none(&unused, "every code of the registry is reported somewhere");
}

#[test]
fn messages_are_worded_in_report_files() {
    let found = lines(
        &rust(),
        |path| {
            path.starts_with("language/src/")
                && !path.starts_with("language/src/report")
                && !path.starts_with("language/src/diagnostic")
        },
        |line| line.contains("message: format!(\"") && !line.contains("Failure"),
    );
    let checks: Vec<String> =
        found.into_iter().filter(|it| !it.contains("interp") && !it.contains("host")).collect();
    none(&checks, "sentences live in `report/`");
}

#[test]
fn unsafe_code_stays_at_the_fences() {
    let found = lines(
        &rust(),
        |path| !["codegen/", "runtime/", "tests/"].iter().any(|it| path.starts_with(it)),
        |line| {
            let code = line.split("//").next().unwrap_or_default();
            code.contains("unsafe {") || code.contains("unsafe fn")
        },
    );
    none(&found, "`unsafe` is for the driver and LLVM");
}

#[test]
fn nothing_is_left_for_later() {
    let words =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("todo", "!(")];
    let found = lines(
        &sources(&[".rs", ".tile", ".sh", ".py", ".toml"]),
        |_| true,
        |line| words.iter().any(|it| line.contains(it)),
    );
    none(&found, "what is not done is an error message, not a note");
}
