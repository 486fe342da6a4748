//! How many blocks a multiprocessor or compute unit holds at once.
//!
//! Follows from the target's row by the rules that the vendors publish. Sources: `cuda_occupancy.h`;
//! LLVM, "User Guide for AMDGPU Backend".

use super::{Target, Vendor};

/// Registers are given to an NVIDIA warp in multiples of this.
const WARP_REGISTER_UNIT: u32 = 256;
/// Schedulers of a multiprocessor or compute unit; each has its share of the register file.
const SCHEDULERS: u32 = 4;

/// What one block takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// Warps.
    pub warps: u32,
    /// 32-bit registers of a thread.
    pub registers: u32,
    /// Bytes of shared memory.
    pub shared_bytes: u32,
}

/// What keeps another block out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Bound {
    Registers,
    Shared,
    Warps,
    Blocks,
}

impl Bound {
    /// How it reads in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Bound::Registers => "registers",
            Bound::Shared => "shared memory",
            Bound::Warps => "warps",
            Bound::Blocks => "the number of blocks",
        }
    }
}

/// How full a multiprocessor gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Occupancy {
    /// Blocks at once.
    pub blocks: u32,
    /// Their warps as a part of what it can hold, in percent.
    pub percent: u32,
    /// What keeps another block out.
    pub bound: Bound,
}

impl Target {
    /// How many such blocks a multiprocessor holds at once.
    pub fn occupancy(&self, block: Block) -> Occupancy {
        let shared_bytes = block.shared_bytes + self.smem_block_bytes_reserved;
        let limits = [
            (self.blocks_by_registers(block), Bound::Registers),
            (self.smem_sm_bytes.checked_div(shared_bytes).unwrap_or(u32::MAX), Bound::Shared),
            (self.warps_sm_max / block.warps, Bound::Warps),
            (self.blocks_sm_max, Bound::Blocks),
        ];
        let least = limits.into_iter().min_by_key(|it| it.0);
        let (blocks, bound) = least.expect("there are four limits");
        Occupancy { blocks, percent: blocks * block.warps * 100 / self.warps_sm_max, bound }
    }

    fn blocks_by_registers(&self, block: Block) -> u32 {
        let share = self.regs_sm / SCHEDULERS;
        let registers = block.registers.max(1);
        match self.vendor {
            Vendor::Nvidia => {
                let a_warp = (registers * self.lanes).next_multiple_of(WARP_REGISTER_UNIT);
                share / a_warp * SCHEDULERS / block.warps
            }
            Vendor::Amd => {
                // A lane's share of the file, in units; the waves of a block go round the schedulers.
                let a_lane = share / self.lanes;
                let waves = (a_lane / registers.next_multiple_of(self.regs_unit))
                    .min(self.warps_sm_max / SCHEDULERS);
                waves * SCHEDULERS / block.warps
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::TargetId;

    fn check(target: &str, warps: u32, registers: u32, shared_bytes: u32, blocks: u32) {
        let row = TargetId::from_name(target).expect("the target exists").row();
        let found = row.occupancy(Block { warps, registers, shared_bytes }).blocks;
        let what = format!("{target} {warps} warps, {registers} registers, {shared_bytes} bytes");
        assert_eq!(found, blocks, "{what}");
    }

    #[test]
    fn occupancy_is_that_of_the_vendors_calculators() {
        check("sm_90a", 4, 32, 0, 16);
        check("sm_90a", 4, 33, 0, 12);
        check("sm_90a", 4, 40, 0, 12);
        check("sm_90a", 4, 255, 0, 2);
        check("sm_90a", 12, 168, 0, 1);
        check("sm_80", 4, 128, 81 * 1024, 2);
        check("sm_80", 4, 128, 82 * 1024, 1);
        check("gfx942", 4, 64, 0, 8);
        check("gfx942", 4, 65, 0, 7);
        check("gfx942", 4, 128, 0, 4);
        check("gfx942", 4, 64, 32 * 1024, 2);
    }

    #[test]
    fn what_keeps_another_block_out_is_named() {
        let row = TargetId::from_name("sm_90a").expect("the target exists").row();
        let bound = |registers, shared_bytes| {
            row.occupancy(Block { warps: 4, registers, shared_bytes }).bound
        };
        assert_eq!(bound(168, 0), Bound::Registers);
        assert_eq!(bound(32, 100 * 1024), Bound::Shared);
    }
}
