//! Conversions between random layouts are value-exact on the simulator and have no bank conflicts
//! there, for warps of 32 and of 64 lanes: layouts of all constructors, with copies, of one to four
//! dimensions, odd factors in extents, and all widths of elements.

mod support;

use std::fmt::Write as _;

use support::layouts::{TYPES, element, layout, narrowed, number, shape, text_of};
use support::{Random, address, kernel, run};
use tile_codegen::SimEngine;
use tile_codegen::sim::SiteCost;
use tile_language::dtype::DType;
use tile_language::ir::Kernel;
use tile_language::op::{Op, TileOp};
use tile_layout::Machine;

/// Pairs of layouts in one kernel.
const PAIRS: u64 = 16;
/// Kernels of a test.
const KERNELS: u64 = 26;
/// One conversion: the number of every element, as `dtype`, from one layout to another and to memory.
fn part(at: u64, tensor: u64, shape: &[u32], dtype: DType) -> String {
    let mut text = String::new();
    let before = number(&mut text, "A", at, shape);
    let after = number(&mut text, "B", at, shape);
    let to = format!("{dtype}{shape:?} @ #B{at}");
    text += &narrowed(at, shape, dtype, &before);
    let _ = writeln!(text, "        %c{at}: {to} = tile.convert %v{at}");
    let _ = writeln!(text, "        %p{at}: *{to} = memory.at<{tensor}> {after}");
    let _ = writeln!(text, "        memory.store<all, normal> %p{at}, %c{at}");
    text
}

/// Converts between [`PAIRS`] random pairs in one kernel.
fn check(target: &str, lanes: u32, seed: u64) {
    let mut random = Random(seed);
    let machine = Machine { lanes, warps: 1 << random.below(4) };
    let (mut layouts, mut params, mut tensors, mut body) =
        (String::new(), String::new(), String::new(), String::new());
    let (mut heads, mut wanted) = (Vec::new(), Vec::new());
    for at in 0..PAIRS {
        let shape = shape(&mut random);
        let dtype = TYPES[random.below(5) as usize];
        for name in ["A", "B"] {
            let _ = writeln!(
                layouts,
                "    layout #{name}{at} = {}",
                text_of(&layout(&mut random, &shape, machine))
            );
        }
        let n: u32 = shape.iter().product();
        let _ = writeln!(params, "    param t{at}: tensor {dtype} [{n}] align 16 mut");
        let _ = writeln!(
            tensors,
            "    tensor t{at}: {dtype} at %t{at} dims [{n}] strides [1] align 16 mut"
        );
        heads.push(format!("%t{at}: *{dtype} = address t{at}"));
        body += &part(at, at, &shape, dtype);
        wanted.push((0..n).flat_map(|it| element(dtype, it)).collect::<Vec<u8>>());
    }
    let text = format!(
        "kernel \"convert\" for {target} warps {} {{\n    plan convert threads {}\n{params}    grid [1]\n{layouts}{tensors}    body ({}) {{\n{body}    }}\n}}\n",
        machine.warps,
        machine.warps * lanes,
        heads.join(", ")
    );
    let kernel = kernel(&text, target);
    let mut buffers: Vec<Vec<u8>> = wanted.iter().map(|it| vec![0xee; it.len()]).collect();
    let words: Vec<_> = (0..buffers.len() as u32).map(address).collect();
    let mut engine = SimEngine::new(kernel.target);
    run(&mut engine, &kernel, [1, 1, 1], &words, &mut buffers, seed)
        .unwrap_or_else(|error| panic!("{target}, seed {seed}: {error:#?}\n{text}"));
    for (at, (got, wanted)) in buffers.iter().zip(&wanted).enumerate() {
        assert!(got == wanted, "{target}, seed {seed}: pair {at} of\n{text}\ngot {got:?}");
    }
    check_free(&kernel, engine.costs());
}

/// No access of a conversion was served more often than its width asks for.
fn check_free(kernel: &Kernel, costs: &[SiteCost]) {
    kernel.body.walk(&mut |inst| {
        if inst.op == Op::Tile(TileOp::Convert) {
            let own = costs.iter().filter(|it| it.line == Some(inst.site.0 + 1));
            for cost in own {
                let types = [inst.operands[0], inst.results[0]].map(|it| kernel.ty(it));
                assert_eq!(cost.shared.units, cost.shared.ideal, "{cost:?} of {types:?}");
            }
        }
    });
}

#[test]
fn hundreds_of_pairs_between_warps_of_32_lanes() {
    (0..KERNELS).for_each(|seed| check("sm_80", 32, seed));
    (0..KERNELS).for_each(|seed| check("sm_90a", 32, seed + KERNELS));
}

#[test]
fn hundreds_of_pairs_between_warps_of_64_lanes() {
    (0..KERNELS).for_each(|seed| check("gfx942", 64, seed + 2 * KERNELS));
    (0..KERNELS).for_each(|seed| check("gfx950", 64, seed + 3 * KERNELS));
}
