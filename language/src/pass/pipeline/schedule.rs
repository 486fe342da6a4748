//! Schedules: tables that say in which stage of a pipeline, and in which order, each step is done.
//!
//! # Definition
//! A loop of `n` stages has the stages `0 ..= last`, `last = n - 1`. In a turn of the expanded loop
//! the steps of stage `s` are done for the iteration `last - s` ahead; steps of one turn follow each
//! other by `order`, then as they were written. What stands in no row is free ([`super::free`]) and is
//! computed wherever it is wanted.
//!
//! # The default tables
//! | step | stage | order |
//! | --- | --- | --- |
//! | wait for the copies of this iteration | last | 0 |
//! | copy the fetches, close the group | 0 | 1 |
//! | loads into registers | last - 1 | 1 |
//! | everything else | last | 2 |
//!
//! The wait leaves the groups of the `last - 1` iterations after this one in flight. Copies come
//! after it, so that one barrier between the two both publishes what has landed and frees the buffer
//! that the copies go to; they come before the rest, so that a whole iteration's work hides them.
//!
//! | step, where a fetch is no such copy | stage | order |
//! | --- | --- | --- |
//! | store what was loaded for this iteration | last | 0 |
//! | load the fetches into registers | 0 | 1 |
//! | loads into registers | last - 1 | 1 |
//! | everything else | last | 2 |
//!
//! There two buffers are enough: a buffer is written two turns after it was, with the barrier of the
//! turn between.

use rustc_hash::FxHashSet;
use smallvec::smallvec;

use super::super::place::new_inst;
use super::Pipelining;
use super::free::Free;
use crate::ir::{Elem, Inst, Kernel, Region, SiteId, Type, Value, ValueDecl};
use crate::op::memory::{Cache, Evict};
use crate::op::{CopyOp, MemoryOp, Op, SharedOp};

/// An instruction and its place in the pipeline.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Step {
    pub(super) inst: Inst,
    /// `None` if it is free.
    pub(super) row: Option<Row>,
}

/// When a step is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Row {
    pub(super) stage: u32,
    pub(super) order: u32,
}

/// A loop's schedule.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Schedule {
    pub(super) steps: Vec<Step>,
    /// The last stage.
    pub(super) last: u32,
    /// The buffers, made before the loop.
    pub(super) allocs: Vec<Inst>,
    /// The number of an iteration's buffer, and how many buffers there are.
    pub(super) ring: (Value, u32),
    /// Whether copies may be in flight after the loop.
    pub(super) flies: bool,
}

/// Orders of a turn.
const FIRST: u32 = 0;
const AHEAD: u32 = 1;
const REST: u32 = 2;

/// What is done ahead in a loop.
pub(super) struct Moved<'a> {
    /// Instructions of the body.
    pub(super) moved: Vec<usize>,
    /// The fetches of the kernel that are copies which are only started; others go through registers.
    pub(super) copied: &'a FxHashSet<Value>,
}

/// The default schedule of a loop that can be pipelined.
pub(super) fn default_schedule(
    kernel: &mut Kernel,
    body: &Region,
    Moved { moved, copied }: &Moved<'_>,
    pipelining: Pipelining,
) -> Schedule {
    let free = Free::of(body);
    let is_fetch = |it: &usize| matches!(body.insts[*it].op, Op::Copy(CopyOp::Fetch { .. }));
    let has_fetch = moved.iter().any(is_fetch);
    let last = if has_fetch { pipelining.stages - 1 } else { 1 };
    let by_copies =
        moved.iter().any(|&it| is_fetch(&it) && copied.contains(&body.insts[it].results[0]));
    let ring = define(kernel, Type::scalar(crate::dtype::DType::I32), "stage");
    let n_buffers = if by_copies { last + 1 } else { 2 };
    let mut table =
        Table { kernel, last, ring: (ring, n_buffers), steps: Vec::new(), allocs: Vec::new() };
    if by_copies {
        table.wait(pipelining.site);
    }
    for (at, inst) in body.insts.iter().enumerate() {
        match &inst.op {
            Op::Copy(CopyOp::Fetch { align }) if moved.contains(&at) => {
                if copied.contains(&inst.results[0]) {
                    table.copy(inst, *align)
                } else {
                    table.load_fetch(inst, *align)
                }
            }
            _ if moved.contains(&at) => table.add(inst.clone(), last - 1, AHEAD),
            _ if inst.results.iter().all(|it| free.has(*it)) && !inst.results.is_empty() => {
                table.steps.push(Step { inst: inst.clone(), row: None });
            }
            _ => table.add(inst.clone(), last, REST),
        }
    }
    if by_copies {
        table.add(new_inst(Op::Copy(CopyOp::Commit), pipelining.site), 0, AHEAD);
    }
    let Table { steps, allocs, ring, .. } = table;
    Schedule { steps, last, allocs, ring, flies: by_copies }
}

