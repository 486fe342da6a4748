//! A counter-example to read: what the roles did on the way to a fault, in the order of one run.
//!
//! The run is the shortest of those that were tried. Of its events those are told that are about the barriers of the fault,
//! or about the memory that is raced for, and of them the last few.

use rustc_hash::FxHashSet;
use smol_str::{SmolStr, format_smolstr};

use super::check::Fault;
use super::skeleton::Skeleton;
use super::trace::Event;
use crate::ir::{Kernel, SiteId, Value};
use crate::op::{CopyOp, FlowOp, MmaOp, Op, SharedOp, SyncOp};

/// What is wrong, and how it comes to that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counterexample {
    /// What is wrong.
    pub fault: Fault,
    /// What the run's free scalars are, those that have a name.
    pub choice: Vec<(SmolStr, u64)>,
    /// How it comes to that, in the order of the run.
    pub steps: Vec<Step>,
    /// How many steps before them are left out.
    pub n_left_out: usize,
}

/// What a role does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The role, `math[0]`; empty before the roles.
    pub role: SmolStr,
    /// The instruction.
    pub site: SiteId,
    /// What it does.
    pub deed: Deed,
    /// The barrier that it is about, `full[1]`.
    pub barrier: Option<SmolStr>,
}

/// What an event is, to somebody who reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    /// A wait for so many phases that goes on.
    Waits(i64),
    /// A wait for so many phases that does not.
    Hangs(i64),
    /// An arrival.
    Arrives,
    /// It comes to a named barrier, and waits there if it does not only arrive.
    Meets,
    /// An arrival that expects bytes.
    Expects(u32),
    /// A copy of memory starts.
    Copies,
    /// A copy from shared memory starts.
    CopiesOut,
    /// A barrier is held open or told of bytes.
    Signals,
    /// Copies or products are waited for.
    Finishes,
    /// A product starts.
    Multiplies,
    /// Shared memory is read.
    Reads,
    /// Shared memory is written.
    Writes,
}

/// Steps that are told, at most.
const STEPS_MAX: usize = 12;

/// A run up to its fault: which events of which lists happened, in their order, and where each role stands.
pub(super) struct Told<'r, 'a> {
    pub(super) lists: &'r [Vec<Event<'a>>],
    pub(super) done: &'r [(usize, usize)],
    pub(super) next: &'r [usize],
}

impl<'a> Told<'_, 'a> {
    /// The counter-example of a fault in this run.
    pub(super) fn counterexample(
        &self,
        skeleton: &Skeleton<'_>,
        choice: &[u64],
        fault: Fault,
    ) -> Counterexample {
        let kernel = skeleton.kernel;
        let names = Names::of(kernel);
        let wanted = self.wanted(&fault);
        let is_told = |event: &Event<'a>| match event.barrier() {
            Some(key) => wanted.barriers.contains(&key),
            None => wanted.sites.contains(&event.inst.site),
        };
        let step = |role: usize, event: &Event<'a>, hangs: bool| Step {
            role: names.role(role, self.lists.len()),
            site: event.inst.site,
            deed: deed(event, hangs),
            barrier: event.barrier().map(|key| names.barrier(kernel, &key)),
        };
        let done = self.done.iter().map(|&(role, at)| (role, &self.lists[role][at]));
        let mut steps: Vec<Step> =
            done.filter(|it| is_told(it.1)).map(|(role, it)| step(role, it, false)).collect();
        // Where the roles stand: at waits that never end, or one at what is wrong.
        let hangs = matches!(fault, Fault::Hang(_));
        for (role, list) in self.lists.iter().enumerate() {
            let stands = list.get(self.next[role]).filter(|it| is_told(it));
            steps.extend(
                stands
                    .filter(|_| hangs || wanted.last == Some(role))
                    .map(|it| step(role, it, hangs)),
            );
        }
        let n_left_out = steps.len().saturating_sub(STEPS_MAX);
        steps.drain(..n_left_out);
        Counterexample { fault, choice: skeleton.named(choice), steps, n_left_out }
    }

    /// What the steps that are told are about.
    fn wanted(&self, fault: &Fault) -> Wanted {
        let at = |site: SiteId| {
            let here = |role: usize| self.lists[role].get(self.next[role]);
            (0..self.lists.len()).find(|&it| here(it).is_some_and(|it| it.inst.site == site))
        };
        let (sites, last) = match fault {
            Fault::Hang(waits) => (waits.clone(), None),
            Fault::Race(a, b) | Fault::RaceOfBlocks(a, b) | Fault::Apart(a, b) => {
                (vec![*a, *b], at(*b))
            }
            Fault::Early(arrival, last) => (vec![*arrival, *last], at(*arrival)),
            Fault::Overtaken(wait, last) | Fault::Older(wait, last) => {
                (vec![*wait, *last], at(*wait).or_else(|| at(*last)))
            }
            Fault::Abandoned(copy) => (vec![*copy], None),
        };
        let stand = (0..self.lists.len()).filter_map(|it| self.lists[it].get(self.next[it]));
        let done = self.done.iter().map(|&(role, it)| &self.lists[role][it]);
        let told = stand.chain(done).filter(|it| sites.contains(&it.inst.site));
        let barriers = told.filter_map(Event::barrier).collect();
        Wanted { sites, barriers, last }
    }
}

