//! Whole kernels: the simulator gives the interpreter's answers, at even and uneven sizes.

mod support;

use support::{BOTH, Random, address, both, bytes, kernel};
use tile_language::engine::Word;
use tile_language::ir::samples;

fn f32s(n: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    bytes((0..n).map(|_| (random.below(4001) as f32 - 2000.0) / 512.0), f32::to_le_bytes)
}

fn i32s(values: impl IntoIterator<Item = i32>) -> Vec<u8> {
    bytes(values, i32::to_le_bytes)
}

/// Runs a kernel on both engines for both vendors; the buffers must be the same bytes, or, where
/// approximations are used, numbers within `rtol`.
#[track_caller]
fn check(text: &str, grid: [u32; 3], sizes: &[usize], buffers: &[Vec<u8>], rtol: Option<f32>) {
    for target in BOTH {
        let kernel = kernel(text, target);
        let words: Vec<Word> = (0..buffers.len() as u32)
            .map(address)
            .chain(sizes.iter().map(|&it| Word::Bits(it as u64)))
            .collect();
        let [interp, sim] = both(&kernel, grid, &words, buffers);
        for (at, (wanted, got)) in interp.iter().zip(&sim).enumerate() {
            let is_fine = match rtol {
                None => wanted == got,
                Some(rtol) => wanted.chunks_exact(4).zip(got.chunks_exact(4)).all(|(a, b)| {
                    let [a, b] = [a, b].map(|it| f32::from_le_bytes([it[0], it[1], it[2], it[3]]));
                    a == b
                        || (a - b).abs() <= rtol * a.abs().max(b.abs())
                        || a.is_nan() && b.is_nan()
                }),
            };
            assert!(
                is_fine,
                "{target}, {} at {sizes:?}: buffer {at} differs\n{wanted:?}\n{got:?}",
                kernel.name
            );
        }
    }
}

#[test]
fn vectors_are_added_at_every_kind_of_tail() {
    for n in [4, 1000, 1024, 1028, 2500] {
        let buffers = [f32s(n, 1), f32s(n, 2), vec![0; n * 4]];
        check(samples::ADD, [n.div_ceil(1024) as u32, 1, 1], &[n], &buffers, None);
    }
}

#[test]
fn rows_become_probabilities() {
    for (rows, cols) in [(3, 128), (2, 100), (1, 4), (5, 64)] {
        let buffers = [f32s(rows * cols, 3), vec![0; rows * cols * 4]];
        check(samples::SOFTMAX, [rows as u32, 1, 1], &[rows, cols], &buffers, Some(2e-6));
    }
}

#[test]
fn matrices_are_transposed_by_boxes() {
    for (m, n) in [(32, 32), (40, 70), (1, 33), (64, 1)] {
        let buffers = [f32s(m * n, 4), vec![0; m * n * 4]];
        let grid = [m.div_ceil(32) as u32, n.div_ceil(32) as u32, 1];
        check(samples::TRANSPOSE, grid, &[m, n], &buffers, None);
    }
}

#[test]
fn values_are_counted_with_atomics_in_loops() {
    for n in [1, 512, 3000] {
        let x = (0..n as i32).map(|it| it.wrapping_mul(it) % 67);
        let buffers = [i32s(x), i32s(vec![0; 64]), i32s([5])];
        check(samples::ATOMICS, [1, 1, 1], &[n], &buffers, None);
    }
}

#[test]
fn matrices_are_turned_in_swizzled_memory() {
    for (m, n) in [(32, 32), (40, 70), (1, 33)] {
        let mut random = Random(6);
        let x = bytes((0..m * n).map(|_| random.below(1 << 15) as u16), u16::to_le_bytes);
        let buffers = [x, vec![0; m * n * 2]];
        let grid = [m.div_ceil(32) as u32, n.div_ceil(32) as u32, 1];
        check(samples::TURN, grid, &[m, n], &buffers, None);
    }
}

