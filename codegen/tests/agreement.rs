//! The simulator gives the interpreter's answers for every operation on every element type: the
//! lowering of both vendors does what the IR means, bit for bit where the language promises it.

mod support;

use support::{BOTH, Random, address, both, kernel, row_512};
use tile_codegen::{BuildOptions, CodeObject, build};
use tile_language::dtype::{Class, DType};
use tile_language::op::tile::{BinaryOp, CmpOp, Round, UnaryOp};
use tile_language::target::TARGETS;
use tile_language::value::{self, accuracy};

/// Elements of a tile.
const N: usize = 512;

/// Types that lie in memory a byte or more each.
fn types() -> impl Iterator<Item = DType> {
    DType::ALL.iter().copied().filter(|it| it.storage_bits() >= 8)
}

fn functions_of(dtype: DType) -> Vec<UnaryOp> {
    use UnaryOp as U;
    let for_ints = [U::Neg, U::Not, U::Abs, U::Popcount, U::LeadingZeros, U::ReverseBits];
    let not_for_floats = [U::Not, U::Popcount, U::LeadingZeros, U::ReverseBits];
    match dtype.class() {
        Class::Bool => vec![U::Not],
        Class::Signed | Class::Unsigned => for_ints.to_vec(),
        Class::Float(_) => {
            U::ALL.iter().copied().filter(|it| !not_for_floats.contains(it)).collect()
        }
    }
}

fn operators_of(dtype: DType) -> Vec<BinaryOp> {
    use BinaryOp as B;
    let for_floats = [B::Add, B::Sub, B::Mul, B::Div, B::Rem, B::Min, B::Max, B::MinNan, B::MaxNan];
    match dtype.class() {
        Class::Bool => vec![B::And, B::Or, B::Xor],
        Class::Signed | Class::Unsigned => B::ALL.to_vec(),
        Class::Float(_) => for_floats.to_vec(),
    }
}

/// Bits of every kind: all edges of the type, then random ones.
fn samples(dtype: DType, seed: u64) -> Vec<u64> {
    let mask = u64::MAX >> (64 - dtype.bits());
    let mut random = Random(seed);
    let mut bits: Vec<u64> = vec![0, 1, mask, mask >> 1, (mask >> 1) + 1, 2, 3, mask - 1];
    if dtype.is_float() {
        let edges = [
            1.0, -1.0, 0.5, 1.5, -2.5, 3.0, 1e-3, 1e5, 1e-40, 3.4e38, 65504.0, 448.0, 0.1, 127.0,
            -0.0,
        ];
        bits.extend(edges.iter().map(|&it| value::encode(dtype, it, Round::Nearest)));
        bits.extend(
            [f64::INFINITY, f64::NEG_INFINITY, f64::NAN]
                .map(|it| value::encode(dtype, it, Round::Nearest)),
        );
    }
    while bits.len() < N {
        let it = match random.below(3) {
            // Moderate numbers, which meet more often than random bits.
            0 if dtype.is_float() => {
                let x = (random.below(2001) as f64 - 1000.0) / 64.0;
                value::encode(dtype, x, Round::Nearest)
            }
            1 if !dtype.is_float() => random.below(40).wrapping_sub(20) & mask,
            _ => random.next() & mask,
        };
        bits.push(it);
    }
    let tf32 = |it: u64| if dtype == DType::Tf32 { it & !0x1fff } else { it };
    bits.into_iter().map(tf32).collect()
}

fn stored(dtype: DType, bits: &[u64]) -> Vec<u8> {
    let width = dtype.storage_bits() as usize / 8;
    bits.iter().flat_map(|it| it.to_le_bytes()[..width].to_vec()).collect()
}

fn loaded(dtype: DType, bytes: &[u8]) -> Vec<u64> {
    let n = bytes.len() * 8 / dtype.storage_bits() as usize;
    (0..n).map(|at| value::read(dtype, bytes, at as u64).expect("it is inside")).collect()
}

/// One result of a kernel: its type and the instructions that make it out of `%x`, `%y`, `%z`.
struct Made {
    what: String,
    dtype: DType,
    code: String,
    /// The function, where an approximation is allowed.
    function: Option<UnaryOp>,
}

