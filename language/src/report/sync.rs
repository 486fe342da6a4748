//! Wording of what concerns permits and barriers.

use crate::diagnostic::{Code, Diagnostic, Step};
use crate::elab::rules::describe_shape;
use crate::ir::{Kernel, Place, SiteId};
use crate::op::{Op, SyncOp};
use crate::protocol::{self, Counterexample, Deed, Fault, Stuck, Verdict};

/// E0257: an index of barriers that is no number.
pub fn barrier_index(place: Place) -> Diagnostic {
    Diagnostic::new(Code::E0257, "barriers are taken one by one".to_owned(), place)
        .help("write one index for each dimension: `full[i]`")
}

/// E0255: a list of barriers where one is wanted.
pub fn one_barrier(place: Place, shape: &[u32]) -> Diagnostic {
    let shape = describe_shape(shape);
    Diagnostic::new(Code::E0255, format!("this is `barrier{shape}`, one barrier is wanted"), place)
        .help("take one of them: `full[i]`")
}

const TAKEN: &str = "the permit is taken here";

/// E0701: a stage is used after its permit has ended.
pub fn permit_ended(place: Place, taken: Place, end: Place) -> Diagnostic {
    let message = "this uses a stage whose permit has ended".to_owned();
    Diagnostic::new(Code::E0701, message, place)
        .because(taken, TAKEN)
        .because(end, "and ends here")
        .help("use the stage before the permit ends, or take another one")
}

/// E0702: a permit ends in one branch and not in the other.
pub fn ends_on_some_paths(place: Place, taken: Place, end: Option<Place>) -> Diagnostic {
    let message = "a permit ends on one way through this and not on the other".to_owned();
    let it = Diagnostic::new(Code::E0702, message, place).because(taken, TAKEN);
    let it = match end {
        Some(end) => it.because(end, "it ends here, on one way only"),
        None => it,
    };
    it.help("end it in both branches, or after them")
}

/// E0702: a permit that was taken before a loop ends in the loop.
pub fn ends_in_loop(place: Place, taken: Place, end: Place) -> Diagnostic {
    let message = "a permit taken before this loop ends in it, in every turn".to_owned();
    Diagnostic::new(Code::E0702, message, place)
        .because(taken, TAKEN)
        .because(end, "it ends here")
        .help("take it in the loop, or end it after the loop")
}

/// E0704: a wait for what never comes.
pub fn stuck(kernel: &Kernel, it: &Stuck) -> Diagnostic {
    let phases = |n: i64| if n == 1 { "1 phase".to_owned() } else { format!("{n} phases") };
    let message = format!(
        "this waits for ever: it wants {} of its barrier, and {} when it is reached",
        phases(it.wanted),
        if it.completed == 1 {
            "1 is complete".to_owned()
        } else {
            format!("{} are", it.completed)
        },
    );
    let place = kernel.outer_place(it.wait).clone();
    let mut found = Diagnostic::new(Code::E0704, message, place);
    if let Some(last) = it.last {
        let last = kernel.outer_place(last).clone();
        found = found.because(last, "the last arrival at the barrier before it");
    }
    if !it.choice.is_empty() {
        let each: Vec<String> =
            it.choice.iter().map(|(name, n)| format!("`{name}` = {n}")).collect();
        found =
            found.because(kernel.outer_place(it.wait).clone(), format!("when {}", each.join(", ")));
    }
    let help = if it.completed < it.wanted {
        "in a kernel of one role what a wait waits for comes before it: a stage is filled before it is drained, and bytes that are expected are copied"
    } else {
        "a wait sees whether the phase is even or odd, so it must come before the next phase completes"
    };
    found.help(help)
}

/// E0705: a role whose head is not complete.
pub fn role_without(place: Place, role: &str, what: &str) -> Diagnostic {
    Diagnostic::new(
        Code::E0705,
        format!("the role `{role}` does not say how many {what} it has"),
        place,
    )
    .help(format!("write `{role}: {what} 4 {{ … }}`"))
}

