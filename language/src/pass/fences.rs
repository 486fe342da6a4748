//! Fences between the two ways to shared memory: what warps wrote, a product is to read.
//!
//! # Requires
//! Waits and barriers ([`super::waits`], [`super::barriers`]).
//!
//! # Establishes
//! * On every way from a write by the warps to a buffer that products read (a store, or a copy of theirs that was waited for) to
//!   the product stands a `sync.fence_async`, before the threads meet or arrive at a barrier. What copies of another role bring,
//!   the role that multiplies fences itself, when it has waited for their barrier.
//!
//! A product reads by another path than the threads write (PTX ISA 8.6, proxies). The writer makes its own writes
//! visible there, so the fence stands with it, as late as possible: directly before the next meeting.

use rustc_hash::FxHashMap;

use super::flow::{Conflict, Order};
use super::number::Numbers;
use super::place::{Placed, new_inst};
use super::touch::{Touch, Verb};
use crate::ir::{Inst, Kernel, Region, SiteId, Value};
use crate::op::{CopyOp, FlowOp, MmaOp, Op, SyncOp};

/// The kernel with its fences, and which were put in.
pub(super) fn fences(mut kernel: Kernel) -> (Kernel, Vec<Placed>) {
    let mut readers = FxHashMap::default();
    let numbers = Numbers::of(&kernel);
    kernel.body.walk(&mut |inst| {
        for touch in touches(&kernel, &numbers, inst) {
            if touch.verb == Verb::Multiply {
                readers.entry(touch.buffer).or_insert(touch.site);
            }
        }
    });
    if readers.is_empty() {
        return (kernel, Vec::new());
    }
    let found = Walk::of(&kernel, numbers, readers).found;
    let mut placed = Vec::new();
    place(&mut kernel.body, &mut 0, &found, &mut placed);
    (kernel, placed)
}

/// Fences before which, since the one before them, nothing was done to shared memory on any way.
pub fn needless_fences(kernel: &Kernel) -> Vec<SiteId> {
    let (mut any, mut all) = (false, FxHashMap::default());
    let numbers = Numbers::of(kernel);
    kernel.body.walk(&mut |inst| {
        any |= inst.op == Op::Sync(SyncOp::FenceAsync);
        all.extend(touches(kernel, &numbers, inst).map(|it| (it.buffer, it.site)));
    });
    if !any {
        return Vec::new();
    }
    let walk = Walk::of(kernel, numbers, all);
    let mut needless: Vec<(usize, SiteId)> =
        walk.by_hand.into_iter().filter(|it| !it.1.1).map(|(no, it)| (no, it.0)).collect();
    needless.sort_unstable();
    needless.into_iter().map(|it| it.1).collect()
}

fn touches(kernel: &Kernel, numbers: &Numbers<'_>, inst: &Inst) -> impl Iterator<Item = Touch> {
    let map_of = |it: Value| kernel.ty(it).map().clone();
    Touch::of(inst, numbers, &map_of).into_iter()
}

/// What the warps wrote and no fence stands after.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct State {
    written: Option<Conflict>,
    /// By copies that are not known to have landed.
    copied: Option<Conflict>,
    /// Whether they touched anything.
    touched: bool,
}

impl State {
    fn join(self, other: State) -> State {
        State {
            written: self.written.or(other.written),
            copied: self.copied.or(other.copied),
            touched: self.touched || other.touched,
        }
    }
}

struct Walk<'a> {
    kernel: &'a Kernel,
    numbers: Numbers<'a>,
    /// The buffers that products read, with the first of them.
    readers: FxHashMap<Value, SiteId>,
    next: usize,
    /// The instructions before which a fence stands.
    found: FxHashMap<usize, Conflict>,
    /// The fences that stand already, each with whether something was done before it.
    by_hand: FxHashMap<usize, (SiteId, bool)>,
    /// Copies of other roles that bring what the role at hand multiplies.
    brought: Option<Conflict>,
}

