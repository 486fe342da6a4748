//! Hovers: what stands under the cursor, what it costs, and what is said of it.
//!
//! In this order: the declaration or type as code; the value, the layout with a small picture, the
//! bytes; what the instruction there costs; for a kernel what it needs; documentation. What depends on
//! an instance is that of the shown one ([`shown`]).

use tile_language::analysis::pressure::Pressure;
use tile_language::check;
use tile_language::db::{Db, SourceFile};
use tile_language::elab::observe::Nature;
use tile_language::ir::{Elem, ItemKey, Place};
use tile_language::names::mentions::{self, Local, LocalKind, Meaning};
use tile_language::report;
use tile_language::target::occupancy::Block;
use tile_language::target::{Cap, Target, TargetId};
use tile_layout::{Layout, MemoryMap};
use tile_syntax::ast::{ClauseKind, Expr, ExprKind, Item, ItemKind, Span};

use super::cost::{bytes_text, counted};
use super::docs::{self, Docs};
use super::measured::Measurement;
use super::shown::{self, Shown, ShownInstance};
use super::syntax::{self, ItemAt};
use super::{picture, words};

/// Values at the peak that are named.
const HELD_MAX: usize = 4;

/// What an editor shows for a byte.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hover {
    /// What it is about, in bytes of the file.
    pub span: Span,
    /// Markdown.
    pub text: String,
}

/// The hover of a byte; `None` where nothing stands.
pub fn hover(db: &dyn Db, file: SourceFile, byte: u32, shown: &Shown) -> Option<Hover> {
    let item = syntax::item_at(db, file, byte)?;
    let instances = shown::around(db, file, &item.key, shown);
    let about = About { db, file, item: &item, instances: &instances, shown };
    let mentioned = mentions::at(db, file, byte);
    if let Some((span, means)) = best(&mentioned) {
        return Some(Hover { span, text: about.name(span, means) });
    }
    about.row_of_table(byte).or_else(|| about.expression(byte)).or_else(|| keyword(db, file, byte))
}

/// Of several meanings of a name in a `use` or a call: the function before the type before the module.
fn best(mentioned: &[(Span, Meaning)]) -> Option<(Span, &Meaning)> {
    let rank = |it: &Meaning| match it {
        Meaning::Local(..) | Meaning::Param { .. } | Meaning::Member(..) | Meaning::Field(..) => 0,
        Meaning::Item(_) | Meaning::Variant(..) => 1,
        Meaning::Builtin(_) => 2,
        Meaning::Word => 3,
        Meaning::Module(_) => 4,
    };
    mentioned.iter().min_by_key(|it| rank(&it.1)).map(|it| (it.0, &it.1))
}

fn keyword(db: &dyn Db, file: SourceFile, byte: u32) -> Option<Hover> {
    let lexed = tile_syntax::lex(file.text(db));
    let at = lexed.tokens.iter().find(|it| it.span.lo <= byte && byte < it.span.hi)?;
    let text = file.text(db).get(at.span.lo as usize..at.span.hi as usize)?;
    let doc = words::word(text).filter(|_| at.token.is_word())?;
    Some(Hover { span: at.span, text: format!("`{text}`: {doc}") })
}

/// What a hover knows.
struct About<'a> {
    db: &'a dyn Db,
    file: SourceFile,
    item: &'a ItemAt,
    instances: &'a [ShownInstance<'a>],
    shown: &'a Shown,
}

