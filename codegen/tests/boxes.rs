//! Boxes that the copy engine moves, of random tensors, corners and memory: what arrives is what a copy element by
//! element would bring, on both engines, whoever copies. And modules in which an order is missing are found out.

mod support;

use std::fmt::Write as _;
use std::sync::Arc;

use inkwell::context::Context;
use inkwell::memory_buffer::MemoryBuffer;
use support::{Random, both};
use tile_codegen::sim::{Kind, Lanes, Launch, Param, Program, SimError};
use tile_codegen::{BuildOptions, CodeObject, build};
use tile_language::diagnostic::Severity;
use tile_language::engine::Word;
use tile_language::ir::Kernel;
use tile_language::op::{CopyOp, Op};
use tile_language::query::Database;
use tile_language::target::TargetId;
use tile_plan::{Argument, Device, Scalar, TensorArgument};

const CASES: u64 = 40;

/// Element types by their bytes.
const TYPES: [(&str, usize); 4] = [("u8", 1), ("bf16", 2), ("f32", 4), ("f64", 8)];

/// One copy of a box from `x` to `y`, over shared memory.
#[derive(Debug)]
struct Case {
    dtype: (&'static str, usize),
    swizzle: u32,
    /// Extents of the box.
    extents: Vec<usize>,
    /// Whether a dimension of `x` is a single index, which the memory lacks.
    single: Vec<bool>,
    sizes: [Vec<usize>; 2],
    corners: [Vec<i64>; 2],
    by_warps: [bool; 2],
    warps: u32,
}

impl Case {
    fn of(random: &mut Random) -> Case {
        let dtype = TYPES[random.below(4) as usize];
        let (rank, bytes) = (1 + random.below(5) as usize, dtype.1);
        let swizzle = if rank == 1 { 0 } else { [0, 32, 64, 128][random.below(4) as usize] };
        let row = match swizzle {
            0 => (64 / bytes) << random.below(3),
            _ => swizzle as usize / bytes * (1 + random.below(2) as usize),
        };
        let mut single = vec![false; rank];
        let mut extents = vec![row; rank];
        for axis in 0..rank - 1 {
            single[axis] = random.below(4) == 0;
            extents[axis] = if single[axis] { 1 } else { 2 << random.below(2) };
        }
        // A pattern has eight rows.
        if swizzle != 0 {
            (single[rank - 2], extents[rank - 2]) = (false, 8);
        }
        let mut size = |axis: usize| {
            let it = 1 + random.below(2 * extents[axis] as u64 + 3) as usize;
            // Rows of 16 bytes, so that the engine can move them.
            if axis == rank - 1 { it.next_multiple_of(16 / bytes) } else { it }
        };
        let sizes = [(); 2].map(|()| (0..rank).map(&mut size).collect::<Vec<usize>>());
        let [from, to] = &sizes;
        let from = (0..rank).map(|axis| {
            random.below(2 * (from[axis] + extents[axis]) as u64) as i64 - extents[axis] as i64 - 1
        });
        let from: Vec<i64> = from.collect();
        let to = (0..rank).map(|axis| random.below(to[axis] as u64 + 2) as i64).collect();
        let by_warps = [random.below(4) == 0, random.below(4) == 0];
        let warps = 1 << random.below(3);
        Case { dtype, swizzle, extents, single, sizes, corners: [from, to], by_warps, warps }
    }

    /// The kernel's text.
    fn text(&self) -> String {
        let Case { dtype: (dtype, _), swizzle, extents, single, by_warps, warps, .. } = self;
        let rank = extents.len();
        let words = |side: usize| {
            let it = (0..rank)
                .map(|axis| if single[axis] { "_".to_owned() } else { extents[axis].to_string() });
            let by = if by_warps[side] { ", by: warps" } else { "" };
            let layout = match single.iter().filter(|it| !**it).count() {
                1 => "plain()".to_owned(),
                _ => format!("nvmma(swizzle: {swizzle})"),
            };
            format!("[{}], {layout}{by}", it.collect::<Vec<_>>().join(", "))
        };
        let corner = |name: &str| (0..rank).map(|axis| format!("{name}{axis}")).collect::<Vec<_>>();
        let (p, q) = (corner("p"), corner("q"));
        let ints: Vec<String> = p.iter().chain(&q).map(|it| format!("{it}: i32")).collect();
        format!(
            "kernel moved(x: global {dtype}{:?}, y: global mut {dtype}{:?}, {}) grid [1] {{\n\
             let xt = x.tiles({});\nlet yt = y.tiles({});\nlet ring = Ring[2](x: xt.tile);\nroles {{\n\
             load: warps 1 {{ copy(xt.corner({}), into: ring.fill().x); }}\n\
             out: warps {warps} {{ copy(ring.drain().x, into: yt.corner({})); }}\n}}\n}}\n",
            self.sizes[0],
            self.sizes[1],
            ints.join(", "),
            words(0),
            words(1),
            p.join(", "),
            q.join(", "),
        )
    }

