//! No target of AMD that the compiler knows has a copy engine for boxes.

use inkwell::values::{FunctionValue, IntValue, PointerValue};

use tile_language::op::memory::AtomicOp;

use super::Amdgcn;
use crate::chip::engine::{CopyEngine, TensorBox};
use crate::emit::Emit;

const NO_ENGINE: &str = "no target of AMD has `tma`";

impl CopyEngine for Amdgcn {
    fn declare_map<'c>(&self, _emit: &Emit<'c>, _function: FunctionValue<'c>, _number: u32) {
        unreachable!("{NO_ENGINE}")
    }

    fn prefetch_map<'c>(&self, _emit: &Emit<'c>, _map: PointerValue<'c>) {
        unreachable!("{NO_ENGINE}")
    }

    fn is_elected<'c>(&self, _emit: &Emit<'c>) -> IntValue<'c> {
        unreachable!("{NO_ENGINE}")
    }

    fn bring_box<'c>(
        &self,
        _emit: &Emit<'c>,
        _from: &TensorBox<'c>,
        _to: PointerValue<'c>,
        _told: PointerValue<'c>,
        _blocks: u32,
    ) {
        unreachable!("{NO_ENGINE}")
    }

    fn take_box<'c>(
        &self,
        _emit: &Emit<'c>,
        _from: PointerValue<'c>,
        _to: &TensorBox<'c>,
        _reduce: Option<AtomicOp>,
    ) {
        unreachable!("{NO_ENGINE}")
    }

    fn prefetch_box<'c>(&self, _emit: &Emit<'c>, _it: &TensorBox<'c>) {
        unreachable!("{NO_ENGINE}")
    }

    fn await_boxes(&self, _emit: &Emit<'_>, _in_flight: u32, _read: bool) {
        unreachable!("{NO_ENGINE}")
    }

    fn show_engine(&self, _emit: &Emit<'_>) {
        unreachable!("{NO_ENGINE}")
    }
}
