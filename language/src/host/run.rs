//! One run of host code on one engine: its tensors, its launches, what it printed.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_plan::{Argument, TensorArgument};
use tile_syntax::ast::{BinaryOp, UnaryOp};

use super::TensorId;
use super::args::{error, unfit};
use super::call::{check_size, knows};
use super::expect::Closeness;
use super::tensor::HostTensor;
use super::{arith, tensor};
use crate::diagnostic::Code;
use crate::dtype::{Class, DType};
use crate::elab::host::{HostError, HostIndex, HostOps};
use crate::elab::value::{Arg, TypeValue, Value};
use crate::engine::{Engine, Failure, Launch, Word};
use crate::ir::Kernel;
use crate::value;

/// What a buffer's address is a multiple of, on every engine.
const BUFFER_ALIGN: u64 = 1 << 20;

/// Host code as it runs.
pub struct HostRun<'e> {
    engine: &'e mut dyn Engine,
    seed: u64,
    tensors: Vec<HostTensor>,
    /// What kernels printed.
    pub printed: Vec<String>,
    /// What the engine doubts, with the kernel that it is about.
    pub warnings: Vec<(Arc<Kernel>, Failure)>,
    /// What every `expect_close` measured.
    pub closeness: Vec<Closeness>,
    /// Bits that every engine must give alike: `expect_same_bits(x)`.
    pub recorded: Vec<(DType, Vec<u64>)>,
    /// What the engine counted in all launches, by kernel and name.
    pub counts: std::collections::BTreeMap<(SmolStr, String), u64>,
}

impl<'e> HostRun<'e> {
    /// Host code on an engine; the seed steers the order of blocks and the like.
    pub fn new(engine: &'e mut dyn Engine, seed: u64) -> HostRun<'e> {
        HostRun {
            engine,
            seed,
            tensors: vec![],
            printed: vec![],
            warnings: vec![],
            closeness: vec![],
            recorded: vec![],
            counts: std::collections::BTreeMap::new(),
        }
    }

    /// A tensor of this run.
    pub fn tensor(&self, id: TensorId) -> &HostTensor {
        &self.tensors[id.0 as usize]
    }

    /// Takes in a tensor.
    pub fn add(&mut self, tensor: HostTensor) -> Value {
        self.tensors.push(tensor);
        Value::Host(TensorId(self.tensors.len() as u32 - 1))
    }

    /// The part of a tensor that indices name.
    fn part(&self, tensor: TensorId, at: &[HostIndex]) -> Result<HostTensor, HostError> {
        let x = self.tensor(tensor);
        let taken = at.iter().filter(|it| !matches!(it, HostIndex::New)).count();
        if x.shape().len() < taken {
            return unfit(format!(
                "{taken} indices for a tensor of {} dimensions",
                x.shape().len()
            ));
        }
        let (mut first, mut shape, mut strides) = (vec![], vec![], vec![]);
        let rest = std::iter::repeat_n(&HostIndex::Whole, x.shape().len() - taken);
        let mut dims = x.shape().iter().zip(x.strides()).enumerate();
        for index in at.iter().chain(rest) {
            if *index == HostIndex::New {
                shape.push(1);
                strides.push(0);
                continue;
            }
            let (d, (&extent, &stride)) =
                dims.next().expect("there are no more indices than dimensions");
            let (lo, hi, step) = match index {
                HostIndex::At(it) => (*it, it.saturating_add(1), 1),
                HostIndex::Range { first, end, step } => {
                    (*first, end.unwrap_or(extent as i64), *step)
                }
                HostIndex::Whole | HostIndex::New => (0, extent as i64, 1),
            };
            if !(0 <= lo && lo <= hi && hi <= extent as i64) {
                return unfit(format!(
                    "{lo}..{hi} is not in dimension {d}, which has extent {extent}"
                ));
            }
            first.push(lo as u64);
            if !matches!(index, HostIndex::At(_)) {
                shape.push(((hi - lo) as u64).div_ceil(step as u64));
                strides.push(stride.saturating_mul(step));
            }
        }
        Ok(x.view(&first, shape, strides))
    }

    /// The arguments of a launch as launch plans know them.
    fn argument(&self, value: &Value) -> Result<Argument, HostError> {
        Ok(match value {
            Value::None => Argument::Absent,
            Value::Host(it) => {
                let x = self.tensor(*it);
                let mut given = TensorArgument::contiguous(
                    x.dtype().name(),
                    x.shape(),
                    BUFFER_ALIGN + x.byte_offset(),
                );
                if !x.is_contiguous() {
                    given.strides = Some(x.strides().to_vec());
                }
                Argument::Tensor(given)
            }
            Value::Int(it) => match i64::try_from(*it) {
                Ok(it) => Argument::Scalar(tile_plan::Scalar::Int(it)),
                Err(_) => return unfit(format!("{it} does not fit into 64 bits")),
            },
            Value::Bool(it) => Argument::Scalar(tile_plan::Scalar::Int(i64::from(*it))),
            Value::Float(it) => Argument::Scalar(tile_plan::Scalar::Float(*it)),
            _ => return unfit("a kernel takes tensors and numbers"),
        })
    }
}

impl HostOps for HostRun<'_> {
    fn call(&mut self, path: &[SmolStr], args: &[Arg]) -> Result<Value, HostError> {
        self.called(path, args)
    }

