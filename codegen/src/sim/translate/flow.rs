//! Branches, and the copies that phis become.

use super::super::bytecode::{Switch, Trap};
use super::super::llvm::Opcode;
use super::arith::row;
use super::*;

impl<'m> Lower<'m> {
    /// Gives every phi its rows, before anything else is translated.
    pub(super) fn phi_rows(
        &mut self,
        order: &[usize],
        blocks: &[Block<'m>],
    ) -> Result<(), SimError> {
        for &block in order {
            for inst in blocks[block].instructions() {
                if inst.opcode() != Opcode::LLVMPHI {
                    break;
                }
                let slots = self.fresh_all(inst.ty())?;
                self.bind(inst, slots);
            }
        }
        Ok(())
    }

    pub(super) fn terminator(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        match inst.opcode() {
            Opcode::LLVMBr if inst.successor_count() == 1 => {
                let edge = self.edge(inst.parent(), inst.successor(0));
                self.emit(Op::Jump { edge });
            }
            Opcode::LLVMBr => {
                let flag = row(self.slot(inst.operand(0))?);
                let yes = self.edge(inst.parent(), inst.successor(0));
                let no = self.edge(inst.parent(), inst.successor(1));
                self.emit(Op::Branch { flag, yes, no });
            }
            Opcode::LLVMSwitch => self.switch(inst)?,
            Opcode::LLVMRet => self.emit(Op::Return),
            _ => self.emit(Op::Trap { why: Trap::Unreachable }),
        }
        Ok(())
    }

    fn switch(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let value = self.slot(inst.operand(0))?;
        let otherwise = self.edge(inst.parent(), inst.successor(0));
        let mut cases = Vec::new();
        for i in 1..inst.successor_count() {
            let edge = self.edge(inst.parent(), inst.successor(i));
            cases.push((inst.case_value(i).const_int(), edge));
        }
        let table = self.code.switches.len() as u32;
        self.code.switches.push(Switch { value, cases, otherwise });
        self.emit(Op::Switch { table });
        Ok(())
    }

    /// Fills in the copies of every edge.
    pub(super) fn resolve_edges(&mut self) -> Result<(), SimError> {
        for pending in std::mem::take(&mut self.phis) {
            let mut moves = Vec::new();
            for inst in pending.to.instructions() {
                if inst.opcode() != Opcode::LLVMPHI {
                    break;
                }
                self.phi_moves(inst, pending.from, &mut moves)?;
            }
            let moves = self.sequential(moves);
            self.code.edges[pending.edge as usize].moves = moves;
        }
        Ok(())
    }

    fn phi_moves(
        &mut self,
        phi: Value<'m>,
        from: Block<'m>,
        moves: &mut Vec<(Slot, Slot)>,
    ) -> Result<(), SimError> {
        let incoming = (0..phi.incoming_count()).find(|&i| phi.incoming_block(i) == from);
        let Some(value) = incoming.map(|i| phi.incoming_value(i)) else {
            return Ok(());
        };
        if value.is_undef() {
            return Ok(());
        }
        let (to, from) = (self.slots(phi)?, self.slots(value)?);
        let pairs = to.iter().copied().zip(from.iter().copied());
        moves.extend(pairs.filter(|(to, from)| to != from));
        Ok(())
    }

    /// Phis read all their inputs before any changes: an input that an earlier copy overwrites
    /// goes through a row of its own.
    fn sequential(&mut self, moves: Vec<(Slot, Slot)>) -> Vec<(Slot, Slot)> {
        let targets: std::collections::HashSet<Slot> = moves.iter().map(|&(to, _)| to).collect();
        let mut saved = Vec::new();
        let mut res = Vec::with_capacity(moves.len());
        for (to, from) in moves {
            if targets.contains(&from) {
                let kept = self.like(from);
                saved.push((kept, from));
                res.push((to, kept));
            } else {
                res.push((to, from));
            }
        }
        saved.extend(res);
        saved
    }
}
