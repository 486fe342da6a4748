//! Every product of a warp group: the interpreter and the lowered code give the plain product, whichever way the
//! factors lie, and NVIDIA's assembler takes what comes out without serialising it.
//!
//! Elements are small multiples of a half, so that every sum is exact in every accumulator and the
//! order of summation does not show: the three products are equal bit for bit.

mod support;

use std::fmt::Write as _;

use support::factors::{number, stored};
use support::layouts::text_of;
use support::{Random, address, both, kernel, map_text};
use tile_codegen::{BuildOptions, CodeObject, build, find_ptxas};
use tile_language::dtype::DType;
use tile_language::ir::Kernel;
use tile_language::target::wgmma::{WgmmaId, WgmmaRow};
use tile_layout::{Layout, Machine, MemoryMap, Spec, coalesced};

/// Where a factor is.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Place {
    Registers,
    /// In shared memory of that swizzle; `turned` if its neighbours along `k` are apart.
    Memory {
        swizzle: u32,
        turned: bool,
    },
}

const SWIZZLED: Place = Place::Memory { swizzle: 128, turned: false };

/// One product to look at.
#[derive(Clone, Debug)]
struct Case {
    row: &'static WgmmaRow,
    /// Extents of the whole product: m, n, k.
    extents: [u32; 3],
    /// Columns of an instruction.
    n: u32,
    warps: u32,
    left: Place,
    right: Place,
    /// Whether the sum starts from zero, the instruction's own.
    from_zero: bool,
}

impl Case {
    /// One instruction, four deep.
    fn plain(row: &'static WgmmaRow) -> Case {
        let extents = [64, 32, 4 * row.k];
        Case { row, extents, n: 32, warps: 4, left: SWIZZLED, right: SWIZZLED, from_zero: false }
    }

    fn machine(&self) -> Machine {
        Machine { lanes: 32, warps: self.warps }
    }

    /// The buffer of a factor with so many rows or columns, as it is declared.
    fn buffer(&self, outer: u32, swizzle: u32, turned: bool) -> Layout {
        let k = self.extents[2];
        let bits = self.row.a.storage_bits();
        let shape = if turned { [k, outer] } else { [outer, k] };
        let spec = match swizzle {
            0 => Spec::SharedLinear { offsets: core_matrices(shape, 128 / bits) },
            _ => Spec::Nvmma { swizzle, transposed: false },
        };
        spec.apply_in_memory(&shape, bits).expect("the layout fits")
    }

    fn kernel(&self) -> Kernel {
        kernel(&Text::of(self).whole(self), "sm_90a")
    }
}

/// Eight rows of 16 bytes together; then the next 16 bytes, then the next eight rows.
fn core_matrices([rows, columns]: [u32; 2], unit: u32) -> Vec<Vec<u32>> {
    let bits = |from: u32, to: u32| {
        std::iter::successors(Some(from), |it| Some(it * 2)).take_while(move |it| *it < to)
    };
    let column = |at: u32| vec![0, at];
    let row = |at: u32| vec![at, 0];
    let inner = bits(1, unit).map(column).chain(bits(1, 8.min(rows)).map(row));
    inner.chain(bits(unit, columns).map(column)).chain(bits(8, rows).map(row)).collect()
}

/// The parts of a kernel's text.
#[derive(Default)]
struct Text {
    layouts: String,
    maps: String,
    params: String,
    tensors: String,
    body: String,
    heads: Vec<String>,
    n_tensors: u32,
}

impl Text {
    /// One block that loads `x`, `y` and `z`, and stores `x · y + z` to `r`.
    fn of(case: &Case) -> Text {
        let [m, n, k] = case.extents;
        let row = case.row;
        let mut text = Text::default();
        let acc = Spec::Wgmma { n: case.n };
        let sum = acc.apply(&[m, n], case.machine()).expect("the layout fits");
        let _ = writeln!(text.layouts, "layout #C = {}", text_of(&sum));
        match case.left {
            Place::Registers => {
                let left = row.left(&acc).apply(&[m, k], case.machine()).expect("the layout fits");
                let _ = writeln!(text.layouts, "layout #X = {}", text_of(&left));
                text.load("x", row.a, [m, k], "X");
                let _ = writeln!(text.body, "%vx: {}[{m}, {k}] @ #X = tile.convert %lx", row.a);
            }
            Place::Memory { swizzle, turned } => text.store(case, "x", m, swizzle, turned, turned),
        }
        let Place::Memory { swizzle, turned } = case.right else { panic!("it is in memory") };
        text.store(case, "y", n, swizzle, turned, !turned);
        let ty = format!("{}[{m}, {n}] @ #C", row.acc);
        if case.from_zero {
            text.tensor("z", row.acc, [m, n]);
            let _ = writeln!(text.body, "%lz: {ty} = tile.const<0>");
        } else {
            text.load("z", row.acc, [m, n], "C");
        }
        let name = row.name;
        let columns = case.n;
        let _ = writeln!(
            text.body,
            "%s: {ty} = mma.wgmma<\"{name}\", {columns}> %vx, %vy, %lz\n%vr: {ty} = mma.wait<0> %s"
        );
        text.pointers("r", row.acc, [m, n], "C");
        let _ = writeln!(text.body, "memory.store<all, normal> %pr, %vr");
        text
    }