/// A kernel of one block over `x`, `y` and `z` of one type, with a tensor for every result.
fn text(target: &str, dtype: DType, made: &[Made]) -> String {
    let ty = |dtype: DType| format!("{dtype}[{N}] @ #L");
    let mut params = String::new();
    let mut tensors = String::new();
    let mut heads = Vec::new();
    let mut add = |name: &str, dtype: DType, mutable: &str| {
        params += &format!("    param {name}: tensor {dtype} [{N}] align 16{mutable}\n");
        tensors += &format!(
            "    tensor {name}: {dtype} at %{name} dims [{N}] strides [1] align 16{mutable}\n"
        );
        heads.push(format!("%{name}: *{dtype} = address {name}"));
    };
    ["x", "y", "z"].iter().for_each(|it| add(it, dtype, ""));
    made.iter().enumerate().for_each(|(at, it)| add(&format!("r{at}"), it.dtype, " mut"));
    let mut body = format!("        %i: i32[{N}] @ #L = tile.index<0>\n");
    for (at, name) in ["x", "y", "z"].iter().enumerate() {
        body += &format!("        %p{name}: *{} = memory.at<{at}> %i\n", ty(dtype));
        body += &format!("        %v{name}: {} = memory.load<all, normal> %p{name}\n", ty(dtype));
    }
    for (at, it) in made.iter().enumerate() {
        body += &format!("        {}\n", it.code.replace("%r", &format!("%v{at}")));
        body += &format!("        %q{at}: *{} = memory.at<{}> %i\n", ty(it.dtype), at + 3);
        body += &format!("        memory.store<all, normal> %q{at}, %v{at}\n");
    }
    format!(
        "kernel \"k\" for {target} warps 4 {{\n    plan k threads {}\n{params}    grid [1]\n    layout #L = {}\n{tensors}    body ({}) {{\n{body}    }}\n}}\n",
        if target.starts_with("sm") { 128 } else { 256 },
        row_512(target),
        heads.join(", "),
    )
}

/// Runs one kernel on both engines for both vendors and compares every element of every result.
fn check(dtype: DType, made: &[Made]) {
    for target in BOTH {
        let kernel = kernel(&text(target, dtype, made), target);
        let operands: Vec<Vec<u64>> = (1..4).map(|seed| samples(dtype, seed)).collect();
        let mut buffers: Vec<Vec<u8>> = operands.iter().map(|it| stored(dtype, it)).collect();
        buffers.extend(made.iter().map(|it| vec![0; N * it.dtype.storage_bits() as usize / 8]));
        let words: Vec<_> = (0..buffers.len() as u32).map(address).collect();
        let [interp, sim] = both(&kernel, [1, 1, 1], &words, &buffers);
        for (at, it) in made.iter().enumerate() {
            let [wanted, got] = [&interp, &sim].map(|buffers| loaded(it.dtype, &buffers[at + 3]));
            for (element, (&wanted, &got)) in wanted.iter().zip(&got).enumerate() {
                let inputs: Vec<String> =
                    operands.iter().map(|it| shown(dtype, it[element])).collect();
                let is_fine = match it.function {
                    Some(function) => is_near(function, dtype, operands[0][element], wanted, got),
                    None => is_same(it.dtype, wanted, got),
                };
                let (wanted, got) = (shown(it.dtype, wanted), shown(it.dtype, got));
                assert!(
                    is_fine,
                    "{target} {} {dtype} of {inputs:?}: interp {wanted}, sim {got}",
                    it.what
                );
            }
        }
    }
}

fn shown(dtype: DType, bits: u64) -> String {
    if dtype.is_float() {
        format!("{:e} ({bits:#x})", value::decode(dtype, bits))
    } else {
        format!("{bits:#x}")
    }
}

/// Bits are equal, or both are NaN.
fn is_same(dtype: DType, wanted: u64, got: u64) -> bool {
    let is_nan = |bits| dtype.is_float() && value::decode(dtype, bits).is_nan();
    wanted == got || is_nan(wanted) && is_nan(got)
}

/// Within the accuracy table's bound, of both engines.
fn is_near(function: UnaryOp, dtype: DType, x: u64, wanted: u64, got: u64) -> bool {
    if is_same(dtype, wanted, got) {
        return true;
    }
    let bound = accuracy::bound(function, dtype);
    if bound.ulp == 0.0 && bound.absolute == 0.0 {
        return false;
    }
    // The table's bounds of sine and cosine hold for moderate arguments.
    let is_circular = matches!(function, UnaryOp::Sin | UnaryOp::Cos);
    if is_circular && value::decode(dtype, x).abs() > 1e4 {
        return true;
    }
    let [a, b] = [wanted, got].map(|it| value::decode(dtype, it));
    let next = value::decode(dtype, wanted.wrapping_add(1));
    let ulp = if next.is_finite() { (next - a).abs() } else { a.abs() * 1e-2 };
    (a - b).abs() <= 2.0 * (bound.ulp * ulp + bound.absolute) || (a.is_nan() && b.is_nan())
}

