//! Tests of the tester: kernels of this compiler, broken in one place each, must be found out.
//!
//! A mutant is *found* if a run ends in a finding or with other bytes than the kernel itself.

use inkwell::context::Context;
use tile_language::ir::{parse::parse, samples};
use tile_language::target::TargetId;

use crate::backend::Backend;
use crate::lower::LowerOptions;

use super::*;

/// Ways to break a line, and what it must contain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Break {
    /// The line is left out.
    Drop(&'static str),
    /// The first word becomes the second.
    Replace(&'static str, &'static str),
    /// The number at the end of the line grows by one.
    Increment(&'static str),
    /// The number at the end of the line becomes half of it.
    Halve(&'static str),
}

const BARRIERS: [Break; 2] =
    [Break::Drop("@llvm.nvvm.barrier.cta.sync"), Break::Drop("@llvm.amdgcn.s.barrier")];
const FENCES: [Break; 1] = [Break::Drop("fence syncscope")];
const OPERATORS: [Break; 7] = [
    Break::Replace("= xor i32", "= or i32"),
    Break::Replace("= and i32", "= or i32"),
    Break::Replace("= sub i32", "= add i32"),
    Break::Replace("= shl nuw nsw i32", "= lshr i32"),
    Break::Replace("= lshr i32", "= shl i32"),
    Break::Replace("= fadd ", "= fsub "),
    Break::Replace("icmp slt", "icmp sge"),
];
const CONSTANTS: [Break; 3] =
    [Break::Halve("= and i32"), Break::Increment("= shl "), Break::Increment("= lshr i32")];

/// A sample as it goes to instruction selection, with a launch.
struct Subject {
    text: String,
    kernel: String,
    lanes: Lanes,
    threads: u32,
    grid: [u32; 3],
    shared: u32,
    params: Vec<Param>,
    buffers: Vec<Vec<u8>>,
}

fn subject(sample: &str, target: &str) -> Subject {
    let mut kernel = parse(sample).unwrap_or_else(|error| panic!("{error}"));
    kernel.target = TargetId::from_name(target).unwrap();
    let context = Context::create();
    let backend = Backend::new(kernel.target).unwrap();
    let lowered = backend.module(&context, &kernel, LowerOptions::default()).unwrap();
    let row = kernel.target.row();
    Subject {
        text: lowered.module.print_to_string().to_string(),
        kernel: kernel.name.to_string(),
        lanes: if row.lanes == 64 { Lanes::L64 } else { Lanes::L32 },
        threads: kernel.warps * row.lanes,
        grid: [1, 1, 1],
        shared: lowered.dynamic_shared_bytes,
        params: Vec::new(),
        buffers: Vec::new(),
    }
}

/// A transposition of 64 by 64 elements in four blocks, through shared memory.
fn transpose(target: &str) -> Subject {
    Subject {
        grid: [2, 2, 1],
        params: vec![buffer(0), buffer(1), Param::Bits(64), Param::Bits(64)],
        buffers: vec![bytes_of((0..4096).map(|i| (i as f32).to_bits())), vec![0; 16384]],
        ..subject(samples::TRANSPOSE, target)
    }
}

/// Softmax of three rows of 100 elements, through shuffles.
fn softmax(target: &str) -> Subject {
    let values = (0..300u32).map(|i| ((i * 37 % 101) as f32 * 0.1).to_bits());
    Subject {
        grid: [3, 1, 1],
        params: vec![buffer(0), buffer(1), Param::Bits(3), Param::Bits(100)],
        buffers: vec![bytes_of(values), vec![0; 1200]],
        ..subject(samples::SOFTMAX, target)
    }
}

/// A transposition of 64 by 64 elements of 16 bits in four blocks, through a swizzled buffer.
fn turn(target: &str) -> Subject {
    let x = (0..4096u32).flat_map(|it| (it as u16).to_le_bytes()).collect();
    Subject {
        grid: [2, 2, 1],
        params: vec![buffer(0), buffer(1), Param::Bits(64), Param::Bits(64)],
        buffers: vec![x, vec![0; 8192]],
        ..subject(samples::TURN, target)
    }
}

/// Sums of 80 rows of 64 elements, through a ring of three buffers.
fn ring(target: &str) -> Subject {
    let x = bytes_of((0..80 * 64).map(|i| (i as f32).to_bits()));
    Subject {
        params: vec![buffer(0), buffer(1), Param::Bits(80), Param::Bits(64)],
        buffers: vec![x, vec![0; 8 * 64 * 4]],
        ..subject(samples::RING, target)
    }
}

impl Subject {
    /// What is in the buffers at the end, over several orders of the warps.
    fn run(&self, text: &str) -> Result<Vec<Vec<u8>>, SimError> {
        let program = Program::from_text(text, &self.kernel, self.lanes)?;
        let mut res = Vec::new();
        for seed in 0..3 {
            let mut buffers = self.buffers.clone();
            let mut launch =
                Launch::new(self.grid, [self.threads, 1, 1], &self.params, &mut buffers);
            launch.seed = seed;
            launch.dynamic_shared_bytes = self.shared;
            launch.steps_max = 1 << 24;
            program.run(launch)?;
            res.extend(buffers);
        }
        Ok(res)
    }

    /// Every mutant of these kinds, and which of them nobody noticed.
    fn survivors(&self, breaks: &[Break]) -> (usize, Vec<String>) {
        let good = self.run(&self.text).unwrap_or_else(|error| panic!("{error}"));
        let (mut n, mut silent) = (0, Vec::new());
        for (at, line) in self.text.lines().enumerate() {
            for broken in breaks.iter().filter_map(|it| it.apply(line)) {
                let mutant: Vec<&str> = self
                    .text
                    .lines()
                    .enumerate()
                    .map(|(i, it)| if i == at { broken.as_str() } else { it })
                    .collect();
                n += 1;
                if self.run(&mutant.join("\n")).is_ok_and(|it| it == good) {
                    silent.push(format!("{} became {}", line.trim(), broken.trim()));
                }
            }
        }
        (n, silent)
    }
}

impl Break {
    fn apply(self, line: &str) -> Option<String> {
        let (Break::Drop(word)
        | Break::Replace(word, _)
        | Break::Increment(word)
        | Break::Halve(word)) = self;
        if !line.starts_with(' ') || !line.contains(word) {
            return None;
        }
        match self {
            Break::Drop(_) => Some(String::new()),
            Break::Replace(from, to) => Some(line.replace(from, to)),
            Break::Increment(_) => with_last_number(line, |it| it + 1),
            Break::Halve(_) => with_last_number(line, |it| it / 2),
        }
    }
}

fn with_last_number(line: &str, f: impl Fn(i64) -> i64) -> Option<String> {
    let code = line.split(", !dbg").next().unwrap_or(line);
    let (start, number) = code.rsplit_once(' ')?;
    let number: i64 = number.parse().ok()?;
    Some(format!("{start} {}", f(number)))
}

#[track_caller]
fn check(subject: &Subject, breaks: &[Break], at_least: usize) {
    let (n, silent) = subject.survivors(breaks);
    assert!(n >= at_least, "only {n} mutants");
    assert!(silent.is_empty(), "of {n} mutants nobody noticed {silent:#?}");
}

#[test]
fn no_barrier_can_be_dropped() {
    for target in ["sm_90a", "gfx942"] {
        check(&transpose(target), &BARRIERS, 1);
        check(&turn(target), &BARRIERS, 1);
    }
}

#[test]
fn no_wait_for_copies_in_flight_can_be_dropped_or_left_too_lax() {
    let waits = [
        Break::Drop("cp.async.wait.group(i32 1)"),
        Break::Replace("cp.async.wait.group(i32 1)", "cp.async.wait.group(i32 2)"),
        Break::Drop("@llvm.nvvm.cp.async.commit.group"),
    ];
    check(&ring("sm_80"), &waits, 3);
}

#[test]
fn no_fence_around_an_amd_barrier_can_be_dropped() {
    check(&transpose("gfx942"), &FENCES, 2);
}

#[test]
fn no_operator_can_be_exchanged() {
    for target in ["sm_90a", "gfx942"] {
        check(&transpose(target), &OPERATORS, 10);
        check(&turn(target), &OPERATORS, 10);
        check(&softmax(target), &OPERATORS, 5);
    }
}

#[test]
fn no_constant_can_be_changed() {
    for target in ["sm_90a", "gfx942"] {
        check(&transpose(target), &CONSTANTS, 10);
    }
}
