//! Inlay hints: types and layouts after names, values of constants, bytes of buffers, costs of calls.
//!
//! Each kind can be switched off. A function that kernels call in different ways has hints where all
//! agree.

use tile_language::db::{self, Db, SourceFile};
use tile_language::elab::observe::Nature;
use tile_language::ir::{ItemKey, Place};
use tile_syntax::ast::{Const, Expr, ExprKind, Item, Pattern, PatternKind, Span};

use super::cost::{Cost, Costs, bytes_text};
use super::shown::{self, Shown, ShownInstance};
use super::syntax::{self, Visitor};

/// Longer texts are cut: a hint must not push the code away.
const TEXT_MAX: usize = 48;

/// What a hint is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HintKind {
    /// Element type, shape and layout after a name.
    Type,
    /// The value of a constant.
    Constant,
    /// Bytes of a buffer in shared memory.
    Bytes,
    /// What an operation costs.
    Cost,
}

impl HintKind {
    /// All of them.
    pub const ALL: [HintKind; 4] =
        [HintKind::Type, HintKind::Constant, HintKind::Bytes, HintKind::Cost];

    /// Its word in the settings.
    pub fn setting(self) -> &'static str {
        match self {
            HintKind::Type => "types",
            HintKind::Constant => "constants",
            HintKind::Bytes => "bytes",
            HintKind::Cost => "costs",
        }
    }
}

/// A hint.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Hint {
    /// Before which byte of the file.
    pub at: u32,
    /// What it says.
    pub text: String,
    /// What it is about.
    pub kind: HintKind,
    /// All of it, if the text was cut or says less.
    pub tooltip: Option<String>,
}

/// The hints of a stretch of a file, of these kinds.
pub fn hints(
    db: &dyn Db,
    file: SourceFile,
    stretch: Span,
    shown: &Shown,
    kinds: &[HintKind],
) -> Vec<Hint> {
    let mut found = Vec::new();
    let all = shown::of_file(db, file, shown);
    for (source, (key, start)) in db::items(db, file).iter().zip(db::item_starts(db, file)) {
        let end = *start + source.text(db).len() as u32;
        if end < stretch.lo || stretch.hi < *start {
            continue;
        }
        let instances = shown::of_item(&all, key);
        if instances.is_empty() {
            continue;
        }
        let tree = &db::parsed(db, *source).item;
        found.extend(
            of_item(db, key, tree, &instances)
                .into_iter()
                .map(|it| Hint { at: it.at + start, ..it }),
        );
    }
    found.retain(|it| stretch.lo <= it.at && it.at <= stretch.hi && kinds.contains(&it.kind));
    found.sort();
    found.dedup();
    found
}

fn of_item(db: &dyn Db, key: &ItemKey, tree: &Item, instances: &[ShownInstance<'_>]) -> Vec<Hint> {
    let mut finder = Finder { db, key, instances, calls: Vec::new(), found: Vec::new() };
    syntax::walk(tree, &mut finder);
    let Finder { calls, mut found, .. } = finder;
    if let Some(known) = instances.iter().find(|it| it.kernel == key).and_then(|it| it.costs(db)) {
        found.extend(costs(db, key, known, &calls));
    }
    found
}

struct Finder<'a> {
    db: &'a dyn Db,
    key: &'a ItemKey,
    instances: &'a [ShownInstance<'a>],
    calls: Vec<Span>,
    found: Vec<Hint>,
}

impl Finder<'_> {
    /// The only nature of a place.
    fn nature(&self, span: Span) -> Option<Nature> {
        let mut natures = shown::natures(self.db, self.instances, self.key, span);
        let only = natures.pop()?;
        natures.is_empty().then_some(only)
    }

    fn typed(&mut self, span: Span) {
        let Some(nature) = self.nature(span) else { return };
        let kind = if nature.is_known() { HintKind::Constant } else { HintKind::Type };
        let sign = if nature.is_known() { " = " } else { ": " };
        let (short, long) = (nature.short_text(), nature.text());
        let tooltip = (short != long).then(|| long.clone());
        self.push(span.hi, format!("{sign}{short}"), kind, tooltip);
    }

    fn push(&mut self, at: u32, text: String, kind: HintKind, tooltip: Option<String>) {
        let long = text.chars().count() > TEXT_MAX;
        let tooltip = if long { Some(tooltip.unwrap_or_else(|| text.clone())) } else { tooltip };
        let text = if long {
            let cut: String = text.chars().take(TEXT_MAX - 1).collect();
            format!("{}…", cut.trim_end())
        } else {
            text
        };
        self.found.push(Hint { at, text, kind, tooltip });
    }

    fn names(&mut self, pattern: &Pattern) {
        match &pattern.kind {
            PatternKind::Name(_) => self.typed(pattern.span),
            PatternKind::Tuple(parts) => parts.iter().for_each(|it| self.names(it)),
            PatternKind::Ignore => {}
        }
    }
}