    fn tensor(&mut self, name: &str, dtype: DType, [rows, cols]: [u32; 2]) -> u32 {
        let mutable = if name == "r" { " mut" } else { "" };
        let _ = writeln!(
            self.params,
            "param {name}: tensor {dtype} [{rows}, {cols}] align 16{mutable}"
        );
        let _ = writeln!(
            self.tensors,
            "tensor {name}: {dtype} at %{name} dims [{rows}, {cols}] strides [{cols}, 1] align 16{mutable}"
        );
        self.heads.push(format!("%{name}: *{dtype} = address {name}"));
        self.n_tensors += 1;
        self.n_tensors - 1
    }

    fn pointers(&mut self, name: &str, dtype: DType, shape: [u32; 2], layout: &str) {
        let at = self.tensor(name, dtype, shape);
        let [rows, cols] = shape;
        let ty = |elem: &str| format!("{elem}[{rows}, {cols}] @ #{layout}");
        let _ = writeln!(self.body, "%i{name}: {} = tile.index<0>", ty("i32"));
        let _ = writeln!(self.body, "%j{name}: {} = tile.index<1>", ty("i32"));
        let pointer = ty(&format!("*{dtype}"));
        let _ = writeln!(self.body, "%p{name}: {pointer} = memory.at<{at}> %i{name}, %j{name}");
    }

    fn load(&mut self, name: &str, dtype: DType, shape: [u32; 2], layout: &str) {
        self.pointers(name, dtype, shape, layout);
        let [rows, cols] = shape;
        let _ = writeln!(
            self.body,
            "%l{name}: {dtype}[{rows}, {cols}] @ #{layout} = memory.load<all, normal> %p{name}"
        );
    }

    /// A tensor in a buffer, and the view that the product takes: its transpose if `flips`.
    fn store(
        &mut self,
        case: &Case,
        name: &str,
        outer: u32,
        swizzle: u32,
        turned: bool,
        flips: bool,
    ) {
        let k = case.extents[2];
        let dtype = if name == "x" { case.row.a } else { case.row.b };
        let shape = if turned { [k, outer] } else { [outer, k] };
        let map = MemoryMap::of(&case.buffer(outer, swizzle, turned));
        let spec = coalesced(&shape, dtype.storage_bits(), case.machine());
        let layout = spec.apply(&shape, case.machine()).expect("the layout fits");
        let _ = writeln!(self.layouts, "layout #L{name} = {}", text_of(&layout));
        let _ = writeln!(self.maps, "memory #m{name} = {}", map_text(&map));
        let _ = writeln!(self.maps, "memory #t{name} = {}", map_text(&map.permute(&[1, 0])));
        self.load(name, dtype, shape, &format!("L{name}"));
        let align = (8 * swizzle).max(16);
        let _ = writeln!(
            self.body,
            "%s{name}: shared {dtype} @ #m{name} = shared.alloc<{align}>\nshared.store %s{name}, %l{name}"
        );
        let other = if flips { 't' } else { 'm' };
        let _ = writeln!(
            self.body,
            "%v{name}: shared {dtype} @ #{other}{name} = shared.recast %s{name}"
        );
    }

    fn whole(&self, case: &Case) -> String {
        let (warps, threads) = (case.warps, case.warps * 32);
        let Text { layouts, maps, params, tensors, body, .. } = self;
        format!(
            "kernel \"k\" for sm_90a warps {warps} {{\nplan k threads {threads}\n{params}grid [1]\n\
             {layouts}{maps}{tensors}body ({heads}) {{\n{body}}}\n}}\n",
            heads = self.heads.join(", "),
        )
    }
}

/// The elements of a matrix of `columns` columns, column by column.
fn flipped(numbers: &[f64], columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|j| numbers.iter().skip(j).step_by(columns)).copied().collect()
}

