//! The proof by one run beside a search of every order of events.

mod exhaustive;
mod mutate;

use std::sync::Arc;

use exhaustive::Outcome;
use mutate::{changed, changes};

use super::*;
use crate::query::Database;
use crate::target::TargetId;

/// Right programs, small ones, of every kind that rings are used for.
const PROGRAMS: &str = include_str!("tests/programs.tile");
/// Programs whose roles meet at named barriers.
const MEETINGS: &str = include_str!("tests/meetings.tile");
/// Programs of blocks that reach each other.
const CLUSTERS: &str = include_str!("tests/clusters.tile");
/// Random programs, made of up to four changes of a right one.
const N_RANDOM: usize = 5000;
/// A run with more turns than this in all is not searched.
const TURNS_MAX: u64 = 4;

fn kernels() -> Vec<(smol_str::SmolStr, Arc<Kernel>)> {
    kernels_of(PROGRAMS)
}

fn kernels_of(text: &str) -> Vec<(smol_str::SmolStr, Arc<Kernel>)> {
    let mut db = Database::default();
    let file = db.set_file("programs.tile", text);
    let target = TargetId::from_name("sm_90a").expect("a row of the table");
    db.kernels(file, target)
}

/// What the search says of all small runs.
fn searched(kernel: &Kernel) -> Outcome {
    let Some(skeleton) = Skeleton::of(kernel) else { return Outcome::TooMany };
    let mut all = Outcome::Right;
    for choice in skeleton.choices() {
        if TURNS_MAX < choice.iter().sum() {
            continue;
        }
        let Some(lists) = trace::trace(&skeleton, &choice, 0) else { return Outcome::TooMany };
        match exhaustive::search(kernel, &lists) {
            Outcome::Right => {}
            Outcome::TooMany => all = Outcome::TooMany,
            wrong @ Outcome::Wrong(_) => return wrong,
        }
    }
    all
}

/// How the two judged.
#[derive(Default, Debug, PartialEq, Eq)]
struct Tally {
    both_right: usize,
    both_wrong: usize,
    only_the_proof: usize,
    undecided: usize,
    not_searched: usize,
}

impl Tally {
    /// Judges a kernel both ways; `what` it is.
    fn add(&mut self, kernel: &Kernel, what: &dyn std::fmt::Debug) {
        match (check(kernel), searched(kernel)) {
            (Verdict::Undecided, _) => self.undecided += 1,
            (Verdict::Right, Outcome::Wrong(why)) => {
                panic!("the proof accepts {what:?}, the search finds: {why}\n{kernel}")
            }
            (Verdict::Right, Outcome::Right) => self.both_right += 1,
            (Verdict::Wrong(_), Outcome::Wrong(_)) => self.both_wrong += 1,
            (Verdict::Wrong(_), Outcome::Right) => self.only_the_proof += 1,
            (_, Outcome::TooMany) => self.not_searched += 1,
        }
    }
}

/// Numbers that a seed makes (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

#[test]
fn right_programs_are_right_in_every_order() {
    let kernels = kernels();
    assert_eq!(kernels.len(), PROGRAMS.matches("kernel ").count());
    for (name, kernel) in kernels {
        assert_eq!(check(&kernel), Verdict::Right, "{name}");
        assert_eq!(searched(&kernel), Outcome::Right, "{name}");
    }
}

#[test]
fn what_the_search_refuses_of_single_changes_the_proof_refuses() {
    let mut tally = Tally::default();
    for (name, kernel) in kernels() {
        for (at, change) in changes(&kernel) {
            let mutant = changed(&kernel, at, change);
            if mutant != *kernel {
                tally.add(&mutant, &(&name, at, change));
            }
        }
    }
    insta::assert_debug_snapshot!(tally);
}

/// What the proof says of a program between blocks when one thing of it is changed.
#[derive(Debug)]
#[expect(dead_code, reason = "the snapshot reads them")]
struct Judged {
    name: smol_str::SmolStr,
    refused: usize,
    /// What makes no difference: the operation, and the change.
    accepted: Vec<(&'static str, mutate::Change)>,
}

#[test]
fn what_is_missing_between_blocks_is_found() {
    let judged = kernels_of(CLUSTERS).into_iter().map(|(name, kernel)| {
        assert_eq!(check(&kernel), Verdict::Right, "{name}");
        let mut ops = Vec::new();
        kernel.body.walk(&mut |inst| ops.push(inst.op.row().name));
        let (mut refused, mut accepted) = (0, Vec::new());
        for (at, change) in changes(&kernel) {
            let mutant = changed(&kernel, at, change);
            match check(&mutant) {
                Verdict::Right if mutant != *kernel => accepted.push((ops[at], change)),
                Verdict::Right => {}
                Verdict::Wrong(_) => refused += 1,
                Verdict::Undecided => panic!("{name}: not decided"),
            }
        }
        Judged { name, refused, accepted }
    });
    insta::assert_debug_snapshot!(judged.collect::<Vec<_>>());
}

#[test]
fn what_the_search_refuses_of_changed_meetings_the_proof_refuses() {
    let mut tally = Tally::default();
    for (name, kernel) in kernels_of(MEETINGS) {
        assert_eq!(check(&kernel), Verdict::Right, "{name}");
        assert_eq!(searched(&kernel), Outcome::Right, "{name}");
        for (at, change) in changes(&kernel) {
            let mutant = changed(&kernel, at, change);
            if mutant != *kernel {
                tally.add(&mutant, &(&name, at, change));
            }
        }
    }
    insta::assert_debug_snapshot!(tally);
}

#[test]
fn what_the_search_refuses_of_random_programs_the_proof_refuses() {
    let kernels = kernels();
    let mut chance = Chance(1);
    let mut tally = Tally::default();
    for _ in 0..N_RANDOM {
        let (name, kernel) = &kernels[chance.below(kernels.len())];
        let mut kernel = Kernel::clone(kernel);
        let mut done = Vec::new();
        for _ in 0..=chance.below(4) {
            let all = changes(&kernel);
            let (at, change) = all[chance.below(all.len())];
            kernel = changed(&kernel, at, change);
            done.push((at, change));
        }
        tally.add(&kernel, &(name, done));
    }
    insta::assert_debug_snapshot!(tally);
}
