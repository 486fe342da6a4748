//! Wording of what concerns permits and barriers.

use crate::diagnostic::{Code, Diagnostic};
use crate::elab::rules::describe_shape;
use crate::ir::{Kernel, Place};
use crate::protocol::Stuck;

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

/// E0703: a permit in something that may outlive it.
pub fn permit_kept(place: Place, holder: &str, taken: Place) -> Diagnostic {
    Diagnostic::new(Code::E0703, format!("{holder} cannot hold a permit"), place)
        .because(taken, TAKEN)
        .help("give it a name with `let`: a permit ends once, with its name or at `release()`")
}
