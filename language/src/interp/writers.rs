//! Which block last stored where, to find blocks that store different values to one place.
//!
//! A buffer has an entry a *grain*: the largest number of bytes of which the start and the length of
//! every store so far are multiples. Blocks that store whole rows leave an entry a row; a store that
//! does not fit makes the grains smaller.

use std::ops::Range;

/// The last writers of one buffer. Blocks count from 1; 0 is nobody.
#[derive(Clone, Debug, Default)]
pub(super) struct Writers {
    /// Bytes of a grain; 0 before the first store.
    grain: usize,
    blocks: Vec<u32>,
}

/// Writers of the bytes of one store.
pub(super) struct Foreign {
    grain: usize,
    blocks: Vec<u32>,
    block: u32,
}

/// Bytes that another block had written, as they were before a store.
pub(super) struct Contested {
    range: Range<usize>,
    before: Vec<u8>,
    foreign: Foreign,
}

impl Writers {
    /// Notes `block` as the writer of bytes of a buffer of `len` bytes. Gives who wrote them if
    /// another block did.
    pub(super) fn note(&mut self, len: usize, range: Range<usize>, block: u32) -> Option<Foreign> {
        self.refine(len, &range);
        let grain = self.grain;
        let blocks = &mut self.blocks[range.start / grain..range.end / grain];
        // Folded without an early end, so that the loop is vectorised.
        let is_foreign = blocks.iter().fold(false, |acc, &it| acc | (it != 0 && it != block));
        let foreign = is_foreign.then(|| Foreign { grain, blocks: blocks.to_vec(), block });
        blocks.fill(block);
        foreign
    }

    /// Makes grains of which `range` is made up.
    fn refine(&mut self, len: usize, range: &Range<usize>) {
        let grain = gcd(gcd(self.grain, range.start), range.len());
        if self.grain == 0 {
            self.blocks = vec![0; len.div_ceil(grain)];
        } else if grain < self.grain {
            let parts = self.grain / grain;
            let blocks = self.blocks.iter().flat_map(|&it| std::iter::repeat_n(it, parts));
            self.blocks = blocks.collect();
        }
        self.grain = grain;
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Contested {
    pub(super) fn new(range: Range<usize>, before: &[u8], foreign: Foreign) -> Contested {
        Contested { range, before: before.to_vec(), foreign }
    }

    /// The first byte of another block that is different `after` the store, and that block, counted
    /// from 0.
    pub(super) fn changed(&self, after: &[u8]) -> Option<(usize, u32)> {
        let Foreign { grain, blocks, block } = &self.foreign;
        (0..after.len()).find_map(|at| {
            let writer = blocks[at / grain];
            let is_foreign = writer != 0 && writer != *block;
            (is_foreign && self.before[at] != after[at])
                .then(|| (self.range.start + at, writer - 1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_that_do_not_fit_make_grains_smaller() {
        let mut writers = Writers::default();
        assert!(writers.note(22, 0..8, 1).is_none());
        assert!(writers.note(22, 8..16, 2).is_none());
        assert_eq!((writers.grain, writers.blocks.len()), (8, 3));
        assert!(writers.note(22, 0..1, 1).is_none());
        let foreign = writers.note(22, 7..9, 2).expect("byte 7 is block 1's");
        let contested = Contested::new(7..9, &[5, 5], foreign);
        assert_eq!(contested.changed(&[5, 6]), None);
        assert_eq!(contested.changed(&[6, 5]), Some((7, 0)));
        assert!(writers.note(22, 12..16, 2).is_none());
        assert!(writers.note(22, 16..22, 3).is_none());
        assert!(writers.note(22, 4..8, 1).is_some());
    }
}
