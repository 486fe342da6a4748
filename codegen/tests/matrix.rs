//! Every matrix instruction of every target: the interpreter and the lowered code give the plain
//! product, and the machines' assemblers take what comes out.
//!
//! Elements are small multiples of a half, so that every sum is exact in every accumulator and the
//! order of summation does not show: the three products are equal bit for bit.

mod support;

use std::fmt::Write as _;

use support::factors::{number, stored};
use support::layouts::text_of;
use support::{Random, address, both, kernel};
use tile_codegen::{BuildOptions, CodeObject, build};
use tile_language::dtype::DType;
use tile_language::ir::Kernel;
use tile_language::target::mma::{MATRIX_ROWS, MatrixFamily, MatrixRow};
use tile_language::target::{TARGETS, Target};
use tile_layout::{Layout, Machine, Spec};

/// One product to look at.
#[derive(Clone, Debug)]
struct Case {
    row: &'static MatrixRow,
    target: &'static Target,
    /// Extents of the whole product: m, n, k.
    extents: [u32; 3],
    warps: [u32; 2],
    k_width: u32,
    transposed: bool,
}

impl Case {
    /// Two instructions in every dimension, two warps along rows.
    fn plain(row: &'static MatrixRow, target: &'static Target) -> Case {
        // Accumulators are made of 16 rows even where the instruction has 8.
        let m = row.m.max(16);
        let extents = [2 * m, 2 * row.n, 2 * row.k];
        let k_width = row.k_width();
        Case { row, target, extents, warps: [2, 1], k_width, transposed: false }
    }

    fn accumulator(&self) -> Spec {
        let warps = self.warps.to_vec();
        match self.row.family {
            MatrixFamily::Mma => Spec::Mma { warps },
            MatrixFamily::Mfma => Spec::Mfma {
                m: self.row.m,
                n: self.row.n,
                k: self.row.k,
                warps,
                transposed: self.transposed,
                wide: self.row.acc == DType::F64,
            },
        }
    }

    fn layouts(&self) -> [Layout; 3] {
        let [m, n, k] = self.extents;
        let machine = Machine { lanes: self.target.lanes, warps: self.warps.iter().product() };
        let acc = self.accumulator();
        [
            (acc.clone().a(self.k_width), [m, k]),
            (acc.clone().b(self.k_width), [k, n]),
            (acc, [m, n]),
        ]
        .map(|(spec, shape)| spec.apply(&shape, machine).expect("the layout fits"))
    }

    fn kernel(&self) -> Kernel {
        kernel(&self.text(), self.target.name)
    }

    /// One block that loads `x`, `y` and `z`, and stores `x · y + z` to `r`.
    fn text(&self) -> String {
        let [m, n, k] = self.extents;
        let row = self.row;
        let tensors = [
            ("x", row.a, [m, k], "A"),
            ("y", row.b, [k, n], "B"),
            ("z", row.acc, [m, n], "C"),
            ("r", row.acc, [m, n], "C"),
        ];
        let (mut params, mut decls, mut heads) = (String::new(), String::new(), Vec::new());
        let mut body = String::new();
        for (at, (name, dtype, [rows, cols], layout)) in tensors.into_iter().enumerate() {
            let mutable = if name == "r" { " mut" } else { "" };
            let ty = |elem: &str| format!("{elem}[{rows}, {cols}] @ #{layout}");
            let _ =
                writeln!(params, "param {name}: tensor {dtype} [{rows}, {cols}] align 16{mutable}");
            let _ = writeln!(
                decls,
                "tensor {name}: {dtype} at %{name} dims [{rows}, {cols}] strides [{cols}, 1] align 16{mutable}"
            );
            heads.push(format!("%{name}: *{dtype} = address {name}"));
            let _ = writeln!(body, "%i{name}: {} = tile.index<0>", ty("i32"));
            let _ = writeln!(body, "%j{name}: {} = tile.index<1>", ty("i32"));
            let pointer = ty(&format!("*{dtype}"));
            let _ = writeln!(body, "%p{name}: {pointer} = memory.at<{at}> %i{name}, %j{name}");
            if name != "r" {
                let value = ty(dtype.name());
                let _ = writeln!(body, "%v{name}: {value} = memory.load<all, normal> %p{name}");
            }
        }
        let [a, b, c] = self.layouts().map(|it| text_of(&it));
        format!(
            "kernel \"k\" for {target} warps {warps} {{\nplan k threads {threads}\n{params}grid [1]\n\
             layout #A = {a}\nlayout #B = {b}\nlayout #C = {c}\n{decls}body ({heads}) {{\n{body}\
             %vr: {acc}[{m}, {n}] @ #C = mma.mma<\"{name}\", {cap}> %vx, %vy, %vz\n\
             memory.store<all, normal> %pr, %vr\n}}\n}}\n",
            target = self.target.name,
            warps = self.warps.iter().product::<u32>(),
            threads = self.warps.iter().product::<u32>() * self.target.lanes,
            heads = heads.join(", "),
            acc = row.acc,
            name = row.name,
            cap = row.cap.name(),
        )
    }
}

