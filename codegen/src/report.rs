//! What a kernel costs: registers, memory, occupancy, instructions, widths of accesses.
//!
//! The numbers come from the code object where there is one (`ptxas -v`, AMD's metadata), and from
//! the lowering otherwise. Occupancy is the target's to say ([`Target::occupancy`]).

use std::collections::BTreeMap;

use tile_language::target::occupancy::Block;
use tile_language::target::{Target, Vendor};

use crate::assembler::PtxasReport;
use crate::lower::AccessWidth;

/// What one kernel costs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Resources {
    /// 32-bit registers of a thread; `None` without an assembler.
    pub registers: Option<u32>,
    /// Bytes of registers that were spilled; `None` without an assembler.
    pub spill_bytes: Option<u32>,
    /// Bytes of stack or scratch of a thread.
    pub stack_bytes: Option<u32>,
    /// Bytes of shared memory of a block.
    pub shared_bytes: u32,
    /// Of those, what a launcher has to ask for.
    pub dynamic_shared_bytes: u32,
    /// Blocks that a multiprocessor holds at once; `None` without registers.
    pub blocks_per_sm: Option<u32>,
    /// Warps of those blocks as a part of what a multiprocessor can hold, in percent.
    pub occupancy_percent: Option<u32>,
    /// How often each instruction stands in the assembly, by its mnemonic without modifiers.
    pub instructions: BTreeMap<String, u32>,
    /// How wide the accesses to global memory are, in the order of the program.
    pub accesses: Vec<AccessWidth>,
}

impl Resources {
    /// Takes in what an assembler says.
    pub(crate) fn add_ptxas(&mut self, report: PtxasReport) {
        self.registers = Some(report.registers);
        self.spill_bytes = Some(report.spill_bytes);
        self.stack_bytes = Some(report.stack_bytes);
        self.shared_bytes = report.shared_bytes.max(self.shared_bytes);
    }

    /// Takes in the metadata that LLVM writes into AMD's assembly.
    pub(crate) fn add_amd_metadata(&mut self, assembly: &str) {
        let number = |key: &str| -> Option<u32> {
            let line = assembly
                .lines()
                .find_map(|it| it.trim_start().strip_prefix(key)?.strip_prefix(':'))?;
            line.trim().parse().ok()
        };
        self.registers = number(".vgpr_count");
        let spills = |key: &str| number(key).map(|it| it * 4);
        self.spill_bytes =
            spills(".vgpr_spill_count").zip(spills(".sgpr_spill_count")).map(|(a, b)| a + b);
        self.stack_bytes = number(".private_segment_fixed_size");
        self.shared_bytes = number(".group_segment_fixed_size").unwrap_or(self.shared_bytes);
    }

    /// Works out how many blocks fit.
    pub(crate) fn estimate_occupancy(&mut self, target: &Target, warps: u32) {
        let Some(registers) = self.registers else { return };
        let block = Block { warps, registers, shared_bytes: self.shared_bytes };
        let found = target.occupancy(block);
        self.blocks_per_sm = Some(found.blocks);
        self.occupancy_percent = Some(found.percent);
    }

    /// Counts the instructions of an assembly text.
    pub(crate) fn count_instructions(&mut self, assembly: &str, vendor: Vendor) {
        for line in assembly.lines() {
            if let Some(it) = mnemonic(line, vendor) {
                *self.instructions.entry(it.to_owned()).or_default() += 1;
            }
        }
    }
}

/// The instruction of a line; `None` for labels, directives and comments.
fn mnemonic(line: &str, vendor: Vendor) -> Option<&str> {
    let text = line.strip_prefix('\t')?.trim_start();
    let text = match text.strip_prefix('@') {
        Some(guarded) => guarded.split_once(char::is_whitespace)?.1.trim_start(),
        None => text,
    };
    let word = text.split(|it: char| it.is_whitespace() || it == ';').next()?;
    let is_instruction =
        word.starts_with(|it: char| it.is_ascii_lowercase()) && !word.ends_with(':');
    if !is_instruction {
        return None;
    }
    Some(match vendor {
        Vendor::Nvidia => word,
        Vendor::Amd => word.trim_end_matches("_e32").trim_end_matches("_e64"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_counted_by_their_mnemonics() {
        let mut it = Resources::default();
        let ptx = "$L:\n\t.reg .b32 %r<2>;\n\t@%p1 bra $L;\n\tld.global.v4.b32 {%r1}, [%rd1];\n\tret;\n// end\n";
        it.count_instructions(ptx, Vendor::Nvidia);
        let counted: Vec<(&str, u32)> =
            it.instructions.iter().map(|(k, &v)| (k.as_str(), v)).collect();
        assert_eq!(counted, [("bra", 1), ("ld.global.v4.b32", 1), ("ret", 1)]);
    }
}
