//! Roles: the last statement of a kernel, a set of warps each with code of its own.
//!
//! # Definition
//! How many warps a kernel has follows from its roles. Roles that are no multiple of a warp group are packed
//! into groups with others of the same number of registers, where the target hands out registers by groups. A
//! role sees what was bound before: scalars, views, barriers, tensors, by value; what it assigns is its own. Tiles
//! are in the registers of all warps, and permits end once, so neither is seen.

use smol_str::SmolStr;
use tile_layout::Machine;
use tile_syntax::ast::{self, Span};

use super::cx::Elab;
use super::value::Value;
use crate::analysis::RoleMap;
use crate::analysis::role_map::GROUP_WARPS;
use crate::ir::Region;
use crate::op::FlowOp;
use crate::op::flow::Role;
use crate::report;
use crate::target::Cap;

/// Copies of one role; a block has no more warps on any target.
const COPIES_MAX: i128 = 32;

/// The roles of a kernel with their code.
pub(super) struct Roles<'r> {
    /// Each copy.
    pub(super) all: Vec<(Role, &'r ast::Role)>,
    /// Warps of the block, those without a role included.
    pub(super) warps: u32,
}

/// Where the `roles` of a body stand, if they are the last thing in it.
pub(super) fn last_roles(body: &ast::Block) -> Option<Span> {
    let last = body.stmts.last().filter(|_| body.value.is_none())?;
    matches!(last.kind, ast::StmtKind::Roles(_)).then_some(last.span)
}

/// The `roles` of a body, if it has any.
pub(super) fn roles_of(body: &ast::Block) -> Option<(&[ast::Role], Span)> {
    body.stmts.iter().find_map(|it| match &it.kind {
        ast::StmtKind::Roles(roles) => Some((&roles[..], it.span)),
        _ => None,
    })
}