    fn knows(&self, path: &[SmolStr]) -> bool {
        knows(path)
    }

    fn method(&mut self, tensor: TensorId, name: &str, args: &[Arg]) -> Result<Value, HostError> {
        let x = self.tensor(tensor).clone();
        self.method_called(&x, name, args)
    }

    fn field(&mut self, tensor: TensorId, name: &str) -> Result<Value, HostError> {
        let x = self.tensor(tensor);
        match name {
            "shape" => {
                Ok(Value::Array(x.shape().iter().map(|&it| Value::Int(it.into())).collect()))
            }
            "dtype" => Ok(Value::Type(TypeValue::Scalar(x.dtype()))),
            "len" => Ok(Value::Int(x.len() as i128)),
            _ => unfit(format!("tensors of host code have no field `{name}`")),
        }
    }

    fn binary(&mut self, op: BinaryOp, lhs: &Value, rhs: &Value) -> Result<Value, HostError> {
        let res = arith::binary(op, &self.operand(lhs)?, &self.operand(rhs)?)?;
        Ok(self.add(res))
    }

    fn unary(&mut self, op: UnaryOp, operand: &Value) -> Result<Value, HostError> {
        let Value::Host(it) = operand else {
            return unfit("an operator on tensors takes a tensor");
        };
        let res = arith::unary(op, self.tensor(*it))?;
        Ok(self.add(res))
    }

    fn index(&mut self, tensor: TensorId, at: &[HostIndex]) -> Result<Value, HostError> {
        let part = self.part(tensor, at)?;
        if !part.shape().is_empty() {
            return Ok(self.add(part));
        }
        let bits = part.bits()[0];
        Ok(match part.dtype().class() {
            Class::Bool => Value::Bool(bits != 0),
            Class::Signed | Class::Unsigned => Value::Int(value::to_int(part.dtype(), bits)),
            Class::Float(_) => Value::Float(tensor::to_number(part.dtype(), bits)),
        })
    }

    fn assign(
        &mut self,
        tensor: TensorId,
        at: &[HostIndex],
        value: &Value,
    ) -> Result<(), HostError> {
        let part = self.part(tensor, at)?;
        let new = match self.operand(value)? {
            arith::Operand::Number(it) => vec![it.bits(part.dtype()); part.len()],
            arith::Operand::Tensor(it) => {
                if arith::common_shape(it.shape(), part.shape())? != part.shape() {
                    return unfit(format!(
                        "a tensor {:?} does not fit into {:?}",
                        it.shape(),
                        part.shape()
                    ));
                }
                it.broadcast(part.shape())
                    .cast(part.dtype(), crate::op::tile::Round::Nearest)
                    .bits()
            }
        };
        part.set_bits(new);
        Ok(())
    }

