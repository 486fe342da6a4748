//! Shared memory that instructions take for themselves: what each needs, and where it lies.
//!
//! # Idea
//! A change of layout, a reduction, a gather, or a scalar that one thread reads for all crosses warps
//! through *scratch*. What an instruction needs follows from its types, so scratch has its place
//! before anything is lowered, and what a kernel is refused for is what it would have taken.
//!
//! Scratch lies after the buffers. Uses that follow each other take turns as long as that is little
//! memory, so that one need not wait for the readers of the one before; otherwise they lie in the same
//! place. Where scratch would make the whole larger, it begins again at the first byte that no later
//! instruction needs for a buffer. Roles run side by side, so each has bytes of its own.
//!
//! # Invariants
//! * S1: a use has the bytes that its instruction moves through shared memory at once.
//! * S2: uses share bytes with buffers outside of all loops and branches only, and the first that
//!   does says so: all threads meet before it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use tile_layout::plan::BarrierScope;
use tile_layout::{In, Layout, Plan, PlanStep, bits};

use super::allocation::Buffer;
use crate::analysis::{Movement, pointed_tensors};
use crate::ir::{Elem, Inst, Kernel, Region, SiteId, Type, Value};
use crate::op::{FlowOp, MemoryOp, Op, SharedOp, SyncOp, TileOp};

/// Up to here uses take new bytes rather than a barrier more.
const COMFORT_BYTES: u32 = 16 * 1024;
/// Every use begins at a multiple of this.
const SCRATCH_ALIGN: u32 = 16;

/// Scratch of one instruction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScratchUse {
    /// The instruction, counted in the order of the text.
    pub inst: usize,
    /// Where it was written.
    pub site: SiteId,
    /// Its bytes.
    pub range: Range<u32>,
    /// Whether the bytes may have been a buffer's: all threads meet before it.
    pub replaces_buffers: bool,
}

/// What one instruction needs.
struct Need {
    inst: usize,
    site: SiteId,
    bytes: u32,
    /// Who meets between its writes and its reads.
    scope: BarrierScope,
    /// Regions around it; one is the kernel's body.
    depth: u32,
}

/// What matters for scratch, in the order of the text.
enum Event {
    Need(Need),
    /// All threads meet.
    Meet,
    /// A loop with such instructions begins or ends: who still reads is not known.
    Loop,
    /// What follows is another role's.
    Role,
}

/// The uses of a kernel whose buffers have their places.
pub(super) fn place(kernel: &Kernel, buffers: &[Buffer]) -> Vec<ScratchUse> {
    let mut walk = Walk::of(kernel);
    walk.region(&kernel.body, 1);
    let mut placing = Placing::after(buffers);
    for event in walk.events {
        match event {
            Event::Need(it) => placing.take(&it),
            Event::Meet => placing.read.clear(),
            Event::Loop => placing.read = std::iter::once(0..u32::MAX).collect(),
            Event::Role => placing.begin_again(),
        }
    }
    placing.uses
}

/// Uses as they are placed.
struct Placing<'a> {
    buffers: &'a [Buffer],
    start: u32,
    end: u32,
    comfort: u32,
    /// What may still be read.
    read: Vec<Range<u32>>,
    uses: Vec<ScratchUse>,
}

impl<'a> Placing<'a> {
    fn after(buffers: &'a [Buffer]) -> Placing<'a> {
        let end = buffers.iter().map(|it| it.range().end).max().unwrap_or(0);
        let start = end.next_multiple_of(SCRATCH_ALIGN);
        let comfort = start + COMFORT_BYTES;
        Placing { buffers, start, end, comfort, read: Vec::new(), uses: Vec::new() }
    }

    /// Leaves all bytes so far to others.
    fn begin_again(&mut self) {
        self.start = self.end.next_multiple_of(SCRATCH_ALIGN);
        self.comfort = self.start + COMFORT_BYTES;
        self.read.clear();
    }

    fn take(&mut self, need: &Need) {
        let mut at = self.free(need.bytes).unwrap_or(self.start);
        let mut replaces_buffers = false;
        if need.depth == 1 && self.end < at + need.bytes {
            let needed = self.buffers.iter().filter(|it| need.inst < it.life.end);
            let end = needed.map(|it| it.range().end).max().unwrap_or(0);
            let start = end.next_multiple_of(SCRATCH_ALIGN);
            if start < self.start {
                (self.start, at, replaces_buffers) = (start, start, true);
                self.read.clear();
            }
        }
        let range = at..at + need.bytes;
        self.end = self.end.max(range.end);
        if need.scope == BarrierScope::Block {
            self.read.clear();
        }
        self.read.push(range.clone());
        self.uses.push(ScratchUse { inst: need.inst, site: need.site, range, replaces_buffers });
    }

    /// The lowest place that nobody still reads, if that is little memory.
    fn free(&self, bytes: u32) -> Option<u32> {
        let mut at = self.start;
        let meets = |it: &&Range<u32>, at: u32| it.start < at.saturating_add(bytes) && at < it.end;
        while let Some(it) = self.read.iter().find(|it| meets(it, at)) {
            if it.end == u32::MAX {
                return None;
            }
            at = it.end.next_multiple_of(SCRATCH_ALIGN);
        }
        (at == self.start || at + bytes <= self.comfort.max(self.end)).then_some(at)
    }
}

/// Goes through a kernel in the order of the text.
struct Walk<'a> {
    kernel: &'a Kernel,
    /// Those that run the instruction.
    warps: u32,
    used: HashSet<Value>,
    tensors: HashMap<Value, u32>,
    next: usize,
    events: Vec<Event>,
}