impl About<'_> {
    /// A name that means something.
    fn name(&self, span: Span, means: &Meaning) -> String {
        let relative = Span::new(span.lo - self.item.start, span.hi - self.item.start);
        let whole = self.whole(relative);
        let natures = self.natures(whole.value);
        let docs = docs::of(self.db, means);
        let mut page = Page::default();
        page.code(&self.head(span, means, docs.as_ref(), &natures));
        let is_called = whole.call.is_some();
        if !is_called || natures.iter().any(has_layout) {
            natures.iter().for_each(|it| page.nature(it));
        }
        let place = whole.call.unwrap_or(whole.value);
        if is_called {
            page.result(&self.natures(place));
        }
        self.costs(place, &mut page);
        if let Meaning::Item(key) = means {
            self.kernel(key, &mut page);
        }
        if let Some(it) = docs {
            page.paragraph(&it.text);
        }
        if *means == Meaning::Word {
            let name = &self.file.text(self.db)[span.lo as usize..span.hi as usize];
            page.paragraph(words::word(name).unwrap_or_default());
        }
        page.text
    }

    /// The first line: how the name is declared.
    fn head(&self, span: Span, means: &Meaning, docs: Option<&Docs>, natures: &[Nature]) -> String {
        let name = &self.file.text(self.db)[span.lo as usize..span.hi as usize];
        let texts: Vec<String> = natures.iter().map(Nature::short_text).collect();
        let relative = Span::new(span.lo - self.item.start, span.hi - self.item.start);
        let is = if texts.is_empty() { self.sort(relative) } else { texts.join(" | ") };
        match means {
            Meaning::Local(key, n) => {
                let known = natures.iter().all(Nature::is_known) && !natures.is_empty();
                local_head(self.local(key, *n), name, &is, known)
            }
            Meaning::Param { .. } if is.is_empty() => name.to_owned(),
            Meaning::Param { .. } if natures.iter().all(Nature::is_known) => {
                format!("{name} = {is}")
            }
            Meaning::Param { .. } => format!("{name}: {is}"),
            _ => docs.map(|it| it.head.clone()).filter(|it| !it.is_empty()).unwrap_or_else(|| {
                if is.is_empty() { name.to_owned() } else { format!("{name}: {is}") }
            }),
        }
    }

    /// What is known of a place from the text alone, where no instance was there.
    fn sort(&self, span: Span) -> String {
        let source = tile_language::db::item_source(self.db, &self.item.key);
        let sorts = source.map_or(&[][..], |it| check::sorts(self.db, self.file, it));
        let found = sorts.iter().find(|it| it.0 == span);
        found.map_or_else(String::new, |it| it.1.replace('`', ""))
    }

    fn local(&self, key: &ItemKey, n: u32) -> Option<&Local> {
        let source = tile_language::db::item_source(self.db, key)?;
        mentions::mentions(self.db, self.file, source).locals.get(n as usize)
    }

    /// The value that a name stands for, and the call that it is the callee of.
    fn whole(&self, name: Span) -> Whole {
        let around = syntax::exprs_around(&self.item.tree, name.lo);
        let ends_here = |it: &&&Expr| match &*it.kind {
            ExprKind::Path(path) => path.iter().any(|it| it.span == name),
            ExprKind::Field(_, field) => field.span == name,
            _ => false,
        };
        let own = around.iter().rev().find(ends_here).map_or(name, |it| it.span);
        let is_callee = |it: &&&Expr| match &*it.kind {
            ExprKind::Call(callee, _) => match &*callee.kind {
                ExprKind::Bracket(base, _) => base.span == own,
                _ => callee.span == own,
            },
            _ => false,
        };
        let call = around.iter().rev().find(is_callee).map(|it| it.span);
        Whole { value: own, call }
    }

    fn natures(&self, span: Span) -> Vec<Nature> {
        shown::natures(self.db, self.instances, &self.item.key, span)
    }

    /// What the instructions of a place cost.
    fn costs(&self, span: Span, page: &mut Page) {
        let place = Place { item: self.item.key.clone(), span };
        let mut lines: Vec<String> = Vec::new();
        for costs in self.instances.iter().filter_map(|it| it.costs(self.db)) {
            let own = costs.at(&place).into_iter().map(|it| it.sentence());
            let inside = costs.inside(&place).map(|it| format!("inside: {}", it.text()));
            let order = costs.order_before(&place);
            for it in own.chain(inside).chain(order) {
                if !lines.contains(&it) {
                    lines.push(it);
                }
            }
        }
        page.list(&lines);
    }

    /// What a kernel needs.
    fn kernel(&self, key: &ItemKey, page: &mut Page) {
        let found = self.instances.iter().find(|it| it.kernel == key);
        let other = shown::of_file(self.db, self.file, &Shown::of(TargetId(0)));
        let Some(it) = found.or_else(|| other.iter().find(|it| it.kernel == key)) else { return };
        page.list(&self.needs(*it).unwrap_or_default());
    }

    fn needs(&self, it: ShownInstance<'_>) -> Option<Vec<String>> {
        let needs = Needs::of(self.db, self.file, it, self.shown)?;
        let (target, ir) = (it.target.row(), it.ir(self.db)?);
        let mut lines = vec![
            format!("`{}` for {}: {} threads", it.name, target.name, ir.plan.threads),
            format!("{} a thread", needs.registers_text()),
            format!("{} of shared memory", bytes_text(needs.block.shared_bytes)),
            needs.occupancy_text(target),
        ];
        let pressure = it.pressure(self.db)?;
        let roles = ir.roles().map(|it| it.1).unwrap_or_default();
        let of_roles = roles.iter().zip(&pressure.roles);
        lines.extend(of_roles.map(|(role, &wanted)| report::roles::wanted(role, wanted)));
        lines.extend(self.peak(pressure));
        Some(lines)
    }

    /// Where most registers are taken, and by what.
    fn peak(&self, pressure: &Pressure) -> Option<String> {
        let (file, span) = tile_language::db::resolve(self.db, pressure.peak.as_ref()?)?;
        let line = file.text(self.db)[..span.lo as usize].matches('\n').count() + 1;
        let held = pressure.held.iter().take(HELD_MAX).map(|it| match it.name.as_str() {
            "" => counted(it.registers, "register"),
            name => format!("`{name}` {}", it.registers),
        });
        let path = file.path(self.db);
        let held = held.collect::<Vec<_>>().join(", ");
        Some(format!("most registers at {path}:{line}: {held}"))
    }

    /// A capability or a target, which are rows of tables.
    fn row_of_table(&self, byte: u32) -> Option<Hover> {
        let at = byte - self.item.start;
        let name =
            table_names(&self.item.tree).into_iter().find(|it| it.1.lo <= at && at <= it.1.hi)?;
        let text = match (Cap::from_name(&name.0), TargetId::from_name(&name.0)) {
            (Some(cap), _) => {
                format!("`{}`: {}\n\n{}", cap.name(), cap.doc().trim(), docs::having(&[cap]))
            }
            (None, Some(target)) => target_text(target.row()),
            (None, None) => return None,
        };
        Some(Hover { span: name.1.shifted(self.item.start), text })
    }

    /// An expression that is no name: its type or value.
    fn expression(&self, byte: u32) -> Option<Hover> {
        let around = syntax::exprs_around(&self.item.tree, byte - self.item.start);
        let expr = around.last()?;
        let natures = self.natures(expr.span);
        let mut page = Page::default();
        let texts: Vec<String> = natures.iter().map(Nature::short_text).collect();
        page.code(&texts.join(" | "));
        natures.iter().filter(|it| !it.is_known()).for_each(|it| page.nature(it));
        self.costs(expr.span, &mut page);
        let span = expr.span.shifted(self.item.start);
        (!page.text.is_empty()).then_some(Hover { span, text: page.text })
    }
}

