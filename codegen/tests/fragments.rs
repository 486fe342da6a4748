//! Operands of matrix instructions to and from swizzled buffers: value-exact on the simulator, moved
//! by `ldmatrix`, `stmatrix`, `ds_read_tr` and 16-byte reads where the map allows it, and free of
//! bank conflicts.

mod support;

use support::layouts::{element, narrowed, number, text_of};
use support::{address, check_conflicts, kernel, map_text, run};
use tile_codegen::{Artifacts, BuildOptions, SimEngine, build};
use tile_language::analysis::shared_access;
use tile_language::dtype::DType;
use tile_language::target::TargetId;
use tile_layout::banks::Direction;
use tile_layout::{Layout, Machine, MemoryMap, SharedAccess, SharedMeans, Side, Spec};

/// A tile of one shape in registers and in a buffer.
struct Case {
    target: &'static str,
    shape: [u32; 2],
    dtype: DType,
    registers: Spec,
    buffer: Spec,
}

impl Case {
    fn map(&self) -> MemoryMap {
        let layout = self.buffer.apply_in_memory(&self.shape, self.dtype.bits());
        MemoryMap::of(&layout.expect("the buffer's layout fits"))
    }

    fn layout(&self) -> Layout {
        let lanes = TargetId::from_name(self.target).expect("the target exists").row().lanes;
        self.registers.apply(&self.shape, Machine { lanes, warps: 4 }).expect("the layout fits")
    }

    fn access(&self, direction: Direction) -> SharedAccess {
        let target = TargetId::from_name(self.target).expect("the target exists").row();
        shared_access(target, &self.layout(), &self.map(), self.dtype.bits(), direction)
    }

    /// A kernel that stores numbers in one layout and reads them in the other: in fragments if
    /// `reads`, else row-major.
    fn text(&self, reads: bool) -> String {
        let Case { target, shape, dtype, .. } = self;
        let [m, n] = *shape;
        let lanes = if target.starts_with("gfx") { 64 } else { 32 };
        let rows = Spec::Blocked {
            regs: vec![1, 4],
            lanes: vec![lanes / 8, 8],
            warps: vec![4, 1],
            order: None,
        };
        let rows = rows.apply(shape, Machine { lanes, warps: 4 }).expect("the layout fits");
        let (a, b) = if reads { (rows, self.layout()) } else { (self.layout(), rows) };
        let mut body = String::new();
        let from = number(&mut body, "A", 0, shape);
        let to = number(&mut body, "B", 0, shape);
        body += &narrowed(0, shape, *dtype, &from);
        format!(
            "kernel \"fragments\" for {target} warps 4 {{
    plan fragments threads {threads}
    param y: tensor {dtype} [{len}] align 16 mut
    grid [1]
    layout #A0 = {a}
    layout #B0 = {b}
    memory #m = {map}
    tensor y: {dtype} at %y dims [{len}] strides [1] align 16 mut
    body (%y: *{dtype} = address y) {{
        %w: shared {dtype} @ #m = shared.alloc<128>
        {body}
        shared.store %w, %v0
        sync.barrier
        %c: {dtype}{shape:?} @ #B0 = shared.load %w
        %q: *{dtype}{shape:?} @ #B0 = memory.at<0> {to}
        memory.store<all, normal> %q, %c
    }}
}}
",
            threads = 4 * lanes,
            len = m * n,
            a = text_of(&a),
            b = text_of(&b),
            map = map_text(&self.map()),
        )
    }

    fn conflicts(&self, direction: Direction) -> u32 {
        let target = TargetId::from_name(self.target).expect("the target exists").row();
        self.access(direction).conflicts(self.dtype.bits(), &target.banks, direction)
    }

    #[track_caller]
    fn check(&self, reads: bool) -> Artifacts {
        let text = self.text(reads);
        let kernel = kernel(&text, self.target);
        let wanted: Vec<u8> =
            (0..self.shape[0] * self.shape[1]).flat_map(|it| element(self.dtype, it)).collect();
        let mut buffers = [vec![0xee; wanted.len()]];
        let mut engine = SimEngine::new(kernel.target);
        run(&mut engine, &kernel, [1, 1, 1], &[address(0)], &mut buffers, 1)
            .unwrap_or_else(|error| panic!("{}: {error:#?}\n{text}", self.target));
        assert!(buffers[0] == wanted, "{}:\n{text}\ngot {:?}", self.target, buffers[0]);
        assert!(check_conflicts(&kernel, engine.costs()) >= 1, "{text}");
        build(&kernel, &BuildOptions::default()).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }
}

/// How many instructions of the assembly begin with that.
fn count(made: &Artifacts, prefix: &str) -> u32 {
    made.resources.instructions.iter().filter(|it| it.0.starts_with(prefix)).map(|it| it.1).sum()
}

fn mma(side: Option<Side>, k_width: u32) -> Spec {
    operand(Spec::Mma { warps: vec![2, 2] }, side, k_width)
}

