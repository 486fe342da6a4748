//! Wording of what concerns global memory.

use tile_syntax::ast::Span;

use super::names::count;
use crate::diagnostic::{Code, Diagnostic, Edit, Fix};
use crate::dtype::DType;
use crate::elab::rules::describe_elem;
use crate::ir::{Elem, Place};

/// E0601: a write to a tensor that the kernel promised not to write.
pub fn not_mutable(place: Place, name: &str, declared: Place) -> Diagnostic {
    Diagnostic::new(Code::E0601, format!("`{name}` is written but not declared `mut`"), place)
        .because(declared, format!("`{name}` is declared here"))
        .help(format!("declare it `{name}: global mut …`"))
}

/// E0602: another number of indices than dimensions.
pub fn wrong_rank(
    place: Place,
    name: &str,
    rank: usize,
    got: usize,
    declared: Option<Place>,
) -> Diagnostic {
    let dimensions = count(rank, "dimension");
    let given = match got {
        1 => "1 index is given".to_owned(),
        n => format!("{n} indices are given"),
    };
    let it = Diagnostic::new(Code::E0602, format!("`{name}` has {dimensions}, {given}"), place);
    match declared {
        Some(place) => it.because(place, format!("`{name}` is declared with {dimensions}")),
        None => it,
    }
}

/// E0603: an optional tensor is used without asking whether it is there.
pub fn may_be_absent(place: Place, name: &str) -> Diagnostic {
    Diagnostic::new(Code::E0603, format!("`{name}` may be absent"), place)
        .help(format!("ask first: `if let {name} = {name} {{ … }}`"))
}

/// E0604: a value of another type than memory holds.
pub fn stores_another_type(place: Place, pointee: DType, got: Elem, at: Span) -> Diagnostic {
    let message = format!("`{}` does not go into memory of `{pointee}`", describe_elem(got));
    let text = format!(".to({pointee})");
    let end = Place { item: place.item.clone(), span: Span::new(at.hi, at.hi) };
    let fix =
        Fix { title: format!("convert to `{pointee}`"), edits: vec![Edit { place: end, text }] };
    let mut it = Diagnostic::new(Code::E0604, message, place)
        .help(format!("convert it with `.to({pointee})`"));
    it.fixes.push(fix);
    it
}

/// E0605: no atomic of that kind works on this type.
pub fn no_such_atomic(place: Place, name: &str, pointee: DType) -> Diagnostic {
    Diagnostic::new(Code::E0605, format!("there is no `{name}` on `{pointee}`"), place)
        .help("atomics work on integers of 32 and 64 bits; `atomic_add` and `atomic_exchange` also on floats")
}

/// E0602: another number of extents or numbers than the tensor has dimensions.
pub fn tiles_rank(
    place: Place,
    name: &str,
    rank: usize,
    got: usize,
    declared: Place,
) -> Diagnostic {
    let message = format!("`{name}` has {rank} dimensions, here are {got} numbers");
    Diagnostic::new(Code::E0602, message, place)
        .because(declared, format!("`{name}` is declared here"))
        .help("give one for each dimension; `_` takes a single index of one")
}

/// E0255: something else than a number picks a box.
pub fn box_number(place: Place) -> Diagnostic {
    Diagnostic::new(Code::E0255, "a box of a tiled view is picked by numbers".to_owned(), place)
        .help("`at[i, t]` is one box, `at.corner(r, c)` the one that begins at an element")
}

/// E0607: a copy to global memory that is to signal a barrier.
pub fn signal_out(place: Place) -> Diagnostic {
    let message = "a copy to global memory signals no barrier".to_owned();
    Diagnostic::new(Code::E0607, message, place).help(
        "`signal:` is for copies into shared memory; the role that stores knows when it has stored",
    )
}

/// E0607: a copy into shared memory that is to be combined with what is there.
pub fn reduce_in(place: Place) -> Diagnostic {
    let message = "a copy to shared memory replaces what is there".to_owned();
    Diagnostic::new(Code::E0607, message, place)
        .help("`reduce:` is for copies to global memory; load both and store the sum")
}

/// E0607: two sides that no copy connects.
pub fn copy_between(place: Place) -> Diagnostic {
    let message = "a copy has shared memory on one side and global memory on the other";
    Diagnostic::new(Code::E0607, message.to_owned(), place)
        .help("load and store the tile to move it within one memory")
}

/// E0607: two sides of different types or shapes.
pub fn copy_types(place: Place, global: &str, shared: &str) -> Diagnostic {
    let message = format!("global memory has `{global}` here, shared memory `{shared}`");
    Diagnostic::new(Code::E0607, message, place)
        .help("both sides of a copy have one element type and shape")
}
