//! Launches of one kernel, `scale`: each rule violated once, and the laws.

use super::*;
use crate::{Check, Fun, Symbol, TensorMap};

const DEVICE: Device = Device { sms: 132, blocks_per_sm: 2 };

/// `kernel scale(x: global f32[rows, cols], y: global mut f32[rows, cols] strides [s, 1],
/// bias: global f32[n]?, by: f32 = 2.0, times: i32) where cols % 4 == 0, n % 8 == 0
/// grid [cdiv(rows, times)]`
fn scale() -> LaunchPlan {
    let tensor = |name: &str, dims: Vec<Expr>, strides: Option<Vec<Expr>>, optional| Param {
        name: name.to_owned(),
        kind: ParamKind::Tensor {
            dtype: "f32".to_owned(),
            dims,
            strides,
            align: 16,
            mutable: name == "y",
            optional,
        },
    };
    let scalar = |name: &str, dtype: &str, default| Param {
        name: name.to_owned(),
        kind: ParamKind::Scalar { dtype: dtype.to_owned(), default },
    };
    let symbol = |name: &str, bits| Symbol { name: name.to_owned(), bits };
    let divides = |symbol: u32, by: i64, text: &str| Check {
        text: text.to_owned(),
        expr: Expr::Apply(
            Fun::Eq,
            vec![Expr::Apply(Fun::Rem, vec![Expr::Symbol(symbol), Expr::Int(by)]), Expr::Int(0)],
        ),
    };
    let shape = || vec![Expr::Symbol(0), Expr::Symbol(1)];
    LaunchPlan {
        kernel: "scale".to_owned(),
        params: vec![
            tensor("x", shape(), None, false),
            tensor("y", shape(), Some(vec![Expr::Symbol(2), Expr::Int(1)]), false),
            tensor("bias", vec![Expr::Symbol(3)], None, true),
            scalar("by", "f32", Some(Scalar::Float(2.0))),
            scalar("times", "i32", None),
        ],
        symbols: vec![symbol("rows", 32), symbol("cols", 32), symbol("s", 64), symbol("n", 32)],
        maps: Vec::new(),
        checks: vec![divides(1, 4, "cols % 4 == 0"), divides(3, 8, "n % 8 == 0")],
        grid: vec![Expr::Apply(Fun::CeilDiv, vec![Expr::Symbol(0), Expr::Scalar(4)])],
        cluster: Vec::new(),
        resident: false,
        threads: 128,
        abi: vec![
            AbiSlot::Address(0),
            AbiSlot::Address(2),
            AbiSlot::Symbol(1),
            AbiSlot::Symbol(3),
            AbiSlot::Scalar(3),
        ],
    }
}

fn tensor(shape: &[u64]) -> Argument {
    Argument::Tensor(TensorArgument::contiguous("f32", shape, 0x1000))
}

fn strided(shape: &[u64], strides: &[i64]) -> Argument {
    let tensor = TensorArgument::contiguous("f32", shape, 0x1000);
    Argument::Tensor(TensorArgument { strides: Some(strides.to_vec()), ..tensor })
}

fn launch(x: Argument, y: Argument, rest: [Argument; 3]) -> Result<Bound, String> {
    let args: Vec<Argument> = [x, y].into_iter().chain(rest).collect();
    scale().bind(&args, &DEVICE).map_err(|it| it.to_string())
}

fn defaults() -> [Argument; 3] {
    [Argument::Absent, Argument::Absent, Argument::Scalar(Scalar::Int(1))]
}

#[track_caller]
fn refused(x: Argument, y: Argument, rest: [Argument; 3], expect: &str) {
    assert_eq!(launch(x, y, rest).expect_err("the launch is refused"), expect);
}

#[test]
fn a_launch_that_satisfies_every_rule_is_bound() {
    let bound = launch(tensor(&[37, 8]), strided(&[37, 8], &[16, 1]), defaults()).expect("bound");
    assert_eq!(bound.grid, [37, 1, 1]);
    assert_eq!(bound.symbols, [Some(37), Some(8), Some(16), None]);
    let by = u64::from(2f32.to_bits());
    let expect = [Word::Tensor(0), Word::Null, Word::Bits(8), Word::Bits(0), Word::Bits(by)];
    assert_eq!(bound.words, expect);
}

#[test]
fn l2_equal_names_have_equal_values() {
    refused(
        tensor(&[37, 1000]),
        tensor(&[37, 1024]),
        defaults(),
        "cannot launch `scale`: `cols` is 1000 by dimension 1 of `x` and 1024 by dimension 1 of `y`",
    );
}

