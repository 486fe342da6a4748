//! `iter` functions: run around the loop's body, which a `yield` runs in the frame of the loop. The loop's
//! notes are those of the `iter`'s own loops that yield.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_syntax::ast::{Block, Expr, ExprKind, FnKind, For, Pattern, PatternKind, Span, StmtKind};

use super::bind::function_of;
use super::call::{Given, GivenGeneric};
use super::cx::{Elab, LoopBody};
use super::loops::Notes;
use super::path::Callee;
use super::value::Value;
use crate::db;
use crate::ir::ItemKey;
use crate::names::{self, DeclKind, Found};
use crate::report;

/// A call of an `iter` function.
pub(super) struct IterCall {
    item: ItemKey,
    member: Option<u32>,
    generics: Vec<GivenGeneric>,
    given: Vec<Given>,
}

impl Elab<'_> {
    /// The `iter` function that a loop's expression calls, if it does.
    pub(super) fn iter_call(&mut self, expr: &Expr) -> Option<IterCall> {
        let ExprKind::Call(callee, args) = &*expr.kind else { return None };
        let (base, brackets) = match &*callee.kind {
            ExprKind::Bracket(base, brackets) => (base, &brackets[..]),
            _ => (callee, &[][..]),
        };
        match &*base.kind {
            ExprKind::Field(receiver, name) => {
                let place = self.place_of(receiver);
                if place.is_none() && !self.any_iter(&name.text) {
                    return None;
                }
                let value = match &place {
                    Some((it, _)) => self.read(it),
                    None => self.eval(receiver),
                };
                self.observe(receiver.span, &value);
                let callee = self.method_of_type(&value, &name.text, FnKind::Iter);
                let (item, member) = match callee {
                    Some(Callee::Fn(item, member)) => (item, member),
                    _ => (self.free_iter(std::slice::from_ref(&name.text), true)?, None),
                };
                let generics = self.eval_generics(brackets)?;
                let mut given = vec![Given { name: None, value, place, span: receiver.span }];
                given.extend(self.eval_args(args));
                Some(IterCall { item, member, generics, given })
            }
            ExprKind::Path(path) => {
                let texts: Vec<SmolStr> = path.iter().map(|it| it.text.clone()).collect();
                let item = self.free_iter(&texts, false)?;
                let generics = self.eval_generics(brackets)?;
                let given = self.eval_args(args);
                Some(IterCall { item, member: None, generics, given })
            }
            _ => None,
        }
    }

    fn free_iter(&self, path: &[SmolStr], wanted: bool) -> Option<ItemKey> {
        let found = names::resolve(self.db, self.frame().file, path);
        found.into_iter().find_map(|it| match it {
            Found::Decl(it) if it.kind == DeclKind::Iter { method: wanted } => Some(it.item),
            _ => None,
        })
    }

    /// Whether some `impl` of the package declares an `iter` of that name.
    fn any_iter(&self, name: &str) -> bool {
        let files = db::Package::get(self.db).files(self.db);
        files.iter().any(|file| {
            let module = names::module(self.db, *file);
            let members = module.impls.iter().flat_map(|it| &it.members);
            members.into_iter().any(|it| it.name == name && it.kind == Some(FnKind::Iter))
        })
    }

    /// Runs an `iter` function around a loop's body.
    pub(super) fn run_iter(&mut self, call: IterCall, it: &For, span: Span) {
        let Some(notes) = self.loop_notes(&it.notes) else { return };
        let Some(tree) = db::item(self.db, &call.item) else { return };
        let Some((decl, owner)) = function_of(&tree, call.member) else { return };
        if let Some(note) = it.notes.first()
            && !decl.body.as_ref().is_some_and(has_yielding_loop)
        {
            let what =
                format!("`{}` around an `iter` that yields outside of loops", note.name.text);
            self.unsupported(&what, span);
            return;
        }
        let entered =
            self.enter_fn(&call.item, decl, owner, call.generics, call.given, it.iter.span);
        let Some(entered) = entered else { return };
        let (patterns, body) = (it.patterns.clone(), it.body.clone());
        self.frame_mut().yields_to = Some(Arc::new(LoopBody { patterns, body, notes }));
        if let Some(body) = &decl.body {
            self.run_body(body);
        }
        self.leave_fn(entered);
    }

    /// A loop's notes, with those of the loop around the `iter` if it is this one that yields.
    pub(super) fn with_notes_around(&self, body: &Block, own: Notes) -> Notes {
        match &self.frame().yields_to {
            Some(around) if yields(body) => Notes {
                unroll: own.unroll.or(around.notes.unroll),
                stages: own.stages.or(around.notes.stages),
            },
            _ => own,
        }
    }

    pub(super) fn yield_stmt(&mut self, value: Option<&Expr>, span: Span) {
        let value = value.map_or_else(Value::unit, |it| self.eval(it));
        let Some(target) = self.frame().yields_to.clone() else {
            self.report(report::types::yield_outside(self.place(span)));
            return;
        };
        let inner = self.frames.pop().expect("a yield is run in a frame");
        let scope = self.enter_scope();
        let pattern = match &target.patterns[..] {
            [one] => one.clone(),
            many => Pattern { kind: PatternKind::Tuple(many.to_vec()), span: many[0].span },
        };
        self.bind(&pattern, value, false);
        self.block_in_scope(&target.body);
        self.leave_scope(scope);
        self.frames.push(inner);
    }
}

/// Whether a `yield` is a statement of this block.
fn yields(block: &Block) -> bool {
    block.stmts.iter().any(|it| matches!(it.kind, StmtKind::Yield(_)))
}

/// Whether a loop in this block yields.
fn has_yielding_loop(block: &Block) -> bool {
    block.stmts.iter().any(|it| match &it.kind {
        StmtKind::For(it) => yields(&it.body) || has_yielding_loop(&it.body),
        StmtKind::While(it) => has_yielding_loop(&it.body),
        _ => false,
    })
}