    fn describe(&self, tensor: TensorId) -> (DType, Vec<u64>) {
        let x = self.tensor(tensor);
        (x.dtype(), x.shape().to_vec())
    }

    fn allocate(&mut self, dtype: DType, shape: &[u64]) -> TensorId {
        let fits = check_size(dtype, shape).is_ok();
        self.tensors.push(HostTensor::zeros(dtype, if fits { shape } else { &[0] }));
        TensorId(self.tensors.len() as u32 - 1)
    }

    fn launch(&mut self, kernel: &Arc<Kernel>, args: &[Value]) -> Result<(), HostError> {
        let arguments: Vec<Argument> =
            args.iter().map(|it| self.argument(it)).collect::<Result<_, _>>()?;
        let bound = kernel
            .plan
            .bind(&arguments, &self.engine.device())
            .map_err(|refused| error(Code::E0650, refused.to_string()))?;
        if bound.is_empty() {
            return Ok(());
        }
        let mut buffers = Buffers::default();
        let mut number = |param: u32| match args.get(param as usize) {
            Some(Value::Host(it)) => Some(buffers.number(self.tensor(*it))),
            _ => None,
        };
        let words: Vec<Word> = bound
            .words
            .iter()
            .map(|word| match *word {
                tile_plan::Word::Null => Word::Address(None),
                tile_plan::Word::Bits(bits) => Word::Bits(bits),
                tile_plan::Word::Tensor(param) => Word::Address(number(param)),
                tile_plan::Word::Map(map) => match &bound.maps[map as usize] {
                    Some(it) => match number(it.map.param) {
                        Some(buffer) => Word::Map { buffer, map: Box::new(it.clone()) },
                        None => Word::Address(None),
                    },
                    None => Word::Address(None),
                },
            })
            .collect();
        let before = buffers.before();
        let undefined = buffers.undefined();
        let launch = Launch {
            kernel,
            grid: bound.grid,
            words: &words,
            undefined: &undefined,
            buffers: &mut buffers.bytes,
            seed: self.seed,
        };
        let ended = self.engine.run(launch);
        buffers.give_back(&before);
        match ended {
            Ok(outcome) => {
                self.printed.extend(outcome.printed);
                self.warnings
                    .extend(outcome.warnings.into_iter().map(|it| (Arc::clone(kernel), it)));
                for (name, count) in outcome.counts {
                    *self.counts.entry((kernel.name.clone(), name)).or_default() += count;
                }
                Ok(())
            }
            Err(failure) => Err(stopped(kernel, failure)),
        }
    }
}

/// A kernel that an engine stopped.
fn stopped(kernel: &Arc<Kernel>, failure: Failure) -> HostError {
    let mut details = failure.details;
    if let Some(block) = failure.block {
        details.push(format!("in block {block:?} of `{}`", kernel.plan.kernel));
    }
    let site = failure.site.map(|it| (Arc::clone(kernel), it));
    let because = failure.because;
    HostError { code: Code::R0102, message: failure.message, details, site, because }
}

/// Tensors on their way through an engine, each with its own buffer.
#[derive(Default)]
struct Buffers {
    bytes: Vec<Vec<u8>>,
    owners: Vec<HostTensor>,
}

impl Buffers {
    /// The number of a tensor's buffer. Two views of the same elements have one buffer.
    fn number(&mut self, tensor: &HostTensor) -> u32 {
        let same = |it: &HostTensor| {
            it.shares(tensor)
                && it.byte_offset() == tensor.byte_offset()
                && it.shape() == tensor.shape()
                && it.strides() == tensor.strides()
        };
        if let Some(number) = self.owners.iter().position(same) {
            return number as u32;
        }
        self.bytes.push(tensor.copy_bytes());
        self.owners.push(tensor.clone());
        self.bytes.len() as u32 - 1
    }

