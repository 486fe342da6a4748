//! Rules through the whole front end: the body of a kernel in, its IR or its findings out.

use std::fmt::Write as _;

use crate::diagnostic::Severity;
use crate::op::surface::Builtin;
use crate::query::Database;
use crate::target::{Cap, TargetId};

/// A kernel around some statements: what the examples of the surface table are written for.
fn around(body: &str) -> String {
    let a = if body.contains("a.tiles") { "a: global mut f32[n, n], " } else { "" };
    let clusters = ["cluster_sync", ".on(", ".across("].iter().any(|it| body.contains(it));
    let clause = if clusters { "grid [2] cluster [2] requires cluster" } else { "grid [1]" };
    let warps = if body.contains("roles {") { "" } else { "warps 4" };
    format!(
        "use std::layout::coalesced;\n\
         kernel around(p: global mut f32[n], q: global mut i32[n], {a}b: global f32[n]?) {clause} {warps} {{\n\
         const L = coalesced([128], f32);\n\
         const M = coalesced([16, 32], f32);\n\
         let x = full(1.5, f32[128] @ L);\n\
         let i = iota(128) @ L;\n\
         let m = full(0.5, f32[16, 32] @ M);\n\
         {body}\n}}\n"
    )
}

fn target(name: &str) -> TargetId {
    TargetId::from_name(name).expect("a target of the table")
}

/// The errors of a text, a line each with reasons and help.
fn errors(text: &str, target: TargetId) -> String {
    let mut db = Database::default();
    let file = db.set_file("around.tile", text);
    let mut found = String::new();
    for it in db.check(file, &[target]).iter().filter(|it| it.severity == Severity::Error) {
        let _ = writeln!(found, "{}: {}", it.code, it.message);
        for reason in &it.reasons {
            let _ = writeln!(found, "  because {}", reason.message);
        }
        if let Some(help) = &it.help {
            let _ = writeln!(found, "  help {help}");
        }
    }
    found
}

#[track_caller]
fn refuses(body: &str, expected: &str) {
    let found = errors(&around(body), target("sm_90a"));
    assert_eq!(found.trim_end(), expected.trim(), "{body}");
}

/// The instructions of a kernel with these statements, without places.
fn ir(body: &str) -> String {
    let text = around(body);
    let mut db = Database::default();
    let file = db.set_file("around.tile", &text);
    let kernels = db.kernels(file, target("sm_90a"));
    match kernels.first() {
        Some((_, kernel)) => {
            let text = kernel.to_string();
            let body = text.lines().skip_while(|it| !it.ends_with(") {")).skip(1);
            let lines = body
                .take_while(|it| *it != "    }")
                .map(|it| it.trim().rsplit_once(" !").map_or(it.trim(), |it| it.0));
            lines.collect::<Vec<_>>().join("\n")
        }
        None => errors(&text, target("sm_90a")),
    }
}

/// How many instructions of that name the statements make.
fn count(body: &str, name: &str) -> usize {
    ir(body).lines().filter(|it| it.contains(name)).count()
}

