//! Banks of shared memory: how often a warp's access must be repeated.
//!
//! Shared memory lies in banks of 4 bytes. The lanes of a warp are served in groups, which depend on
//! the width of the access; lanes of one group that want different words of one bank wait for each
//! other, lanes that want the same word do not. Which lanes make a group, and how many banks serve
//! it, is a fact of the target: [`BankModel`].
//!
//! Sources: CUDA Programming Guide, "shared memory" (warps of 32); AMD CDNA3 and CDNA4 ISA 11.1, and
//! which lanes of a wave of 64 are served together as measured on MI300X, MI350X and MI355X (nod-ai
//! `empirical-lds`, HipKittens).

use crate::bits::{apply, log2, rank};
use crate::layout::{In, Layout};

/// Whether an access reads or writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// From shared memory.
    Read,
    /// To shared memory.
    Write,
}

/// Lanes that shared memory serves at once, and by how many banks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Group {
    /// Banks of 4 bytes.
    pub banks: u32,
    /// A basis of the lanes that are served together with lane 0; every other group is one of its
    /// cosets. No two have the same highest bit.
    pub together: &'static [u64],
}

impl Group {
    /// The group of a lane: the lowest of its lanes.
    pub fn of(&self, lane: u64) -> u64 {
        let mut basis = self.together.to_vec();
        basis.sort_unstable();
        basis.iter().rev().fold(lane, |lane, &it| lane.min(lane ^ it))
    }
}

/// How a target's shared memory serves a warp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BankModel {
    /// Reads of up to 4, 8, 12 and 16 bytes a lane.
    pub reads: [Group; 4],
    /// Writes of up to 4, 8, 12 and 16 bytes a lane.
    pub writes: [Group; 4],
}

const fn group(banks: u32, together: &'static [u64]) -> Group {
    Group { banks, together }
}

/// 128 bytes at a time of lanes that follow each other, by 32 banks.
const PLAIN: [Group; 4] = [
    group(32, &[1, 2, 4, 8, 16]),
    group(32, &[1, 2, 4, 8]),
    group(32, &[1, 2, 4]),
    group(32, &[1, 2, 4]),
];
/// Lanes 0 to 3 with 20 to 23.
const CROSSED: Group = group(32, &[1, 2, 0b10100]);

impl BankModel {
    /// NVIDIA, compute capability 5.x and later.
    pub const NVIDIA: BankModel = BankModel { reads: PLAIN, writes: PLAIN };
    /// AMD CDNA3.
    pub const CDNA3: BankModel =
        BankModel { reads: [PLAIN[0], PLAIN[1], CROSSED, CROSSED], writes: PLAIN };
    /// AMD CDNA4: reads see 64 banks, except those of 12 bytes.
    pub const CDNA4: BankModel = BankModel {
        reads: [
            group(64, &[1, 2, 4, 8, 16, 32]),
            group(64, &[1, 2, 4, 8, 16]),
            CROSSED,
            group(64, &[1, 2, 0b01100, 0b10100]),
        ],
        writes: PLAIN,
    };

    /// The model of most targets whose warps have `1 << lane_bits` lanes.
    pub fn of_warp(lane_bits: u32) -> &'static BankModel {
        if lane_bits == 6 { &BankModel::CDNA3 } else { &BankModel::NVIDIA }
    }

    /// How accesses of `bytes` a lane are served.
    pub fn group(&self, bytes: u32, direction: Direction) -> &Group {
        let class = (bytes.max(1).div_ceil(4) - 1).min(3) as usize;
        match direction {
            Direction::Read => &self.reads[class],
            Direction::Write => &self.writes[class],
        }
    }

    /// A basis of the lanes that are served together in an access of `bytes` a lane, of a warp with
    /// `lane_bits` bits.
    pub fn served_together(&self, lane_bits: u32, bytes: u32, direction: Direction) -> Vec<u64> {
        let together = self.group(bytes, direction).together;
        together.iter().copied().filter(|it| it >> lane_bits == 0).collect()
    }

    /// How many wavefronts an access needs beyond those that its width needs: `lanes` says what
    /// every bit of the lane adds (exclusive or) to the byte address.
    pub fn extra_wavefronts(&self, lanes: &[u32], bytes: u32, direction: Direction) -> u32 {
        let columns: Vec<u64> = lanes.iter().map(|&it| u64::from(it / 4)).collect();
        let together = self.served_together(lanes.len() as u32, bytes, direction);
        let words: Vec<u64> = together.into_iter().map(|it| apply(&columns, it)).collect();
        let count = u64::from(self.group(bytes, direction).banks);
        let banks: Vec<u64> = words.iter().map(|it| it % count).collect();
        (1 << (rank(&words) - rank(&banks))) - 1
    }

    /// The extra wavefronts of one access between registers in `layout` and a buffer in `shared`,
    /// with accesses as wide as both allow.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn bank_conflicts(
        &self,
        layout: &Layout,
        shared: &Layout,
        elem_bits: u32,
        direction: Direction,
    ) -> u32 {
        assert_eq!(layout.shape(), shared.shape(), "V3: one tile has one shape");
        let vector = shared_vector(layout, shared, elem_bits);
        if shared.padding().is_empty() && elem_bits.is_power_of_two() {
            let offset = |basis: &crate::Coords| shared.offset_of(basis) * elem_bits / 8;
            let lanes: Vec<u32> = layout.bases(In::Lane).iter().map(offset).collect();
            let bytes = (vector * elem_bits).div_ceil(8);
            return self.extra_wavefronts(&lanes, bytes, direction);
        }
        self.counted_wavefronts(layout, shared, elem_bits, vector, direction) - 1
    }

    /// Wavefronts of the worst group of lanes of any access, by looking at every address.
    pub fn counted_wavefronts(
        &self,
        layout: &Layout,
        shared: &Layout,
        elem_bits: u32,
        vector: u32,
        direction: Direction,
    ) -> u32 {
        let bytes = (vector * elem_bits).div_ceil(8);
        let group = self.served_together(log2(layout.lanes().into()), bytes, direction);
        let count = self.group(bytes, direction).banks as usize;
        let mut worst = 1;
        for register in 0..layout.registers() {
            for start in 0..layout.lanes() {
                let mut words = std::collections::BTreeSet::new();
                for member in 0..1u64 << group.len() {
                    let lane = start ^ apply(&group, member) as u32;
                    let first =
                        shared.offset_of(&layout.index_of(register, lane, 0)) * elem_bits / 8;
                    // Addresses inside one access go together: its first word stands for it.
                    words.insert(first / bytes.max(4) * (bytes.max(4) / 4));
                }
                let mut banks = vec![0; count];
                words.into_iter().for_each(|word| banks[word as usize % count] += 1);
                worst = worst.max(banks.into_iter().max().unwrap_or(1));
            }
        }
        worst
    }
}

