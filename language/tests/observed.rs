//! What expressions and names of an instance are, as an editor asks for it.

use smol_str::SmolStr;
use tile_language::db::{self, SourceFile};
use tile_language::elab::observe::Observed;
use tile_language::ir::ItemKey;
use tile_language::query::{Database, Instance, expenses, observed};
use tile_language::report::costs;
use tile_language::target::TargetId;

/// The canonical instance of `kernel`, on a warp of 32 lanes.
fn of<'db>(db: &'db Database, file: SourceFile, kernel: &str) -> &'db Observed {
    let key = ItemKey { file: file.number(db), item: kernel.into() };
    let target = TargetId::from_name("sm_90a").unwrap();
    observed(db, Instance::new(db, key, Vec::new(), SmolStr::default(), target))
}

/// Everything that was seen of an item, a line each place.
fn listed(db: &Database, seen: &Observed, file: SourceFile, item: &str) -> String {
    let key = ItemKey { file: file.number(db), item: item.into() };
    let text = db::item_source(db, &key).unwrap().text(db).clone();
    let mut out = String::new();
    for it in seen.of_item(&key) {
        let natures: Vec<String> = it.natures.iter().map(|it| it.short_text()).collect();
        let text = &text[it.span.lo as usize..it.span.hi as usize];
        out += &format!("{text}: {}\n", natures.join(" | "));
    }
    out
}

const TEXT: &str = "\
enum Way { up, down }

fn scaled(x, by) { x * by }

kernel demo[N: int = 64](x: global mut f32[n], k: i32)
    where n % 4 == 0
    grid [n]
    warps 1
{
    const ROW = blocked(regs: [2], lanes: [32], warps: [1]);
    const WAY = Way::up;
    let j = iota(N) @ ROW;
    let p = x.at(j);
    var sum = zeros(f32[N] @ ROW);
    var turns = 0;
    for i in 0..k {
        sum += load(p, mask: j < n);
        turns += 1;
    }
    let open = sum[:, None];
    let s: shared f32[N];
    s.store(sum);
    let pair = (scaled(sum, 2.0), scaled(turns, 3));
    store(p, pair.0, mask: j < n);
}
";

#[test]
fn every_expression_and_name_has_its_type_or_value() {
    let mut db = Database::default();
    let file = db.set_file("demo.tile", TEXT);
    let seen = of(&db, file, "demo");
    insta::assert_snapshot!(listed(&db, seen, file, "demo"));
}

#[test]
fn a_function_that_is_called_twice_has_both_natures() {
    let mut db = Database::default();
    let file = db.set_file("demo.tile", TEXT);
    insta::assert_snapshot!(listed(&db, of(&db, file, "demo"), file, "scaled"), @r"
    x: f32[64] | i32
    by: 2.0 | 3
    x: f32[64] | i32
    x * by: f32[64] | i32
    by: 2.0 | 3
    ");
}

#[test]
fn a_mistake_leaves_what_stands_before_it() {
    let mut db = Database::default();
    let file = db.set_file("demo.tile", &TEXT.replace("iota(N) @ ROW", "iota(N) @ ROWS"));
    let seen = of(&db, file, "demo");
    let key = ItemKey { file: file.number(&db), item: "demo".into() };
    let at = TEXT.find("ROW =").unwrap() - TEXT.find("kernel demo").unwrap();
    let around = seen.around(&key, at as u32).unwrap();
    assert_eq!(around.natures[0].text(), "blocked(regs: [2], lanes: [32], warps: [1])");
}

#[test]
fn layouts_are_applied_maps() {
    let mut db = Database::default();
    let file = db.set_file("demo.tile", TEXT);
    let seen = of(&db, file, "demo");
    let key = ItemKey { file: file.number(&db), item: "demo".into() };
    let registers = seen.of_item(&key).iter().flat_map(|it| &it.natures).find_map(|it| match it {
        tile_language::elab::observe::Nature::Tile { ty, .. } => {
            ty.layout.as_ref().map(|it| it.registers())
        }
        _ => None,
    });
    assert_eq!(registers, Some(2));
}

#[test]
fn what_moving_elements_costs_is_told_by_place() {
    let text = "\
kernel turn(x: global f32[32, 32], y: global mut f32[32, 32]) grid [1] warps 1 {
    const ROWS = blocked(regs: [1, 4], lanes: [4, 8], warps: [1, 1]);
    const COLUMNS = blocked(regs: [4, 1], lanes: [8, 4], warps: [1, 1]);
    let s: shared f32[32, 32] @ plain();
    let (i, j) = coords([32, 32] @ ROWS);
    s.store(load(x.at(i, j)));
    let v = s.load(COLUMNS).convert(ROWS);
    store(y.at(i, j), v.max(axis: 1)[:, None] @ ROWS);
}
";
    let mut db = Database::default();
    let file = db.set_file("a.tile", text);
    let key = ItemKey { file: file.number(&db), item: "turn".into() };
    let target = TargetId::from_name("sm_90a").unwrap();
    let found = expenses(&db, Instance::new(&db, key, Vec::new(), SmolStr::default(), target));
    let lines = found.iter().map(|it| {
        let at = db.locate(&it.place).expect("the item is there");
        let whole = at.file.text(&db);
        let (lo, hi) = (at.span.lo as usize, at.span.hi as usize);
        format!("{}: {}\n", &whole[lo..hi], costs::moved(&it.what))
    });
    insta::assert_snapshot!(lines.collect::<String>());
}
