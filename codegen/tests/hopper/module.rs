//! The lowered module of a kernel without one of its fences, barriers or waits, for each of them.

use inkwell::context::Context;
use inkwell::memory_buffer::MemoryBuffer;
use tile_codegen::sim::{Lanes, Launch, Param, Program, Reconvergence, SimError};
use tile_codegen::{Backend, LowerOptions};
use tile_language::engine::Word;
use tile_language::ir::Kernel;

use crate::hopper::subject::Subject;

/// What orders others in the text of a module, with the word for it.
const ORDERS: &[(&str, &str)] = &[
    ("fence.proxy.async", "fence of the copy engine"),
    ("fence.mbarrier_init", "fence of new mbarriers"),
    ("barrier.cta.sync", "barrier"),
    ("bar.warp.sync", "barrier of a warp"),
    ("wgmma.fence", "fence of products"),
    ("wgmma.wait", "wait for products"),
    ("cp.async.bulk.wait", "wait for boxes"),
];

/// A kernel's module as text, to be run with lines left out.
pub(crate) struct Text {
    name: String,
    lines: Vec<String>,
    dynamic_shared_bytes: u32,
    threads: u32,
}

impl Text {
    /// The module that goes to instruction selection.
    pub(crate) fn of(kernel: &Kernel) -> Text {
        let context = Context::create();
        let backend = Backend::new(kernel.target).expect("the target is linked in");
        let lowered = backend.module(&context, kernel, LowerOptions::default());
        let lowered = lowered.expect("the kernel fits");
        Text {
            name: kernel.name.to_string(),
            lines: lowered
                .module
                .print_to_string()
                .to_string()
                .lines()
                .map(str::to_owned)
                .collect(),
            dynamic_shared_bytes: lowered.dynamic_shared_bytes,
            threads: kernel.warps * kernel.target.row().lanes,
        }
    }

    /// The lines that order others: their numbers, and the words for them.
    pub(crate) fn orders(&self) -> Vec<(usize, &'static str)> {
        let word = |line: &String| {
            // What gives values cannot be left out.
            let is_call = line.trim_start().starts_with("call ");
            ORDERS.iter().find(|it| is_call && line.contains(it.0)).map(|it| it.1)
        };
        let lines = self.lines.iter().enumerate();
        lines.filter_map(|(number, line)| Some((number, word(line)?))).collect()
    }

    /// Whether nothing but a fence stands between a barrier and the next one.
    pub(crate) fn is_doubled(&self, number: usize) -> bool {
        let is_barrier = |it: &String| it.contains("barrier.cta.sync");
        let mut after = self.lines[number + 1..].iter().skip_while(|it| it.contains("fence"));
        is_barrier(&self.lines[number]) && after.next().is_some_and(is_barrier)
    }

    /// What the module leaves in memory, without a line if one is named.
    pub(crate) fn run(
        &self,
        subject: &Subject,
        without: Option<usize>,
        seed: u64,
    ) -> Result<Vec<Vec<u8>>, SimError> {
        let lines = self.lines.iter().enumerate().filter(|it| Some(it.0) != without);
        let text: String = lines.flat_map(|(_, line)| [line.as_str(), "\n"]).collect();
        let context = Context::create();
        let buffer = MemoryBuffer::create_from_memory_range_copy(text.as_bytes(), &self.name);
        let module = context.create_module_from_ir(buffer).expect("every mutant is a module");
        let program = Program::for_device(&module, &self.name, Lanes::L32, None, &[])?;
        let params: Vec<Param> = subject.words.iter().map(param).collect();
        let mut buffers = subject.before.clone();
        let mut launch = Launch::new(subject.grid, [self.threads, 1, 1], &params, &mut buffers);
        launch.dynamic_shared_bytes = self.dynamic_shared_bytes;
        launch.seed = seed;
        // Lanes meet as soon as they may, or only where they have to.
        launch.reconvergence = match seed % 2 {
            0 => Reconvergence::Early,
            _ => Reconvergence::Late,
        };
        program.run(launch)?;
        Ok(buffers)
    }
}

fn param(word: &Word) -> Param {
    match word {
        Word::Address(Some(buffer)) => Param::Buffer { index: *buffer as usize, offset: 0 },
        Word::Map { buffer, map } => Param::Map { index: *buffer as usize, map: map.clone() },
        Word::Address(None) => Param::Null,
        Word::Bits(bits) => Param::Bits(*bits),
    }
}
