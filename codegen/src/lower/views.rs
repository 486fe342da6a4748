//! Views of shared memory: places, loads, stores.

use tile_language::ir::Inst;
use tile_language::op::{CopyOp, SharedOp};

use super::Lower;

impl Lower<'_, '_> {
    pub(crate) fn shared(&mut self, op: &SharedOp, inst: &Inst) {
        unimplemented!("{op:?} {inst:?}")
    }

    pub(crate) fn copy(&mut self, op: &CopyOp, inst: &Inst) {
        unimplemented!("{op:?} {inst:?}")
    }
}