impl<'a> Walk<'a> {
    fn of(kernel: &'a Kernel) -> Walk<'a> {
        let mut used: HashSet<Value> = HashSet::new();
        used.extend(&kernel.body.yields);
        kernel.body.walk(&mut |inst| {
            used.extend(&inst.operands);
            inst.regions.iter().for_each(|it| used.extend(&it.yields));
        });
        let tensors = pointed_tensors(kernel);
        Walk { kernel, warps: kernel.warps, used, tensors, next: 0, events: Vec::new() }
    }

    fn region(&mut self, region: &Region, depth: u32) {
        for inst in &region.insts {
            let no = self.next;
            self.next += 1;
            for (bytes, scope) in self.needs(inst) {
                let need = Need { inst: no, site: inst.site, bytes, scope, depth };
                self.events.push(Event::Need(need));
            }
            if matches!(inst.op, Op::Sync(SyncOp::Barrier | SyncOp::ClusterBarrier)) {
                self.events.push(Event::Meet);
            }
            let is_loop = matches!(inst.op, Op::Flow(FlowOp::For { .. } | FlowOp::While));
            let n_before = self.events.len();
            for (number, region) in inst.regions.iter().enumerate() {
                if let Op::Flow(FlowOp::Roles { roles }) = &inst.op {
                    self.events.push(Event::Role);
                    self.warps = roles[number].warps;
                }
                self.region(region, depth + 1);
            }
            // Loops without any leave things as they were.
            if is_loop && n_before < self.events.len() {
                self.events.insert(n_before, Event::Loop);
                self.events.push(Event::Loop);
            }
        }
    }

    /// What an instruction takes, one use after the other.
    fn needs(&self, inst: &Inst) -> Vec<(u32, BarrierScope)> {
        let block = |bytes: u32| vec![(bytes, BarrierScope::Block)];
        let whole = |ty: &Type| block(slot_bytes(ty.elem) * ty.shape.iter().product::<u32>());
        let operand = |at: usize| self.kernel.ty(inst.operands[at]);
        match &inst.op {
            Op::Tile(op) => match op {
                TileOp::Convert | TileOp::Butterfly { .. } | TileOp::Halves { .. } => {
                    let movement = Movement::of(self.kernel, inst);
                    let plans = movement.iter().flat_map(Movement::plans);
                    plans.flat_map(|it| of_plan(it).collect::<Vec<_>>()).collect()
                }
                TileOp::Gather { .. } => whole(operand(0)),
                TileOp::Histogram => {
                    block(4 * self.kernel.ty(inst.results[0]).shape.iter().product::<u32>())
                }
                TileOp::Broadcast if self.crosses_threads(inst) => whole(operand(0)),
                TileOp::Broadcast
                | TileOp::Const { .. }
                | TileOp::Index { .. }
                | TileOp::BlockId { .. }
                | TileOp::NumBlocks { .. }
                | TileOp::ClusterRank
                | TileOp::Unary { .. }
                | TileOp::Binary { .. }
                | TileOp::Cmp { .. }
                | TileOp::Fma
                | TileOp::Select
                | TileOp::Cast { .. }
                | TileOp::Bits
                | TileOp::Splat
                | TileOp::Expand { .. }
                | TileOp::Squeeze { .. }
                | TileOp::Reshape
                | TileOp::Permute { .. }
                | TileOp::Join
                | TileOp::Split => Vec::new(),
            },
            Op::Memory(MemoryOp::Load { .. }) if operand(0).is_scalar() => {
                let tensor = self.tensors.get(&inst.operands[0]);
                let is_constant =
                    tensor.is_some_and(|it| !self.kernel.tensors[*it as usize].mutable);
                if is_constant { Vec::new() } else { self.handed(inst.results[0]) }
            }
            Op::Memory(MemoryOp::Atomic { .. } | MemoryOp::AtomicCas { .. }) => {
                self.returned(operand(0), inst)
            }
            Op::Shared(SharedOp::Atomic { .. }) => self.returned(operand(1), inst),
            Op::Memory(_)
            | Op::Shared(_)
            | Op::Flow(_)
            | Op::Copy(_)
            | Op::Sync(_)
            | Op::Mma(_) => Vec::new(),
        }
    }

    /// What an atomic brings back: to all threads if it is a scalar, to those that hold copies of an
    /// element otherwise.
    fn returned(&self, places: &Type, inst: &Inst) -> Vec<(u32, BarrierScope)> {
        let Some(&result) = inst.results.iter().find(|it| self.used.contains(it)) else {
            return Vec::new();
        };
        if places.is_scalar() {
            return self.handed(result);
        }
        let ty = self.kernel.ty(result);
        let bytes = slot_bytes(ty.elem) * ty.shape.iter().product::<u32>();
        if self.has_copies(places) { vec![(bytes, BarrierScope::Block)] } else { Vec::new() }
    }

    /// A scalar that one thread hands to all; within one warp it takes no memory.
    fn handed(&self, scalar: Value) -> Vec<(u32, BarrierScope)> {
        match self.warps {
            1 => Vec::new(),
            _ => vec![(slot_bytes(self.kernel.ty(scalar).elem), BarrierScope::Block)],
        }
    }
}

impl Walk<'_> {
    /// Whether elements lie with more than one thread.
    fn has_copies(&self, ty: &Type) -> bool {
        let n_lanes = self.kernel.target.row().lanes.trailing_zeros();
        let n_threads = n_lanes + self.warps.next_power_of_two().trailing_zeros();
        let images = ty.layout.as_ref().map_or_else(Vec::new, |it| {
            [In::Lane, In::Warp].map(|input| images(it, input, &ty.shape)).concat()
        });
        bits::rank(&images) < n_threads
    }

