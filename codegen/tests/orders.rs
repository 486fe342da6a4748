//! Waits and barriers: with those that the passes place, the simulator agrees with the interpreter and
//! finds no race; without any one of them, something goes wrong that it sees.

mod support;

use std::fmt::Write as _;

use support::{Random, address, kernel, run};
use tile_codegen::SimEngine;
use tile_language::interp::Interp;
use tile_language::ir::{Inst, Kernel, Region};
use tile_language::op::{CopyOp, Op, SyncOp};
use tile_language::pass::prepare;

const TARGETS: [&str; 4] = ["sm_80", "sm_90a", "gfx942", "gfx950"];
/// Random loops of a target.
const LOOPS: u64 = 24;
/// Schedules of the simulator that may bring out what is missing.
const SEEDS: u64 = 4;

/// A kernel of 128 threads; `#L` and `#R` give the elements to other warps.
fn text(target: &str, insts: &str) -> String {
    let (warps, left, right) = if target.starts_with("gfx") {
        (2, "lane [1] [2] [4] [8] [16] [32] warp [64]", "lane [2] [4] [8] [16] [32] [64] warp [1]")
    } else {
        (4, "lane [1] [2] [4] [8] [16] warp [32] [64]", "lane [4] [8] [16] [32] [64] warp [1] [2]")
    };
    format!(
        "kernel \"orders\" for {target} warps {warps} {{
    plan orders threads 128
    param x: tensor f32 [4096] align 16
    param y: tensor f32 [128] align 16 mut
    grid [1]
    layout #L = [128] {left}
    layout #R = [128] {right}
    memory #one = 128 [1, 2, 4, 8, 16, 32, 64] 0
    memory #three = 3 [] 128, 128 [1, 2, 4, 8, 16, 32, 64] 0
    tensor x: f32 at %x dims [4096] strides [1] align 16
    tensor y: f32 at %y dims [128] strides [1] align 16 mut
    body (%x: *f32 = address x, %y: *f32 = address y) {{
        %zero: i32 = tile.const<0>
        %unit: i32 = tile.const<1>
        %two: i32 = tile.const<2>
        %three: i32 = tile.const<3>
        %width: i32 = tile.const<128>
        %i: i32[128] @ #L = tile.index<0>
        %half: f32[128] @ #R = tile.const<0.5>
        {insts}
        %o: i32[128] @ #R = tile.index<0>
        %to: *f32[128] @ #R = memory.at<1> %o
        memory.store<all, normal> %to, %res
    }}
}}
"
    )
}

/// A row of `x` as pointers.
fn row(insts: &mut String, name: &str, number: &str) {
    let _ = writeln!(
        insts,
        "        %first{name}: i32 = tile.binary<mul> {number}, %width
        %firsts{name}: i32[128] @ #L = tile.splat %first{name}
        %at{name}: i32[128] @ #L = tile.binary<add> %firsts{name}, %i
        %from{name}: *f32[128] @ #L = memory.at<0> %at{name}"
    );
}

/// A pipelined loop of `stages` that fetches `n` rows in each of `turns` turns, twice.
fn fetching(stages: u64, n: u64, turns: u64) -> String {
    let mut turn = String::new();
    let mut sum = "%acc".to_owned();
    for at in 0..n {
        let _ = writeln!(turn, "        %k{at}: i32 = tile.const<{at}>");
        let _ = writeln!(turn, "        %t{at}: i32 = tile.binary<add> %t, %k{at}");
        row(&mut turn, &at.to_string(), &format!("%t{at}"));
        let _ = writeln!(
            turn,
            "        %s{at}: shared f32 @ #one = copy.fetch<16> %from{at}
        %a{at}: f32[128] @ #R = shared.load %s{at}
        %half{at}: f32[128] @ #R = tile.binary<mul> {sum}, %half
        %sum{at}: f32[128] @ #R = tile.binary<add> %half{at}, %a{at}"
        );
        sum = format!("%sum{at}");
    }
    format!(
        "%turns: i32 = tile.const<{turns}>
        %res: f32[128] @ #R = flow.for %zero, %two, %unit, %half {{
            (%again: i32, %before: f32[128] @ #R)
            %one_more: f32[128] @ #R = flow.for<0, {stages}> %zero, %turns, %unit, %before {{
                (%t: i32, %acc: f32[128] @ #R)
                {turn}
                yield {sum}
            }}
            yield %one_more
        }}"
    )
}

fn source() -> Vec<u8> {
    (0..4096).flat_map(|it| (1.0 + 0.25 * it as f32).to_le_bytes()).collect()
}

/// What a kernel leaves in `y` on the interpreter.
fn meaning(kernel: &Kernel) -> Vec<u8> {
    let mut buffers = [source(), vec![0; 512]];
    let words = [address(0), address(1)];
    run(&mut Interp::new(kernel.target), kernel, [1, 1, 1], &words, &mut buffers, 0)
        .unwrap_or_else(|it| panic!("interp: {it:#?}\n{kernel}"));
    let [_, y] = buffers;
    y
}

/// What the simulator finds wrong with a prepared kernel that should give `wanted`, if anything.
fn wrong(kernel: &Kernel, wanted: &[u8], seed: u64) -> Option<String> {
    let mut buffers = [source(), vec![0; 512]];
    let words = [address(0), address(1)];
    let mut engine = SimEngine::of_prepared(kernel.target);
    match run(&mut engine, kernel, [1, 1, 1], &words, &mut buffers, seed) {
        Err(failure) => Some(failure.message),
        Ok(_) => (buffers[1] != wanted).then(|| "another result".to_owned()),
    }
}

