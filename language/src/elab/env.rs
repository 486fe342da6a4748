//! Variables: names, the places they stand for, and a journal of what was assigned.
//!
//! # Definition
//! A name of a frame stands for a [`VarPlace`]: a slot and a path into its value, so that `var self`
//! is the caller's variable and not a copy. Every assignment goes through [`Elab::write`], which
//! keeps the old value in a journal. What a branch or a loop's body assigned is read off the
//! journal, and undone before the other branch or the next try.
//!
//! # Invariants
//! * Only what emits IR is journaled: at compile time nothing is undone.
//! * Slots are a stack: leaving a scope drops its slots, and no place of an outer scope points to them.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_syntax::ast::{Pattern, PatternKind, Span};

use super::cx::{Elab, Mode};
use super::value::{StructValue, Value};
use crate::report;

/// A variable's value.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) value: Value,
}

/// A name with what it stands for.
#[derive(Clone, Debug)]
pub(super) struct Local {
    pub(super) name: SmolStr,
    pub(super) place: VarPlace,
    pub(super) mutable: bool,
}

/// A slot and a path of positions into its value.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct VarPlace {
    pub(super) slot: u32,
    pub(super) path: Vec<u32>,
}

/// One assignment: which slot, what it was, where.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) slot: u32,
    pub(super) old: Value,
    pub(super) span: Span,
}

/// How much there was when a scope was entered.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScopeMark {
    locals: usize,
    slots: usize,
}

/// A point in the journal, with the number of slots that outlive what follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct JournalMark {
    at: usize,
    slots: usize,
}

/// A variable that a region assigned: its slot, its value at the end, the place of the last assignment.
pub(super) type Changed = Vec<(u32, Value, Span)>;

