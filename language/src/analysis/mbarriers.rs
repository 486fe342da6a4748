//! The mbarriers of a kernel of roles: who arrives at them, and what the hardware counts.
//!
//! # Definition
//! A program counts arrivals in roles. The hardware counts in threads, and a role arrives once a warp, as soon as the
//! warp is there. So that every role's arrival weighs the same, a warp of a role of `w` warps arrives `m / w` times at
//! once, where `m` is the most warps that any role has that arrives there; warps of a role are powers of two.

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::ir::{Elem, Inst, Kernel, Region, SiteId, Value};
use crate::op::{FlowOp, Op, SharedOp, SyncOp};

/// Mbarriers that were made together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BarrierList {
    /// The view of all.
    pub value: Value,
    /// The variable's name, if it has one.
    pub name: SmolStr,
    /// Where it is made.
    pub site: SiteId,
    /// How many there are.
    pub n: u32,
    /// Roles that arrive in a phase.
    pub arrivals: u32,
    /// The roles that arrive somewhere, by number.
    pub arriving: Vec<usize>,
    /// The most warps of a role that arrives.
    pub most_warps: u32,
}

impl BarrierList {
    /// Arrivals of a phase as the hardware counts them.
    pub fn count(&self) -> u32 {
        self.arrivals * self.most_warps
    }

    /// Of those, what a warp of a role of so many warps makes at once.
    pub fn share(&self, warps: u32) -> u32 {
        self.most_warps / warps
    }
}

/// All mbarriers of a kernel; none if it has one role.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mbarriers {
    /// In order of the text.
    pub lists: Vec<BarrierList>,
    /// The place in `lists` of the list that a barrier is of.
    list_of: FxHashMap<Value, usize>,
}

impl Mbarriers {
    /// Those of a kernel.
    pub fn of(kernel: &Kernel) -> Mbarriers {
        let Some((_, roles)) = kernel.roles() else { return Mbarriers::default() };
        let mut it = Mbarriers::default();
        it.region(kernel, &kernel.body, None);
        for list in &mut it.lists {
            let warps = list.arriving.iter().map(|&it| roles[it].warps);
            list.most_warps = warps.max().unwrap_or(1);
        }
        it
    }

    /// The list that a barrier is of.
    ///
    /// # Panics
    /// If it is no barrier of the kernel.
    pub fn list(&self, barrier: Value) -> &BarrierList {
        &self.lists[self.list_of[&barrier]]
    }

    fn region(&mut self, kernel: &Kernel, region: &Region, role: Option<usize>) {
        for inst in &region.insts {
            self.inst(kernel, inst, role);
            let is_roles = matches!(inst.op, Op::Flow(FlowOp::Roles { .. }));
            for (number, inner) in inst.regions.iter().enumerate() {
                self.region(kernel, inner, if is_roles { Some(number) } else { role });
            }
        }
    }

    fn inst(&mut self, kernel: &Kernel, inst: &Inst, role: Option<usize>) {
        match &inst.op {
            Op::Sync(SyncOp::Mbarriers { arrivals, .. }) => {
                let value = inst.results[0];
                self.list_of.insert(value, self.lists.len());
                let decl = &kernel.values[value.0 as usize];
                self.lists.push(BarrierList {
                    value,
                    name: decl.name.clone(),
                    site: inst.site,
                    n: decl.ty.shape.iter().product(),
                    arrivals: (*arrivals).max(1),
                    arriving: Vec::new(),
                    most_warps: 1,
                });
            }
            Op::Shared(SharedOp::Index { .. } | SharedOp::On)
                if kernel.ty(inst.results[0]).elem == Elem::Barrier =>
            {
                let list = self.list_of[&inst.operands[0]];
                self.list_of.insert(inst.results[0], list);
            }
            Op::Sync(SyncOp::Arrive { .. } | SyncOp::Expect { .. }) => {
                let list = self.list_of[&inst.operands[0]];
                let arriving = &mut self.lists[list].arriving;
                if let Some(role) = role.filter(|it| !arriving.contains(it)) {
                    arriving.push(role);
                }
            }
            _ => {}
        }
    }
}
