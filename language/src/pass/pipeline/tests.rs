//! The expander on random tables.

use proptest::prelude::*;

use super::schedule::Row;
use super::*;
use crate::engine::{Engine, Launch, Word};
use crate::interp::Interp;
use crate::ir::parse::parse;
use crate::ir::verify::verify;

/// Loads of a turn.
const LOADS: u32 = 3;

/// Sums `LOADS` rows of 32 elements a turn, by pointers that are carried.
fn kernel(turns: u32) -> Kernel {
    let mut turn = String::new();
    let mut sum = "%acc".to_owned();
    for at in 0..LOADS {
        turn += &format!(
            "%k{at}: i32 = tile.const<{}>
             %first{at}: i32 = tile.binary<add> %row, %k{at}
             %firsts{at}: i32[32] @ #L = tile.splat %first{at}
             %at{at}: i32[32] @ #L = tile.binary<add> %firsts{at}, %i
             %from{at}: *f32[32] @ #L = memory.at<0> %at{at}
             %a{at}: f32[32] @ #L = memory.load<all, normal> %from{at}
             %half{at}: f32[32] @ #L = tile.binary<mul> {sum}, %half
             %sum{at}: f32[32] @ #L = tile.binary<add> %half{at}, %a{at}\n",
            32 * at
        );
        sum = format!("%sum{at}");
    }
    let text = format!(
        "kernel \"k\" for sm_80 warps 1 {{
            plan k threads 32
            param x: tensor f32 [n] align 16
            param y: tensor f32 [32] align 16 mut
            symbol n: 32
            grid [1]
            layout #L = [32] lane [1] [2] [4] [8] [16]
            tensor x: f32 at %x dims [%n] strides [1] align 16
            tensor y: f32 at %y dims [32] strides [1] align 16 mut
            body (%x: *f32 = address x, %y: *f32 = address y, %n: i32 = symbol n) {{
                %zero: i32 = tile.const<0>
                %unit: i32 = tile.const<1>
                %turns: i32 = tile.const<{turns}>
                %width: i32 = tile.const<32>
                %half: f32[32] @ #L = tile.const<0.5>
                %i: i32[32] @ #L = tile.index<0>
                %sum: f32[32] @ #L, %end: i32 = flow.for %zero, %turns, %unit, %half, %zero {{
                    (%t: i32, %acc: f32[32] @ #L, %row: i32)
                    {turn}
                    %next: i32 = tile.binary<add> %row, %width
                    yield {sum}, %next
                }}
                %to: *f32[32] @ #L = memory.at<1> %i
                memory.store<all, normal> %to, %sum
            }}
        }}"
    );
    parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn run(kernel: &Kernel, turns: u32) -> Vec<u8> {
    assert_eq!(verify(kernel), [], "{kernel}");
    let n = 32 * (turns + LOADS - 1).max(1);
    let x: Vec<u8> = (0..n).flat_map(|it| (it as f32 + 0.5).to_le_bytes()).collect();
    let mut buffers = [x, vec![0; 128]];
    let words = [Word::Address(Some(0)), Word::Address(Some(1)), Word::Bits(n.into())];
    let (grid, buffers_of) = ([1, 1, 1], &mut buffers);
    let launch =
        Launch { kernel, grid, words: &words, buffers: buffers_of, undefined: &[], seed: 0 };
    let done = Interp::new(kernel.target).run(launch);
    done.unwrap_or_else(|failure| panic!("{failure:?}\n{kernel}"));
    let [_, y] = buffers;
    y
}

/// The kernel with its loop expanded: loads in these stages and orders, the rest in the last.
fn expanded(kernel: &Kernel, last: u32, rows: &[(u32, u32)]) -> Kernel {
    let mut kernel = kernel.clone();
    let mut body = std::mem::take(&mut kernel.body);
    let insts = std::mem::take(&mut body.insts);
    for inst in insts {
        if !matches!(inst.op, Op::Flow(FlowOp::For { .. })) {
            body.insts.push(inst);
            continue;
        }
        let looped = &inst.regions[0];
        let moved: Vec<usize> =
            (0..looped.insts.len()).filter(|&it| is_load(&looped.insts[it])).collect();
        let asked = Pipelining { stages: last + 1, site: inst.site };
        let copied = FxHashSet::default();
        let moved = Moved { moved, copied: &copied };
        let mut schedule = default_schedule(&mut kernel, looped, &moved, asked);
        schedule.last = last;
        let mut given = rows.iter();
        for step in schedule.steps.iter_mut().filter(|it| it.row.is_some()) {
            let (stage, order) = match is_load(&step.inst) {
                true => *given.next().expect("a row for every load"),
                false => (last, u32::MAX),
            };
            step.row = Some(Row { stage: stage.min(last), order });
        }
        body.insts.extend(expand(&mut kernel, inst, schedule));
    }
    kernel.body = body;
    kernel
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_table_means_the_same(
        last in 1u32..5,
        turns in 0u32..12,
        rows in proptest::collection::vec((0u32..5, 0u32..3), LOADS as usize),
    ) {
        let kernel = kernel(turns);
        let made = expanded(&kernel, last, &rows);
        prop_assert_eq!(run(&kernel, turns), run(&made, turns), "{}", made);
    }
}