#[test]
fn l3_a_grid_with_a_zero_launches_nothing_and_is_no_error() {
    let bound = launch(tensor(&[0, 8]), tensor(&[0, 8]), defaults()).expect("bound");
    assert!(bound.is_empty());
}

#[test]
fn a_false_clause_is_named_with_its_values() {
    refused(
        tensor(&[2, 6]),
        tensor(&[2, 6]),
        defaults(),
        "cannot launch `scale`: `where cols % 4 == 0` does not hold: `cols` is 6",
    );
}

#[test]
fn kinds_types_and_ranks_are_checked() {
    let number = || Argument::Scalar(Scalar::Int(1));
    let half = Argument::Tensor(TensorArgument::contiguous("f16", vec![2, 8], 0));
    let x = || tensor(&[2, 8]);
    refused(
        number(),
        x(),
        defaults(),
        "cannot launch `scale`: argument `x` is a tensor, a scalar is given",
    );
    refused(
        half,
        x(),
        defaults(),
        "cannot launch `scale`: `x` has elements of type `f32`, `f16` is given",
    );
    refused(
        tensor(&[16]),
        x(),
        defaults(),
        "cannot launch `scale`: `x` has 2 dimensions, 1 are given",
    );
    refused(Argument::Absent, x(), defaults(), "cannot launch `scale`: argument `x` is missing");
    let no_times = [Argument::Absent, Argument::Absent, Argument::Absent];
    refused(x(), x(), no_times, "cannot launch `scale`: argument `times` is missing");
}

#[test]
fn strides_are_checked_where_they_reach_something() {
    refused(
        strided(&[2, 8], &[16, 1]),
        tensor(&[2, 8]),
        defaults(),
        "cannot launch `scale`: dimension 0 of `x` has a stride of 16 elements where 8 is expected \
         for a contiguous row-major tensor",
    );
    refused(
        tensor(&[2, 8]),
        strided(&[2, 8], &[16, 2]),
        defaults(),
        "cannot launch `scale`: dimension 1 of `y` has a stride of 2 elements where 1 is expected",
    );
    launch(strided(&[1, 8], &[99, 1]), tensor(&[1, 8]), defaults()).expect("one row has no stride");
}

#[test]
fn an_address_must_be_aligned_unless_nothing_lies_there() {
    let at = |shape: &[u64], address| {
        Argument::Tensor(TensorArgument::contiguous("f32", shape, address))
    };
    refused(
        at(&[2, 8], 0x1004),
        tensor(&[2, 8]),
        defaults(),
        "cannot launch `scale`: the address of `x` (0x1004) is not a multiple of 16 bytes",
    );
    launch(at(&[0, 8], 1), tensor(&[0, 8]), defaults()).expect("an empty tensor lies nowhere");
}

#[test]
fn sizes_must_fit_their_words() {
    let rows = 1 << 31;
    refused(
        tensor(&[rows, 8]),
        tensor(&[rows, 8]),
        defaults(),
        "cannot launch `scale`: `rows` is 2147483648, which does not fit its 32 bits",
    );
}

#[test]
fn scalars_must_be_numbers_of_their_type() {
    let times = |it| [Argument::Absent, Argument::Absent, Argument::Scalar(it)];
    let x = || tensor(&[2, 8]);
    refused(
        x(),
        x(),
        times(Scalar::Int(1 << 40)),
        "cannot launch `scale`: `times` is 1099511627776, which is no `i32`",
    );
    refused(
        x(),
        x(),
        times(Scalar::Float(1.5)),
        "cannot launch `scale`: `times` is 1.5, which is no `i32`",
    );
    refused(
        x(),
        x(),
        times(Scalar::Int(0)),
        "cannot launch `scale`: `cdiv(rows, times)` has no value: 2 is divided by zero; \
         `rows` is 2, `times` is 0",
    );
    refused(
        x(),
        x(),
        times(Scalar::Int(-1)),
        "cannot launch `scale`: `grid` has -2 blocks along axis 0 (`cdiv(rows, times)`)",
    );
}

#[test]
fn grids_have_a_largest_extent() {
    let mut plan = scale();
    plan.grid = vec![Expr::Int(1), Expr::Symbol(0)];
    let args = [tensor(&[65536, 8]), tensor(&[65536, 8])];
    let args: Vec<Argument> = args.into_iter().chain(defaults()).collect();
    let error = plan.bind(&args, &DEVICE).expect_err("the launch is refused");
    assert_eq!(
        error.to_string(),
        "cannot launch `scale`: `grid` has 65536 blocks along axis 1 (`rows`), at most 65535 are possible"
    );
}

