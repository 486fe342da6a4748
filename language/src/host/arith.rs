//! Operators on host tensors: elementwise, in the element type, to the bit.
//!
//! Dimensions of extent 1 repeat, missing ones stand in front. A number takes the type of the tensor
//! beside it; a float beside integers, and two tensors of different types, are computed in `f64`.

use tile_syntax::ast::{BinaryOp as AstBinary, UnaryOp as AstUnary};

use super::args::{Number, unfit};
use super::tensor::HostTensor;
use crate::dtype::{Class, DType};
use crate::elab::host::HostError;
use crate::op::tile::{BinaryOp, CmpOp, Round, UnaryOp};
use crate::value;

/// One side of an operator.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Tensor(HostTensor),
    Number(Number),
}

/// What an operator of the language is on elements.
enum Meaning {
    Arithmetic(BinaryOp),
    Comparison(CmpOp),
}

fn meaning(op: AstBinary) -> Meaning {
    match op {
        AstBinary::Mul => Meaning::Arithmetic(BinaryOp::Mul),
        AstBinary::Div => Meaning::Arithmetic(BinaryOp::Div),
        AstBinary::Rem => Meaning::Arithmetic(BinaryOp::Rem),
        AstBinary::Add => Meaning::Arithmetic(BinaryOp::Add),
        AstBinary::Sub => Meaning::Arithmetic(BinaryOp::Sub),
        AstBinary::Shl => Meaning::Arithmetic(BinaryOp::Shl),
        AstBinary::Shr => Meaning::Arithmetic(BinaryOp::Shr),
        AstBinary::BitAnd | AstBinary::And => Meaning::Arithmetic(BinaryOp::And),
        AstBinary::BitXor => Meaning::Arithmetic(BinaryOp::Xor),
        AstBinary::BitOr | AstBinary::Or => Meaning::Arithmetic(BinaryOp::Or),
        AstBinary::Eq => Meaning::Comparison(CmpOp::Eq),
        AstBinary::Ne => Meaning::Comparison(CmpOp::Ne),
        AstBinary::Lt => Meaning::Comparison(CmpOp::Lt),
        AstBinary::Le => Meaning::Comparison(CmpOp::Le),
        AstBinary::Gt => Meaning::Comparison(CmpOp::Gt),
        AstBinary::Ge => Meaning::Comparison(CmpOp::Ge),
    }
}

/// `x op y`.
pub(super) fn binary(op: AstBinary, x: &Operand, y: &Operand) -> Result<HostTensor, HostError> {
    match meaning(op) {
        Meaning::Arithmetic(op) => combined(op, x, y),
        Meaning::Comparison(op) => {
            let sides = sides(x, y)?;
            let bits = sides.pairs().map(|(x, y)| u64::from(value::cmp(op, sides.dtype, x, y)));
            Ok(HostTensor::from_bits(DType::Bool, &sides.shape, bits))
        }
    }
}

/// An operation of kernels on two sides.
pub(super) fn combined(op: BinaryOp, x: &Operand, y: &Operand) -> Result<HostTensor, HostError> {
    let sides = sides(x, y)?;
    if !defined(op, sides.dtype) {
        return unfit(format!("`{}` is not defined on `{}`", op.name(), sides.dtype));
    }
    let bits: Option<Vec<u64>> =
        sides.pairs().map(|(x, y)| value::binary(op, sides.dtype, x, y)).collect();
    match bits {
        Some(bits) => Ok(HostTensor::from_bits(sides.dtype, &sides.shape, bits)),
        None => unfit("an integer tensor is divided by zero"),
    }
}

/// Two sides brought to one type and shape.
struct Sides {
    dtype: DType,
    shape: Vec<u64>,
    x: Vec<u64>,
    y: Vec<u64>,
}

impl Sides {
    fn pairs(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.x.iter().copied().zip(self.y.iter().copied())
    }
}

fn sides(x: &Operand, y: &Operand) -> Result<Sides, HostError> {
    let dtype = common_type(x, y);
    let shape = match (x, y) {
        (Operand::Tensor(x), Operand::Tensor(y)) => common_shape(x.shape(), y.shape())?,
        (Operand::Tensor(it), Operand::Number(_)) | (Operand::Number(_), Operand::Tensor(it)) => {
            it.shape().to_vec()
        }
        (Operand::Number(_), Operand::Number(_)) => vec![],
    };
    let (x, y) = (elements(x, dtype, &shape), elements(y, dtype, &shape));
    Ok(Sides { dtype, shape, x, y })
}

fn defined(op: BinaryOp, dtype: DType) -> bool {
    let bitwise = matches!(op, BinaryOp::And | BinaryOp::Or | BinaryOp::Xor);
    let shift = matches!(op, BinaryOp::Shl | BinaryOp::Shr | BinaryOp::MulHigh);
    match dtype.class() {
        Class::Bool => bitwise,
        Class::Signed | Class::Unsigned => true,
        Class::Float(_) => !bitwise && !shift,
    }
}

