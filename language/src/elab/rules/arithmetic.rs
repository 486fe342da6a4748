//! Operators on tiles, scalars and pointers, and equality of compile-time values.

use smallvec::SmallVec;
use tile_layout::Spec;
use tile_syntax::ast::{self, Span};

use super::layouts::same_map;
use super::unify::{Operand, align, common_elem, elem_of};
use crate::dtype::{Class, DType};
use crate::elab::cx::Elab;
use crate::elab::value::{Tile, TypeValue, Value};
use crate::ir::{self, Elem, Type};
use crate::op::tile::{BinaryOp, CmpOp, UnaryOp};
use crate::op::{MemoryOp, Op, TileOp};
use crate::report;

/// A value with its place.
pub(super) type Spanned = (Value, Span);

/// What an operator does to elements.
#[derive(Clone, Copy)]
enum Meaning {
    /// Gives the operands' type.
    Number(BinaryOp, Takes),
    /// Gives `bool`.
    Question(CmpOp),
}

/// Which elements an operation takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Takes {
    /// Integers and floats.
    Numbers,
    /// Signed integers and floats.
    Signed,
    /// Integers.
    Ints,
    /// Floats.
    Floats,
    /// Integers and bools.
    Bits,
    /// Bools.
    Bools,
    /// All.
    Any,
}

impl Takes {
    /// Whether it takes elements of that type. Arithmetic wants a type that registers compute in;
    /// the 8-bit floats and smaller are for memory and matrix units.
    pub(crate) fn takes(self, elem: Elem) -> bool {
        let Elem::Data(dtype) = elem else { return self == Takes::Any };
        let is_computed = dtype.bits() >= 16 && dtype != DType::Tf32;
        match (self, dtype.class()) {
            (Takes::Any, _) | (Takes::Bools | Takes::Bits, Class::Bool) => true,
            (Takes::Numbers | Takes::Signed | Takes::Floats, Class::Float(_)) => is_computed,
            (Takes::Numbers | Takes::Ints | Takes::Bits, Class::Signed | Class::Unsigned) => true,
            (Takes::Signed, Class::Signed) => true,
            _ => false,
        }
    }

    /// The elements in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Takes::Numbers => "integers or floats of at least 16 bits",
            Takes::Signed => "signed integers or floats of at least 16 bits",
            Takes::Ints => "integers",
            Takes::Floats => "floats of at least 16 bits",
            Takes::Bits => "integers or bools",
            Takes::Bools => "bools",
            Takes::Any => "any elements",
        }
    }
}

fn meaning(op: ast::BinaryOp) -> Meaning {
    use Meaning::{Number, Question};
    match op {
        ast::BinaryOp::Mul => Number(BinaryOp::Mul, Takes::Numbers),
        ast::BinaryOp::Div => Number(BinaryOp::Div, Takes::Numbers),
        ast::BinaryOp::Rem => Number(BinaryOp::Rem, Takes::Ints),
        ast::BinaryOp::Add => Number(BinaryOp::Add, Takes::Numbers),
        ast::BinaryOp::Sub => Number(BinaryOp::Sub, Takes::Numbers),
        ast::BinaryOp::Shl => Number(BinaryOp::Shl, Takes::Ints),
        ast::BinaryOp::Shr => Number(BinaryOp::Shr, Takes::Ints),
        ast::BinaryOp::BitAnd => Number(BinaryOp::And, Takes::Bits),
        ast::BinaryOp::BitXor => Number(BinaryOp::Xor, Takes::Bits),
        ast::BinaryOp::BitOr => Number(BinaryOp::Or, Takes::Bits),
        ast::BinaryOp::And => Number(BinaryOp::And, Takes::Bools),
        ast::BinaryOp::Or => Number(BinaryOp::Or, Takes::Bools),
        ast::BinaryOp::Eq => Question(CmpOp::Eq),
        ast::BinaryOp::Ne => Question(CmpOp::Ne),
        ast::BinaryOp::Lt => Question(CmpOp::Lt),
        ast::BinaryOp::Le => Question(CmpOp::Le),
        ast::BinaryOp::Gt => Question(CmpOp::Gt),
        ast::BinaryOp::Ge => Question(CmpOp::Ge),
    }
}

/// Which elements an operator takes.
pub(crate) fn takes(op: ast::BinaryOp) -> Takes {
    match meaning(op) {
        Meaning::Number(_, takes) => takes,
        Meaning::Question(CmpOp::Eq | CmpOp::Ne) => Takes::Any,
        Meaning::Question(_) => Takes::Numbers,
    }
}