#[test]
fn a_clause_about_an_absent_tensor_says_nothing() {
    let bias = |n: u64| [tensor(&[n]), Argument::Absent, Argument::Scalar(Scalar::Int(1))];
    let x = || tensor(&[2, 8]);
    launch(x(), x(), defaults()).expect("no bias, no clause");
    launch(x(), x(), bias(16)).expect("16 is a multiple of 8");
    refused(
        x(),
        x(),
        bias(12),
        "cannot launch `scale`: `where n % 8 == 0` does not hold: `n` is 12",
    );
}

#[test]
fn a_pointer_takes_a_contiguous_tensor_of_any_shape() {
    let kind = ParamKind::Pointer { dtype: "f32".to_owned(), align: 4 };
    let plan = LaunchPlan {
        params: vec![Param { name: "p".to_owned(), kind }],
        grid: vec![Expr::Int(1)],
        abi: vec![AbiSlot::Address(0)],
        ..LaunchPlan::default()
    };
    let bind = |it: Argument| plan.bind(&[it], &DEVICE).map_err(|it| it.problem.to_string());
    for shape in [&[][..], &[5], &[2, 3, 4]] {
        assert_eq!(bind(tensor(shape)).expect("bound").words, [Word::Tensor(0)]);
    }
    let odd = TensorArgument::contiguous("f32", [4], 0x1002);
    let refusals = [
        (
            strided(&[2, 4], &[8, 1]),
            "dimension 0 of `p` has a stride of 8 elements where 4 is expected for a contiguous \
             row-major tensor",
        ),
        (Argument::Tensor(odd), "the address of `p` (0x1002) is not a multiple of 4 bytes"),
        (Argument::Scalar(Scalar::Int(0)), "argument `p` is a tensor, a scalar is given"),
        (Argument::Absent, "argument `p` is missing"),
    ];
    for (given, expect) in refusals {
        assert_eq!(bind(given).expect_err("the launch is refused"), expect);
    }
}

/// `scale` with boxes of `x` and of `bias`.
fn boxed(x: Argument, y: Argument, bias: Argument) -> Result<Bound, String> {
    let map = |param, axes: &[u32], extents: &[u32]| TensorMap {
        param,
        axes: axes.to_vec(),
        extents: extents.to_vec(),
        dtype: "f32".to_owned(),
        bits: 32,
        swizzle: 0,
    };
    let mut plan = scale();
    plan.maps = vec![map(0, &[1, 0], &[4, 8]), map(2, &[0], &[8])];
    plan.abi.push(AbiSlot::Map(1));
    let args = [x, y, bias, Argument::Absent, Argument::Scalar(Scalar::Int(1))];
    plan.bind(&args, &DEVICE).map_err(|it| it.to_string())
}

#[test]
fn a_tensor_map_is_bound_with_sizes_and_strides_or_absent_with_its_tensor() {
    let bound = boxed(tensor(&[37, 8]), strided(&[37, 8], &[16, 1]), Argument::Absent);
    let bound = bound.expect("bound");
    let map = bound.maps[0].as_ref().expect("`x` is present");
    assert_eq!((&map.sizes[..], &map.strides[..]), (&[8, 37][..], &[32][..]));
    assert_eq!((&bound.maps[1], bound.words.last()), (&None, Some(&Word::Map(1))));
}

#[test]
fn a_tensor_that_a_map_cannot_describe_is_named_with_the_rule() {
    let mut plan = scale();
    let (axes, extents) = (vec![1, 0], vec![4, 300]);
    let dtype = "f32".to_owned();
    plan.maps = vec![TensorMap { param: 0, axes, extents, dtype, bits: 32, swizzle: 0 }];
    let (x, y) = (tensor(&[37, 8]), strided(&[37, 8], &[16, 1]));
    let args = [x, y, Argument::Absent, Argument::Absent, Argument::Scalar(Scalar::Int(1))];
    assert_eq!(
        plan.bind(&args, &DEVICE).expect_err("the launch is refused").to_string(),
        "cannot launch `scale`: the copy engine cannot move boxes of `x`: an extent of 300 along dimension 0, \
         at most 256 is possible"
    );
}

#[test]
fn a_tensor_without_elements_has_a_map() {
    let empty = |shape: &[u64]| boxed(tensor(shape), strided(shape, &[16, 1]), Argument::Absent);
    assert!(empty(&[0, 8]).expect("nothing is launched").is_empty());
    let bound = empty(&[37, 0]).expect("bound");
    assert_eq!(bound.maps[0].as_ref().expect("`x` is present").sizes, [0, 37]);
}