fn common_type(x: &Operand, y: &Operand) -> DType {
    match (x, y) {
        (Operand::Tensor(x), Operand::Tensor(y)) if x.dtype() == y.dtype() => x.dtype(),
        (Operand::Tensor(it), Operand::Number(Number::Int(_)))
        | (Operand::Number(Number::Int(_)), Operand::Tensor(it)) => it.dtype(),
        (Operand::Tensor(it), Operand::Number(Number::Float(_)))
        | (Operand::Number(Number::Float(_)), Operand::Tensor(it))
            if it.dtype().is_float() =>
        {
            it.dtype()
        }
        _ => DType::F64,
    }
}

fn elements(operand: &Operand, dtype: DType, shape: &[u64]) -> Vec<u64> {
    match operand {
        Operand::Number(it) => vec![it.bits(dtype); shape.iter().product::<u64>() as usize],
        Operand::Tensor(it) if it.dtype() == dtype => it.broadcast(shape).bits(),
        Operand::Tensor(it) => it.broadcast(shape).cast(dtype, Round::Nearest).bits(),
    }
}

/// The shape that two shapes repeat to.
pub(super) fn common_shape(x: &[u64], y: &[u64]) -> Result<Vec<u64>, HostError> {
    let rank = x.len().max(y.len());
    let extent =
        |shape: &[u64], d: usize| (d + shape.len()).checked_sub(rank).map_or(1, |it| shape[it]);
    let one = |d| match (extent(x, d), extent(y, d)) {
        (a, b) if a == b || b == 1 => Some(a),
        (1, b) => Some(b),
        _ => None,
    };
    match (0..rank).map(one).collect() {
        Some(shape) => Ok(shape),
        None => unfit(format!("shapes {x:?} and {y:?} do not fit together")),
    }
}

/// `op x`.
pub(super) fn unary(op: AstUnary, x: &HostTensor) -> Result<HostTensor, HostError> {
    match op {
        AstUnary::Neg => elementwise(UnaryOp::Neg, x),
        AstUnary::Not => elementwise(UnaryOp::Not, x),
        AstUnary::Pointer => unfit("a tensor has no pointer type"),
    }
}

/// An operation of kernels on every element.
pub(super) fn elementwise(op: UnaryOp, x: &HostTensor) -> Result<HostTensor, HostError> {
    let on_bits = matches!(op, UnaryOp::Popcount | UnaryOp::LeadingZeros | UnaryOp::ReverseBits);
    let on_both = matches!(op, UnaryOp::Neg | UnaryOp::Abs);
    let fits = match x.dtype().class() {
        Class::Bool => op == UnaryOp::Not,
        Class::Signed | Class::Unsigned => on_bits || on_both || op == UnaryOp::Not,
        Class::Float(_) => !on_bits && op != UnaryOp::Not,
    };
    if !fits {
        return unfit(format!("`{}` is not defined on tensors of `{}`", op.name(), x.dtype()));
    }
    let bits = x.bits().into_iter().map(|it| value::unary(op, x.dtype(), it));
    Ok(HostTensor::from_bits(x.dtype(), x.shape(), bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(dtype: DType, shape: &[u64], numbers: &[f64]) -> Operand {
        Operand::Tensor(HostTensor::from_numbers(dtype, shape, numbers.iter().copied()))
    }

    #[test]
    fn arithmetic_is_that_of_the_type() {
        let x = tensor(DType::Bf16, &[2], &[1.0, 256.0]);
        let sum = binary(AstBinary::Add, &x, &tensor(DType::Bf16, &[2], &[1.0, 1.0])).unwrap();
        assert_eq!((sum.dtype(), sum.numbers()), (DType::Bf16, vec![2.0, 256.0]));
        let shifted = binary(AstBinary::Add, &x, &Operand::Number(Number::Float(0.5))).unwrap();
        assert_eq!(shifted.numbers(), [1.5, 256.0]);
    }

    #[test]
    fn types_that_differ_meet_in_float64() {
        let x = tensor(DType::I32, &[2], &[3.0, 4.0]);
        let half = binary(AstBinary::Mul, &x, &Operand::Number(Number::Float(0.5))).unwrap();
        assert_eq!((half.dtype(), half.numbers()), (DType::F64, vec![1.5, 2.0]));
        let more = binary(AstBinary::Sub, &x, &tensor(DType::F32, &[2], &[0.5, 0.5])).unwrap();
        assert_eq!((more.dtype(), more.numbers()), (DType::F64, vec![2.5, 3.5]));
    }

    #[test]
    fn extents_of_one_repeat() {
        let column = tensor(DType::I32, &[2, 1], &[10.0, 20.0]);
        let row = tensor(DType::I32, &[3], &[1.0, 2.0, 3.0]);
        let sum = binary(AstBinary::Add, &column, &row).unwrap();
        assert_eq!(
            (sum.shape(), sum.numbers()),
            (&[2, 3][..], vec![11.0, 12.0, 13.0, 21.0, 22.0, 23.0])
        );
        assert!(binary(AstBinary::Add, &row, &tensor(DType::I32, &[2], &[0.0, 0.0])).is_err());
    }

    #[test]
    fn what_is_not_defined_is_refused() {
        let x = tensor(DType::F32, &[1], &[1.0]);
        assert!(binary(AstBinary::Shl, &x, &x).is_err());
        let zero = Operand::Number(Number::Int(0));
        assert!(binary(AstBinary::Div, &tensor(DType::I32, &[1], &[1.0]), &zero).is_err());
    }
}
