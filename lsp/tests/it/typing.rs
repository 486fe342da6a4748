//! A kernel is typed, character by character: at no moment is there an avalanche of findings.
//!
//! Recorded are the ends of lines, where people look up. In between, what is unfinished may be told
//! once; what stands finished above it is never blamed for it.

use insta::assert_snapshot;
use tile_language::diagnostic::Severity;
use tile_language::query::Database;
use tile_language::target::TargetId;

const TEXT: &str = "\
use std::layout::coalesced;

/// Scales a vector.
kernel scale[BLOCK: int = 1024](x: global f32[n], y: global mut f32[n], by: f32)
    grid [cdiv(n, BLOCK)]
    warps 4
{
    let i    = block_id(0) * BLOCK + iota(BLOCK) @ coalesced([BLOCK], f32);
    let live = i < n;
    let v    = load(x.at(i), mask: live, other: 0.0);
    store(y.at(i), v * by, mask: live);
}

test \"scales\" {
    let x = randn(f32[1000], seed: 1);
    let y = zeros(f32[1000]);
    scale(x, y, 2.0);
    expect_equal(y, x * 2.0);
}
";

/// The most errors that a text may have while it is typed.
const ERRORS_MAX: usize = 3;

#[test]
fn typing_a_kernel_brings_no_avalanche() {
    let mut db = Database::default();
    let file = db.add_file("main.tile", "");
    let targets = [TargetId::from_name("sm_90a").expect("a target")];
    let mut recorded = String::new();
    let mut worst = (0, 0);
    let mut moments = [0; ERRORS_MAX + 1];
    for end in 0..=TEXT.len() {
        db.set_text(file, &TEXT[..end]);
        let found = db.check(file, &targets);
        let errors = found.iter().filter(|it| it.severity == Severity::Error).count();
        worst = worst.max((errors, end));
        moments[errors.min(ERRORS_MAX)] += 1;
        if TEXT[..end].ends_with('\n') {
            let line = TEXT[..end].trim_end().lines().last().unwrap_or_default();
            recorded.push_str(&format!("{}\n", line.trim()));
            for it in &found {
                recorded.push_str(&format!("        {} {}\n", it.code, it.message));
            }
        }
    }
    let (errors, end) = worst;
    assert!(errors <= ERRORS_MAX, "{errors} errors after `{}`", &TEXT[..end]);
    recorded.push_str(&format!("moments with 0, 1, 2, 3 errors: {moments:?}\n"));
    assert_snapshot!(recorded);
}
