//! Permits: from the right to use a stage to what its end does.
//!
//! # Requires
//! A permit ends once on every way, and its views are used between; the elaborator says so.
//!
//! # Establishes
//! * No `sync.permit` and no `sync.end`: every end arrives at its barrier. In a kernel of one role the end of a stage that
//!   copies fill closes their group before; with roles the barrier's phase is held open for every copy. The end of a
//!   stage that boxes fill expects their bytes besides; they may land before.
//! * A stage that a product in flight reads is given back when the product is waited for ([`borrow`]).
//! * The groups that ends close are as many on every way ([`super::groups`]).
//! * The end of a stage of a ring between blocks arrives in all of them; that of one that boxes fill expects in its own block
//!   what all blocks bring there.
//! * A copy that signals a barrier is the last of its group.
//! * An arrival that gives a stage away which products read names its views, for [`super::waits`].
//! * Every `sync.mbarriers` says how many roles arrive in a phase: each that ends permits there or arrives by hand.

mod borrow;

use rustc_hash::{FxHashMap, FxHashSet};

use super::groups;
use super::place::new_inst;
use crate::ir::{Inst, Kernel, Region, Value};
use crate::op::{CopyOp, FlowOp, MmaOp, Op, SharedOp, SyncOp};

/// The kernel without permits.
pub fn permits(mut kernel: Kernel) -> Kernel {
    let mut uses = Uses { n_blocks: kernel.plan.cluster_size(), ..Uses::default() };
    uses.region(&kernel, &kernel.body, 0);
    if uses.barriers.is_empty() {
        return kernel;
    }
    if 0 < uses.n_roles {
        borrow::defer(&mut kernel, &uses);
    }
    rewrite(&mut kernel.body, &uses);
    if uses.n_roles == 0 && (!uses.filled.is_empty() || uses.signals) {
        groups::even(&mut kernel);
    }
    kernel
}

/// What is done with permits and barriers.
#[derive(Default)]
struct Uses {
    /// What a permit's results were before.
    operands: FxHashMap<Value, Value>,
    /// The permit, named by its `ends`, that a view is of.
    permit_of: FxHashMap<Value, Value>,
    /// Permits whose stages copies fill.
    filled: FxHashSet<Value>,
    /// Roles of the kernel; none if it is one.
    n_roles: u32,
    /// The list, dimension and index that a barrier is taken from.
    index_of: FxHashMap<Value, (Value, u32, Value)>,
    /// The list of mbarriers that a barrier is of.
    barriers: FxHashMap<Value, Value>,
    /// Lists of mbarriers with the roles that arrive there, and whether they do so in all blocks.
    arrived: FxHashSet<(Value, u32, bool)>,
    /// The views of a permit's stage.
    stages: FxHashMap<Value, Vec<Value>>,
    /// Permits whose stages products read.
    multiplied: FxHashSet<Value>,
    /// Permits whose stages boxes fill, with the bytes of these.
    boxed: FxHashMap<Value, u32>,
    /// Whether copies signal barriers.
    signals: bool,
    /// Lists of mbarriers whose stages pass between the blocks of the cluster.
    across: FxHashSet<Value>,
    /// Blocks of a cluster.
    n_blocks: u32,
}

impl Uses {
    fn region(&mut self, kernel: &Kernel, region: &Region, role: u32) {
        for inst in &region.insts {
            self.inst(kernel, inst, role);
            let is_roles = matches!(inst.op, Op::Flow(FlowOp::Roles { .. }));
            for (number, inner) in (1..).zip(&inst.regions) {
                self.n_roles += u32::from(is_roles);
                self.region(kernel, inner, if is_roles { number } else { role });
            }
        }
    }

