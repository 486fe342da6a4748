//! Features: pure functions of the database, one file each.
//!
//! A feature takes the database, a file and bytes of it, and gives data with bytes in it. The
//! server turns both into what the client counts in. So a feature is tested without a server: a
//! text with `$0` where the cursor is, and a snapshot of what came out.

pub mod callee;
pub mod calls;
pub mod code;
pub mod completion;
pub mod cost;
pub mod docs;
pub mod fixes;
#[cfg(test)]
pub(crate) mod fixture;
pub mod folding;
pub mod formatting;
pub mod hover;
pub mod inlay;
pub mod layout_view;
pub mod lens;
pub mod line_index;
pub mod links;
pub mod measured;
pub mod navigation;
pub mod picture;
pub mod rename;
pub mod selection;
pub mod semantic_tokens;
pub mod shown;
pub mod signature;
pub mod symbols;
pub mod syntax;
pub mod words;
