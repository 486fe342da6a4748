//! Arguments of a compiler operation, bound to the parameters of its row.
//!
//! Binding reports a missing, a doubled and an unknown argument; the accessors report one of
//! another kind than the parameter wants. A rule asks for what it needs with `?` and says nothing
//! itself.

use smol_str::SmolStr;
use tile_layout::Spec;
use tile_syntax::ast::Span;

use super::arithmetic::Spanned;
use crate::dtype::DType;
use crate::elab::cx::Elab;
use crate::elab::value::{Arg, Kind, Tile, TypeValue, Value};
use crate::op::surface::{Builtin, Form, Need, Row};
use crate::report;

/// The arguments of one call.
#[derive(Debug)]
pub struct Args {
    /// The operation.
    pub row: &'static Row,
    /// The call.
    pub span: Span,
    slots: Vec<Option<Arg>>,
    rest: Vec<Arg>,
}

impl Args {
    /// Binds `args` to the parameters of `builtin`; reports what does not fit.
    pub(super) fn bind(
        cx: &mut Elab<'_>,
        builtin: Builtin,
        args: Vec<Arg>,
        span: Span,
    ) -> Option<Args> {
        let row = builtin.row();
        let mut bound = Args { row, span, slots: vec![None; row.params.len()], rest: Vec::new() };
        for arg in args {
            bound.put(cx, arg)?;
        }
        let is_missing = |(param, slot): &(&crate::op::surface::Param, &Option<Arg>)| {
            param.need == Need::Required && slot.is_none()
        };
        if let Some((param, _)) = row.params.iter().zip(&bound.slots).find(is_missing) {
            let place = cx.place(span);
            cx.report(report::ops::missing_argument(place, row, param.name));
            return None;
        }
        Some(bound)
    }

    fn put(&mut self, cx: &mut Elab<'_>, arg: Arg) -> Option<()> {
        let slot = match &arg.name {
            Some(name) => self
                .row
                .params
                .iter()
                .position(|it| it.name == name.as_str() && it.need != Need::Rest),
            None => self
                .slots
                .iter()
                .zip(self.row.params)
                .position(|(slot, it)| slot.is_none() && it.need != Need::Rest),
        };
        // A method's receiver is never given by name.
        let slot = slot.filter(|&it| arg.name.is_none() || it > 0 || self.row.form != Form::Method);
        match slot {
            Some(slot) if self.slots[slot].is_none() => self.slots[slot] = Some(arg),
            Some(slot) => {
                let place = cx.place(arg.span);
                cx.report(report::ops::doubled_argument(
                    place,
                    self.row,
                    self.row.params[slot].name,
                ));
                return None;
            }
            None if self.row.params.iter().any(|it| it.need == Need::Rest) => self.rest.push(arg),
            None => {
                let place = cx.place(arg.span);
                cx.report(report::ops::extra_argument(place, self.row, arg.name.as_deref()));
                return None;
            }
        }
        Some(())
    }

    /// The argument of a parameter, if it was given.
    pub(super) fn get(&self, name: &str) -> Option<&Arg> {
        let index = self.row.params.iter().position(|it| it.name == name);
        self.slots[index.expect("S4: a rule asks for parameters of its row")].as_ref()
    }

    /// The argument of a required parameter.
    pub(super) fn arg(&self, name: &str) -> &Arg {
        self.get(name).expect("binding checked that required arguments are there")
    }

    /// The value of a required parameter.
    pub(super) fn value(&self, name: &str) -> &Value {
        &self.arg(name).value
    }

    /// Required arguments as operands, each with its place.
    pub(super) fn operands<const N: usize>(&self, names: [&str; N]) -> [Spanned; N] {
        names.map(|it| (self.value(it).clone(), self.arg(it).span))
    }

    /// What the rest parameter took.
    pub(super) fn rest(&self) -> &[Arg] {
        &self.rest
    }

