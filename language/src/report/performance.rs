//! Wording of what costs performance or safety: P01xx and W06xx.

use crate::analysis::{Cause, Why};
use crate::diagnostic::{Code, Diagnostic, Fix};
use crate::ir::{Kernel, Place, SiteId, Tensor};
use crate::pass::{Obstacle, Refusal};

/// What [`narrow_access`] is told.
#[derive(Debug)]
pub struct Narrow {
    /// `load` or `store`.
    pub verb: &'static str,
    /// Bytes a thread and instruction.
    pub bytes: u32,
    /// Bytes that would fit.
    pub ideal_bytes: u32,
    /// Why.
    pub why: Why,
}

/// P0101: a load or store moves fewer bytes at once than it could.
pub fn narrow_access(kernel: &Kernel, site: SiteId, found: &Narrow) -> Diagnostic {
    let Narrow { verb, bytes, ideal_bytes, why } = found;
    let (help, fixes) = match &why.cause {
        Cause::Size { name, divisor, .. } => {
            let clause = format!("{name} % {divisor} == 0");
            let help = format!("if the callers allow it, add `where {clause}`");
            (Some(help), vec![add_clause(kernel, &clause)])
        }
        Cause::Layout { run } => (Some(layout_help(*run)), Vec::new()),
        Cause::Fixed => (None, Vec::new()),
    };
    Diagnostic {
        code: Code::P0101,
        severity: Code::P0101.severity(),
        message: format!("this {verb} is {bytes} bytes a thread where {ideal_bytes} would fit"),
        place: place(kernel, site),
        reasons: why.reasons.clone(),
        steps: Vec::new(),
        help,
        fixes,
    }
}

fn layout_help(run: u32) -> String {
    let elements = if run == 1 { "1 element".to_owned() } else { format!("{run} elements") };
    format!(
        "a thread's lowest registers hold {elements} in a row of memory; a layout with more `regs` \
         along that dimension, such as `coalesced(shape, T)`, would hold more"
    )
}

/// A quick fix that adds a condition to the kernel's `where` clause.
pub(super) fn add_clause(kernel: &Kernel, clause: &str) -> Fix {
    let site = kernel.clauses.last.unwrap_or(kernel.clauses.head);
    super::boxes::add_clause(place(kernel, site), kernel.clauses.last.is_some(), clause)
}

/// W0601: an access without a mask whose index could leave the tensor.
pub fn unmasked(
    kernel: &Kernel,
    site: SiteId,
    verb: &str,
    axis: usize,
    size: &str,
    range: (Option<i64>, Option<i64>),
    tensor: &Tensor,
) -> Diagnostic {
    let name = &tensor.name;
    let known = match range {
        (Some(lo), Some(hi)) => format!("its index is known to be in {lo} ..= {hi}"),
        (Some(lo), None) => format!("its index is known to be at least {lo}, with no upper bound"),
        (None, Some(hi)) => format!("its index is known to be at most {hi}, with no lower bound"),
        (None, None) => "nothing bounds its index".to_owned(),
    };
    Diagnostic {
        code: Code::W0601,
        severity: Code::W0601.severity(),
        message: format!(
            "this {verb} is not masked, and dimension {axis} of `{name}` is not known to hold it"
        ),
        place: place(kernel, site),
        reasons: vec![crate::diagnostic::Reason {
            place: place(kernel, tensor.site),
            message: format!("dimension {axis} has {size} elements; {known}"),
        }],
        steps: Vec::new(),
        help: Some(format!(
            "add `mask: {name}.has(…)` with the same indices, or a `where` clause that bounds them"
        )),
        fixes: Vec::new(),
    }
}

/// P0103: something in a loop marked `pipelined` cannot be done ahead.
pub fn not_ahead(kernel: &Kernel, refusal: &Refusal) -> Diagnostic {
    let Refusal { site, what, verb, why } = refusal;
    let reason = |site: SiteId, message: String| crate::diagnostic::Reason {
        place: place(kernel, site),
        message,
    };
    let (because, cause, help) = match why {
        Obstacle::Carried { value, next } => {
            let decl = &kernel.values[value.0 as usize];
            let name = if decl.name.is_empty() { "a value" } else { decl.name.as_str() };
            let text = format!("where it reads depends on `{name}`, which the turn before makes");
            let cause =
                next.map(|it| reason(it, format!("`{name}` of the next turn is made here")));
            (text, cause, "compute where it reads from the loop's index")
        }
        Obstacle::Computed(at) => (
            "where it reads is computed in the same turn".to_owned(),
            Some(reason(*at, "from this".to_owned())),
            "compute where it reads from the loop's index, or load it a turn before yourself",
        ),
        Obstacle::Written(at) => (
            "the loop may write what it reads".to_owned(),
            Some(reason(*at, "written here".to_owned())),
            "read from a tensor that is not `mut`, or write after the loop",
        ),
        Obstacle::Inside(at) => (
            "it stands in a branch or a loop inside".to_owned(),
            Some(reason(*at, "inside this".to_owned())),
            "do it in every turn, with a mask where it should not be",
        ),
        Obstacle::Nothing => (
            "it has no fetch and no load".to_owned(),
            None,
            "bring what it reads by `fetch`, or leave out `pipelined`",
        ),
    };
    let message = match what {
        Some(_) => format!("this {verb} is not done ahead: {because}"),
        None => format!("nothing in this loop is done ahead: {because}"),
    };
    let asked = what.map(|_| reason(*site, "the loop is to be pipelined".to_owned()));
    Diagnostic {
        code: Code::P0103,
        severity: Code::P0103.severity(),
        message,
        place: place(kernel, what.unwrap_or(*site)),
        reasons: asked.into_iter().chain(cause).collect(),
        steps: Vec::new(),
        help: Some(help.to_owned()),
        fixes: Vec::new(),
    }
}

/// Where an instruction stands.
fn place(kernel: &Kernel, site: SiteId) -> Place {
    kernel.sites[site.0 as usize].place.clone()
}

/// A tensor's address is less aligned than an access needs.
pub fn base_alignment(tensor: &str, align: u32) -> String {
    format!("`{tensor}` is aligned to {align} bytes")
}

/// A row begins at a product with a size.
pub fn row_start(row: &str, apart: &str, bits: u64) -> String {
    let alignment =
        if bits.is_multiple_of(8) { format!("{} bytes", bits / 8) } else { format!("{bits} bits") };
    format!("row `{row}` starts at `{row} * {apart}`, so its alignment is {alignment}")
}

/// A size without a known divisor.
pub fn no_divisor(name: &str) -> String {
    format!("nothing is known to divide {name}")
}

/// P0104: a fence after nothing.
pub fn needless_fence(kernel: &Kernel, fence: SiteId) -> Diagnostic {
    let message = "this fence orders nothing: nothing was done in shared memory since the last one";
    Diagnostic::new(Code::P0104, message.to_owned(), kernel.outer_place(fence).clone())
        .help("remove it: the compiler puts a fence where warps wrote what an engine reads next")
}

/// Neighbours of the tile lie far apart.
pub fn far_apart(axis: usize, apart: &str) -> String {
    format!("neighbours along dimension {axis} of the tile are {apart} elements apart in memory")
}

/// An index that counts in steps.
pub fn steps() -> String {
    "this index counts in steps larger than 1".to_owned()
}

/// A mask that can change inside a group.
pub fn mask_changes(text: &str, group: u32) -> String {
    format!("the mask `{text}` can change inside a group of {group} elements")
}
