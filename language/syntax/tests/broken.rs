//! What is said about broken programs, and what survives in them.

use tile_syntax::ast::{Fn, ItemKind, StmtKind};
use tile_syntax::{
    SyntaxError, SyntaxErrorKind, lex, mending_work, parse_expr, parse_file, parse_item,
};

/// A mistake in a line: where, what, and the edit that mends it.
fn say(text: &str, error: &SyntaxError) -> String {
    let before = &text[..error.span.lo as usize];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |it| it.chars().count()) + 1;
    let fix = error.fix.as_ref().map_or(String::new(), |it| {
        let there = &text[it.span.lo as usize..it.span.hi as usize];
        format!("  {there:?} -> {:?}", it.text)
    });
    let because = error.because.map_or(String::new(), |it| {
        let line = text[..it.span.lo as usize].matches('\n').count() + 1;
        format!("  because of `{}` in line {line}", it.token.text())
    });
    format!("{line}:{column} {:?}{because}{fix}", error.kind)
}

fn says(text: &str) -> String {
    let errors = parse_file(text).all_errors();
    errors.iter().map(|it| say(text, it)).collect::<Vec<_>>().join("\n")
}

const KERNEL: &str = "\
/// Doubles.
kernel twice[N: int = 64](
    x: global f32[n],
    y: global mut f32[n],
)
    where n % 4 == 0
    grid [cdiv(n, N)]
    warps 4
{
    let r = block_id(0);
    let v = load(x.at(r, N), mask: r < n, other: 0.0);
    for t in 0..n {
        store(y.at(t), v);
    }
    if r < n {
        store(y.at(r), v);
    } else {
        let e = v + 1.0;
        store(y.at(r), e);
    }
    let last = 1;
}

test \"runs\" {
    twice(x, y);
}
";

/// What is said after `from` became `to` in the kernel, and the statements that are left in it.
fn damaged(from: &str, to: &str) -> String {
    assert!(KERNEL.contains(from), "{from}");
    let text = KERNEL.replacen(from, to, 1);
    let file = parse_file(&text);
    let stmts = file.items.iter().find_map(|it| match &it.1.item.kind {
        ItemKind::Kernel(it) => {
            let body = it.body.as_ref()?;
            Some(body.stmts.iter().map(|it| name(&it.kind)).collect::<Vec<_>>().join(" "))
        }
        _ => None,
    });
    format!("{from:?} -> {to:?}\n{}\n    {}\n\n", says(&text), stmts.unwrap_or_default())
}

fn name(stmt: &StmtKind) -> &'static str {
    match stmt {
        StmtKind::Let { .. } => "let",
        StmtKind::Expr(_) => "expr",
        StmtKind::For(_) => "for",
        StmtKind::Assign { .. } => "assign",
        StmtKind::Hole(_) => "HOLE",
        _ => "other",
    }
}

#[test]
fn what_is_said_while_typing() {
    let cases = [
        ("other: 0.0);", "other: 0.0;"),
        ("other: 0.0);", "other: 0.0"),
        ("let r = block_id(0);", "let"),
        ("let r = block_id(0);", "let r"),
        ("let r = block_id(0);", "let r ="),
        ("let r = block_id(0);", "let r = block_id(0)"),
        ("let r = block_id(0);", "let r = x."),
        ("let r = block_id(0);", "let r = exp("),
        ("let r = block_id(0);", "int r = 3;"),
        ("let r = block_id(0);", "foo bar"),
        ("let r = block_id(0);", "let r = $3;"),
        ("let r = block_id(0);", "let r = a < b < c;"),
        ("let r = block_id(0);", "break;"),
        ("let r = block_id(0);", "let r = v as f32;"),
        ("let r = block_id(0);", "let r = 3f32;"),
        ("let r = block_id(0);", "let r = 3; /* one */"),
        ("mask: r < n, other: 0.0", "mask:"),
        ("mask: r < n, other", "mask: r < n other"),
        ("mask: r < n, other", ", other"),
        ("for t in 0..n {", "for t in 0..n"),
        ("for t in 0..n {", "for t in"),
        ("for t in 0..n {", "for"),
        ("        store(y.at(t), v);\n    }", "        store(y.at(t), v);"),
        ("    } else {", "    else {"),
        ("if r < n {", "if r < {"),
        ("if r < n {", "if r <"),
        ("test \"runs\" {", "test \"runs {"),
        ("n % 4 == 0", "n % 4 = 0"),
        ("x: global f32[n],", "x: ,"),
        ("x: global f32[n],", "x: global f32[n,"),
        ("grid [cdiv(n, N)]", "grid"),
        ("    let last = 1;\n}", "    let last = 1;"),
        ("    let last = 1;\n}", "    let last = 1;\n}\n}"),
        ("let v = load(", "let v = load(("),
        ("let v = load(x.at(r, N)", "let v = load(x.at(r, N))"),
        ("kernel twice[N: int = 64](", "kernel"),
        ("kernel twice[N: int = 64](", "kernel twice["),
        ("test \"runs\"", "junk and more\ntest \"runs\""),
        ("let last = 1;", "let f = |a, b a + b;"),
        ("let last = 1;", "let f = (1, 2;"),
    ];
    let said: String = cases.iter().map(|(from, to)| damaged(from, to)).collect();
    insta::assert_snapshot!(said);
}

