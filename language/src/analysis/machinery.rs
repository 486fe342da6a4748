//! What roles ask of a target that it does not do.
//!
//! These are rules of the machine, not of the language: barriers live where all roles find them from the start; copies that
//! warps make tell a barrier that they have landed, but not how many bytes; and a target has mbarriers or has none.

use crate::diagnostic::Diagnostic;
use crate::ir::{Kernel, Region, SiteId};
use crate::op::{CopyOp, FlowOp, Op, SyncOp};
use crate::protocol;
use crate::report;
use crate::target::Cap;

/// The first thing that the target of a kernel of roles does not do.
pub(super) fn error(kernel: &Kernel) -> Option<Diagnostic> {
    if !protocol::has_roles(kernel) {
        return None;
    }
    let place = |site: SiteId| kernel.outer_place(site).clone();
    let target = kernel.target.row();
    if !target.has(Cap::Mbarrier) {
        let roles = kernel.body.insts.last().map(|it| it.site)?;
        return Some(report::roles::no_mbarriers(place(roles), target));
    }
    let mut walk = Walk::default();
    walk.region(&kernel.body, 0);
    if let Some((site, value)) = walk.inside {
        let name = &kernel.values[value.0 as usize].name;
        return Some(report::roles::barriers_inside(place(site), name));
    }
    if let Some(expect) = walk.expect.filter(|_| !target.has(Cap::Tma)) {
        return Some(report::roles::no_bytes(place(expect), target));
    }
    walk.signal.map(|it| report::roles::bytes_by_warps(place(it), walk.expect.map(place)))
}

/// What is looked for, the first of each.
#[derive(Default)]
struct Walk {
    inside: Option<(SiteId, crate::ir::Value)>,
    signal: Option<SiteId>,
    expect: Option<SiteId>,
}

impl Walk {
    /// A region inside of so many loops and branches.
    fn region(&mut self, region: &Region, depth: u32) {
        for inst in &region.insts {
            match &inst.op {
                Op::Sync(SyncOp::Mbarriers { .. }) if 0 < depth => {
                    self.inside.get_or_insert((inst.site, inst.results[0]));
                }
                Op::Copy(CopyOp::Signal { .. }) => {
                    self.signal.get_or_insert(inst.site);
                }
                Op::Sync(SyncOp::Expect { .. }) => {
                    self.expect.get_or_insert(inst.site);
                }
                _ => {}
            }
            let is_roles = matches!(inst.op, Op::Flow(FlowOp::Roles { .. }));
            let depth = depth + u32::from(!is_roles);
            inst.regions.iter().for_each(|it| self.region(it, depth));
        }
    }
}