#[test]
fn pipelined_loops_of_any_number_of_turns_agree() {
    for target in TARGETS {
        let mut random = Random(7);
        for _ in 0..LOOPS {
            let stages = 1 + random.below(5);
            let (n, turns) = (1 + random.below(3), random.below(2 * stages + 2));
            let kernel = kernel(&text(target, &fetching(stages, n, turns)), target);
            let prepared = prepare(&kernel).kernel;
            let found = wrong(&prepared, &meaning(&kernel), random.next());
            assert_eq!(found, None, "{target}, {stages} stages, {turns} turns\n{prepared}");
        }
    }
}

/// Takes the waits and barriers of a region away, one by one.
fn without_one(region: &Region, found: &mut Vec<(String, Region)>) {
    for (at, inst) in region.insts.iter().enumerate() {
        if is_order(inst) {
            let mut mutant = region.clone();
            mutant.insts.remove(at);
            found.push((format!("{} {}", inst.op.row().name, inst.site), mutant));
        }
        for (number, inner) in inst.regions.iter().enumerate() {
            let mut mutants = Vec::new();
            without_one(inner, &mut mutants);
            for (name, body) in mutants {
                let mut mutant = region.clone();
                mutant.insts[at].regions[number] = body;
                found.push((name, mutant));
            }
        }
    }
}

/// Whether an instruction orders others.
fn is_order(inst: &Inst) -> bool {
    matches!(inst.op, Op::Sync(SyncOp::Barrier) | Op::Copy(CopyOp::Wait { .. }))
}

/// Every mutant of a kernel is found.
fn check(target: &str, insts: &str) {
    let kernel = kernel(&text(target, insts), target);
    let prepared = prepare(&kernel).kernel;
    let wanted = meaning(&prepared);
    for seed in 0..SEEDS {
        assert_eq!(wrong(&prepared, &wanted, seed), None, "{target}\n{prepared}");
    }
    let mut mutants = Vec::new();
    without_one(&prepared.body, &mut mutants);
    assert!(!mutants.is_empty());
    for (name, body) in mutants {
        let mutant = Kernel { body, ..prepared.clone() };
        let found = (0..SEEDS).find_map(|seed| wrong(&mutant, &wanted, seed));
        assert!(found.is_some(), "{target}: nobody misses {name} in\n{prepared}");
    }
}

#[test]
fn each_barrier_between_stores_and_loads_is_missed() {
    for target in TARGETS {
        check(
            target,
            "%s: shared f32 @ #one = shared.alloc<16>
        %v: f32[128] @ #L = tile.cast<nearest> %i
        %v0: f32[128] @ #L = tile.binary<mul> %v, %v
        %res: f32[128] @ #R = flow.for %zero, %three, %unit, %half {
            (%t: i32, %acc: f32[128] @ #R)
            shared.store %s, %v0
            %a: f32[128] @ #R = shared.load %s
            %sum: f32[128] @ #R = tile.binary<add> %acc, %a
            yield %sum
        }",
        );
    }
}

#[test]
fn the_barrier_between_buffers_that_share_bytes_is_missed() {
    for target in TARGETS {
        check(
            target,
            "%s: shared f32 @ #one = shared.alloc<16>
        %v: f32[128] @ #L = tile.cast<nearest> %i
        shared.store %s, %v
        %a: f32[128] @ #R = shared.load %s
        %u: shared f32 @ #one = shared.alloc<16>
        %w: f32[128] @ #L = tile.binary<mul> %v, %v
        shared.store %u, %w
        %b: f32[128] @ #R = shared.load %u
        %res: f32[128] @ #R = tile.binary<add> %a, %b",
        );
    }
}

#[test]
fn each_wait_and_barrier_of_a_copied_ring_is_missed() {
    let mut rows = String::new();
    row(&mut rows, "_a", "%zero");
    row(&mut rows, "_b", "%unit");
    let mut ahead = String::new();
    row(&mut ahead, "_t", "%t2");
    for target in TARGETS {
        check(
            target,
            &format!(
                "%s: shared f32 @ #three = shared.alloc<16>
        %turns: i32 = tile.const<7>
        {rows}
        %s0: shared f32 @ #one = shared.index<0> %s, %zero
        %s1: shared f32 @ #one = shared.index<0> %s, %unit
        copy.async %s0, %from_a
        copy.commit
        copy.async %s1, %from_b
        copy.commit
        %res: f32[128] @ #R = flow.for %zero, %turns, %unit, %half {{
            (%t: i32, %acc: f32[128] @ #R)
            %stage: i32 = tile.binary<rem> %t, %three
            %full: shared f32 @ #one = shared.index<0> %s, %stage
            %a: f32[128] @ #R = shared.load %full
            %t2: i32 = tile.binary<add> %t, %two
            {ahead}
            %free: i32 = tile.binary<rem> %t2, %three
            %empty: shared f32 @ #one = shared.index<0> %s, %free
            copy.async %empty, %from_t
            copy.commit
            %sum: f32[128] @ #R = tile.binary<add> %acc, %a
            yield %sum
        }}"
            ),
        );
    }
}