impl Elab<'_> {
    pub(super) fn enter_scope(&self) -> ScopeMark {
        ScopeMark { locals: self.frame().locals.len(), slots: self.slots.len() }
    }

    pub(super) fn leave_scope(&mut self, mark: ScopeMark) {
        self.leave_scope_with(mark, &Value::None);
    }

    /// Leaves a scope whose value is `kept`: what that holds lives on.
    pub(super) fn leave_scope_with(&mut self, mark: ScopeMark, kept: &Value) {
        self.end_held(mark.slots, kept);
        self.frame_mut().locals.truncate(mark.locals);
        self.slots.truncate(mark.slots);
    }

    /// Declares a name in the innermost scope.
    pub(super) fn declare(&mut self, name: SmolStr, value: Value, mutable: bool) {
        let bound = match &value {
            Value::Tile(it) => Some(it.value),
            Value::View(it) => Some(it.value),
            _ => None,
        };
        if let Some(bound) = bound {
            let known = &mut self.ir.values[bound.0 as usize].name;
            if known.is_empty() {
                *known = name.clone();
            }
        }
        let slot = self.slots.len() as u32;
        self.slots.push(Slot { value });
        self.declare_place(name, VarPlace { slot, path: Vec::new() }, mutable);
    }

    /// Declares a name for a place that exists already.
    pub(super) fn declare_place(&mut self, name: SmolStr, place: VarPlace, mutable: bool) {
        self.frame_mut().locals.push(Local { name, place, mutable });
    }

    /// The innermost local of that name.
    pub(super) fn local(&self, name: &str) -> Option<&Local> {
        self.frame().locals.iter().rev().find(|it| it.name == name)
    }

    /// The value at a place.
    pub(super) fn read(&self, place: &VarPlace) -> Value {
        let mut value = &self.slots[place.slot as usize].value;
        for &step in &place.path {
            match child(value, step) {
                Some(it) => value = it,
                None => return Value::Error,
            }
        }
        value.clone()
    }

    /// Assigns a place.
    pub(super) fn write(&mut self, place: &VarPlace, value: Value, span: Span) {
        let slot = &mut self.slots[place.slot as usize];
        let new = with_child(&slot.value, &place.path, value);
        let old = std::mem::replace(&mut slot.value, new);
        if self.mode == Mode::Kernel {
            self.journal.push(Write { slot: place.slot, old, span });
        }
    }

    pub(super) fn journal_mark(&self) -> JournalMark {
        JournalMark { at: self.journal.len(), slots: self.slots.len() }
    }

    /// What was assigned since `mark`, each variable once, in order of slots.
    pub(super) fn changed_since(&self, mark: JournalMark) -> Changed {
        let mut changed: Changed = Vec::new();
        for write in &self.journal[mark.at..] {
            if write.slot as usize >= mark.slots {
                continue;
            }
            match changed.iter_mut().find(|it| it.0 == write.slot) {
                Some(it) => it.2 = write.span,
                None => {
                    changed.push((
                        write.slot,
                        self.slots[write.slot as usize].value.clone(),
                        write.span,
                    ));
                }
            }
        }
        changed.sort_by_key(|it| it.0);
        changed
    }

    /// What a variable was before its first assignment since `mark`.
    pub(super) fn first_write(&self, slot: u32, mark: JournalMark) -> Option<Value> {
        self.journal[mark.at..].iter().find(|it| it.slot == slot).map(|it| it.old.clone())
    }

    /// Undoes every assignment since `mark`.
    pub(super) fn undo_to(&mut self, mark: JournalMark) {
        for write in self.journal.drain(mark.at..).rev() {
            if let Some(slot) = self.slots.get_mut(write.slot as usize) {
                slot.value = write.old;
            }
        }
    }

    /// Binds a pattern's names to a value's parts.
    pub(super) fn bind(&mut self, pattern: &Pattern, value: Value, mutable: bool) {
        match &pattern.kind {
            PatternKind::Ignore => {}
            PatternKind::Name(name) => {
                if let Value::View(view) = &value {
                    self.ir.name(view.value, &name.text);
                }
                self.observe(pattern.span, &value);
                self.declare(name.text.clone(), value, mutable);
            }
            PatternKind::Tuple(parts) => self.bind_parts(pattern, parts, value, mutable),
        }
    }

    fn bind_parts(&mut self, pattern: &Pattern, parts: &[Pattern], value: Value, mutable: bool) {
        let values = match &value {
            Value::Tuple(it) | Value::Array(it) => it.to_vec(),
            Value::Error => vec![Value::Error; parts.len()],
            other => {
                let got = self.describe(other);
                self.report(report::types::not_a_tuple(
                    self.place(pattern.span),
                    parts.len(),
                    &got,
                ));
                vec![Value::Error; parts.len()]
            }
        };
        if values.len() != parts.len() {
            self.report(report::types::parts(self.place(pattern.span), parts.len(), values.len()));
        }
        let rest = std::iter::repeat(Value::Error);
        for (part, value) in parts.iter().zip(values.into_iter().chain(rest)) {
            self.bind(part, value, mutable);
        }
    }
}

/// The part of an aggregate at a position.
pub(super) fn child(value: &Value, step: u32) -> Option<&Value> {
    let step = step as usize;
    match value {
        Value::Tuple(it) | Value::Array(it) => it.get(step),
        Value::Record(it) => it.get(step).map(|it| &it.1),
        Value::Struct(it) => it.fields.get(step),
        _ => None,
    }
}

fn with_child(value: &Value, path: &[u32], new: Value) -> Value {
    let [step, rest @ ..] = path else { return new };
    let at = *step as usize;
    let replace = |it: &Value| with_child(it, rest, new.clone());
    match value {
        Value::Tuple(it) => Value::Tuple(replaced(it, at, replace)),
        Value::Array(it) => Value::Array(replaced(it, at, replace)),
        Value::Record(it) => {
            let mut fields = it.to_vec();
            fields[at].1 = replace(&fields[at].1);
            Value::Record(fields.into())
        }
        Value::Struct(it) => {
            let mut fields = it.fields.clone();
            fields[at] = replace(&fields[at]);
            Value::Struct(Arc::new(StructValue {
                ty: it.ty.clone(),
                args: it.args.clone(),
                fields,
            }))
        }
        _ => Value::Error,
    }
}

