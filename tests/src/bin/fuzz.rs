//! Looks for texts that make the compiler panic, hang or overflow its stack.
//!
//! ```sh
//! cargo run --release -p tile-tests --bin fuzz -- 30 [SEED]    # minutes
//! ```
//! Texts are made from the examples, the standard library, the suite and earlier finds, by what
//! typing does to a program and by what nobody would type: tokens deleted, doubled, swapped and
//! moved between files, brackets without end, numbers without bound. Each is checked as `tilec
//! check` does it. What is found is written to `out/fuzz`; a text that ends the process itself is
//! left there as `current.tile`. A find that was mended belongs into `tests/finds`, where the suite
//! checks it for ever.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use tile_tests::{blocks, files, root, tilec};

/// A text that takes longer is a find.
const TIME_MAX: Duration = Duration::from_secs(5);

fn main() {
    let mut args = std::env::args().skip(1);
    let minutes: u64 = args.next().and_then(|it| it.parse().ok()).unwrap_or(1);
    let seed: u64 = args.next().and_then(|it| it.parse().ok()).unwrap_or(1);
    let folder = root().join("out/fuzz");
    fs::create_dir_all(&folder).expect("the folder for finds can be made");
    std::panic::set_hook(Box::new(|_| {}));
    let corpus = corpus();
    let mut random = Random(seed);
    let (mut n_texts, mut n_finds) = (0u64, 0u64);
    let end = Instant::now() + Duration::from_secs(60 * minutes);
    while Instant::now() < end {
        let text = random.text(&corpus);
        if let Some(what) = find(&folder, &text) {
            n_finds += 1;
            let name = format!("{what}-{seed}-{n_texts}.tile");
            fs::write(folder.join(&name), &text).expect("a find can be written");
            eprintln!("{name}");
        }
        n_texts += 1;
    }
    let _ = fs::remove_file(folder.join("current.tile"));
    eprintln!("{n_texts} texts, {n_finds} finds");
    std::process::exit(if n_finds == 0 { 0 } else { 1 });
}

/// What is wrong with how a text is checked; `None` if nothing.
fn find(folder: &Path, text: &[u8]) -> Option<&'static str> {
    let file = folder.join("current.tile");
    fs::write(&file, text).expect("a text can be written");
    let start = Instant::now();
    let args = ["check", file.to_str().expect("the path is text"), "--format", "json"];
    let done = catch_unwind(AssertUnwindSafe(|| tilec(args)));
    match done {
        Err(_) => Some("panic"),
        Ok(_) if TIME_MAX < start.elapsed() => Some("slow"),
        Ok(_) => None,
    }
}

/// Programs to start from.
fn corpus() -> Vec<String> {
    let root = root();
    let read = |folder: &str, extension: &str| -> Vec<String> {
        let paths = files(&root.join(folder), extension);
        paths.iter().filter_map(|it| fs::read_to_string(it).ok()).collect()
    };
    let mut texts: Vec<String> =
        ["examples", "stdlib", "tests/finds"].iter().flat_map(|it| read(it, "tile")).collect();
    let pages = ["tests/suite", "docs"].iter().flat_map(|it| read(it, "md"));
    let is_tile = |info: &str| info.starts_with("tile");
    texts.extend(pages.flat_map(|it| blocks(&it)).filter(|it| is_tile(&it.info)).map(|it| it.text));
    texts
}

/// Pieces that do damage where they are put.
const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "((((((((((((((((",
    "[[[[[[[[[[[[[[[[",
    "{{{{{{{{{{{{{{{{",
    "|x| ",
    "if x { ",
    "for i in 0.. ",
    "static for i in 0..1000000000 { ",
    "fn f(x) { f(x) }",
    ".slice(0)",
    "99999999999999999999999999999999999999999",
    "-1",
    "1 << 127",
    "0",
    "1e999",
    "/ 0",
    "% 0",
    "@ L",
    "[:, None]",
    "const L = L;",
    "use self::a::b;",
    "use std::*;",
    "\"",
    "\\",
    "///",
    "/*",
    "é",
    "\u{0}",
    "kernel",
    "where",
    "grid",
    "warps 3",
    "static if",
    "..",
    "..=",
    "..+",
    "==",
    "=",
    ";",
    ",",
    "::",
    "->",
    "blocked(regs: [0], lanes: [0], warps: [0])",
    "f32[0]",
    "i32[1 << 40]",
    ".halves(0, bit: 99)",
];

/// A small generator: the same seed gives the same texts.
struct Random(u64);

impl Random {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// A program with a few mistakes.
    fn text(&mut self, corpus: &[String]) -> Vec<u8> {
        let base = &corpus[self.below(corpus.len())];
        let mut tokens: Vec<String> = tokens(base);
        for _ in 0..=self.below(6) {
            self.damage(&mut tokens, corpus);
        }
        let mut bytes = tokens.concat().into_bytes();
        if self.below(50) == 0 && !bytes.is_empty() {
            let at = self.below(bytes.len());
            bytes[at] = self.next() as u8;
        }
        bytes
    }

    fn damage(&mut self, text: &mut Vec<String>, corpus: &[String]) {
        let at = self.below(text.len());
        match self.below(8) {
            0 if !text.is_empty() => drop(text.remove(at)),
            1 if !text.is_empty() => text.insert(at, text[at].clone()),
            2 if !text.is_empty() => {
                let other = self.below(text.len());
                text.swap(at, other);
            }
            3 => text.truncate(at),
            4 => text.insert(at, self.pick(PIECES).repeat(1 + self.below(4))),
            5 => text.insert(at, self.pick(PIECES).repeat(1 + self.below(400))),
            6 => {
                let other = tokens(&corpus[self.below(corpus.len())]);
                let from = self.below(other.len());
                let to = (from + self.below(40)).min(other.len());
                text.splice(at..at, other[from..to].iter().cloned());
            }
            _ if !text.is_empty() => {
                let end = (at + self.below(30)).min(text.len());
                text.drain(at..end);
            }
            _ => {}
        }
    }
}

/// Words, blanks and single signs: near enough to tokens.
fn tokens(text: &str) -> Vec<String> {
    let class = |it: char| match it {
        it if it.is_alphanumeric() || it == '_' => 0,
        it if it.is_whitespace() => 1,
        _ => 2,
    };
    let mut found: Vec<String> = Vec::new();
    let mut last = 3;
    for it in text.chars() {
        let now = class(it);
        match found.last_mut() {
            Some(token) if now == last && now != 2 => token.push(it),
            _ => found.push(it.to_string()),
        }
        last = now;
    }
    found
}
