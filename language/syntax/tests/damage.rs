//! While typing: every token of every sample program, damaged in five ways.
//!
//! A *part* is a leaf statement, a head of a loop, a branch or a role, a parameter, a field or a
//! clause. A part that the damage does not touch keeps its place if it is found again in the same
//! item at the same depth.

mod samples;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::thread;

use samples::programs;
use tile_syntax::ast::*;
use tile_syntax::{Chunk, ParsedItem, lex, parse_item, split};

/// A part of a file: its item, its depth, its text.
type Part<'a> = (String, usize, &'a str);

struct Parts<'a> {
    text: &'a str,
    offset: u32,
    item: String,
    found: Vec<(Part<'a>, Span)>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str, items: &Items) -> Vec<(Part<'a>, Span)> {
        let mut parts = Parts { text, offset: 0, item: String::new(), found: vec![] };
        for (offset, parsed) in items {
            parts.offset = *offset;
            parts.item(&parsed.item, 0);
        }
        parts.found
    }

    fn push(&mut self, span: Span, depth: usize) {
        let span = span.shifted(self.offset);
        let text = self.text[span.lo as usize..span.hi as usize].trim();
        if !text.is_empty() {
            self.found.push(((self.item.clone(), depth, text), span));
        }
    }

    fn item(&mut self, item: &Item, depth: usize) {
        let name = match &item.kind {
            ItemKind::Fn(it) | ItemKind::Kernel(it) => &it.name.text,
            ItemKind::Struct(it) | ItemKind::Permit(it) => &it.name.text,
            ItemKind::Impl(it) => &it.name.text,
            ItemKind::Enum(it) => &it.name.text,
            ItemKind::Test(it) | ItemKind::Bench(it) => &it.title,
            _ => "",
        };
        if depth == 0 {
            self.item = name.to_owned();
        }
        match &item.kind {
            ItemKind::Use(_) | ItemKind::Const(_) => self.push(item.span, depth),
            ItemKind::Struct(it) | ItemKind::Permit(it) => {
                for field in &it.fields {
                    self.push(field.name.span.to(field.ty.span), depth);
                }
            }
            ItemKind::Impl(it) => it.members.iter().for_each(|it| self.item(it, depth + 1)),
            ItemKind::Fn(it) | ItemKind::Kernel(it) => {
                for param in &it.params {
                    let ty = param.ty.as_ref().map_or(param.pattern.span, |it| it.span);
                    self.push(param.pattern.span.to(ty), depth);
                }
                it.clauses.iter().for_each(|it| self.push(it.span, depth));
                it.body.iter().for_each(|it| self.block(it, depth + 1));
            }
            ItemKind::Test(it) | ItemKind::Bench(it) => {
                it.body.iter().for_each(|it| self.block(it, depth + 1));
            }
            _ => {}
        }
    }

    fn block(&mut self, block: &Block, depth: usize) {
        block.stmts.iter().for_each(|it| self.stmt(it, depth));
        if let Some(value) = &block.value {
            self.value(value, value.span, depth);
        }
    }

    fn stmt(&mut self, stmt: &Stmt, depth: usize) {
        let head = |body: &Block| Span::new(stmt.span.lo, body.span.lo);
        match &stmt.kind {
            StmtKind::Expr(expr) => self.value(expr, stmt.span, depth),
            StmtKind::For(it) => {
                self.push(head(&it.body), depth);
                self.block(&it.body, depth + 1);
            }
            StmtKind::While(it) => {
                self.push(head(&it.body), depth);
                self.block(&it.body, depth + 1);
            }
            StmtKind::Roles(roles) => {
                for role in roles {
                    self.push(Span::new(role.span.lo, role.body.span.lo), depth);
                    self.block(&role.body, depth + 1);
                }
            }
            StmtKind::Elect(body) | StmtKind::Trust { body, .. } | StmtKind::Hole(Some(body)) => {
                self.block(body, depth + 1);
            }
            StmtKind::Hole(None) => {}
            _ => self.push(stmt.span, depth),
        }
    }

    fn value(&mut self, expr: &Expr, span: Span, depth: usize) {
        match &*expr.kind {
            ExprKind::If(it) => {
                self.push(Span::new(span.lo, it.then.span.lo), depth);
                self.block(&it.then, depth + 1);
                if let Some(otherwise) = &it.otherwise {
                    self.value(otherwise, otherwise.span, depth);
                }
            }
            ExprKind::Block(it) => self.block(it, depth + 1),
            _ => self.push(span, depth),
        }
    }
}

/// What was done to the text: the bytes that went, and those that came.
struct Damage {
    cut: Range<usize>,
    put: Cow<'static, str>,
}

/// What became of the damaged programs.
#[derive(Default, Debug)]
struct Figures {
    inputs: usize,
    parts: usize,
    kept: usize,
    errors: usize,
    items: usize,
    items_same: usize,
}