/// A new value.
pub(super) fn define(kernel: &mut Kernel, ty: Type, name: &str) -> Value {
    kernel.values.push(ValueDecl { ty, name: name.into() });
    Value(kernel.values.len() as u32 - 1)
}

struct Table<'k> {
    kernel: &'k mut Kernel,
    last: u32,
    ring: (Value, u32),
    steps: Vec<Step>,
    allocs: Vec<Inst>,
}

impl Table<'_> {
    fn add(&mut self, inst: Inst, stage: u32, order: u32) {
        self.steps.push(Step { inst, row: Some(Row { stage, order }) });
    }

    fn wait(&mut self, site: SiteId) {
        let wait = CopyOp::Wait { in_flight: self.last - 1 };
        self.add(new_inst(Op::Copy(wait), site), self.last, FIRST);
    }

    /// The buffers of a fetch, one a stage.
    fn alloc(&mut self, fetch: &Inst, align: u32) -> Value {
        let decl = &self.kernel.values[fetch.results[0].0 as usize];
        let Elem::Shared(dtype) = decl.ty.elem else { panic!("V3: a fetch gives a view") };
        let (ty, name) = (Type::view(dtype, decl.ty.map().stacked(self.ring.1)), decl.name.clone());
        let buffers = define(self.kernel, ty, &name);
        let mut alloc = new_inst(Op::Shared(SharedOp::Alloc { align }), fetch.site);
        alloc.results = smallvec![buffers];
        self.allocs.push(alloc);
        buffers
    }

    /// The buffer of an iteration, as `view`.
    fn stage(&self, buffers: Value, view: Value, site: SiteId) -> Inst {
        let mut index = new_inst(Op::Shared(SharedOp::Index { axis: 0 }), site);
        index.operands = smallvec![buffers, self.ring.0];
        index.results = smallvec![view];
        index
    }

    /// A fetch by an asynchronous copy.
    fn copy(&mut self, fetch: &Inst, align: u32) {
        let buffers = self.alloc(fetch, align);
        let view = fetch.results[0];
        let filled = define(self.kernel, self.kernel.ty(view).clone(), "");
        self.add(self.stage(buffers, filled, fetch.site), 0, AHEAD);
        let mut copy = new_inst(Op::Copy(CopyOp::Async), fetch.site);
        copy.operands = std::iter::once(filled).chain(fetch.operands.iter().copied()).collect();
        self.add(copy, 0, AHEAD);
        self.add(self.stage(buffers, view, fetch.site), self.last, REST);
    }

    /// A fetch through registers.
    fn load_fetch(&mut self, fetch: &Inst, align: u32) {
        let buffers = self.alloc(fetch, align);
        let view = fetch.results[0];
        let pointers = self.kernel.ty(fetch.operands[0]);
        let Elem::Pointer(dtype) = pointers.elem else { panic!("V3: a fetch takes pointers") };
        let loaded = pointers.with_elem(Elem::Data(dtype));
        let value = define(self.kernel, loaded, "");
        let op = MemoryOp::Load { cache: Cache::All, evict: Evict::Normal };
        let mut load = new_inst(Op::Memory(op), fetch.site);
        load.operands = fetch.operands.iter().copied().collect();
        load.results = smallvec![value];
        self.add(load, 0, AHEAD);
        self.add(self.stage(buffers, view, fetch.site), self.last, FIRST);
        let mut store = new_inst(Op::Shared(SharedOp::Store), fetch.site);
        store.operands = smallvec![view, value];
        self.add(store, self.last, FIRST);
    }
}
