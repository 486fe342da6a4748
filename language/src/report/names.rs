//! Wording of what concerns names.
