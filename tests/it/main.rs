//! Suites that cross crates, one module a suite.

mod assembly;
mod cli;
mod editor;
mod examples;
mod lints;
mod mistakes;
mod pages;
mod replay;
mod robust;
mod roles;
mod schedules;
mod tidy;
