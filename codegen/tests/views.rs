//! Tiles through shared memory are value-exact on the simulator: stored or copied in one random layout,
//! read in another, through views of random buffers, of one to four dimensions and all widths, for warps of
//! 32 and of 64 lanes.

mod support;

use std::fmt::Write as _;

use support::layouts::{TYPES, element, layout, narrowed, number, shape, text_of};
use support::{Random, address, check_conflicts, kernel, map_text, run};
use tile_codegen::SimEngine;
use tile_language::dtype::DType;
use tile_layout::{Layout, Machine, MemoryMap, Spec};

/// Pairs of accesses in one kernel.
const PAIRS: u64 = 8;
/// Kernels of a test.
const KERNELS: u64 = 57;

/// Bytes of a buffer that fit every target beside others.
const BYTES_MAX: u32 = 48 << 10;

/// A buffer of that shape, of any constructor.
fn buffer(random: &mut Random, shape: &[u32], elem_bits: u32) -> Layout {
    let mut order: Vec<u32> = (0..shape.len() as u32).collect();
    (1..order.len()).for_each(|at| order.swap(at, random.below(at as u64 + 1) as usize));
    let mut power = |most: u64| 1 << random.below(most);
    let spec = match power(7) {
        1 => Spec::Plain,
        2 => Spec::Nvmma { swizzle: [0, 32, 64, 128][power(3) as usize - 1], transposed: false },
        4 => Spec::Padded { pads: vec![(power(7), power(4))], order: Some(order) },
        8 => Spec::Padded { pads: vec![(16, power(4)), (64, power(4))], order: None },
        16 => return linear(random, shape),
        32 => Spec::Crosswise { vec: power(5) },
        _ => Spec::Swizzled {
            vec: power(4),
            per_phase: power(3),
            max_phase: power(4),
            order: Some(order),
        },
    };
    let fits = |it: &Layout| it.buffer_len() * elem_bits / 8 <= BYTES_MAX;
    let applied = spec.apply_in_memory(shape, elem_bits).ok().filter(fits);
    applied.unwrap_or_else(|| {
        let plain = Spec::Plain.apply_in_memory(shape, elem_bits);
        plain.unwrap_or_else(|error| panic!("{shape:?}: {error}"))
    })
}

/// Index bits in any order, added to one another.
fn linear(random: &mut Random, shape: &[u32]) -> Layout {
    let images = support::layouts::images(random, shape);
    Layout::new(shape, vec![(tile_layout::In::Offset, images)])
}

/// The declarations and instructions of a view that is taken step by step.
struct Taken {
    at: u64,
    n: u32,
    dtype: DType,
    maps: String,
    body: String,
    map: MemoryMap,
    /// For every element of the view, row-major, its number in the buffer's tile.
    numbers: Vec<u32>,
}

impl Taken {
    fn name(&self) -> String {
        format!("%w{}_{}", self.at, self.n)
    }

    fn step(&mut self, map: MemoryMap, op: &str) {
        self.n += 1;
        let (at, n) = (self.at, self.n);
        let _ = writeln!(self.maps, "    memory #w{at}_{n} = {}", map_text(&map));
        let ty = format!("shared {} @ #w{at}_{n}", self.dtype);
        let _ = writeln!(self.body, "        %w{at}_{n}: {ty} = {op}");
        self.map = map;
    }

    /// A scalar that nobody knows before the kernel runs.
    fn scalar(&mut self, value: u32) -> String {
        let (at, n) = (self.at, self.n);
        let _ = writeln!(self.body, "        %k{at}_{n}: i32 = tile.const<{value}>");
        let _ = writeln!(self.body, "        %d{at}_{n}: i32 = tile.binary<add> %k{at}_{n}, %zero");
        format!("%d{at}_{n}")
    }

    fn alloc(&mut self, random: &mut Random, map: MemoryMap) {
        let op = format!("shared.alloc<{}>", 1 << random.below(8));
        let n = 2 + random.below(3) as u32;
        let bytes = n * map.buffer_len() * self.dtype.storage_bits() / 8;
        if random.below(2) == 0 || BYTES_MAX < bytes {
            return self.step(map, &op);
        }
        self.step(map.stacked(n), &op);
        let (from, at) = (self.name(), self.scalar(random.below(n.into()) as u32));
        self.step(self.map.without(0), &format!("shared.index<0> {from}, {at}"));
    }

    fn slice(&mut self, random: &mut Random) {
        let shape = self.map.shape();
        let axis = random.below(shape.len() as u64) as usize;
        let extent = 1 << random.below(u64::from(shape[axis].trailing_zeros()) + 1);
        let Ok(map) = self.map.slice(axis, extent) else { return };
        let unit = self.map.slice_unit(axis, extent);
        let starts = (shape[axis] - extent) / unit + 1;
        let start = random.below(starts.into()) as u32 * unit;
        let (from, at) = (self.name(), self.scalar(start));
        let inner: u32 = shape[axis + 1..].iter().product();
        self.numbers = (0..self.numbers.len() as u32)
            .filter(|it| (start..start + extent).contains(&(it / inner % shape[axis])))
            .map(|it| self.numbers[it as usize])
            .collect();
        self.step(map, &format!("shared.slice<{axis}> {from}, {at}"));
    }

