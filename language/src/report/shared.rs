//! Wording of what concerns shared memory and views of it.

use tile_layout::ViewError;

use crate::diagnostic::{Code, Diagnostic};
use crate::elab::rules::describe_shape;
use crate::ir::Place;

/// E0606: memory of a type that memory cannot have.
pub fn not_in_memory(place: Place, got: &str) -> Diagnostic {
    Diagnostic::new(Code::E0606, format!("`{got}` is no type of memory"), place)
        .help("memory holds numbers in a shape: `shared bf16[128, 64] @ S`")
}

/// E0606: memory that no target could have.
pub fn too_many_elements(place: Place, shape: &[u32], most: u32) -> Diagnostic {
    let message =
        format!("a buffer of shape {} has more than {most} elements", describe_shape(shape));
    Diagnostic::new(Code::E0606, message, place).help(
        "the shared memory of a block is some hundred KiB; larger things live in global memory",
    )
}

/// E0606: a layout of registers where one of memory is wanted.
pub fn layout_of_registers(place: Place, layout: &str) -> Diagnostic {
    Diagnostic::new(Code::E0606, format!("`{layout}` spreads a tile over registers"), place)
        .help("memory has layouts such as `plain()`, `swizzled(…)`, `padded(…)` and `nvmma(…)`")
}

/// E0308: a view that would cut what lies together.
pub fn no_such_view(place: Place, error: &ViewError) -> Diagnostic {
    let it = Diagnostic::new(Code::E0308, error.to_string(), place);
    match error {
        ViewError::Extent { .. } | ViewError::Start { .. } => {
            it.help("a view keeps the pieces that the memory's layout moves as one")
        }
        ViewError::Reshape { .. } => it.help("load the tile and reshape it in registers"),
        ViewError::Reinterpret { .. } => {
            it.help("give the memory a layout that keeps that many neighbours together")
        }
    }
}

/// E0257: a new dimension in a view.
pub fn no_new_dimension(place: Place) -> Diagnostic {
    Diagnostic::new(Code::E0257, "a view of memory takes no `None`".to_owned(), place)
        .help("load the tile and give it a new dimension, or reshape the view")
}

/// E0308: a split into parts of different sizes.
pub fn uneven_split(place: Place, extent: u32, n: u32) -> Diagnostic {
    Diagnostic::new(
        Code::E0308,
        format!("the first dimension has {extent} elements, which {n} does not divide"),
        place,
    )
}

/// E0253: indices whose other dimensions are not the view's.
pub fn index_shape(place: Place, view: &[u32], index: &[u32], axis: u32) -> Diagnostic {
    let (view, index) = (describe_shape(view), describe_shape(index));
    Diagnostic::new(
        Code::E0253,
        format!("indices of shape {index} do not go with memory of shape {view}"),
        place,
    )
    .help(format!("all extents but that of dimension {axis} are the memory's"))
}

/// E0608: `alias` of buffers that do not begin together.
pub fn not_in_one_block(place: Place, first: &str, second: &str) -> Diagnostic {
    let message = format!("`{first}` and `{second}` are declared in different blocks");
    Diagnostic::new(Code::E0608, message, place)
        .help("declare both in the block in which they are one memory")
}
