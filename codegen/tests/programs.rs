//! Random programs over shared memory give the same on both engines: buffers of several stages with
//! copies in flight, branches, loops of any number of turns, pipelined or not, views of views. The
//! passes put in every wait and barrier, so that the interpreter finds the waits that are missing and
//! the simulator the barriers.

mod support;

use std::fmt::Write as _;

use support::{BOTH, Random, address, both, bytes, kernel};
use tile_language::engine::Word;
use tile_language::pass;

/// Programs of a test, each on a target of its own turn.
const PROGRAMS: u64 = 32;
/// Rows of the tensor that is read.
const ROWS: usize = 64;
/// Statements of a list.
const STATEMENTS_MAX: u64 = 5;
/// Lists inside of lists.
const DEPTH_MAX: u32 = 2;

/// Where a stage of 16 by 32 elements lies: its columns, rows first, what is mixed, and its padding.
const STAGES: [(&str, &str, &str); 5] = [
    ("32, 64, 128, 256", "1, 2, 4, 8, 16", ""),
    ("36, 72, 144, 256", "1, 2, 4, 8, 16", "mixed 28"),
    ("40, 80, 128, 256", "1, 2, 4, 8, 16", "mixed 24 padding [128, 4]"),
    ("1, 2, 4, 8", "16, 32, 64, 128, 256", ""),
    ("32, 64, 128, 256", "1, 2, 4, 8, 16", "padding [32, 4]"),
];

/// A program as it is written.
struct Program<'r> {
    random: &'r mut Random,
    text: String,
    n_names: u32,
    /// For every buffer its number of stages and its row of [`STAGES`].
    buffers: Vec<(u64, usize)>,
    /// The counters of the loops around, `i32`.
    counters: Vec<String>,
}

