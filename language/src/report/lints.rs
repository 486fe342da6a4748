//! Wording of what lints find: P0110 and on.

use tile_layout::Spec;

use crate::analysis::pressure::{Held, Pressure};
use crate::analysis::sectors::{SECTOR_BYTES, Sectors};
use crate::diagnostic::{Code, Diagnostic, Reason};
use crate::ir::{Inst, Kernel, SiteId};
use crate::op::flow::Role;
use crate::op::{MemoryOp, Op, SharedOp};

fn warning(code: Code, kernel: &Kernel, site: SiteId, message: String) -> Diagnostic {
    let (place, inner) = (kernel.own_place(site), &kernel.sites[site.0 as usize].place);
    let it = Diagnostic::new(code, message, place);
    match it.place == *inner {
        true => it,
        false => it.because(inner.clone(), "inside the call, here"),
    }
}

fn verb(inst: &Inst) -> &'static str {
    match inst.op {
        Op::Memory(MemoryOp::Load { .. }) | Op::Shared(SharedOp::Load) => "load",
        Op::Memory(MemoryOp::Store { .. }) | Op::Shared(SharedOp::Store) => "store",
        _ => "copy",
    }
}

/// P0110: a warp's accesses touch more sectors than their bytes fill.
pub fn scattered(kernel: &Kernel, inst: &Inst, found: &Sectors, along: u32) -> Diagnostic {
    let Sectors { touched, least, run_bytes, .. } = *found;
    let verb = verb(inst);
    let message = format!(
        "what a warp moves in this {verb} lies in {touched} sectors of {SECTOR_BYTES} bytes, where it would fill {least}"
    );
    let mut it = warning(Code::P0110, kernel, inst.site, message);
    it.reasons.push(Reason {
        place: it.place.clone(),
        message: format!(
            "{run_bytes} bytes lie together in memory along dimension {along} of the tile, \
             and the layout gives them to lanes that are far from each other"
        ),
    });
    it.help = Some(format!(
        "let neighbouring lanes hold neighbours along dimension {along}, as `coalesced(shape, T)` does, and \
         `convert` where another layout is needed"
    ));
    it
}

/// P0111: the banks repeat an access to shared memory, and another layout of the buffer is better.
pub fn bank_conflicts(
    kernel: &Kernel,
    inst: &Inst,
    conflicts: u32,
    (now, then, best): (u32, u32, &Spec),
) -> Diagnostic {
    let verb = verb(inst);
    let count = if conflicts == 1 { "access" } else { "accesses" };
    let message =
        format!("the banks of shared memory repeat {conflicts} {count} of a warp in this {verb}");
    let mut it = warning(Code::P0111, kernel, inst.site, message);
    it.reasons.push(Reason {
        place: it.place.clone(),
        message: format!("all accesses to the buffer take a warp {now} turns at the banks, with another layout {then}"),
    });
    it.help = Some(format!("give the buffer the layout `{}`", constructor(best)));
    it
}

/// A shared layout as the program would write it.
fn constructor(spec: &Spec) -> String {
    match spec {
        Spec::Swizzled { vec, per_phase, max_phase, .. } => {
            format!("swizzled(vec: {vec}, per_phase: {per_phase}, max_phase: {max_phase})")
        }
        Spec::Padded { pads, .. } => {
            let pads: Vec<String> = pads.iter().map(|(n, pad)| format!("({n}, {pad})")).collect();
            format!("padded([{}])", pads.join(", "))
        }
        _ => unreachable!("V3: only swizzles and paddings are tried"),
    }
}

/// P0112: a mask that is always true.
pub fn needless_mask(kernel: &Kernel, site: SiteId, verb: &str) -> Diagnostic {
    let message = format!("the mask of this {verb} is always true");
    let mut it = warning(Code::P0112, kernel, site, message);
    it.help = Some("leave it out: what is known of sizes and indices says the same".to_owned());
    it
}

/// P0113: more values live at once than a thread has registers.
pub fn spills(kernel: &Kernel, found: &Pressure, limit: u32) -> Diagnostic {
    let wanted = found.wanted;
    let message =
        format!("about {wanted} registers a thread are wanted at once, and a thread has {limit}");
    let head = kernel.clauses.head;
    let mut it = warning(Code::P0113, kernel, head, message);
    it.place = found.peak.clone().unwrap_or(it.place);
    let named = |it: &&Held| !it.name.is_empty() && it.registers >= 8;
    for held in found.held.iter().filter(named).take(3) {
        let Some(place) = held.place.clone() else { continue };
        let message = format!("`{}` takes {} of them", held.name, held.registers);
        it.reasons.push(Reason { place, message });
    }
    it.help = Some(
        "take smaller tiles or more warps, or let less live at once: what does not fit is kept in memory".to_owned(),
    );
    it
}

/// P0113: more values live at once in a role than its threads have registers.
pub fn role_spills(kernel: &Kernel, role: &Role, wanted: u32, given: u32) -> Diagnostic {
    let name = super::roles::name(role);
    let message =
        format!("role `{name}` wants about {wanted} registers a thread at once, and has {given}");
    let site = kernel.roles().map_or(kernel.clauses.head, |it| it.0.site);
    let mut it = warning(Code::P0113, kernel, site, message);
    it.help = Some(
        "give it more of the other roles' by `regs`, more warps, or smaller tiles: what does not fit is kept in memory"
            .to_owned(),
    );
    it
}

/// P0114: an integer division in every turn of an innermost loop.
pub fn division(kernel: &Kernel, site: SiteId, bits: u32) -> Diagnostic {
    let cost = if bits == 64 { "about a hundred" } else { "about twenty" };
    let message = format!(
        "every turn of this loop divides integers of {bits} bits, {cost} instructions each"
    );
    let mut it = warning(Code::P0114, kernel, site, message);
    it.help = Some(
        "count quotient and remainder up from turn to turn, or divide by a number that is known at compile time".to_owned(),
    );
    it
}