    /// What `y` must hold, by the definition.
    fn expected(&self, x: &[u8], y: &[u8]) -> Vec<u8> {
        let bytes = self.dtype.1;
        let mut res = y.to_vec();
        for position in 0..self.extents.iter().product::<usize>() {
            let at = |side: usize| {
                let (mut rest, mut place, mut step) = (position, 0, 1);
                for axis in (0..self.extents.len()).rev() {
                    let index = self.corners[side][axis] + (rest % self.extents[axis]) as i64;
                    rest /= self.extents[axis];
                    let index = usize::try_from(index).ok();
                    place += index.filter(|it| *it < self.sizes[side][axis])? * step;
                    step *= self.sizes[side][axis];
                }
                Some(place * bytes)
            };
            if let Some(to) = at(1) {
                let element = at(0).map_or(vec![0; bytes], |from| x[from..from + bytes].to_vec());
                res[to..to + bytes].copy_from_slice(&element);
            }
        }
        res
    }

    fn arguments(&self) -> Vec<Argument> {
        let tensor = |sizes: &Vec<usize>| {
            let shape: Vec<u64> = sizes.iter().map(|&it| it as u64).collect();
            Argument::Tensor(TensorArgument::contiguous(self.dtype.0, shape, 0))
        };
        let ints = self.corners.iter().flatten().map(|&it| Argument::Scalar(Scalar::Int(it)));
        self.sizes.iter().map(tensor).chain(ints).collect()
    }

