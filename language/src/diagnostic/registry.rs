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
    E0001, Error, "a token is missing";
    E0002, Error, "a token does not belong here";
    E0003, Error, "a part of the text cannot be read";
    E0004, Error, "a bracket has no partner";
    E0005, Error, "comparisons are chained";
    E0006, Error, "characters that begin no token";
    E0007, Error, "a string without end, or an escape that does not exist";
    E0008, Error, "a number ends in letters";
    E0009, Error, "nesting is deeper than the limit";
    E0010, Error, "a form of other languages";
    E0101, Error, "a name that nothing declares";
    E0102, Error, "a declaration of another file is not `pub`";
    E0103, Error, "`use` items go round in a circle";
    E0104, Error, "a module stands where a value is wanted";
    E0105, Error, "a value has no such field";
    E0106, Error, "a value has no such method";
    E0107, Error, "an enum has no such variant";
    E0108, Error, "a capability, target, note or code that does not exist";
    E0109, Error, "two declarations share a name";
    E0201, Error, "a value has another type than is wanted";
    E0202, Error, "an operator does not take these operands";
    E0203, Error, "the arguments do not fit the parameters";
    E0204, Error, "the compile-time arguments do not fit the parameters";
    E0205, Error, "something that cannot be called or looped over";
    E0206, Error, "something that cannot be assigned";
    E0207, Error, "a variable changes its type";
    E0208, Error, "branches give different things";
    E0209, Error, "an index does not fit";
    E0210, Error, "a shape that cannot be";
    E0211, Error, "a tuple is taken apart into another number of parts";
    E0212, Error, "a `where` does not hold";
    E0213, Error, "`return` or `yield` where it cannot stand";
    E0214, Error, "a kernel's head is incomplete";
    E0215, Error, "a launcher cannot evaluate an expression";
    E0216, Error, "a span that cannot be";
    E0217, Error, "a target lacks what a program needs";
    E0250, Error, "operands have different element types";
    E0251, Error, "an operation does not take elements of this type";
    E0252, Error, "a number is not a value of the type it is used as";
    E0253, Error, "shapes do not go together";
    E0254, Error, "an operation is called with other arguments than it has";
    E0255, Error, "an argument is not of the kind that the operation takes";
    E0256, Error, "a dimension or bit is beyond what there is";
    E0257, Error, "brackets or a star after something that takes none";
    E0258, Error, "a shape is not made of integers of at least 1";
    E0259, Error, "no matrix unit multiplies elements of these types";
    E0260, Error, "no matrix instruction divides the tiles";
    E0301, Error, "operands have different layouts";
    E0302, Error, "the layout of a tile is open where it matters";
    E0303, Error, "a layout does not fit a shape";
    E0304, Error, "arguments of a layout do not go together";
    E0305, Error, "a tile without layout, or a layout where none can be";
    E0306, Error, "what stands after `@` is not a layout";
    E0307, Error, "a layout cannot be carried through an operation";
    E0308, Error, "a view that a memory's layout does not have";
    E0309, Error, "a tile is in another layout than a matrix instruction takes";
    E0310, Error, "a view lies as no matrix instruction reads it";
    E0401, Error, "a form of the language is not supported yet";
    E0402, Error, "a value is not known at compile time";
    E0403, Error, "compile-time arithmetic has no result";
    E0404, Error, "compile-time evaluation does not end";
    E0405, Error, "a `static_assert` does not hold";
    E0406, Error, "code that should be refused is not";
    E0450, Error, "a function of host code cannot take these arguments";
    E0550, Error, "a tile that no thread can hold";
    E0551, Error, "buffers take more shared memory than the target has";
    E0601, Error, "a tensor is written but not declared `mut`";
    E0602, Error, "a tensor is indexed with another number of dimensions";
    E0603, Error, "a tensor that may be absent is used";
    E0604, Error, "a value of another type than memory holds is stored";
    E0605, Error, "there is no atomic of that kind on the type";
    E0606, Error, "a type or layout that memory cannot have";
    E0607, Error, "the sides of a copy do not go together";
    E0608, Error, "two buffers that are to be one memory are declared in different blocks";
    E0609, Error, "an access takes a part of a byte";
    E0650, Error, "a launch breaks a rule of its kernel";
    E0701, Error, "a stage is used after its permit has ended";
    E0702, Error, "a permit does not end on every way";
    E0703, Error, "a permit is kept where it cannot be";
    E0704, Error, "a wait never ends";
    E0705, Error, "a role cannot be as it is written";
    E0706, Error, "roles use one place of memory, and nothing orders them";
    E0707, Error, "a barrier can be mistaken for another of its phases";
    E0708, Error, "a copy may still be under way when the block has ended";
    E0710, Error, "roles want more registers than a block has";
    E0711, Error, "barriers are made where they could be made twice";
    E0712, Error, "bytes are expected of copies that warps make";
    E0713, Error, "a target does not have what roles need";
    E0720, Error, "a product is used before it is waited for";
    E0721, Error, "a product is used after more was added to it";
    E0730, Error, "the copy engine could move a box if a fact were known";
    E0731, Error, "a box is brought, and nothing hears of it";
    E0732, Error, "a box is brought into a stage on some ways only";
    E0740, Error, "a cluster that no device runs";
    E0741, Error, "something of clusters where it cannot be";
    E0742, Error, "blocks of a cluster may not all come to what they do together";
    E0743, Error, "blocks of a cluster use one place of shared memory, and nothing orders them";
    E0744, Error, "a barrier that other blocks arrive at does not say how often";
    E0745, Error, "a box lands in all blocks of a cluster, and they do not say that there is room";
    E0750, Error, "roles or the block are to meet where they cannot";
    E0751, Error, "roles want more named barriers than a block has";
    E0752, Error, "`elect` holds what one thread cannot do";
    E0753, Error, "a barrier is to order what nothing has loaded";
    P0101, Warning, "a memory access is narrower than it could be";
    P0102, Warning, "a product is computed without a matrix unit";
    P0103, Warning, "something in a pipelined loop cannot be done ahead";
    P0104, Warning, "a fence orders nothing";
    P0110, Warning, "an access of a warp touches more of memory than it moves";
    P0111, Warning, "the banks of shared memory repeat an access";
    P0112, Warning, "a mask that is always true";
    P0113, Warning, "more values live at once than a thread has registers";
    P0114, Warning, "an integer division in every turn of a loop";
    W0101, Warning, "a contract is not checked yet";
    W0102, Warning, "a doc comment documents nothing";
    W0103, Warning, "the synchronisation of roles is not decided";
    W0104, Warning, "a cluster of more blocks than every device runs";
    W0601, Warning, "an access is neither masked nor provably inside its tensor";
    R0101, Error, "a result is not as a test expects";
    R0102, Error, "a kernel was stopped by a checked engine";
    R0103, Warning, "a checked engine doubts what a kernel does";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
