//! Shared memory and copies in flight.

use super::{Block, Fault};
use crate::ir::Inst;
use crate::op::{CopyOp, SharedOp};

impl Block<'_, '_> {
    pub(super) fn shared(&mut self, op: &SharedOp, inst: &Inst) -> Result<(), Fault> {
        unimplemented!("{op:?} {inst:?}")
    }

    pub(super) fn copy(&mut self, op: &CopyOp, inst: &Inst) -> Result<(), Fault> {
        unimplemented!("{op:?} {inst:?}")
    }
}