/// A name with the expressions that it is a part of.
struct Whole {
    value: Span,
    call: Option<Span>,
}

fn local_head(local: Option<&Local>, name: &str, is: &str, known: bool) -> String {
    let word = match local.map(|it| it.kind) {
        Some(LocalKind::Let) => "let ",
        Some(LocalKind::Var) => "var ",
        Some(LocalKind::Const) => "const ",
        Some(LocalKind::Pattern | LocalKind::Size) | None => "",
    };
    match (is, known) {
        ("", _) => format!("{word}{name}"),
        (is, true) => format!("{word}{name} = {is}"),
        (is, false) => format!("{word}{name}: {is}"),
    }
}

/// The names of an item that stand for rows of tables: capabilities and targets.
fn table_names(item: &Item) -> Vec<(String, Span)> {
    let names = match &item.kind {
        ItemKind::Fn(it) | ItemKind::Kernel(it) => {
            let required = it.clauses.iter().flat_map(|it| match &it.kind {
                ClauseKind::Requires(caps) => &caps[..],
                _ => &[],
            });
            required.collect()
        }
        ItemKind::Build(it) => it.targets.iter().collect(),
        ItemKind::Test(it) | ItemKind::Bench(it) => it.targets.iter().collect(),
        _ => Vec::new(),
    };
    names.into_iter().map(|it| (it.text.to_string(), it.span)).collect()
}

