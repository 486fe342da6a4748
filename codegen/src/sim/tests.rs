//! Small modules with known answers, for both vendors.

mod arith;
mod assembly;
mod basic;
mod copies;
mod flow;
mod foreign;
mod lanes;
mod matrix;
mod mbarriers;
mod memory;
mod mutants;
mod rows;
mod sync;

use super::{Kind, Lanes, Launch, Param, Program, Reconvergence, Report, SimError};

const NVPTX: &str = concat!(
    "target triple = \"nvptx64-nvidia-cuda\"\n",
    "target datalayout = \"e-p6:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:32:64\"\n",
);
const AMDGPU: &str = concat!(
    "target triple = \"amdgcn-amd-amdhsa\"\n",
    "target datalayout = \"e-m:e-p:64:64-p1:64:64-p2:32:32-p3:32:32-p4:64:64-p5:32:32-p6:32:32-p7:160:256:256:32-p8:128:128:128:48-p9:192:256:256:32-i64:64-v16:16-v24:32-v32:32-v48:64-v96:128-v192:256-v256:256-v512:512-v1024:1024-v2048:2048-n32:64-S32-A5-G1-ni:7:8:9\"\n",
);

/// A module of one vendor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum On {
    Nvidia,
    Amd,
}

impl On {
    const BOTH: [On; 2] = [On::Nvidia, On::Amd];

    fn lanes(self) -> Lanes {
        if self == On::Nvidia { Lanes::L32 } else { Lanes::L64 }
    }

    /// Fills in what differs: `KERNEL`, `TID`, `CTAID`, `BARRIER` and their declarations.
    fn module(self, body: &str) -> String {
        let (head, kernel, tid, ctaid, barrier) = match self {
            On::Nvidia => (
                NVPTX,
                "ptx_kernel",
                "call i32 @llvm.nvvm.read.ptx.sreg.tid.x()",
                "call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()",
                "call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)",
            ),
            On::Amd => (
                AMDGPU,
                "amdgpu_kernel",
                "call i32 @llvm.amdgcn.workitem.id.x()",
                "call i32 @llvm.amdgcn.workgroup.id.x()",
                "fence syncscope(\"workgroup\") release\ncall void @llvm.amdgcn.s.barrier()\nfence syncscope(\"workgroup\") acquire",
            ),
        };
        let body = body
            .replace("KERNEL", kernel)
            .replace("CTAID", ctaid)
            .replace("BARRIER", barrier)
            .replace("TID", tid);
        let declared = DECLARATIONS
            .lines()
            .filter(|line| line.split(['@', '(']).nth(1).is_some_and(|name| body.contains(name)));
        let declared: String = declared.flat_map(|line| [line, "\n"]).collect();
        format!("{head}{body}{declared}")
    }
}

/// A launch of the kernel `k` in a test.
struct Run {
    program: Program,
    grid: u32,
    threads: u32,
    seed: u64,
    reconvergence: Reconvergence,
}

/// Declarations that every module may use.
const DECLARATIONS: &str = "
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare i32 @llvm.amdgcn.workitem.id.x()
declare i32 @llvm.amdgcn.workgroup.id.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
declare void @llvm.amdgcn.s.barrier()
";

/// A kernel in which every thread `%tid` stores the word `%r` that `body` makes of it.
fn each_thread(body: &str) -> String {
    format!(
        "define KERNEL void @k(ptr addrspace(1) %out) {{
  %tid = TID
{body}
  %out.p = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  store i32 %r, ptr addrspace(1) %out.p, align 4
  ret void
}}
"
    )
}

#[track_caller]
fn program(on: On, body: &str) -> Run {
    let program = Program::from_text(&on.module(body), "k", on.lanes());
    let program = program.unwrap_or_else(|error| panic!("{error}"));
    Run { program, grid: 1, threads: 64, seed: 1, reconvergence: Reconvergence::Early }
}

impl Run {
    fn grid(mut self, grid: u32) -> Self {
        self.grid = grid;
        self
    }

    fn threads(mut self, threads: u32) -> Self {
        self.threads = threads;
        self
    }

    fn try_on(&self, params: &[Param], buffers: &mut [Vec<u8>]) -> Result<Report, SimError> {
        let mut launch = Launch::new([self.grid, 1, 1], [self.threads, 1, 1], params, buffers);
        launch.seed = self.seed;
        launch.reconvergence = self.reconvergence;
        self.program.run(launch)
    }

    #[track_caller]
    fn on(&self, params: &[Param], buffers: &mut [Vec<u8>]) -> Report {
        self.try_on(params, buffers).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What stops it, with one output buffer of 64 words.
    #[track_caller]
    fn finding(&self) -> SimError {
        let mut buffers = [vec![0; 256]];
        match self.try_on(&[buffer(0)], &mut buffers) {
            Ok(_) => panic!("nothing was found"),
            Err(error) => error,
        }
    }

    /// Runs with one output buffer of a word for each of `n` threads.
    #[track_caller]
    fn words(&self, n: u32) -> Vec<u32> {
        let mut buffers = [vec![0; 4 * n as usize]];
        self.on(&[buffer(0)], &mut buffers);
        words_of(&buffers[0])
    }
}

fn buffer(index: usize) -> Param {
    Param::Buffer { index, offset: 0 }
}

fn bytes_of(words: impl IntoIterator<Item = u32>) -> Vec<u8> {
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

fn words_of(bytes: &[u8]) -> Vec<u32> {
    let (words, _) = bytes.as_chunks();
    words.iter().map(|&word| u32::from_le_bytes(word)).collect()
}
