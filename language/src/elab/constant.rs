//! Arithmetic on what is known at compile time: exact integers, `f64`, bools, words.
//!
//! Integers are of unbounded meaning: a result past 128 bits is an error, never a wrap.

use tile_syntax::ast::{BinaryOp, UnaryOp};

use super::value::Value;

/// Why an operator has no result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    /// The operator does not take these.
    Operands,
    /// The result does not fit 128 bits.
    Overflow,
    /// Division by zero.
    Zero,
}

/// `op operand`, if the operand is known.
pub(super) fn unary(op: UnaryOp, operand: &Value) -> Option<Value> {
    match (op, operand) {
        (UnaryOp::Neg, Value::Int(it)) => it.checked_neg().map(Value::Int),
        (UnaryOp::Neg, Value::Float(it)) => Some(Value::Float(-it)),
        (UnaryOp::Not, Value::Bool(it)) => Some(Value::Bool(!it)),
        (UnaryOp::Not, Value::Int(it)) => Some(Value::Int(!it)),
        _ => None,
    }
}

/// `a op b`, both known.
pub(super) fn binary(op: BinaryOp, a: &Value, b: &Value) -> Result<Value, Trouble> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => integers(op, *a, *b),
        (Value::Float(a), Value::Float(b)) => floats(op, *a, *b),
        (Value::Int(a), Value::Float(b)) => floats(op, *a as f64, *b),
        (Value::Float(a), Value::Int(b)) => floats(op, *a, *b as f64),
        (Value::Bool(a), Value::Bool(b)) => bools(op, *a, *b),
        (a, b) => match op {
            BinaryOp::Eq => Ok(Value::Bool(a == b)),
            BinaryOp::Ne => Ok(Value::Bool(a != b)),
            _ => Err(Trouble::Operands),
        },
    }
}

fn integers(op: BinaryOp, a: i128, b: i128) -> Result<Value, Trouble> {
    let shift = || u32::try_from(b).map_err(|_| Trouble::Overflow);
    let fits = |it: Option<i128>| it.map(Value::Int).ok_or(Trouble::Overflow);
    match op {
        BinaryOp::Add => fits(a.checked_add(b)),
        BinaryOp::Sub => fits(a.checked_sub(b)),
        BinaryOp::Mul => fits(a.checked_mul(b)),
        BinaryOp::Div | BinaryOp::Rem if b == 0 => Err(Trouble::Zero),
        BinaryOp::Div => fits(a.checked_div(b)),
        BinaryOp::Rem => fits(a.checked_rem(b)),
        BinaryOp::Shl => {
            let wide = a.checked_shl(shift()?).ok_or(Trouble::Overflow)?;
            if wide >> b == a { Ok(Value::Int(wide)) } else { Err(Trouble::Overflow) }
        }
        BinaryOp::Shr => fits(a.checked_shr(shift()?)),
        BinaryOp::BitAnd => Ok(Value::Int(a & b)),
        BinaryOp::BitOr => Ok(Value::Int(a | b)),
        BinaryOp::BitXor => Ok(Value::Int(a ^ b)),
        BinaryOp::And | BinaryOp::Or => Err(Trouble::Operands),
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
            Ok(Value::Bool(ordered(op, a.partial_cmp(&b))))
        }
    }
}

fn floats(op: BinaryOp, a: f64, b: f64) -> Result<Value, Trouble> {
    match op {
        BinaryOp::Add => Ok(Value::Float(a + b)),
        BinaryOp::Sub => Ok(Value::Float(a - b)),
        BinaryOp::Mul => Ok(Value::Float(a * b)),
        BinaryOp::Div => Ok(Value::Float(a / b)),
        BinaryOp::Rem => Ok(Value::Float(a % b)),
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
            Ok(Value::Bool(ordered(op, a.partial_cmp(&b))))
        }
        BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::BitAnd
        | BinaryOp::BitXor
        | BinaryOp::BitOr
        | BinaryOp::And
        | BinaryOp::Or => Err(Trouble::Operands),
    }
}

fn bools(op: BinaryOp, a: bool, b: bool) -> Result<Value, Trouble> {
    match op {
        BinaryOp::And | BinaryOp::BitAnd => Ok(Value::Bool(a && b)),
        BinaryOp::Or | BinaryOp::BitOr => Ok(Value::Bool(a || b)),
        BinaryOp::BitXor | BinaryOp::Ne => Ok(Value::Bool(a != b)),
        BinaryOp::Eq => Ok(Value::Bool(a == b)),
        _ => Err(Trouble::Operands),
    }
}

fn ordered(op: BinaryOp, order: Option<std::cmp::Ordering>) -> bool {
    match op {
        BinaryOp::Eq => order.is_some_and(|it| it.is_eq()),
        BinaryOp::Ne => order.is_none_or(|it| it.is_ne()),
        BinaryOp::Lt => order.is_some_and(|it| it.is_lt()),
        BinaryOp::Le => order.is_some_and(|it| it.is_le()),
        BinaryOp::Gt => order.is_some_and(|it| it.is_gt()),
        _ => order.is_some_and(|it| it.is_ge()),
    }
}
