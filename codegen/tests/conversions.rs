//! Conversions between random layouts are value-exact on the simulator, for warps of 32 and of 64
//! lanes: blocked, sliced and linear layouts, with copies, of one to four dimensions, odd factors in
//! extents, and all widths of elements.

mod support;

use std::fmt::Write as _;

use support::{Random, address, kernel, run};
use tile_codegen::SimEngine;
use tile_language::dtype::DType;
use tile_layout::{Coords, In, Layout, Machine, Spec};

/// Pairs of layouts in one kernel.
const PAIRS: u64 = 10;
/// Kernels of a test.
const KERNELS: u64 = 51;
/// Index bits of a tile at most.
const BITS_MAX: u64 = 10;

/// A shape of one to four dimensions; sometimes an extent has an odd factor.
fn shape(random: &mut Random) -> Vec<u32> {
    let rank = 1 + random.below(4);
    let mut bits = random.below(BITS_MAX + 1);
    let mut shape: Vec<u32> = (0..rank)
        .map(|_| {
            let own = random.below(bits + 1);
            bits -= own;
            1 << own
        })
        .collect();
    if random.below(6) == 0 {
        let axis = random.below(rank) as usize;
        shape[axis] *= if random.below(2) == 0 { 3 } else { 5 };
    }
    shape
}

/// Splits a power of two over dimensions.
fn split(random: &mut Random, total: u32, rank: usize) -> Vec<u32> {
    let mut parts = vec![1; rank];
    (0..total.trailing_zeros()).for_each(|_| parts[random.below(rank as u64) as usize] *= 2);
    parts
}

fn blocked(random: &mut Random, rank: usize, machine: Machine) -> Spec {
    let mut order: Vec<u32> = (0..rank as u32).collect();
    (1..rank).for_each(|at| order.swap(at, random.below(at as u64 + 1) as usize));
    let n_regs = 1 << random.below(4);
    Spec::Blocked {
        regs: split(random, n_regs, rank),
        lanes: split(random, machine.lanes, rank),
        warps: split(random, machine.warps, rank),
        order: Some(order),
    }
}

/// A map with any bases: index bits in any order, added to one another, with copies in between.
fn linear(random: &mut Random, shape: &[u32], machine: Machine) -> Layout {
    let mut images: Vec<Coords> = Vec::new();
    for (axis, &extent) in shape.iter().enumerate() {
        for bit in 0..extent.trailing_zeros() {
            let mut image = Coords::from_elem(0, shape.len());
            image[axis] = 1 << bit;
            images.push(image);
        }
    }
    (1..images.len()).for_each(|at| images.swap(at, random.below(at as u64 + 1) as usize));
    for at in 1..images.len() {
        if random.below(3) == 0 {
            let other = images[random.below(at as u64) as usize].clone();
            images[at].iter_mut().zip(other).for_each(|(it, other)| *it ^= other);
        }
    }
    let mut take = |wanted: u32, random: &mut Random| -> Vec<Coords> {
        let zero = Coords::from_elem(0, shape.len());
        (0..wanted)
            .map(|_| {
                if random.below(8) == 0 {
                    zero.clone()
                } else {
                    images.pop().unwrap_or_else(|| zero.clone())
                }
            })
            .collect()
    };
    let lanes = take(machine.lanes.trailing_zeros(), random);
    let warps = take(machine.warps.trailing_zeros(), random);
    Layout::new(shape, vec![(In::Register, images), (In::Lane, lanes), (In::Warp, warps)])
}

fn layout(random: &mut Random, shape: &[u32], machine: Machine) -> Layout {
    let rank = shape.len();
    let spec = match random.below(3) {
        0 => return linear(random, shape, machine),
        1 if rank < 4 => {
            let axis = random.below(rank as u64 + 1) as u32;
            Spec::Slice(Box::new(blocked(random, rank + 1, machine)), axis)
        }
        _ => blocked(random, rank, machine),
    };
    spec.apply(shape, machine).unwrap_or_else(|error| panic!("{spec:?} on {shape:?}: {error:?}"))
}