    fn transpose(&mut self) {
        let shape = self.map.shape();
        let perm: Vec<u32> = (0..shape.len() as u32).rev().collect();
        let from = self.name();
        let n = self.numbers.len() as u32;
        self.numbers = (0..n)
            .map(|it| {
                let (mut rest, mut old) = (it, 0);
                let mut scale = n;
                // The last dimension of the result is the first of the view.
                for &extent in &shape {
                    scale /= extent;
                    old += rest % extent * scale;
                    rest /= extent;
                }
                self.numbers[old as usize]
            })
            .collect();
        self.step(self.map.permute(&perm), &format!("shared.recast {from}"));
    }
}

/// The parts of a kernel's text.
#[derive(Default)]
struct Text {
    layouts: String,
    maps: String,
    params: String,
    tensors: String,
    body: String,
    heads: Vec<String>,
}

/// A tile with the numbers of its elements goes to a buffer, and a view of it to memory.
fn part(text: &mut Text, at: u64, random: &mut Random, machine: Machine) -> Vec<u8> {
    let shape = shape(random);
    let dtype = TYPES[random.below(5) as usize];
    let map = MemoryMap::of(&buffer(random, &shape, dtype.storage_bits()));
    let n: u32 = shape.iter().product();
    let mut taken = Taken {
        at,
        n: 0,
        dtype,
        maps: String::new(),
        body: String::new(),
        map: map.clone(),
        numbers: (0..n).collect(),
    };
    taken.alloc(random, map);
    let whole = taken.name();
    let before = text_of(&layout(random, &shape, machine));
    let _ = writeln!(text.layouts, "    layout #A{at} = {before}");
    let numbers = number(&mut taken.body, "A", at, &shape);
    taken.body += &narrowed(at, &shape, dtype, &numbers);
    let _ = writeln!(taken.body, "        shared.store {whole}, %v{at}\n        sync.barrier");
    for _ in 0..random.below(3) {
        taken.slice(random);
    }
    if random.below(2) == 0 {
        taken.transpose();
    }
    let (view, shape) = (taken.name(), taken.map.shape());
    let after = text_of(&layout(random, &shape, machine));
    let _ = writeln!(text.layouts, "    layout #B{at} = {after}");
    text.maps += &taken.maps;
    let to = format!("{dtype}{:?} @ #B{at}", shape.as_slice());
    let _ = writeln!(taken.body, "        %c{at}: {to} = shared.load {view}");
    let numbers = number(&mut taken.body, "B", at, &shape);
    let _ = writeln!(taken.body, "        %p{at}: *{to} = memory.at<{at}> {numbers}");
    let _ = writeln!(taken.body, "        memory.store<all, normal> %p{at}, %c{at}");
    let n = taken.numbers.len();
    let _ = writeln!(text.params, "    param t{at}: tensor {dtype} [{n}] align 16 mut");
    let _ = writeln!(
        text.tensors,
        "    tensor t{at}: {dtype} at %t{at} dims [{n}] strides [1] align 16 mut"
    );
    text.heads.push(format!("%t{at}: *{dtype} = address t{at}"));
    text.body += &taken.body;
    taken.numbers.iter().flat_map(|&it| element(dtype, it)).collect()
}

fn check(target: &str, lanes: u32, seed: u64) -> u32 {
    let mut random = Random(seed);
    let machine = Machine { lanes, warps: 1 << random.below(4) };
    let mut text = Text::default();
    let wanted: Vec<Vec<u8>> =
        (0..PAIRS).map(|at| part(&mut text, at, &mut random, machine)).collect();
    let text = format!(
        "kernel \"views\" for {target} warps {} {{\n    plan views threads {}\n{}    grid [1]\n{}{}{}    body ({}) {{\n        %zero: i32 = tile.block_id<0>\n{}    }}\n}}\n",
        machine.warps,
        machine.warps * lanes,
        text.params,
        text.layouts,
        text.maps,
        text.tensors,
        text.heads.join(", "),
        text.body
    );
    let kernel = kernel(&text, target);
    let mut buffers: Vec<Vec<u8>> = wanted.iter().map(|it| vec![0xee; it.len()]).collect();
    let words: Vec<_> = (0..buffers.len() as u32).map(address).collect();
    let mut engine = SimEngine::new(kernel.target);
    run(&mut engine, &kernel, [1, 1, 1], &words, &mut buffers, seed)
        .unwrap_or_else(|error| panic!("{target}, seed {seed}: {error:#?}\n{text}"));
    for (at, (got, wanted)) in buffers.iter().zip(&wanted).enumerate() {
        assert!(
            got == wanted,
            "{target}, seed {seed}: pair {at} of\n{text}\ngot {got:?}\nwant {wanted:?}"
        );
    }
    check_conflicts(&kernel, engine.costs())
}