    /// Whether a thread's part of the result is not in its own registers.
    fn crosses_threads(&self, inst: &Inst) -> bool {
        let [from, to] = [inst.operands[0], inst.results[0]].map(|it| self.kernel.ty(it));
        let (Some(source), Some(result)) = (&from.layout, &to.layout) else { return false };
        // What is repeated has no part in the operand's index.
        let of = |layout: &Layout, input| images(layout, input, &from.shape);
        let held = bits::Echelon::new(of(source, In::Register));
        let threads = [In::Lane, In::Warp].into_iter().flat_map(|input| {
            let (own, wanted) = (of(source, input), of(result, input));
            let n = own.len().max(wanted.len());
            let at = |list: &[u64], i: usize| list.get(i).copied().unwrap_or(0);
            (0..n).map(|i| at(&own, i) ^ at(&wanted, i)).collect::<Vec<_>>()
        });
        !of(result, In::Register).into_iter().chain(threads).all(|it| held.contains(it))
    }
}

/// The bases of a layout as numbers, of the dimensions that are longer than 1 in `shape`.
fn images(layout: &Layout, input: In, shape: &[u32]) -> Vec<u64> {
    let pack = |it: &tile_layout::Coords| {
        it.iter().zip(shape).fold(0, |all, (&at, &extent)| {
            let n_bits = extent.trailing_zeros();
            all << n_bits | u64::from(at & ((1 << n_bits) - 1))
        })
    };
    layout.bases(input).iter().map(pack).collect()
}

fn of_plan(plan: &Plan) -> impl Iterator<Item = (u32, BarrierScope)> + '_ {
    plan.steps.iter().filter_map(|step| match step {
        PlanStep::Shared(it) => Some((it.bytes, it.barrier)),
        PlanStep::Permute { .. } | PlanStep::Swap { .. } | PlanStep::Exchange(_) => None,
    })
}

/// Bytes that an element takes.
fn slot_bytes(elem: Elem) -> u32 {
    elem.bits().div_ceil(8).next_power_of_two()
}