/// A layout in the IR's text.
fn text_of(layout: &Layout) -> String {
    let mut text = format!("{:?}", layout.shape());
    for (input, bases) in layout.inputs().iter().filter(|it| !it.1.is_empty()) {
        let word = match input {
            In::Register => "register",
            In::Lane => "lane",
            In::Warp => "warp",
            other => panic!("a register layout has no {other:?}"),
        };
        let _ = write!(text, " {word}");
        for it in bases {
            let _ = write!(text, " {:?}", it.as_slice());
        }
    }
    text
}

/// One conversion: the number of every element, as `dtype`, from one layout to another and to memory.
fn part(at: u64, tensor: u64, shape: &[u32], dtype: DType) -> String {
    let ty = |dtype: &str, layout: &str| format!("{dtype}{shape:?} @ #{layout}{at}");
    let mut text = String::new();
    let number = |text: &mut String, layout: &str| {
        let i32s = ty("i32", layout);
        let mut sum = format!("%z{layout}{at}");
        let _ = writeln!(text, "        {sum}: {i32s} = tile.const<0>");
        for (axis, extent) in shape.iter().enumerate() {
            let name = format!("{layout}{at}_{axis}");
            let _ = writeln!(text, "        %e{name}: {i32s} = tile.const<{extent}>");
            let _ = writeln!(text, "        %m{name}: {i32s} = tile.binary<mul> {sum}, %e{name}");
            let _ = writeln!(text, "        %i{name}: {i32s} = tile.index<{axis}>");
            let _ =
                writeln!(text, "        %s{name}: {i32s} = tile.binary<add> %m{name}, %i{name}");
            sum = format!("%s{name}");
        }
        sum
    };
    let before = number(&mut text, "A");
    let after = number(&mut text, "B");
    let (from, to) = (ty(dtype.name(), "A"), ty(dtype.name(), "B"));
    let narrowed = match dtype {
        DType::Bool => format!(
            "        %one{at}: {0} = tile.const<1>\n        %odd{at}: {0} = tile.binary<and> {before}, %one{at}\n        %v{at}: {from} = tile.cast<nearest> %odd{at}\n",
            ty("i32", "A")
        ),
        DType::I32 => format!("        %v{at}: {from} = tile.bits {before}\n"),
        _ => format!("        %v{at}: {from} = tile.cast<nearest> {before}\n"),
    };
    text += &narrowed;
    let _ = writeln!(text, "        %c{at}: {to} = tile.convert %v{at}");
    let _ = writeln!(text, "        %p{at}: *{to} = memory.at<{tensor}> {after}");
    let _ = writeln!(text, "        memory.store<all, normal> %p{at}, %c{at}");
    text
}

/// The element that stands for a number, as it lies in memory.
fn element(dtype: DType, number: u32) -> Vec<u8> {
    match dtype {
        DType::Bool => vec![(number & 1) as u8],
        DType::I8 => vec![number as u8],
        DType::I16 => (number as u16).to_le_bytes().to_vec(),
        DType::I32 => number.to_le_bytes().to_vec(),
        DType::I64 => u64::from(number).to_le_bytes().to_vec(),
        other => panic!("no conversion of {other} is tested"),
    }
}

const TYPES: [DType; 5] = [DType::Bool, DType::I8, DType::I16, DType::I32, DType::I64];

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
    run(&mut SimEngine::new(), &kernel, [1, 1, 1], &words, &mut buffers, seed)
        .unwrap_or_else(|error| panic!("{target}, seed {seed}: {error:#?}\n{text}"));
    for (at, (got, wanted)) in buffers.iter().zip(&wanted).enumerate() {
        assert!(got == wanted, "{target}, seed {seed}: pair {at} of\n{text}\ngot {got:?}");
    }
}

#[test]
fn hundreds_of_pairs_between_warps_of_32_lanes() {
    (0..KERNELS).for_each(|seed| check("sm_90a", 32, seed));
}

#[test]
fn hundreds_of_pairs_between_warps_of_64_lanes() {
    (0..KERNELS).for_each(|seed| check("gfx942", 64, seed + KERNELS));
}
