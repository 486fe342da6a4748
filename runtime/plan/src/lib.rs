//! Launch plans: what a launcher must know of a kernel, and the checks that it makes.
//!
//! # Definition
//! A [`LaunchPlan`] lists the arguments as a caller gives them, the *symbols* (sizes and strides
//! that the tensors' shapes bind), the `where` clauses, the grid, and the machine words of the
//! kernel in order. The compiler writes it, the manifest carries it, and every launcher (the CPU
//! engines, Rust, C, Python) binds arguments with [`LaunchPlan::bind`], so that a violated clause
//! is reported in the same words everywhere and nothing is launched then.
//!
//! # Laws
//! * L1: launch expressions are evaluated in 64 bits; an overflow is an error, never a wrap.
//! * L2: equal names have equal values.
//! * L3: a grid with a zero launches nothing and is no error.
//!
//! Its own crate because compiler and launchers share it, and a launcher links no compiler.
//! Knows nothing of devices, files or code objects.

mod bind;
mod error;
mod expr;
pub mod map;
mod scalar;

use serde::{Deserialize, Serialize};

pub use bind::{Argument, Bound, GRID_MAX, TensorArgument, Word};
pub use error::{LaunchError, Problem, Value};
pub use expr::{Environment, EvalError};
pub use map::{BoundMap, MapRule, TensorMap};

/// What a launcher must know of a kernel instance.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct LaunchPlan {
    /// The kernel as the user names it.
    pub kernel: String,
    /// Arguments as a caller gives them, in order.
    pub params: Vec<Param>,
    /// Sizes and strides that the arguments bind, by number.
    pub symbols: Vec<Symbol>,
    /// The `where` clauses.
    pub checks: Vec<Check>,
    /// What copy engines are told of the tensors.
    #[serde(default)]
    pub maps: Vec<TensorMap>,
    /// Blocks along each axis: one to three expressions.
    pub grid: Vec<Expr>,
    /// Blocks of a cluster along the axes; none where blocks have no cluster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cluster: Vec<u32>,
    /// All blocks run at once.
    pub resident: bool,
    /// Threads of a block.
    pub threads: u32,
    /// Machine words of the kernel, in order.
    pub abi: Vec<AbiSlot>,
}

impl LaunchPlan {
    /// Blocks of a cluster along each axis; all 1 without clusters.
    pub fn cluster_extents(&self) -> [u32; 3] {
        std::array::from_fn(|axis| self.cluster.get(axis).copied().unwrap_or(1))
    }

    /// Blocks of a cluster; 1 without clusters.
    pub fn cluster_size(&self) -> u32 {
        self.cluster.iter().product()
    }
}

/// An argument as the caller gives it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: ParamKind,
}

/// The kinds of arguments. `dtype` is a word of the language, `bf16`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum ParamKind {
    /// A tensor in global memory.
    Tensor {
        /// Its elements.
        dtype: String,
        /// Its extents: constants, or symbols that it binds or must equal.
        dims: Vec<Expr>,
        /// Its strides in elements; `None` means contiguous and row-major.
        strides: Option<Vec<Expr>>,
        /// What must divide its address, in bytes.
        align: u32,
        /// Whether the kernel writes it.
        mutable: bool,
        /// Whether it may be absent.
        optional: bool,
    },
    /// The address of an element in global memory, with others behind it. A caller gives a
    /// contiguous tensor of any shape.
    Pointer {
        /// Its elements.
        dtype: String,
        /// What must divide the address, in bytes.
        align: u32,
    },
    /// A number.
    Scalar {
        /// Its type.
        dtype: String,
        /// What it is when left out.
        default: Option<Scalar>,
    },
}

/// A number with its kind.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub enum Scalar {
    /// An integer or bool.
    Int(i64),
    /// A float.
    Float(f64),
}

/// A size or stride that tensors bind by name.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// Bits of its machine word: 32 or 64. A larger value is refused at launch.
    pub bits: u32,
}

/// A `where` clause.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Check {
    /// As written.
    pub text: String,
    /// Holds if not zero.
    pub expr: Expr,
}

/// One machine word of the kernel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AbiSlot {
    /// The 64-bit address of the tensor or pointer that is parameter `0`; null if absent.
    Address(u32),
    /// The value of symbol `0`, in its bits.
    Symbol(u32),
    /// The scalar that is parameter `0`, in its type.
    Scalar(u32),
    /// The descriptor of tensor map `0`: [`map::DESCRIPTOR_BYTES`], of which the kernel is given a copy of its own.
    Map(u32),
}

/// An expression over symbols and scalar arguments. Comparisons and logic give 0 or 1.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Expr {
    /// A number.
    Int(i64),
    /// The symbol of that number.
    Symbol(u32),
    /// The scalar argument that is the parameter of that number; must be an integer.
    Scalar(u32),
    /// Multiprocessors or compute units of the device.
    NumSms,
    /// Blocks of this kernel that the device holds at once.
    MaxResident,
    /// An operator with its operands.
    Apply(Fun, Vec<Expr>),
}

/// Operators of launch expressions. Division goes towards zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Fun {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    CeilDiv,
    Min,
    Max,
    Neg,
    Not,
    And,
    Or,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// What launch expressions may ask of a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device {
    /// Multiprocessors or compute units.
    pub sms: u32,
    /// Blocks of the kernel at hand that a multiprocessor holds at once.
    pub blocks_per_sm: u32,
}
