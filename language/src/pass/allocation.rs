//! Where buffers lie in the shared memory of a block: bytes are used again when nobody needs them.
//! Scratch of single instructions lies beside them ([`super::scratch`]).
//!
//! # Definition
//! A buffer *lives* from its first access to its last, counted in instructions in the order of the
//! text; through the whole of every loop that it is older than and accessed in; and as long as a copy
//! into it may be in flight. Buffers whose lives do not overlap may share bytes: the barriers between
//! their accesses come from [`super::barriers`]. Roles run side by side, so what one of them accesses and was made
//! before lives as long as all of them; so do mbarriers, from the start of the kernel, and what other blocks of the
//! cluster reach, whose order is not this block's.
//!
//! # Invariants
//! * A1: buffers that live at the same time have no byte in common, nor have those of different roles.
//! * A2: an offset is a multiple of the buffer's alignment.
//! * A3: a buffer that nothing accesses has no bytes.

use std::ops::Range;

use smol_str::SmolStr;
use tile_layout::MemoryMap;

use super::flow::{self, Rule};
use super::number::Numbers;
use super::runs;
use super::scratch::{self, ScratchUse};
use super::touch::{Touch, Verb};
use crate::analysis::Neighbours;
use crate::ir::{Elem, Inst, Kernel, Region, SiteId, Value};
use crate::op::{CopyOp, FlowOp, MmaOp, Op, SharedOp, SyncOp};
use crate::target::wgmma::{Descriptor, ROWS, WgmmaRow};

/// Every buffer begins at a multiple of so many bytes, so that the widest accesses are possible.
const ALIGN_MIN: u32 = 16;

/// A buffer, or a list of mbarriers, and its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Buffer {
    /// The `shared.alloc` or `sync.mbarriers` that it is the result of.
    pub value: Value,
    /// The variable's name, if it has one.
    pub name: SmolStr,
    /// Where it is made.
    pub site: SiteId,
    /// Its size, padding included.
    pub bytes: u32,
    /// How many equal parts it consists of, one a stage.
    pub n_stages: u32,
    /// What divides its offset, in bytes.
    pub align: u32,
    /// Its first byte.
    pub offset: u32,
    /// The instructions during which it lives.
    pub life: Range<usize>,
    /// The role that made it, by number.
    pub role: Option<usize>,
}

impl Buffer {
    /// Its bytes.
    pub fn range(&self) -> Range<u32> {
        self.offset..self.offset.saturating_add(self.bytes)
    }

    /// Whether anything accesses it.
    fn lives(&self) -> bool {
        self.life.start < self.life.end
    }

    /// Whether both are needed at some time.
    fn meets(&self, other: &Buffer) -> bool {
        let apart = self.role.is_some() && other.role.is_some() && self.role != other.role;
        apart || overlap(&self.life, &other.life)
    }
}

/// The shared memory of a block.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Allocation {
    /// The buffers, in order of the text.
    pub buffers: Vec<Buffer>,
    /// What instructions take for themselves, in order of the text.
    pub scratch: Vec<ScratchUse>,
    /// Bytes of all of them.
    pub bytes: u32,
    /// What divides the address of the first byte.
    pub align: u32,
}

impl Allocation {
    /// Places the buffers of a kernel in which every conflict with a copy has its wait.
    pub fn of(kernel: &Kernel) -> Allocation {
        let mut buffers = Lives::of(kernel);
        let found = runs::walk(kernel, Rule::Landed);
        let in_flight = found.unwrap_or_else(|| flow::walk(kernel, Rule::Landed)).in_flight;
        for buffer in &mut buffers {
            if !buffer.lives() {
                buffer.bytes = 0;
            } else if let Some(range) = in_flight.get(&buffer.value) {
                let life = &buffer.life;
                buffer.life = life.start.min(range.start)..life.end.max(range.end);
            }
        }
        place(&mut buffers);
        let scratch = scratch::place(kernel, &buffers);
        let ranges = buffers.iter().map(Buffer::range);
        let ranges = ranges.chain(scratch.iter().map(|it| it.range.clone()));
        let bytes = ranges.map(|it| it.end).max().unwrap_or(0);
        let align = buffers.iter().map(|it| it.align).max().unwrap_or(ALIGN_MIN);
        Allocation { buffers, scratch, bytes, align }
    }

