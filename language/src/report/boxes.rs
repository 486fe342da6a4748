//! Wording of what a copy engine must be told: E073x.

use tile_syntax::ast::Span;

use crate::diagnostic::{Code, Diagnostic, Edit, Fix};
use crate::ir::Place;

/// What is not known of a tensor whose boxes the engine could move.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Missing {
    /// That a size or stride is a multiple of a number.
    Divisor {
        /// The size's name.
        name: String,
        /// The number.
        of: u64,
        /// The dimension whose neighbours lie too close without it.
        axis: usize,
    },
    /// That its address is a multiple of 16 bytes.
    Address {
        /// What it is known to be a multiple of.
        align: u32,
    },
    /// That some dimension is contiguous.
    Contiguous,
}

/// E0730: the copy engine could move boxes of a tensor if a fact were known. `after` is where a condition can be
/// added, and whether others stand before it.
pub fn missing(
    place: Place,
    tensor: &str,
    declared: Place,
    missing: &Missing,
    after: Option<(Place, bool)>,
) -> Diagnostic {
    let (what, why, how, clause) = match missing {
        Missing::Divisor { name, of, axis } => (
            format!("`{name}` is not known to be a multiple of {of}"),
            format!(
                "neighbours along dimension {axis} of `{tensor}` must lie a multiple of 16 bytes apart"
            ),
            format!("add `where {name} % {of} == 0`"),
            Some(format!("{name} % {of} == 0")),
        ),
        Missing::Address { align } => (
            format!("its address is only known to be a multiple of {align} bytes"),
            format!("boxes of `{tensor}` need an address that is a multiple of 16 bytes"),
            "declare it with `align 16`".to_owned(),
            None,
        ),
        Missing::Contiguous => (
            "no dimension of it is known to be contiguous".to_owned(),
            format!("boxes of `{tensor}` need a dimension with a stride of 1"),
            "write the stride of that dimension as `1`".to_owned(),
            None,
        ),
    };
    let message = format!("the copy engine cannot move boxes of `{tensor}`: {what}");
    let mut it = Diagnostic::new(Code::E0730, message, place)
        .because(declared, why)
        .help(format!("{how}, or say `by: warps` where the view is made"));
    it.fixes
        .extend(after.zip(clause).map(|((place, follows), it)| add_clause(place, follows, &it)));
    it
}

/// A quick fix that adds a condition after a place; `follows` others in a `where` clause.
pub(super) fn add_clause(after: Place, follows: bool, clause: &str) -> Fix {
    let text = if follows { format!(", {clause}") } else { format!("\n    where {clause}") };
    let end = Span::new(after.span.hi, after.span.hi);
    let edit = Edit { place: Place { item: after.item, span: end }, text };
    Fix { title: format!("add `where {clause}`"), edits: vec![edit] }
}

/// E0731: a box is brought, and nothing says who hears of it.
pub fn nobody_told(place: Place, tensor: &str) -> Diagnostic {
    let message = format!("nothing hears when the copy engine has brought this box of `{tensor}`");
    Diagnostic::new(Code::E0731, message, place).help(
        "copy it into a stage of a ring, say `signal:` with a barrier, or `by: warps` where the view is made",
    )
}

/// E0732: a box is brought into a stage on some ways only, so its bytes are not known when the permit ends.
pub fn on_some_ways(place: Place, taken: Place) -> Diagnostic {
    let message = "this box may be copied never or more than once for one permit".to_owned();
    Diagnostic::new(Code::E0732, message, place).because(taken, "the permit is taken here").help(
        "copy it where the permit is taken, or say `signal:` with a barrier that expects the bytes",
    )
}
