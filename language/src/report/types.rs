//! Wording of what concerns types, shapes and calls.
