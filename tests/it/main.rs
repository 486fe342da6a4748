//! Suites that cross crates, one module a suite.

mod tidy;
