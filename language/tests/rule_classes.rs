//! The rules of synchronisation, a class after the other: a program that keeps them, and what is found where one is broken.
//!
//! The classes are those that checkers of running kernels know (Triton's ConSan, NVIDIA's nvvm-diag, JAX's tests) and
//! that stood in bug reports, as far as the language can write them. What it cannot write has no row: fences, the
//! initialisation of barriers, elected lanes and `setmaxnreg` are the compiler's.

use tile_language::diagnostic::{Code, Severity};
use tile_language::query::Database;
use tile_language::target::TargetId;

/// Two buffers that one barrier guards: a copy engine fills them, another role reads them.
const COPIES: &str = "kernel pass(x: global f32[n], z: global f32[n], y: global mut f32[n]) where n % 64 == 0 grid [1] requires tma {
    let xt = x.tiles([64]);
    let zt = z.tiles([64]);
    let s: shared f32[2, 64];
    let u: shared f32[2, 64];
    let full: barrier[2];
    let empty: barrier[2];
    let count = n / 64;
    roles {
        load: warps 1 {
            for t in 0..count {
                empty[t % 2].wait(t / 2);
                full[t % 2].expect(512);
                copy(xt[t], into: s[t % 2], signal: full[t % 2]);
                copy(zt[t], into: u[t % 2], signal: full[t % 2]);
            }
        }
        math: warps 2 {
            const L = blocked(regs: [1], lanes: [32], warps: [2]);
            for t in 0..count {
                full[t % 2].wait(t / 2 + 1);
                let i = t * 64 + iota(64) @ L;
                store(y.at(i), s[t % 2].load(L) + u[t % 2].load(L), mask: y.has(i));
                empty[t % 2].arrive();
            }
        }
    }
}
";

/// A product that reads stages while it is in flight.
const PRODUCT: &str =
    "kernel product(a: global bf16[64, k], b: global bf16[16, k], c: global mut f32[64, 16])
    where k % 16 == 0
    grid [1]
    requires wgmma, tma
{
    const S = nvmma(swizzle: 32);
    let at = a.tiles([64, 16], S);
    let bt = b.tiles([16, 16], S);
    let sa: shared bf16[2, 64, 16] @ S;
    let sb: shared bf16[2, 16, 16] @ S;
    let full: barrier[2];
    let empty: barrier[2];
    let count = k / 16;
    roles {
        load: warps 1 {
            for t in 0..count {
                empty[t % 2].wait(t / 2);
                full[t % 2].expect(2560);
                copy(at[0, t], into: sa[t % 2], signal: full[t % 2]);
                copy(bt[0, t], into: sb[t % 2], signal: full[t % 2]);
            }
        }
        math: warps 4 {
            var acc = zeros(f32[64, 16] @ wgmma::acc(n: 16));
            for t in 0..count {
                full[t % 2].wait(t / 2 + 1);
                acc = wgmma(sa[t % 2], sb[t % 2].t(), acc);
                acc = acc.wait();
                empty[t % 2].arrive();
            }
            let (i, j) = coords(acc);
            store(c.at(i, j), acc, mask: c.has(i, j));
        }
    }
}
";

/// A text and what stands in its place.
type Edit = (&'static str, &'static str);

const WAIT_FULL: &str = "full[t % 2].wait(t / 2 + 1);";
const WAIT_EMPTY: &str = "empty[t % 2].wait(t / 2);";
const EXPECT: &str = "full[t % 2].expect(512);";
const READS: &str = "for t in 0..count {\n                full";
const FILLS: &str = "for t in 0..count {\n                empty";
/// A barrier for each of the buffers.
const MORE: Edit = ("let full: barrier[2];", "let full: barrier[2];\n    let more: barrier[2];");
const EXPECT_MORE: Edit = (EXPECT, "full[t % 2].expect(256); more[t % 2].expect(256);");
const SIGNAL_MORE: Edit = ("into: u[t % 2], signal: full", "into: u[t % 2], signal: more");

/// What is found in a program with some edits, without warnings.
#[track_caller]
fn found(program: &str, edits: &[Edit]) -> Vec<Code> {
    let mut text = program.to_owned();
    for (from, to) in edits {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text = text.replace(from, to);
    }
    let mut db = Database::default();
    let file = db.set_file("rules.tile", &text);
    let target = TargetId::from_name("sm_90a").expect("a row of the table");
    let found = db.check(file, &[target]);
    found.iter().filter(|it| it.severity == Severity::Error).map(|it| it.code).collect()
}

#[track_caller]
fn check(program: &str, class: &str, edits: &[Edit], code: Code) {
    assert_eq!(found(program, edits), [code], "{class}");
}

