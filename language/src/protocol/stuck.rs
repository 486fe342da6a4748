//! Waits of one role that never end: what they wait for does not come before them.

use rustc_hash::FxHashMap;

use super::EVENTS_MAX;
use super::skeleton::Skeleton;
use super::trace::{Event, trace};
use crate::analysis::Neighbours;
use crate::ir::{Kernel, SiteId, Value};
use crate::op::{CopyOp, Op, SyncOp};

/// A wait that never ends, in the smallest run in which there is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stuck {
    /// The wait.
    pub wait: SiteId,
    /// Phases that it wants.
    pub wanted: i64,
    /// Phases that are complete when it is reached.
    pub completed: i64,
    /// The last arrival at the barrier before it.
    pub last: Option<SiteId>,
    /// What the run's free scalars are, those that have a name.
    pub choice: Vec<(smol_str::SmolStr, u64)>,
}

/// The first wait that never ends, if there is one; none is found where the runs are not decided.
pub fn stuck(kernel: &Kernel) -> Option<Stuck> {
    let mut arrivals = FxHashMap::default();
    kernel.body.walk(&mut |inst| {
        if let Op::Sync(SyncOp::Mbarriers { arrivals: n, .. }) = inst.op {
            arrivals.insert(inst.results[0], n.max(1));
        }
    });
    // What blocks do to each other's barriers the proof looks at.
    if arrivals.is_empty() || Neighbours::of(kernel).exist() {
        return None;
    }
    let skeleton = Skeleton::of(kernel)?;
    let mut n_events = 0;
    let mut found: Option<(u64, Stuck)> = None;
    for choice in skeleton.choices() {
        let size: u64 = choice.iter().sum();
        if found.as_ref().is_some_and(|it| it.0 <= size) {
            continue;
        }
        let lists = trace(&skeleton, &choice, 0)?;
        let [events] = &lists[..] else { return None };
        n_events += events.len();
        if EVENTS_MAX < n_events {
            return None;
        }
        if let Some(mut it) = run(kernel, events, &arrivals) {
            it.choice = skeleton.named(&choice);
            found = Some((size, it));
        }
    }
    found.map(|it| it.1)
}

#[derive(Default)]
struct Mbarrier {
    arrived: u32,
    bytes: i64,
    completed: i64,
    last: Option<SiteId>,
}

impl Mbarrier {
    fn arrive(&mut self, roles: u32, bytes: i64, wanted: u32, site: SiteId) {
        self.arrived += roles;
        self.bytes += bytes;
        self.last = Some(site);
        if wanted <= self.arrived && self.bytes == 0 {
            self.arrived -= wanted;
            self.completed += 1;
        }
    }
}

fn run(kernel: &Kernel, events: &[Event<'_>], arrivals: &FxHashMap<Value, u32>) -> Option<Stuck> {
    let mut barriers: FxHashMap<(Value, Vec<i64>), Mbarrier> = FxHashMap::default();
    for event in events {
        let Some(key) = event.barrier() else { continue };
        let wanted_arrivals = arrivals[&key.0];
        let barrier = barriers.entry(key).or_default();
        match event.inst.op {
            Op::Sync(SyncOp::Arrive { .. }) => {
                barrier.arrive(1, 0, wanted_arrivals, event.inst.site)
            }
            Op::Sync(SyncOp::Expect { bytes }) => {
                barrier.arrive(1, bytes.into(), wanted_arrivals, event.inst.site);
            }
            Op::Copy(CopyOp::Signal { bytes }) => {
                barrier.arrive(0, -i64::from(bytes), wanted_arrivals, event.inst.site);
            }
            Op::Copy(CopyOp::Box { .. }) => {
                let map = kernel.tensor_map(event.inst.operands[0]);
                let bytes = map.map_or(0, |it| i64::from(it.box_bytes()));
                barrier.arrive(0, -bytes, wanted_arrivals, event.inst.site);
            }
            Op::Sync(SyncOp::Wait) => {
                let (wanted, completed) = (event.scalar(event.inst.operands[1]), barrier.completed);
                if wanted != completed {
                    let (wait, last) = (event.inst.site, barrier.last);
                    return Some(Stuck { wait, wanted, completed, last, choice: Vec::new() });
                }
            }
            _ => {}
        }
    }
    None
}