/// An operator with one operand as it is written, and which elements it takes.
pub(crate) fn takes_unary(op: ast::UnaryOp) -> Option<(&'static str, Takes)> {
    match op {
        ast::UnaryOp::Neg => Some(("-", Takes::Signed)),
        ast::UnaryOp::Not => Some(("!", Takes::Bits)),
        ast::UnaryOp::Pointer => None,
    }
}

/// The operator as it is written.
pub(crate) fn symbol(op: ast::BinaryOp) -> &'static str {
    match op {
        ast::BinaryOp::Mul => "*",
        ast::BinaryOp::Div => "/",
        ast::BinaryOp::Rem => "%",
        ast::BinaryOp::Add => "+",
        ast::BinaryOp::Sub => "-",
        ast::BinaryOp::Shl => "<<",
        ast::BinaryOp::Shr => ">>",
        ast::BinaryOp::BitAnd => "&",
        ast::BinaryOp::BitXor => "^",
        ast::BinaryOp::BitOr => "|",
        ast::BinaryOp::Eq => "==",
        ast::BinaryOp::Ne => "!=",
        ast::BinaryOp::Lt => "<",
        ast::BinaryOp::Le => "<=",
        ast::BinaryOp::Gt => ">",
        ast::BinaryOp::Ge => ">=",
        ast::BinaryOp::And => "&&",
        ast::BinaryOp::Or => "||",
    }
}

/// `lhs op rhs` at one place.
pub(super) fn binary(
    cx: &mut Elab<'_>,
    op: ast::BinaryOp,
    lhs: Value,
    rhs: Value,
    span: Span,
) -> Option<Value> {
    binary_of(cx, op, (lhs, span), (rhs, span), span)
}

/// `lhs op rhs`, each side with its place.
pub(super) fn binary_of(
    cx: &mut Elab<'_>,
    op: ast::BinaryOp,
    (lhs, lhs_span): Spanned,
    (rhs, rhs_span): Spanned,
    span: Span,
) -> Option<Value> {
    if let (ast::BinaryOp::Eq | ast::BinaryOp::Ne, Some(equal)) = (op, equal(cx, &lhs, &rhs)) {
        return Some(Value::Bool(equal == (op == ast::BinaryOp::Eq)));
    }
    if let Some(folded) = fold_logic(op, &lhs, &rhs) {
        return Some(folded);
    }
    let moves = matches!(op, ast::BinaryOp::Add | ast::BinaryOp::Sub);
    if let Some(Elem::Pointer(_)) = elem_of(cx, &lhs).filter(|_| moves) {
        let by = if op == ast::BinaryOp::Add { rhs } else { negated(cx, rhs, span)? };
        return offset(cx, lhs, by, span);
    }
    let name = symbol(op);
    let elem = common_elem(cx, &[&lhs, &rhs], name, span)?;
    let operands = [(lhs, lhs_span), (rhs, rhs_span)];
    let what = format!("`{name}`");
    let takes = takes(op);
    match meaning(op) {
        Meaning::Number(op, _) => {
            apply(cx, TileOp::Binary { op }, &operands, elem, takes, &what, span)
        }
        Meaning::Question(op) => {
            let result = Elem::Data(DType::Bool);
            apply_to(cx, TileOp::Cmp { op }, &operands, elem, result, takes, &what, span)
        }
    }
}

fn negated(cx: &mut Elab<'_>, value: Value, span: Span) -> Option<Value> {
    match value {
        Value::Int(it) => Some(Value::Int(it.saturating_neg())),
        other => unary(cx, ast::UnaryOp::Neg, other, span),
    }
}

/// Logic with a side that is known now.
fn fold_logic(op: ast::BinaryOp, lhs: &Value, rhs: &Value) -> Option<Value> {
    let (known, other) = match (lhs, rhs) {
        (Value::Bool(it), other) | (other, Value::Bool(it)) => (*it, other),
        _ => return None,
    };
    match op {
        ast::BinaryOp::And => Some(if known { other.clone() } else { Value::Bool(false) }),
        ast::BinaryOp::Or => Some(if known { Value::Bool(true) } else { other.clone() }),
        _ => None,
    }
}

