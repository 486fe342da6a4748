//! Elaboration: one instance of one kernel, from its tree to tile IR.
//!
//! # Definition
//! The elaborator is an abstract interpreter over syntax trees. It runs a kernel's body once, with
//! compile-time values as they are and everything else as handles on IR values ([`value`]).
//! Functions are inlined by running their bodies; `if`, `for` and `while` over run-time scalars
//! become regions, whose carried variables are found by running the body and looking at what it
//! assigned. The same evaluator computes constants, shapes and layouts, and runs host code.
//!
//! # Invariants
//! * One mistake, one error: [`value::Value::Error`] absorbs whatever is done to it.
//! * No input makes it run without bound: calls, steps and loops are counted.
//! * What an operation *means* is not decided here but in [`rules`].

pub mod cx;
pub mod value;

mod kernel;
mod launch;
mod params;

mod branch;
mod iters;
mod loops;
mod stmt;

mod bind;
mod call;
mod constant;
mod elect;
mod env;
mod expr;
pub mod observe;
mod path;
mod permits;
mod roles;
pub mod scope;
mod types;

pub mod builder;
mod tidy;

pub mod host;
mod hostrun;
mod wrap;

pub mod rules;

pub use cx::{Elab, HostFailure};
pub use hostrun::{
    TestEnd, build_arguments, constant_findings, layout_constant, observe_test, run_test,
};
pub use kernel::{Elaborated, elaborate, observe};
pub use path::{is_later_method, is_word_of_language, words_of_language};
pub(crate) use tidy::tidy;
