//! Damaged programs: findings come out, nothing panics, nothing runs without bound.

use std::fs;
use std::path::PathBuf;

use tile_language::query::Database;
use tile_language::target::TargetId;

fn check(text: &str) -> usize {
    let mut db = Database::default();
    let file = db.set_file("damaged.tile", text);
    let found = db.check(file, &[TargetId::from_name("gfx942").unwrap()]);
    for it in &found {
        let at = db.locate(&it.place).expect("a finding stands in a text");
        assert!(at.file.text(&db).is_char_boundary(at.span.lo as usize), "{it:?}");
    }
    found.len()
}

fn examples() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.retain(|it| it.extension().is_some_and(|it| it == "tile"));
    paths.sort();
    paths.iter().map(|it| fs::read_to_string(it).unwrap()).collect()
}

/// Where words and signs begin and end.
fn pieces(text: &str) -> Vec<(usize, usize)> {
    let tokens = tile_syntax::lex(text).tokens;
    tokens.iter().map(|it| (it.span.lo as usize, it.span.hi as usize)).collect()
}

fn stride() -> usize {
    std::env::var("TILE_DAMAGE_STRIDE").ok().and_then(|it| it.parse().ok()).unwrap_or(97)
}

#[test]
fn a_program_without_one_token_is_checked() {
    for (n, text) in examples().iter().enumerate() {
        for (lo, hi) in pieces(text).into_iter().skip(n).step_by(stride()) {
            check(&format!("{}{}", &text[..lo], &text[hi..]));
        }
    }
}

#[test]
fn a_program_with_a_token_put_in_the_place_of_another_is_checked() {
    for (n, text) in examples().iter().enumerate() {
        let pieces = pieces(text);
        for (k, (lo, hi)) in pieces.iter().enumerate().skip(n).step_by(stride()) {
            let (a, b) = pieces[(k * 7 + 3) % pieces.len()];
            check(&format!("{}{}{}", &text[..*lo], &text[a..b], &text[*hi..]));
        }
    }
}

#[test]
fn what_refers_to_itself_is_refused() {
    for text in [
        "const A: int = B; const B: int = A;",
        "fn f(n: int) -> int { f(n + 1) } const A: int = f(0);",
        "const L: layout = L.slice(0);",
        "struct S { s: S } const A: int = S(s: 1).s;",
        "fn f() -> int { var i = 0; while true { i += 1; } i } const A: int = f();",
        "fn f() -> int { var i = 0; for j in 0..1000000000000 { i += 1; } i } const A: int = f();",
        "use self::damaged::x; const A: int = x;",
        "const A: type = f32[4294967296, 4294967296, 4294967296];",
        "const A: int = 1 << 400; const B: int = 340282366920938463463374607431768211456;",
        "const A: [int] = [0; 99999999999];",
        "fn f(x) { f(f(x)) } kernel k(x: global mut f32[n]) grid [1] warps 1 { f(1); }",
        "kernel k(x: global mut f32[n]) grid [0] warps 0 { }",
        "kernel k(x: global mut f32[n, n, n]) grid [n] warps 64 { store(x.at(0, 0, 0), 1.0); }",
        "const A: int = -170141183460469231731687303715884105727 - 2;",
        "const A: int = (-170141183460469231731687303715884105727 - 1) / -1;",
    ] {
        assert!(check(text) > 0, "{text}");
    }
}

#[test]
fn what_stands_between_items_is_read() {
    assert_eq!(check("const A: int = 1;\n\u{a7}\nconst B: int = 2;\n"), 1);
    assert_eq!(check("\u{a7}"), 1);
    assert_eq!(check(""), 0);
    assert_eq!(check("// Nothing.\n"), 0);
}

#[test]
fn long_chains_are_checked() {
    check(&format!(
        "kernel k(y: global mut f32[n]) grid [n{}] warps 1 {{ }}",
        " + 1".repeat(30_000)
    ));
    check(&format!("const A: int = x{};", ".y".repeat(30_000)));
}

#[test]
fn deep_nesting_is_checked() {
    let deep = |open: &str, close: &str| {
        format!("const A: int = {}1{};", open.repeat(400), close.repeat(400))
    };
    check(&deep("(", ")"));
    check(&deep("[", "]"));
    check(&deep("-", ""));
    check(&deep("{", "}"));
    check(&format!("const A: int = {}1;", "1 + ".repeat(5000)));
}
