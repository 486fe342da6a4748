//! Wording of what concerns operators and operations: elements, shapes, arguments.

use crate::diagnostic::{Code, Diagnostic};
use crate::dtype::DType;
use crate::elab::rules::{describe_elem, describe_shape};
use crate::ir::{Elem, Place};
use crate::op::surface::Row;

/// E0250: operands of one operation have different element types.
pub fn elements_differ(place: Place, what: &str, first: Elem, second: Elem) -> Diagnostic {
    let (first, second) = (describe_elem(first), describe_elem(second));
    let message = format!("`{what}` of `{first}` and `{second}`");
    Diagnostic::new(Code::E0250, message, place)
        .help(format!("convert one side, such as with `.to({first})`"))
}

/// E0251: an operation does not take elements of this type.
pub fn wrong_elements(place: Place, what: &str, takes: &str, got: Elem) -> Diagnostic {
    let message = format!("{what} takes {takes}, not `{}`", describe_elem(got));
    Diagnostic::new(Code::E0251, message, place)
}

/// E0251: a value that has no elements stands where a number or a tile is wanted.
pub fn not_a_number(place: Place, got: &str) -> Diagnostic {
    Diagnostic::new(Code::E0251, format!("{got} is neither a number nor a tile"), place)
}

/// E0251: a value that is no pointer is moved like one.
pub fn not_a_pointer(place: Place, got: &str) -> Diagnostic {
    Diagnostic::new(Code::E0251, format!("{got} is not a pointer"), place)
}

/// E0251: `.bits(T)` between types of different widths.
pub fn widths_differ(place: Place, from: Elem, to: Elem) -> Diagnostic {
    let message = format!(
        "`bits` keeps the width: `{}` has {} bits, `{}` has {}",
        describe_elem(from),
        from.bits(),
        describe_elem(to),
        to.bits()
    );
    Diagnostic::new(Code::E0251, message, place).help("`.to(T)` converts between widths")
}

/// E0251: stochastic rounding to a type that is no float of at most 16 bits, or has no mantissa.
pub fn not_stochastic(place: Place, dtype: DType) -> Diagnostic {
    let message = format!("nothing rounds to `{dtype}` stochastically");
    Diagnostic::new(Code::E0251, message, place)
        .help("it goes from `f32` to `f16`, `bf16` and the small floats with a mantissa")
}

/// E0252: a type does not have this number.
pub fn does_not_fit(place: Place, number: &str, elem: Elem) -> Diagnostic {
    let message = format!("`{number}` is not a value of `{}`", describe_elem(elem));
    Diagnostic::new(Code::E0252, message, place)
}

/// E0253: two shapes that do not repeat to one.
pub fn shapes_differ(place: Place, first: &[u32], second: &[u32]) -> Diagnostic {
    let message = format!(
        "shapes {} and {} do not go together",
        describe_shape(first),
        describe_shape(second)
    );
    let help = if first.len() == second.len() {
        "extents must be equal, or 1 on one side"
    } else {
        "ranks never change by themselves; `x[:, None]` puts in a dimension"
    };
    Diagnostic::new(Code::E0253, message, place).help(help)
}

/// E0253: a reshape to another number of elements.
pub fn counts_differ(place: Place, from: &[u32], to: &[u32]) -> Diagnostic {
    let count = |it: &[u32]| it.iter().fold(1u64, |so_far, &it| so_far.saturating_mul(it.into()));
    let message = format!(
        "{} has {} elements, {} has {}",
        describe_shape(from),
        count(from),
        describe_shape(to),
        count(to)
    );
    Diagnostic::new(Code::E0253, message, place)
}

/// E0253: a tile of more elements than there can be.
pub fn too_large(place: Place) -> Diagnostic {
    Diagnostic::new(Code::E0253, "the result has more than 2^30 elements".to_owned(), place)
}

/// E0253: a squeezed dimension is not of extent 1.
pub fn not_one(place: Place, axis: u32, extent: u32) -> Diagnostic {
    let message =
        format!("dimension {axis} has extent {extent}, only one of extent 1 can be dropped");
    Diagnostic::new(Code::E0253, message, place)
}

/// E0253: tuples of different lengths are picked from.
pub fn parts_differ(place: Place, first: usize, second: usize) -> Diagnostic {
    Diagnostic::new(Code::E0253, format!("one side has {first} parts, the other {second}"), place)
}

/// E0254: a required argument is missing.
pub fn missing_argument(place: Place, row: &Row, name: &str) -> Diagnostic {
    let message = format!("`{}` is called without `{name}`", row.path);
    Diagnostic::new(Code::E0254, message, place).help(format!("it is `{}`", row.signature))
}

/// E0254: an argument is given twice.
pub fn doubled_argument(place: Place, row: &Row, name: &str) -> Diagnostic {
    let message = format!("`{name}` is given to `{}` twice", row.path);
    Diagnostic::new(Code::E0254, message, place).help(format!("it is `{}`", row.signature))
}

/// E0254: an argument that no parameter takes.
pub fn extra_argument(place: Place, row: &Row, name: Option<&str>) -> Diagnostic {
    let message = match name {
        Some(name) => format!("`{}` has no parameter `{name}`", row.path),
        None => format!("`{}` takes at most {} arguments", row.path, row.params.len()),
    };
    Diagnostic::new(Code::E0254, message, place).help(format!("it is `{}`", row.signature))
}

/// E0255: an argument of another kind than the parameter wants.
pub fn wrong_argument(place: Place, row: &Row, wanted: &str, got: &str) -> Diagnostic {
    let message = format!("`{}` takes {wanted} here, not `{got}`", row.path);
    Diagnostic::new(Code::E0255, message, place).help(format!("it is `{}`", row.signature))
}

/// E0256: a dimension, a bit or another number beyond what there is.
pub fn out_of_range(place: Place, name: &str, got: i128, end: u32) -> Diagnostic {
    let message = format!("`{name}` is {got}, possible are 0 to {}", i64::from(end) - 1);
    Diagnostic::new(Code::E0256, message, place)
}

/// E0256: brackets with another number of dimensions than the tile has.
pub fn wrong_index_count(place: Place, rank: usize, got: usize) -> Diagnostic {
    let message = format!("the tile has {rank} dimensions, {got} are named");
    Diagnostic::new(Code::E0256, message, place)
        .help("name each dimension with `:`, and new ones with `None`")
}

/// E0257: brackets pick elements out of a tile.
pub fn no_element_access(place: Place) -> Diagnostic {
    Diagnostic::new(
        Code::E0257,
        "the elements of a tile cannot be picked by brackets".to_owned(),
        place,
    )
    .help("`halves` opens a tile along a bit of its index, `gather` picks by a tile of indices")
}

/// E0257: brackets after something that takes none.
pub fn takes_no_brackets(place: Place, got: &str, is_tensor: bool) -> Diagnostic {
    let it = Diagnostic::new(Code::E0257, format!("{got} takes no brackets"), place);
    if is_tensor {
        it.help("`x.at(i, j)` is the pointer to an element, `load(x.at(i, j))` its value")
    } else {
        it
    }
}

/// E0257: `*x` on a value.
pub fn no_dereference(place: Place, got: &str) -> Diagnostic {
    Diagnostic::new(Code::E0257, format!("`*` makes pointer types; {got} is a value"), place)
        .help("`load(p)` reads what a pointer points to")
}

/// E0258: extents that are no shape.
pub fn no_shape(place: Place) -> Diagnostic {
    Diagnostic::new(
        Code::E0258,
        "extents are integers of at least 1 known at compile time".to_owned(),
        place,
    )
}
