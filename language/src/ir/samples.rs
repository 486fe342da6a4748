//! Kernels in the IR's text: small, readable, and together over every family of operations.
//!
//! What engines, analyses and passes are tested on before there is a source text for it.

/// `z = x + y` for any number of elements: a mask at the tail.
pub const ADD: &str = include_str!("samples/add.ir");

/// Softmax of rows of 128 elements, one a warp; both reductions are `halves`.
pub const SOFTMAX: &str = include_str!("samples/softmax.ir");

/// A matrix of 32×32 boxes, transposed through a `convert`.
pub const TRANSPOSE: &str = include_str!("samples/transpose.ir");

/// Counts values with `histogram` and atomic addition; keeps the largest with compare-and-swap.
pub const ATOMICS: &str = include_str!("samples/atomics.ir");

/// A matrix of 32×32 boxes, transposed through swizzled shared memory.
pub const TURN: &str = include_str!("samples/turn.ir");

/// Sums of rows that copies in flight bring into a ring of padded buffers, two turns ahead.
pub const RING: &str = include_str!("samples/ring.ir");

/// Counts values with atomics on shared memory; `scatter` and `gather` keep which there are.
pub const BINS: &str = include_str!("samples/bins.ir");

/// Those that use shared memory, with their names.
pub const SHARED: [(&str, &str); 3] = [("turn", TURN), ("ring", RING), ("bins", BINS)];

/// All others, with their names.
pub const ALL: [(&str, &str); 4] =
    [("add", ADD), ("softmax", SOFTMAX), ("transpose", TRANSPOSE), ("atomics", ATOMICS)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{parse::parse, verify::verify};

    #[test]
    fn samples_are_sound() {
        for (name, text) in ALL.into_iter().chain(SHARED) {
            let kernel = parse(text).unwrap_or_else(|error| panic!("{name}.ir:{error}"));
            let found: Vec<String> = verify(&kernel).iter().map(ToString::to_string).collect();
            assert!(found.is_empty(), "{name}: {found:#?}");
        }
    }

    #[test]
    fn printing_and_parsing_give_the_same_kernel() {
        for (name, text) in ALL.into_iter().chain(SHARED) {
            let kernel = parse(text).unwrap_or_else(|error| panic!("{name}.ir:{error}"));
            let printed = kernel.to_string();
            let again =
                parse(&printed).unwrap_or_else(|error| panic!("{name} printed:{error}\n{printed}"));
            assert_eq!(kernel, again, "{name}");
            assert_eq!(printed, again.to_string(), "{name}");
        }
    }
}
