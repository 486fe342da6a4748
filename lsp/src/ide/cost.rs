//! What the operations of a program cost on the target: widths, sectors, bank conflicts, shuffles, bytes.
//!
//! Everything is asked of the analyses that the lowering itself uses, so what is shown is what is
//! emitted. A cost belongs to the place of its instruction, and to every call through which that
//! was inlined: a reduction of the library shows its shuffles where it is called.

use std::sync::Arc;

use tile_language::analysis::access::{Limit, access};
use tile_language::analysis::sectors::{Span, sectors};
use tile_language::analysis::{Facts, Movement, shared_access};
use tile_language::ir::{Elem, Inst, Kernel, Place, SiteId, Value};
use tile_language::op::{CopyOp, MemoryOp, Op, SharedOp};
use tile_language::pass::{self, Allocation, Order, Placed};
use tile_layout::banks::Direction;
use tile_layout::{CostClass, Plan, SharedMeans};

/// What one instruction costs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cost {
    /// An access to global memory.
    Global {
        /// `load`, `store`, `copy`.
        verb: &'static str,
        /// Bytes a thread and instruction.
        bytes: u32,
        /// Bytes that could be, given what a thread holds.
        ideal_bytes: u32,
        /// What keeps it below that.
        limit: Option<Limit>,
        /// Sectors that a warp's access touches, and the fewest for as many bytes.
        sectors: (u32, u32),
    },
    /// An access to shared memory.
    Shared {
        /// `load` or `store`.
        verb: &'static str,
        /// What moves the elements.
        means: &'static str,
        /// Bytes behind one lane's address.
        bytes: u32,
        /// How often the banks repeat it.
        conflicts: u32,
    },
    /// A change of layout, or an exchange between threads.
    Move(Moved),
    /// A buffer in shared memory.
    Buffer {
        /// All of it.
        bytes: u32,
        /// Its first byte in the block's memory.
        offset: u32,
        /// Equal parts, one a stage.
        n_stages: u32,
    },
}

/// What moving a tile costs a warp.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Moved {
    /// Shuffles of 32 bits.
    pub shuffles: u32,
    /// Selects.
    pub selects: u32,
    /// Accesses to scratch memory.
    pub accesses: u32,
    /// Bytes of that.
    pub shared_bytes: u32,
    /// Barriers of the block.
    pub barriers: u32,
}

impl Moved {
    /// What a plan needs, for elements of `elem_bits` bits.
    pub fn of(plan: &Plan, elem_bits: u32) -> Moved {
        let cost = plan.cost(elem_bits);
        Moved {
            shuffles: cost.shuffles,
            selects: cost.selects,
            accesses: cost.accesses,
            shared_bytes: cost.shared_bytes,
            barriers: cost.barriers,
        }
    }

    /// Both, one after the other.
    fn and(self, other: Moved) -> Moved {
        Moved {
            shuffles: self.shuffles + other.shuffles,
            selects: self.selects + other.selects,
            accesses: self.accesses + other.accesses,
            shared_bytes: self.shared_bytes.max(other.shared_bytes),
            barriers: self.barriers + other.barriers,
        }
    }

    /// The most expensive means.
    pub fn class(self) -> CostClass {
        match self {
            it if it.accesses > 0 => CostClass::Shared,
            it if it.shuffles > 0 => CostClass::Shuffles,
            it if it.selects > 0 => CostClass::Registers,
            _ => CostClass::Nothing,
        }
    }

    /// The parts that are not zero: `4 shuffles, 2 barriers`.
    pub fn text(self) -> String {
        let parts = [
            (self.shuffles, "shuffle"),
            (self.selects, "select"),
            (self.accesses, "shared access"),
            (self.barriers, "barrier"),
        ];
        let parts = parts.into_iter().filter(|it| it.0 > 0).map(|(n, noun)| counted(n, noun));
        let text = parts.collect::<Vec<_>>().join(", ");
        if text.is_empty() { "free".to_owned() } else { text }
    }
}

/// `1 shuffle`, `2 shared accesses`.
pub fn counted(n: u32, noun: &str) -> String {
    let ending = match n {
        1 => "",
        _ if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{n} {noun}{ending}")
}

/// `640 B`, `48 KiB`.
pub fn bytes_text(bytes: u32) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        _ if bytes.is_multiple_of(1024) => format!("{} KiB", bytes / 1024),
        _ => format!("{:.1} KiB", f64::from(bytes) / 1024.0),
    }
}

