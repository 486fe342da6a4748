//! What is offered where.

use insta::assert_snapshot;
use tile_language::target::TargetId;

use super::*;
use crate::ide::fixture::Fixture;

/// The first suggestions at the cursor, a line each.
fn offered(text: &str, most: usize) -> String {
    let fixture = Fixture::new(text);
    let target = TargetId::from_name("sm_90a").expect("a target of the table");
    let found = suggestions(&fixture.db, fixture.file, fixture.cursor, &Shown::of(target));
    let line = |it: &Suggestion| format!("{:?} {}: {}\n", it.kind, it.label, it.detail);
    found.list.iter().take(most).map(line).collect()
}

fn labels(text: &str) -> Vec<String> {
    let fixture = Fixture::new(text);
    let target = TargetId::from_name("sm_90a").expect("a target of the table");
    let found = suggestions(&fixture.db, fixture.file, fixture.cursor, &Shown::of(target));
    found.list.iter().map(|it| it.label.to_string()).collect()
}

/// A kernel with `line` after some bindings, without the statement's end.
fn in_kernel(line: &str) -> String {
    format!(
        "struct Span {{ lo: i32, hi: i32 }}\nimpl Span {{ fn width(self) {{ self.hi - self.lo }} }}\nenum \
         Way {{ up, down }}\nkernel k[N: int = 64](x: global mut f32[n]) grid [1] warps 1 {{\n    const ROW \
         = blocked(regs: [2], lanes: [32], warps: [1]);\n    let j = iota(N) @ ROW;\n    let s: shared \
         f32[N];\n    let span = Span(lo: 1, hi: 2);\n    {line}\n    store(x.at(j), j.to(f32), mask: j < \
         n);\n}}\n"
    )
}

#[test]
fn members_are_those_of_the_value() {
    assert_snapshot!(offered(&in_kernel("let v = j.$0"), 12));
    assert_snapshot!(offered(&in_kernel("let v = s.$0"), 40));
    assert_snapshot!(offered(&in_kernel("let v = x.$0"), 40));
    assert_snapshot!(offered(&in_kernel("let v = span.$0"), 40), @r"
    Field hi: i32
    Field lo: i32
    Method width: Span
    ");
    assert_snapshot!(offered(&in_kernel("let v = ROW.sl$0"), 40), @"Method slice: L.slice(axis: int) -> layout");
}

#[test]
fn a_value_is_what_is_in_scope() {
    assert_snapshot!(offered(&in_kernel("let v = s$0"), 12));
    let hidden = labels("fn f(a) { { let inner = 1; } let b = in$0 }\n");
    assert!(!hidden.contains(&"inner".to_owned()));
}

#[test]
fn arguments_that_are_not_given_come_first() {
    assert_snapshot!(offered(&in_kernel("let v = load(x.at(j), mask: j < n, $0"), 4));
    assert_snapshot!(offered(&in_kernel("let v = Span($0)"), 3));
}

#[test]
fn paths_have_what_follows_them() {
    assert_snapshot!(offered(&in_kernel("let v = Way::$0"), 9), @r"
    Variant down: Way
    Variant up: Way
    ");
    assert_snapshot!(offered(&in_kernel("let v = exact::$0"), 9));
    let modules = labels("use std::$0");
    assert!(["reduce", "softmax"].iter().all(|it| modules.iter().any(|known| known == it)));
    assert_snapshot!(offered("use std::softmax::{$0}", 20));
}

#[test]
fn tables_are_offered_where_their_rows_stand() {
    assert_snapshot!(offered("kernel k(x: global mut f32[n]) requires m$0", 9));
    assert_snapshot!(offered("build b = k for sm$0", 9));
    assert_snapshot!(offered("kernel k(x: global mut f32[n]) $0", 9));
    assert_snapshot!(offered(&in_kernel("for i in 0..n $0"), 9));
}

#[test]
fn a_layout_stands_after_at() {
    assert_snapshot!(offered(&in_kernel("let v = iota(N) @ $0"), 6));
}

#[test]
fn a_layout_that_does_not_fit_stands_last_with_the_reason() {
    let body = "const WIDE = blocked(regs: [1, 4], lanes: [4, 8], warps: [4, 1]);\n    \
                const LONG = blocked(regs: [4], lanes: [32], warps: [4]);\n    let v = iota(N) @ $0";
    let fixture = Fixture::new(&in_kernel(body));
    let target = TargetId::from_name("sm_90a").expect("a target of the table");
    let found = suggestions(&fixture.db, fixture.file, fixture.cursor, &Shown::of(target));
    let of = |name: &str| found.list.iter().find(|it| it.label == name).map(|it| it.rank);
    assert_eq!(of("LONG"), Some(Rank::Wanted));
    assert_eq!(of("WIDE").unwrap_or(Rank::Unfit), Rank::Unfit);
}

#[test]
fn types_stand_after_a_colon() {
    assert_snapshot!(offered("fn f(x: f$0) { }", 20));
}

#[test]
fn what_the_file_does_not_use_yet_brings_its_use() {
    let fixture = Fixture::new(&in_kernel("let v = coales$0"));
    let target = TargetId::from_name("sm_90a").expect("a target of the table");
    let found = suggestions(&fixture.db, fixture.file, fixture.cursor, &Shown::of(target));
    let it = found.list.iter().find(|it| it.label == "coalesced").expect("it is offered");
    assert_eq!(it.edits, [(Span::new(0, 0), "use std::layout::coalesced;\n".to_owned())]);
    assert_eq!(it.rank, Rank::Far);
}

#[test]
fn new_names_comments_and_numbers_offer_nothing() {
    for text in [
        "fn f() { let $0 }",
        "fn f() { // so$0\n}",
        "fn f() { let a = 12$0; }",
        "fn f() { g(\"a$0\") }",
    ] {
        assert_eq!(labels(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn items_begin_with_their_words() {
    assert!(labels("fn f() { }\n\nker$0").contains(&"kernel".to_owned()));
    assert!(labels("k$0").contains(&"kernel".to_owned()));
}

#[test]
fn suggestions_have_documentation() {
    let fixture = Fixture::new(&in_kernel("let v = loa$0"));
    let target = TargetId::from_name("sm_90a").expect("a target of the table");
    let found = suggestions(&fixture.db, fixture.file, fixture.cursor, &Shown::of(target));
    let it = found.list.iter().find(|it| it.label == "load").expect("it is offered");
    let means = it.means.as_ref().expect("it is an operation");
    assert!(documentation(&fixture.db, means).is_some_and(|it| it.contains("Example")));
}
