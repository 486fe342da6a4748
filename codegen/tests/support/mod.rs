//! Runs kernels given as IR text on the interpreter and on the simulator.

#![allow(dead_code, reason = "each suite uses its part")]

pub(crate) mod factors;
pub(crate) mod layouts;

use std::fmt::Write as _;

use tile_codegen::SimEngine;
use tile_codegen::sim::{SiteCost, Way};
use tile_language::analysis::shared_access;
use tile_language::engine::{Engine, Failure, Launch, Outcome, Word};
use tile_language::interp::Interp;
use tile_language::ir::parse::parse;
use tile_language::ir::{Kernel, verify::verify};
use tile_language::op::{Op, SharedOp};
use tile_language::target::TargetId;
use tile_layout::banks::Direction;
use tile_layout::{In, MemoryMap};

/// One target of each vendor, with warps of 32 and of 64 lanes.
pub(crate) const BOTH: [&str; 2] = ["sm_90a", "gfx942"];

/// The kernel of a text, for a target.
#[track_caller]
pub(crate) fn kernel(text: &str, target: &str) -> Kernel {
    let mut kernel = parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    kernel.target = TargetId::from_name(target).expect("the target exists");
    std::sync::Arc::make_mut(&mut kernel.plan).threads = kernel.warps * kernel.target.row().lanes;
    let found: Vec<String> = verify(&kernel).iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{found:#?}\n{text}");
    kernel
}

/// Runs a kernel on an engine.
pub(crate) fn run(
    engine: &mut dyn Engine,
    kernel: &Kernel,
    grid: [u32; 3],
    words: &[Word],
    buffers: &mut [Vec<u8>],
    seed: u64,
) -> Result<Outcome, Failure> {
    engine.run(Launch { kernel, grid, words, buffers, undefined: &[], seed })
}

/// The buffers after a run on the interpreter, and after one on the simulator.
#[track_caller]
pub(crate) fn both(
    kernel: &Kernel,
    grid: [u32; 3],
    words: &[Word],
    buffers: &[Vec<u8>],
) -> [Vec<Vec<u8>>; 2] {
    let mut interp = buffers.to_vec();
    let mut sim = buffers.to_vec();
    let name = &kernel.name;
    run(&mut Interp::new(kernel.target), kernel, grid, words, &mut interp, 0)
        .unwrap_or_else(|it| panic!("{name} on interp: {it:#?}"));
    run(&mut SimEngine::new(kernel.target), kernel, grid, words, &mut sim, 1)
        .unwrap_or_else(|it| panic!("{name} on sim: {it:#?}"));
    [interp, sim]
}

/// The address of a buffer.
pub(crate) fn address(buffer: u32) -> Word {
    Word::Address(Some(buffer))
}

/// Numbers as they lie in memory.
pub(crate) fn bytes<T: Copy, const N: usize>(
    values: impl IntoIterator<Item = T>,
    f: impl Fn(T) -> [u8; N],
) -> Vec<u8> {
    values.into_iter().flat_map(f).collect()
}

/// A register layout of 512 elements for a target: four neighbours a thread, four warps.
pub(crate) fn row_512(target: &str) -> &'static str {
    match target {
        "gfx942" | "gfx950" => {
            "[512] register [1] [2] lane [4] [8] [16] [32] [64] [128] warp [256] [0]"
        }
        _ => "[512] register [1] [2] lane [4] [8] [16] [32] [64] warp [128] [256]",
    }
}

/// Numbers that look random and are always the same.
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// The next number (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ it >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ it >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ it >> 31
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// A map in the IR's text.
pub(crate) fn map_text(map: &MemoryMap) -> String {
    let dims: Vec<String> = map
        .dims()
        .iter()
        .map(|it| format!("{} {:?} {}", it.extent, it.columns.as_slice(), it.stride))
        .collect();
    let mut text = dims.join(", ");
    if map.mixed() != 0 {
        let _ = write!(text, " mixed {}", map.mixed());
    }
    if !map.padding().is_empty() {
        text += " padding";
    }
    map.padding().iter().for_each(|(a, b)| {
        let _ = write!(text, " [{a}, {b}]");
    });
    text
}

/// The wavefronts that the simulator counted at every access to a view are those foretold: as many
/// times the ideal as the access has conflicts and one. Where lanes are idle or differ in what they
/// cost, the foretold is the worst. Returns how many accesses were compared exactly.
#[track_caller]
pub(crate) fn check_conflicts(kernel: &Kernel, costs: &[SiteCost]) -> u32 {
    let target = kernel.target.row();
    let mut n_exact = 0;
    kernel.body.walk(&mut |inst| {
        let (tile, direction, way) = match inst.op {
            Op::Shared(SharedOp::Load) => (inst.results[0], Direction::Read, Way::Load),
            Op::Shared(SharedOp::Store) => (inst.operands[1], Direction::Write, Way::Store),
            _ => return,
        };
        let line = Some(inst.site.0 + 1);
        let Some(cost) = costs.iter().find(|it| it.line == line && it.way == way) else { return };
        let (view, layout) = (kernel.ty(inst.operands[0]), kernel.ty(tile).layout.clone());
        let layout = layout.expect("views of these tests have dimensions");
        let bits = view.elem.bits();
        let access = shared_access(target, &layout, view.map(), bits, direction);
        let foretold = u64::from(access.conflicts(bits, &target.banks, direction)) + 1;
        let is_even = view.map().padding().is_empty() && access.steps.is_empty();
        let idles = layout.free_mask(In::Lane) != 0 || layout.lanes() < target.lanes;
        let text = format!("{}: {direction:?} {layout:?} {:?}", target.name, view.map());
        assert!(cost.shared.units <= cost.shared.ideal * foretold, "{text}: {cost:?} {foretold}");
        if foretold == 1 || is_even && (direction == Direction::Read || !idles) {
            assert_eq!(cost.shared.units, cost.shared.ideal * foretold, "{text}: {cost:?}");
            n_exact += 1;
        }
    });
    n_exact
}
