//! The pages of diagnostics: what each code means, with a failing and a mended example.
//!
//! They stand in `docs/diagnostics` and are part of the program, so that an explanation is at hand where
//! nothing else is.

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The page of a diagnostic's code.
pub fn page(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|it| it.0 == code).map(|it| it.1)
}

/// All pages, by code, in order.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGES.iter().copied()
}