#[test]
fn every_example_of_the_surface_table_elaborates() {
    let mut wrong = String::new();
    for row in Builtin::all().map(Builtin::row) {
        let example = row.doc.split("```tile\n").nth(1).and_then(|it| it.split("```").next());
        let example = example.unwrap_or_else(|| panic!("{} has no example", row.path));
        for name in ["sm_90a", "gfx942"] {
            if row.needs.contains(&Cap::Cluster) && !target(name).row().has(Cap::Cluster) {
                continue;
            }
            let found = errors(&around(example), target(name));
            if !found.is_empty() {
                let _ = writeln!(wrong, "{} for {name}: {found}", row.path);
            }
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn numbers_take_the_type_of_the_other_side() {
    refuses("let y = i + 2147483648;", "E0252: `2147483648` is not a value of `i32`");
    refuses("let y = i + 0.5;", "E0252: `0.5` is not a value of `i32`");
    refuses("let y = x.to(f16) + 70000.0;", "E0252: `70000.0` is not a value of `f16`");
    refuses("let y = x.to(f16) + 2049;", "E0252: `2049` is not a value of `f16`");
    assert_eq!(errors(&around("let y = x.to(f16) + 2048;"), target("sm_90a")), "");
    assert_eq!(errors(&around("let y = x + 1; let z = x * inf;"), target("sm_90a")), "");
}

#[test]
fn tiles_never_change_their_type_by_themselves() {
    refuses(
        "let y = x + i;",
        "E0250: `+` of `f32` and `i32`\n  help convert one side, such as with `.to(f32)`",
    );
    refuses(
        "let y = i + i.to(i64);",
        "E0250: `+` of `i32` and `i64`\n  help convert one side, such as with `.to(i32)`",
    );
}

#[test]
fn operations_take_the_elements_that_they_have_a_meaning_for() {
    refuses("let y = x % 2.0;", "E0251: `%` takes integers, not `f32`");
    refuses(
        "let y = (x > 0.0) + (x > 1.0);",
        "E0251: `+` takes integers or floats of at least 16 bits, not `bool`",
    );
    refuses(
        "let y = x.bits(u16);",
        "E0251: `bits` keeps the width: `f32` has 32 bits, `u16` has 16\n  help `.to(T)` converts between widths",
    );
}

#[test]
fn ranks_never_broadcast() {
    refuses(
        "let y = m + x;",
        "E0253: shapes [16, 32] and [128] do not go together\n  help ranks never change by themselves; `x[:, None]` puts in a dimension",
    );
}

#[test]
fn a_mismatch_of_layouts_says_where_both_come_from_and_what_it_costs() {
    refuses(
        "let w = full(1.0, f32[128] @ linear(regs: [], lanes: [2, 1, 4, 8, 16], warps: [32, 64]));\nlet y = x + w;",
        "E0301: operands have different layouts: `blocked(regs: [1], lanes: [32], warps: [4])` and `linear(regs: [], lanes: [2, 1, 4, 8, 16], warps: [32, 64])`\n  \
         because `blocked(regs: [1], lanes: [32], warps: [4])` comes from here\n  \
         because `linear(regs: [], lanes: [2, 1, 4, 8, 16], warps: [32, 64])` comes from here\n  \
         help `.convert(blocked(regs: [1], lanes: [32], warps: [4]))` brings the second into the layout of the first: it costs 1 shuffles a warp",
    );
}

#[test]
fn a_mismatch_of_layouts_is_mended_where_the_operand_stands() {
    let text = around(
        "let w = full(1.0, f32[128] @ blocked(regs: [2], lanes: [32], warps: [4]));\nlet y = x + w;",
    );
    let mut db = Database::default();
    let file = db.set_file("around.tile", &text);
    let found = db.check(file, &[target("sm_90a")]);
    let mut mended = text.clone();
    for edit in found[0].fixes[0].edits.iter().rev() {
        let at = db.locate(&edit.place).expect("the item is there").span;
        mended.replace_range(at.lo as usize..at.hi as usize, &edit.text);
    }
    assert!(
        mended.contains("x + (w).convert(blocked(regs: [1], lanes: [32], warps: [4]));"),
        "{mended}"
    );
    assert_eq!(errors(&mended, target("sm_90a")), "");
}

#[test]
fn an_open_tile_is_closed_by_the_tile_that_it_meets() {
    let body = "let s = m.sum(axis: 1); let y = m / s[:, None]; store(p.at(index(y, 0) * 32 + index(y, 1)), y);";
    assert_eq!(errors(&around(body), target("sm_90a")), "");
    assert_eq!(count(body, "tile.expand"), 1);
    assert_eq!(count(body, "tile.convert"), 0);
}

#[test]
fn coordinates_of_an_accumulator_close_with_its_rows_and_columns() {
    let body = "const C = mma::acc(warps: [2, 2]);\nlet acc = zeros(f32[64, 64] @ C);\nlet (r, c) = coords(acc);\n\
                let y = select(r < n && c < n, acc + acc.sum(axis: 1)[:, None], 0.0);\nstore(p.at(r * 64 + c), y);";
    assert_eq!(errors(&around(body), target("sm_90a")), "");
    assert_eq!(count(body, "tile.convert"), 0);
}

#[test]
fn an_open_tile_that_nothing_closes_offers_its_parents() {
    refuses(
        "let s = m.sum(axis: 1); let w = s[:, None].squeeze(1);",
        "E0302: the layout of this tile is open\n  help close it with `@ blocked(regs: [1, 4], lanes: [4, 8], warps: [4, 1])`",
    );
}

#[test]
fn a_reduction_folds_registers_before_lanes_before_warps() {
    let text = ir("store(p.at(0), full(1.0, f32[1024] @ coalesced([1024], f32)).sum(axis: 0));");
    let bits: Vec<&str> = text.lines().filter(|it| it.contains("tile.halves")).collect();
    assert_eq!(bits.len(), 10, "{text}");
}

#[test]
fn logic_with_a_known_side_leaves_no_trace() {
    assert_eq!(count("store(p.at(i), x, mask: true && q.has(i) || false);", "tile.binary<and>"), 1);
}

#[test]
fn a_bool_that_is_known_becomes_a_scalar_where_a_loop_changes_it() {
    let body = "var found: bool = false; for c in 0..n { found = found || c == 3; } store(q.at(0), found.to(i32));";
    assert_eq!(errors(&around(body), target("sm_90a")), "");
}

#[test]
fn equality_of_layouts_is_equality_as_maps() {
    for (claim, holds) in [
        ("blocked(regs: [1, 4], lanes: [4, 8], warps: [4, 1]).slice(1) == M.slice(1)", true),
        ("M.slice(0) == M.slice(1)", false),
        ("L == linear(regs: [], lanes: [1, 2, 4, 8, 16], warps: [32, 64])", false),
        ("x.layout == L", true),
        ("(x + 1.0).layout == x.layout", true),
    ] {
        let body = format!("static_assert({claim}, \"\");");
        assert_eq!(errors(&around(&body), target("sm_90a")).is_empty(), holds, "{claim}");
    }
}

#[test]
fn questions_to_layouts_are_answered_at_compile_time() {
    for claim in [
        "L.registers([128]) == 1",
        "L.registers([1024]) == 8",
        "M.owner([3, 5], [16, 32]).lane == 25",
        "L.replication([32]) == 4",
        "L.order(0, [128]).len == 7",
        "cdiv(1000, 128) == 8",
        "next_pow2(100) == 128",
        "log2(128) == 7",
        "min(3, 4) == 3",
        "f32.bits == 32",
        "m.shape == [16, 32]",
    ] {
        let body = format!("static_assert({claim}, \"\");");
        assert_eq!(errors(&around(&body), target("sm_90a")), "", "{claim}");
    }
}

#[test]
fn memory_is_written_only_where_it_is_declared() {
    refuses(
        "if let c = b { store(c.at(i), x, mask: c.has(i)); }",
        "E0601: `b` is written but not declared `mut`\n  because `b` is declared here\n  help declare it `b: global mut …`",
    );
    refuses(
        "let v = load(b.at(i));",
        "E0603: `b` may be absent\n  help ask first: `if let b = b { … }`",
    );
    refuses(
        "let v = load(p.at(i, i));",
        "E0602: `p` has 1 dimension, 2 indices are given\n  because `p` is declared with 1 dimension",
    );
    refuses(
        "store(p.at(i), i);",
        "E0604: `i32` does not go into memory of `f32`\n  help convert it with `.to(f32)`",
    );
    refuses(
        "atomic_max(p.at(i), x);",
        "E0605: there is no `atomic_max` on `f32`\n  help atomics work on integers of 32 and 64 bits; `atomic_add` and `atomic_exchange` also on floats",
    );
}

#[test]
fn arguments_are_bound_by_place_and_name() {
    refuses(
        "let y = fma(x, 2.0);",
        "E0254: `fma` is called without `c`\n  help it is `fma(a: number, b: number, c: number) -> number`",
    );
    refuses(
        "let y = fma(x, 2.0, a: 1.0);",
        "E0254: `a` is given to `fma` twice\n  help it is `fma(a: number, b: number, c: number) -> number`",
    );
    refuses(
        "let y = abs(x, 1);",
        "E0254: `abs` takes at most 1 arguments\n  help it is `abs(x: number) -> as x`",
    );
    refuses(
        "let y = abs(z: x);",
        "E0254: `abs` has no parameter `z`\n  help it is `abs(x: number) -> as x`",
    );
    refuses("let y = index(m, 2);", "E0256: `axis` is 2, possible are 0 to 1");
}

#[test]
fn absurd_arguments_are_refused_and_nothing_panics() {
    for body in [
        "let y = x.reshape([4294967295, 4294967295, 4294967295]);",
        "let y = x.reshape([]);",
        "let y = x.reshape([0]);",
        "let y = x.permute([]);",
        "let y = x.permute([0, 0]);",
        "let y = x.halves(0, bit: 30);",
        "let y = x.halves(7, bit: 0);",
        "let y = x.butterfly(128);",
        "let y = x.squeeze(0);",
        "let y = iota(0);",
        "let y = iota(2147483648);",
        "let y = arange(5, 5);",
        "let y = arange(2147483647, 2147483649) @ L;",
        "let y = zeros(f32[1073741824]) @ blocked(regs: [1], lanes: [65536], warps: [65536]);",
        "let y = zeros(f32[4] @ blocked(regs: [3], lanes: [32], warps: [4]));",
        "let y = zeros(f32[4] @ blocked(regs: [], lanes: [], warps: []));",
        "let y = zeros(f32[4] @ linear(regs: [7], lanes: [], warps: []));",
        "let y = zeros(f32[4] @ linear());",
        "let y = zeros(f32[4] @ plain());",
        "let y = plain().slice(0);",
        "let y = L.slice(0);",
        "let y = M.a().a();",
        "let y = L.owner([128], [128]);",
        "let y = L.owner([], [128]);",
        "let y = L.registers([0]);",
        "let y = L.registers([4294967295]);",
        "let y = M.slice(0).slice(0);",
        "let y = coords([0, 4] @ M);",
        "let y = coords([n] @ L);",
        "let y = x[0];",
        "let y = x[:, :];",
        "let y = i << 2147483648;",
        "let y = x.to(f8e4m3) + x.to(f8e4m3);",
        "let y = x.gather(x, axis: 0);",
        "let y = i.histogram(f32[4] @ L);",
        "let y = cdiv(4, 0);",
        "let y = next_pow2(-1);",
        "let y = log2(0);",
        "let y = x.take(128);",
        "let y = m.convert(L);",
        "let y = blocked::coalesced([65536, 65536], f32);",
        "let y = blocked::coalesced([], f32);",
        "store(p, 1.0);",
        "store(p.at(i), x, mask: i);",
        "let y = load(p.at(i), other: i);",
        "let y = load(p.at(i), cache: never);",
        "assert(i);",
        "let y = select(i, x, x);",
        "let y = block_id(3);",
    ] {
        let found = errors(&around(body), target("gfx942"));
        assert_eq!(found.lines().filter(|it| it.starts_with('E')).count(), 1, "{body}\n{found}");
    }
}

#[test]
fn what_becomes_of_coordinates_masks_and_numbers() {
    insta::assert_snapshot!(ir(
        "let (r, c) = coords(m);\nstore(p.at(r * 32 + c), select(r < 3 && c < n, m, -inf), mask: c < n);"
    ));
}

#[test]
fn what_becomes_of_a_reduction_that_is_used_beside_its_operand() {
    insta::assert_snapshot!(ir(
        "let s = m.max(axis: 1);\nlet (r, c) = coords(m);\nstore(p.at(r * 32 + c), m - s[:, None], mask: c < n);"
    ));
}

#[test]
fn what_becomes_of_an_argmax() {
    insta::assert_snapshot!(ir(
        "let t = full(1.5, f32[4] @ coalesced([4], f32));\nlet (v, at) = t.argmax(axis: 0);\nstore(q.at(0), at);"
    ));
}
