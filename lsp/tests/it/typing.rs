//! A kernel is typed, character by character: at no moment is there an avalanche of findings, and names
//! are offered before they are written out.
//!
//! Recorded are the ends of lines, where people look up. In between, what is unfinished may be told
//! once; what stands finished above it is never blamed for it.

use insta::assert_snapshot;
use tile_language::db;
use tile_language::diagnostic::Severity;
use tile_language::names::mentions::{self, Access};
use tile_language::query::Database;
use tile_language::target::TargetId;
use tile_lsp::ide::completion;
use tile_lsp::ide::shown::Shown;

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

/// Letters of a name that are typed before it is looked for.
const LETTERS_TYPED: usize = 2;

/// Suggestions that an editor shows at once.
const PLACES_SEEN: usize = 12;

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

#[test]
fn a_name_is_offered_after_its_first_letters() {
    let mut db = Database::default();
    let file = db.add_file("main.tile", TEXT);
    let shown = Shown::of(TargetId::from_name("sm_90a").expect("a target"));
    let mut used: Vec<(u32, u32)> = Vec::new();
    for (source, (_, start)) in db::items(&db, file).iter().zip(db::item_starts(&db, file)) {
        let list = mentions::mentions(&db, file, *source).list.iter();
        let uses = list.filter(|it| it.access != Access::Declares && it.access != Access::Labels);
        used.extend(uses.map(|it| (start + it.span.lo, start + it.span.hi)));
    }
    used.dedup();
    let (mut missing, mut places) = (Vec::new(), Vec::new());
    for (lo, hi) in used {
        let name = &TEXT[lo as usize..hi as usize];
        let typed = name.len().min(LETTERS_TYPED);
        db.set_text(file, &TEXT[..lo as usize + typed]);
        let offered = completion::suggestions(&db, file, lo + typed as u32, &shown).list;
        match offered.iter().position(|it| it.label == name) {
            Some(place) => places.push(place),
            None => missing.push(TEXT[..lo as usize + typed].lines().last().unwrap_or_default()),
        }
    }
    assert!(missing.is_empty(), "not offered: {missing:?}");
    let near = places.iter().filter(|it| **it < PLACES_SEEN).count();
    assert!(9 * places.len() <= 10 * near, "places in the list: {places:?}");
}