#[track_caller]
fn check(case: &Case) {
    let [m, n, k] = case.extents.map(|it| it as usize);
    let row = case.row;
    let mut random = Random(7);
    let mut numbers =
        |dtype, len: usize| -> Vec<f64> { (0..len).map(|_| number(dtype, &mut random)).collect() };
    let (a, b, acc) = (numbers(row.a, m * k), numbers(row.b, k * n), numbers(row.acc, m * n));
    let acc = if case.from_zero { vec![0.0; m * n] } else { acc };
    let plain: Vec<f64> = (0..m * n)
        .map(|at| (0..k).fold(acc[at], |sum, p| sum + a[at / n * k + p] * b[p * n + at % n]))
        .collect();
    let wanted = stored(row.acc, &plain);
    let is_turned = |it: Place| matches!(it, Place::Memory { turned: true, .. });
    let x = if is_turned(case.left) { flipped(&a, k) } else { a };
    let y = if is_turned(case.right) { b } else { flipped(&b, n) };
    let zeros = vec![0; wanted.len()];
    let buffers = [stored(row.a, &x), stored(row.b, &y), stored(row.acc, &acc), zeros];
    let words: Vec<_> = (0..4).map(address).collect();
    let [interp, sim] = both(&case.kernel(), [1, 1, 1], &words, &buffers);
    assert!(interp[3] == wanted, "interp differs from the plain product: {case:?}");
    assert!(sim[3] == wanted, "sim differs from the plain product: {case:?}");
}

fn rows() -> impl Iterator<Item = &'static WgmmaRow> {
    WgmmaId::all().map(WgmmaId::row)
}

fn halves() -> &'static WgmmaRow {
    rows().find(|it| it.turns()).expect("there are halves")
}

#[test]
fn every_type_gives_the_plain_product_from_memory_and_from_registers() {
    for row in rows() {
        check(&Case::plain(row));
        check(&Case { left: Place::Registers, from_zero: true, ..Case::plain(row) });
    }
}

#[test]
fn every_swizzle_is_read_as_it_was_written() {
    for row in [halves(), rows().last().expect("there are bytes")] {
        for swizzle in [0, 32, 64, 128] {
            let of = Place::Memory { swizzle, turned: false };
            check(&Case { left: of, right: of, ..Case::plain(row) });
        }
    }
}

#[test]
fn halves_may_lie_either_way() {
    for swizzle in [0, 32, 64, 128] {
        let turned = Place::Memory { swizzle, turned: true };
        let extents = [64, 128, 32];
        let case = Case { extents, n: 128, ..Case::plain(halves()) };
        let narrow = Place::Memory { swizzle: 64, turned: false };
        check(&Case { left: turned, right: narrow, ..case.clone() });
        check(&Case { left: narrow, right: turned, ..case.clone() });
        check(&Case { left: turned, right: turned, ..case });
    }
}

#[test]
fn tiles_of_several_instructions_and_warp_groups_give_the_product() {
    let plain = Case::plain(halves());
    let bytes = Case::plain(rows().last().expect("there are bytes"));
    for (extents, n, warps) in [
        ([128, 32, 64], 32, 4),
        ([64, 64, 64], 32, 4),
        ([128, 64, 128], 64, 8),
        ([256, 32, 64], 16, 8),
        ([64, 8, 64], 8, 4),
        ([64, 96, 64], 96, 4),
        ([64, 96, 64], 24, 4),
        ([64, 256, 64], 256, 4),
    ] {
        for left in [SWIZZLED, Place::Registers] {
            check(&Case { extents, n, warps, left, ..plain.clone() });
        }
    }
    check(&Case { extents: [64, 24, 128], n: 24, ..bytes });
}

/// What `ptxas` says of a kernel, where there is one.
fn said(ptx: &str) -> Option<String> {
    let folder = tempfile::tempdir().expect("there is room for files");
    let source = folder.path().join("k.ptx");
    std::fs::write(&source, ptx).expect("the folder is writable");
    let mut ptxas = std::process::Command::new(find_ptxas()?);
    ptxas.args(["-v", "-arch=sm_90a", "-o"]).arg(folder.path().join("k.cubin")).arg(&source);
    let done = ptxas.output().expect("it runs");
    let text = [done.stdout, done.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(done.status.success(), "{text}\n{ptx}");
    Some(text)
}

#[test]
fn the_assembler_takes_every_product_and_serialises_none() {
    let plain = Case::plain(halves());
    let types = rows().map(Case::plain);
    let left = rows().map(|row| Case { left: Place::Registers, ..Case::plain(row) });
    let wide = [Case { extents: [128, 128, 64], n: 128, ..plain }];
    for case in types.chain(left).chain(wide) {
        let options = BuildOptions { code_object: CodeObject::Never, ..Default::default() };
        let built = build(&case.kernel(), &options).unwrap_or_else(|it| panic!("{it}: {case:?}"));
        let ptx = built.ptx.expect("it is made");
        let [m, n, k] = case.extents;
        let wanted = (m / 64) * (n / case.n) * (k / case.row.k);
        assert_eq!(ptx.matches("wgmma.mma_async").count() as u32, wanted, "{case:?}");
        if let Some(text) = said(&ptx) {
            assert!(!text.contains("serializ"), "{case:?}: {text}");
        }
    }
}
