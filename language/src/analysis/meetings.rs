//! Named barriers of a kernel: which roles meet at each, and which of the hardware's barriers it is.
//!
//! # Definition
//! A named barrier is met by the roles that mention it, each of them once a phase, with all of its threads. The hardware has
//! barriers with numbers; those that are left when every role has its own are given to named barriers in the order in
//! which they were declared. What nobody mentions takes none.

use crate::analysis::role_map::{BARRIERS, meeting_ids};
use crate::ir::{Kernel, SiteId};
use crate::op::{Op, SyncOp};

/// A barrier at which roles meet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedBarrier {
    /// Its number in the kernel.
    pub number: u32,
    /// The hardware's barrier.
    pub id: u32,
    /// The roles that mention it, by number.
    pub roles: Vec<usize>,
    /// Warps of them all.
    pub warps: u32,
    /// Where the first of them mentions it.
    pub site: SiteId,
}

/// The named barriers that are mentioned, by their numbers; `id` goes round where there are too many.
pub fn named_barriers(kernel: &Kernel) -> Vec<NamedBarrier> {
    let Some((inst, roles)) = kernel.roles() else { return Vec::new() };
    let mut found: Vec<NamedBarrier> = Vec::new();
    for (role, region) in inst.regions.iter().enumerate() {
        region.walk(&mut |inst| {
            let Op::Sync(SyncOp::Meet { barrier: number, .. }) = inst.op else { return };
            match found.iter_mut().find(|it| it.number == number) {
                Some(it) if it.roles.contains(&role) => {}
                Some(it) => {
                    it.roles.push(role);
                    it.warps += roles[role].warps;
                }
                None => {
                    let (roles, warps) = (vec![role], roles[role].warps);
                    found.push(NamedBarrier { number, id: 0, roles, warps, site: inst.site });
                }
            }
        });
    }
    found.sort_by_key(|it| it.number);
    let n_own = meeting_ids(roles).into_iter().flatten().count() as u32;
    for (it, id) in found.iter_mut().zip(n_own + 1..) {
        it.id = id % BARRIERS;
    }
    found
}