fn target_text(target: &Target) -> String {
    let caps: Vec<&str> = target.caps.iter().map(|it| it.name()).collect();
    format!(
        "`{}`: {}\n\n- {} lanes a warp, {} warps a multiprocessor\n- {} registers, at most {} a \
         thread\n- {} of shared memory a block\n- {}",
        target.name,
        target.doc,
        target.lanes,
        target.warps_sm_max,
        target.regs_sm,
        target.regs_thread_max,
        bytes_text(target.smem_block_bytes_max),
        caps.join(", "),
    )
}

/// What a kernel needs of the machine.
pub struct Needs {
    /// What one block takes.
    pub block: Block,
    /// Bytes of registers that were spilled; `None` if nobody compiled the kernel.
    pub spill_bytes: Option<u32>,
}

impl Needs {
    /// What the compiler measured, or else what the analyses estimate; `None` if something is wrong
    /// with the instance.
    pub fn of(
        db: &dyn Db,
        file: SourceFile,
        it: ShownInstance<'_>,
        shown: &Shown,
    ) -> Option<Needs> {
        let measured = it.measurement(db, file, shown);
        let estimate = Measurement {
            registers: it.pressure(db)?.registers,
            spill_bytes: 0,
            shared_bytes: it.costs(db)?.shared_bytes,
        };
        let Measurement { registers, shared_bytes, .. } = measured.unwrap_or(estimate);
        let block = Block { warps: it.ir(db)?.warps, registers, shared_bytes };
        Some(Needs { block, spill_bytes: measured.map(|it| it.spill_bytes) })
    }

    /// `40 registers, 16 B spilled`, or `about 40 registers`.
    pub fn registers_text(&self) -> String {
        let registers = counted(self.block.registers, "register");
        match self.spill_bytes {
            None => format!("about {registers}"),
            Some(0) => registers,
            Some(spilled) => format!("{registers}, {} spilled", bytes_text(spilled)),
        }
    }

    /// `4 blocks a multiprocessor, 50 % of its warps; registers keep another out`
    pub fn occupancy_text(&self, target: &Target) -> String {
        let found = target.occupancy(self.block);
        format!(
            "{} a multiprocessor, {} % of its warps; another is kept out by {}",
            counted(found.blocks, "block"),
            found.percent,
            found.bound.name()
        )
    }
}

fn has_layout(nature: &Nature) -> bool {
    matches!(nature, Nature::Tile { .. } | Nature::View { .. } | Nature::Layout(_))
}

