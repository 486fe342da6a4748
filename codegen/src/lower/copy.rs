//! Copies from global to shared memory.

use tile_language::ir::Inst;
use tile_language::op::CopyOp;

use super::Lower;

impl Lower<'_, '_> {
    pub(crate) fn copy(&mut self, op: &CopyOp, inst: &Inst) {
        unimplemented!("{op:?} {inst:?}")
    }
}
