//! Wording of what concerns memory of elements that are smaller than a byte: E0609, and E0606 for extents.

use super::names::count;
use crate::analysis::{Cause, Why};
use crate::diagnostic::{Code, Diagnostic};
use crate::dtype::DType;
use crate::ir::{Kernel, Place, SiteId};

fn new(kernel: &Kernel, site: SiteId, message: String) -> Diagnostic {
    Diagnostic::new(Code::E0609, message, kernel.sites[site.0 as usize].place.clone())
}

/// One element alone is moved; `whole` are whole bytes.
pub fn single(kernel: &Kernel, site: SiteId, verb: &str, whole: u32) -> Diagnostic {
    let message =
        format!("this {verb} takes one element of memory, where {whole} make whole bytes");
    new(kernel, site, message).help(format!(
        "move a tile in which every thread has {whole} neighbours, or see the memory as `u8`"
    ))
}

/// A thread moves `bits` at once.
pub fn narrow(
    kernel: &Kernel,
    site: SiteId,
    verb: &str,
    bits: u32,
    whole: u32,
    why: Option<Why>,
) -> Diagnostic {
    let message = format!("this {verb} takes {bits} bits a thread, where memory has whole bytes");
    let mut it = new(kernel, site, message);
    let cause = why.map(|why| {
        it.reasons = why.reasons;
        why.cause
    });
    match cause {
        Some(Cause::Size { name, divisor, .. }) => {
            let clause = format!("{name} % {divisor} == 0");
            it.fixes.push(super::performance::add_clause(kernel, &clause));
            it.help(format!("if the callers allow it, add `where {clause}`"))
        }
        Some(Cause::Fixed) => it.help(format!(
            "groups of {} must begin at whole bytes",
            count(whole as usize, "element")
        )),
        Some(Cause::Layout { .. }) | None => it.help(format!(
            "take a layout whose lowest registers hold {whole} neighbours in memory, such as \
             `blocked(regs: [1, {whole}], …)` or `blocked::coalesced(shape, T)`"
        )),
    }
}

/// A view begins where `whole` elements are cut.
pub fn cut(kernel: &Kernel, site: SiteId, axis: usize, whole: u32) -> Diagnostic {
    let message =
        format!("this view may begin within a byte, where {whole} elements make whole ones");
    new(kernel, site, message)
        .help(format!("take a multiple of {whole} along dimension {axis}, and as many at least"))
}

/// E0606: an extent or a stride of a tensor that ends within a byte.
pub fn extent(place: Place, dtype: DType, elements: i64, whole: u32) -> Diagnostic {
    let bits = i64::from(dtype.storage_bits());
    let message = format!("rows of {elements} elements of {bits} bits are no whole bytes",);
    Diagnostic::new(Code::E0606, message, place).help(format!("make it a multiple of {whole}"))
}
