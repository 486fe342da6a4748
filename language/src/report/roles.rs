//! Wording of what concerns the map of roles: warps, groups, registers, and the barriers between them.

use crate::analysis::RoleMap;
use crate::analysis::mbarriers::BarrierList;
use crate::analysis::role_map::WarpGroup;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::Place;
use crate::op::flow::Role;
use crate::target::Target;

const ARRIVE: &str = "fill a ring's stage, whose permit waits for its copies, or `copies::wait(in_flight: 0)` and then `arrive()`";

/// The role's name, with its copy's number.
pub fn name(role: &Role) -> String {
    match role.copy {
        Some(copy) => format!("{}[{copy}]", role.name),
        None => role.name.to_string(),
    }
}

/// E0710: roles that want more registers than there are; `places` are those of their names.
pub fn registers(map: &RoleMap, roles: &[Role], places: &[Place], target: &Target) -> Diagnostic {
    let wanted = map.registers(target);
    let message = format!(
        "the roles want {wanted} registers, a block of `{}` has {}",
        target.name, target.regs_sm
    );
    let mut it = Diagnostic::new(Code::E0710, message, places[map.groups[0].roles[0]].clone());
    for found in &map.groups {
        it = it.because(places[found.roles[0]].clone(), group(found, roles));
    }
    it.help("give roles that move data fewer registers, 24 or 40, or take fewer warps")
}

/// E0711: barriers that are made in a loop or a branch.
pub fn barriers_inside(place: Place, name: &str) -> Diagnostic {
    let what = if name.is_empty() { "barriers are".to_owned() } else { format!("`{name}` is") };
    let message = format!("{what} made in a loop or a branch, and barriers are made once");
    Diagnostic::new(Code::E0711, message, place)
        .help("declare it before the loop or the branch, or before the roles")
}

/// E0712: bytes that a barrier expects of copies by warps.
pub fn bytes_by_warps(place: Place, expect: Option<Place>) -> Diagnostic {
    let message = "this copy is made by warps, and only the copy engine tells a barrier how many bytes have landed";
    let it = Diagnostic::new(Code::E0712, message.to_owned(), place);
    let it = match expect {
        Some(expect) => it.because(expect, "the bytes are expected here"),
        None => it,
    };
    it.help(ARRIVE)
}

/// E0713: roles for a target whose warps have no barriers between roles.
pub fn no_mbarriers(place: Place, target: &Target) -> Diagnostic {
    let message =
        format!("roles are not supported yet for `{}`, which has no mbarriers", target.name);
    Diagnostic::new(Code::E0713, message, place)
        .help("say what the kernel needs, `requires mbarrier`, and write one role with a pipelined loop for the others")
}

/// E0712: bytes that a barrier of the target cannot count.
pub fn no_bytes(place: Place, target: &Target) -> Diagnostic {
    let message = format!("barriers of `{}` count arrivals and no bytes", target.name);
    Diagnostic::new(Code::E0712, message, place).help(ARRIVE)
}

/// One group of warps: `warps 0..4, 40 registers: load (1 warp)`.
pub fn group(group: &WarpGroup, roles: &[Role]) -> String {
    let (first, end) = (group.first_warp, group.first_warp + group.warps);
    let regs = group.regs.map_or(String::new(), |it| format!(", {it} registers a thread"));
    let each = group.roles.iter().map(|&it| {
        let role = &roles[it];
        let own =
            if role.warps == group.warps { String::new() } else { format!(" ({})", warps(role)) };
        format!("{}{own}", name(role))
    });
    format!("warps {first}..{end}{regs}: {}", each.collect::<Vec<_>>().join(", "))
}

/// What threads start with, if roles hand registers to each other.
pub fn start(map: &RoleMap, target: &Target) -> Option<String> {
    let regs = map.start_regs?;
    let (all, most) = (map.registers(target), target.regs_sm);
    Some(format!("{regs} registers a thread at the start, {all} of {most} in all"))
}

/// How the threads of a role meet.
pub fn meeting(role: &Role, id: Option<u32>) -> Option<String> {
    id.map(|id| format!("{} meets at barrier {id}", name(role)))
}

fn warps(role: &Role) -> String {
    match (role.first_warp, role.warps) {
        (first, 1) => format!("warp {first}"),
        (first, n) => format!("warps {first}..{}", first + n),
    }
}

/// What a phase of barriers counts: `3 barriers, a phase counts 4 arrivals: load 4 a warp`.
pub fn barriers(list: &BarrierList, roles: &[Role]) -> String {
    let (n, count) = (plural(list.n, "barrier"), plural(list.count(), "arrival"));
    let each = list.arriving.iter().map(|&it| {
        let role = &roles[it];
        format!(
            "{} {} from each of {}",
            name(role),
            list.share(role.warps),
            plural(role.warps, "warp")
        )
    });
    format!("{n}, a phase counts {count}: {}", each.collect::<Vec<_>>().join(", "))
}

fn plural(n: u32, what: &str) -> String {
    if n == 1 { format!("{n} {what}") } else { format!("{n} {what}s") }
}
