//! The fuzzer: programs with things done to them, through parser, formatter and checker.
//!
//! `cargo run -p tile-fuzz -- --seconds 1800` writes each text that makes the compiler panic, take
//! too long or break a promise to a folder, and exits with 1 if there was any. Runs on stable Rust;
//! the same seed gives the same texts. The text in work is always in `current.tile`, so that one
//! that ends the process is found there.

mod mutate;
mod promise;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;

use crate::mutate::{Corpus, Random};
use crate::promise::Checker;

/// Feeds damaged programs to the compiler.
#[derive(Parser)]
struct Call {
    /// How long to go on.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Where the random numbers begin.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folders with `.tile` files to begin from.
    #[arg(long, default_values = ["examples", "stdlib", "language/syntax/tests/programs", "tests/finds"])]
    corpus: Vec<PathBuf>,
    /// Where what is found is written.
    #[arg(long, default_value = "out/fuzz")]
    out: PathBuf,
    /// Leave the checker out.
    #[arg(long)]
    syntax_only: bool,
    /// How long one text may take.
    #[arg(long, default_value_t = 10)]
    limit: u64,
}

fn main() -> Result<ExitCode> {
    let call = Call::parse();
    fs::create_dir_all(&call.out).with_context(|| format!("creating `{}`", call.out.display()))?;
    let corpus = Corpus::new(programs(&call.corpus)?);
    eprintln!("{} programs to begin from", corpus.len());
    // Panics are reported with the text that caused them.
    panic::set_hook(Box::new(|_| {}));
    let run = move || fuzz(&call, &corpus);
    // The checker may use as much stack as it does on a main thread.
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(run)?;
    let found = thread.join().map_err(|_| anyhow::anyhow!("the fuzzer itself panicked"))??;
    Ok(if found == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The texts of the `.tile` files in `folders`, in order.
fn programs(folders: &[PathBuf]) -> Result<Vec<String>> {
    let mut paths = vec![];
    for folder in folders.iter().filter(|it| it.is_dir()) {
        for entry in
            fs::read_dir(folder).with_context(|| format!("reading `{}`", folder.display()))?
        {
            paths.push(entry?.path());
        }
    }
    paths.retain(|it| it.extension().is_some_and(|it| it == "tile"));
    paths.sort();
    let read = |it: &PathBuf| {
        fs::read_to_string(it).with_context(|| format!("reading `{}`", it.display()))
    };
    paths.iter().map(read).collect()
}

fn fuzz(call: &Call, corpus: &Corpus) -> Result<usize> {
    let mut random = Random(call.seed);
    let mut checker = (!call.syntax_only).then(Checker::new);
    let end = Instant::now() + Duration::from_secs(call.seconds);
    let (mut tried, mut found, mut slowest) = (0usize, 0usize, Duration::ZERO);
    let mut seen: Vec<String> = vec![];
    let mut told = Instant::now();
    while Instant::now() < end {
        let text = corpus.text(&mut random);
        fs::write(call.out.join("current.tile"), &text).context("writing the text in work")?;
        let begun = Instant::now();
        let wrong = judge(&text, checker.as_mut());
        let taken = begun.elapsed();
        slowest = slowest.max(taken);
        let wrong = wrong.or_else(|| {
            (call.limit < taken.as_secs()).then(|| format!("took {} s", taken.as_secs()))
        });
        if let Some(wrong) = wrong {
            // After a panic the database is in an unknown state.
            checker = (!call.syntax_only).then(Checker::new);
            if !seen.contains(&wrong) {
                found += 1;
                report(&call.out, found, &wrong, &text)?;
                seen.push(wrong);
            }
        }
        tried += 1;
        if told.elapsed().as_secs() >= 60 {
            eprintln!("{tried} texts, {found} finds, the slowest took {slowest:?}");
            told = Instant::now();
        }
    }
    eprintln!("{tried} texts, {found} finds, the slowest took {slowest:?}");
    Ok(found)
}

/// What is wrong with how the compiler takes `text`.
fn judge(text: &str, checker: Option<&mut Checker>) -> Option<String> {
    let run = AssertUnwindSafe(|| {
        promise::syntax(text).err().or_else(|| checker.and_then(|it| it.check(text).err()))
    });
    panic::catch_unwind(run).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("a panic");
        Some(format!("panic: {}", message.lines().next().unwrap_or("")))
    })
}

fn report(out: &Path, number: usize, wrong: &str, text: &str) -> Result<()> {
    eprintln!("{number}: {wrong}");
    let path = out.join(format!("{number}.tile"));
    fs::write(&path, text).with_context(|| format!("writing `{}`", path.display()))
}
