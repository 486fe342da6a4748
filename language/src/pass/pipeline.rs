//! Software pipelining: loops marked `pipelined(n)` are spread over iterations; fetches become copies.
//!
//! # Requires
//! Waits ([`super::waits`]) for the program's own copies.
//!
//! # Establishes
//! * No `copy.fetch` is left, no loop is marked. A fetch that could be done ahead goes into one of
//!   several buffers; any other is a buffer, a copy and a wait for it.
//! * The loop's meaning is as before, for any number of turns.
//!
//! # Idea
//! What is done ahead, and how far, is a table ([`schedule`]); what a table means is one generic
//! expander ([`expand`]). A fetch or a load can be done ahead if where it reads can be computed for
//! any turn ([`free`]) and nothing in the loop may write what it reads. What cannot is a [`Refusal`],
//! which the analyses report.

mod expand;
mod free;
mod schedule;
#[cfg(test)]
mod tests;

use rustc_hash::FxHashSet;
use smallvec::smallvec;

use super::place::new_inst;
use crate::analysis::{Facts, copy_access};
use crate::ir::{Inst, Kernel, Region, SiteId, Value};
use crate::op::{CopyOp, FlowOp, MemoryOp, Op, SharedOp};
use crate::target::Cap;
use expand::expand;
use free::Free;
use schedule::{Moved, default_schedule};

/// What a program asks for.
#[derive(Clone, Copy)]
struct Pipelining {
    stages: u32,
    /// The loop.
    site: SiteId,
}

/// Something that was asked for and cannot be done ahead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The loop.
    pub site: SiteId,
    /// The fetch or load; `None` if the loop has none.
    pub what: Option<SiteId>,
    /// `fetch` or `load`.
    pub verb: &'static str,
    /// What prevents it.
    pub why: Obstacle,
}

/// Why something cannot be done ahead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Obstacle {
    /// Where it reads depends on a value that is known only when the turn before is done.
    Carried {
        /// The carried value.
        value: Value,
        /// What makes it, if that is in the loop.
        next: Option<SiteId>,
    },
    /// Where it reads depends on a result of the same turn.
    Computed(SiteId),
    /// The loop may write what it reads.
    Written(SiteId),
    /// It stands in a branch or a loop inside.
    Inside(SiteId),
    /// There is nothing to do ahead.
    Nothing,
}

/// The kernel without fetches and marked loops.
pub fn pipeline(mut kernel: Kernel) -> Kernel {
    let mut wanted = false;
    kernel.body.walk(&mut |inst| wanted |= is_fetch(inst) || asked(inst).is_some());
    if !wanted {
        return kernel;
    }
    let copied = copied(&kernel);
    let mut body = std::mem::take(&mut kernel.body);
    spread(&mut kernel, &mut body, &copied);
    fetch_now(&mut body);
    kernel.body = body;
    crate::elab::tidy(kernel)
}

/// What of the marked loops cannot be done ahead, in the order of the text.
pub fn refusals(kernel: &Kernel) -> Vec<Refusal> {
    let mut found = Vec::new();
    kernel.body.walk(&mut |inst| {
        if let Some(asked) = asked(inst) {
            found.extend(plan(kernel, inst, asked).refused);
        }
    });
    found
}

fn is_fetch(inst: &Inst) -> bool {
    matches!(inst.op, Op::Copy(CopyOp::Fetch { .. }))
}

fn is_load(inst: &Inst) -> bool {
    matches!(inst.op, Op::Memory(MemoryOp::Load { .. }))
}

/// What a program asks of an instruction.
fn asked(inst: &Inst) -> Option<Pipelining> {
    match inst.op {
        Op::Flow(FlowOp::For { stages: Some(stages), .. }) => {
            Some(Pipelining { stages, site: inst.site })
        }
        _ => None,
    }
}

/// The fetches that the target makes by copies that are only started.
fn copied(kernel: &Kernel) -> FxHashSet<Value> {
    let mut copied = FxHashSet::default();
    let facts = Facts::of(kernel);
    kernel.body.walk(&mut |inst| {
        let is_copied = || {
            kernel.target.row().has(Cap::CpAsync) || copy_access(kernel, &facts, inst).is_started
        };
        if is_fetch(inst) && is_copied() {
            copied.insert(inst.results[0]);
        }
    });
    copied
}

/// Spreads the marked loops of a region, inner loops first.
fn spread(kernel: &mut Kernel, region: &mut Region, copied: &FxHashSet<Value>) {
    for mut inst in std::mem::take(&mut region.insts) {
        inst.regions.iter_mut().for_each(|it| spread(kernel, it, copied));
        let Some(asked) = asked(&inst) else {
            region.insts.push(inst);
            continue;
        };
        let moved = plan(kernel, &inst, asked).moved;
        if moved.is_empty() {
            inst.op = without_mark(&inst.op);
            region.insts.push(inst);
        } else {
            let schedule =
                default_schedule(kernel, &inst.regions[0], &Moved { moved, copied }, asked);
            region.insts.extend(expand(kernel, inst, schedule));
        }
    }
}

fn without_mark(op: &Op) -> Op {
    match op {
        Op::Flow(FlowOp::For { unroll, .. }) => {
            Op::Flow(FlowOp::For { unroll: *unroll, stages: None })
        }
        other => other.clone(),
    }
}

/// What is done ahead in a loop.
#[derive(Default)]
struct Plan {
    /// Instructions of the body.
    moved: Vec<usize>,
    refused: Vec<Refusal>,
}