/// Markdown that grows.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn block(&mut self, text: &str) {
        if !text.is_empty() {
            if !self.text.is_empty() {
                self.text.push_str("\n\n");
            }
            self.text.push_str(text);
        }
    }

    fn code(&mut self, text: &str) {
        if !text.is_empty() {
            self.block(&format!("```tile\n{text}\n```"));
        }
    }

    fn paragraph(&mut self, text: &str) {
        self.block(text.trim());
    }

    fn list(&mut self, lines: &[String]) {
        let lines: Vec<String> = lines.iter().map(|it| format!("- {it}")).collect();
        self.block(&lines.join("\n"));
    }

    /// What a call gives.
    fn result(&mut self, natures: &[Nature]) {
        let text = |it: &Nature| match it {
            Nature::Tile { name, .. } if name.is_empty() => it.text(),
            other => other.short_text(),
        };
        let texts: Vec<String> = natures.iter().map(text).filter(|it| it != "()").collect();
        if !texts.is_empty() {
            self.block(&format!("gives `{}`", texts.join("` or `")));
        }
    }

    /// What of a nature its short text leaves out.
    fn nature(&mut self, nature: &Nature) {
        match nature {
            Nature::Tile { ty, .. } => {
                if let Some(layout) = &ty.layout {
                    self.layout(layout, nature);
                    let bits = match ty.elem {
                        Elem::Data(it) | Elem::Shared(it) => it.bits(),
                        Elem::Pointer(_) | Elem::Barrier | Elem::Map => ty.elem.bits(),
                    };
                    let registers = picture::registers_32(layout, bits);
                    self.block(&format!("{} of 32 bits a thread", counted(registers, "register")));
                    self.drawing(layout);
                }
            }
            Nature::View { dtype, map, .. } => {
                let bytes = memory_bytes(map, dtype.storage_bits());
                self.block(&format!("{} of shared memory", bytes_text(bytes)));
                self.block(&full_layout(nature));
            }
            Nature::Unplaced { .. } => self.block("waits for its layout"),
            Nature::Struct { fields, .. } => {
                let lines: Vec<String> = fields.iter().map(Nature::short_text).collect();
                self.list(&lines);
            }
            Nature::Known(_)
            | Nature::Variant(..)
            | Nature::Type(_)
            | Nature::Layout(_)
            | Nature::Tensor { .. }
            | Nature::Tiles { .. }
            | Nature::Box { .. }
            | Nature::Tuple(_)
            | Nature::Record(_)
            | Nature::Array(_)
            | Nature::Range(_)
            | Nature::Barriers(_)
            | Nature::NamedBarrier
            | Nature::Stages(..)
            | Nature::Closure
            | Nature::Function(_)
            | Nature::Target
            | Nature::Host { .. } => {}
        }
    }

    fn layout(&mut self, layout: &Layout, nature: &Nature) {
        let summary = picture::summary(layout);
        let full = full_layout(nature);
        self.block(&format!("{full}  \n{summary}"));
    }

    fn drawing(&mut self, layout: &Layout) {
        let drawing = picture::picture(layout);
        if !drawing.is_empty() {
            self.block(&format!("```text\n{drawing}```"));
        }
    }
}

/// The layout of a nature, as a program would write it.
fn full_layout(nature: &Nature) -> String {
    let text = nature.text();
    let layout = text.split_once(" @ ").map(|it| it.1);
    layout.map_or_else(String::new, |it| format!("`{it}`"))
}