impl Figures {
    fn add(&mut self, other: &Figures) {
        self.inputs += other.inputs;
        self.parts += other.parts;
        self.kept += other.kept;
        self.errors += other.errors;
        self.items += other.items;
        self.items_same += other.items_same;
    }

    fn parts_kept(&self) -> f64 {
        self.kept as f64 / self.parts as f64
    }

    fn errors_each(&self) -> f64 {
        self.errors as f64 / self.inputs as f64
    }

    fn items_kept(&self) -> f64 {
        self.items_same as f64 / self.items.max(1) as f64
    }
}

/// The items of a text with their places.
type Items = Vec<(u32, Rc<ParsedItem>)>;

/// Items that were parsed before: equal text gives an equal tree.
type Known = HashMap<String, Rc<ParsedItem>>;

fn parse(text: &str, known: &mut Known) -> Items {
    let parse = |chunk: Chunk| {
        let item = &text[chunk.lo as usize..chunk.hi as usize];
        let parsed = match known.get(item) {
            Some(parsed) => parsed.clone(),
            None => Rc::new(parse_item(item)),
        };
        known.insert(item.to_owned(), parsed.clone());
        (chunk.lo, parsed)
    };
    split(text).into_iter().map(parse).collect()
}

fn damage(
    text: &str,
    parts: &[(Part<'_>, Span)],
    before: &Items,
    damage: &Damage,
    known: &mut Known,
) -> Figures {
    let mut broken = text.to_owned();
    broken.replace_range(damage.cut.clone(), &damage.put);
    let after = parse(&broken, known);
    let mut found: HashMap<Part<'_>, usize> = HashMap::new();
    for (part, _) in Parts::of(&broken, &after) {
        *found.entry(part).or_default() += 1;
    }
    let errors = after.iter().map(|it| it.1.errors.len()).sum();
    let mut figures = Figures { inputs: 1, errors, ..Figures::default() };
    let touches =
        |lo: u32, hi: u32| lo as usize <= damage.cut.end && damage.cut.start <= hi as usize;
    for (part, span) in parts {
        if touches(span.lo, span.hi) {
            continue;
        }
        figures.parts += 1;
        if let Some(left) = found.get_mut(part).filter(|it| **it > 0) {
            *left -= 1;
            figures.kept += 1;
        }
    }
    for (offset, item) in before {
        if !touches(*offset, offset + item.item.span.hi) {
            figures.items += 1;
            figures.items_same += usize::from(after.iter().any(|it| it.1.item == item.item));
        }
    }
    figures
}

/// Damages every token of every program as `how` says, and asserts what must be kept.
fn check(how: fn(&str, usize, Range<usize>) -> Option<Damage>) {
    let run = |text: &str| {
        let mut known = Known::new();
        let before = parse(text, &mut known);
        let parts = Parts::of(text, &before);
        let mut sum = Figures::default();
        for (nth, it) in lex(text).tokens.iter().enumerate() {
            let range = it.span.lo as usize..it.span.hi as usize;
            if let Some(done) = how(text, nth, range) {
                sum.add(&damage(text, &parts, &before, &done, &mut known));
            }
        }
        sum
    };
    let programs = programs();
    let mut sum = Figures::default();
    thread::scope(|scope| {
        let runs: Vec<_> = programs.iter().map(|it| scope.spawn(move || run(&it.1))).collect();
        for it in runs {
            sum.add(&it.join().expect("nothing panics"));
        }
    });
    assert!(sum.parts_kept() >= 0.97, "parts kept: {:.4}", sum.parts_kept());
    assert!(sum.errors_each() <= 1.4, "errors a mistake: {:.3}", sum.errors_each());
    assert!(sum.items_kept() >= 0.995, "other items kept: {:.4}", sum.items_kept());
}

#[test]
fn a_deleted_token_damages_its_statement_only() {
    check(|_, _, token| Some(Damage { cut: token, put: "".into() }));
}

#[test]
fn a_doubled_token_damages_its_statement_only() {
    check(|text, _, token| {
        let put = format!("{} ", &text[token.clone()]);
        Some(Damage { cut: token.start..token.start, put: put.into() })
    });
}

#[test]
fn a_line_cut_short_damages_its_statement_only() {
    check(|text, _, token| {
        let end = text[token.end..].find('\n').map_or(text.len(), |it| token.end + it);
        (token.end < end).then_some(Damage { cut: token.end..end, put: "".into() })
    });
}

#[test]
fn a_stray_token_damages_its_statement_only() {
    check(|_, nth, token| {
        let stray = ["stray ", ", ", ") ", "; ", "= ", "+ ", "} ", "7 ", "[ ", ": ", "let "];
        Some(Damage { cut: token.start..token.start, put: stray[nth % stray.len()].into() })
    });
}

#[test]
fn a_file_cut_short_keeps_what_was_written() {
    check(|text, _, token| Some(Damage { cut: token.end..text.len(), put: "".into() }));
}
