//! The operations that programs name: functions, methods and constants of the compiler.
//!
//! # Definition
//! A [`Row`] is everything that is known of one word of the language that no library declares: how
//! it is written, what it takes, what it means to a user, what the target must have, and the rule
//! that gives it its meaning. Checker, completion, hover, the reference and `tilec explain` read
//! the same row. Rows live in one file a family; [`Builtin`] is an index into their concatenation.
//!
//! # Invariants (each is a test)
//! * S1: no two rows of one form have the same path.
//! * S2: required parameters stand before optional ones, and a rest parameter is the last.
//! * S3: every row says in its documentation what it gives, and shows an example.
//!
//! Examples are statements of a kernel: in them `x` is an `f32[128] @ L`, `i` an `i32[128] @ L`, `m` an
//! `f32[16, 32] @ M`, and `p`, `q` and `a` are tensors `global mut f32[n]`, `global mut i32[n]` and
//! `global mut f32[n, n]`. A test
//! elaborates every one of them.
//!
//! Absent on purpose: what can be written in Tile. Reductions, scans, sorts, exponentials to base e
//! and random numbers are in the standard library.

mod cluster;
mod create;
mod layouts;
mod math;
mod memory;
mod mma;
mod number;
mod program;
mod shape;
mod shared;
mod sync;

use smol_str::SmolStr;

use crate::elab::cx::Elab;
use crate::elab::rules::args::Args;
use crate::elab::value::Value;
use crate::target::Cap;

/// What gives a row its meaning.
pub type Rule = fn(&mut Elab<'_>, &Args) -> Option<Value>;

/// How a row is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Form {
    /// `name(…)`
    Function,
    /// `x.name(…)`; the first parameter is `x`.
    Method,
    /// Both.
    Either,
}

/// Whether an argument must be there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Need {
    /// It must.
    Required,
    /// It may be left out; the documentation says what that means.
    Optional,
    /// Optional, and a bare name there is a word of a closed list: `evict: last`.
    Word,
    /// Any number of positional arguments, and of named ones that no other parameter takes.
    Rest,
}

/// A parameter of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Param {
    /// Its name, for `name: value` and for messages.
    pub name: &'static str,
    /// Whether it must be there.
    pub need: Need,
}

/// One operation of the compiler, as programs see it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its path, `exact::exp2`.
    pub path: &'static str,
    /// How it is written.
    pub form: Form,
    /// Its signature as text, with types.
    pub signature: &'static str,
    /// What it takes, in order.
    pub params: &'static [Param],
    /// What the target must have.
    pub needs: &'static [Cap],
    /// Where its meaning is written down.
    pub source: &'static str,
    /// The user's documentation: a sentence, then Shapes, Layout, Needs, Errors, Example.
    pub doc: &'static str,
    /// Its meaning.
    pub rule: Rule,
}

/// A name of the compiler that is a value.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// One sentence.
    pub doc: &'static str,
}

