//! Random layouts of registers, and tiles that hold the numbers of their elements.

use std::fmt::Write as _;

use tile_language::dtype::DType;
use tile_layout::{Coords, In, Layout, Machine, Spec};

use super::Random;

/// Index bits of a tile at most.
const BITS_MAX: u64 = 10;

/// A shape of one to four dimensions; sometimes one that holds matrix instructions, sometimes with an
/// odd factor in an extent.
pub(crate) fn shape(random: &mut Random) -> Vec<u32> {
    if random.below(4) == 0 {
        return vec![16 << random.below(3), 16 << random.below(2)];
    }
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

/// The index bits of a shape in any order, added to one another.
pub(crate) fn images(random: &mut Random, shape: &[u32]) -> Vec<Coords> {
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
    images
}

/// A map with any bases: index bits in any order, added to one another, with copies in between.
fn linear(random: &mut Random, shape: &[u32], machine: Machine) -> Layout {
    let mut images = images(random, shape);
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

/// What a matrix instruction makes or takes, if the shape holds it.
fn matrix(random: &mut Random, shape: &[u32], machine: Machine) -> Option<Layout> {
    let warps = split(random, machine.warps, shape.len());
    let [transposed, large] = [(); 2].map(|()| random.below(2) == 0);
    let size = if large { 32 } else { 16 };
    let acc = match machine.lanes {
        32 if machine.warps < 4 || shape.len() != 2 || large => Spec::Mma { warps },
        32 => Spec::Wgmma { n: 8 << random.below(4) },
        _ => Spec::Mfma { m: size, n: size, k: 256 / size, warps, transposed, wide: false },
    };
    let k_width = 1 << random.below(4);
    let spec = match random.below(3) {
        0 => acc,
        1 => acc.a(k_width),
        _ => acc.b(k_width),
    };
    spec.apply(shape, machine).ok()
}

/// A layout of a shape, of any constructor.
pub(crate) fn layout(random: &mut Random, shape: &[u32], machine: Machine) -> Layout {
    let rank = shape.len();
    if 1 < rank
        && random.below(2) == 0
        && let Some(it) = matrix(random, shape, machine)
    {
        return it;
    }
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
pub(crate) fn text_of(layout: &Layout) -> String {
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

/// Computes the row-major number of every element of a tile in layout `#{layout}{at}`; its name.
pub(crate) fn number(text: &mut String, layout: &str, at: u64, shape: &[u32]) -> String {
    let i32s = format!("i32{shape:?} @ #{layout}{at}");
    let mut sum = format!("%z{layout}{at}");
    let _ = writeln!(text, "        {sum}: {i32s} = tile.const<0>");
    for (axis, extent) in shape.iter().enumerate() {
        let name = format!("{layout}{at}_{axis}");
        let _ = writeln!(text, "        %e{name}: {i32s} = tile.const<{extent}>");
        let _ = writeln!(text, "        %m{name}: {i32s} = tile.binary<mul> {sum}, %e{name}");
        let _ = writeln!(text, "        %i{name}: {i32s} = tile.index<{axis}>");
        let _ = writeln!(text, "        %s{name}: {i32s} = tile.binary<add> %m{name}, %i{name}");
        sum = format!("%s{name}");
    }
    sum
}

/// Makes `%v{at}`, the numbers of a tile in layout `#A{at}` as elements of a type.
pub(crate) fn narrowed(at: u64, shape: &[u32], dtype: DType, numbers: &str) -> String {
    let to = format!("{dtype}{shape:?} @ #A{at}");
    match dtype {
        DType::Bool => format!(
            "        %one{at}: {0} = tile.const<1>\n        %odd{at}: {0} = tile.binary<and> {numbers}, %one{at}\n        %v{at}: {to} = tile.cast<nearest> %odd{at}\n",
            format_args!("i32{shape:?} @ #A{at}")
        ),
        DType::I32 => format!("        %v{at}: {to} = tile.bits {numbers}\n"),
        _ => format!("        %v{at}: {to} = tile.cast<nearest> {numbers}\n"),
    }
}

/// The element that stands for a number, as it lies in memory.
pub(crate) fn element(dtype: DType, number: u32) -> Vec<u8> {
    match dtype {
        DType::Bool => vec![(number & 1) as u8],
        DType::I8 => vec![number as u8],
        DType::I16 => (number as u16).to_le_bytes().to_vec(),
        DType::I32 => number.to_le_bytes().to_vec(),
        DType::I64 => u64::from(number).to_le_bytes().to_vec(),
        other => panic!("no conversion of {other} is tested"),
    }
}

/// Types of every width.
pub(crate) const TYPES: [DType; 5] = [DType::Bool, DType::I8, DType::I16, DType::I32, DType::I64];