impl Program<'_> {
    fn name(&mut self) -> String {
        self.n_names += 1;
        format!("%v{}", self.n_names)
    }

    /// An instruction with one result.
    fn inst(&mut self, ty: &str, inst: &str) -> String {
        let name = self.name();
        let _ = writeln!(self.text, "{name}: {ty} = {inst}");
        name
    }

    fn constant(&mut self, value: u64) -> String {
        self.inst("i32", &format!("tile.const<{value}>"))
    }

    /// A scalar below `bound`.
    fn below(&mut self, bound: u64) -> String {
        let picked = self.random.below(self.counters.len() as u64 + 1) as usize;
        let Some(counter) = self.counters.get(picked).cloned() else {
            let value = self.random.below(bound);
            return self.constant(value);
        };
        let more = self.random.below(3);
        let more = match self.counters.last() {
            Some(other) if more == 2 => other.clone(),
            _ => self.constant(more),
        };
        let sum = self.inst("i32", &format!("tile.binary<add> {counter}, {more}"));
        let n = self.constant(bound);
        self.inst("i32", &format!("tile.binary<rem> {sum}, {n}"))
    }

    /// A view of a stage of some buffer, and that buffer's row of [`STAGES`].
    fn stage(&mut self) -> (String, usize) {
        let buffer = self.random.below(self.buffers.len() as u64) as usize;
        let (n_stages, map) = self.buffers[buffer];
        let at = self.below(n_stages);
        let view = self
            .inst(&format!("shared u32 @ #S{map}"), &format!("shared.index<0> %b{buffer}, {at}"));
        (view, map)
    }

    /// Eight rows of a stage; `#H` is the map of such a slice.
    fn half(&mut self) -> (String, usize) {
        let (stage, map) = self.stage();
        let half = self.below(2);
        let eight = self.constant(8);
        let start = self.inst("i32", &format!("tile.binary<mul> {half}, {eight}"));
        let view = self
            .inst(&format!("shared u32 @ #H{map}"), &format!("shared.slice<0> {stage}, {start}"));
        (view, map)
    }

    /// Pointers to 16 by 32 elements of the tensor.
    fn pointers(&mut self) -> String {
        let row = self.below(ROWS as u64 - 16);
        let rows = self.inst("i32[16, 32] @ #A", &format!("tile.splat {row}"));
        let row = self.inst("i32[16, 32] @ #A", &format!("tile.binary<add> {rows}, %i"));
        self.inst("*u32[16, 32] @ #A", &format!("memory.at<0> {row}, %j"))
    }

    /// The accumulator with a tile of its layout mixed in; the order of what is mixed in matters.
    fn mixed(&mut self, acc: &str, value: &str) -> String {
        let ty = "u32[16, 32] @ #A";
        let turned = self.inst(ty, &format!("tile.binary<mul> {acc}, %odd"));
        self.inst(ty, &format!("tile.binary<xor> {turned}, {value}"))
    }

    /// Some statements; the accumulator after them.
    fn list(&mut self, depth: u32, mut acc: String) -> String {
        for _ in 0..=self.random.below(STATEMENTS_MAX) {
            acc = self.statement(depth, acc);
        }
        acc
    }

    fn statement(&mut self, depth: u32, acc: String) -> String {
        match self.random.below(if depth < DEPTH_MAX { 15 } else { 10 }) {
            0 => {
                let (stage, _) = self.stage();
                let _ = writeln!(self.text, "shared.store {stage}, {acc}");
                acc
            }
            1 | 2 => {
                let (stage, _) = self.stage();
                let value = self.inst("u32[16, 32] @ #A", &format!("shared.load {stage}"));
                self.mixed(&acc, &value)
            }
            3 => {
                let (stage, _) = self.stage();
                let value = self.inst("u32[16, 32] @ #B", &format!("shared.load {stage}"));
                let value = self.inst("u32[16, 32] @ #A", &format!("tile.convert {value}"));
                self.mixed(&acc, &value)
            }
            4 => self.halves(acc),
            5 => self.picks(acc),
            6 | 7 => {
                self.copy();
                acc
            }
            8 => self.fetch(acc),
            9 => {
                let n = self.random.below(3);
                let _ = writeln!(self.text, "copy.wait<{n}>");
                acc
            }
            10 | 11 => self.branch(depth, acc),
            _ => self.repeat(depth, acc),
        }
    }

    /// A slice is read and another one is written.
    fn halves(&mut self, acc: String) -> String {
        let (from, _) = self.half();
        let value = self.inst("u32[8, 32] @ #C", &format!("shared.load {from}"));
        let (to, _) = self.half();
        let _ = writeln!(self.text, "shared.store {to}, {value}");
        acc
    }

    /// Elements by index: read, and added to.
    fn picks(&mut self, acc: String) -> String {
        let (from, _) = self.stage();
        let ty = "u32[16, 32] @ #A";
        let at = self.below(16);
        let at = self.inst("i32[16, 32] @ #A", &format!("tile.splat {at}"));
        let at = self.inst("i32[16, 32] @ #A", &format!("tile.binary<xor> %i, {at}"));
        let value = self.inst(ty, &format!("shared.gather<0> {from}, {at}, %some"));
        let (to, _) = self.stage();
        self.inst(ty, &format!("shared.atomic<add, 1> {to}, %j, {value}, %some"));
        self.mixed(&acc, &value)
    }

    fn copy(&mut self) {
        let pointers = self.pointers();
        let (stage, _) = self.stage();
        let conditions = match self.random.below(3) {
            0 => String::new(),
            1 => ", %some".to_owned(),
            _ => {
                let two = self.constant(2);
                let at = self.below(3);
                let when = self.inst("bool", &format!("tile.cmp<lt> {at}, {two}"));
                format!(", {when}")
            }
        };
        let _ = writeln!(self.text, "copy.async {stage}, {pointers}{conditions}");
        if self.random.below(3) > 0 {
            let _ = writeln!(self.text, "copy.commit");
        }
    }

    /// A buffer of the turn, filled from the tensor; in a pipelined loop turns ahead.
    fn fetch(&mut self, acc: String) -> String {
        let pointers = self.pointers();
        let map = self.random.below(STAGES.len() as u64);
        let buffer =
            self.inst(&format!("shared u32 @ #S{map}"), &format!("copy.fetch<16> {pointers}"));
        let value = self.inst("u32[16, 32] @ #A", &format!("shared.load {buffer}"));
        self.mixed(&acc, &value)
    }

    fn branch(&mut self, depth: u32, acc: String) -> String {
        let (one, at) = (self.constant(1), self.below(3));
        let cond = self.inst("bool", &format!("tile.cmp<lt> {at}, {one}"));
        let res = self.name();
        let _ = writeln!(self.text, "{res}: u32[16, 32] @ #A = flow.if {cond} {{");
        for part in ["} {", "}"] {
            let end = self.list(depth + 1, acc.clone());
            let _ = writeln!(self.text, "yield {end}\n{part}");
        }
        res
    }

    /// A loop of up to six turns, counted in `i32` or `i64`, perhaps over stages.
    fn repeat(&mut self, depth: u32, acc: String) -> String {
        let turns = self.random.below(7);
        let stages = self.random.below(5);
        let ty = if self.random.below(3) == 0 { "i64" } else { "i32" };
        let bounds = [0, turns, 1].map(|it| self.inst(ty, &format!("tile.const<{it}>"))).join(", ");
        let (res, at, carried) = (self.name(), self.name(), self.name());
        let tile = "u32[16, 32] @ #A";
        let _ = writeln!(self.text, "{res}: {tile} = flow.for<0, {stages}> {bounds}, {acc} {{");
        let _ = writeln!(self.text, "({at}: {ty}, {carried}: {tile})");
        let counter =
            if ty == "i64" { self.inst("i32", &format!("tile.cast<nearest> {at}")) } else { at };
        self.counters.push(counter);
        let end = self.list(depth + 1, carried);
        self.counters.pop();
        let _ = writeln!(self.text, "yield {end}\n}}");
        res
    }
}

