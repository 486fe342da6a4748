//! Elaboration: one instance of one kernel, from its tree to tile IR.

pub mod scope;
pub mod value;