/// E0705: a kernel that says twice how many warps it has.
pub fn warps_twice(place: Place) -> Diagnostic {
    let message = "the roles of a kernel say how many warps it has".to_owned();
    Diagnostic::new(Code::E0705, message, place).help("remove the `warps` clause from the head")
}

/// E0705: roles that are not the last thing in a kernel.
pub fn roles_misplaced(place: Place) -> Diagnostic {
    let message = "`roles` are the last statement of a kernel".to_owned();
    Diagnostic::new(Code::E0705, message, place)
        .help("move what comes after them into a role, and what decides on them in front of them")
}

/// E0703: a permit that is held where the roles begin.
pub fn permit_at_roles(place: Place, taken: Place) -> Diagnostic {
    let message = "a permit is held where the roles begin, and no role could end it".to_owned();
    Diagnostic::new(Code::E0703, message, place)
        .because(taken, TAKEN)
        .help("release it before the roles, or take it in one of them")
}

/// E0705: registers that no warp can have.
pub fn role_regs(place: Place, n: i128) -> Diagnostic {
    Diagnostic::new(Code::E0705, format!("a thread cannot have {n} registers"), place)
        .help("registers of a role are a multiple of 8 from 24 to 256")
}

/// E0705: a tile that a role takes from before the roles.
pub fn captured_tile(place: Place, role: &str, name: &str) -> Diagnostic {
    let what = if name.is_empty() { "a tile".to_owned() } else { format!("the tile `{name}`") };
    Diagnostic::new(Code::E0705, format!("the role `{role}` cannot see {what} from before the roles"), place)
        .help("tiles live in the registers of the warps that made them: make it in the role, or pass it through shared memory")
}

/// What the check of a kernel of roles found, if anything is wrong or not decided.
pub fn verdict(kernel: &Kernel, it: &Verdict) -> Option<Diagnostic> {
    let place = |site: SiteId| kernel.outer_place(site).clone();
    match it {
        Verdict::Right => None,
        Verdict::Wrong(it) => Some(counterexample(it, &place)),
        Verdict::Undecided => {
            let roles = kernel.roles().map_or(kernel.clauses.head, |it| it.0.site);
            let message =
                "what these roles wait for depends on more than trip counts, so it is not checked";
            let it = Diagnostic::new(Code::W0103, message.to_owned(), place(roles));
            let mut tests = Vec::new();
            kernel.body.walk(&mut |inst| {
                if inst.op == Op::Sync(SyncOp::Test) {
                    tests.push(inst.site);
                }
            });
            let it = tests.into_iter().fold(it, |it, test| {
                it.because(place(test), "what this answers depends on the order of events")
            });
            Some(it.help(
                "bounds and conditions around waits, copies and stages are best sums and comparisons of sizes; `interp` checks each run",
            ))
        }
    }
}

/// A fault with the run that shows it.
fn counterexample(it: &Counterexample, place: &dyn Fn(SiteId) -> Place) -> Diagnostic {
    let mut found = fault_of_roles(&it.fault, place);
    if !it.choice.is_empty() {
        let each: Vec<String> =
            it.choice.iter().map(|(name, n)| format!("`{name}` = {n}")).collect();
        let place = found.place.clone();
        found = found.because(place, format!("when {}", each.join(", ")));
    }
    if 0 < it.n_left_out {
        let place = found.place.clone();
        let steps = if it.n_left_out == 1 { "step comes" } else { "steps come" };
        found = found.because(place, format!("{} {steps} before those shown", it.n_left_out));
    }
    let step = |it: &protocol::Step| Step {
        actor: it.role.to_string(),
        message: deed(it),
        place: place(it.site),
    };
    found.steps = it.steps.iter().map(step).collect();
    found
}