impl Cost {
    /// A sentence.
    pub fn sentence(&self) -> String {
        match self {
            Cost::Global { verb, bytes, ideal_bytes, limit, sectors } => {
                let width = format!("{verb}: {bytes} B a thread and instruction");
                let why = limit.map_or_else(String::new, |it| {
                    format!(", {ideal_bytes} B would fit: {}", reason(it))
                });
                let (n, least) = sectors;
                let waste = if n > least { format!(", {least} would do") } else { String::new() };
                format!("{width}{why}; {} of 32 B a warp{waste}", counted(*n, "sector"))
            }
            Cost::Shared { verb, means, bytes, conflicts } => {
                let conflicts = match conflicts {
                    0 => "no bank conflicts".to_owned(),
                    n => format!("the banks repeat it {}", times(*n)),
                };
                format!("shared {verb} by {means}: {bytes} B a lane, {conflicts}")
            }
            Cost::Move(it) => {
                let scratch = match it.shared_bytes {
                    0 => String::new(),
                    n => format!(" ({} of scratch)", bytes_text(n)),
                };
                let how = match it.class() {
                    CostClass::Nothing => "no instruction",
                    CostClass::Registers => "within each thread",
                    CostClass::Shuffles => "within each warp",
                    CostClass::Shared => "through shared memory",
                };
                match it.class() {
                    CostClass::Nothing => format!("moves: {how}"),
                    _ => format!("moves {how}: {}{scratch}", it.text()),
                }
            }
            Cost::Buffer { bytes, offset, n_stages } => {
                let stages = match n_stages {
                    1 => String::new(),
                    n => format!(", {n} stages of {}", bytes_text(bytes / n)),
                };
                format!("{} of shared memory at byte {offset}{stages}", bytes_text(*bytes))
            }
        }
    }

    /// A few characters for the margin; `None` if it says nothing that anybody waits for.
    pub fn short(&self) -> Option<String> {
        match self {
            Cost::Global { bytes, .. } => Some(format!("{bytes} B")),
            Cost::Shared { conflicts: 0, .. } => None,
            Cost::Shared { conflicts, .. } => Some(format!("{} bank conflicts", conflicts + 1)),
            Cost::Move(it) => Some(it.text()),
            Cost::Buffer { bytes, .. } => Some(bytes_text(*bytes)),
        }
    }
}

fn times(n: u32) -> String {
    match n {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}

fn reason(limit: Limit) -> &'static str {
    match limit {
        Limit::Layout => "a thread's lowest registers are no neighbours",
        Limit::Contiguity => "neighbours of the tile are no neighbours in memory",
        Limit::Alignment => "groups begin at addresses that are not known to be multiples of it",
        Limit::Mask => "the mask can change inside a group",
    }
}

/// The costs of a kernel, by place.
#[derive(Clone, PartialEq, Debug)]
pub struct Costs {
    kernel: Arc<Kernel>,
    found: Vec<(SiteId, Cost)>,
    /// What the compiler puts before the access at a place.
    orders: Vec<(Place, String)>,
    /// Bytes of all buffers of a block.
    pub shared_bytes: u32,
}

impl Costs {
    /// Asks the analyses.
    pub fn of(kernel: Arc<Kernel>) -> Costs {
        let facts = Facts::of(&kernel);
        let mut found = Vec::new();
        kernel.body.walk(&mut |inst| {
            found.extend(cost(&kernel, &facts, inst).map(|it| (inst.site, it)));
        });
        let pass::Prepared { kernel: prepared, allocation, placed } = pass::prepare(&kernel);
        let orders = placed.iter().map(|it| order(&prepared, it)).collect();
        let mut costs = Costs { kernel, found, orders, shared_bytes: allocation.bytes };
        costs.buffers(&prepared, &allocation);
        costs
    }

    fn buffers(&mut self, prepared: &Kernel, allocation: &Allocation) {
        for it in allocation.buffers.iter().filter(|it| it.bytes > 0) {
            // Passes append places and change none.
            let Some(site) = self.site_of(&prepared.sites[it.site.0 as usize].place) else {
                continue;
            };
            let (bytes, offset, n_stages) = (it.bytes, it.offset, it.n_stages);
            self.found.push((site, Cost::Buffer { bytes, offset, n_stages }));
        }
    }

    fn site_of(&self, place: &Place) -> Option<SiteId> {
        let at = self.kernel.sites.iter().position(|it| it.place == *place)?;
        Some(SiteId(at as u32))
    }

    /// The costs of the instructions that stand at a place, each different one once.
    pub fn at(&self, place: &Place) -> Vec<&Cost> {
        let here = |site: &SiteId| self.kernel.sites[site.0 as usize].place == *place;
        let mut costs: Vec<&Cost> = Vec::new();
        for (_, it) in self.found.iter().filter(|it| here(&it.0)) {
            if !costs.contains(&it) {
                costs.push(it);
            }
        }
        costs
    }

    /// What is moved between threads inside the calls at a place; `None` if nothing is.
    pub fn inside(&self, place: &Place) -> Option<Moved> {
        let moves = self.found.iter().filter_map(|(site, it)| match it {
            Cost::Move(it) if self.is_called_at(*site, place) => Some(*it),
            _ => None,
        });
        moves.reduce(Moved::and)
    }

    fn is_called_at(&self, site: SiteId, place: &Place) -> bool {
        let site_of = |it: SiteId| &self.kernel.sites[it.0 as usize];
        let mut chain = std::iter::successors(site_of(site).caller, |it| site_of(*it).caller);
        chain.any(|it| site_of(it).place == *place)
    }

    /// What the compiler puts before the accesses at a place.
    pub fn order_before(&self, place: &Place) -> Vec<String> {
        let here = self.orders.iter().filter(|it| it.0 == *place);
        let mut found: Vec<String> = here.map(|it| it.1.clone()).collect();
        found.sort();
        found.dedup();
        found
    }