    fn buffers(&self, random: &mut Random) -> Vec<Vec<u8>> {
        let bytes = |sizes: &Vec<usize>| sizes.iter().product::<usize>() * self.dtype.1;
        self.sizes.iter().map(|it| (0..bytes(it)).map(|_| random.next() as u8).collect()).collect()
    }
}

/// The one kernel of a program.
fn compiled(text: &str) -> Arc<Kernel> {
    let target = TargetId::from_name("sm_90a").expect("the target exists");
    let mut db = Database::default();
    let file = db.set_file("moved.tile", text);
    let mut found = db.check(file, &[target]);
    // Copies by warps may be narrow.
    found.retain(|it| it.severity == Severity::Error);
    let found: Vec<String> = found.into_iter().map(|it| it.message).collect();
    assert!(found.is_empty(), "{found:#?}\n{text}");
    db.kernels(file, target).pop().expect("the program has a kernel").1
}

/// The machine words of a launch whose tensors are the buffers in order.
fn words(kernel: &Kernel, arguments: &[Argument]) -> Vec<Word> {
    let bound = kernel.plan.bind(arguments, &Device { sms: 1, blocks_per_sm: 1 });
    let bound = bound.expect("the arguments fit");
    let word = |it: &tile_plan::Word| match *it {
        tile_plan::Word::Tensor(param) => Word::Address(Some(param)),
        tile_plan::Word::Null => Word::Address(None),
        tile_plan::Word::Bits(bits) => Word::Bits(bits),
        tile_plan::Word::Map(number) => {
            let map = bound.maps[number as usize].clone().expect("the tensor is present");
            Word::Map { buffer: map.map.param, map: Box::new(map) }
        }
    };
    bound.words.iter().map(word).collect()
}

/// Boxes that a kernel brings, and that it takes out.
fn n_boxes(kernel: &Kernel) -> [usize; 2] {
    let mut n = [0; 2];
    kernel.body.walk(&mut |inst| match inst.op {
        Op::Copy(CopyOp::Box { .. }) => n[0] += 1,
        Op::Copy(CopyOp::BoxOut { .. }) => n[1] += 1,
        _ => {}
    });
    n
}

#[test]
fn boxes_arrive_wherever_they_begin_and_whoever_copies() {
    let mut random = Random(7);
    let mut by_engine = [0; 2];
    for number in 0..CASES {
        let case = Case::of(&mut random);
        let kernel = compiled(&case.text());
        for (side, n) in n_boxes(&kernel).into_iter().enumerate() {
            assert!(n == 0 || !case.by_warps[side], "{case:?}");
            by_engine[side] += usize::from(n != 0);
        }
        let buffers = case.buffers(&mut random);
        let expected = case.expected(&buffers[0], &buffers[1]);
        let got = both(&kernel, [1; 3], &words(&kernel, &case.arguments()), &buffers);
        for (engine, got) in ["interp", "sim"].iter().zip(got) {
            assert_eq!(got[1], expected, "case {number} on {engine}: {case:#?}\n{}", case.text());
        }
    }
    // The others have stages or rows that the engine cannot lay out.
    assert!(by_engine.iter().all(|&it| CASES as usize / 2 < it), "{by_engine:?} of {CASES}");
}

/// A role that doubles rows in place between two boxes.
const DOUBLED: &str = "
kernel doubled(x: global f32[n, 32], y: global mut f32[n, 32]) grid [1] {
    const L = blocked(regs: [1, 4], lanes: [4, 8], warps: [4, 1]);
    const S = nvmma(swizzle: 128);
    let xt = x.tiles([16, 32], S);
    let yt = y.tiles([16, 32], S);
    let ring = Ring[2](x: xt.tile);
    let steps = 0..xt.count(0);
    roles {
        load: warps 1 {
            for t, slot in ring.fill(steps) { copy(xt[t, 0], into: slot.x); }
        }
        math: warps 4 {
            let s: shared xt.tile;
            for t, slot in ring.drain(steps) {
                s.store(2.0 * slot.x.load(L));
                copy(s, into: yt[t, 0]);
            }
        }
    }
}
";

/// Rows of the tensors.
const ROWS: usize = 72;

/// Runs a module of [`DOUBLED`]; whether the result is right.
fn run(module: &str, kernel: &Kernel, seed: u64) -> Result<bool, SimError> {
    let context = Context::create();
    let text = MemoryBuffer::create_from_memory_range_copy(module.as_bytes(), "doubled");
    let module = context.create_module_from_ir(text).expect("every mutant is a module");
    let program = Program::for_device(&module, &kernel.name, Lanes::L32, Some("sm_90a"), &[])?;
    let shape = [ROWS as u64, 32];
    let tensor = || Argument::Tensor(TensorArgument::contiguous("f32", shape, 0));
    let param = |it: &Word| match it {
        Word::Address(Some(buffer)) => Param::Buffer { index: *buffer as usize, offset: 0 },
        Word::Address(None) => Param::Null,
        Word::Bits(bits) => Param::Bits(*bits),
        Word::Map { buffer, map } => Param::Map { index: *buffer as usize, map: map.clone() },
    };
    let params: Vec<Param> = words(kernel, &[tensor(), tensor()]).iter().map(param).collect();
    let numbers = |scale: f32| (0..ROWS * 32).flat_map(move |it| (scale * it as f32).to_le_bytes());
    let mut buffers = vec![numbers(1.0).collect(), vec![0; ROWS * 32 * 4]];
    let threads = kernel.plan.threads;
    let launch = Launch { seed, ..Launch::new([1; 3], [threads, 1, 1], &params, &mut buffers) };
    program.run(launch)?;
    Ok(buffers[1] == numbers(2.0).collect::<Vec<u8>>())
}

/// The module with every line that has one of these texts left out.
fn without(module: &str, texts: &[&str]) -> String {
    let mut res = String::new();
    for line in module.lines().filter(|line| texts.iter().all(|it| !line.contains(it))) {
        let _ = writeln!(res, "{line}");
    }
    assert_ne!(res.lines().count(), module.lines().count(), "{texts:?} is in the module");
    res
}

#[test]
fn an_order_that_is_missing_around_boxes_is_found() {
    let kernel = compiled(DOUBLED);
    let options = BuildOptions { code_object: CodeObject::Never, keeps_module: true };
    let module = build(&kernel, &options).expect("it can be built").llvm_ir.expect("it is kept");
    assert_eq!(run(&module, &kernel, 0).map_err(|it| it.kind), Ok(true));
    let with = |from: &str, to: &str| {
        assert!(module.contains(from), "`{from}` is in the module\n{module}");
        module.replace(from, to)
    };
    let found = |module: &str| run(module, &kernel, 0).map_err(|it| it.kind);
    let fence = without(&module, &["fence.proxy.async"]);
    assert_eq!(found(&fence), Err(Kind::Race), "writes that no fence shows the engine");
    let waits = without(&module, &["cp.async.bulk.wait_group"]);
    assert_eq!(found(&waits), Err(Kind::Race), "memory that the engine reads is written again");
    let groups = without(&module, &["cp.async.bulk.commit_group"]);
    assert_eq!(found(&groups), Err(Kind::Race), "boxes in no group are not waited for");
    let bytes = with(
        "arrive.expect_tx.shared::cta.b64 _, [$0], 2048",
        "arrive.expect_tx.shared::cta.b64 _, [$0], 2032",
    );
    assert_eq!(found(&bytes), Err(Kind::Deadlock), "more bytes come than are expected");
    let early = with(
        "mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], 2048",
        "mbarrier.arrive.shared::cta.b64 _, [$0]",
    );
    assert!(!matches!(found(&early), Ok(true)), "nobody waits for the bytes");
    let published = without(&module, &["call void @llvm.nvvm.fence.mbarrier_init"]);
    assert_eq!(found(&published), Err(Kind::Undefined), "the engine knows no such mbarrier");
}