/// What a role does in a step.
fn deed(step: &protocol::Step) -> String {
    let barrier = step.barrier.as_deref().map(|it| format!("`{it}`")).unwrap_or_default();
    let phase = |n: i64| match n {
        1 => format!("1 phase of {barrier}"),
        n => format!("{n} phases of {barrier}"),
    };
    let on = if barrier.is_empty() { String::new() } else { format!(", tells {barrier}") };
    match step.deed {
        Deed::Waits(0) => format!("waits for no phase of {barrier}, goes on"),
        Deed::Waits(n) => format!("waits for {}, goes on", phase(n)),
        Deed::Hangs(n) => format!("waits for {}, for ever", phase(n)),
        Deed::Arrives => format!("arrives at {barrier}"),
        Deed::Meets => "comes to a named barrier".to_owned(),
        Deed::Expects(bytes) => format!("arrives at {barrier}, expects {bytes} bytes"),
        Deed::Copies => format!("starts a copy{on}"),
        Deed::CopiesOut => "starts a copy to global memory".to_owned(),
        Deed::Signals => format!("hands its copies to {barrier}"),
        Deed::Finishes => "waits for copies or products".to_owned(),
        Deed::Multiplies => "starts a product".to_owned(),
        Deed::Reads => "reads".to_owned(),
        Deed::Writes => "writes".to_owned(),
    }
}

fn fault_of_roles(fault: &Fault, place: &dyn Fn(SiteId) -> Place) -> Diagnostic {
    match fault {
        Fault::Hang(waits) => {
            let message = "the roles wait for each other for ever".to_owned();
            let others = waits.iter().skip(1);
            let it = Diagnostic::new(Code::E0704, message, place(waits[0]));
            let it = others
                .fold(it, |it, &wait| it.because(place(wait), "while another role waits here"));
            it.help("every wait needs its arrivals, in every role and for every trip count")
        }
        Fault::Race(first, second) => {
            let message =
                "this and another role's access to the same memory are in no order".to_owned();
            Diagnostic::new(Code::E0706, message, place(*second))
                .because(place(*first), "the other access")
                .help("take the stage from a ring, or put a barrier between them")
        }
        Fault::Apart(again, first) => {
            let message =
                "a role can come to this named barrier again before the others have come once"
                    .to_owned();
            Diagnostic::new(Code::E0707, message, place(*again))
                .because(place(*first), "it has come here, and the phase may not be over")
                .help("let the role wait at the barrier, or at another one, before it comes again")
        }
        Fault::RaceOfBlocks(first, second) => {
            let message =
                "this and another block's access to the same shared memory are in no order"
                    .to_owned();
            Diagnostic::new(Code::E0743, message, place(*second))
                .because(place(*first), "the other access")
                .help("put `cluster_sync()` between them, or a barrier at which the other block arrives")
        }
        Fault::Early(arrival, last) => {
            let message = "this arrival can count for an earlier phase of its barrier".to_owned();
            Diagnostic::new(Code::E0707, message, place(*arrival))
                .because(place(*last), "the phase before is completed by this arrival")
                .help("wait for that phase before arriving for the next")
        }
        Fault::Overtaken(wait, arrival) => {
            let message =
                "the next phase of the barrier can complete before this wait has seen its own"
                    .to_owned();
            Diagnostic::new(Code::E0707, message, place(*wait))
                .because(place(*arrival), "the next phase is completed by this arrival")
                .help("a wait sees only whether a phase is even or odd: let what completes the next one come after it")
        }
        Fault::Abandoned(copy) => {
            let message = "nobody waits for this copy, and it may land when the block has ended";
            Diagnostic::new(Code::E0708, message.to_owned(), place(*copy)).help(
                "copy what is drained and no more: the role that fills and those that drain go through the same steps",
            )
        }
        Fault::Older(wait, last) => {
            let message = "this wait can go on because of an older phase of the barrier".to_owned();
            Diagnostic::new(Code::E0707, message, place(*wait))
                .because(place(*last), "the last arrival at the barrier")
                .help(
                    "a wait sees only whether a phase is even or odd: wait for each phase in turn",
                )
        }
    }
}

/// E0703: a permit in something that may outlive it.
pub fn permit_kept(place: Place, holder: &str, taken: Place) -> Diagnostic {
    Diagnostic::new(Code::E0703, format!("{holder} cannot hold a permit"), place)
        .because(taken, TAKEN)
        .help("give it a name with `let`: a permit ends once, with its name or at `release()`")
}
