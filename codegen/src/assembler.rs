//! From PTX to a cubin: `ptxas`, where it is found.
//!
//! It is looked for in `TILE_PTXAS`, on the `PATH`, in the toolkit that `CUDA_HOME` or `CUDA_PATH`
//! names, and in the Python package `nvidia-cuda-nvcc`. Its report of registers and spills is read.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::error::BuildError;

/// How to get an assembler.
pub(crate) const REMEDY: &str =
    "install the CUDA toolkit or the Python package `nvidia-cuda-nvcc`, or name it in `TILE_PTXAS`";

/// Where Python packages keep `ptxas`, below a directory of packages.
const IN_PACKAGES: &[&str] = &["nvidia/cu13/bin/ptxas", "nvidia/cuda_nvcc/bin/ptxas"];

/// `ptxas`, if there is one.
pub fn find_ptxas() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(search).clone()
}

/// `nvdisasm`, if it is beside `ptxas` or on the `PATH`.
pub(crate) fn find_nvdisasm() -> Option<PathBuf> {
    let beside = find_ptxas().map(|it| it.with_file_name("nvdisasm"));
    let paths = std::env::var_os("PATH");
    let paths = paths.iter().flat_map(std::env::split_paths).map(|it| it.join("nvdisasm"));
    beside.into_iter().chain(paths).find_map(existing)
}

fn search() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TILE_PTXAS") {
        return existing(PathBuf::from(named));
    }
    let on_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|it| std::env::split_paths(&it).collect::<Vec<_>>());
    let homes = ["CUDA_HOME", "CUDA_PATH"]
        .into_iter()
        .filter_map(std::env::var_os)
        .map(|it| PathBuf::from(it).join("bin"));
    on_path.chain(homes).find_map(|it| existing(it.join("ptxas"))).or_else(in_python)
}

fn existing(path: PathBuf) -> Option<PathBuf> {
    path.is_file().then_some(path)
}

/// Asks the Python on the `PATH` where its packages are.
fn in_python() -> Option<PathBuf> {
    let code = "import site, sysconfig; print('\\n'.join([sysconfig.get_paths()['purelib'], *site.getsitepackages(), site.getusersitepackages()]))";
    let answer = Command::new("python3").args(["-c", code]).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&answer.stdout);
    text.lines()
        .flat_map(|root| IN_PACKAGES.iter().map(move |it| Path::new(root).join(it)))
        .find_map(existing)
}

/// What the assembler says of a kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct PtxasReport {
    pub(crate) registers: u32,
    pub(crate) spill_bytes: u32,
    pub(crate) stack_bytes: u32,
    pub(crate) shared_bytes: u32,
}

/// Assembles PTX for a processor, with more options of `ptxas`.
pub(crate) fn assemble(
    ptxas: &Path,
    ptx: &str,
    cpu: &str,
    kernel: &str,
    options: &[&str],
) -> Result<(Vec<u8>, PtxasReport), BuildError> {
    let failed =
        |source| BuildError::Run { kernel: kernel.to_owned(), tool: ptxas.to_owned(), source };
    let mut input = tempfile::Builder::new().suffix(".ptx").tempfile().map_err(failed)?;
    input.write_all(ptx.as_bytes()).map_err(failed)?;
    let output = tempfile::Builder::new().suffix(".cubin").tempfile().map_err(failed)?;
    let done = Command::new(ptxas)
        .arg("-v")
        .args(options)
        .arg(format!("-arch={cpu}"))
        .arg(input.path())
        .arg("-o")
        .arg(output.path())
        .output()
        .map_err(failed)?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    if !done.status.success() {
        let message = said.trim().to_owned();
        return Err(BuildError::Refused {
            kernel: kernel.to_owned(),
            tool: ptxas.to_owned(),
            message,
        });
    }
    let cubin = std::fs::read(output.path()).map_err(failed)?;
    Ok((cubin, read_report(&said)))
}

/// Reads `ptxas -v`: `… bytes stack frame, … bytes spill stores, … bytes spill loads` and
/// `Used … registers, … bytes smem`.
fn read_report(said: &str) -> PtxasReport {
    let before = |what: &str| -> u32 {
        let mut numbers = said.match_indices(what).filter_map(|(at, _)| {
            let words = said[..at].trim_end().rsplit(|it: char| !it.is_ascii_digit()).next()?;
            words.parse::<u32>().ok()
        });
        numbers.next().unwrap_or(0)
    };
    PtxasReport {
        registers: before(" registers"),
        spill_bytes: before(" bytes spill stores") + before(" bytes spill loads"),
        stack_bytes: before(" bytes stack frame"),
        shared_bytes: before(" bytes smem"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_ptxas_is_read() {
        let said = "ptxas info    : Compiling entry function 'gemm' for 'sm_90a'\n\
                    ptxas info    : Function properties for gemm\n    \
                    8 bytes stack frame, 12 bytes spill stores, 16 bytes spill loads\n\
                    ptxas info    : Used 168 registers, used 16 barriers, 1024 bytes smem\n";
        let wanted =
            PtxasReport { registers: 168, spill_bytes: 28, stack_bytes: 8, shared_bytes: 1024 };
        assert_eq!(read_report(said), wanted);
    }
}
