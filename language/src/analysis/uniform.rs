//! Values that are equal in all blocks of a cluster, and what asks for it.
//!
//! # Definition
//! What blocks of a cluster do together (a meeting of the cluster, a copy that lands in all of them, an arrival in all of
//! them) they must all do equally often, so it stands under conditions and in loops whose bounds are equal in all blocks. A
//! value *differs* if it may not be: the block's number, what is loaded, and what is computed from something that differs. A
//! block's number along an axis, divided by the cluster's extent, is the cluster's.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ir::{Inst, Kernel, Region, SiteId, Value};
use crate::op::tile::BinaryOp;
use crate::op::{CopyOp, FlowOp, MemoryOp, Op, SyncOp, TileOp};

/// Something that blocks do together and some of them may not come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parted {
    /// What they do together.
    pub together: SiteId,
    /// Where they go different ways.
    pub parts: SiteId,
}

/// The first that blocks of a cluster may not do together; none if there is none.
pub(super) fn parted(kernel: &Kernel) -> Option<Parted> {
    if kernel.plan.cluster_size() <= 1 {
        return None;
    }
    let mut walk = Walk { kernel, differs: FxHashSet::default(), made: FxHashMap::default() };
    // What a loop carries may differ because of what comes later in it.
    loop {
        let n = walk.differs.len();
        walk.region(&kernel.body);
        if walk.differs.len() == n {
            break;
        }
    }
    walk.parted(&kernel.body, None)
}

struct Walk<'a> {
    kernel: &'a Kernel,
    differs: FxHashSet<Value>,
    made: FxHashMap<Value, &'a Inst>,
}

impl<'a> Walk<'a> {
    fn differs(&self, value: Value) -> bool {
        self.differs.contains(&value)
    }

    fn region(&mut self, region: &'a Region) {
        for inst in &region.insts {
            self.made.extend(inst.results.iter().map(|&it| (it, inst)));
            inst.regions.iter().for_each(|it| self.region(it));
            match &inst.op {
                Op::Flow(op) => self.flow(op, inst),
                op => {
                    if self.makes_differing(op, inst) {
                        self.differs.extend(&inst.results);
                    }
                }
            }
        }
    }

    fn makes_differing(&self, op: &Op, inst: &Inst) -> bool {
        let of_operands = || inst.operands.iter().any(|it| self.differs(*it));
        match op {
            Op::Tile(TileOp::BlockId { axis }) => {
                1 < self.kernel.plan.cluster_extents()[*axis as usize]
            }
            Op::Tile(TileOp::ClusterRank) => true,
            Op::Tile(TileOp::Binary { op: BinaryOp::Div }) => {
                of_operands() && !self.is_of_cluster(inst)
            }
            Op::Memory(MemoryOp::Load { .. }) => {
                of_operands() || !self.is_constant(inst.operands[0])
            }
            Op::Memory(MemoryOp::Atomic { .. } | MemoryOp::AtomicCas { .. }) | Op::Shared(_) => {
                true
            }
            Op::Tile(_) | Op::Memory(_) | Op::Copy(_) | Op::Sync(_) | Op::Mma(_) | Op::Flow(_) => {
                of_operands()
            }
        }
    }

    /// Whether it is the block's number divided by a multiple of the cluster's extent.
    fn is_of_cluster(&self, inst: &Inst) -> bool {
        let [id, by] = [0, 1].map(|it| self.made.get(&inst.operands[it]).map(|it| &it.op));
        let (Some(Op::Tile(TileOp::BlockId { axis })), Some(Op::Tile(TileOp::Const { bits }))) =
            (id, by)
        else {
            return false;
        };
        let extent = u64::from(self.kernel.plan.cluster_extents()[*axis as usize]);
        *bits != 0 && bits.is_multiple_of(extent)
    }

    /// Whether pointers are to memory that the kernel does not write.
    fn is_constant(&self, pointers: Value) -> bool {
        match self.made.get(&pointers).map(|it| &it.op) {
            Some(Op::Memory(MemoryOp::At { tensor })) => {
                !self.kernel.tensors[*tensor as usize].mutable
            }
            _ => false,
        }
    }

    fn flow(&mut self, op: &FlowOp, inst: &'a Inst) {
        let parts = self.parts(inst);
        for region in &inst.regions {
            let skipped = region.yields.len() - inst.results.len().min(region.yields.len());
            for (&result, &yielded) in inst.results.iter().zip(&region.yields[skipped..]) {
                if parts || self.differs(yielded) {
                    self.differs.insert(result);
                }
            }
        }
        let (n_bounds, first) = match op {
            FlowOp::For { .. } => (3, 1),
            FlowOp::While => (0, 0),
            FlowOp::If | FlowOp::Roles { .. } => return,
        };
        let carried: Vec<(Value, Value)> =
            inst.operands[n_bounds..].iter().copied().zip(inst.results.iter().copied()).collect();
        for region in &inst.regions {
            if let (1, Some(&index)) = (first, region.params.first())
                && (parts || inst.operands[..n_bounds].iter().any(|it| self.differs(*it)))
            {
                self.differs.insert(index);
            }
            for (&param, (init, result)) in region.params[first..].iter().zip(&carried) {
                if self.differs(*init) || self.differs(*result) {
                    self.differs.insert(param);
                    self.differs.insert(*result);
                }
            }
        }
    }

    /// Whether blocks may go different ways here, or a different number of turns.
    fn parts(&self, inst: &Inst) -> bool {
        match &inst.op {
            Op::Flow(FlowOp::If) => self.differs(inst.operands[0]),
            Op::Flow(FlowOp::For { .. }) => inst.operands[..3].iter().any(|it| self.differs(*it)),
            Op::Flow(FlowOp::While) => self.differs(inst.regions[0].yields[0]),
            _ => false,
        }
    }

    fn parted(&self, region: &Region, outer: Option<SiteId>) -> Option<Parted> {
        region.insts.iter().find_map(|inst| {
            let is_together = matches!(
                inst.op,
                Op::Sync(SyncOp::ClusterBarrier | SyncOp::Arrive { everywhere: true })
                    | Op::Copy(CopyOp::Box { multicast: true, .. })
            );
            if let Some(parts) = outer.filter(|_| is_together) {
                return Some(Parted { together: inst.site, parts });
            }
            let here = self.parts(inst).then_some(inst.site);
            inst.regions.iter().find_map(|it| self.parted(it, outer.or(here)))
        })
    }
}
