//! The functions of host code by name: makers of tensors, `ref::…`, `expect_…`, methods.

use std::sync::Arc;

use smol_str::SmolStr;

use super::args::{Args, Number, error, ints, unfit};
use super::arith::{self, Operand, binary};
use super::expect::{self, Tolerance};
use super::run::HostRun;
use super::tensor::HostTensor;
use super::{random, reference};
use crate::diagnostic::Code;
use crate::dtype::DType;
use crate::elab::host::HostError;
use crate::elab::value::{Arg, Value};
use crate::op::tile::{BinaryOp as TileBinary, Round, UnaryOp};

type Called = Result<Value, HostError>;

/// Every function that host code can call. `ref::` stands before those of [`REFERENCES`].
const FUNCTIONS: &[&str] = &[
    "empty",
    "zeros",
    "ones",
    "full",
    "randn",
    "rand",
    "randint",
    "arange",
    "tensor",
    "expect",
    "expect_close",
    "expect_equal",
    "expect_same_bits",
];

const REFERENCES: &[&str] = &[
    "exp",
    "exp2",
    "log",
    "log2",
    "sqrt",
    "rsqrt",
    "sin",
    "cos",
    "tanh",
    "erf",
    "sigmoid",
    "abs",
    "floor",
    "ceil",
    "softmax",
    "log_softmax",
    "layer_norm",
    "rms_norm",
    "matmul",
    "cross_entropy",
    "one_hot",
    "transpose",
    "sum",
    "mean",
    "max",
    "min",
    "argmax",
    "argmin",
    "cumsum",
    "sort",
    "top_k",
    "gather",
    "histogram",
    "fma",
];

/// Whether [`HostRun::called`] knows a path.
pub(crate) fn knows(path: &[SmolStr]) -> bool {
    match path {
        [name] => FUNCTIONS.contains(&name.as_str()),
        [module, name] => module == "ref" && REFERENCES.contains(&name.as_str()),
        _ => false,
    }
}