#[track_caller]
fn check(case: &Case) {
    let [m, n, k] = case.extents.map(|it| it as usize);
    let row = case.row;
    let mut random = Random(7);
    let mut numbers =
        |dtype, len: usize| -> Vec<f64> { (0..len).map(|_| number(dtype, &mut random)).collect() };
    let (a, b, acc) = (numbers(row.a, m * k), numbers(row.b, k * n), numbers(row.acc, m * n));
    let plain: Vec<f64> = (0..m * n)
        .map(|at| (0..k).fold(acc[at], |sum, p| sum + a[at / n * k + p] * b[p * n + at % n]))
        .collect();
    let wanted = stored(row.acc, &plain);
    let zeros = vec![0; wanted.len()];
    let buffers = [stored(row.a, &a), stored(row.b, &b), stored(row.acc, &acc), zeros];
    let words: Vec<_> = (0..4).map(address).collect();
    let [interp, sim] = both(&case.kernel(), [1, 1, 1], &words, &buffers);
    assert!(interp[3] == wanted, "interp differs from the plain product: {case:?}");
    assert!(sim[3] == wanted, "sim differs from the plain product: {case:?}");
}

/// Every instruction that a target has, with that target.
fn all() -> impl Iterator<Item = (&'static MatrixRow, &'static Target)> {
    let of = |target: &'static Target| {
        MATRIX_ROWS.iter().filter(|it| target.has(it.cap)).map(move |it| (it, target))
    };
    TARGETS.iter().flat_map(of)
}

/// Every instruction once.
fn each() -> impl Iterator<Item = (&'static MatrixRow, &'static Target)> {
    let with_target = |row: &'static MatrixRow| {
        (row, TARGETS.iter().find(|it| it.has(row.cap)).expect("some target has it"))
    };
    MATRIX_ROWS.iter().map(with_target)
}

#[test]
fn every_instruction_of_every_target_gives_the_plain_product() {
    all().for_each(|(row, target)| check(&Case::plain(row, target)));
}

/// Lanes that hold more, or fewer, neighbours along `k` than the manual draws.
#[test]
fn other_widths_along_k_give_the_same_product() {
    for (row, target) in each() {
        for k_width in [2 * row.k_width(), row.k_pack()] {
            let depth = (k_width * row.k_lanes()).max(2 * row.k);
            let extents = [row.m.max(16), row.n, depth];
            check(&Case { k_width, extents, warps: [1, 1], ..Case::plain(row, target) });
        }
    }
}

#[test]
fn tiles_of_three_instructions_and_of_warps_that_share_give_the_product() {
    for (row, target) in each() {
        let m = row.m.max(16);
        let odd = [m, 3 * row.n, 3 * row.k];
        check(&Case { extents: odd, warps: [1, 1], ..Case::plain(row, target) });
        let small = [m, 2 * row.n, row.k];
        check(&Case { extents: small, warps: [2, 4], ..Case::plain(row, target) });
    }
}

#[test]
fn transposed_accumulators_give_the_same_product() {
    for (row, target) in each().filter(|it| it.0.family == MatrixFamily::Mfma) {
        check(&Case { transposed: true, ..Case::plain(row, target) });
    }
}

#[test]
fn assemblers_take_every_instruction_by_its_name() {
    for (row, target) in all() {
        let case = Case::plain(row, target);
        let options = BuildOptions { code_object: CodeObject::IfPossible, ..Default::default() };
        let built = build(&case.kernel(), &options).unwrap_or_else(|it| panic!("{it}: {case:?}"));
        let text = built.ptx.as_ref().or(built.assembly.as_ref()).expect("one of them is made");
        let per_warp = |extent: u32, unit: u32, warps: u32| extent / unit / warps;
        let wanted = per_warp(case.extents[0], row.m, 2)
            * per_warp(case.extents[1], row.n, 1)
            * per_warp(case.extents[2], row.k, 1);
        let found = text.lines().filter(|it| it.trim_start().starts_with(row.name)).count();
        assert_eq!(found as u32, wanted, "{case:?}\n{text}");
    }
}
