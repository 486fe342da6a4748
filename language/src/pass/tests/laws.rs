//! Laws over random loops: passes keep the meaning.

use std::fmt::Write;

use proptest::prelude::*;

use super::*;
use crate::engine::{Engine, Launch, Word};
use crate::interp::Interp;

/// A loop that sums rows of 128 elements, twice, and what it does in a turn.
#[derive(Clone, Debug)]
struct Loop {
    target: &'static str,
    index: &'static str,
    stages: u32,
    first: u32,
    step: u32,
    turns: u32,
    /// How many fetches and how many loads.
    n_fetches: u32,
    n_loads: u32,
    /// Elements from here on are masked off.
    limit: Option<u32>,
    /// Whether the row is carried instead of computed from the index.
    is_carried: bool,
    /// Whether the program stores into shared memory besides.
    has_store: bool,
}

fn loops() -> impl Strategy<Value = Loop> {
    let target = prop_oneof![Just("sm_80"), Just("gfx942"), Just("gfx950")];
    let index = prop_oneof![Just("i32"), Just("i64"), Just("u32")];
    let limit = proptest::option::of(0u32..128);
    let numbers = (1u32..6, 0u32..3, 1u32..4, 0u32..4, 0u32..3);
    let shapes = (any::<bool>(), any::<bool>());
    (target, index, numbers, limit, shapes).prop_flat_map(
        |(target, index, (stages, first, step, n_fetches, n_loads), limit, shapes)| {
            (0..2 * stages + 2).prop_map(move |turns| Loop {
                target,
                index,
                stages,
                first,
                step,
                turns,
                n_fetches,
                n_loads,
                limit,
                is_carried: shapes.0,
                has_store: shapes.1,
            })
        },
    )
}

impl Loop {
    /// Rows that are read.
    fn n_rows(&self) -> u32 {
        self.first + self.step * self.turns + self.n_fetches + self.n_loads + 1
    }

    /// The kernel; outside of it stands a loop of two turns, so that everything begins again.
    fn insts(&self) -> String {
        let Loop { index, stages, first, step, .. } = *self;
        let end = first + step * self.turns;
        let carried = if self.is_carried { ", %row0" } else { "" };
        let (param, result, next) = if self.is_carried {
            (", %row: i32", ", %rows_end: i32", ", %row_next")
        } else {
            ("", "", "")
        };
        let mut turn = match (self.is_carried, index) {
            (true, _) => "%row_next: i32 = tile.binary<add> %row, %row_step\n".to_owned(),
            (false, "i32") => "%row: i32 = tile.binary<mul> %t, %width\n".to_owned(),
            (false, _) => "%narrow: i32 = tile.cast<zero> %t
                 %row: i32 = tile.binary<mul> %narrow, %width\n"
                .to_owned(),
        };
        let mut sum = "%acc".to_owned();
        for at in 0..self.n_fetches + self.n_loads {
            self.source(at, &mut turn, &mut sum);
        }
        let buffer = match self.has_store {
            true => "%own: shared f32 @ #one = shared.alloc<16>",
            false => "",
        };
        format!(
            "%width: i32 = tile.const<128>
             %row0: i32 = tile.const<{}>
             %row_step: i32 = tile.const<{}>
             %lo: {index} = tile.const<{first}>
             %hi: {index} = tile.const<{end}>
             %by: {index} = tile.const<{step}>
             %half: f32[128] @ #L = tile.const<0.5>
             %limit: i32[128] @ #L = tile.const<{}>
             %live: bool[128] @ #L = tile.cmp<lt> %i, %limit
             %two: i32 = tile.const<2>
             {buffer}
             %all: f32[128] @ #L = flow.for %zero, %two, %unit, %v {{
                 (%again: i32, %before: f32[128] @ #L)
                 %sum: f32[128] @ #L{result} = flow.for<0, {stages}> %lo, %hi, %by, %before{carried} {{
                     (%t: {index}, %acc: f32[128] @ #L{param})
                     {turn}
                     yield {sum}{next}
                 }}
                 yield %sum
             }}
             %to: *f32[128] @ #L = memory.at<1> %i
             memory.store<all, normal> %to, %all",
            128 * first,
            128 * step,
            self.limit.unwrap_or(128),
        )
    }

    /// A fetch or a load of another row, and its part in the sum.
    fn source(&self, at: u32, turn: &mut String, sum: &mut String) {
        let mask = if self.limit.is_some() { ", %live" } else { "" };
        let mut line = |text: String| writeln!(turn, "{text}").expect("a string takes everything");
        line(format!("%k{at}: i32 = tile.const<{}>", 128 * at));
        line(format!("%start{at}: i32 = tile.binary<add> %row, %k{at}"));
        line(format!("%starts{at}: i32[128] @ #L = tile.splat %start{at}"));
        line(format!("%at{at}: i32[128] @ #L = tile.binary<add> %starts{at}, %i"));
        line(format!("%from{at}: *f32[128] @ #L = memory.at<0> %at{at}"));
        if at < self.n_fetches {
            line(format!("%s{at}: shared f32 @ #one = copy.fetch<16> %from{at}{mask}"));
            line(format!("%a{at}: f32[128] @ #L = shared.load %s{at}"));
        } else {
            let load = "memory.load<all, normal>";
            line(format!("%a{at}: f32[128] @ #L = {load} %from{at}{mask}"));
        }
        line(format!("%scaled{at}: f32[128] @ #L = tile.binary<mul> {sum}, %half"));
        line(format!("%sum{at}: f32[128] @ #L = tile.binary<add> %scaled{at}, %a{at}"));
        *sum = format!("%sum{at}");
        if self.has_store {
            line(format!("shared.store %own, %sum{at}"));
            line(format!("%own{at}: f32[128] @ #L = shared.load %own"));
            *sum = format!("%own{at}");
        }
    }

    fn run(&self, kernel: &Kernel) -> Vec<u8> {
        let n = 128 * self.n_rows();
        let x: Vec<u8> = (0..n).flat_map(|it| (it as f32 * 1.25 + 1.0).to_le_bytes()).collect();
        let mut buffers = [x, vec![0; 4 * 128]];
        let words = [Word::Address(Some(0)), Word::Address(Some(1)), Word::Bits(n.into())];
        let launch = Launch {
            kernel,
            grid: [1, 1, 1],
            words: &words,
            buffers: &mut buffers,
            undefined: &[],
            seed: 0,
        };
        let done = Interp::new(kernel.target).run(launch);
        let done = done.unwrap_or_else(|failure| panic!("{failure:?}\n{kernel}"));
        assert_eq!(done.warnings, [], "{kernel}");
        let [_, y] = buffers;
        y
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_prepared_means_the_same(it in loops()) {
        let kernel = for_target(it.target, &it.insts());
        let prepared = prepare(&kernel);
        sound(&prepared.kernel);
        prop_assert_eq!(it.run(&kernel), it.run(&prepared.kernel), "{}", prepared.kernel);
        let again = prepare(&prepared.kernel);
        prop_assert!(again.placed.is_empty(), "{:?}\n{}", again.placed, prepared.kernel);
    }
}
