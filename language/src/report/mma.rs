//! Wording of what concerns matrix units.

use tile_layout::Cost;

use super::layouts::{convert_operand, price};
use crate::diagnostic::{Code, Diagnostic};
use crate::dtype::DType;
use crate::elab::rules::describe_shape;
use crate::ir::{Kernel, Place, SiteId};
use crate::pass::Misuse;

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

/// E0253: factors of a warp group's product that are no matrices.
pub fn not_two_dimensions(place: Place, a: &[u32], b: &[u32]) -> Diagnostic {
    let [a, b] = [a, b].map(describe_shape);
    let message = format!("`wgmma` multiplies matrices, these are {a} and {b}");
    Diagnostic::new(Code::E0253, message, place).help("take one of the leading indices")
}

/// E0260: the accumulator's columns are not whole instructions.
pub fn columns(
    place: Place,
    extent: u32,
    n: u32,
    instruction: &str,
    other: Option<u32>,
) -> Diagnostic {
    let message = format!("{extent} columns are not made of `{instruction}` with {n} columns");
    let it = Diagnostic::new(Code::E0260, message, place);
    match other {
        Some(n) => it.help(format!("make the accumulator in `wgmma::acc(n: {n})`")),
        None => it.help("columns are multiples of 8, for integers of 16 from 32 on"),
    }
}

/// E0310: a factor lies in shared memory as no descriptor tells.
pub fn no_descriptor(
    place: Place,
    name: &str,
    got: Option<String>,
    dtype: DType,
    depth_bytes: u32,
    is_left: bool,
) -> Diagnostic {
    let got = got.map_or("so".to_owned(), |it| format!("in `{it}`"));
    let message = format!("`{name}` lies {got}, as `wgmma` cannot read it");
    let swizzle = [128, 64].into_iter().find(|it| depth_bytes.is_multiple_of(*it)).unwrap_or(32);
    let (shape, view) = if is_left { ("[m, k]", "") } else { ("[n, k]", ", and give its `.t()`") };
    let turned = if dtype.storage_bits() == 16 {
        ""
    } else {
        "; only elements of 16 bits may lie with their neighbours along `k` apart"
    };
    Diagnostic::new(Code::E0310, message, place)
        .help(format!("declare it `{shape} @ nvmma(swizzle: {swizzle})`{view}{turned}"))
}

/// E0720, E0721: a product in flight is used as if it were there.
pub fn pending(kernel: &Kernel, it: &Misuse) -> Diagnostic {
    let place = |site: SiteId| kernel.sites[site.0 as usize].place.clone();
    let (start, at) = (place(it.start), place(it.at));
    match it.taken {
        None => {
            let message = "this uses a product that is not waited for".to_owned();
            Diagnostic::new(Code::E0720, message, at)
                .because(start, "it starts here, and runs beside the program")
                .help("use what `.wait()` of the product gives")
        }
        Some(taken) => {
            let message = "this uses a product to which more was added since".to_owned();
            Diagnostic::new(Code::E0721, message, at)
                .because(start, "it starts here")
                .because(place(taken), "and goes on here, in the same registers")
                .help("use the sum, or wait for the product before more is added")
        }
    }
}

/// P0102: a product is computed without a matrix unit.
pub fn without_unit(place: Place, target: &str, types: [DType; 3]) -> Diagnostic {
    let message = format!("no matrix unit of `{target}` computes {}", product(types));
    Diagnostic::new(Code::P0102, message, place).help(
        "convert the factors to a type that it multiplies, or leave it to the arithmetic units",
    )
}
