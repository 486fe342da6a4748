//! The compiler as a process of its own: for code and measurements, which want LLVM.
//!
//! What is open in an editor may not be on disk, so the texts of a folder are written to a folder of
//! their own, and that is what the compiler reads. Nothing here holds a copy of the database.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use serde_json::Value;

use super::Refusal;

/// How long the compiler may work on one answer.
const RUN_MAX: Duration = Duration::from_secs(18);
/// How often it is looked whether it is done.
const TURN: Duration = Duration::from_millis(5);

/// Files that the compiler reads, and what it is asked of the first of them.
pub(super) struct Job {
    /// The program; `None` to look for it.
    pub(super) program: Option<PathBuf>,
    /// Names and texts; the first is the file that is asked about.
    pub(super) files: Vec<(String, String)>,
    /// The command, before the file.
    pub(super) command: &'static str,
    /// Options, after the file.
    pub(super) options: Vec<String>,
}

impl Job {
    /// Runs the compiler; its answer is one JSON value.
    pub(super) fn run(self) -> Result<Value, Refusal> {
        let failed =
            |what: &str, error: &io::Error| Refusal::failed(format!("cannot {what}: {error}"));
        let folder =
            tempfile::tempdir().map_err(|it| failed("make a folder for the compiler", &it))?;
        for (name, text) in &self.files {
            fs::write(folder.path().join(name), text)
                .map_err(|it| failed("write a file for the compiler", &it))?;
        }
        let Some((first, _)) = self.files.first() else {
            return Err(Refusal::failed("there is no file to compile"));
        };
        let program = self.program.unwrap_or_else(found);
        let mut child = Command::new(&program)
            .arg(self.command)
            .arg(folder.path().join(first))
            .args(&self.options)
            .args(["--format", "json", "--color", "never"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|it| failed(&format!("run `{}`", program.display()), &it))?;
        let out = reader(child.stdout.take());
        let err = reader(child.stderr.take());
        let is_fine = wait(&mut child)?;
        let text = |it: thread::JoinHandle<String>| it.join().unwrap_or_default();
        let (out, err) = (text(out), text(err));
        if !is_fine {
            let said = err.trim();
            let said = if said.is_empty() { "the program has mistakes" } else { said };
            return Err(Refusal::failed(said.to_owned()));
        }
        serde_json::from_str(&out)
            .map_err(|it| Refusal::failed(format!("the compiler's answer cannot be read: {it}")))
    }
}

/// The compiler beside this program, this program if it is the compiler, or the one on the `PATH`.
fn found() -> PathBuf {
    let name = format!("tilec{}", env::consts::EXE_SUFFIX);
    let beside = env::current_exe().ok().map(|it| it.with_file_name(&name));
    beside.filter(|it| it.is_file()).unwrap_or_else(|| PathBuf::from(name))
}

/// Reads a pipe to its end on a thread, so that a full one stops nobody.
fn reader(pipe: Option<impl io::Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before a failure is what there is.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Whether the compiler ended well. One that takes too long is ended.
fn wait(child: &mut Child) -> Result<bool, Refusal> {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if begun.elapsed() < RUN_MAX => thread::sleep(TURN),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                let seconds = RUN_MAX.as_secs();
                return Err(Refusal::failed(format!("the compiler took more than {seconds} s")));
            }
            Err(error) => {
                return Err(Refusal::failed(format!("cannot wait for the compiler: {error}")));
            }
        }
    }
}
