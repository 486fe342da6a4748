mod shared;

use crate::engine::{Engine, Failure, Launch, Outcome, Word};
use crate::interp::Interp;
use crate::ir::parse::parse;
use crate::ir::samples;
use crate::ir::verify::verify;

fn f32s(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

fn i32s(values: impl IntoIterator<Item = i32>) -> Vec<u8> {
    values.into_iter().flat_map(i32::to_le_bytes).collect()
}

fn to_f32s(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect()
}

fn to_i32s(bytes: &[u8]) -> Vec<i32> {
    bytes.chunks_exact(4).map(|it| i32::from_le_bytes(it.try_into().unwrap())).collect()
}

fn address(buffer: u32) -> Word {
    Word::Address(Some(buffer))
}

fn run(
    text: &str,
    grid: [u32; 3],
    words: &[Word],
    buffers: &mut [Vec<u8>],
    seed: u64,
) -> Result<Outcome, Failure> {
    run_with_undefined(text, grid, words, buffers, &[], seed)
}

fn run_with_undefined(
    text: &str,
    grid: [u32; 3],
    words: &[Word],
    buffers: &mut [Vec<u8>],
    undefined: &[u32],
    seed: u64,
) -> Result<Outcome, Failure> {
    let kernel = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(verify(&kernel), []);
    Interp::new(kernel.target).run(Launch {
        kernel: &kernel,
        grid,
        words,
        buffers,
        undefined,
        seed,
    })
}

#[test]
fn addition_with_a_masked_tail() {
    let n = 1500;
    let x = f32s((0..n).map(|it| it as f32));
    let y = f32s((0..n).map(|it| 0.5 * it as f32));
    let mut buffers = [x, y, f32s((0..n).map(|_| 0.0))];
    let words = [address(0), address(1), address(2), Word::Bits(n as u64)];
    run(samples::ADD, [2, 1, 1], &words, &mut buffers, 0).unwrap();
    let wanted: Vec<f32> = (0..n).map(|it| 1.5 * it as f32).collect();
    assert_eq!(to_f32s(&buffers[2]), wanted);
}

#[test]
fn softmax_of_uneven_rows_in_any_order_of_blocks() {
    let (rows, cols) = (5usize, 100usize);
    let x: Vec<f32> = (0..rows * cols).map(|it| ((it * 37 % 101) as f32 - 50.0) / 7.0).collect();
    for seed in [0, 1, 99] {
        let mut buffers = [f32s(x.iter().copied()), f32s(vec![0.0; rows * cols])];
        let words = [address(0), address(1), Word::Bits(rows as u64), Word::Bits(cols as u64)];
        run(samples::SOFTMAX, [rows as u32, 1, 1], &words, &mut buffers, seed).unwrap();
        let got = to_f32s(&buffers[1]);
        for (row, got) in x.chunks(cols).zip(got.chunks(cols)) {
            let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let exp: Vec<f64> = row.iter().map(|it| f64::from(it - max).exp()).collect();
            let sum: f64 = exp.iter().sum();
            for (got, exp) in got.iter().zip(exp) {
                assert!((f64::from(*got) - exp / sum).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn transpose_of_an_uneven_matrix() {
    let (m, n) = (40usize, 70usize);
    let mut buffers = [f32s((0..m * n).map(|it| it as f32)), f32s(vec![-1.0; m * n])];
    let words = [address(0), address(1), Word::Bits(m as u64), Word::Bits(n as u64)];
    run(samples::TRANSPOSE, [2, 3, 1], &words, &mut buffers, 7).unwrap();
    let got = to_f32s(&buffers[1]);
    for i in 0..m {
        for j in 0..n {
            assert_eq!(got[j * m + i], (i * n + j) as f32);
        }
    }
}

#[test]
fn atomics_loops_branches_and_prints() {
    let n = 3000;
    let x: Vec<i32> = (0..n).map(|it| it * it % 67).collect();
    let mut buffers = [i32s(x.iter().copied()), i32s(vec![0; 64]), i32s([5])];
    let words = [address(0), address(1), address(2), Word::Bits(n as u64)];
    let outcome = run(samples::ATOMICS, [2, 1, 1], &words, &mut buffers, 3).unwrap();
    let mut counts = vec![0; 64];
    x.iter().filter(|it| **it < 64).for_each(|it| counts[*it as usize] += 1);
    assert_eq!(to_i32s(&buffers[1]), counts);
    let heads: Vec<i32> = x.iter().copied().step_by(512).collect();
    let largest = heads.iter().copied().max().unwrap().max(5);
    assert_eq!(to_i32s(&buffers[2]), [largest]);
    assert_eq!(outcome.printed.len(), 2);
    assert!(outcome.printed[1].starts_with("largest = "));
    assert!(outcome.warnings.is_empty());
}

#[test]
fn an_absent_tensor_is_known_to_be_absent() {
    let mut buffers = [i32s([1, 2, 3]), i32s(vec![0; 64])];
    let words = [address(0), address(1), Word::Address(None), Word::Bits(3)];
    let outcome = run(samples::ATOMICS, [1, 1, 1], &words, &mut buffers, 0).unwrap();
    assert!(outcome.printed.is_empty());
    assert_eq!(to_i32s(&buffers[1])[..4], [0, 1, 1, 1]);
}

/// A kernel over `x: i32[n]` and scalar `k` with these instructions.
fn small(insts: &str) -> String {
    format!(
        r#"kernel "small" for sm_90a warps 1 {{
            plan small threads 32
            param x: tensor i32 [n] align 4 mut optional
            param k: scalar i32
            symbol n: 32
            grid [1]
            layout #L = [32] lane [1] [2] [4] [8] [16]
            tensor x: i32 at %x dims [%n] strides [1] align 4 mut optional
            body (%x: *i32 = address x, %n: i32 = symbol n, %k: i32 = scalar k) {{
                %i: i32[32] @ #L = tile.index<0>
                {insts}
            }}
        }}"#
    )
}

/// What a run over 40 elements with `k = 3` in two blocks says.
fn says(insts: &str) -> String {
    let mut buffers = [i32s(0..40)];
    let words = [address(0), Word::Bits(40), Word::Bits(3)];
    let found = match run(&small(insts), [2, 1, 1], &words, &mut buffers, 0) {
        Ok(outcome) => outcome.warnings,
        Err(failure) => vec![failure],
    };
    let lines: Vec<String> =
        found.iter().flat_map(|it| [&it.message].into_iter().chain(&it.details)).cloned().collect();
    lines.join("\n")
}

#[test]
fn an_index_outside_of_its_tensor_is_named() {
    insta::assert_snapshot!(says(
        "%ks: i32[32] @ #L = tile.splat %k
         %four: i32[32] @ #L = tile.binary<mul> %ks, %i
         %p: *i32[32] @ #L = memory.at<0> %four
         %v: i32[32] @ #L = memory.load<all, normal> %p"
    ), @r"
    this reads `x` at index 42 of dimension 0, which has extent 40
    `x` has extents [40], the index is [42]
    at element [14] of the tile
    ");
    insta::assert_snapshot!(says(
        "%low: i32 = tile.const<-1>
         %p: *i32 = memory.at<0> %low
         memory.store<all, normal> %p, %k"
    ), @r"
    this writes `x` at index -1 of dimension 0, which has extent 40
    `x` has extents [40], the index is [-1]
    ");
}

#[test]
fn a_moved_pointer_is_checked_against_its_buffer() {
    insta::assert_snapshot!(says(
        "%p: *i32[32] @ #L = memory.at<0> %i
         %nine: i32[32] @ #L = tile.const<9>
         %q: *i32[32] @ #L = memory.offset %p, %nine
         %v: i32[32] @ #L = memory.load<all, normal> %q"
    ), @r"
    this reads element 40 of `x`, which has 40 elements in memory
    at element [31] of the tile
    ");
}

#[test]
fn masked_elements_are_not_accessed() {
    assert_eq!(
        says(
            "%far: i32[32] @ #L = tile.const<1000>
             %at: i32[32] @ #L = tile.binary<mul> %i, %far
             %one: i32[32] @ #L = tile.const<1>
             %live: bool[32] @ #L = tile.cmp<lt> %i, %one
             %p: *i32[32] @ #L = memory.at<0> %at
             %v: i32[32] @ #L = memory.load<all, normal> %p, %live
             memory.store<all, normal> %p, %v, %live"
        ),
        ""
    );
}

#[test]
fn an_absent_tensor_is_refused() {
    let text =
        small("%p: *i32[32] @ #L = memory.at<0> %i %v: i32[32] @ #L = memory.load<all, normal> %p");
    let words = [Word::Address(None), Word::Bits(40), Word::Bits(3)];
    let failure = run(&text, [1, 1, 1], &words, &mut [], 0).unwrap_err();
    assert_eq!(failure.message, "this reads `x`, which was not given");
}

#[test]
fn misaligned_addresses_are_refused() {
    insta::assert_snapshot!(says(
        "%zero: i32 = tile.const<0>
         %p: *i32 = memory.at<0> %zero
         %a: i64 = tile.bits %p
         %two: i64 = tile.const<2>
         %b: i64 = tile.binary<add> %a, %two
         %q: *i32 = tile.bits %b
         %v: i32 = memory.load<all, normal> %q"
    ), @"this reads 4 bytes at byte 2 of `x`, which is not a multiple of 4");
}

#[test]
fn arithmetic_is_checked() {
    insta::assert_snapshot!(says(
        "%big: i32[32] @ #L = tile.const<1073741824>
         %p: i32[32] @ #L = tile.binary<mul> %big, %i"
    ), @r"
    `1073741824 * 2` does not fit into `i32`
    at element [2] of the tile
    `i32` wraps; unsigned types wrap by definition
    ");
    insta::assert_snapshot!(says("%q: i32[32] @ #L = tile.binary<div> %i, %i"), @r"
    an integer is divided by zero
    at element [0] of the tile
    ");
    insta::assert_snapshot!(says("%q: i32[32] @ #L = tile.gather<0> %i, %i %r: i32[32] @ #L = tile.binary<add> %q, %i %s: i32[32] @ #L = tile.gather<0> %i, %r"), @r"
    `gather` picks index 32 of dimension 0, which has extent 32
    at element [16] of the tile
    ");
}

#[test]
fn assertions_and_assumptions_are_tested() {
    let condition =
        "%four: i32[32] @ #L = tile.const<4> %c: bool[32] @ #L = tile.cmp<lt> %i, %four";
    insta::assert_snapshot!(says(&format!("{condition} memory.assert<\"small\"> %c")), @r"
    assertion failed: small
    at element [4] of the tile
    ");
    insta::assert_snapshot!(says(&format!("{condition} memory.assume %c")), @r"
    what is assumed here does not hold
    at element [4] of the tile
    ");
}

#[test]
fn blocks_that_store_different_values_to_one_place_are_found() {
    let store = "%b: i32 = tile.block_id<0> %bs: i32[32] @ #L = tile.splat %b %p: *i32[32] @ #L = memory.at<0> %i";
    insta::assert_snapshot!(says(&format!("{store} memory.store<all, normal> %p, %bs")), @r"
    two blocks store different values to element 0 of `x`
    block [0, 0, 0] stored there before
    blocks run in any order, so either value may remain
    ");
    assert_eq!(says(&format!("{store} memory.store<all, normal> %p, %i")), "");
}

#[test]
fn every_order_reaches_every_block_once() {
    for n in [1u64, 2, 3, 12, 97, 128] {
        for seed in 0..20 {
            let mut seen: Vec<u64> = super::order(n, seed).collect();
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..n), "{n} {seed}");
        }
    }
    assert!(super::order(5, 0).eq(0..5));
}

#[test]
fn loops_count_from_lo_to_hi_by_step() {
    let text = "%zero: i32 = tile.const<0>
        %two: i32 = tile.const<2>
        %sum: i32 = flow.for %k, %n, %two, %zero {
            (%at: i32, %acc: i32)
            %next: i32 = tile.binary<add> %acc, %at
            yield %next
        }
        %none: i32 = flow.for %n, %k, %two, %sum { (%u: i32, %w: i32) yield %k }
        memory.print<\"sum \", \", still \", \"\"> %sum, %none";
    let words = [address(0), Word::Bits(10), Word::Bits(3)];
    let outcome = run(&small(text), [1, 1, 1], &words, &mut [i32s(0..10)], 0).unwrap();
    assert_eq!(outcome.printed, ["sum 24, still 24"]);
    let bad = run(
        &small(&text.replace("const<2>", "const<0>")),
        [1, 1, 1],
        &words,
        &mut [i32s(0..10)],
        0,
    );
    assert_eq!(bad.unwrap_err().message, "a loop's step is 0, it must be positive");
}

#[test]
fn strides_that_are_computed_live_as_long_as_the_tensor() {
    let text = r#"kernel "column" for sm_90a warps 1 {
        plan column threads 32
        param x: tensor i32 [m, n] align 4 mut
        symbol m: 32
        symbol n: 32
        grid [1]
        tensor x: i32 at %x dims [%m, %n] strides [%row, 1] align 4 mut
        body (%x: *i32 = address x, %m: i32 = symbol m, %n: i32 = symbol n) {
            %row: i64 = tile.cast<nearest> %n
            %one: i32 = tile.const<1>
            %p: *i32 = memory.at<0> %one, %one
            memory.store<all, normal> %p, %one
        }
    }"#;
    let mut buffers = [i32s(vec![0; 6])];
    run(text, [1, 1, 1], &[address(0), Word::Bits(2), Word::Bits(3)], &mut buffers, 0).unwrap();
    assert_eq!(to_i32s(&buffers[0]), [0, 0, 0, 0, 1, 0]);
}

#[test]
fn what_nobody_has_written_is_not_read() {
    let store_then_load = |mask: &str| {
        small(&format!(
            "%few: i32[32] @ #L = tile.const<30>
             %some: bool[32] @ #L = tile.cmp<lt> %i, %few
             %p: *i32[32] @ #L = memory.at<0> %i
             memory.store<all, normal> %p, %i, %some
             %v: i32[32] @ #L = memory.load<all, normal> %p{mask}"
        ))
    };
    let words = [address(0), Word::Bits(40), Word::Bits(3)];
    let run = |text: &str| run_with_undefined(text, [1, 1, 1], &words, &mut [i32s(0..40)], &[0], 0);
    assert!(run(&store_then_load(", %some")).is_ok());
    let failure = run(&store_then_load("")).unwrap_err();
    assert_eq!(failure.message, "this reads element 30 of `x`, which nothing has written yet");
}
