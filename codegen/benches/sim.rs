//! How fast `sim` runs kernels, with every check on: bounds, alignment, what was written, races, banks.
//!
//! A kernel is compiled and translated once; what is measured is a launch of it on one core, from fresh
//! buffers to its end. On Linux that is the time on the core, so that it counts less what else the machine
//! does. `cargo bench -p tile-codegen --bench sim`.
#![expect(missing_docs, reason = "criterion's macros make items without docs")]

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use tile_codegen::SimEngine;
use tile_language::engine::{Engine, Launch, Word};
use tile_language::ir::Kernel;
use tile_language::query::Database;
use tile_language::target::TargetId;
use tile_plan::{Argument, TensorArgument};

/// Rows and columns of the matrices that are multiplied.
const SIDE: u64 = 512;
/// Rows and columns of the matrix of softmax.
const ROWS: u64 = 1024;

/// A kernel with its arguments.
struct Subject {
    kernel: Arc<Kernel>,
    grid: [u32; 3],
    words: Vec<Word>,
    buffers: Vec<Vec<u8>>,
}

impl Subject {
    /// The one kernel of a file of `benches/`, with tensors of that type and shape.
    fn new(file: &str, target: &str, dtype: &'static str, tensors: [[u64; 2]; 3]) -> Subject {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches").join(file);
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        let mut db = Database::default();
        let file = db.set_file(file, &text);
        let target = TargetId::from_name(target).expect("the target exists");
        let (_, kernel) = db.kernels(file, target).pop().expect("the kernel has no mistake");
        let engine = SimEngine::new(target);
        let n_tensors = kernel.plan.params.len();
        let arguments: Vec<Argument> = tensors[..n_tensors]
            .iter()
            .map(|shape| Argument::Tensor(TensorArgument::contiguous(dtype, *shape, 0)))
            .collect();
        let bound = kernel.plan.bind(&arguments, &engine.device()).expect("the arguments fit");
        let words = bound.words.iter().map(|word| match *word {
            tile_plan::Word::Tensor(param) => Word::Address(Some(param)),
            tile_plan::Word::Null => Word::Address(None),
            tile_plan::Word::Bits(bits) => Word::Bits(bits),
            tile_plan::Word::Map(_) => unreachable!("the kernels that are timed copy no boxes"),
        });
        let element = |i: u64| match dtype {
            "bf16" => vec![0, 0x3c + (i % 7) as u8],
            _ => ((i % 101) as f32).to_le_bytes().to_vec(),
        };
        let buffer = |[m, n]: &[u64; 2]| (0..m * n).flat_map(element).collect();
        let buffers = tensors[..n_tensors].iter().map(buffer).collect();
        Subject { words: words.collect(), grid: bound.grid, buffers, kernel }
    }

    fn matmul(target: &str) -> Subject {
        Subject::new("matmul_128.tile", target, "bf16", [[SIDE; 2]; 3])
    }

    fn softmax(target: &str) -> Subject {
        Subject::new("softmax_1024.tile", target, "f32", [[ROWS; 2]; 3])
    }

    fn run(&self, engine: &mut SimEngine, buffers: &mut [Vec<u8>]) {
        let launch = Launch {
            kernel: &self.kernel,
            grid: self.grid,
            words: &self.words,
            buffers,
            undefined: &[],
            seed: 0,
        };
        engine.run(launch).unwrap_or_else(|it| panic!("{it:#?}"));
    }
}

/// The time that this thread has been on a core, or any clock where nobody tells.
fn now() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_core = told.and_then(|it| it.split(' ').next()?.parse().ok());
    on_core.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

fn sim(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sim");
    group.sample_size(20).warm_up_time(Duration::from_secs(1));
    let shape = format!("{SIDE} cubed");
    let subjects = [
        (format!("matmul {shape}, sm_80"), Subject::matmul("sm_80")),
        (format!("matmul {shape}, gfx942"), Subject::matmul("gfx942")),
        (format!("softmax {ROWS} x {ROWS}, sm_80"), Subject::softmax("sm_80")),
        (format!("softmax {ROWS} x {ROWS}, gfx942"), Subject::softmax("gfx942")),
    ];
    for (name, subject) in subjects {
        let mut engine = SimEngine::new(subject.kernel.target);
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|n| {
                let launches = (0..n).map(|_| {
                    let mut buffers = subject.buffers.clone();
                    let start = now();
                    subject.run(&mut engine, &mut buffers);
                    now() - start
                });
                launches.sum()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, sim);
criterion_main!(benches);
