//! What `test` and `bench` bodies ask of whole tensors.
//!
//! The evaluator runs host code; everything that touches a whole tensor goes through [`HostOps`],
//! so that the evaluator knows neither numbers in memory nor engines.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_syntax::ast::{BinaryOp, UnaryOp};

use super::value::{Arg, Value};
use crate::diagnostic::Code;
use crate::dtype::DType;
use crate::host::TensorId;
use crate::ir::{Kernel, SiteId};

/// Why a step of host code failed. The evaluator adds the place.
#[derive(Clone, PartialEq, Debug)]
pub struct HostError {
    /// The registry's row.
    pub code: Code,
    /// What happened, in a sentence without full stop.
    pub message: String,
    /// Facts that explain it: the first wrong elements, their indices, the tolerance.
    pub details: Vec<String>,
    /// Where in the kernel, if one was running.
    pub site: Option<(Arc<Kernel>, SiteId)>,
    /// Other places of that kernel that explain it, each with what happened there.
    pub because: Vec<(SiteId, String)>,
}

/// One index of `x[i, 2..5, :]`.
#[derive(Clone, PartialEq, Debug)]
pub enum HostIndex {
    /// One element.
    At(i64),
    /// Every `step`-th element from the first up to and without the last, or to the end.
    Range {
        /// The first.
        first: i64,
        /// The one after the last; `None` for the end of the dimension.
        end: Option<i64>,
        /// At least 1.
        step: i64,
    },
    /// The whole dimension.
    Whole,
    /// `None`: a new dimension of extent 1.
    New,
}

/// Whole tensors, references, expectations and launches.
pub trait HostOps {
    /// Calls a function of host code: `zeros`, `randn`, `ref::softmax`, `expect_close`.
    ///
    /// A shape comes as a [`super::value::TypeValue::Tile`] without layout, so extents are at least 1;
    /// host shapes with zeros come as [`super::value::TypeValue::Host`].
    fn call(&mut self, path: &[SmolStr], args: &[Arg]) -> Result<Value, HostError>;

    /// Whether [`HostOps::call`] knows that path.
    fn knows(&self, path: &[SmolStr]) -> bool;

    /// Calls a method of a tensor: `x.to(f32)`, `x.t()`. `args` are those after the tensor.
    fn method(&mut self, tensor: TensorId, name: &str, args: &[Arg]) -> Result<Value, HostError>;

    /// A field of a tensor: `x.shape`.
    fn field(&mut self, tensor: TensorId, name: &str) -> Result<Value, HostError>;

    /// An operator of which at least one side is a tensor; numbers broadcast.
    fn binary(&mut self, op: BinaryOp, lhs: &Value, rhs: &Value) -> Result<Value, HostError>;

    /// An operator on a tensor.
    fn unary(&mut self, op: UnaryOp, operand: &Value) -> Result<Value, HostError>;

    /// `x[…]`: one element as [`Value::Int`], [`Value::Float`] or [`Value::Bool`], or a view of several.
    fn index(&mut self, tensor: TensorId, at: &[HostIndex]) -> Result<Value, HostError>;

    /// `x[…] = value`.
    fn assign(
        &mut self,
        tensor: TensorId,
        at: &[HostIndex],
        value: &Value,
    ) -> Result<(), HostError>;

    /// Elements and extents.
    fn describe(&self, tensor: TensorId) -> (DType, Vec<u64>);

    /// A new tensor of zeros.
    fn allocate(&mut self, dtype: DType, shape: &[u64]) -> TensorId;

    /// Whether kernels are launched; nobody elaborates what is not.
    fn launches(&self) -> bool {
        true
    }

    /// Launches a kernel: `args` in the order of the plan's parameters, [`Value::None`] for an absent one.
    fn launch(&mut self, kernel: &Arc<Kernel>, args: &[Value]) -> Result<(), HostError>;
}