    /// What views that overlap held before the launch; `None` for tensors that are alone.
    fn before(&self) -> Vec<Option<Vec<u8>>> {
        let overlaps =
            |it: &HostTensor| self.owners.iter().filter(|other| other.shares(it)).count() > 1;
        self.owners
            .iter()
            .zip(&self.bytes)
            .map(|(it, bytes)| overlaps(it).then(|| bytes.clone()))
            .collect()
    }

    /// The numbers of buffers that nothing has been written to.
    fn undefined(&self) -> Vec<u32> {
        let numbered = (0..).zip(&self.owners);
        numbered.filter(|it| it.1.is_undefined()).map(|it| it.0).collect()
    }

    fn give_back(&self, before: &[Option<Vec<u8>>]) {
        for ((tensor, bytes), before) in self.owners.iter().zip(&self.bytes).zip(before) {
            tensor.put_bytes(bytes, before.as_deref());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interp::Interp;
    use crate::ir::parse::parse;
    use crate::ir::samples;

    /// Launches `z = x + y` on three tensors of host code.
    fn add(host: &mut HostRun<'_>, tensors: [&HostTensor; 3]) -> Result<(), HostError> {
        let kernel = Arc::new(parse(samples::ADD).unwrap());
        let args = tensors.map(|it| host.add(it.clone()));
        host.launch(&kernel, &args)
    }

    fn with_host<T>(run: impl FnOnce(&mut HostRun<'_>) -> T) -> T {
        let kernel = parse(samples::ADD).unwrap();
        run(&mut HostRun::new(&mut Interp::new(kernel.target), 1))
    }

    fn ones(n: u64) -> HostTensor {
        HostTensor::from_numbers(DType::F32, &[n], vec![1.0; n as usize])
    }

    #[test]
    fn a_launch_writes_into_the_tensors_that_it_was_given() {
        let z = HostTensor::zeros(DType::F32, &[12]);
        with_host(|host| add(host, [&ones(12), &ones(12), &z])).unwrap();
        assert_eq!(z.numbers(), [2.0; 12]);
    }

    #[test]
    fn a_view_is_written_through_to_what_it_is_a_view_of() {
        let whole = HostTensor::zeros(DType::F32, &[3, 4]);
        let middle = whole.view(&[1, 0], vec![4], vec![1]);
        with_host(|host| add(host, [&ones(4), &ones(4), &middle])).unwrap();
        assert_eq!(whole.numbers()[4..9], [2.0, 2.0, 2.0, 2.0, 0.0]);
        // In place: what is read and what is written are the same elements.
        with_host(|host| add(host, [&middle, &ones(4), &middle])).unwrap();
        assert_eq!(middle.numbers(), [3.0; 4]);
    }

    #[test]
    fn a_broken_rule_is_refused_before_anything_runs() {
        let z = HostTensor::zeros(DType::F32, &[6]);
        let failure = with_host(|host| add(host, [&ones(6), &ones(6), &z])).unwrap_err();
        assert_eq!(failure.code, Code::E0650);
        assert!(failure.message.contains("n % 4 == 0"), "{}", failure.message);
        assert_eq!(z.numbers(), [0.0; 6]);
    }

    #[test]
    fn an_empty_tensor_may_be_written_but_not_read() {
        let empty = HostTensor::empty(DType::F32, &[4]);
        let failure = with_host(|host| add(host, [&empty, &ones(4), &ones(4)])).unwrap_err();
        assert_eq!(failure.code, Code::R0102);
        assert_eq!(failure.message, "this reads element 0 of `x`, which nothing has written yet");
        let empty = HostTensor::empty(DType::F32, &[4]);
        with_host(|host| add(host, [&ones(4), &ones(4), &empty])).unwrap();
        with_host(|host| add(host, [&empty, &ones(4), &ones(4)])).unwrap();
    }
}