fn replaced(parts: &[Value], at: usize, f: impl Fn(&Value) -> Value) -> Arc<[Value]> {
    let mut parts = parts.to_vec();
    parts[at] = f(&parts[at]);
    parts.into()
}

/// Calls `f` on every part that is not an aggregate, in order.
pub(super) fn leaves<'v>(value: &'v Value, f: &mut impl FnMut(&'v Value)) {
    match value {
        Value::Tuple(it) | Value::Array(it) => it.iter().for_each(|it| leaves(it, f)),
        Value::Record(it) => it.iter().for_each(|it| leaves(&it.1, f)),
        Value::Struct(it) => it.fields.iter().for_each(|it| leaves(it, f)),
        Value::Range(it) => [&it.lo, &it.hi, &it.step].into_iter().for_each(|it| leaves(it, f)),
        other => f(other),
    }
}

/// The same aggregate with its leaves replaced, in order.
pub(super) fn with_leaves(value: &Value, next: &mut impl FnMut() -> Value) -> Value {
    match value {
        Value::Tuple(it) => Value::Tuple(it.iter().map(|it| with_leaves(it, next)).collect()),
        Value::Array(it) => Value::Array(it.iter().map(|it| with_leaves(it, next)).collect()),
        Value::Record(it) => Value::Record(
            it.iter().map(|(name, it)| (name.clone(), with_leaves(it, next))).collect(),
        ),
        Value::Struct(it) => {
            let fields = it.fields.iter().map(|it| with_leaves(it, next)).collect();
            Value::Struct(Arc::new(StructValue {
                ty: it.ty.clone(),
                args: it.args.clone(),
                fields,
            }))
        }
        Value::Range(it) => {
            let mut it = (**it).clone();
            it.lo = with_leaves(&it.lo, next);
            it.hi = with_leaves(&it.hi, next);
            it.step = with_leaves(&it.step, next);
            Value::Range(Arc::new(it))
        }
        _ => next(),
    }
}

/// The same aggregate with each leaf replaced by what `f` makes of it.
pub(super) fn with_leaves_of(value: &Value, f: &mut impl FnMut(&Value) -> Value) -> Value {
    let mut old = Vec::new();
    leaves(value, &mut |it| old.push(it));
    let mut old = old.into_iter();
    with_leaves(value, &mut || f(old.next().expect("a leaf for each leaf")))
}

/// Whether two aggregates are built alike, so that their leaves pair up.
pub(super) fn same_structure(a: &Value, b: &Value) -> bool {
    let all = |a: &[Value], b: &[Value]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_structure(a, b))
    };
    match (a, b) {
        (Value::Tuple(a), Value::Tuple(b)) | (Value::Array(a), Value::Array(b)) => all(a, b),
        (Value::Struct(a), Value::Struct(b)) => a.ty == b.ty && all(&a.fields, &b.fields),
        (Value::Record(a), Value::Record(b)) => {
            a.len() == b.len()
                && a.iter().zip(&**b).all(|(a, b)| a.0 == b.0 && same_structure(&a.1, &b.1))
        }
        (Value::Range(a), Value::Range(b)) => a.reversed == b.reversed,
        (a, b) => !is_aggregate(a) && !is_aggregate(b),
    }
}

fn is_aggregate(value: &Value) -> bool {
    matches!(
        value,
        Value::Tuple(_) | Value::Array(_) | Value::Struct(_) | Value::Record(_) | Value::Range(_)
    )
}

impl ScopeMark {
    /// The mark of a frame about to be entered: all its locals go with it.
    pub(super) fn outermost(slots: usize) -> ScopeMark {
        ScopeMark { locals: 0, slots }
    }

    /// The first slot of the scope.
    pub(super) fn first_slot(self) -> usize {
        self.slots
    }

    /// Drops the slots that were added since.
    pub(super) fn drop_slots(self, slots: &mut Vec<Slot>) {
        slots.truncate(self.slots);
    }
}