fn memory_bytes(map: &MemoryMap, bits: u32) -> u32 {
    let elements: u32 = map.shape().iter().product();
    elements * bits / 8
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::ide::fixture::Fixture;

    /// The hover at the cursor, for Hopper.
    fn hovered(text: &str) -> String {
        let fixture = Fixture::new(text);
        let target = TargetId::from_name("sm_90a").expect("a target of the table");
        let found = hover(&fixture.db, fixture.file, fixture.cursor, &Shown::of(target));
        found.map_or_else(
            || "nothing".to_owned(),
            |it| format!("[{}]\n{}", fixture.slice(it.span), it.text),
        )
    }

    /// A kernel with `body` after some bindings.
    fn in_kernel(body: &str) -> String {
        format!(
            "/// Sums rows.\nkernel rows[BLOCK: int = 256](x: global f32[m, n], y: global mut f32[m])\n    \
             where n % 4 == 0\n    grid [m]\n    warps 2\n{{\n    \
             const ROW = blocked(regs: [4], lanes: [32], warps: [2]);\n    let r = block_id(0);\n    \
             let j = iota(BLOCK) @ ROW;\n{body}\n}}\n"
        )
    }

    #[test]
    fn a_tile_has_its_layout_with_a_picture() {
        assert_snapshot!(hovered(&in_kernel(
            "    let v$0 = load(x.at(r, j), mask: j < n, other: 0.0);"
        )));
    }

    #[test]
    fn an_access_has_its_width_and_sectors() {
        let text = "    let v = lo$0ad(x.at(r, j), mask: j < n, other: 0.0);";
        assert_snapshot!(hovered(&in_kernel(text)));
    }

    #[test]
    fn a_reduction_shows_what_it_moves_inside() {
        let text = "    let v = load(x.at(r, j), mask: j < n, other: 0.0);\n    let s = v.s$0um(axis: 0);\n    store(y.at(r), s);";
        assert_snapshot!(hovered(&in_kernel(text)));
    }

    #[test]
    fn a_conversion_has_its_cost() {
        let text = "    let v = load(x.at(r, j), mask: j < n, other: 0.0);\n    let w = v.conv$0ert(blocked(regs: [1], lanes: [32], warps: [2]));\n    store(y.at(r), w.sum(axis: 0));";
        assert_snapshot!(hovered(&in_kernel(text)));
    }

    #[test]
    fn a_buffer_has_its_bytes_and_its_accesses_their_conflicts() {
        let buffer = "    let s$0: shared f32[BLOCK];\n    s.store(j.to(f32));\n    store(y.at(r), s.load(ROW).sum(axis: 0));";
        assert_snapshot!(hovered(&in_kernel(buffer)));
        let access = "    let s: shared f32[BLOCK];\n    s.store(j.to(f32));\n    store(y.at(r), s.lo$0ad(ROW).sum(axis: 0));";
        assert_snapshot!(hovered(&in_kernel(access)));
    }

    #[test]
    fn a_kernel_has_what_it_needs() {
        let text = in_kernel(
            "    store(y.at(r), load(x.at(r, j), mask: j < n, other: 0.0).sum(axis: 0));",
        );
        assert_snapshot!(hovered(&text.replace("kernel rows", "kernel ro$0ws")));
    }

    #[test]
    fn constants_have_their_value() {
        let text = in_kernel("    const HALF = BLOCK / 2;\n    store(y.at(r), HA$0LF.to(f32));");
        assert_snapshot!(hovered(&text));
    }

    #[test]
    fn a_function_of_the_file_is_shown_as_its_kernels_call_it() {
        let text = in_kernel("    store(y.at(r), twice(j).sum(axis: 0).to(f32));");
        assert_snapshot!(hovered(&format!("{text}fn twice(x) {{ let d$0 = x + x; d }}\n")));
    }

    #[test]
    fn a_function_that_nothing_calls_is_known_from_its_text() {
        let text = "fn scaled(x: f32[128], n: int) { let y$0 = x; y }\n";
        assert_snapshot!(hovered(text));
    }

    #[test]
    fn words_of_the_grammar_have_a_line() {
        assert_snapshot!(hovered(&in_kernel("").replace("    grid", "    gr$0id")));
        assert_snapshot!(hovered(
            "kernel k(x: global mut f32[n]) requires wg$0mma grid [1] warps 1 { }\n"
        ));
    }

    #[test]
    fn library_functions_have_their_documentation() {
        let text = "    let v = load(x.at(r, j), mask: j < n, other: 0.0);\n    let e = ex$0p(v);";
        assert_snapshot!(hovered(&in_kernel(text)));
    }

    #[test]
    fn nothing_stands_in_white_space() {
        assert_eq!(hovered("fn f() { }\n\n$0\n\nfn g() { }\n"), "nothing");
    }
}
