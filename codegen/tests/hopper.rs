//! The kernels for Hopper: under many schedules, and with one thing wrong after the other.
//!
//! Each kernel runs as a small launch under fifty schedules of the interpreter and some of the simulator, with the
//! same bits every time and no finding. Then every single change of its synchronisation ([`change`]) is judged three
//! times: by what `tilec check` says of the kernel, by the interpreter, and by the simulator. The table of the
//! findings is a snapshot. What nobody finds has a reason that is itself tested ([`reason`]).

mod hopper {
    pub(crate) mod change;
    pub(crate) mod module;
    pub(crate) mod subject;
}

use std::fmt::Write as _;

use hopper::change::{Change, Mutant, mutants};
use hopper::module::Text;
use hopper::subject::{ATTENTION, FP8, GEMM, GROUPED, PING_PONG, Source, Subject, engines};
use tile_language::analysis;
use tile_language::diagnostic::Severity;
use tile_language::engine::Engine;
use tile_language::ir::{Inst, Kernel};
use tile_language::op::{CopyOp, MmaOp, Op, SyncOp};
use tile_language::pass::prepare;

/// Schedules of the interpreter that a right kernel is run under.
const INTERP_SCHEDULES: u64 = 50;
/// And of the simulator.
const SIM_SCHEDULES: u64 = 12;
/// Schedules that may bring a mistake out.
const SEEDS: u64 = 3;

#[track_caller]
fn check_schedules(source: &Source) {
    let subject = Subject::of(source);
    let target = subject.kernel.target;
    for (mut engine, n) in engines(target).into_iter().zip([INTERP_SCHEDULES, SIM_SCHEDULES]) {
        let meaning = subject.meaning(&mut *engine);
        for seed in 1..n {
            let after = subject.run(&subject.kernel, &mut *engine, seed);
            let name = engine.name();
            let after = after.unwrap_or_else(|it| panic!("{name}, seed {seed}: {it:#?}"));
            assert!(after == meaning, "{name}, seed {seed}: other bits");
        }
    }
}

/// The code that `tilec check` has for a kernel; `none` if it has nothing against it.
fn checked(kernel: &Kernel) -> &'static str {
    let found = analysis::findings(kernel);
    let undecided = |it: &&tile_language::diagnostic::Diagnostic| it.code.name() == "W0103";
    let error = found.iter().find(|it| it.severity == Severity::Error || undecided(it));
    error.map_or("none", |it| it.code.name())
}

/// What comes of a kernel on an engine under some schedules.
fn finding(
    subject: &Subject,
    kernel: &Kernel,
    engine: &mut dyn Engine,
    meaning: &[Vec<u8>],
) -> &'static str {
    let found = (0..SEEDS).find_map(|seed| match subject.run(kernel, engine, seed) {
        Ok(after) => (after != meaning).then_some("wrong value"),
        Err(failure) => Some(word(&failure.message)),
    });
    found.unwrap_or("none")
}

/// The word for what an engine says; what has none is something that has no meaning on a device.
fn word(message: &str) -> &'static str {
    const WORDS: &[(&str, &str)] = &[
        ("waits for", "hang"),
        ("every warp waits", "hang"),
        ("while a copy into it is in flight", "in flight"),
        ("while a product or a copy in flight reads it", "being read"),
        ("outside of", "bounds"),
        ("nothing has written", "unwritten"),
        ("without order between them", "race"),
        ("before anything has written it", "unwritten"),
        ("no fence has made known", "no fence"),
        ("there is no mbarrier at byte", "bounds"),
        ("of shared memory, which has", "bounds"),
    ];
    let known = WORDS.iter().find(|it| message.contains(it.0));
    known.map_or("undefined", |it| it.1)
}

/// Why a change makes no difference that nobody finds: the proof accepts the kernel, so that all its runs are one partial
/// order of events, and the engines give the same bits in it. None if nobody could say why.
fn reason(before: &Kernel, mutant: &Mutant) -> Option<&'static str> {
    if prepare(&mutant.kernel).kernel == prepare(before).kernel {
        return Some("the compiler puts it back");
    }
    let inst = mutant.inst(before);
    let waits = matches!(
        inst.op,
        Op::Sync(SyncOp::Wait) | Op::Copy(CopyOp::WaitOut { .. }) | Op::Mma(MmaOp::Wait { .. })
    );
    match mutant.change {
        Change::Double if waits => Some("who has waited has waited"),
        Change::Later | Change::Sooner => Some("in order all the same"),
        _ if !mutant.is_in_loop(before) => Some("done once, and nobody waits for it"),
        _ => None,
    }
}