    fn inst(&mut self, kernel: &Kernel, inst: &Inst, role: u32) {
        match inst.op {
            Op::Sync(SyncOp::Mbarriers { across, .. }) => {
                self.across.extend(across.then_some(inst.results[0]));
                self.barriers.insert(inst.results[0], inst.results[0]);
            }
            Op::Sync(SyncOp::Permit) => {
                let ends = inst.results[0];
                for (&result, &operand) in inst.results.iter().zip(&inst.operands) {
                    self.operands.insert(result, operand);
                    self.permit_of.insert(result, ends);
                }
                let list = self.barriers[&inst.operands[0]];
                self.barriers.insert(ends, list);
                self.stages.insert(ends, inst.operands[1..].to_vec());
            }
            Op::Shared(
                SharedOp::Index { .. } | SharedOp::Slice { .. } | SharedOp::Recast | SharedOp::On,
            ) => {
                let (of, result) = (inst.operands[0], inst.results[0]);
                if let Some(&list) = self.barriers.get(&of) {
                    self.barriers.insert(result, list);
                    if let Op::Shared(SharedOp::Index { axis }) = inst.op {
                        self.index_of.insert(result, (of, axis, inst.operands[1]));
                    }
                }
                if let Some(&permit) = self.permit_of.get(&of) {
                    self.permit_of.insert(result, permit);
                }
            }
            Op::Mma(MmaOp::Wgmma { .. }) => {
                let permits = inst.operands.iter().filter_map(|it| self.permit_of.get(it));
                self.multiplied.extend(permits);
            }
            Op::Copy(CopyOp::Async) => {
                self.filled.extend(self.permit_of.get(&inst.operands[0]));
            }
            Op::Copy(CopyOp::Box { multicast, .. }) => {
                // Each block brings a part to all of them, and all parts come here.
                let n_boxes = if multicast { self.n_blocks } else { 1 };
                let map = kernel.tensor_map(inst.operands[0]).expect("V3: a box has a map");
                let permit = self.permit_of.get(&inst.operands[1]);
                if let Some(&permit) = permit.filter(|it| **it == inst.operands[2]) {
                    *self.boxed.entry(permit).or_default() += n_boxes * map.box_bytes();
                }
            }
            Op::Copy(CopyOp::Signal { .. }) => self.signals = true,
            Op::Sync(SyncOp::End | SyncOp::Arrive { .. } | SyncOp::Expect { .. }) => {
                let list = self.barriers[&inst.operands[0]];
                let is_end = inst.op == Op::Sync(SyncOp::End);
                let is_boxed = self.boxed.contains_key(&inst.operands[0]);
                let everywhere = is_end && !is_boxed && self.across.contains(&list);
                self.arrived.insert((list, role, everywhere));
            }
            _ => {}
        }
    }
}

fn rewrite(region: &mut Region, uses: &Uses) {
    let before = |it: &mut Value| {
        while let Some(&operand) = uses.operands.get(it) {
            *it = operand;
        }
    };
    let insts = std::mem::take(&mut region.insts);
    for mut inst in insts {
        let first = inst.operands.first().copied();
        inst.operands.iter_mut().for_each(before);
        inst.regions.iter_mut().for_each(|it| rewrite(it, uses));
        match &mut inst.op {
            Op::Sync(SyncOp::Permit) => continue,
            Op::Sync(SyncOp::End) => {
                let filled = first.is_some_and(|it| uses.filled.contains(&it));
                if filled && uses.n_roles == 0 {
                    region.insts.push(new_inst(Op::Copy(CopyOp::Commit), inst.site));
                }
                let bytes = first.and_then(|it| uses.boxed.get(&it)).copied();
                let everywhere = first.is_some_and(|it| uses.passes_on(it));
                let arrive = SyncOp::Arrive { everywhere };
                inst.op = Op::Sync(bytes.map_or(arrive, |bytes| SyncOp::Expect { bytes }));
                if let Some(permit) = first.filter(|it| uses.multiplied.contains(it)) {
                    inst.operands.extend(uses.stages[&permit].iter().copied());
                    inst.operands.iter_mut().for_each(before);
                }
            }
            Op::Sync(SyncOp::Mbarriers { arrivals, .. }) => {
                let here = uses.arrived.iter().filter(|it| it.0 == inst.results[0]);
                if *arrivals == 0 {
                    let of_blocks = |everywhere| if everywhere { uses.n_blocks } else { 1 };
                    *arrivals = here.map(|it| of_blocks(it.2)).sum();
                }
            }
            Op::Copy(CopyOp::Signal { .. }) if uses.n_roles == 0 => {
                region.insts.push(new_inst(Op::Copy(CopyOp::Commit), inst.site));
            }
            _ => {}
        }
        let hold = hold(&inst, first, uses);
        region.insts.push(inst);
        region.insts.extend(hold);
    }
}

impl Uses {
    /// Whether what ends at a barrier is announced in all blocks.
    fn passes_on(&self, barrier: Value) -> bool {
        self.barriers.get(&barrier).is_some_and(|it| self.across.contains(it))
    }

    /// The barrier of a permit as it was given.
    fn ends(&self, permit: Value) -> Value {
        let mut it = permit;
        while let Some(&operand) = self.operands.get(&it) {
            it = operand;
        }
        it
    }
}

/// What tells a permit's barrier of a copy into its stage; `view` is the copy's, as the permit handed it out.
fn hold(inst: &Inst, view: Option<Value>, uses: &Uses) -> Option<Inst> {
    let view = view.filter(|_| 0 < uses.n_roles && inst.op == Op::Copy(CopyOp::Async))?;
    let &permit = uses.permit_of.get(&view)?;
    let mut hold = new_inst(Op::Copy(CopyOp::Hold), inst.site);
    hold.operands.push(uses.ends(permit));
    Some(hold)
}
