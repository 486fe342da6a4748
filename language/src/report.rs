//! Wording: functions that take facts and return a diagnostic. No check holds a sentence.

pub mod comptime;
pub mod names;
pub mod performance;
pub mod types;
