//! Planted mistakes that only a run shows: an engine names the places that a programmer has to look at.

use std::fs;

use tile_tests::tilec;

/// The finding of a program's only test: its code, and the lines of its own place and of its reasons.
fn finding(source: &str, engine: &str, target: &str) -> (String, Vec<u64>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("planted.tile");
    fs::write(&path, source).expect("the program can be written");
    let path = path.display().to_string();
    let answer = tilec(["test", &path, "--on", engine, "--target", target, "--format", "json"]);
    let tests = answer.objects();
    let found = tests.iter().find_map(|it| it["findings"].as_array()?.first().cloned());
    let found = found.unwrap_or_else(|| panic!("nothing is found: {}{}", answer.out, answer.err));
    let reasons = found["reasons"].as_array().cloned().unwrap_or_default();
    let lines = [&found].into_iter().chain(&reasons).filter_map(|it| it["line"].as_u64());
    (found["code"].as_str().unwrap_or_default().to_owned(), lines.collect())
}

#[test]
fn a_race_between_blocks_shows_both_accesses() {
    let source = "\
kernel shift(x: global mut f32[n]) where n % 128 == 0 grid [n / 128] warps 4 {
    let i = block_id(0) * 128 + iota(128) @ blocked(regs: [1], lanes: [32], warps: [4]);
    let next = load(x.at(i + 1), mask: i + 1 < n, other: 0.0);
    store(x.at(i), next);
}

test \"blocks\" {
    shift(arange(f32[256]));
}
";
    for target in ["sm_80", "gfx942"] {
        assert_eq!(finding(source, "sim", target), ("R0102".to_owned(), vec![4, 3, 8]));
    }
}

#[test]
fn a_slice_that_cuts_a_swizzle_shows_the_slice_on_both_engines() {
    let source = "\
kernel cut(x: global f32[32, 64], y: global mut f32[32, 16], from: i32) grid [1] warps 4 {
    const L = blocked(regs: [1, 4], lanes: [8, 4], warps: [4, 1]);
    let at = x.tiles([32, 64], swizzled(vec: 4, per_phase: 1, max_phase: 8));
    let s: shared at.tile;
    copy(at[0, 0], into: s);
    let (i, j) = coords([32, 16] @ L);
    let part = s[:, from ..+ 16];
    store(y.at(i, j), part.load(L));
}

test \"a slice of 16 begins at 8\" {
    cut(ones(f32[32, 64]), zeros(f32[32, 16]), 8);
}
";
    for engine in ["interp", "sim"] {
        for target in ["sm_80", "gfx942"] {
            assert_eq!(finding(source, engine, target), ("R0102".to_owned(), vec![7, 12]));
        }
    }
}
