//! Control flow: loops and branches whose bodies are regions.
//!
//! Conditions and bounds are scalars, so a role never diverges. There is no `break` and no `return`
//! in the IR: an early `return` becomes the other branch of an `if`.

use smol_str::SmolStr;

use super::family;

/// A set of warps with code, registers and buffers of its own.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Role {
    /// Its name.
    pub name: SmolStr,
    /// Which of the copies of a role it is, `math[half in 0..2]`.
    pub copy: Option<u32>,
    /// How many warps it is.
    pub warps: u32,
    /// The first of them in the block.
    pub first_warp: u32,
    /// Registers of a thread, if the program says it.
    pub regs: Option<u32>,
}

family! {
    /// Control flow.
    FlowOp "flow";

    /// Runs the first region if `cond` holds, otherwise the second; both yield the results.
    If = "if" ("cond") Regions, "language.md section 3";

    /// Runs its region for `lo, lo + step, …` below `hi`.
    ///
    /// The region's parameters are the index and the carried values; it yields the next carried
    /// values, which are the results after the last turn. `step` is positive. No turn runs if
    /// `hi <= lo`. The index has the type of `lo`.
    For {
        /// How often the body is repeated, if the program says it.
        unroll: Option<u32>,
        /// Over how many iterations the body's copies and loads are spread, if it is pipelined.
        stages: Option<u32>,
    } = "for" ("lo", "hi", "step", "init…") Regions, "language.md section 3";

    /// Runs a region for each role, side by side, each by the role's warps. The block ends after it.
    Roles {
        /// One for each region.
        roles: Vec<Role>,
    } = "roles" () Regions, "language.md section 8";

    /// Runs its second region as long as its first yields true.
    ///
    /// Both regions have the carried values as parameters; the first yields one bool, the second
    /// the next carried values.
    While = "while" ("init…") Regions, "language.md section 3";
}
