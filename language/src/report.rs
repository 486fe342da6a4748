//! Wording: functions that take facts and return a diagnostic, or a line about a cost. No check holds a
//! sentence.

pub mod boxes;
pub mod budget;
pub mod cluster;
pub mod comptime;
pub mod costs;
pub mod layouts;
pub mod lints;
pub mod memory;
pub mod mma;
pub mod names;
pub mod ops;
pub mod packed;
pub mod performance;
pub mod roles;
pub mod runtime;
pub mod shared;
pub mod sync;
pub mod syntax;
pub mod types;