    /// Bytes of the buffers alone.
    pub fn buffer_bytes(&self) -> u32 {
        self.buffers.iter().map(|it| it.range().end).max().unwrap_or(0)
    }

    /// The scratch of an instruction, counted in the order of the text.
    pub fn scratch_of(&self, inst: usize) -> &[ScratchUse] {
        let first = self.scratch.partition_point(|it| it.inst < inst);
        let end = self.scratch.partition_point(|it| it.inst <= inst);
        &self.scratch[first..end]
    }

    /// The place of a `shared.alloc` or of mbarriers.
    ///
    /// # Panics
    /// If there is none in the kernel.
    pub fn of_value(&self, value: Value) -> &Buffer {
        let found = self.buffers.iter().find(|it| it.value == value);
        found.expect("every buffer of the kernel has its place")
    }

    /// Whether two buffers have a byte in common.
    pub fn share_bytes(&self, a: Value, b: Value) -> bool {
        overlap(&self.of_value(a).range(), &self.of_value(b).range())
    }
}

fn overlap<T: Ord>(a: &Range<T>, b: &Range<T>) -> bool {
    a.start < b.end && b.start < a.end
}

/// The extent of a first dimension that is one buffer after the other.
fn stages(map: &MemoryMap) -> u32 {
    match map.dims() {
        [first, _, ..] if first.columns.is_empty() => first.extent,
        _ => 1,
    }
}

/// The largest first, each at the lowest offset that is free during its life.
fn place(buffers: &mut [Buffer]) {
    let mut order: Vec<usize> = (0..buffers.len()).collect();
    order.sort_by_key(|&it| (std::cmp::Reverse(buffers[it].bytes), it));
    for (n_placed, &at) in order.iter().enumerate() {
        let mut taken: Vec<Range<u32>> = order[..n_placed]
            .iter()
            .map(|&it| &buffers[it])
            .filter(|it| it.lives() && it.meets(&buffers[at]))
            .map(Buffer::range)
            .collect();
        taken.sort_by_key(|it| it.start);
        let Buffer { bytes, align, .. } = buffers[at];
        let mut offset = 0u32;
        for range in taken {
            if offset.saturating_add(bytes) <= range.start {
                break;
            }
            offset = offset.max(range.end.next_multiple_of(align));
        }
        buffers[at].offset = offset;
    }
}

/// Lives by the order of the text.
struct Lives<'a> {
    kernel: &'a Kernel,
    numbers: Numbers<'a>,
    next: usize,
    /// Instructions of the loops around this point, outermost first; ends are known when left. Roles count as one.
    loops: Vec<usize>,
    role: Option<usize>,
    /// Buffers that copies of this role write: a barrier says when they have landed, at any later time.
    copied: Vec<Value>,
    /// With the loops around them.
    buffers: Vec<(Buffer, usize)>,
}

impl<'a> Lives<'a> {
    /// The buffers, not placed yet.
    fn of(kernel: &'a Kernel) -> Vec<Buffer> {
        let numbers = Numbers::of(kernel);
        let (loops, buffers) = (Vec::new(), Vec::new());
        let mut lives =
            Lives { kernel, numbers, next: 0, loops, role: None, copied: Vec::new(), buffers };
        lives.region(&kernel.body);
        let end = lives.next;
        let has_roles = kernel.roles().is_some();
        let neighbours = Neighbours::of(kernel);
        let whole = |mut it: Buffer| {
            let is_barrier = has_roles && kernel.ty(it.value).elem == Elem::Barrier;
            if is_barrier || neighbours.reach(it.value) {
                (it.life, it.role) = (0..end, None);
            }
            it
        };
        lives.buffers.into_iter().map(|it| whole(it.0)).collect()
    }

    fn region(&mut self, region: &'a Region) {
        for inst in &region.insts {
            self.inst(inst);
        }
    }

