//! The text of Tile: tokens, syntax trees, repair and formatting.

pub mod ast;
