//! Roles: one function in which each set of warps goes its own way.
//!
//! # Idea
//! All warps run what stands before the roles, make the mbarriers ready and meet. Then every group of warps takes the
//! registers that it wants, and every role its own code. There "thread" means the number in the role, and a meeting is one of
//! the role alone: a role is to its code what a block is to a kernel without roles.
//!
//! # Invariants
//! * R1: no meeting of all threads comes after the roles have begun.
//! * R2: values that depend on the thread's number are made anew in every role, at its own head.
//! * R3: what asks for registers is reached by all warps of a group together.

use std::collections::HashMap;

use inkwell::IntPredicate;
use inkwell::basic_block::BasicBlock;
use inkwell::values::IntValue;
use tile_language::analysis::RoleMap;
use tile_language::analysis::role_map::meeting_ids;
use tile_language::ir::{Inst, Kernel, Region, Value};
use tile_language::op::flow::Role;

use super::Lower;
use crate::chip::Meeting;

/// The threads that run the code at hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Team {
    /// The first warp of them in the block.
    pub(crate) first_warp: u32,
    /// How many warps they are.
    pub(crate) warps: u32,
    /// How they meet.
    pub(crate) meeting: Meeting,
}

impl Team {
    /// All threads of a block.
    pub(crate) fn block(warps: u32) -> Team {
        Team { first_warp: 0, warps, meeting: Meeting::Block }
    }

    /// Whether it is one role of several.
    pub(crate) fn is_role(&self) -> bool {
        self.meeting != Meeting::Block
    }
}

/// The teams of the roles.
fn teams(roles: &[Role], lanes: u32) -> Vec<Team> {
    let team = |(role, id): (&Role, Option<u32>)| {
        let threads = role.warps * lanes;
        let meeting = id.map_or(Meeting::Warp, |id| Meeting::Named { id, threads });
        Team { first_warp: role.first_warp, warps: role.warps, meeting }
    };
    roles.iter().zip(meeting_ids(roles)).map(team).collect()
}

/// How many warps run the instruction that makes a value.
pub(crate) fn warps_of(kernel: &Kernel) -> impl Fn(Value) -> u32 {
    let mut inside = HashMap::new();
    if let Some((inst, roles)) = kernel.roles() {
        for (role, region) in roles.iter().zip(&inst.regions) {
            region.walk(&mut |it| {
                let params = it.regions.iter().flat_map(|it| &it.params);
                inside.extend(it.results.iter().chain(params).map(|&it| (it, role.warps)));
            });
        }
    }
    let all = kernel.warps;
    move |it| inside.get(&it).copied().unwrap_or(all)
}

impl<'c> Lower<'_, 'c> {
    /// Lowers the roles of a kernel, with which it ends.
    pub(crate) fn roles(&mut self, roles: &[Role], inst: &Inst) {
        self.open_barriers();
        let map = RoleMap::of(roles, self.kernel.warps, self.kernel.target.row());
        let teams = teams(roles, self.lanes);
        let warp = self.warp_number();
        let exit = self.emit.block();
        for (at, group) in map.groups.iter().enumerate() {
            let end = group.first_warp + group.warps;
            let next = self.part_below(warp, end, at + 1 == map.groups.len(), exit);
            if let (Some(start), Some(wanted)) = (map.start_regs, group.regs) {
                self.chip.hand_registers(&self.emit, start, wanted);
            }
            for (at, &number) in group.roles.iter().enumerate() {
                let role_end = roles[number].first_warp + roles[number].warps;
                let is_last = at + 1 == group.roles.len() && role_end == end;
                let next = self.part_below(warp, role_end, is_last, exit);
                self.role(teams[number], &inst.regions[number]);
                self.emit.jump(exit);
                self.emit.enter(next);
            }
            if group.roles.last().is_some_and(|&it| roles[it].first_warp + roles[it].warps < end) {
                self.emit.jump(exit);
            }
            self.emit.enter(next);
        }
    }

    /// Goes on with the warps below `end`; the block in which those from there on do, or the exit if there are none.
    fn part_below(
        &self,
        warp: IntValue<'c>,
        end: u32,
        is_last: bool,
        exit: BasicBlock<'c>,
    ) -> BasicBlock<'c> {
        if is_last {
            return exit;
        }
        let (own, next) = (self.emit.block(), self.emit.block());
        let is_own = self.emit.icmp(IntPredicate::ULT, warp, self.emit.int(end));
        self.emit.branch(is_own, own, next);
        self.emit.enter(own);
        next
    }

    /// The number of this warp in its block, the same in all lanes for the hardware to see.
    fn warp_number(&mut self) -> IntValue<'c> {
        let thread = self.thread();
        let shift = self.emit.int(self.lanes.trailing_zeros());
        let warp = self.emit.lshr(thread, shift);
        self.chip.first_lane(&self.emit, warp)
    }

    /// The code of one role (invariant R2).
    fn role(&mut self, team: Team, region: &Region) {
        let thread = self.thread.take();
        let functions = [&mut self.thread_functions, &mut self.warp_functions].map(std::mem::take);
        let (order, scratch) = (self.order.clone(), self.scratch.pending());
        let outer = std::mem::replace(&mut self.team, team);
        let head = self.emit.open_head();
        self.region(region);
        self.end_boxes(region);
        self.emit.close_head(head);
        self.team = outer;
        self.scratch.set_pending(scratch);
        self.order = order;
        [self.thread_functions, self.warp_functions] = functions;
        self.thread = thread;
    }
}
