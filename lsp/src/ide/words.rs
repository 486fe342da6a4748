//! A line of documentation for every word of the grammar: keywords, clauses, kinds, memory.

/// The word with what it means, in the order of the language's description.
pub const WORDS: &[(&str, &str)] = &[
    ("use", "Brings names of other files: `use std::softmax::Online;`"),
    ("as", "Gives what `use` brings another name."),
    ("break", "There is none: a loop's trip count is its span."),
    ("continue", "There is none: a loop's trip count is its span."),
    ("pub", "Other files see what follows."),
    ("const", "A value known at compile time."),
    ("struct", "Named fields, with compile-time parameters in brackets."),
    ("permit", "A struct whose value must be used exactly once: a stage of a ring."),
    ("enum", "A choice among names."),
    ("impl", "Methods, constants and the `init` of a type."),
    ("fn", "A function. Calls are always inlined, so facts and layouts pass through."),
    ("iter", "A function that `for` runs around its body: `yield` runs the body once."),
    ("init", "The constructor that `Type(…)` calls."),
    ("kernel", "One block's program over tiles."),
    ("build", "An instance that the library contains: `build fast = gemm[BM: 256] for sm_90a;`"),
    ("tune", "The instances among which a tuner chooses."),
    ("test", "Host code that calls kernels and judges what they did."),
    ("bench", "Host code whose kernels are timed."),
    ("let", "Binds a name once. With a memory type and no value it allocates."),
    ("var", "A variable: one element type, shape and layout for its whole life."),
    ("if", "A branch. Conditions are scalars, so a role never diverges."),
    ("else", "The other branch."),
    ("for", "A loop over a span of integers, an array or an `iter`."),
    ("while", "Goes on as long as a scalar condition holds."),
    ("in", "What a loop runs over."),
    ("step", "The distance between the numbers of a span."),
    ("return", "Ends the function with a value; only outside loops and roles."),
    ("yield", "Runs the body of the loop that called this `iter`."),
    ("static", "`static if` and `static for` are decided at compile time."),
    ("where", "What every launch must satisfy. The compiler relies on it; launchers check it."),
    ("grid", "How many blocks run: one to three launch expressions."),
    ("resident", "Promises that all blocks run at once."),
    ("warps", "How many warps a block or a role has."),
    ("regs", "Registers of each thread of a role, 24 to 256 in steps of 8."),
    ("cluster", "Blocks that share their shared memory."),
    ("requires", "Capabilities that the target must have."),
    ("expect", "Contracts that the compiler and CI check."),
    ("allow", "Silences a warning, with the reason."),
    ("pdl", "The kernel may begin while the one before it ends."),
    ("on", "Which engines run a test, or which block runs a role."),
    ("roles", "Sets of warps with their own code, registers and buffers."),
    ("elect", "Runs once in a role."),
    ("trust", "Code whose synchronisation is not decided; reports list it."),
    ("global", "A tensor in global memory, `global mut f32[m, n]`; it binds its sizes."),
    ("shared", "Memory of the block. Nothing is initialised."),
    ("tmem", "Tensor memory of Blackwell's matrix unit."),
    ("tiles", "A tensor cut into boxes."),
    ("list", "A list of tensors."),
    ("peers", "A tensor a rank."),
    ("workspace", "Memory that the launcher gives to the kernel."),
    ("mut", "The kernel writes it."),
    ("strides", "Distances in elements between neighbours of each dimension."),
    ("align", "What divides the address, in bytes; 16 if left out."),
    ("zeroed", "The launcher fills it with zeros."),
    ("own", "Every role has its own."),
    ("int", "An integer known at compile time."),
    ("float", "A float known at compile time."),
    ("bool", "`true` or `false`: known at compile time, or an element."),
    ("str", "A string known at compile time."),
    ("type", "A type as a compile-time value."),
    ("layout", "A layout as a compile-time value."),
    ("record", "Named compile-time values."),
    ("none", "The absent value of `T?`."),
    ("target", "The target compiled for: `target.lanes`, `target.has(mfma)`."),
    ("true", "The bool."),
    ("false", "The bool."),
    ("self", "The value that a method is called on, or this package in a path."),
    ("unroll", "Asks that a loop's body be repeated."),
    ("pipelined", "Spreads a loop over iterations: loads are issued so many turns ahead."),
];

/// What a word means; `None` if it is none of the grammar's.
pub fn word(name: &str) -> Option<&'static str> {
    WORDS.iter().find(|it| it.0 == name).map(|it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_of_the_lexer_has_a_line() {
        let keywords = tile_syntax::Token::WRITTEN.iter().filter(|it| it.is_word());
        let missing: Vec<&str> =
            keywords.map(|it| it.text()).filter(|it| word(it).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
