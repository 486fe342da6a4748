//! The kernels of `examples/hopper` as small launches, with what they must leave in memory.
//!
//! A swizzle of 32 bytes in the place of 128 lets tiles be 16 wide, and a device of one multiprocessor lets a
//! block go through several tiles. So every ring goes round more than once in few operations.

use std::path::Path;

use tile_codegen::SimEngine;
use tile_language::engine::{Engine, Failure, Launch, Outcome, Word};
use tile_language::host::HostRun;
use tile_language::interp::Interp;
use tile_language::ir::Kernel;
use tile_language::query::Database;
use tile_language::target::TargetId;

/// A kernel with the file that it is in, what is smaller there, and a launch.
pub(crate) struct Source {
    file: &'static str,
    smaller: &'static [(&'static str, &'static str)],
    launch: &'static str,
}

const SWIZZLE: (&str, &str) = ("nvmma(swizzle: 128)", "nvmma(swizzle: 32)");

pub(crate) const GEMM: Source = Source {
    file: "matmul",
    smaller: &[SWIZZLE],
    launch: "let (a, b) = (numbers(bf16[256, 80], 1), numbers(bf16[16, 80], 2));
    gemm[BN: 16, BK: 16, STAGES: 2](a, b, zeros(bf16[256, 16]));",
};

pub(crate) const PING_PONG: Source = Source {
    file: "matmul",
    smaller: &[SWIZZLE],
    launch: "let (a, b) = (numbers(bf16[192, 48], 1), numbers(bf16[16, 48], 2));
    gemm_ping_pong[BN: 16, BK: 16, STAGES: 2](a, b, zeros(bf16[192, 16]));",
};

pub(crate) const FP8: Source = Source {
    file: "matmul_fp8",
    smaller: &[
        SWIZZLE,
        ("BLOCK = 128", "BLOCK = 32"),
        ("cdiv(k, 128)", "cdiv(k, 32)"),
        ("cdiv(n, 128)", "cdiv(n, 32)"),
    ],
    launch: "let (a, b) = (numbers(f8e4m3[256, 96], 1), numbers(f8e4m3[32, 96], 2));
    let (x, y) = (rand(f32[256, 3], seed: 3), rand(f32[1, 3], seed: 4));
    gemm_fp8[STAGES: 2](a, b, x, y, zeros(bf16[256, 32]));",
};

pub(crate) const GROUPED: Source = Source {
    file: "matmul_grouped",
    smaller: &[SWIZZLE],
    launch: "let (a, b) = (numbers(bf16[24, 80], 1), numbers(bf16[1, 16, 80], 2));
    let starts = tensor(i32, [0, 24]);
    gemm_grouped[BN: 16, BK: 16, STAGES: 2](a, b, zeros(bf16[24, 16]), starts, 24);",
};

pub(crate) const ATTENTION: Source = Source {
    file: "attention",
    smaller: &[SWIZZLE],
    launch: "let q = randn(bf16[128, 1, 16], seed: 1);
    let (k, v) = (randn(bf16[80, 1, 16], seed: 2), randn(bf16[80, 1, 16], seed: 3));
    let (o, lse) = (zeros(bf16[128, 1, 16]), zeros(f32[1, 128]));
    let (qs, ks) = (tensor(i32, [0, 128]), tensor(i32, [0, 80]));
    attention[D: 16, BN: 16, CAUSAL: false](q, k, v, o, lse, qs, ks, 128, 0.25);",
};

/// A launch that was seen.
pub(crate) struct Subject {
    pub(crate) kernel: Kernel,
    pub(crate) grid: [u32; 3],
    pub(crate) words: Vec<Word>,
    undefined: Vec<u32>,
    pub(crate) before: Vec<Vec<u8>>,
}

impl Subject {
    /// The launch of a source.
    pub(crate) fn of(source: &Source) -> Subject {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../examples/hopper")
            .join(source.file)
            .with_extension("tile");
        let mut text = std::fs::read_to_string(path).expect("examples are text");
        for (from, to) in source.smaller {
            assert!(text.contains(from), "`{}` has no `{from}`", source.file);
            text = text.replace(from, to);
        }
        let numbers = "let numbers = |t, s| randint(t, lo: -3, hi: 4, seed: s);";
        let launch = source.launch;
        text.push_str(&format!("\ntest \"subject\" {{\n    {numbers}\n    {launch}\n}}\n"));
        let target = TargetId::from_name("sm_90a").expect("a row of the table");
        let mut db = Database::default();
        let file = db.set_file("subject.tile", &text);
        let test = db.tests(file).last().expect("it was put there").key.clone();
        let mut recorder = Recorder { seen: None };
        let end = db.run_test(&test, target, &mut HostRun::new(&mut recorder, 0));
        let messages: Vec<&String> = end.diagnostics.iter().map(|it| &it.message).collect();
        assert!(messages.is_empty() && end.failure.is_none(), "{messages:?} {:?}", end.failure);
        recorder.seen.expect("the test launches a kernel")
    }

    /// What a kernel in the place of the subject's leaves in memory on an engine.
    pub(crate) fn run(
        &self,
        kernel: &Kernel,
        engine: &mut dyn Engine,
        seed: u64,
    ) -> Result<Vec<Vec<u8>>, Failure> {
        let Subject { grid, words, undefined, .. } = self;
        let mut buffers = self.before.clone();
        let launch = Launch { kernel, grid: *grid, words, undefined, buffers: &mut buffers, seed };
        engine.run(launch).map(|_| buffers)
    }

    /// What the kernel itself leaves in memory.
    pub(crate) fn meaning(&self, engine: &mut dyn Engine) -> Vec<Vec<u8>> {
        let ended = self.run(&self.kernel, engine, 0);
        ended.unwrap_or_else(|it| panic!("{} on {}: {it:#?}", self.kernel.name, engine.name()))
    }
}

/// Keeps the launch that it is given, and runs nothing.
struct Recorder {
    seen: Option<Subject>,
}

impl Engine for Recorder {
    fn name(&self) -> &'static str {
        "recorder"
    }

    fn device(&self) -> tile_plan::Device {
        tile_plan::Device { sms: 1, blocks_per_sm: 1 }
    }

    fn run(&mut self, launch: Launch<'_>) -> Result<Outcome, Failure> {
        self.seen = Some(Subject {
            kernel: launch.kernel.clone(),
            grid: launch.grid,
            words: launch.words.to_vec(),
            undefined: launch.undefined.to_vec(),
            before: launch.buffers.to_vec(),
        });
        Ok(Outcome::default())
    }
}

/// The two engines of every machine.
pub(crate) fn engines(target: TargetId) -> [Box<dyn Engine>; 2] {
    [Box::new(Interp::new(target)), Box::new(SimEngine::new(target))]
}