/// How many elements one access moves between registers in `layout` and a buffer in `shared`.
pub fn shared_vector(layout: &Layout, shared: &Layout, elem_bits: u32) -> u32 {
    let most = 1 << (128 / elem_bits.max(1)).max(1).ilog2();
    let padding = shared.padding().iter().flat_map(|&(interval, pad)| [interval, pad]);
    let most =
        padding.filter(|&it| it != 0).fold(most, |most, it| most.min(1 << it.trailing_zeros()));
    let plain = Layout::new(shared.shape(), shared.inputs().to_vec());
    let offset = |basis: &crate::Coords| plain.offset_of(basis);
    let regs: Vec<u32> = layout.bases(In::Register).iter().map(offset).collect();
    let rest: Vec<u32> =
        [In::Lane, In::Warp].into_iter().flat_map(|it| layout.bases(it)).map(offset).collect();
    let mut n = 1;
    while n < most {
        let inside = |it: &&u32| **it & n != 0;
        let alone = regs.contains(&n)
            && regs.iter().filter(inside).count() == 1
            && rest.iter().filter(inside).count() == 0;
        if !alone {
            break;
        }
        n *= 2;
    }
    n
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(group: &Group) -> Vec<Vec<u64>> {
        let mut res: Vec<Vec<u64>> = Vec::new();
        for lane in 0..64 {
            match res.iter_mut().find(|it| it[0] == group.of(lane)) {
                Some(it) => it.push(lane),
                None => res.push(vec![lane]),
            }
        }
        res
    }

    /// As published from measurements (nod-ai, AMD's posts on conflicts in LDS).
    #[test]
    fn lanes_are_served_together_as_measured() {
        let read = |model: &BankModel, bytes| groups(model.group(bytes, Direction::Read));
        let span = |spans: &[(u64, u64)]| -> Vec<u64> {
            spans.iter().flat_map(|&(first, last)| first..=last).collect()
        };
        let cdna3 = read(&BankModel::CDNA3, 16);
        assert_eq!(cdna3.len(), 8);
        assert_eq!(cdna3[0], span(&[(0, 3), (20, 23)]));
        assert_eq!(cdna3[1], span(&[(4, 7), (16, 19)]));
        assert_eq!(cdna3[2], span(&[(8, 11), (28, 31)]));
        assert_eq!(cdna3[3], span(&[(12, 15), (24, 27)]));
        let cdna4 = read(&BankModel::CDNA4, 16);
        assert_eq!(cdna4.len(), 4);
        assert_eq!(cdna4[0], span(&[(0, 3), (12, 15), (20, 27)]));
        assert_eq!(cdna4[1], span(&[(4, 11), (16, 19), (28, 31)]));
        assert_eq!(read(&BankModel::CDNA4, 8).len(), 2);
        assert_eq!(read(&BankModel::CDNA4, 12), cdna3);
    }

    /// Lane l reads row l % 16, 16-byte column l / 16, of rows `pitch` bytes apart.
    #[test]
    fn reads_of_a_matrix_operand_cost_what_was_measured() {
        for (pitch, cdna3, cdna4) in [(128u32, 4, 4), (256, 4, 8)] {
            let lanes: Vec<u32> =
                (0..6).map(|bit| if bit < 4 { pitch << bit } else { 16 << (bit - 4) }).collect();
            let extra = |model: &BankModel| model.extra_wavefronts(&lanes, 16, Direction::Read);
            assert_eq!(
                (extra(&BankModel::CDNA3) + 1, extra(&BankModel::CDNA4) + 1),
                (cdna3, cdna4),
                "{pitch}"
            );
        }
    }
}
