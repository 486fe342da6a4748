//! Suites that cross crates, one module a suite.

mod cli;
mod examples;
mod pages;
mod robust;
mod tidy;
