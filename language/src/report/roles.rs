//! Wording of what concerns the map of roles: warps, groups, registers, and the barriers between them.

use crate::analysis::RoleMap;
use crate::analysis::mbarriers::BarrierList;
use crate::analysis::meetings::NamedBarrier;
use crate::analysis::role_map::{BARRIERS, WarpGroup, meeting_ids};
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

/// What the threads of a role want, by the estimate, and what they have.
pub fn wanted(role: &Role, registers: u32) -> String {
    let has = role.regs.map_or_else(String::new, |it| format!(", has {it}"));
    format!("role `{}` wants about {registers} registers a thread{has}", name(role))
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

/// E0751: more barriers than a block has; `places` are where each is mentioned first.
pub fn named_barriers(all: &[NamedBarrier], places: &[Place], roles: &[Role]) -> Diagnostic {
    let own = meeting_ids(roles).iter().flatten().count();
    let message = format!(
        "the roles want {} named barriers, a block has {BARRIERS}: {} of these are the roles' own",
        own + all.len(),
        own
    );
    let last = all.len() - 1;
    let it = Diagnostic::new(Code::E0751, message, places[last].clone());
    let each = all.iter().zip(places).take(last);
    let it = each.fold(it, |it, (barrier, place)| {
        it.because(place.clone(), format!("one for {}", names(&barrier.roles, roles)))
    });
    it.help("let roles meet at fewer named barriers, or take mbarriers, which lie in shared memory")
}

fn names(of: &[usize], roles: &[Role]) -> String {
    of.iter().map(|&it| format!("`{}`", name(&roles[it]))).collect::<Vec<_>>().join(", ")
}

/// A named barrier: `load, math[0] (160 threads) meet at barrier 3`.
pub fn named(it: &NamedBarrier, roles: &[Role], lanes: u32) -> String {
    let who: Vec<String> = it.roles.iter().map(|&it| name(&roles[it])).collect();
    format!("{} ({} threads) meet at barrier {}", who.join(", "), it.warps * lanes, it.id)
}

/// E0750: a named barrier where no roles are.
pub fn named_outside(place: Place) -> Diagnostic {
    let message = "a named barrier is met by roles, and this is in none".to_owned();
    Diagnostic::new(Code::E0750, message, place)
        .help("meet in the roles; all threads of a block meet in `block_sync()`")
}

/// E0750: a meeting of the block in a role.
pub fn block_in_role(place: Place) -> Diagnostic {
    let message = "in a role the threads of the block never meet all together".to_owned();
    Diagnostic::new(Code::E0750, message, place).help(
        "let the roles meet: `let beat: named_barrier;` before them and `beat.sync()` in each; \
         threads of one role meet where the compiler sees that they have to",
    )
}

/// E0750: a question that is a role's outside of roles.
pub fn test_outside(place: Place) -> Diagnostic {
    let message = "a barrier is asked with `test` by a role, and this is in none".to_owned();
    Diagnostic::new(Code::E0750, message, place)
        .help("`wait(n)` for the phase, or write the kernel with `roles`")
}

/// E0752: what many threads do where one runs.
pub fn in_elect(place: Place, elect: Place, what: &str) -> Diagnostic {
    Diagnostic::new(Code::E0752, format!("{what} wants all threads of the role, and one runs here"), place)
        .because(elect, "`elect` runs this once in the role")
        .help("move it out of `elect`; what one thread can do is arrive, expect, copy boxes and touch single elements")
}

/// E0753: a value that stands for no access to shared memory.
pub fn stands_for_nothing(place: Place) -> Diagnostic {
    let message =
        "nothing here was loaded from shared memory, so there is nothing to order".to_owned();
    Diagnostic::new(Code::E0753, message, place)
        .help("`after` takes a tile that this turn of the role has loaded from shared memory; without it everything is ordered")
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