/// Equality of compile-time values; `None` if it is a question to elements.
fn equal(cx: &Elab<'_>, lhs: &Value, rhs: &Value) -> Option<bool> {
    match (lhs, rhs) {
        (Value::Layout(a), Value::Layout(b)) => Some(same_map(cx, a, b)),
        (Value::Type(a), Value::Type(b)) => Some(same_type(cx, a, b)),
        (Value::Str(a), Value::Str(b)) => Some(a == b),
        (Value::Variant(..), Value::Variant(..)) => Some(lhs == rhs),
        (Value::Array(a), Value::Array(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            if a.len() != b.len() {
                return Some(false);
            }
            a.iter().zip(b.iter()).try_fold(true, |so_far, (a, b)| Some(equal(cx, a, b)? && so_far))
        }
        (Value::Int(a), Value::Int(b)) => Some(a == b),
        (Value::Float(a), Value::Float(b)) => Some(a == b),
        (Value::Bool(a), Value::Bool(b)) => Some(a == b),
        (Value::None, Value::None) => Some(true),
        _ => None,
    }
}

/// Equality of types: as maps where they have layouts.
fn same_type(cx: &Elab<'_>, a: &TypeValue, b: &TypeValue) -> bool {
    match (a, b) {
        (
            TypeValue::Tile { elem, shape, layout: Some(layout) },
            TypeValue::Tile { elem: other, shape: extents, layout: Some(map) },
        ) => elem == other && shape == extents && same_map_on(cx, layout, map, shape),
        _ => a == b,
    }
}

fn same_map_on(cx: &Elab<'_>, a: &Spec, b: &Spec, shape: &[u32]) -> bool {
    let applied = |it| super::layouts::apply_quietly(cx, it, shape);
    applied(a).is_some() && applied(a) == applied(b)
}

/// `op operand`.
pub(super) fn unary(
    cx: &mut Elab<'_>,
    op: ast::UnaryOp,
    operand: Value,
    span: Span,
) -> Option<Value> {
    let elem = common_elem(cx, &[&operand], "", span)?;
    let Some((symbol, takes)) = takes_unary(op) else {
        let (place, got) = (cx.place(span), super::describe(cx, &operand));
        cx.report(report::ops::no_dereference(place, &got));
        return None;
    };
    let op = if op == ast::UnaryOp::Neg { UnaryOp::Neg } else { UnaryOp::Not };
    apply(cx, TileOp::Unary { op }, &[(operand, span)], elem, takes, &format!("`{symbol}`"), span)
}

/// An elementwise operation whose result has the operands' element type.
pub(super) fn apply(
    cx: &mut Elab<'_>,
    op: impl Into<Op>,
    operands: &[Spanned],
    elem: Elem,
    takes: Takes,
    what: &str,
    span: Span,
) -> Option<Value> {
    apply_to(cx, op, operands, elem, elem, takes, what, span)
}

/// An elementwise operation on operands of type `elem` with a result of type `result`.
#[expect(
    clippy::too_many_arguments,
    reason = "the facts of one operation, each said once at every call"
)]
pub(super) fn apply_to(
    cx: &mut Elab<'_>,
    op: impl Into<Op>,
    operands: &[Spanned],
    elem: Elem,
    result: Elem,
    takes: Takes,
    what: &str,
    span: Span,
) -> Option<Value> {
    if !takes.takes(elem) {
        let place = cx.place(span);
        cx.report(report::ops::wrong_elements(place, what, takes.words(), elem));
        return None;
    }
    let operand = |(value, span): &Spanned| Operand { value: value.clone(), elem, span: *span };
    let operands: SmallVec<[Operand; 3]> = operands.iter().map(operand).collect();
    emit_aligned(cx, op, &operands, result, span)
}

/// An elementwise operation on operands whose element types are settled.
pub(super) fn emit_aligned(
    cx: &mut Elab<'_>,
    op: impl Into<Op>,
    operands: &[Operand],
    result: Elem,
    span: Span,
) -> Option<Value> {
    let aligned = align(cx, operands, span)?;
    let ty = cx.ty(aligned.values[0]).with_elem(result);
    let value = cx.emit_one(op, &aligned.values, ty, span);
    Some(Value::Tile(Tile { value, layout: aligned.layout }))
}

/// A pointer moved by a number of elements.
pub(super) fn offset(cx: &mut Elab<'_>, pointer: Value, by: Value, span: Span) -> Option<Value> {
    let Some(Elem::Pointer(pointee)) = elem_of(cx, &pointer) else {
        let (place, got) = (cx.place(span), super::describe(cx, &pointer));
        cx.report(report::ops::not_a_pointer(place, &got));
        return None;
    };
    let by_elem = elem_of(cx, &by).unwrap_or(Elem::Data(DType::I64));
    if !matches!(by_elem, Elem::Data(DType::I32 | DType::I64)) {
        let place = cx.place(span);
        cx.report(report::ops::wrong_elements(
            place,
            "moving a pointer",
            "`i32` or `i64`",
            by_elem,
        ));
        return None;
    }
    let operands = [
        Operand { value: pointer, elem: Elem::Pointer(pointee), span },
        Operand { value: by, elem: by_elem, span },
    ];
    emit_aligned(cx, MemoryOp::Offset, &operands, Elem::Pointer(pointee), span)
}

/// The type of a scalar.
pub(super) fn scalar_type(dtype: DType) -> Type {
    ir::Type::scalar(dtype)
}
