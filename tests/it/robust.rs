//! No text makes the compiler panic, hang or grow without bound: each is answered with findings.
//!
//! Besides what is written here, everything that the fuzzer found stays in `tests/finds`.

use std::fs;

use tile_tests::{Answer, files, root, tilec};
use tilec::Exit;

fn check_text(text: &str) -> Answer {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("text.tile");
    fs::write(&file, text).expect("a file in it");
    tilec(["check".into(), file.into_os_string(), "--format".into(), "json".into()])
}

/// A kernel with `body`.
fn kernel(body: &str) -> String {
    format!("kernel k(y: global mut f32[n]) where n <= 128 grid [1] warps 1 {{\n{body}\n}}\n")
}

#[track_caller]
fn refused(text: &str) {
    let answer = check_text(text);
    assert_eq!(answer.exit, Exit::Program, "{}{}", answer.out, answer.err);
    assert!(!answer.objects().is_empty(), "an error is said");
}

#[test]
fn what_the_fuzzer_found_is_answered() {
    for path in files(&root().join("tests/finds"), "tile") {
        let args = ["check".into(), path.into_os_string(), "--format".into(), "json".into()];
        let answer: Answer = tilec(args);
        assert!(matches!(answer.exit, Exit::Fine | Exit::Program | Exit::Call), "{}", answer.err);
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("-", ""), ("!", ""), ("|x| ", "")] {
        refused(&kernel(&format!("let a = {}1{};", open.repeat(20_000), close.repeat(20_000))));
        refused(&kernel(&format!("let a = {}", open.repeat(20_000))));
    }
    refused(&kernel(&"if n > 0 { ".repeat(5_000)));
    refused(&kernel(&format!("let a = 1{};", ".x".repeat(20_000))));
    refused(&kernel(&format!("let a = {}1;", "1 + ".repeat(50_000).replace("1 +", "(1) +"))));
}

#[test]
fn huge_numbers_are_refused() {
    refused(&kernel("let a = 99999999999999999999999999999999999999999999999999;"));
    refused(&kernel("let i = iota(1 << 40) @ blocked(regs: [1], lanes: [32], warps: [1]);"));
    refused(&kernel("const A = 1 << 200;"));
    refused(&kernel("const A = 170141183460469231731687303715884105727 * 2;"));
    refused(&kernel("const A = 1 / 0;"));
}

#[test]
fn circles_are_refused() {
    refused("use self::text::a;\nuse text::b as a;\n\nfn f() { a() }\n");
    refused(&format!("const A = B;\nconst B = A;\n{}", kernel("store(y.at(0), A);")));
    refused(&kernel("const L = L.slice(0);\nlet i = iota(32) @ L;"));
    refused(&format!("fn f(x) {{ f(x) }}\n{}", kernel("let a = f(1);")));
    refused(&format!(
        "fn f(n: int) -> int {{ f(n + 1) + f(n + 2) }}\n{}",
        kernel("const A = f(0);")
    ));
    refused("struct S { s: S }\nfn f(s: S) { s.s }\nconst A: S = S(s: A);\n");
}

#[test]
fn loops_at_compile_time_are_bounded() {
    refused(&kernel("static for i in 0..1000000000 { }"));
    refused(&kernel("const A = { var n = 0; while true { n += 1; } n };"));
}

#[test]
fn damage_without_end_is_said_once() {
    let answer = check_text(&"kernel ".repeat(20_000));
    let objects = answer.objects();
    let said = |it: &serde_json::Value| it["message"].to_string().contains("are left out");
    assert_eq!(objects.iter().filter(|it| said(it)).count(), 1);
    assert!(objects.len() < 1_000, "{}", objects.len());
}

#[test]
fn endless_texts_are_answered() {
    for word in ["kernel ", "fn ", "let ", ";", "{", "}", "(", "a b ", "/// word\n", "@ ", "\""] {
        check_text(&word.repeat(20_000));
    }
    check_text(&"test \"a\" { }\n".repeat(20_000));
    check_text(&"\u{0}\u{1}\u{fffd}é".repeat(500));
    check_text("");
}
