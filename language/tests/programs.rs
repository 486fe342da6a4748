//! Whole programs through the front end.

use std::fs;
use std::path::PathBuf;

use tile_language::diagnostic::Severity;
use tile_language::ir::verify::verify;
use tile_language::query::Database;
use tile_language::target::TargetId;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// The errors of a text, one a line: place, code, message.
fn errors(path: &str, text: &str, targets: &[&str]) -> String {
    let mut db = Database::default();
    let file = db.set_file(path, text);
    let targets: Vec<TargetId> =
        targets.iter().map(|it| TargetId::from_name(it).unwrap()).collect();
    let mut shown = String::new();
    for it in db.check(file, &targets).iter().filter(|it| it.severity == Severity::Error) {
        let at = db.locate(&it.place).unwrap();
        let before = &at.file.text(&db)[..at.span.lo as usize];
        let line = before.matches('\n').count() + 1;
        shown += &format!("{}:{line}: {} {}\n", at.file.path(&db), it.code, it.message);
        for reason in &it.reasons {
            if let Some(at) = db.locate(&reason.place) {
                let line = at.file.text(&db)[..at.span.lo as usize].matches('\n').count() + 1;
                shown += &format!("    {}:{line}: {}\n", at.file.path(&db), reason.message);
            }
        }
    }
    shown
}

#[test]
fn every_example_is_without_error_for_every_target() {
    let mut wrong = String::new();
    for path in tile_files("examples") {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy();
        wrong += &errors(&name, &text, &["sm_80", "sm_90a", "gfx942"]);
    }
    assert_eq!(wrong, "");
}

#[test]
fn every_example_gives_ir_that_verifies() {
    let mut wrong = String::new();
    for path in tile_files("examples") {
        let mut db = Database::default();
        let file = db.set_file(&path.to_string_lossy(), &fs::read_to_string(&path).unwrap());
        let mut n_kernels = 0;
        for target in ["sm_90a", "gfx942"] {
            for (name, kernel) in db.kernels(file, TargetId::from_name(target).unwrap()) {
                n_kernels += 1;
                for it in verify(&kernel) {
                    wrong += &format!("{name} for {target}: {it:?}\n");
                }
            }
        }
        assert!(n_kernels > 0, "{}", path.display());
    }
    assert_eq!(wrong, "");
}

fn tile_files(name: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder(name)).unwrap().map(|it| it.unwrap().path()).collect();
    paths.retain(|it| it.extension().is_some_and(|it| it == "tile"));
    paths.sort();
    paths
}

#[test]
fn every_mistake_is_one_error() {
    insta::assert_snapshot!(errors("mistakes.tile", MISTAKES, &["sm_90a", "gfx942"]));
}

const MISTAKES: &str = "\
fn unused(x) { y + x }

fn pair(a: i32, b: i32) -> i32 { a + b }

kernel k[N: int = 32](x: global mut f32[n], scale: f32) grid [1] warps 1 {
    let a = x.foo(1);
    let b = a + 1;
    let c = pair(block_id(0));
    let d = pair(1, 2, 3);
    let e = pair(1, z: 2);
    let f = pair(1, 2.5);
    var t = zeros(f32[N] @ blocked(regs: [1], lanes: [32], warps: [1]));
    for i in 0..4 { t = t.to(f16); }
    if scale { }
    store(x.at(0), undefined_thing, mask: n > 0);
    let (p, q) = 5;
    for i in scale { }
    scale = 3.0;
    let g = if scale > 1.0 { 1 } else { \"one\" };
    let h: i32 = scale;
    let s: tmem f32[32] @ plain();
    const M = block_id(0);
    static_assert(N == 64, \"sixty-four\");
    for i in 0..4 { if block_id(0) == i { return; } }
    yield 3;
    let counter = Counter();
    counter.up();
}

struct Counter { n: i32 = 0 }

impl Counter {
    fn up(var self) { self.n += 1; }
}

test \"names are checked before a test runs\" {
    let y = zeroes(f32[4]);
    expect_clos(y, ref::softmx(y, axis: 0));
}

kernel k(x: global f32[n]) grid [1] warps 3 { }
";

#[test]
fn loops_and_branches_become_regions() {
    let mut db = Database::default();
    let file = db.set_file("regions.tile", REGIONS);
    let kernels = db.kernels(file, TargetId::from_name("sm_90a").unwrap());
    insta::assert_snapshot!(kernels[0].1.to_string());
}

const REGIONS: &str = "\
fn clamp(x: i32, most: i32) -> i32 {
    if x > most { return most; }
    x
}

kernel regions(y: global mut i32[m], n: i32 = 5)
    where m % 4 == 0, n <= m
    grid [cdiv(m, 2)]
    warps 2
{
    var sum = 0;
    var same = 7;
    for i in (0..n).rev() {
        if i % 2 == 0 { sum += clamp(i, 3); }
        same = same + 0;
    }
    while sum > 100 { sum -= same; }
    store(y.at(block_id(0)), sum, mask: m > 0);
}
";