    /// Places of the instructions with a cost, in the order of the program.
    pub fn places(&self) -> impl Iterator<Item = (&Place, &Cost)> {
        self.found.iter().map(|(site, it)| (&self.kernel.sites[site.0 as usize].place, it))
    }
}

fn order(prepared: &Kernel, placed: &Placed) -> (Place, String) {
    let what = match placed.order {
        Order::Commit => "the end of a group of copies",
        Order::Wait { .. } => "a wait for copies",
        Order::WaitOut { .. } | Order::Written => "a wait for boxes on their way out",
        Order::Products { .. } => "a wait for products",
        Order::Barrier => "a barrier",
        Order::Fence => "a fence for the matrix unit",
    };
    let place = prepared.sites[placed.why.second.1.0 as usize].place.clone();
    (place, format!("{what} stands before it, after the {}", placed.why.first.0.name()))
}

fn cost(kernel: &Kernel, facts: &Facts, inst: &Inst) -> Option<Cost> {
    match &inst.op {
        Op::Memory(MemoryOp::Load { .. }) => global(kernel, facts, inst, "load", 0),
        Op::Memory(MemoryOp::Store { .. }) => global(kernel, facts, inst, "store", 0),
        Op::Copy(CopyOp::Async) => global(kernel, facts, inst, "copy", 1),
        Op::Copy(CopyOp::Fetch { .. }) => global(kernel, facts, inst, "fetch", 0),
        Op::Shared(SharedOp::Load) => {
            shared(kernel, inst.operands[0], inst.results[0], "load", Direction::Read)
        }
        Op::Shared(SharedOp::Store) => {
            shared(kernel, inst.operands[0], inst.operands[1], "store", Direction::Write)
        }
        Op::Tile(_) => moved(kernel, inst).map(Cost::Move),
        Op::Memory(
            MemoryOp::At { .. }
            | MemoryOp::IsPresent { .. }
            | MemoryOp::Offset
            | MemoryOp::Atomic { .. }
            | MemoryOp::AtomicCas { .. }
            | MemoryOp::Print { .. }
            | MemoryOp::Assert { .. }
            | MemoryOp::Assume,
        )
        | Op::Shared(
            SharedOp::Alloc { .. }
            | SharedOp::Index { .. }
            | SharedOp::Slice { .. }
            | SharedOp::Recast
            | SharedOp::Overlay
            | SharedOp::On
            | SharedOp::Gather { .. }
            | SharedOp::Scatter { .. }
            | SharedOp::Atomic { .. },
        )
        | Op::Copy(
            CopyOp::Commit
            | CopyOp::Land
            | CopyOp::Hold
            | CopyOp::Signal { .. }
            | CopyOp::Wait { .. }
            | CopyOp::Box { .. }
            | CopyOp::BoxOut { .. }
            | CopyOp::Prefetch { .. }
            | CopyOp::WaitOut { .. },
        )
        | Op::Mma(_)
        | Op::Sync(_)
        | Op::Flow(_) => None,
    }
}

fn global(
    kernel: &Kernel,
    facts: &Facts,
    inst: &Inst,
    verb: &'static str,
    pointer: usize,
) -> Option<Cost> {
    let found = access(kernel, facts, inst)?;
    let Elem::Pointer(dtype) = kernel.ty(inst.operands[pointer]).elem else { return None };
    let bits = dtype.storage_bits();
    let sectors = sectors(kernel, facts, inst, Span::First)?;
    Some(Cost::Global {
        verb,
        bytes: found.bytes,
        ideal_bytes: (found.ideal_elems * bits).div_ceil(8),
        limit: found.limit,
        sectors: (sectors.touched, sectors.least),
    })
}

fn shared(
    kernel: &Kernel,
    view: Value,
    tile: Value,
    verb: &'static str,
    direction: Direction,
) -> Option<Cost> {
    let (view, tile) = (kernel.ty(view), kernel.ty(tile));
    let (Some(map), Some(layout), Elem::Shared(dtype)) = (&view.memory, &tile.layout, view.elem)
    else {
        return None;
    };
    let target = kernel.target.row();
    let found = shared_access(target, layout, map, dtype.storage_bits(), direction);
    let means = match found.means {
        SharedMeans::Vector => "each thread's own accesses",
        SharedMeans::Matrix { transposed: false, .. } => "matrices of a warp",
        SharedMeans::Matrix { transposed: true, .. } => "transposed matrices of a warp",
        SharedMeans::TransposeRead => "transposing reads",
    };
    let conflicts = found.conflicts(dtype.storage_bits(), &target.banks, direction);
    Some(Cost::Shared { verb, means, bytes: found.bytes, conflicts })
}

fn moved(kernel: &Kernel, inst: &Inst) -> Option<Moved> {
    let bits = kernel.ty(*inst.operands.first()?).elem.bits();
    let movement = Movement::of(kernel, inst)?;
    movement.plans().into_iter().map(|it| Moved::of(it, bits)).reduce(Moved::and)
}