#[test]
fn equal_text_gives_an_equal_tree_wherever_it_stands() {
    let broken = KERNEL.replacen("other: 0.0);", "other: 0.0;", 1);
    let before = format!("use a::b;\n\n// A comment.\n{broken}");
    let (alone, below) = (parse_file(&broken), parse_file(&before));
    assert_eq!(alone.items[0].1, below.items[1].1);
}

fn function(text: &str) -> Fn {
    let parsed = parse_item(text);
    assert_eq!(parsed.errors, []);
    match parsed.item.kind {
        ItemKind::Fn(it) | ItemKind::Kernel(it) => *it,
        other => panic!("{other:?}"),
    }
}

#[test]
fn special_words_are_names_where_nothing_makes_them_special() {
    function("fn test(grid, warps: int) { let on = grid; grid.warps(regs: 4, where: on) }");
    function("fn step(self, iter) { iter.step() + x[tiles: 3] + self.tiles([1], S) }");
    function("kernel k(x: f32) expect regs(math) <= 232, tma(at, bt) grid [1] resident pdl { }");
    let (expr, errors) = parse_expr("blocked(regs: [1, 8], lanes: [8, 4], warps: [4, 1])");
    assert_eq!(errors, []);
    assert!(matches!(*expr.kind, tile_syntax::ast::ExprKind::Call(..)));
}

#[test]
fn depth_is_bounded_and_said_once() {
    let deep = |open: &str, inner: &str, close: &str| {
        format!("const A = {}{inner}{};", open.repeat(100_000), close.repeat(100_000))
    };
    let texts = [
        deep("(", "1", ")"),
        deep("[", "1", "]"),
        deep("f(", "1", ")"),
        deep("-", "1", ""),
        deep("a.b.", "c", ""),
        deep("1 + ", "1", ""),
        deep("x @ ", "y", ""),
        deep("|a| ", "a", ""),
        deep("{ ", "1", " }"),
        deep("if a { 1 } else ", "{ 2 }", ""),
        deep("x[0]", "", "").replace(";", "[1];"),
        deep("*", "f32", ""),
        format!("fn f() {{ {} }}", "if a { ".repeat(50_000) + &"}".repeat(50_000)),
        format!("use {}b{};", "a::{".repeat(50_000), "}".repeat(50_000)),
    ];
    for text in texts {
        let parsed = parse_item(&text);
        let deep = parsed.errors.iter().filter(|it| it.kind == SyntaxErrorKind::TooDeep).count();
        assert!(deep >= 1, "{}: {:?}", &text[..30], &parsed.errors[..parsed.errors.len().min(3)]);
        assert!(parsed.errors.len() <= 4, "{}: {}", &text[..30], parsed.errors.len());
    }
}

#[test]
fn unclosed_brackets_by_the_thousand_come_to_an_end() {
    for open in ["(", "[", "{", "f(", "fn f(", "let x = (", ")", "]", "}", "\"", "/*", "|", "a["] {
        let text = format!("fn f() {{ {} }}", open.repeat(4_000));
        parse_file(&text);
        parse_file(&open.repeat(4_000));
    }
}

#[test]
fn odd_bytes_are_errors_and_nothing_else_is_lost() {
    let text =
        "fn f() {\r\n    let a = 1;\0\r\n    let b = \u{201c}2\u{201d};\r\n    let c = 3;\r\n}\r\n";
    let file = parse_file(text);
    let ItemKind::Fn(it) = &file.items[0].1.item.kind else { panic!("a function") };
    assert_eq!(it.body.as_ref().expect("it has one").stmts.len(), 3);
    let characters = file.all_errors();
    assert!(characters.iter().all(|it| it.kind == SyntaxErrorKind::Character), "{characters:?}");
    for text in
        ["\"", "\\", "\0", "\u{feff}", "0x", "1e", "1.", "'", "\u{1F980}", "///", "//!", "\r"]
    {
        parse_file(text);
    }
}

#[test]
fn numbers_beyond_all_bounds_are_read() {
    let (expr, errors) = parse_expr(&"9".repeat(10_000));
    assert_eq!((&*expr.kind, errors.len()), (&tile_syntax::ast::ExprKind::Int(None), 0));
    let (_, errors) = parse_expr(&format!("t.{}", "9".repeat(100)));
    assert_eq!(errors, []);
}

#[test]
fn mending_an_item_has_a_bound() {
    let words =
        ["let ", ";", "a b ", "if ", "x = ", "(", "{ ", "} ", "@ ", "1 2 ", "for in ", ", ", "| "];
    for word in words {
        let text = format!("kernel k() {{ {} }}", word.repeat(20_000));
        let n_tokens = lex(&text).tokens.len() as u64;
        let (work, most) = mending_work(&text);
        assert!(work <= most && most <= (1 << 20) + 256 * 2 * n_tokens, "{word}: {work} of {most}");
    }
}
