//! The operations that programs name: functions, methods and constants of the compiler.

use smol_str::SmolStr;

/// An operation of the compiler: an index into the table of this file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Builtin(pub u16);

impl Builtin {
    /// The function of that path, `["zeros"]` or `["exact", "exp2"]`; `None` if there is none.
    pub fn function(_path: &[SmolStr]) -> Option<Builtin> {
        None
    }

    /// The method of that name, called as `x.name(…)` with `x` as the first argument.
    pub fn method(_name: &str) -> Option<Builtin> {
        None
    }

    /// Whether the argument of that name is a word (`evict: last`), handed over as [`crate::elab::value::Value::Str`].
    pub fn takes_word(self, _argument: &str) -> bool {
        false
    }

    /// Every path that [`Builtin::function`] knows, for suggestions.
    pub fn paths() -> impl Iterator<Item = &'static str> {
        std::iter::empty()
    }
}
