//! Elementwise functions: of one operand, of two, `fma` and `select`.

use tile_syntax::ast::Span;

use super::args::Args;
use super::arithmetic::{Takes, apply, emit_aligned};
use super::numbers::pick;
use super::unify::{Operand, common_elem, elem_of};
use crate::dtype::DType;
use crate::elab::cx::Elab;
use crate::elab::value::Value;
use crate::ir::Elem;
use crate::op::TileOp;
use crate::op::tile::{BinaryOp, UnaryOp};
use crate::report;

fn one(cx: &mut Elab<'_>, args: &Args, op: UnaryOp, takes: Takes) -> Option<Value> {
    let x = args.value("x").clone();
    if let Some(folded) = fold(op, &x) {
        return Some(folded);
    }
    let elem = common_elem(cx, &[&x], args.row.path, args.span)?;
    let what = format!("`{}`", args.row.path);
    apply(cx, TileOp::Unary { op }, &args.operands(["x"]), elem, takes, &what, args.span)
}

/// Functions of a compile-time number, where the result is exact or correctly rounded anyway.
fn fold(op: UnaryOp, x: &Value) -> Option<Value> {
    match (op, x) {
        (UnaryOp::Abs, Value::Int(it)) => it.checked_abs().map(Value::Int),
        (UnaryOp::Popcount, Value::Int(it)) if *it >= 0 => {
            Some(Value::Int(i128::from(it.count_ones())))
        }
        (_, Value::Float(it)) => {
            let folded = match op {
                UnaryOp::Abs => it.abs(),
                UnaryOp::Sqrt => it.sqrt(),
                UnaryOp::Floor => it.floor(),
                UnaryOp::Ceil => it.ceil(),
                UnaryOp::Round => it.round_ties_even(),
                UnaryOp::Trunc => it.trunc(),
                UnaryOp::Rcp => it.recip(),
                UnaryOp::Rsqrt => it.sqrt().recip(),
                _ => return None,
            };
            Some(Value::Float(folded))
        }
        _ => None,
    }
}

macro_rules! unary_rules {
    ($($name:ident = $op:ident $takes:ident;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "(x)`")]
            pub(crate) fn $name(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
                one(cx, args, UnaryOp::$op, Takes::$takes)
            }
        )*
    };
}

unary_rules! {
    abs = Abs Signed;
    sqrt = Sqrt Floats;
    exp2 = Exp2 Floats;
    log2 = Log2 Floats;
    rcp = Rcp Floats;
    rsqrt = Rsqrt Floats;
    sin = Sin Floats;
    cos = Cos Floats;
    tanh = Tanh Floats;
    exact_exp2 = ExactExp2 Floats;
    exact_log2 = ExactLog2 Floats;
    floor = Floor Floats;
    ceil = Ceil Floats;
    round = Round Floats;
    trunc = Trunc Floats;
    popcount = Popcount Ints;
    leading_zeros = LeadingZeros Ints;
    reverse_bits = ReverseBits Ints;
}

fn two(cx: &mut Elab<'_>, args: &Args, op: BinaryOp, takes: Takes) -> Option<Value> {
    let (a, b) = (args.value("a").clone(), args.value("b").clone());
    if let Some(folded) = pick(op, &a, &b).filter(|_| op != BinaryOp::MulHigh) {
        return Some(folded);
    }
    let elem = common_elem(cx, &[&a, &b], args.row.path, args.span)?;
    let what = format!("`{}`", args.row.path);
    apply(cx, TileOp::Binary { op }, &args.operands(["a", "b"]), elem, takes, &what, args.span)
}

macro_rules! binary_rules {
    ($($name:ident = $op:ident $takes:ident;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "(a, b)`")]
            pub(crate) fn $name(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
                two(cx, args, BinaryOp::$op, Takes::$takes)
            }
        )*
    };
}

binary_rules! {
    min = Min Numbers;
    max = Max Numbers;
    min_nan = MinNan Floats;
    max_nan = MaxNan Floats;
    mul_high = MulHigh Ints;
}

/// `exact::rcp(x)`: the correctly rounded reciprocal is a division.
pub(crate) fn exact_rcp(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let x = args.value("x").clone();
    let elem = common_elem(cx, &[&x], args.row.path, args.span)?;
    let op = TileOp::Binary { op: BinaryOp::Div };
    apply(
        cx,
        op,
        &[(Value::Float(1.0), args.span), (x, args.span)],
        elem,
        Takes::Floats,
        "`exact::rcp`",
        args.span,
    )
}

/// `fma(a, b, c)`
pub(crate) fn fma(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (a, b, c) = (args.value("a").clone(), args.value("b").clone(), args.value("c").clone());
    match (&a, &b, &c) {
        (Value::Int(a), Value::Int(b), Value::Int(c)) => {
            let folded = a.checked_mul(*b).and_then(|it| it.checked_add(*c));
            if folded.is_none() {
                args.mismatch(cx, args.arg("a"), "numbers whose result fits 128 bits");
            }
            return folded.map(Value::Int);
        }
        (Value::Float(a), Value::Float(b), Value::Float(c)) => {
            return Some(Value::Float(a.mul_add(*b, *c)));
        }
        _ => {}
    }
    let elem = common_elem(cx, &[&a, &b, &c], "fma", args.span)?;
    apply(
        cx,
        TileOp::Fma,
        &args.operands(["a", "b", "c"]),
        elem,
        Takes::Numbers,
        "`fma`",
        args.span,
    )
}

/// `select(cond, a, b)`; tuples are picked part by part.
pub(crate) fn select(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (cond, a, b) = (args.value("cond"), args.value("a"), args.value("b"));
    match cond {
        Value::Bool(true) => Some(a.clone()),
        Value::Bool(false) => Some(b.clone()),
        _ => {
            if elem_of(cx, cond) != Some(Elem::Data(DType::Bool)) {
                args.mismatch(cx, args.arg("cond"), "a bool");
                return None;
            }
            select_parts(cx, cond, a, b, args.span)
        }
    }
}

fn select_parts(
    cx: &mut Elab<'_>,
    cond: &Value,
    a: &Value,
    b: &Value,
    span: Span,
) -> Option<Value> {
    if let (Value::Tuple(xs), Value::Tuple(ys)) = (a, b) {
        if xs.len() != ys.len() {
            let place = cx.place(span);
            cx.report(report::ops::parts_differ(place, xs.len(), ys.len()));
            return None;
        }
        let parts = xs
            .iter()
            .zip(ys.iter())
            .map(|(x, y)| select_parts(cx, cond, x, y, span))
            .collect::<Option<_>>()?;
        return Some(Value::Tuple(parts));
    }
    let elem = common_elem(cx, &[a, b], "select", span)?;
    let operands = [
        Operand { value: cond.clone(), elem: Elem::Data(DType::Bool), span },
        Operand { value: a.clone(), elem, span },
        Operand { value: b.clone(), elem, span },
    ];
    let value = emit_aligned(cx, TileOp::Select, &operands, elem, span)?;
    Some(value)
}
