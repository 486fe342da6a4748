//! What roles ask of a target that it does not do.
//!
//! These are rules of the machine, not of the language: barriers live where all roles find them from the start; copies that
//! warps make tell a barrier that they have landed, but not how many bytes; barriers with names are few; and a target has
//! mbarriers or has none.

use super::meetings::named_barriers;
use super::role_map::{BARRIERS, meeting_ids};
use crate::diagnostic::Diagnostic;
use crate::ir::{Inst, Kernel, Region, SiteId};
use crate::op::{CopyOp, Op, SyncOp};
use crate::report;
use crate::target::Cap;

/// The first thing that the target of a kernel of roles does not do.
pub(super) fn error(kernel: &Kernel) -> Option<Diagnostic> {
    let (roles, each) = kernel.roles()?;
    let place = |site: SiteId| kernel.outer_place(site).clone();
    let target = kernel.target.row();
    if !target.has(Cap::Mbarrier) {
        return Some(report::roles::no_mbarriers(place(roles.site), target));
    }
    let mut walk = Walk { roles: Some(roles), ..Walk::default() };
    walk.region(&kernel.body, 0);
    if let Some((site, value)) = walk.inside {
        let name = &kernel.values[value.0 as usize].name;
        return Some(report::roles::barriers_inside(place(site), name));
    }
    if let Some(expect) = walk.expect.filter(|_| !target.has(Cap::Tma)) {
        return Some(report::roles::no_bytes(place(expect), target));
    }
    let named = named_barriers(kernel);
    let n_own = meeting_ids(each).iter().flatten().count();
    if (BARRIERS as usize) < n_own + named.len() {
        let places: Vec<_> = named.iter().map(|it| place(it.site)).collect();
        return Some(report::roles::named_barriers(&named, &places, each));
    }
    walk.signal.map(|it| report::roles::bytes_by_warps(place(it), walk.expect.map(place)))
}

/// What is looked for, the first of each.
#[derive(Default)]
struct Walk<'a> {
    roles: Option<&'a Inst>,
    inside: Option<(SiteId, crate::ir::Value)>,
    signal: Option<SiteId>,
    expect: Option<SiteId>,
}

impl Walk<'_> {
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
            let depth = depth + u32::from(!self.leads_to_roles(inst));
            inst.regions.iter().for_each(|it| self.region(it, depth));
        }
    }

    /// Whether it is the roles, or an early return before them.
    fn leads_to_roles(&self, inst: &Inst) -> bool {
        let is = |it: &Inst| self.roles.is_some_and(|roles| std::ptr::eq(roles, it));
        let last = |it: &Region| it.insts.last().is_some_and(|it| self.leads_to_roles(it));
        is(inst) || inst.regions.iter().any(last)
    }
}