    /// Reports that `arg` is not what the operation wants there.
    pub(super) fn mismatch(&self, cx: &mut Elab<'_>, arg: &Arg, wanted: &str) {
        if arg.value == Value::Error {
            return;
        }
        let (place, got) = (cx.place(arg.span), super::describe(cx, &arg.value));
        cx.report(report::ops::wrong_argument(place, self.row, wanted, &got));
    }

    /// A compile-time integer.
    pub(super) fn int(&self, cx: &mut Elab<'_>, name: &str) -> Option<i128> {
        self.int_of(cx, self.arg(name))
    }

    fn int_of(&self, cx: &mut Elab<'_>, arg: &Arg) -> Option<i128> {
        match arg.value {
            Value::Int(it) => Some(it),
            _ => {
                self.mismatch(cx, arg, "an integer known at compile time");
                None
            }
        }
    }

    /// A compile-time integer from 0 up to and without `end`.
    pub(super) fn below(&self, cx: &mut Elab<'_>, name: &str, end: u32) -> Option<u32> {
        let got = self.int(cx, name)?;
        if let Some(it) = u32::try_from(got).ok().filter(|&it| it < end) {
            return Some(it);
        }
        let place = cx.place(self.arg(name).span);
        cx.report(report::ops::out_of_range(place, name, got, end));
        None
    }

    /// A list of compile-time integers that fit `u32`.
    pub(super) fn numbers(&self, cx: &mut Elab<'_>, name: &str) -> Option<Vec<u32>> {
        let arg = self.arg(name);
        let items = match &arg.value {
            Value::Array(items) | Value::Tuple(items) => items,
            _ => {
                self.mismatch(cx, arg, "a list of integers known at compile time");
                return None;
            }
        };
        let number = |it: &Value| match it {
            Value::Int(it) => u32::try_from(*it).ok(),
            _ => None,
        };
        let numbers: Option<Vec<u32>> = items.iter().map(number).collect();
        if numbers.is_none() {
            self.mismatch(cx, arg, "a list of integers known at compile time");
        }
        numbers
    }

    /// A tile or a scalar.
    pub(super) fn tile(&self, cx: &mut Elab<'_>, name: &str) -> Option<Tile> {
        let arg = self.arg(name);
        match &arg.value {
            Value::Tile(it) => Some(it.clone()),
            _ => {
                self.mismatch(cx, arg, "a tile");
                None
            }
        }
    }

    /// A layout.
    pub(super) fn layout(&self, cx: &mut Elab<'_>, name: &str) -> Option<Spec> {
        let arg = self.arg(name);
        match &arg.value {
            Value::Layout(it) => Some(it.clone()),
            _ => {
                self.mismatch(cx, arg, "a layout");
                None
            }
        }
    }

    /// An element type.
    pub(super) fn dtype(&self, cx: &mut Elab<'_>, name: &str) -> Option<DType> {
        let arg = self.arg(name);
        match &arg.value {
            Value::Type(TypeValue::Scalar(it)) => Some(*it),
            Value::Type(TypeValue::Kind(Kind::Bool)) => Some(DType::Bool),
            _ => {
                self.mismatch(cx, arg, "an element type");
                None
            }
        }
    }

    /// A text.
    pub(super) fn text(&self, cx: &mut Elab<'_>, name: &str) -> Option<SmolStr> {
        let arg = self.arg(name);
        match &arg.value {
            Value::Str(it) => Some(it.clone()),
            _ => {
                self.mismatch(cx, arg, "a text");
                None
            }
        }
    }

    /// A word of a closed list; `default` if it was left out.
    pub(super) fn word<T: Copy>(
        &self,
        cx: &mut Elab<'_>,
        name: &str,
        default: T,
        from_name: fn(&str) -> Option<T>,
        words: &str,
    ) -> Option<T> {
        let Some(arg) = self.get(name) else { return Some(default) };
        let found = match &arg.value {
            Value::Str(word) => from_name(word),
            _ => None,
        };
        if found.is_none() {
            self.mismatch(cx, arg, words);
        }
        found
    }
}
