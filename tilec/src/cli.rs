//! What can be asked of `tilec`: commands and their options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::levels::Levels;

/// The compiler of the Tile language.
#[derive(Parser, Debug)]
#[command(name = "tilec", version, about, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes: 0 all is well · 1 the program is at fault · 2 the call is at fault · \
                        3 the machine is at fault"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Color {
    /// Where the terminal shows them and NO_COLOR is not set.
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Human,
    /// One object a line.
    Json,
    /// A log in the Static Analysis Results Interchange Format, for code hosts.
    Sarif,
}

/// Formats of answers that are no findings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(crate) enum TableFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON value.
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
pub(crate) enum EngineName {
    /// The meaning of the language, on this machine's processor.
    Interp,
    /// The lowered code of a target, lane by lane, on this machine's processor.
    Sim,
    /// A real device.
    Gpu,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, ValueEnum)]
pub(crate) enum Artifact {
    /// The module that goes to instruction selection.
    Ll,
    /// NVIDIA's virtual assembly.
    Ptx,
    /// NVIDIA's machine code; needs `ptxas`.
    Cubin,
    /// AMD's assembly.
    S,
    /// AMD's machine code.
    Hsaco,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Finds mistakes and lost performance
    Check(Check),
    /// Makes code objects and a manifest for launchers
    Build(Build),
    /// Compiles kernels, runs their tests on the CPU engines and reports on both
    Run(Run),
    /// Runs the tests that stand beside the kernels
    Test(Test),
    /// Runs the benchmarks that stand beside the kernels
    Bench(Bench),
    /// Formats source text
    Fmt(Fmt),
    /// Explains a diagnostic's code or a word of the language
    Explain(Explain),
    /// Draws a layout: which thread and register holds each element
    Layout(Layout),
    /// Shows what each kernel needs: registers, spills, shared memory, instructions
    Report(Report),
    /// Shows what a kernel is compiled to, with the line of the program behind each line
    Listing(Listing),
    /// Lists the targets and what they have
    Targets(Targets),
    /// Serves an editor over standard input and output, by the Language Server Protocol
    Lsp,
    /// Says what was found on this machine, and the command that gets what is missing
    Doctor(Doctor),
}

/// Files, and the targets that they are looked at for.
#[derive(Args, Clone, Debug)]
pub(crate) struct Sources {
    /// Files or folders
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Targets, separated by commas; `tilec targets` lists them
    #[arg(long = "target", value_delimiter = ',', value_name = "TARGETS")]
    pub(crate) targets: Vec<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) levels: Levels,
    /// How findings are shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Args, Debug)]
pub(crate) struct Build {
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) levels: Levels,
    /// Where code objects, manifest.json and report.json go
    #[arg(long, default_value = "out", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// What is made, separated by commas; everything that applies if left out
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) emit: Vec<Artifact>,
    /// How findings are shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Which tests run, and how.
#[derive(Args, Clone, Debug)]
pub(crate) struct Selection {
    /// Engines, separated by commas; interp and sim if left out, and gpu where there is one
    #[arg(long, value_enum, value_delimiter = ',', value_name = "ENGINES")]
    pub(crate) on: Vec<EngineName>,
    /// Only those whose title contains this
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Steers every random choice; the same seed gives the same run
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Args, Debug)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// How the report is shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}

#[derive(Args, Debug)]
pub(crate) struct Test {
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Runs each test under so many schedules, those of the seed and the seeds after it: other orders of roles, warps
    /// and blocks, and other moments at which copies land
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) schedules: u32,
    /// Also writes kernels and launches there, to be repeated on a device
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Option<PathBuf>,
    /// How results are shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}

#[derive(Args, Debug)]
pub(crate) struct Bench {
    #[command(flatten)]
    pub(crate) sources: Sources,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Measures nothing, but writes kernels and launches there, to be timed on a device
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Option<PathBuf>,
    /// How results are shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}

#[derive(Args, Debug)]
pub(crate) struct Fmt {
    /// Files or folders; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Changes nothing and lists what is not formatted
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// A code such as P0101, or a word such as `load`
    #[arg(value_name = "CODE")]
    pub(crate) name: String,
}

#[derive(Args, Debug)]
pub(crate) struct Layout {
    /// A layout, such as `blocked(regs: [1, 8], lanes: [8, 4], warps: [4, 1])`
    #[arg(value_name = "EXPR")]
    pub(crate) layout: String,
    /// Extents of the tile, outermost first: 32x64
    #[arg(long, value_name = "EXTENTS")]
    pub(crate) shape: String,
    /// Another layout of registers: what it costs to bring the tile there
    #[arg(long, value_name = "EXPR")]
    pub(crate) to: Option<String>,
    /// A layout of shared memory: how the tile is read from and written to it
    #[arg(long, value_name = "EXPR")]
    pub(crate) access: Option<String>,
    /// Draws the bank of every element instead, for a layout of shared memory
    #[arg(long)]
    pub(crate) banks: bool,
    /// Also draws a picture
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Whose warps and banks are meant
    #[arg(long, default_value = "sm_90a")]
    pub(crate) target: String,
    /// Bits of one element, for what is about memory
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) bits: u32,
    /// Warps of the block; as many as the layout names if left out
    #[arg(long)]
    pub(crate) warps: Option<u32>,
}

#[derive(Args, Debug)]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// How the report is shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}

/// What a kernel is compiled to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum CodeForm {
    /// The optimised LLVM module.
    Ll,
    /// NVIDIA's virtual assembly.
    Ptx,
    /// NVIDIA's machine code; needs `ptxas` and `nvdisasm`.
    Sass,
    /// AMD's assembly.
    S,
}

#[derive(Args, Debug)]
pub(crate) struct Listing {
    /// The file of the kernel
    #[arg(value_name = "FILE")]
    pub(crate) path: PathBuf,
    /// The kernel, or what a `build` item calls it
    #[arg(long, value_name = "NAME")]
    pub(crate) kernel: String,
    /// The target
    #[arg(long, default_value = "sm_90a")]
    pub(crate) target: String,
    /// How far it is compiled
    #[arg(long, value_enum)]
    pub(crate) form: CodeForm,
    /// How the listing is shown: the text alone, or with its lines as one JSON value
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}

#[derive(Args, Debug)]
pub(crate) struct Targets {
    /// How the table is shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}

#[derive(Args, Debug)]
pub(crate) struct Doctor {
    /// How the findings are shown
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TableFormat,
}