impl<'t> Visitor<'t> for Finder<'_> {
    fn expr(&mut self, expr: &'t Expr) {
        if matches!(&*expr.kind, ExprKind::Call(..)) {
            self.calls.push(expr.span);
        }
    }

    fn binding(&mut self, pattern: &'t Pattern, ty: Option<&'t Expr>, value: Option<&'t Expr>) {
        if ty.is_none() && !value.is_some_and(says_itself) {
            self.names(pattern);
        }
    }

    fn constant(&mut self, it: &'t Const) {
        let Some(nature) = self.nature(it.name.span) else { return };
        if says_itself(&it.value) || matches!(nature, Nature::Layout(_) | Nature::Type(_)) {
            return;
        }
        self.push(it.value.span.hi, format!(" = {}", nature.text()), HintKind::Constant, None);
    }
}

/// Whether an expression is its value.
fn says_itself(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Str(_) | ExprKind::Bool(_) => true,
        ExprKind::Unary(_, it) | ExprKind::Paren(it) => says_itself(it),
        ExprKind::Array(parts) | ExprKind::Tuple(parts) => parts.iter().all(says_itself),
        _ => false,
    }
}

/// Costs stand after their calls, bytes before the `;` of their `let`.
fn costs(db: &dyn Db, key: &ItemKey, costs: &Costs, calls: &[Span]) -> Vec<Hint> {
    let mut found = Vec::new();
    let text = db::item_source(db, key).map_or("", |it| it.text(db).as_str());
    for (place, cost) in costs.places().filter(|it| it.0.item == *key) {
        let (Some(short), tooltip) = (cost.short(), Some(cost.sentence())) else { continue };
        let hi = place.span.hi;
        found.push(match cost {
            Cost::Buffer { bytes, .. } => {
                let ends = text.as_bytes().get(hi as usize - 1) == Some(&b';');
                let at = if ends { hi - 1 } else { hi };
                Hint {
                    at,
                    text: format!(" {}", bytes_text(*bytes)),
                    kind: HintKind::Bytes,
                    tooltip,
                }
            }
            Cost::Global { .. } | Cost::Shared { .. } | Cost::Move(_) => {
                Hint { at: hi, text: format!(" {short}"), kind: HintKind::Cost, tooltip }
            }
        });
    }
    for &span in calls {
        let place = Place { item: key.clone(), span };
        let Some(inside) = costs.inside(&place) else { continue };
        let text = format!(" {}", inside.text());
        let tooltip = Some(Cost::Move(inside).sentence());
        found.push(Hint { at: span.hi, text, kind: HintKind::Cost, tooltip });
    }
    found
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use tile_language::target::TargetId;

    use super::*;
    use crate::ide::fixture::Fixture;

    /// The text with its hints in it, for Hopper.
    fn annotated(text: &str, kinds: &[HintKind]) -> String {
        let fixture = Fixture::new(text);
        let target = TargetId::from_name("sm_90a").expect("a target of the table");
        let all = Span::new(0, fixture.text().len() as u32);
        let found = hints(&fixture.db, fixture.file, all, &Shown::of(target), kinds);
        let mut out = fixture.text().to_owned();
        for it in found.iter().rev() {
            out.insert_str(it.at as usize, &format!("«{}»", it.text));
        }
        out
    }

    const TEXT: &str = "\
kernel rows[BLOCK: int = 256](x: global f32[m, n], y: global mut f32[m])
    where n % 4 == 0
    grid [m]
    warps 2
{
    const ROW = blocked(regs: [4], lanes: [32], warps: [2]);
    const HALF = BLOCK / 2;
    let r = block_id(0);
    let j = iota(BLOCK) @ ROW;
    let s: shared f32[BLOCK];
    let v = load(x.at(r, j), mask: j < n, other: 0.0);
    s.store(v);
    var sum = 0.0;
    for i in 0..n step HALF {
        sum += s.load(ROW).sum(axis: 0);
    }
    let (a, b) = (sum, one_more(sum));
    store(y.at(r), a + b);
}

fn one_more(x) {
    let more = x + 1.0;
    more
}
";

    #[test]
    fn names_have_types_and_calls_their_costs() {
        assert_snapshot!(annotated(TEXT, &HintKind::ALL));
    }

    #[test]
    fn tensors_of_host_code_have_their_types() {
        let text = "\
kernel k(x: global f32[n]) grid [1] warps 1 { print(\"{n}\"); }
test \"types\" {
    let x = randn(f32[4, 8], seed: 1);
    let large = zeros(bf16[40000, 40000]);
    k(zeros(f32[16]));
    expect_equal(x, x + 1.0);
    let y = x.to(bf16)[0..4 step 2];
    let z = ref::matmul(x, x.t());
}
";
        let text = annotated(text, &[HintKind::Type]);
        for it in
            ["x«: f32[4, 8]»", "large«: bf16[40000, 40000]»", "y«: bf16[2, 8]»", "z«: f64[4, 4]»"]
        {
            assert!(text.contains(it), "{it} in {text}");
        }
    }

    #[test]
    fn each_kind_can_be_switched_off() {
        assert_snapshot!(annotated(TEXT, &[HintKind::Bytes]).lines().nth(9).unwrap_or_default(), @"    let s: shared f32[BLOCK]« 1024 B»;");
    }
}
