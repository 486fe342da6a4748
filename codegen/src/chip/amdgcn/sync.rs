//! AMD has no mbarriers: kernels of roles are refused when they are checked (E0713).

use inkwell::values::{IntValue, PointerValue};

use super::Amdgcn;
use crate::chip::Reach;
use crate::chip::sync::{Mbarriers, Meeting};
use crate::emit::Emit;

const E0713: &str = "E0713: a kernel of roles is for targets with mbarriers";

impl Mbarriers for Amdgcn {
    fn init_mbarrier<'c>(&self, _emit: &Emit<'c>, _at: PointerValue<'c>, _count: u32) {
        unreachable!("{E0713}")
    }

    fn publish_mbarriers(&self, _emit: &Emit<'_>) {
        unreachable!("{E0713}")
    }

    fn arrive<'c>(
        &self,
        _emit: &Emit<'c>,
        _at: PointerValue<'c>,
        _count: u32,
        _bytes: Option<(IntValue<'c>, u32)>,
    ) {
        unreachable!("{E0713}")
    }

    fn await_mbarrier<'c>(
        &self,
        _emit: &Emit<'c>,
        _at: PointerValue<'c>,
        _parity: IntValue<'c>,
        _reach: Reach,
    ) {
        unreachable!("{E0713}")
    }

    fn ask_mbarrier<'c>(
        &self,
        _emit: &Emit<'c>,
        _at: PointerValue<'c>,
        _parity: IntValue<'c>,
    ) -> IntValue<'c> {
        unreachable!("{E0713}")
    }

    fn all<'c>(&self, _emit: &Emit<'c>, _meeting: Meeting, _flag: IntValue<'c>) -> IntValue<'c> {
        unreachable!("{E0713}")
    }

    fn come(&self, _emit: &Emit<'_>, _id: u32, _threads: u32) {
        unreachable!("{E0713}")
    }

    fn hold_for_copies<'c>(&self, _emit: &Emit<'c>, _at: PointerValue<'c>) {
        unreachable!("{E0713}")
    }

    fn hand_registers(&self, _emit: &Emit<'_>, _start: u32, _wanted: u32) {
        unreachable!("{E0713}")
    }
}
