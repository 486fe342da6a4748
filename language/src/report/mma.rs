//! Wording of what concerns matrix units.

use tile_layout::Cost;

use super::layouts::{convert_operand, price};
use crate::diagnostic::{Code, Diagnostic};
use crate::dtype::DType;
use crate::elab::rules::describe_shape;
use crate::ir::Place;

/// The layout of an accumulator, and where it was chosen.
#[derive(Debug)]
pub struct Accumulator {
    /// As a program writes it.
    pub layout: String,
    /// The place, if it is known.
    pub from: Option<Place>,
}

impl Accumulator {
    fn because(&self, it: Diagnostic) -> Diagnostic {
        match &self.from {
            Some(from) => it.because(
                from.clone(),
                format!("the accumulator is in `{}`, chosen here", self.layout),
            ),
            None => it,
        }
    }
}

/// What [`operand_layout`] is told.
#[derive(Debug)]
pub struct WrongOperand {
    /// `a` or `b`.
    pub name: &'static str,
    /// The layout of the operand.
    pub got: String,
    /// Where it was chosen.
    pub got_from: Option<Place>,
    /// The layout that the instruction takes.
    pub wanted: String,
    /// What bringing the operand there costs.
    pub cost: Option<Cost>,
}

/// E0309: an operand of a matrix instruction is in another layout than the instruction takes.
pub fn operand_layout(
    place: Place,
    what: &str,
    acc: &Accumulator,
    facts: &WrongOperand,
) -> Diagnostic {
    let WrongOperand { name, got, got_from, wanted, cost } = facts;
    let message = format!("`{name}` is in `{got}`, `{what}` takes it in `{wanted}`");
    let mut it = Diagnostic::new(Code::E0309, message, place.clone());
    if let Some(from) = got_from {
        it = it.because(from.clone(), format!("`{got}` comes from here"));
    }
    it = acc.because(it);
    it.fixes.push(convert_operand(&place, wanted));
    let price = cost.map_or(String::new(), |it| format!(": {}", price(it)));
    it.help(format!("load it in that layout, or `.convert({wanted})`{price}"))
}

/// E0305: the accumulator has no layout, so nothing says which instruction is meant.
pub fn acc_without_layout(place: Place, what: &str) -> Diagnostic {
    Diagnostic::new(Code::E0305, "the accumulator has no layout yet".to_owned(), place)
        .help(format!("give it that of an accumulator, `@ {what}::acc(…)`"))
}

/// E0309: the accumulator is in no layout of an accumulator.
pub fn no_accumulator(place: Place, what: &str, got: &str) -> Diagnostic {
    let message = format!("the accumulator is in `{got}`, which no instruction of `{what}` fills");
    Diagnostic::new(Code::E0309, message, place)
        .help(format!("make it in `{what}::acc(…)`, as in `zeros(f32[64, 64] @ {what}::acc(…))`"))
}

/// E0259: the target's matrix unit does not multiply elements of these types.
pub fn no_types(
    place: Place,
    what: &str,
    target: &str,
    got: [DType; 3],
    having: &[[DType; 3]],
) -> Diagnostic {
    let message = format!("`{what}` on `{target}` has no {}", product(got));
    let list: Vec<String> = having.iter().map(|&it| product(it)).collect();
    Diagnostic::new(Code::E0259, message, place).help(format!("it has {}", list.join(", ")))
}

fn product([a, b, acc]: [DType; 3]) -> String {
    format!("`{a} × {b} + {acc}`")
}

/// E0253: the shapes of a product do not go together.
pub fn shapes(place: Place, a: &[u32], b: &[u32], acc: &[u32]) -> Diagnostic {
    let [a, b, acc] = [a, b, acc].map(describe_shape);
    let message =
        format!("shapes {a}, {b} and {acc} are no product: `[m, k]`, `[k, n]` and `[m, n]` are");
    Diagnostic::new(Code::E0253, message, place)
}

/// E0260: an extent is no multiple of the instruction's.
pub fn extent(place: Place, name: &str, extent: u32, instruction: &str, unit: u32) -> Diagnostic {
    let message = format!("{name} is {extent}, `{instruction}` multiplies {unit} at a time");
    Diagnostic::new(Code::E0260, message, place)
        .help(format!("make it a multiple of {unit}; zeros beyond the end change nothing"))
}

/// E0260: the accumulator names an instruction that the target does not have for the types.
pub fn no_shape(
    place: Place,
    what: &str,
    target: &str,
    types: [DType; 3],
    acc: &Accumulator,
    having: &[String],
) -> Diagnostic {
    let message = format!("`{what}` on `{target}` has no {} for `{}`", product(types), acc.layout);
    let list: Vec<String> = having.iter().map(|it| format!("`{it}`")).collect();
    acc.because(Diagnostic::new(Code::E0260, message, place))
        .help(format!("its instructions for these types are those of {}", list.join(", ")))
}

/// P0102: a product is computed without a matrix unit.
pub fn without_unit(place: Place, target: &str, types: [DType; 3]) -> Diagnostic {
    let message = format!("no matrix unit of `{target}` computes {}", product(types));
    Diagnostic::new(Code::P0102, message, place).help(
        "convert the factors to a type that it multiplies, or leave it to the arithmetic units",
    )
}