#[test]
fn rings_are_filled_ahead_for_any_number_of_turns() {
    for m in [1, 8, 9, 24, 33] {
        let n = 100;
        let buffers = [f32s(m * n, 7), vec![0; 8 * n * 4]];
        check(samples::RING, [2, 1, 1], &[m, n], &buffers, None);
    }
}

#[test]
fn values_are_counted_with_atomics_on_shared_memory() {
    for n in [1, 256, 1000] {
        let x = (0..n as i32).map(|it| it.wrapping_mul(it) % 67);
        let buffers = [i32s(x), i32s(vec![0; 64]), i32s(vec![0; 64])];
        check(samples::BINS, [1, 1, 1], &[n], &buffers, None);
    }
}

/// A kernel of one block and four warps over `x: i32[n]` and results of that many elements.
fn shaped(target: &str, n: u32, layouts: &str, results: &[u32], insts: &str) -> String {
    let threads = if target.starts_with("sm") { 128 } else { 256 };
    let lanes = if target.starts_with("sm") { "" } else { " [0]" };
    let (mut params, mut tensors, mut heads) = (String::new(), String::new(), String::new());
    for (at, n) in results.iter().enumerate() {
        params += &format!("    param r{at}: tensor i32 [{n}] align 16 mut\n");
        tensors +=
            &format!("    tensor r{at}: i32 at %r{at} dims [{n}] strides [1] align 16 mut\n");
        heads += &format!(", %r{at}: *i32 = address r{at}");
    }
    format!(
        "kernel \"shaped\" for {target} warps 4 {{\n    plan shaped threads {threads}\n    param x: tensor i32 [{n}] align 16\n{params}    grid [1]\n{}\n    tensor x: i32 at %x dims [{n}] strides [1] align 16\n{tensors}    body (%x: *i32 = address x{heads}) {{\n{insts}\n    }}\n}}\n",
        layouts.replace(" _", lanes)
    )
}

#[track_caller]
fn check_shaped(n: u32, layouts: &str, results: &[u32], insts: &str) {
    for target in BOTH {
        let text = shaped(target, n, layouts, results, insts);
        let kernel = kernel(&text, target);
        let mut random = Random(9);
        let mut buffers = vec![i32s((0..n).map(|_| random.below(1 << 20) as i32))];
        buffers.extend(results.iter().map(|&n| i32s(vec![-1; n as usize])));
        let words: Vec<Word> = (0..buffers.len() as u32).map(address).collect();
        let [interp, sim] = both(&kernel, [1, 1, 1], &words, &buffers);
        for at in 1..buffers.len() {
            assert!(
                interp[at] == sim[at],
                "{target}: result {} of\n{text}\n{:?}\n{:?}",
                at - 1,
                interp[at],
                sim[at]
            );
        }
    }
}

#[test]
fn halves_of_register_lane_and_warp_bits() {
    let layouts =
        "    layout #L = [512] register [1] [2] lane [4] [8] [16] [32] [64] _ warp [128] [256]
    layout #R = [256] register [1] lane [2] [4] [8] [16] [32] _ warp [64] [128]
    layout #N = [256] register [1] [2] lane [0] [4] [8] [16] [32] _ warp [64] [128]
    layout #W = [256] register [1] [2] lane [4] [8] [16] [32] [64] _ warp [0] [128]";
    for (bit, layout) in [(0, "R"), (2, "N"), (7, "W")] {
        for (combine, low, high) in [("add", "%l", "%h"), ("sub", "%l", "%h"), ("sub", "%h", "%l")]
        {
            check_shaped(
                512,
                layouts,
                &[256],
                &format!(
                    "%i: i32[512] @ #L = tile.index<0>
                 %p: *i32[512] @ #L = memory.at<0> %i
                 %v: i32[512] @ #L = memory.load<all, normal> %p
                 %l: i32[256] @ #{layout}, %h: i32[256] @ #{layout} = tile.halves<0, {bit}> %v
                 %s: i32[256] @ #{layout} = tile.binary<{combine}> {low}, {high}
                 %j: i32[256] @ #{layout} = tile.index<0>
                 %q: *i32[256] @ #{layout} = memory.at<1> %j
                 memory.store<all, normal> %q, %s"
                ),
            );
        }
    }
}