fn mfma(m: u32, k: u32, side: Option<Side>, k_width: u32) -> Spec {
    let acc = Spec::Mfma { m, n: m, k, warps: vec![2, 2], transposed: false, wide: false };
    operand(acc, side, k_width)
}

fn operand(acc: Spec, side: Option<Side>, k_width: u32) -> Spec {
    match side {
        Some(side) => Spec::Operand { of: Box::new(acc), side, k_width },
        None => acc,
    }
}

fn swizzled(vec: u32, max_phase: u32, order: [u32; 2]) -> Spec {
    Spec::Swizzled { vec, per_phase: 1, max_phase, order: Some(order.to_vec()) }
}

const ROWS: [u32; 2] = [1, 0];
const COLUMNS: [u32; 2] = [0, 1];

#[test]
fn operands_of_mma_are_loaded_by_ldmatrix_without_conflicts() {
    let quads = |transposed| SharedMeans::Matrix { count: 4, transposed };
    let cases = [
        (DType::I16, mma(Some(Side::A), 2), swizzled(8, 8, ROWS), quads(false)),
        (DType::I16, mma(Some(Side::A), 2), swizzled(8, 8, COLUMNS), quads(true)),
        (DType::I16, mma(Some(Side::B), 2), swizzled(8, 8, ROWS), quads(true)),
        (DType::I16, mma(Some(Side::B), 2), swizzled(8, 8, COLUMNS), quads(false)),
        (
            DType::I8,
            mma(Some(Side::A), 4),
            Spec::Swizzled { vec: 16, per_phase: 2, max_phase: 4, order: None },
            quads(false),
        ),
        (DType::I32, mma(Some(Side::A), 1), swizzled(4, 8, ROWS), quads(false)),
        (
            DType::I16,
            mma(Some(Side::A), 2),
            Spec::Nvmma { swizzle: 128, transposed: false },
            quads(false),
        ),
        (
            DType::I16,
            mma(Some(Side::A), 2),
            Spec::Padded { pads: vec![(64, 8)], order: None },
            quads(false),
        ),
    ];
    for (dtype, registers, buffer, means) in cases {
        for target in ["sm_80", "sm_90a"] {
            let shape = [64, 64];
            let (registers, buffer) = (registers.clone(), buffer.clone());
            let case = Case { target, shape, dtype, registers, buffer };
            let access = case.access(Direction::Read);
            assert_eq!(access.means, means, "{dtype} {:?}", case.buffer);
            assert_eq!(case.conflicts(Direction::Read), 0, "{:?}", case.buffer);
            let made = case.check(true);
            assert_eq!(count(&made, "ldmatrix"), access.groups.len() as u32, "{:?}", case.buffer);
        }
    }
}

#[test]
fn accumulators_are_stored_by_stmatrix_where_there_is_one() {
    for (target, means) in [
        ("sm_80", SharedMeans::Vector),
        ("sm_90a", SharedMeans::Matrix { count: 4, transposed: false }),
    ] {
        let (shape, dtype) = ([64, 64], DType::I16);
        let case =
            Case { target, shape, dtype, registers: mma(None, 2), buffer: swizzled(8, 8, ROWS) };
        let access = case.access(Direction::Write);
        assert_eq!(access.means, means);
        assert_eq!(case.conflicts(Direction::Write), 0);
        let made = case.check(false);
        let n = if means == SharedMeans::Vector { 0 } else { access.groups.len() };
        assert_eq!(count(&made, "stmatrix"), n as u32);
    }
    let buffer = swizzled(8, 8, COLUMNS);
    let case = Case {
        target: "sm_90a",
        shape: [64, 64],
        dtype: DType::I16,
        registers: mma(None, 2),
        buffer,
    };
    let access = case.access(Direction::Write);
    assert_eq!(access.means, SharedMeans::Matrix { count: 4, transposed: true });
    assert!(count(&case.check(false), "stmatrix") > 0);
}

#[test]
fn operands_of_mfma_are_read_16_bytes_at_once() {
    for target in ["gfx942", "gfx950"] {
        let case = Case {
            target,
            shape: [64, 64],
            dtype: DType::I16,
            registers: mfma(32, 16, Some(Side::A), 8),
            buffer: swizzled(8, 8, ROWS),
        };
        let access = case.access(Direction::Read);
        assert_eq!((access.means, access.bytes), (SharedMeans::Vector, 16));
        let made = case.check(true);
        assert_eq!(count(&made, "ds_read_b128"), access.groups.len() as u32);
    }
}

#[test]
fn operands_whose_depth_is_no_row_are_transposed_by_the_read() {
    for (dtype, k_width) in [(DType::I16, 4), (DType::I8, 8)] {
        let case = Case {
            target: "gfx950",
            shape: [64, 64],
            dtype,
            registers: mfma(32, 16, Some(Side::A), k_width),
            buffer: swizzled(8, 8, COLUMNS),
        };
        let access = case.access(Direction::Read);
        assert_eq!(access.means, SharedMeans::TransposeRead);
        let made = case.check(true);
        assert_eq!(count(&made, "ds_read_b64_tr"), access.groups.len() as u32);
    }
}