/// A program over `x: u32[64, 32]` that leaves a tile in `y`.
fn program(random: &mut Random) -> String {
    let buffers: Vec<(u64, usize)> = (0..=random.below(3))
        .map(|_| (1 + random.below(5), random.below(STAGES.len() as u64) as usize))
        .collect();
    let mut program =
        Program { random, text: String::new(), n_names: 0, buffers, counters: Vec::new() };
    for at in 0..program.buffers.len() {
        let (n_stages, map) = program.buffers[at];
        let _ = writeln!(
            program.text,
            "%b{at} b{at}: shared u32 @ #B{n_stages}_{map} = shared.alloc<16>"
        );
        for stage in 0..n_stages {
            let stage = program.constant(stage);
            let view = program.inst(
                &format!("shared u32 @ #S{map}"),
                &format!("shared.index<0> %b{at}, {stage}"),
            );
            let _ = writeln!(program.text, "shared.store {view}, %begin");
        }
    }
    let end = program.list(0, "%begin".to_owned());
    let body = program.text;
    let mut maps = String::new();
    for (map, (rows, columns, rest)) in STAGES.iter().enumerate() {
        let half = rows.rsplit_once(", ").expect("a stage has several rows").0;
        let _ = writeln!(maps, "memory #S{map} = 16 [{rows}] 0, 32 [{columns}] 0 {rest}");
        let _ = writeln!(maps, "memory #H{map} = 8 [{half}] 0, 32 [{columns}] 0 {rest}");
        for n_stages in 1..=5 {
            let _ = writeln!(
                maps,
                "memory #B{n_stages}_{map} = {n_stages} [] 512, 16 [{rows}] 0, 32 [{columns}] 0 {rest}"
            );
        }
    }
    format!(
        r#"kernel "program" for sm_90a warps 4 {{
    plan program threads 128
    param x: tensor u32 [{ROWS}, 32] align 16
    param y: tensor u32 [16, 32] align 16 mut
    grid [1]
    layout #A = [16, 32] register [0, 1] [0, 2] lane [0, 4] [0, 8] [0, 16] [1, 0] [2, 0] warp [4, 0] [8, 0]
    layout #B = [16, 32] register [1, 0] [0, 16] lane [0, 1] [2, 0] [0, 2] [4, 0] [0, 4] warp [8, 0] [0, 8]
    layout #C = [8, 32] register [0, 1] lane [0, 2] [0, 4] [0, 8] [0, 16] [4, 0] warp [1, 0] [2, 0]
{maps}
    tensor x: u32 at %x dims [{ROWS}, 32] strides [32, 1] align 16
    tensor y: u32 at %y dims [16, 32] strides [32, 1] align 16 mut
    body (%x: *u32 = address x, %y: *u32 = address y) {{
        %i: i32[16, 32] @ #A = tile.index<0>
        %j: i32[16, 32] @ #A = tile.index<1>
        %odd: u32[16, 32] @ #A = tile.const<2654435761>
        %limit: i32[16, 32] @ #A = tile.const<20>
        %some: bool[16, 32] @ #A = tile.cmp<lt> %j, %limit
        %px: *u32[16, 32] @ #A = memory.at<0> %i, %j
        %begin: u32[16, 32] @ #A = memory.load<all, normal> %px
{body}
        %py: *u32[16, 32] @ #A = memory.at<1> %i, %j
        memory.store<all, normal> %py, {end}
    }}
}}"#
    )
}

#[test]
fn random_programs_give_the_same_on_both_engines() {
    for seed in 0..PROGRAMS {
        let mut random = Random(seed);
        let text = program(&mut random);
        let target = BOTH[seed as usize % BOTH.len()];
        let (waiting, _) = pass::waits(kernel(&text, target));
        let buffers = [
            bytes((0..ROWS * 32).map(|_| random.below(1 << 32) as u32), u32::to_le_bytes),
            vec![0; 16 * 32 * 4],
        ];
        let words: [Word; 2] = [address(0), address(1)];
        let [interp, sim] = both(&waiting, [1, 1, 1], &words, &buffers);
        assert!(interp == sim, "seed {seed}, {target}\n{text}");
    }
}