impl Elab<'_> {
    /// Reads the heads of roles, and gives each its warps.
    pub(super) fn role_heads<'r>(&mut self, roles: &'r [ast::Role]) -> Option<Roles<'r>> {
        let mut all = Vec::new();
        for role in roles {
            let n = self.role_number(role.warps.as_ref(), role, "warps")?;
            let max = self.target().warps_block_max;
            let fits = u32::try_from(n).ok().filter(|it| it.is_power_of_two() && *it <= max);
            let Some(warps) = fits else {
                let place = self.place(role.warps.as_ref().map_or(role.span, |it| it.span));
                self.report(report::types::warps(place, n, max, self.target().name));
                return None;
            };
            let regs = match &role.regs {
                Some(expr) => Some(self.role_regs(expr)?),
                None => None,
            };
            let copies = match &role.copies {
                Some((_, span)) => self.role_copies(span)?.map(Some).collect(),
                None => vec![None],
            };
            for copy in copies {
                let name = role.name.text.clone();
                all.push((Role { name, copy, warps, first_warp: 0, regs }, role));
            }
        }
        let warps = place_roles(&mut all, self.target().has(Cap::Setmaxnreg));
        let max = self.target().warps_block_max;
        if max < warps {
            let place = self.place(roles[0].span);
            self.report(report::types::warps(place, warps.into(), max, self.target().name));
            return None;
        }
        self.registers_fit(&all, warps).then_some(Roles { all, warps })
    }

    /// Whether a block can have the registers that its roles want; reports it otherwise.
    fn registers_fit(&mut self, all: &[(Role, &ast::Role)], warps: u32) -> bool {
        let roles: Vec<Role> = all.iter().map(|it| it.0.clone()).collect();
        let target = self.target();
        let map = RoleMap::of(&roles, warps, target);
        if map.registers(target) <= target.regs_sm {
            return true;
        }
        let places: Vec<_> = all.iter().map(|it| self.place(it.1.name.span)).collect();
        self.report(report::roles::registers(&map, &roles, &places, target));
        false
    }

    fn role_number(
        &mut self,
        expr: Option<&ast::Expr>,
        role: &ast::Role,
        what: &str,
    ) -> Option<i128> {
        match expr {
            Some(it) => self.eval_int(it),
            None => {
                let place = self.place(role.name.span);
                self.report(report::sync::role_without(place, &role.name.text, what));
                None
            }
        }
    }

    fn role_regs(&mut self, expr: &ast::Expr) -> Option<u32> {
        let n = self.eval_int(expr)?;
        let fits = u32::try_from(n).ok().filter(|it| (24..=256).contains(it) && it % 8 == 0);
        if fits.is_none() {
            let place = self.place(expr.span);
            self.report(report::sync::role_regs(place, n));
        }
        fits
    }

    fn role_copies(&mut self, span: &ast::Expr) -> Option<std::ops::Range<u32>> {
        let value = self.eval_const(span);
        if let Value::Range(it) = &value
            && let (Value::Int(lo), Value::Int(hi), Value::Int(1)) = (&it.lo, &it.hi, &it.step)
            && 0 <= *lo
            && lo < hi
            && *hi <= COPIES_MAX
        {
            return Some(*lo as u32..*hi as u32);
        }
        if value != Value::Error {
            let (place, got) = (self.place(span.span), self.describe(&value));
            self.report(report::types::mismatch(place, "a span of a few integers", &got));
        }
        None
    }

    /// Runs the code of each role in a region of its own.
    pub(super) fn run_roles(&mut self, roles: &[ast::Role], span: Span) {
        if !self.may_have_roles(span) {
            return;
        }
        let Some(heads) = self.role_heads(roles) else { return };
        let before = self.ir.values.len() as u32;
        let (machine, held) = (self.machine, self.ended());
        let mut regions = Vec::new();
        self.in_role = true;
        for (role, code) in &heads.all {
            self.machine = Machine { lanes: machine.lanes, warps: role.warps };
            regions.push(self.run_role(role, code));
            self.back_to(&held);
        }
        self.machine = machine;
        self.in_role = false;
        for (region, (role, _)) in regions.iter().zip(&heads.all) {
            self.check_captures(region, &role.name, before);
        }
        let roles = heads.all.into_iter().map(|it| it.0).collect();
        let site = self.site(span);
        self.ir.emit(FlowOp::Roles { roles }.into(), &[], &[], regions, site);
    }

    /// Whether roles may stand here: in a kernel's body, once, with no permit held; reports why not.
    fn may_have_roles(&mut self, span: Span) -> bool {
        let word = Span::new(span.lo, span.lo + "roles".len() as u32);
        if self.frames.len() != 1 || self.roles_at != Some(span) {
            self.report(report::sync::roles_misplaced(self.place(word)));
            return false;
        }
        match self.held_permit() {
            Some(taken) => {
                self.report(report::sync::permit_at_roles(self.place(word), taken));
                false
            }
            None => true,
        }
    }

    fn run_role(&mut self, role: &Role, code: &ast::Role) -> Region {
        let mark = self.journal_mark();
        self.ir.open(Vec::new());
        let scope = self.enter_scope();
        if let (Some((name, _)), Some(copy)) = (&code.copies, role.copy) {
            self.declare(name.text.clone(), Value::Int(copy.into()), false);
        }
        self.block_in_scope(&code.body);
        self.leave_scope(scope);
        self.undo_to(mark);
        self.ir.close()
    }

    /// Reports the uses of tiles from before the roles.
    fn check_captures(&mut self, region: &Region, role: &SmolStr, before: u32) {
        let mut found = Vec::new();
        region.walk(&mut |inst| {
            let seen = inst.operands.iter().chain(inst.regions.iter().flat_map(|it| &it.yields));
            for &value in seen {
                if value.0 < before && self.ir.values[value.0 as usize].ty.layout.is_some() {
                    found.push((value, inst.site));
                }
            }
        });
        for (value, site) in found {
            let (place, name) = (self.site_place(site), self.name_of(value).clone());
            self.report(report::sync::captured_tile(place, role, &name));
        }
    }
}

/// Gives roles their first warps; how many warps the block has.
fn place_roles(all: &mut [(Role, &ast::Role)], by_groups: bool) -> u32 {
    let mut next = 0;
    // Of each group with room: its registers, its first free warp, and how many are free.
    let mut groups: Vec<(Option<u32>, u32, u32)> = Vec::new();
    for (role, _) in all {
        if !by_groups || role.warps.is_multiple_of(GROUP_WARPS) {
            role.first_warp = next;
            next += role.warps;
            continue;
        }
        let fits = |it: &&mut (Option<u32>, u32, u32)| it.0 == role.regs && role.warps <= it.2;
        match groups.iter_mut().find(fits) {
            Some((_, first, left)) => {
                role.first_warp = *first;
                *first += role.warps;
                *left -= role.warps;
            }
            None => {
                role.first_warp = next;
                groups.push((role.regs, next + role.warps, GROUP_WARPS - role.warps));
                next += GROUP_WARPS;
            }
        }
    }
    next
}