impl<'a> Walk<'a> {
    /// Walks through a kernel; `readers` are the buffers that matter.
    fn of(kernel: &'a Kernel, numbers: Numbers<'a>, readers: FxHashMap<Value, SiteId>) -> Walk<'a> {
        let (found, by_hand) = (FxHashMap::default(), FxHashMap::default());
        let mut walk = Walk { kernel, numbers, readers, next: 0, found, by_hand, brought: None };
        walk.region(&kernel.body, State::default());
        walk
    }

    /// A copy by the warps of another role into what products of this one read.
    fn brought_to(&self, roles: &Inst, own: usize) -> Option<Conflict> {
        let mut read = FxHashMap::default();
        roles.regions[own].walk(&mut |inst| {
            let products = touches(self.kernel, &self.numbers, inst);
            let products = products.filter(|it| it.verb == Verb::Multiply);
            for it in products {
                read.entry(it.buffer).or_insert(it.site);
            }
        });
        let mut found = None;
        let others = roles.regions.iter().enumerate().filter(|it| it.0 != own);
        for (_, other) in others {
            other.walk(&mut |inst| {
                if inst.op != Op::Copy(CopyOp::Async) {
                    return;
                }
                for touch in touches(self.kernel, &self.numbers, inst) {
                    if let Some(&reader) = read.get(&touch.buffer) {
                        let second = (Verb::Multiply, reader);
                        found.get_or_insert(Conflict { first: (Verb::Copy, touch.site), second });
                    }
                }
            });
        }
        found
    }

    fn region(&mut self, region: &'a Region, mut state: State) -> State {
        for inst in &region.insts {
            let no = self.next;
            self.next += 1;
            state = self.inst(no, inst, state);
        }
        state
    }

    fn inst(&mut self, no: usize, inst: &'a Inst, mut state: State) -> State {
        match &inst.op {
            Op::Flow(FlowOp::If) => {
                let first = self.region(&inst.regions[0], state);
                return first.join(self.region(&inst.regions[1], state));
            }
            Op::Flow(FlowOp::Roles { .. }) => {
                for (number, region) in inst.regions.iter().enumerate() {
                    self.brought = self.brought_to(inst, number);
                    self.region(region, state);
                }
                self.brought = None;
                return State::default();
            }
            Op::Flow(FlowOp::For { .. } | FlowOp::While) => {
                let first = self.next;
                loop {
                    self.next = first;
                    let end = inst.regions.iter().fold(state, |state, it| self.region(it, state));
                    let next = state.join(end);
                    if next == state {
                        return state;
                    }
                    state = next;
                }
            }
            Op::Sync(
                SyncOp::Barrier
                | SyncOp::ClusterBarrier
                | SyncOp::Arrive { .. }
                | SyncOp::Expect { .. }
                | SyncOp::Meet { .. },
            )
            | Op::Mma(MmaOp::Wgmma { .. }) => {
                if let Some(why) = state.written.take() {
                    self.found.insert(no, why);
                }
            }
            Op::Sync(SyncOp::FenceAsync) => {
                let it = self.by_hand.entry(no).or_insert((inst.site, false));
                it.1 |= state.touched;
                (state.written, state.touched) = (None, false);
            }
            Op::Sync(SyncOp::Wait) => state.written = state.written.or(self.brought),
            Op::Copy(CopyOp::Wait { .. }) => state.written = state.written.or(state.copied),
            Op::Copy(_)
            | Op::Sync(_)
            | Op::Mma(MmaOp::Mma { .. } | MmaOp::Wait { .. })
            | Op::Shared(_)
            | Op::Tile(_)
            | Op::Memory(_) => {}
        }
        for touch in touches(self.kernel, &self.numbers, inst) {
            let Some(&reader) = self.readers.get(&touch.buffer) else { continue };
            let why =
                Conflict { first: (touch.verb, touch.site), second: (Verb::Multiply, reader) };
            match touch.verb {
                Verb::Write | Verb::Atomic => state.written = state.written.or(Some(why)),
                Verb::Copy => state.copied = state.copied.or(Some(why)),
                Verb::Read | Verb::CopyOut | Verb::Wait | Verb::Multiply => {}
            }
            state.touched |= !matches!(touch.verb, Verb::CopyOut | Verb::Multiply);
        }
        state
    }
}

fn place(
    region: &mut Region,
    next: &mut usize,
    found: &FxHashMap<usize, Conflict>,
    placed: &mut Vec<Placed>,
) {
    let insts = std::mem::take(&mut region.insts);
    for mut inst in insts {
        if let Some(&why) = found.get(next) {
            region.insts.push(new_inst(Op::Sync(SyncOp::FenceAsync), inst.site));
            placed.push(Placed { order: Order::Fence, before: inst.site, why });
        }
        *next += 1;
        inst.regions.iter_mut().for_each(|it| place(it, next, found, placed));
        region.insts.push(inst);
    }
}