/// What was found of a change.
struct Findings {
    check: &'static str,
    interp: &'static str,
    sim: &'static str,
}

impl Findings {
    fn is_found(&self) -> bool {
        [self.check, self.interp, self.sim].iter().any(|it| *it != "none")
    }

    /// Whether the proof should have found it. It knows neither values nor global memory.
    fn is_missed(&self, inst: &Inst) -> bool {
        let is_out = matches!(inst.op, Op::Copy(CopyOp::BoxOut { .. }));
        let is_beyond = |it: &str| matches!(it, "none" | "wrong value") || (it == "race" && is_out);
        self.check == "none" && !(is_beyond(self.interp) && is_beyond(self.sim))
    }
}

/// A row for every change of a kernel, after the totals.
fn table(source: &Source) -> String {
    let subject = Subject::of(source);
    let before = &subject.kernel;
    assert_eq!(checked(before), "none", "the kernel itself has no mistake");
    let meanings = engines(before.target).map(|mut it| subject.meaning(&mut *it));
    let (mut rows, mut all) = (String::new(), Vec::new());
    for mutant in mutants(before) {
        let kernel = &mutant.kernel;
        let [mut interp, mut sim] = engines(before.target);
        let found = Findings {
            check: checked(kernel),
            interp: finding(&subject, kernel, &mut *interp, &meanings[0]),
            sim: finding(&subject, kernel, &mut *sim, &meanings[1]),
        };
        let Mutant { role, what, change, .. } = &mutant;
        let inst = mutant.inst(before);
        let change = change.words(&inst.op);
        assert!(!found.is_missed(inst), "the proof misses {what} {change} in `{role}`");
        let why = if found.is_found() { Some("") } else { reason(before, &mutant) };
        let why = why.unwrap_or_else(|| panic!("nobody finds {what} {change} in `{role}`"));
        let Findings { check, interp, sim } = found;
        let _ =
            writeln!(rows, "| {role} | {what} | {change} | {check} | {interp} | {sim} | {why} |");
        all.push(found);
    }
    let count = |f: fn(&Findings) -> bool| all.iter().filter(|it| f(it)).count();
    format!(
        "{} changes: {} found by the check, {} by interp, {} by sim; {} make no difference\n\n\
         | role | operation | change | check | interp | sim | why |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n{rows}{}",
        all.len(),
        count(|it| it.check != "none"),
        count(|it| it.interp != "none"),
        count(|it| it.sim != "none"),
        count(|it| !it.is_found()),
        lowered(&subject, &meanings[1]),
    )
}

/// Rows for what stands in the lowered module alone: fences, barriers of warps, waits of the hardware.
fn lowered(subject: &Subject, meaning: &[Vec<u8>]) -> String {
    let text = Text::of(&subject.kernel);
    assert!(text.run(subject, None, 0).is_ok_and(|it| it == meaning), "the module is right");
    let mut rows = String::new();
    for (line, word_for_it) in text.orders() {
        let found = (0..SEEDS).find_map(|seed| match text.run(subject, Some(line), seed) {
            Ok(after) => (after != meaning).then_some("wrong value"),
            Err(error) => Some(word(&error.message)),
        });
        let why = match found {
            Some(_) => "",
            None if text.is_doubled(line) => "another barrier follows",
            None if word_for_it == "barrier of a warp" => "the lanes do nothing apart",
            // With one step or two for a tile there would be no such order.
            None if word_for_it == "barrier" => "the rings order the warps too",
            None if word_for_it == "fence of products" => "sim knows no order of registers",
            None if matches!(word_for_it, "wait for boxes" | "fence of the copy engine") => {
                "another one covers it in this launch"
            }
            None => panic!("nobody finds that line {line} is missing, a {word_for_it}"),
        };
        let found = found.unwrap_or("none");
        let _ = writeln!(rows, "| | {word_for_it} | dropped | | | {found} | {why} |");
    }
    rows
}

macro_rules! kernels {
    ($($name:ident: $source:expr),* $(,)?) => {
        mod schedules {
            use super::*;
            $(#[test] fn $name() { check_schedules(&$source) })*
        }
        mod mistakes {
            use super::*;
            $(#[test] fn $name() { insta::assert_snapshot!(table(&$source)) })*
        }
    };
}

kernels! {
    gemm: GEMM,
    gemm_ping_pong: PING_PONG,
    gemm_fp8: FP8,
    gemm_grouped: GROUPED,
    attention: ATTENTION,
}