/// Declares the rows of a family.
macro_rules! rows {
    ($(
        $(#[doc = $doc:literal])+
        $form:ident $path:literal ($($param:ident : $need:ident),*) $signature:literal,
            $rule:path $(, needs [$($cap:ident),*])?, source $source:literal;
    )*) => {
        /// The rows of this family, in order of declaration.
        pub(super) const ROWS: &[$crate::op::surface::Row] = &[
            $($crate::op::surface::Row {
                path: $path,
                form: $crate::op::surface::Form::$form,
                signature: $signature,
                params: &[$($crate::op::surface::Param {
                    name: stringify!($param),
                    need: $crate::op::surface::Need::$need,
                }),*],
                needs: &[$($($crate::target::Cap::$cap),*)?],
                source: $source,
                doc: concat!($($doc, "\n"),+),
                rule: $rule,
            }),*
        ];
    };
}
use rows;

/// The families, in the order of the reference.
const FAMILIES: &[&[Row]] = &[
    create::ROWS,
    math::ROWS,
    number::ROWS,
    shape::ROWS,
    layouts::ROWS,
    memory::ROWS,
    shared::ROWS,
    sync::ROWS,
    mma::ROWS,
    cluster::ROWS,
    program::ROWS,
];

/// The constants.
pub const CONSTANTS: &[Constant] = &[
    Constant {
        name: "inf",
        value: f64::INFINITY,
        doc: "Infinity; takes the float type of the other side.",
    },
    Constant {
        name: "nan",
        value: f64::NAN,
        doc: "Not a number, quiet; takes the float type of the other side.",
    },
    Constant {
        name: "PI",
        value: std::f64::consts::PI,
        doc: "The ratio of a circle's circumference to its diameter.",
    },
    Constant { name: "E", value: std::f64::consts::E, doc: "The base of natural logarithms." },
    Constant { name: "LN_2", value: std::f64::consts::LN_2, doc: "The natural logarithm of 2." },
    Constant {
        name: "LOG2_E",
        value: std::f64::consts::LOG2_E,
        doc: "The logarithm of e to base 2.",
    },
    Constant { name: "SQRT_2", value: std::f64::consts::SQRT_2, doc: "The square root of 2." },
];

/// An operation of the compiler: an index into the table of this module.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Builtin(pub u16);

impl Builtin {
    /// Every operation, in the order of the reference.
    pub fn all() -> impl Iterator<Item = Builtin> {
        (0..FAMILIES.iter().map(|it| it.len()).sum::<usize>()).map(|it| Builtin(it as u16))
    }

    /// The function of that path, `["zeros"]` or `["exact", "exp2"]`; `None` if there is none.
    pub fn function(path: &[SmolStr]) -> Option<Builtin> {
        let is_path = |row: &Row| row.path.split("::").eq(path.iter().map(SmolStr::as_str));
        Builtin::all().find(|it| it.row().form != Form::Method && is_path(it.row()))
    }

    /// The method of that name, called as `x.name(…)` with `x` as the first argument.
    pub fn method(name: &str) -> Option<Builtin> {
        Builtin::all().find(|it| it.row().form != Form::Function && it.row().path == name)
    }

    /// Its path, `exact::exp2`.
    pub fn name(self) -> &'static str {
        self.row().path
    }

    /// Its row.
    pub fn row(self) -> &'static Row {
        let mut index = usize::from(self.0);
        for family in FAMILIES {
            match family.get(index) {
                Some(row) => return row,
                None => index -= family.len(),
            }
        }
        panic!("S1: every `Builtin` comes from the table")
    }

    /// Whether the argument of that name is a word (`evict: last`), handed over as [`Value::Str`].
    pub fn takes_word(self, argument: &str) -> bool {
        self.row().params.iter().any(|it| it.need == Need::Word && it.name == argument)
    }

    /// Every path that [`Builtin::function`] knows, for suggestions.
    pub fn paths() -> impl Iterator<Item = &'static str> {
        Builtin::all().map(Builtin::row).filter(|it| it.form != Form::Method).map(|it| it.path)
    }

    /// Every name that [`Builtin::method`] knows, for suggestions.
    pub fn methods() -> impl Iterator<Item = &'static str> {
        Builtin::all().map(Builtin::row).filter(|it| it.form != Form::Function).map(|it| it.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s1_no_two_rows_of_one_form_have_the_same_path() {
        let clash = |a: &Row, b: &Row| {
            a.path == b.path
                && (a.form == b.form || a.form == Form::Either || b.form == Form::Either)
        };
        for a in Builtin::all() {
            for b in Builtin::all().filter(|b| a < *b) {
                assert!(!clash(a.row(), b.row()), "{}", a.row().path);
            }
        }
    }

    #[test]
    fn s2_parameters_are_ordered_by_need() {
        for row in Builtin::all().map(Builtin::row) {
            let order = |it: &Param| match it.need {
                Need::Required => 0,
                Need::Optional | Need::Word => 1,
                Need::Rest => 2,
            };
            assert!(row.params.is_sorted_by_key(order), "{}", row.path);
        }
    }

    #[test]
    fn s3_every_row_is_documented_with_an_example() {
        for row in Builtin::all().map(Builtin::row) {
            assert!(row.doc.contains("Example:"), "{}", row.path);
        }
    }
}
