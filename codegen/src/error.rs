//! Why a code object could not be made. Mistakes in a user's program never appear here.

use std::io;
use std::path::PathBuf;

/// A failure of the machine, or of this compiler.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A bug in this compiler: LLVM does not accept what was lowered.
    #[error("LLVM rejected the module for `{kernel}`: {message}")]
    Rejected {
        /// The kernel.
        kernel: String,
        /// LLVM's words.
        message: String,
    },
    /// The installed LLVM cannot make code for the target.
    #[error("LLVM has no code generator for `{target}`: {message}")]
    NoBackend {
        /// The target.
        target: &'static str,
        /// LLVM's words.
        message: String,
    },
    /// LLVM's code generator failed.
    #[error("LLVM could not write {form} for `{kernel}`: {message}")]
    Write {
        /// The kernel.
        kernel: String,
        /// What was to be written.
        form: &'static str,
        /// LLVM's words.
        message: String,
    },
    /// The kernel uses what only the interpreter can do so far.
    #[error(
        "`{kernel}` {what}, which is not supported yet in compiled code; the interpreter runs it"
    )]
    Unsupported {
        /// The kernel.
        kernel: String,
        /// What it does.
        what: String,
    },
    /// Exchanges between warps need more scratch than a block can have.
    #[error("`{kernel}` needs {bytes} bytes of shared memory, `{target}` has {limit}")]
    SharedMemory {
        /// The kernel.
        kernel: String,
        /// What it needs.
        bytes: u32,
        /// The target.
        target: &'static str,
        /// What a block can have.
        limit: u32,
    },
    /// A tool that is needed is not there.
    #[error("cannot make {form} for `{kernel}`: {tool} was not found; {remedy}")]
    Missing {
        /// The kernel.
        kernel: String,
        /// What was to be made.
        form: &'static str,
        /// The tool.
        tool: &'static str,
        /// How to get it.
        remedy: &'static str,
    },
    /// A tool could not be run.
    #[error("cannot run `{}` for `{kernel}`", tool.display())]
    Run {
        /// The kernel.
        kernel: String,
        /// The tool.
        tool: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A bug in this compiler: a tool does not accept what was made for it.
    #[error("`{}` rejected `{kernel}`: {message}", tool.display())]
    Refused {
        /// The kernel.
        kernel: String,
        /// The tool.
        tool: PathBuf,
        /// The tool's words.
        message: String,
    },
    /// A code object does not have the form that was expected.
    #[error("cannot read the resources of `{kernel}` from its code object: {message}")]
    Unreadable {
        /// The kernel.
        kernel: String,
        /// What was looked for.
        message: String,
    },
}