#[test]
fn butterflies_over_all_bits() {
    let layouts =
        "    layout #L = [512] register [1] [2] lane [4] [8] [16] [32] [64] _ warp [128] [256]";
    for mask in [1, 4, 64, 128, 511, 0x155] {
        check_shaped(
            512,
            layouts,
            &[512],
            &format!(
                "%i: i32[512] @ #L = tile.index<0>
             %p: *i32[512] @ #L = memory.at<0> %i
             %v: i32[512] @ #L = memory.load<all, normal> %p
             %s: i32[512] @ #L = tile.butterfly<0, {mask}> %v
             %q: *i32[512] @ #L = memory.at<1> %i
             memory.store<all, normal> %q, %s"
            ),
        );
    }
}

#[test]
fn shapes_are_changed_without_moving_elements() {
    let layouts = "    layout #L = [512] register [1] [2] lane [4] [8] [16] [32] [64] _ warp [128] [256]
    layout #M = [16, 32] register [0, 1] [0, 2] lane [0, 4] [0, 8] [0, 16] [1, 0] [2, 0] _ warp [4, 0] [8, 0]
    layout #T = [32, 16] register [1, 0] [2, 0] lane [4, 0] [8, 0] [16, 0] [0, 1] [0, 2] _ warp [0, 4] [0, 8]
    layout #C = [16] lane [0] [0] [0] [1] [2] _ warp [4] [8]
    layout #E = [16, 1] lane [0, 0] [0, 0] [0, 0] [1, 0] [2, 0] _ warp [4, 0] [8, 0]
    layout #J = [32, 16, 2] register [0, 0, 1] [1, 0, 0] [2, 0, 0] lane [4, 0, 0] [8, 0, 0] [16, 0, 0] [0, 1, 0] [0, 2, 0] _ warp [0, 4, 0] [0, 8, 0]";
    let layouts = layouts.replace(
        "#E = [16, 1] lane [0, 0] [0, 0] [0, 0] [1, 0] [2, 0] _",
        "#E = [16, 1] lane [0, 0] [0, 0] [0, 0] [1, 0] [2, 0] __",
    );
    let layouts = layouts.replace(" __", " _");
    for target in BOTH {
        let zero = |rank: usize| format!(" {:?}", vec![0; rank]);
        let lines: Vec<String> = layouts
            .lines()
            .map(|line| {
                let shape = line.split(['[', ']']).nth(1).expect("a layout has a shape");
                let rank = shape.split(',').count();
                line.replace(
                    " _",
                    if target.starts_with("sm") { String::new() } else { zero(rank) }.as_str(),
                )
            })
            .collect();
        let insts = "%i: i32[512] @ #L = tile.index<0>
            %p: *i32[512] @ #L = memory.at<0> %i
            %v: i32[512] @ #L = memory.load<all, normal> %p
            %m: i32[16, 32] @ #M = tile.reshape %v
            %t: i32[32, 16] @ #T = tile.permute<[1, 0]> %m
            %ci: i32[16] @ #C = tile.index<0>
            %ce: i32[16, 1] @ #E = tile.expand<1> %ci
            %cb: i32[16, 32] @ #M = tile.broadcast %ce
            %w: i32[16, 32] @ #M = tile.binary<add> %m, %cb
            %wt: i32[32, 16] @ #T = tile.permute<[1, 0]> %w
            %j: i32[32, 16, 2] @ #J = tile.join %t, %wt
            %a: i32[32, 16] @ #T, %b: i32[32, 16] @ #T = tile.split %j
            %d: i32[32, 16] @ #T = tile.binary<sub> %b, %a
            %ti: i32[32, 16] @ #T = tile.index<0>
            %tj: i32[32, 16] @ #T = tile.index<1>
            %k: i32[32, 16] @ #T = tile.const<16>
            %r: i32[32, 16] @ #T = tile.binary<mul> %ti, %k
            %f: i32[32, 16] @ #T = tile.binary<add> %r, %tj
            %q: *i32[32, 16] @ #T = memory.at<1> %f
            memory.store<all, normal> %q, %t
            %q2: *i32[32, 16] @ #T = memory.at<2> %f
            memory.store<all, normal> %q2, %d";
        let text = shaped(target, 512, &lines.join("\n"), &[512, 512], insts);
        let kernel = kernel(&text, target);
        let mut buffers = vec![i32s(0..512), i32s(vec![-1; 512]), i32s(vec![-1; 512])];
        let words: Vec<Word> = (0..3).map(address).collect();
        let [interp, sim] = both(&kernel, [1, 1, 1], &words, &buffers);
        assert!(interp == sim, "{target}\n{text}");
        buffers[1] = i32s((0..512).map(|at| at % 16 * 32 + at / 16));
        buffers[2] = i32s((0..512).map(|at| at % 16));
        assert!(sim == buffers, "{target}");
    }
}

