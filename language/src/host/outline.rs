//! Host code without its numbers: the types and shapes of its tensors, for editors.
//!
//! Whatever makes a tensor gives one element that is seen at every index, kernels are not launched, and
//! nothing is expected. All else is done as in a run, so that shapes are those of a run, as long as the
//! tensors are small; at a large one the outline ends.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_plan::Device;
use tile_syntax::ast::{BinaryOp, UnaryOp};

use super::args::{shape_of, unfit};
use super::tensor::HostTensor;
use super::{HostRun, TensorId};
use crate::dtype::DType;
use crate::elab::host::{HostError, HostIndex, HostOps};
use crate::elab::value::{Arg, Value};
use crate::engine::{Engine, Failure, Launch, Outcome};
use crate::ir::Kernel;

/// Elements of a tensor that is computed with.
const ELEMENTS_MAX: usize = 1 << 14;

/// Makers of tensors whose elements are of no interest.
const MAKERS: [&str; 8] = ["empty", "zeros", "ones", "full", "randn", "rand", "randint", "arange"];

/// An engine that runs nothing.
#[derive(Debug, Default)]
pub struct Idle;

impl Engine for Idle {
    fn name(&self) -> &'static str {
        "none"
    }

    fn device(&self) -> Device {
        Device { sms: 1, blocks_per_sm: 1 }
    }

    fn run(&mut self, _: Launch<'_>) -> Result<Outcome, Failure> {
        Ok(Outcome::default())
    }
}

/// The tensors of host code as far as their types go.
pub struct Outline<'e> {
    run: HostRun<'e>,
}

impl<'e> Outline<'e> {
    /// An outline in which no tensor is made yet.
    pub fn new(idle: &'e mut Idle) -> Outline<'e> {
        Outline { run: HostRun::new(idle, 0) }
    }

    /// Refuses to compute with a large tensor.
    fn is_small(&self, values: &[&Value]) -> Result<(), HostError> {
        let is_large = |it: &&&Value| match it {
            Value::Host(it) => ELEMENTS_MAX < self.run.tensor(*it).len(),
            _ => false,
        };
        match values.iter().find(is_large) {
            Some(_) => unfit("the outline of host code ends at a large tensor"),
            None => Ok(()),
        }
    }
}

impl HostOps for Outline<'_> {
    fn call(&mut self, path: &[SmolStr], args: &[Arg]) -> Result<Value, HostError> {
        if let [name] = path {
            if name.starts_with("expect") {
                return Ok(Value::unit());
            }
            let shaped = args.iter().find_map(|it| shape_of(&it.value));
            if let (true, Some((dtype, shape))) = (MAKERS.contains(&name.as_str()), shaped) {
                let one = HostTensor::zeros(dtype, &vec![1; shape.len()]);
                return Ok(self.run.add(one.broadcast(&shape)));
            }
        }
        self.is_small(&args.iter().map(|it| &it.value).collect::<Vec<_>>())?;
        self.run.call(path, args)
    }

    fn knows(&self, path: &[SmolStr]) -> bool {
        self.run.knows(path)
    }

    fn method(&mut self, tensor: TensorId, name: &str, args: &[Arg]) -> Result<Value, HostError> {
        self.is_small(&[&Value::Host(tensor)])?;
        self.run.method(tensor, name, args)
    }

    fn field(&mut self, tensor: TensorId, name: &str) -> Result<Value, HostError> {
        self.run.field(tensor, name)
    }

    fn binary(&mut self, op: BinaryOp, lhs: &Value, rhs: &Value) -> Result<Value, HostError> {
        self.is_small(&[lhs, rhs])?;
        self.run.binary(op, lhs, rhs)
    }

    fn unary(&mut self, op: UnaryOp, operand: &Value) -> Result<Value, HostError> {
        self.is_small(&[operand])?;
        self.run.unary(op, operand)
    }

    fn index(&mut self, tensor: TensorId, at: &[HostIndex]) -> Result<Value, HostError> {
        self.run.index(tensor, at)
    }

    fn assign(
        &mut self,
        tensor: TensorId,
        at: &[HostIndex],
        value: &Value,
    ) -> Result<(), HostError> {
        self.is_small(&[&Value::Host(tensor)])?;
        self.run.assign(tensor, at, value)
    }

    fn describe(&self, tensor: TensorId) -> (DType, Vec<u64>) {
        self.run.describe(tensor)
    }

    fn allocate(&mut self, dtype: DType, shape: &[u64]) -> TensorId {
        self.run.allocate(dtype, shape)
    }

    fn launches(&self) -> bool {
        false
    }

    fn launch(&mut self, _: &Arc<Kernel>, _: &[Value]) -> Result<(), HostError> {
        Ok(())
    }
}