/// A tensor of numbers goes to a buffer by copies, where `live`; the buffer goes to memory.
fn copied(target: &str, seed: u64) {
    let mut random = Random(seed);
    let lanes = if target.starts_with("gfx") { 64 } else { 32 };
    let machine = Machine { lanes, warps: 1 << random.below(3) };
    let shape = shape(&mut random);
    let dtype = TYPES[1 + random.below(4) as usize];
    let map = MemoryMap::of(&buffer(&mut random, &shape, dtype.storage_bits()));
    let [before, after] = [(); 2].map(|()| text_of(&layout(&mut random, &shape, machine)));
    let n: u32 = shape.iter().product();
    let (unit, limit) = (1 << random.below(5), random.below(u64::from(n) + 2) as u32);
    // The tail begins where a whole access does, so that some copies are wide.
    let limit = limit / unit * unit;
    let happens = random.below(4) > 0;
    let mut body = String::new();
    let from = number(&mut body, "A", 0, &shape);
    let to = number(&mut body, "B", 0, &shape);
    let (a, b) = (format!("{shape:?} @ #A0"), format!("{shape:?} @ #B0"));
    let text = format!(
        "kernel \"copied\" for {target} warps {warps} {{
    plan copied threads {threads}
    param x: tensor {dtype} [{n}] align 16
    param y: tensor {dtype} [{n}] align 16 mut
    grid [1]
    layout #A0 = {before}
    layout #B0 = {after}
    memory #m = {map}
    tensor x: {dtype} at %x dims [{n}] strides [1] align 16
    tensor y: {dtype} at %y dims [{n}] strides [1] align 16 mut
    body (%x: *{dtype} = address x, %y: *{dtype} = address y) {{
        %zero: i32 = tile.block_id<0>
        %w: shared {dtype} @ #m = shared.alloc<16>
        {body}
        %nine: {dtype}{a} = tile.const<9>
        shared.store %w, %nine
        sync.barrier
        %p: *{dtype}{a} = memory.at<0> {from}
        %limit: i32{a} = tile.const<{limit}>
        %live: bool{a} = tile.cmp<lt> {from}, %limit
        %one: i32 = tile.const<{one}>
        %when: bool = tile.cmp<lt> %zero, %one
        copy.async %w, %p, %live, %when
        copy.commit
        copy.wait<0>
        sync.barrier
        %c: {dtype}{b} = shared.load %w
        %q: *{dtype}{b} = memory.at<1> {to}
        memory.store<all, normal> %q, %c
    }}
}}
",
        warps = machine.warps,
        threads = machine.warps * lanes,
        map = map_text(&map),
        one = u32::from(happens),
    );
    let kernel = kernel(&text, target);
    let source: Vec<u8> = (0..n).flat_map(|it| element(dtype, it + 1)).collect();
    let wanted: Vec<u8> = (0..n)
        .flat_map(|it| match happens {
            true if it < limit => element(dtype, it + 1),
            true => element(dtype, 0),
            false => element(dtype, 9),
        })
        .collect();
    let mut buffers = [source, vec![0xee; wanted.len()]];
    run(
        &mut SimEngine::new(kernel.target),
        &kernel,
        [1, 1, 1],
        &[address(0), address(1)],
        &mut buffers,
        seed,
    )
    .unwrap_or_else(|error| panic!("{target}, seed {seed}: {error:#?}\n{text}"));
    assert!(buffers[1] == wanted, "{target}, seed {seed}:\n{text}\ngot {:?}", buffers[1]);
}

#[test]
fn copies_in_flight_land_where_the_map_says() {
    for target in ["sm_80", "gfx942", "gfx950"] {
        (0..KERNELS).for_each(|seed| copied(target, seed));
    }
}

/// Runs all kernels of a target; most accesses cost exactly what was foretold.
fn hundreds(target: &str, lanes: u32, first: u64) {
    let n_exact: u32 = (first..first + KERNELS).map(|seed| check(target, lanes, seed)).sum();
    assert!(u64::from(n_exact) >= KERNELS * PAIRS, "{target}: {n_exact}");
}

#[test]
fn hundreds_of_views_between_warps_of_32_lanes() {
    hundreds("sm_90a", 32, 0);
}

#[test]
fn hundreds_of_views_between_warps_of_64_lanes() {
    hundreds("gfx942", 64, KERNELS);
    hundreds("gfx950", 64, 2 * KERNELS);
}