#[test]
fn programs_that_keep_the_rules_have_no_finding() {
    assert_eq!(found(COPIES, &[]), []);
    assert_eq!(found(PRODUCT, &[]), []);
    let both = "full[t % 2].wait(t / 2 + 1); more[t % 2].wait(t / 2 + 1);";
    let two_barriers = [MORE, EXPECT_MORE, SIGNAL_MORE, (WAIT_FULL, both)];
    assert_eq!(found(COPIES, &two_barriers), []);
    let doubled = "full[t % 2].wait(t / 2 + 1); full[t % 2].wait(t / 2 + 1);";
    assert_eq!(found(COPIES, &[(WAIT_FULL, doubled)]), [], "a wait for what is complete");
}

#[test]
fn broken_rules_of_barriers_are_found() {
    let rows: &[(&str, Edit, Code)] = &[
        ("no wait before a read", (WAIT_FULL, ""), Code::E0706),
        ("no wait before a stage is filled again", (WAIT_EMPTY, ""), Code::E0707),
        ("a wait for a later phase", (WAIT_FULL, "full[t % 2].wait(t / 2 + 2);"), Code::E0704),
        ("a wait for an earlier phase", (WAIT_FULL, "full[t % 2].wait(t / 2);"), Code::E0707),
        (
            "a phase that is taken for granted",
            (WAIT_EMPTY, "empty[t % 2].wait(t / 2 + 1);"),
            Code::E0704,
        ),
        (
            "stage and phase that do not belong together",
            (WAIT_FULL, "full[(t + 1) % 2].wait(t / 2 + 1);"),
            Code::E0704,
        ),
        ("an arrival too few", ("empty[t % 2].arrive();", ""), Code::E0704),
        (
            "an arrival too many",
            (EXPECT, "full[t % 2].expect(512); full[t % 2].arrive();"),
            Code::E0707,
        ),
        (
            "an arrival before the first phase",
            (READS, "empty[0].arrive();\n for t in 0..count {\n full"),
            Code::E0707,
        ),
        (
            "a count that is too large",
            ("let full: barrier[2];", "let full: barrier[2];\n    full.arrivals(2);"),
            Code::E0704,
        ),
        (
            "trip counts that are computed apart",
            (READS, "for t in 0..n / 64 + 1 {\n full"),
            Code::E0704,
        ),
        ("a role that leaves early", (READS, "for t in 0..count - 1 {\n full"), Code::E0708),
        ("a stage that nobody drains", (FILLS, "for t in 0..count + 1 {\n empty"), Code::E0708),
    ];
    for &(class, edit, code) in rows {
        check(COPIES, class, &[edit], code);
    }
}

#[test]
fn broken_rules_of_copies_are_found() {
    let dropped = ("copy(zt[t], into: u[t % 2], signal: full[t % 2]);", "");
    let rows: &[(&str, Edit, Code)] = &[
        ("one of the buffers of a barrier is not copied", dropped, Code::E0704),
        ("too few bytes", (EXPECT, "full[t % 2].expect(256);"), Code::E0707),
        ("too many bytes", (EXPECT, "full[t % 2].expect(768);"), Code::E0704),
        ("no bytes are expected", (EXPECT, "full[t % 2].arrive();"), Code::E0706),
        (
            "a copy tells another barrier",
            ("into: u[t % 2], signal: full", "into: u[t % 2], signal: empty"),
            Code::E0704,
        ),
        (
            "buffers that are one memory",
            ("let u: shared f32[2, 64];", "let u: shared f32[2, 64];\n    alias(s, u);"),
            Code::E0706,
        ),
    ];
    for &(class, edit, code) in rows {
        check(COPIES, class, &[edit], code);
    }
    let class = "two barriers for two buffers, and one is not waited for";
    check(COPIES, class, &[MORE, EXPECT_MORE, SIGNAL_MORE], Code::E0706);
}

#[test]
fn broken_rules_of_products_are_found() {
    let wait = "acc = acc.wait();\n                empty[t % 2].arrive();";
    let given_back = "empty[t % 2].arrive();\n                acc = acc.wait();";
    check(PRODUCT, "a stage is given back under its product", &[(wait, given_back)], Code::E0706);
    let one_stays = "acc.wait(in_flight: 1);\n                empty[t % 2].arrive();";
    let last =
        ("let (i, j) = coords(acc);", "acc = acc.wait();\n            let (i, j) = coords(acc);");
    check(PRODUCT, "a wait that leaves one in flight", &[(wait, one_stays), last], Code::E0706);
    let unwaited = "empty[t % 2].arrive();";
    check(PRODUCT, "a sum is read under its product", &[(wait, unwaited)], Code::E0720);
}