impl HostRun<'_> {
    pub(super) fn called(&mut self, path: &[SmolStr], args: &[Arg]) -> Called {
        let mut args = Args::new(path, args);
        let res = match path {
            [name] => self.function(name, &mut args)?,
            [_, name] => self.reference(name, &mut args)?,
            _ => return args.unfit("is not a function of host code"),
        };
        args.end()?;
        Ok(res)
    }

    fn function(&mut self, name: &str, args: &mut Args<'_>) -> Called {
        match name {
            "empty" => {
                let (dtype, shape) = self.extents(args)?;
                Ok(self.add(HostTensor::empty(dtype, &shape)))
            }
            "zeros" => self.filled(args, Number::Int(0)),
            "ones" => self.filled(args, Number::Int(1)),
            "full" => {
                let number = args.number("value")?;
                self.filled(args, number)
            }
            "randn" => self.random(args, |seed, i, dtype| {
                super::tensor::of_number(dtype, random::normal(seed, i))
            }),
            "rand" => self.random(args, |seed, i, dtype| {
                // Towards zero, so that 1 is never reached.
                crate::value::cast(
                    DType::F64,
                    dtype,
                    Round::Zero,
                    random::uniform(seed, i).to_bits(),
                )
            }),
            "randint" => {
                let (dtype, shape) = self.extents(args)?;
                let (lo, hi) = (args.int("lo")?, args.int("hi")?);
                let seed = args.int_or("seed", 0)? as u64;
                let one = |i| super::tensor::of_int(dtype, random::integer(seed, i, lo, hi));
                Ok(self.add(HostTensor::from_bits(dtype, &shape, (0..).map(one))))
            }
            "arange" => {
                let (dtype, shape) = self.extents(args)?;
                let first = args.int_or("first", 0)?;
                let one = |i| super::tensor::of_int(dtype, first + i128::from(i));
                Ok(self.add(HostTensor::from_bits(dtype, &shape, (0..).map(one))))
            }
            "tensor" => {
                let dtype = args.dtype()?;
                let mut shape = vec![];
                let mut bits = vec![];
                literal(args.value("elements")?, dtype, 0, &mut shape, &mut bits)?;
                Ok(self.add(HostTensor::from_bits(dtype, &shape, bits)))
            }
            _ => self.expectation(name, args),
        }
    }

    fn expectation(&mut self, name: &str, args: &mut Args<'_>) -> Called {
        if name == "expect" {
            return match args.value("condition")? {
                Value::Bool(true) => Ok(Value::unit()),
                Value::Bool(false) => {
                    Err(error(Code::R0101, "what is expected here does not hold"))
                }
                _ => args.unfit("wants `true` or `false`"),
            };
        }
        let got = self.whole(args, "got", None)?;
        if name == "expect_same_bits" && !args.has("expected") {
            self.recorded.push((got.dtype(), got.bits()));
            return Ok(Value::unit());
        }
        let expected = self.whole(args, "expected", Some(got.dtype()))?;
        match name {
            "expect_close" => {
                let usual = Tolerance::of(got.dtype());
                let rtol = args.number_or("rtol", usual.rtol)?;
                let atol = args.number_or("atol", usual.atol)?;
                let near = expect::expect_close(&got, &expected, Tolerance { rtol, atol })?;
                self.closeness.push(near);
            }
            "expect_equal" => expect::expect_equal(&got, &expected)?,
            _ => expect::expect_same_bits(&got, &expected)?,
        }
        Ok(Value::unit())
    }

    /// A tensor, or a number as a tensor without dimensions.
    fn whole(
        &self,
        args: &mut Args<'_>,
        name: &'static str,
        beside: Option<DType>,
    ) -> Result<HostTensor, HostError> {
        let value = args.value(name)?;
        match (value, Number::of(value)) {
            (Value::Host(it), _) => Ok(self.tensor(*it).clone()),
            (_, Some(number)) => {
                let dtype = if matches!(number, Number::Int(_)) { DType::I64 } else { DType::F64 };
                Ok(HostTensor::from_bits(
                    beside.unwrap_or(dtype),
                    &[],
                    [number.bits(beside.unwrap_or(dtype))],
                ))
            }
            _ => args.unfit(format_args!("wants a tensor or a number for `{name}`")),
        }
    }

    fn filled(&mut self, args: &mut Args<'_>, number: Number) -> Called {
        let (dtype, shape) = self.extents(args)?;
        let bits = number.bits(dtype);
        Ok(self.add(HostTensor::from_bits(dtype, &shape, std::iter::repeat(bits))))
    }

    fn random(&mut self, args: &mut Args<'_>, one: impl Fn(u64, u64, DType) -> u64) -> Called {
        let (dtype, shape) = self.extents(args)?;
        let seed = args.int_or("seed", 0)? as u64;
        let n = shape.iter().product();
        Ok(self.add(HostTensor::from_bits(dtype, &shape, (0..n).map(|i| one(seed, i, dtype)))))
    }

    /// The type and extents of a new tensor that is not too large.
    fn extents(&self, args: &mut Args<'_>) -> Result<(DType, Vec<u64>), HostError> {
        let (dtype, shape) = args.shape()?;
        check_size(dtype, &shape)?;
        Ok((dtype, shape))
    }

    fn reference(&mut self, name: &str, args: &mut Args<'_>) -> Called {
        let x = self.whole(args, "x", None)?;
        let rank = x.shape().len();
        let res = match name {
            "exp" => reference::each(&x, libm::exp),
            "exp2" => reference::each(&x, libm::exp2),
            "log" => reference::each(&x, libm::log),
            "log2" => reference::each(&x, libm::log2),
            "sqrt" => reference::each(&x, f64::sqrt),
            "rsqrt" => reference::each(&x, |it| 1.0 / it.sqrt()),
            "sin" => reference::each(&x, libm::sin),
            "cos" => reference::each(&x, libm::cos),
            "tanh" => reference::each(&x, libm::tanh),
            "erf" => reference::each(&x, libm::erf),
            "sigmoid" => reference::each(&x, |it| 1.0 / (1.0 + libm::exp(-it))),
            "abs" => reference::each(&x, f64::abs),
            "floor" => reference::each(&x, f64::floor),
            "ceil" => reference::each(&x, f64::ceil),
            "softmax" => reference::softmax(&x, args.axis(rank)?),
            "log_softmax" => reference::log_softmax(&x, args.axis(rank)?),
            "sum" => reference::sum(&x, args.axis(rank)?),
            "mean" => reference::mean(&x, args.axis(rank)?),
            "max" => reference::extreme(&x, args.axis(rank)?, true),
            "min" => reference::extreme(&x, args.axis(rank)?, false),
            "argmax" => reference::arg_extreme(&x, args.axis(rank)?, true),
            "argmin" => reference::arg_extreme(&x, args.axis(rank)?, false),
            "cumsum" => reference::cumsum(&x, args.axis(rank)?),
            "transpose" => transposed(&x)?,
            _ => return self.reference_of_more(name, &x, args),
        };
        Ok(self.add(res))
    }

    /// References with more operands or results.
    fn reference_of_more(&mut self, name: &str, x: &HostTensor, args: &mut Args<'_>) -> Called {
        let rank = x.shape().len();
        let columns = x.shape().last().copied().unwrap_or(1);
        let res = match name {
            "layer_norm" => {
                let weight = self.row(args, "w", columns)?;
                let bias = self.row(args, "b", columns)?;
                let eps = args.number_or("eps", 1e-5)?;
                reference::layer_norm(
                    &at_least_one_dimension(x)?,
                    weight.as_ref(),
                    bias.as_ref(),
                    eps,
                )
            }
            "rms_norm" => {
                let weight = self.row(args, "w", columns)?;
                let eps = args.number_or("eps", 1e-6)?;
                reference::rms_norm(&at_least_one_dimension(x)?, weight.as_ref(), eps)
            }
            "matmul" => {
                let b = self.tensor(args.tensor("b")?).clone();
                let fits = rank == 2 && b.shape().len() == 2 && x.shape()[1] == b.shape()[0];
                if !fits {
                    return args.unfit(format_args!(
                        "cannot multiply {:?} by {:?}",
                        x.shape(),
                        b.shape()
                    ));
                }
                reference::matmul(x, &b)
            }
            "cross_entropy" => {
                let labels = self.tensor(args.tensor("labels")?).clone();
                if rank != 2 || labels.shape() != &x.shape()[..1] {
                    return args.unfit("takes rows of logits and one label a row");
                }
                reference::cross_entropy(x, &labels)
            }
            "one_hot" => reference::one_hot(x, self.count(args, "classes")?),
            "histogram" => reference::histogram(x, self.count(args, "bins")?),
            "gather" => {
                let index = self.tensor(args.tensor("index")?).clone();
                if !index.dtype().is_int() {
                    return args.unfit("wants integer indices");
                }
                reference::gather(x, &index, args.axis(rank)?)
            }
            "fma" => {
                let (y, z) = (self.operand(args.value("y")?)?, self.operand(args.value("z")?)?);
                let product = binary(
                    tile_syntax::ast::BinaryOp::Mul,
                    &in_f64(&Operand::Tensor(x.clone())),
                    &in_f64(&y),
                )?;
                binary(tile_syntax::ast::BinaryOp::Add, &Operand::Tensor(product), &in_f64(&z))?
            }
            _ => return self.reference_of_order(name, x, args),
        };
        Ok(self.add(res))
    }

    fn reference_of_order(&mut self, name: &str, x: &HostTensor, args: &mut Args<'_>) -> Called {
        let axis = args.axis(x.shape().len())?;
        if name == "sort" {
            let (values, _) = reference::sorted(x, axis, args.flag("descending")?, x.shape()[axis]);
            return Ok(self.add(values));
        }
        let k = self.count(args, "k")?;
        if x.shape()[axis] < k {
            return args.unfit(format_args!("wants {k} of {} elements", x.shape()[axis]));
        }
        let (values, places) = reference::sorted(x, axis, true, k);
        Ok(Value::Tuple(Arc::from([self.add(values), self.add(places)])))
    }

    /// A count that a tensor of a host can have.
    fn count(&self, args: &mut Args<'_>, name: &'static str) -> Result<u64, HostError> {
        let count = args.int(name)?;
        match u64::try_from(count) {
            Ok(it) if it < ELEMENTS_MAX => Ok(it),
            _ => args.unfit(format_args!("wants a count for `{name}`, not {count}")),
        }
    }

    /// An optional vector of that many elements.
    fn row(
        &self,
        args: &mut Args<'_>,
        name: &'static str,
        len: u64,
    ) -> Result<Option<HostTensor>, HostError> {
        match args.maybe(name) {
            None | Some(Value::None) => Ok(None),
            Some(Value::Host(it)) if self.tensor(*it).shape() == [len] => {
                Ok(Some(self.tensor(*it).clone()))
            }
            Some(_) => args.unfit(format_args!("wants a tensor of extents [{len}] for `{name}`")),
        }
    }

    /// A method of a tensor.
    pub(super) fn method_called(&mut self, x: &HostTensor, name: &str, args: &[Arg]) -> Called {
        let mut args = Args::new(&[SmolStr::new(name)], args);
        let res = match name {
            "to" => x.cast(args.dtype()?, Round::Nearest),
            "bits" => {
                let dtype = args.dtype()?;
                if dtype.bits() != x.dtype().bits() {
                    return args.unfit(format_args!(
                        "reads `{}` as a type of another width, `{dtype}`",
                        x.dtype()
                    ));
                }
                x.reinterpreted(dtype)
            }
            "t" => transposed(x)?,
            "clone" => HostTensor::from_bits(x.dtype(), x.shape(), x.bits()),
            "permute" => {
                let perm = ints(args.value("order")?).unwrap_or_default();
                let perm: Vec<usize> =
                    perm.iter().filter_map(|&it| usize::try_from(it).ok()).collect();
                let mut sorted = perm.clone();
                sorted.sort_unstable();
                if !sorted.into_iter().eq(0..x.shape().len()) {
                    return args
                        .unfit(format_args!("wants an order of {} dimensions", x.shape().len()));
                }
                x.permuted(&perm)
            }
            "reshape" => {
                let shape = ints(args.value("shape")?).unwrap_or_default();
                let shape: Vec<u64> =
                    shape.iter().filter_map(|&it| u64::try_from(it).ok()).collect();
                if shape.iter().product::<u64>() != x.len() as u64 {
                    return args.unfit(format_args!("cannot make {shape:?} of {:?}", x.shape()));
                }
                x.reshaped(&shape)
            }
            _ => self.elementwise(x, name, &mut args)?,
        };
        args.end()?;
        Ok(self.add(res))
    }

    /// An elementwise operation of kernels on whole tensors, in their type.
    fn elementwise(
        &self,
        x: &HostTensor,
        name: &str,
        args: &mut Args<'_>,
    ) -> Result<HostTensor, HostError> {
        if let Some(op) = UnaryOp::from_name(name) {
            return arith::elementwise(op, x);
        }
        if let Some(op) = TileBinary::from_name(name) {
            let y = self.operand(args.value("y")?)?;
            return arith::combined(op, &Operand::Tensor(x.clone()), &y);
        }
        args.unfit("is not a method of tensors of host code")
    }

    /// One side of an operator.
    pub(super) fn operand(&self, value: &Value) -> Result<Operand, HostError> {
        match (value, Number::of(value)) {
            (Value::Host(it), _) => Ok(Operand::Tensor(self.tensor(*it).clone())),
            (_, Some(it)) => Ok(Operand::Number(it)),
            _ => unfit("an operator on tensors takes tensors and numbers"),
        }
    }
}

