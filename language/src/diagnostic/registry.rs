//! The registry of diagnostics: one row a code.
//!
//! Ranges: `E00` syntax · `E01` files, modules and names · `E02` types, shapes and calls · `E03`
//! layouts · `E04` compile time · `E05` targets and budgets · `E06` memory and launches · `P01`
//! performance · `W06` accesses that could leave their tensor · `W01` style and leftovers · `R01` what the checked engines find while a kernel
//! runs. A number is never used for another thing again.

use std::fmt;

use super::Severity;

macro_rules! registry {
    ($($code:ident, $severity:ident, $summary:literal;)*) => {
        /// A diagnostic's code.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code { $(#[doc = $summary] $code,)* }

        impl Code {
            /// All codes, in order.
            pub const ALL: &'static [Code] = &[$(Code::$code),*];

            /// The code as people write it, `E0201`.
            pub fn name(self) -> &'static str {
                match self { $(Code::$code => stringify!($code)),* }
            }

            /// How bad it is unless a level says otherwise.
            pub fn severity(self) -> Severity {
                match self { $(Code::$code => Severity::$severity),* }
            }

            /// The finding in a few words.
            pub fn summary(self) -> &'static str {
                match self { $(Code::$code => $summary),* }
            }

            /// The code of that name; `None` if there is none.
            pub fn from_name(name: &str) -> Option<Code> {
                Code::ALL.iter().copied().find(|it| it.name() == name)
            }
        }
    };
}

registry! {
    E0401, Error, "a form of the language is not supported yet";
    P0101, Warning, "a memory access is narrower than it could be";
    W0601, Warning, "an access is neither masked nor provably inside its tensor";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