fn plan(kernel: &Kernel, looped: &Inst, asked: Pipelining) -> Plan {
    if asked.stages < 2 {
        return Plan::default();
    }
    let body = &looped.regions[0];
    let free = Free::of(body);
    let (mut plan, mut refused_loads) = (Plan::default(), Vec::new());
    for (at, inst) in body.insts.iter().enumerate() {
        if !is_fetch(inst) && !is_load(inst) {
            let inside = |it| asked.refused(it, Obstacle::Inside(inst.site));
            plan.refused.extend(fetches_inside(inst).into_iter().map(inside));
            continue;
        }
        match obstacle(kernel, body, &free, inst) {
            None => plan.moved.push(at),
            Some(why) if is_fetch(inst) => plan.refused.push(asked.refused(inst, why)),
            Some(why) => refused_loads.push(asked.refused(inst, why)),
        }
    }
    // Loads beside fetches are nobody's wish; alone they are what was asked for.
    if plan.moved.is_empty() && plan.refused.is_empty() {
        plan.refused = refused_loads;
        if plan.refused.is_empty() {
            let (site, why) = (asked.site, Obstacle::Nothing);
            plan.refused.push(Refusal { site, what: None, verb: "", why });
        }
    }
    plan
}

impl Pipelining {
    fn refused(self, inst: &Inst, why: Obstacle) -> Refusal {
        let verb = if is_fetch(inst) { "fetch" } else { "load" };
        Refusal { site: self.site, what: Some(inst.site), verb, why }
    }
}

/// The fetches in branches and loops of an instruction, without those of marked loops.
fn fetches_inside(inst: &Inst) -> Vec<&Inst> {
    let mut found = Vec::new();
    if asked(inst).is_none() {
        for inner in inst.regions.iter().flat_map(|it| &it.insts) {
            found.extend(is_fetch(inner).then_some(inner));
            found.extend(fetches_inside(inner));
        }
    }
    found
}

/// What prevents a fetch or a load from being done ahead.
fn obstacle(kernel: &Kernel, body: &Region, free: &Free<'_>, inst: &Inst) -> Option<Obstacle> {
    if let Some(bound) = inst.operands.iter().find(|it| !free.has(**it)) {
        let root = free.root(*bound);
        return Some(match free.definition(root) {
            Some(it) => Obstacle::Computed(it.site),
            None => {
                let at = body.params[1..].iter().position(|it| *it == root);
                let next = at.and_then(|it| free.definition(body.yields[it]));
                Obstacle::Carried { value: root, next: next.map(|it| it.site) }
            }
        });
    }
    if is_constant(kernel, free, inst.operands[0]) {
        return None;
    }
    let mut write = None;
    body.walk(&mut |it| {
        let writes = matches!(
            it.op,
            Op::Memory(
                MemoryOp::Store { .. } | MemoryOp::Atomic { .. } | MemoryOp::AtomicCas { .. }
            )
        );
        if writes && write.is_none() {
            write = Some(it.site);
        }
    });
    write.map(Obstacle::Written)
}

/// Whether pointers are into a tensor that the kernel does not write, as far as the body shows.
fn is_constant(kernel: &Kernel, free: &Free<'_>, pointers: Value) -> bool {
    let mut value = pointers;
    while let Some(inst) = free.definition(value) {
        match (&inst.op, &inst.operands[..]) {
            (Op::Memory(MemoryOp::At { tensor }), _) => {
                return !kernel.tensors[*tensor as usize].mutable;
            }
            (_, [from, ..]) => value = *from,
            _ => return false,
        }
    }
    false
}

/// Makes what is left of the fetches buffers and copies: those that follow each other are one group,
/// which is waited for before the first use of one of them.
fn fetch_now(region: &mut Region) {
    let mut fetched: FxHashSet<Value> = FxHashSet::default();
    let mut last = None;
    for mut inst in std::mem::take(&mut region.insts) {
        inst.regions.iter_mut().for_each(fetch_now);
        if let Op::Copy(CopyOp::Fetch { align }) = inst.op {
            region.insts.extend(started(&inst, align));
            fetched.insert(inst.results[0]);
            last = Some(inst.site);
            continue;
        }
        let uses = inst.operands.iter().any(|it| fetched.contains(it));
        let is_view = matches!(
            inst.op,
            Op::Shared(
                SharedOp::Index { .. }
                    | SharedOp::Slice { .. }
                    | SharedOp::Recast
                    | SharedOp::Overlay
                    | SharedOp::On
            )
        );
        if uses && is_view {
            fetched.extend(&inst.results);
        } else if uses || !inst.regions.is_empty() {
            region.insts.extend(last.take().into_iter().flat_map(landed));
        }
        region.insts.push(inst);
    }
    region.insts.extend(last.into_iter().flat_map(landed));
}

/// A fetch as a buffer and a copy that is in flight.
fn started(fetch: &Inst, align: u32) -> [Inst; 2] {
    let buffer: Value = fetch.results[0];
    let mut alloc = new_inst(Op::Shared(SharedOp::Alloc { align }), fetch.site);
    alloc.results = smallvec![buffer];
    let mut copy = new_inst(Op::Copy(CopyOp::Async), fetch.site);
    copy.operands = smallvec![buffer];
    copy.operands.extend(fetch.operands.iter().copied());
    [alloc, copy]
}

/// Closes the group of the copies in flight and waits for it.
fn landed(site: SiteId) -> [Inst; 2] {
    let wait = CopyOp::Wait { in_flight: 0 };
    [CopyOp::Commit, wait].map(|it| new_inst(Op::Copy(it), site))
}