/// Elements of one tensor of host code at most.
const ELEMENTS_MAX: u64 = 1 << 31;

/// Refuses a tensor that is too large.
pub(super) fn check_size(dtype: DType, shape: &[u64]) -> Result<(), HostError> {
    let len = shape.iter().try_fold(1u64, |acc, &it| acc.checked_mul(it));
    match len {
        Some(len) if len <= ELEMENTS_MAX => Ok(()),
        _ => unfit(format!("a tensor `{dtype}{shape:?}` has more than {ELEMENTS_MAX} elements")),
    }
}

fn in_f64(operand: &Operand) -> Operand {
    match operand {
        Operand::Tensor(it) => Operand::Tensor(it.cast(DType::F64, Round::Nearest)),
        Operand::Number(it) => Operand::Number(*it),
    }
}

fn at_least_one_dimension(x: &HostTensor) -> Result<HostTensor, HostError> {
    if x.shape().is_empty() {
        unfit("a norm is over the last dimension, this tensor has none")
    } else {
        Ok(x.clone())
    }
}

/// The last two dimensions exchanged.
fn transposed(x: &HostTensor) -> Result<HostTensor, HostError> {
    let rank = x.shape().len();
    if rank < 2 {
        return unfit(format!("a transposition takes two dimensions, the tensor has {rank}"));
    }
    let mut perm: Vec<usize> = (0..rank).collect();
    perm.swap(rank - 2, rank - 1);
    Ok(x.permuted(&perm))
}

/// The elements of `[[a, b], [c, d]]`, and its extents.
fn literal(
    value: &Value,
    dtype: DType,
    depth: usize,
    shape: &mut Vec<u64>,
    bits: &mut Vec<u64>,
) -> Result<(), HostError> {
    if let Some(number) = Number::of(value) {
        if depth < shape.len() {
            return unfit("rows of a tensor are nested to different depths");
        }
        bits.push(number.bits(dtype));
        return Ok(());
    }
    let (Value::Array(items) | Value::Tuple(items)) = value else {
        return match value {
            Value::Host(_) => unfit("`tensor` takes numbers, not tensors"),
            _ => unfit("`tensor` takes numbers in brackets"),
        };
    };
    let extent = items.len() as u64;
    match shape.get(depth) {
        None if bits.is_empty() => shape.push(extent),
        Some(&it) if it == extent => {}
        _ => return unfit("rows of a tensor have different lengths"),
    }
    items.iter().try_for_each(|it| literal(it, dtype, depth + 1, shape, bits))
}