fn plain(what: String, dtype: DType, code: String) -> Made {
    Made { what, dtype, code, function: None }
}

fn functions(dtype: DType) -> Vec<Made> {
    let ty = format!("{dtype}[{N}] @ #L");
    let one = |op: UnaryOp| Made {
        what: op.name().to_owned(),
        dtype,
        code: format!("%r: {ty} = tile.unary<{}> %vx", op.name()),
        function: Some(op),
    };
    functions_of(dtype).into_iter().map(one).collect()
}

fn operators(dtype: DType) -> Vec<Made> {
    let ty = format!("{dtype}[{N}] @ #L");
    // The interpreter refuses to divide by zero: divisors are made odd.
    let odd = format!(
        "%one: {ty} = tile.const<1>\n        %odd: {ty} = tile.binary<or> %vy, %one\n        "
    );
    let one = |op: BinaryOp| {
        let divides = dtype.is_int() && matches!(op, BinaryOp::Div | BinaryOp::Rem);
        let by = if divides { "%odd" } else { "%vy" };
        let code = format!("%r: {ty} = tile.binary<{}> %vx, {by}", op.name());
        let first = op == BinaryOp::Div && divides;
        plain(op.name().to_owned(), dtype, if first { odd.clone() + &code } else { code })
    };
    operators_of(dtype).into_iter().map(one).collect()
}

fn comparisons(dtype: DType) -> Vec<Made> {
    let ty = format!("{dtype}[{N}] @ #L");
    let orders = dtype != DType::Bool;
    let wanted = |op: &&CmpOp| orders || matches!(op, CmpOp::Eq | CmpOp::Ne);
    let one = |op: &CmpOp| {
        let code = format!("%r: bool[{N}] @ #L = tile.cmp<{}> %vx, %vy", op.name());
        plain(op.name().to_owned(), DType::Bool, code)
    };
    let mut made: Vec<Made> = CmpOp::ALL.iter().filter(wanted).map(one).collect();
    let select = format!(
        "%c: bool[{N}] @ #L = tile.cmp<ne> %vx, %vy\n        %r: {ty} = tile.select %c, %vy, %vz"
    );
    made.push(plain("select".to_owned(), dtype, select));
    if orders {
        made.push(plain("fma".to_owned(), dtype, format!("%r: {ty} = tile.fma %vx, %vy, %vz")));
    }
    made
}

#[test]
fn functions_of_one_operand() {
    types().for_each(|dtype| check(dtype, &functions(dtype)));
}

#[test]
fn functions_of_two_operands() {
    types().for_each(|dtype| check(dtype, &operators(dtype)));
}

#[test]
fn comparisons_selections_and_fused_products() {
    types().for_each(|dtype| check(dtype, &comparisons(dtype)));
}

/// The simulator does not see instruction selection: every code generator takes every operation.
#[test]
fn every_operation_becomes_code_for_every_target() {
    for target in TARGETS {
        for dtype in types() {
            let mut made = functions(dtype);
            made.extend(operators(dtype));
            made.extend(comparisons(dtype));
            let kernel = kernel(&text(target.name, dtype, &made), target.name);
            let built = build(
                &kernel,
                &BuildOptions { code_object: CodeObject::Never, ..Default::default() },
            );
            built.unwrap_or_else(|error| panic!("{dtype} for {}: {error}", target.name));
        }
    }
}

#[test]
fn conversions_between_all_types() {
    for from in types() {
        let mut made = Vec::new();
        for &to in DType::ALL.iter().filter(|&&to| to != from) {
            let rounds: &[Round] = if to.is_float() { Round::ALL } else { &[Round::Nearest] };
            for &round in rounds {
                let what = format!("cast to {to} {}", round.name());
                let cast = |result: &str| {
                    format!("%{result}: {to}[{N}] @ #L = tile.cast<{}> %vx", round.name())
                };
                if to.storage_bits() >= 8 {
                    made.push(plain(what, to, cast("r")));
                } else {
                    // Packed types are looked at through `f32`, which holds them all.
                    let name = format!("n{}", made.len());
                    let code = format!(
                        "{}\n        %r: f32[{N}] @ #L = tile.cast<nearest> %{name}",
                        cast(&name)
                    );
                    made.push(plain(what, DType::F32, code));
                }
            }
        }
        made.chunks(24).for_each(|part| check(from, part));
    }
}
