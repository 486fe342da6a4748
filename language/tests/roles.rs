//! Kernels of roles: the check of their synchronisation, and their runs on the interpreter.

use tile_language::diagnostic::{Code, Diagnostic, Severity};
use tile_language::host::HostRun;
use tile_language::interp::Interp;
use tile_language::query::Database;
use tile_language::target::TargetId;

fn target() -> TargetId {
    TargetId::from_name("sm_90a").expect("a row of the table")
}

/// What is found in a program, and the failures of its tests on the interpreter with some seeds.
fn judge(text: &str) -> (Vec<Diagnostic>, Vec<String>) {
    let mut db = Database::default();
    let file = db.set_file("roles.tile", text);
    let mut failures = Vec::new();
    let found = db.check(file, &[target()]);
    if found.is_empty() {
        for seed in 0..6 {
            for test in db.tests(file) {
                let mut engine = Interp::new(target());
                let mut host = HostRun::new(&mut engine, seed);
                let end = db.run_test(&test.key, target(), &mut host);
                failures.extend(end.failure.map(|it| format!("seed {seed}: {:?}", it.error)));
                failures.extend(end.diagnostics.iter().map(|it| it.message.clone()));
            }
        }
    }
    (found, failures)
}

/// Two stages by hand: one role fills them, another one reads them.
const BY_HAND: &str =
    "kernel pass(x: global f32[n], y: global mut f32[n]) where n % 64 == 0 grid [1] {
    let s: shared f32[2, 64];
    let full: barrier[2];
    let empty: barrier[2];
    let count = n / 64;
    roles {
        load: warps 1 {
            const L = blocked(regs: [2], lanes: [32], warps: [1]);
            for t in 0..count {
                empty[t % 2].wait(t / 2);
                let i = t * 64 + iota(64) @ L;
                s[t % 2].store(load(x.at(i), mask: x.has(i), other: 0.0));
                full[t % 2].arrive();
            }
        }
        math: warps 2 {
            const L = blocked(regs: [1], lanes: [32], warps: [2]);
            for t in 0..count {
                full[t % 2].wait(t / 2 + 1);
                let i = t * 64 + iota(64) @ L;
                store(y.at(i), 2.0 * s[t % 2].load(L), mask: y.has(i));
                empty[t % 2].arrive();
            }
        }
    }
}

test \"all tiles\" {
    for n in [64, 128, 192, 640] {
        let x = randn(f32[n], seed: n);
        let y = zeros(f32[n]);
        pass(x, y);
        expect_equal(y, 2.0 * x);
    }
}
";

/// A matmul whose stages one role fills with copies and another one multiplies.
const MATMUL: &str = "kernel matmul[BM: int = 64, BN: int = 64, BK: int = 32, STAGES: int = 3](
    a: global bf16[m, k],
    b: global bf16[k, n],
    c: global mut bf16[m, n],
)
    where k % 8 == 0, n % 8 == 0
    grid  [cdiv(m, BM), cdiv(n, BN)]
    allow P0101 \"the way out is not what this is about\"
{
    let at = a.tiles([BM, BK], swizzled(vec: 8, per_phase: 2, max_phase: 4));
    let bt = b.tiles([BK, BN], swizzled(vec: 8, per_phase: 1, max_phase: 8));
    let (bm, bn) = (block_id(0), block_id(1));
    let steps = 0..at.count(1);
    let ring = Ring[STAGES](a: at.tile, b: bt.tile);
    roles {
        load: warps 1 {
            for t, slot in ring.fill(steps) {
                copy(at[bm, t], into: slot.a);
                copy(bt[t, bn], into: slot.b);
            }
        }
        math: warps 4 {
            const C = mma::acc(warps: [2, 2]);
            var acc = zeros(f32[BM, BN] @ C);
            for t, slot in ring.drain(steps) {
                acc = mma(slot.a.load(C.a(k_width: 2)), slot.b.load(C.b(k_width: 2)), acc);
            }
            let (i, j) = coords([BM, BN] @ C);
            let (row, col) = (bm * BM + i, bn * BN + j);
            store(c.at(row, col), acc.to(bf16), mask: c.has(row, col));
        }
    }
}

test \"any depth\" {
    for k in [8, 40, 200] {
        let (a, b) = (randn(bf16[64, k], seed: 1), randn(bf16[k, 72], seed: 2));
        let c = zeros(bf16[64, 72]);
        matmul(a, b, c);
        expect_close(c, ref::matmul(a, b), rtol: 1e-2, atol: 1e-2);
    }
}
";

#[test]
fn what_is_right_has_no_finding_and_passes_in_any_order() {
    for text in [BY_HAND, MATMUL] {
        let (found, failures) = judge(text);
        assert!(found.iter().all(|it| it.code == Code::P0101), "{found:?}");
        assert!(failures.is_empty(), "{failures:?}");
    }
}

#[test]
fn every_planted_mistake_is_found() {
    for (line, mutant, code) in [
        ("full[t % 2].arrive();", "", Code::E0704),
        ("empty[t % 2].arrive();", "", Code::E0704),
        ("full[t % 2].wait(t / 2 + 1);", "", Code::E0706),
        // The second arrival comes before anybody has seen the first.
        ("empty[t % 2].wait(t / 2);", "", Code::E0707),
        ("empty[t % 2].wait(t / 2);", "empty[t % 2].wait(t / 2 + 1);", Code::E0704),
        ("full[t % 2].wait(t / 2 + 1);", "full[t % 2].wait(t / 2);", Code::E0707),
        ("s[t % 2].load(L)", "s[(t + 1) % 2].load(L)", Code::E0706),
        ("empty[t % 2].arrive();", "empty[t % 2].arrive();\n empty[t % 2].arrive();", Code::E0707),
        ("full[t % 2].wait(t / 2 + 1);", "full[(t + 1) % 2].wait(t / 2 + 1);", Code::E0704),
        ("let full: barrier[2];", "let full: barrier[2];\n full.arrivals(2);", Code::E0704),
        (
            "for t in 0..count {\n                full",
            "for t in 0..count + 1 {\n                full",
            Code::E0704,
        ),
    ] {
        assert_eq!(BY_HAND.matches(line).count(), 1, "{line}");
        let (found, _) = judge(&BY_HAND.replace(line, mutant));
        let errors = found.iter().filter(|it| it.severity == Severity::Error);
        let codes: Vec<Code> = errors.map(|it| it.code).collect();
        assert_eq!(codes, [code], "{line} -> {mutant}: {found:?}");
    }
}