/// What a fault is about.
struct Wanted {
    sites: Vec<SiteId>,
    barriers: FxHashSet<(Value, Vec<i64>)>,
    /// The role that stands at what is wrong.
    last: Option<usize>,
}

fn deed(event: &Event<'_>, hangs: bool) -> Deed {
    match event.inst.op {
        Op::Sync(SyncOp::Wait) => {
            let phases = event.scalar(event.inst.operands[1]);
            if hangs { Deed::Hangs(phases) } else { Deed::Waits(phases) }
        }
        Op::Sync(SyncOp::Expect { bytes }) => Deed::Expects(bytes),
        Op::Copy(CopyOp::Hold | CopyOp::Signal { .. }) => Deed::Signals,
        Op::Copy(
            CopyOp::Async | CopyOp::Box { .. } | CopyOp::Fetch { .. } | CopyOp::Prefetch { .. },
        ) => Deed::Copies,
        Op::Copy(CopyOp::BoxOut { .. }) => Deed::CopiesOut,
        Op::Copy(CopyOp::Commit | CopyOp::Wait { .. } | CopyOp::WaitOut { .. } | CopyOp::Land)
        | Op::Mma(MmaOp::Wait { .. }) => Deed::Finishes,
        Op::Mma(MmaOp::Mma { .. } | MmaOp::Wgmma { .. }) => Deed::Multiplies,
        Op::Shared(SharedOp::Store | SharedOp::Scatter { .. } | SharedOp::Atomic { .. }) => {
            Deed::Writes
        }
        Op::Shared(_) => Deed::Reads,
        Op::Sync(SyncOp::Meet { .. }) => Deed::Meets,
        Op::Sync(_) | Op::Flow(_) | Op::Tile(_) | Op::Memory(_) => Deed::Arrives,
    }
}

/// How roles and barriers are called.
struct Names {
    roles: Vec<SmolStr>,
    /// The lists of barriers, in the order of the text.
    lists: Vec<Value>,
}

impl Names {
    fn of(kernel: &Kernel) -> Names {
        let mut roles = vec![SmolStr::default()];
        let mut lists = Vec::new();
        kernel.body.walk(&mut |inst| match &inst.op {
            Op::Flow(FlowOp::Roles { roles: made }) => {
                roles.extend(made.iter().map(|it| match it.copy {
                    Some(copy) => format_smolstr!("{}[{copy}]", it.name),
                    None => it.name.clone(),
                }));
            }
            Op::Sync(SyncOp::Mbarriers { .. }) => lists.push(inst.results[0]),
            _ => {}
        });
        Names { roles, lists }
    }

    /// The name of a role among the lists of all blocks that run together, `math[0]`; with the block's number if there are
    /// several.
    fn role(&self, list: usize, n_lists: usize) -> SmolStr {
        let (block, role) = (list / self.roles.len(), &self.roles[list % self.roles.len()]);
        match (n_lists > self.roles.len(), role.is_empty()) {
            (false, _) => role.clone(),
            (true, true) => format_smolstr!("block {block}"),
            (true, false) => format_smolstr!("block {block}, {role}"),
        }
    }

    /// `full[1]`; lists without a name are `A`, `B`, … in the order of the text.
    fn barrier(&self, kernel: &Kernel, (list, place): &(Value, Vec<i64>)) -> SmolStr {
        let name = &kernel.values[list.0 as usize].name;
        let number = self.lists.iter().position(|it| it == list).unwrap_or(0);
        let letter = char::from(b'A' + (number % 26) as u8);
        let list = if name.is_empty() { format_smolstr!("{letter}") } else { name.clone() };
        let place: Vec<String> = place.iter().map(ToString::to_string).collect();
        if place.is_empty() { list } else { format_smolstr!("{list}[{}]", place.join(", ")) }
    }
}
