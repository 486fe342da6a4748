//! The map of roles: which warps are whose, and how the register file is shared between them.
//!
//! # Definition
//! Where the hardware lets warps hand registers to each other it does so by *warp groups*, so a kernel's warps are cut
//! into groups: those of a role that is whole groups, or one group in which smaller roles stand side by side. A
//! block starts with as many registers a thread as its groups want on average; then groups that want fewer give some back, and
//! those that want more take them.
//!
//! # Invariants
//! * M1: groups cover the warps of the block in order, without gaps; so do the roles of a group from its first warp on.
//! * M2: what groups have together is never more than what the block started with.

use crate::op::flow::Role;
use crate::target::{Cap, Target};

/// Warps that get their registers together (PTX ISA 9.7.19.5, setmaxnreg).
pub const GROUP_WARPS: u32 = 4;
/// Registers are handed over in steps of so many a thread.
const STEP: u32 = 8;

/// Warps that have as many registers as each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WarpGroup {
    /// The first warp.
    pub first_warp: u32,
    /// How many there are, those without a role included.
    pub warps: u32,
    /// Registers of a thread, if the program says it.
    pub regs: Option<u32>,
    /// Its roles, by number, in order of their warps.
    pub roles: Vec<usize>,
}

/// How the warps of a block are shared out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleMap {
    /// In order of their warps.
    pub groups: Vec<WarpGroup>,
    /// Registers that a thread starts with; `None` if the assembler may choose.
    pub start_regs: Option<u32>,
}

/// Named barriers of a block (PTX ISA 9.7.13.1).
pub const BARRIERS: u32 = 16;

/// The named barrier at which the threads of each role meet; a warp alone needs none. The block's own, number 0, is free for
/// the last of them, since it is not used after the roles have begun.
pub fn meeting_ids(roles: &[Role]) -> Vec<Option<u32>> {
    let mut n_named = 0;
    let id = |role: &Role| {
        (1 < role.warps).then(|| {
            n_named += 1;
            n_named % BARRIERS
        })
    };
    roles.iter().map(id).collect()
}

impl RoleMap {
    /// The map of roles that have their warps, in a block of `warps`.
    pub fn of(roles: &[Role], warps: u32, target: &Target) -> RoleMap {
        let by_groups = target.has(Cap::Setmaxnreg);
        let mut order: Vec<usize> = (0..roles.len()).collect();
        order.sort_by_key(|&it| roles[it].first_warp);
        let mut groups: Vec<WarpGroup> = Vec::new();
        for at in order {
            let Role { first_warp, warps, regs, .. } = roles[at];
            let first = if by_groups { first_warp / GROUP_WARPS * GROUP_WARPS } else { first_warp };
            let regs = regs.filter(|_| by_groups);
            match groups.last_mut().filter(|it| it.first_warp == first) {
                Some(group) => group.roles.push(at),
                None => {
                    let warps = if by_groups { warps.next_multiple_of(GROUP_WARPS) } else { warps };
                    groups.push(WarpGroup { first_warp: first, warps, regs, roles: vec![at] });
                }
            }
        }
        debug_assert_eq!(groups.iter().map(|it| it.warps).sum::<u32>(), warps, "M1");
        let start_regs = start_regs(&groups);
        RoleMap { groups, start_regs }
    }

    /// Registers of the block: what a thread starts with, times all threads.
    pub fn registers(&self, target: &Target) -> u32 {
        let warps: u32 = self.groups.iter().map(|it| it.warps).sum();
        self.start_regs.unwrap_or(0) * warps * target.lanes
    }
}

/// The least number with which those that say what they want get it, and the others keep theirs.
fn start_regs(groups: &[WarpGroup]) -> Option<u32> {
    let said = || groups.iter().filter_map(|it| Some((it.warps, it.regs?)));
    let warps: u32 = said().map(|it| it.0).sum();
    let wanted: u32 = said().map(|(warps, regs)| warps * regs).sum();
    (0 < warps).then(|| wanted.div_ceil(warps).next_multiple_of(STEP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::TargetId;

    fn role(warps: u32, first_warp: u32, regs: Option<u32>) -> Role {
        Role { name: "it".into(), copy: None, warps, first_warp, regs }
    }

    fn map(target: &str, warps: u32, roles: &[Role]) -> RoleMap {
        let target = TargetId::from_name(target).expect("a row of the table");
        RoleMap::of(roles, warps, target.row())
    }

    #[test]
    fn a_producer_gives_its_registers_to_two_groups_that_multiply() {
        let roles = [role(1, 0, Some(40)), role(4, 4, Some(232)), role(4, 8, Some(232))];
        let found = map("sm_90a", 12, &roles);
        assert_eq!(found.start_regs, Some(168));
        let groups = found.groups.iter().map(|it| (it.first_warp, it.warps, it.regs));
        let wanted = [(0, 4, Some(40)), (4, 4, Some(232)), (8, 4, Some(232))];
        assert_eq!(groups.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn small_roles_stand_side_by_side_in_a_group() {
        let roles = [role(1, 0, None), role(8, 4, None), role(2, 1, None)];
        let found = map("sm_90a", 12, &roles);
        assert_eq!(found.start_regs, None);
        assert_eq!(found.groups[0].roles, [0, 2]);
        assert_eq!(found.groups[1].roles, [1]);
    }

    #[test]
    fn targets_without_groups_have_no_registers_to_hand_over() {
        let roles = [role(1, 0, Some(40)), role(4, 1, Some(232))];
        let found = map("sm_80", 5, &roles);
        assert_eq!(found.start_regs, None);
        assert_eq!(found.groups.len(), 2);
    }

    #[test]
    fn every_role_of_several_warps_meets_at_a_barrier_of_its_own() {
        let roles: Vec<Role> =
            (0..17).map(|it| role(if it == 3 { 1 } else { 2 }, 2 * it, None)).collect();
        let ids = meeting_ids(&roles);
        assert_eq!(ids[..5], [Some(1), Some(2), Some(3), None, Some(4)]);
        let mut named: Vec<u32> = ids.into_iter().flatten().collect();
        named.sort_unstable();
        assert_eq!(named, (0..16).collect::<Vec<_>>());
    }

    #[test]
    fn those_that_say_nothing_keep_what_they_start_with() {
        let roles = [role(4, 0, Some(24)), role(4, 4, Some(200)), role(4, 8, None)];
        assert_eq!(map("sm_90a", 12, &roles).start_regs, Some(112));
    }
}
