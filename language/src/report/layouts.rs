//! Wording of what concerns layouts.

use tile_layout::{Cost, CostClass};
use tile_syntax::ast::Span;

use super::names::count;
use crate::diagnostic::{Code, Diagnostic, Edit, Fix};
use crate::elab::rules::describe_shape;
use crate::ir::Place;

/// What [`layouts_differ`] is told.
#[derive(Debug)]
pub struct Mismatch {
    /// The layout of the operand that decides.
    pub wanted: String,
    /// Where it was chosen.
    pub wanted_from: Option<Place>,
    /// The layout of the other operand.
    pub got: String,
    /// Where that was chosen.
    pub got_from: Option<Place>,
    /// What bringing the other into the wanted layout costs.
    pub cost: Option<Cost>,
    /// The text of the other operand, if it stands alone.
    pub operand: Option<Place>,
}

/// E0301: two tiles of one operation have different layouts.
pub fn layouts_differ(place: Place, facts: &Mismatch) -> Diagnostic {
    let Mismatch { wanted, wanted_from, got, got_from, cost, operand } = facts;
    let message = format!("operands have different layouts: `{wanted}` and `{got}`");
    let mut it = Diagnostic::new(Code::E0301, message, place);
    for (from, layout) in [(wanted_from, wanted), (got_from, got)] {
        if let Some(from) = from {
            it = it.because(from.clone(), format!("`{layout}` comes from here"));
        }
    }
    let price = cost.map_or(String::new(), |it| format!(": {}", price(it)));
    if let Some(operand) = operand {
        it.fixes.push(convert_operand(operand, wanted));
    }
    it.help(format!("`.convert({wanted})` brings the second into the layout of the first{price}"))
}

/// Puts a conversion behind an operand.
pub(super) fn convert_operand(operand: &Place, wanted: &str) -> Fix {
    let at = |byte| Place { item: operand.item.clone(), span: Span::new(byte, byte) };
    let open = Edit { place: at(operand.span.lo), text: "(".to_owned() };
    let close = Edit { place: at(operand.span.hi), text: format!(").convert({wanted})") };
    Fix { title: "convert to the other layout".to_owned(), edits: vec![open, close] }
}

/// What a conversion costs, in words.
pub(super) fn price(cost: Cost) -> String {
    match cost.class {
        CostClass::Nothing => "it costs nothing".to_owned(),
        CostClass::Registers => "it stays within each thread".to_owned(),
        CostClass::Shuffles => format!("it costs {} shuffles a warp", cost.shuffles),
        CostClass::Shared if cost.barriers == 0 => {
            format!("it costs {} bytes of shared memory, within each warp", cost.shared_bytes)
        }
        CostClass::Shared => {
            let barriers = count(cost.barriers as usize, "barrier");
            format!("it costs {} bytes of shared memory and {barriers}", cost.shared_bytes)
        }
    }
}

/// E0301: `@ L` on a tile that is in another layout.
pub fn states_another(place: Place, wanted: &str, got: &str) -> Diagnostic {
    Diagnostic::new(Code::E0301, format!("this tile is in `{got}`, not in `{wanted}`"), place)
        .help(format!("`@` does not move elements; `.convert({wanted})` does"))
}

/// E0302: a tile's layout is still open where it matters.
pub fn open(place: Place, candidates: &[String]) -> Diagnostic {
    let it = Diagnostic::new(Code::E0302, "the layout of this tile is open".to_owned(), place);
    if candidates.is_empty() {
        return it
            .help("close it with `@ L`, where `L` is a layout whose slice is that of the tile");
    }
    let list = candidates.iter().map(|it| format!("`@ {it}`")).collect::<Vec<_>>().join(" or ");
    it.help(format!("close it with {list}"))
}

/// E0302: a parent whose slice is not the layout that an open tile was made from.
pub fn open_does_not_fit(place: Place, slice: &str, wanted: &str) -> Diagnostic {
    let message = format!("`{slice}` does not close a tile that wants {wanted}");
    Diagnostic::new(Code::E0302, message, place)
        .help(format!("`.convert({slice})` before the dimension is put in brings it there"))
}

/// E0303: a layout cannot be spread over a shape.
pub fn does_not_fit(place: Place, layout: &str, shape: &[u32], why: &str) -> Diagnostic {
    let message = format!("`{layout}` does not fit shape {}: {why}", describe_shape(shape));
    Diagnostic::new(Code::E0303, message, place)
}

/// E0304: arguments of a layout constructor that do not go together.
pub fn ranks_differ(place: Place, name: &str, got: usize, wanted: usize) -> Diagnostic {
    let message = format!("`{name}` has {got} dimensions, `regs` has {wanted}");
    Diagnostic::new(Code::E0304, message, place)
}

/// E0305: a tile has no layout yet.
pub fn no_layout(place: Place) -> Diagnostic {
    Diagnostic::new(Code::E0305, "this tile has no layout yet".to_owned(), place)
        .help("give it one with `@ L`")
}

/// E0305: `@ L` on something that has no layout.
pub fn takes_no_layout(place: Place, got: &str) -> Diagnostic {
    Diagnostic::new(Code::E0305, format!("`{got}` takes no layout"), place)
}

/// E0305: `.layout` of a scalar.
pub fn scalar_has_none(place: Place) -> Diagnostic {
    Diagnostic::new(
        Code::E0305,
        "a scalar has no layout: it is one value for the whole block".to_owned(),
        place,
    )
}

/// E0306: what stands after `@` is no layout.
pub fn not_a_layout(place: Place, got: &str) -> Diagnostic {
    Diagnostic::new(Code::E0306, format!("`{got}` after `@` is not a layout"), place)
}

/// E0307: a layout cannot be carried through an operation on the shape.
pub fn cannot_carry(place: Place, why: &str) -> Diagnostic {
    Diagnostic::new(Code::E0307, why.to_owned(), place)
}