    fn inst(&mut self, inst: &'a Inst) {
        let no = self.next;
        self.next += 1;
        if let Op::Shared(SharedOp::Alloc { align }) | Op::Copy(CopyOp::Fetch { align }) = inst.op {
            self.buffers.push((self.buffer(inst, align), self.loops.len()));
        }
        if let Op::Sync(SyncOp::Mbarriers { .. }) = inst.op {
            self.buffers.push((self.buffer(inst, ALIGN_MIN), self.loops.len()));
        }
        let map_of = |it| self.kernel.ty(it).map().clone();
        for touch in Touch::of(inst, &self.numbers, &map_of) {
            self.access(no, touch.buffer);
            if touch.verb == Verb::Copy && self.role.is_some() {
                self.copied.push(touch.buffer);
            }
            if let Op::Mma(MmaOp::Wgmma { instruction, n }) = &inst.op {
                self.align(touch.buffer, inst, instruction.row(), *n);
            }
        }
        let is_roles = matches!(inst.op, Op::Flow(FlowOp::Roles { .. }));
        let is_loop = is_roles || matches!(inst.op, Op::Flow(FlowOp::For { .. } | FlowOp::While));
        if is_loop {
            self.loops.push(no);
        }
        for (number, region) in inst.regions.iter().enumerate() {
            if is_roles {
                self.role = Some(number);
            }
            self.region(region);
            if is_roles {
                self.leave_role();
            }
        }
        if is_loop {
            self.loops.pop();
            self.leave_loop(no);
        }
    }

    fn buffer(&self, inst: &Inst, align: u32) -> Buffer {
        let value = inst.results[0];
        let decl = &self.kernel.values[value.0 as usize];
        let bits = u64::from(decl.ty.map().buffer_len()) * u64::from(decl.ty.elem.bits());
        let bytes = u32::try_from(bits.div_ceil(8)).unwrap_or(u32::MAX / 4);
        let (name, site) = (decl.name.clone(), inst.site);
        let align = align.max(ALIGN_MIN);
        let n_stages = stages(decl.ty.map());
        let role = self.role;
        Buffer { value, name, site, bytes, n_stages, align, offset: 0, life: 0..0, role }
    }

    fn access(&mut self, no: usize, buffer: Value) {
        let (buffer, n_loops) = self
            .buffers
            .iter_mut()
            .find(|it| it.0.value == buffer)
            .expect("V1: a buffer is made before it is used");
        // A loop that the buffer is older than begins a turn with what the turn before left.
        let first = self.loops.get(*n_loops).copied().unwrap_or(no);
        let start = if buffer.lives() { buffer.life.start.min(first) } else { first };
        buffer.life = start..no + 1;
    }

    fn leave_role(&mut self) {
        for (buffer, _) in &mut self.buffers {
            if self.copied.contains(&buffer.value) {
                buffer.life.end = self.next;
            }
        }
        self.copied.clear();
        self.role = None;
    }

    /// A product's descriptor wants its buffer to begin where the swizzle does.
    fn align(&mut self, buffer: Value, inst: &Inst, row: &WgmmaRow, n: u32) {
        let of = |(value, axes, part): (Value, [usize; 2], u32)| {
            let map = self.kernel.ty(value).memory.as_ref()?;
            let bits = row.a.storage_bits();
            Some(Descriptor::of(map, axes, bits, part, row.turns())?.align())
        };
        let factors = [(inst.operands[0], [0, 1], ROWS), (inst.operands[1], [1, 0], n)];
        let align = factors.into_iter().filter_map(of).max().unwrap_or(ALIGN_MIN);
        let it = self.buffers.iter_mut().find(|it| it.0.value == buffer);
        let it = &mut it.expect("V1: a buffer is made before it is used").0;
        it.align = it.align.max(align);
    }

    fn leave_loop(&mut self, loop_no: usize) {
        let end = self.next;
        let depth = self.loops.len();
        for (buffer, n_loops) in &mut self.buffers {
            let older = *n_loops <= depth;
            if older && loop_no < buffer.life.end {
                buffer.life.end = end;
            }
        }
    }
}