#[test]
fn elements_are_gathered_and_counted() {
    let layouts =
        "    layout #L = [512] register [1] [2] lane [4] [8] [16] [32] [64] _ warp [128] [256]
    layout #B = [96] register [32] lane [1] [2] [4] [8] [16] _ warp [0] [0]";
    let layouts = layouts.replace("register [32] lane", "lane");
    check_shaped(
        512,
        &layouts,
        &[512, 96],
        "%i: i32[512] @ #L = tile.index<0>
         %p: *i32[512] @ #L = memory.at<0> %i
         %v: i32[512] @ #L = memory.load<all, normal> %p
         %m: i32[512] @ #L = tile.const<511>
         %n: i32[512] @ #L = tile.binary<and> %v, %m
         %g: i32[512] @ #L = tile.gather<0> %v, %n
         %q: *i32[512] @ #L = memory.at<1> %i
         memory.store<all, normal> %q, %g
         %c: i32[512] @ #L = tile.const<127>
         %y: i32[512] @ #L = tile.binary<and> %v, %c
         %k: bool[512] @ #L = tile.cmp<ne> %n, %m
         %h: i32[96] @ #B = tile.histogram %y, %k
         %b: i32[96] @ #B = tile.index<0>
         %r: *i32[96] @ #B = memory.at<2> %b
         memory.store<all, normal> %r, %h",
    );
}

#[test]
fn what_a_block_stores_its_later_loads_find() {
    // Written by one map and read by another, in a loop: every access meets the one before it.
    let layouts =
        "    layout #L = [512] register [1] [2] lane [4] [8] [16] [32] [64] _ warp [128] [256]
    layout #S = [512] register [128] [256] lane [1] [2] [4] [8] [16] _ warp [32] [64]";
    check_shaped(
        512,
        layouts,
        &[512],
        "%i: i32[512] @ #L = tile.index<0>
         %p: *i32[512] @ #L = memory.at<0> %i
         %v: i32[512] @ #L = memory.load<all, normal> %p
         %q: *i32[512] @ #L = memory.at<1> %i
         memory.store<all, normal> %q, %v
         %s: i32[512] @ #S = tile.index<0>
         %last: i32[512] @ #S = tile.const<511>
         %back: i32[512] @ #S = tile.binary<sub> %last, %s
         %from: *i32[512] @ #S = memory.at<1> %back
         %to: *i32[512] @ #S = memory.at<1> %s
         %lo: i32 = tile.const<0>
         %hi: i32 = tile.const<3>
         %step: i32 = tile.const<1>
         flow.for %lo, %hi, %step {
             (%t: i32)
             %w: i32[512] @ #S = memory.load<all, normal> %from
             %ts: i32[512] @ #S = tile.splat %t
             %u: i32[512] @ #S = tile.binary<add> %w, %ts
             memory.store<all, normal> %to, %u
         }",
    );
}
