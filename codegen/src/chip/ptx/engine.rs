//! The tensor memory accelerator. Sources: PTX ISA 9.7.9.25.5 (cp.async.bulk.tensor), 9.7.9.25.6 (bulk groups),
//! 9.7.13.4 (fence.proxy); CUDA C++ Programming Guide, "Tensor Memory Access".

use inkwell::attributes::AttributeLoc;
use inkwell::values::{FunctionValue, IntValue, PointerValue};
use tile_language::op::memory::{AtomicOp, Evict};
use tile_plan::map::DESCRIPTOR_BYTES;

use super::Ptx;
use crate::chip::engine::{CopyEngine, TensorBox};
use crate::emit::{Emit, Val};

/// What divides the address of a tensor map.
const MAP_ALIGN: u64 = 64;

/// Policies of the second cache level as `createpolicy.fractional` makes them for all of what is accessed.
const EVICT_FIRST: u64 = 0x12F0_0000_0000_0000;
const EVICT_LAST: u64 = 0x14F0_0000_0000_0000;

/// The operands of a copy as they are named in its text.
struct Operands<'c> {
    args: Vec<Val<'c>>,
    constraints: Vec<&'static str>,
}

impl<'c> Operands<'c> {
    fn new() -> Self {
        Operands { args: Vec::new(), constraints: Vec::new() }
    }

    fn add(&mut self, arg: impl Into<Val<'c>>, constraint: &'static str) -> String {
        self.args.push(arg.into());
        self.constraints.push(constraint);
        format!("${}", self.args.len() - 1)
    }

    /// `[map, {inner, …}]`
    fn tensor(&mut self, it: &TensorBox<'c>) -> String {
        let map = self.add(it.map, "l");
        let corner: Vec<String> = it.corner.iter().map(|at| self.add(*at, "r")).collect();
        format!("[{map}, {{{}}}]", corner.join(", "))
    }

    /// The modifier of the wish for the cache, and its operand.
    fn policy(&mut self, emit: &Emit<'c>, evict: Evict) -> (&'static str, String) {
        let policy = match evict {
            Evict::Normal => return ("", String::new()),
            Evict::First => EVICT_FIRST,
            Evict::Last => EVICT_LAST,
        };
        let policy = self.add(emit.long(policy), "l");
        (".L2::cache_hint", format!(", {policy}"))
    }

    fn emit(self, emit: &Emit<'c>, text: String) {
        emit.assembly(text, self.constraints.join(","), None, &self.args);
    }
}

impl CopyEngine for Ptx {
    fn declare_map<'c>(&self, emit: &Emit<'c>, function: FunctionValue<'c>, number: u32) {
        let at = AttributeLoc::Param(number);
        let bytes = emit.i8().array_type(DESCRIPTOR_BYTES);
        emit.type_attribute(at, "byval", bytes.into());
        emit.known_attribute(at, "align", MAP_ALIGN);
        emit.known_attribute(at, "readonly", 0);
        function.add_attribute(at, emit.context.create_string_attribute("nvvm.grid_constant", ""));
    }

    fn prefetch_map<'c>(&self, emit: &Emit<'c>, map: PointerValue<'c>) {
        emit.assembly("prefetch.tensormap [$0];".to_owned(), "l".to_owned(), None, &[map.into()]);
    }

    fn is_elected<'c>(&self, emit: &Emit<'c>) -> IntValue<'c> {
        self.is_one_of(emit, 1)
    }

    fn bring_box<'c>(
        &self,
        emit: &Emit<'c>,
        from: &TensorBox<'c>,
        to: PointerValue<'c>,
        told: PointerValue<'c>,
        blocks: u32,
    ) {
        let mut operands = Operands::new();
        let to = operands.add(to, "r");
        let tensor = operands.tensor(from);
        let told = operands.add(told, "r");
        let (cast, mask) = if 1 < blocks {
            let mask = emit.context.i16_type().const_int((1 << blocks) - 1, false);
            (".multicast::cluster", format!(", {}", operands.add(mask, "h")))
        } else {
            ("", String::new())
        };
        let (modifier, policy) = operands.policy(emit, from.evict);
        let rank = from.corner.len();
        let text = format!(
            "cp.async.bulk.tensor.{rank}d.shared::cluster.global.tile.mbarrier::complete_tx::bytes{cast}{modifier} \
             [{to}], {tensor}, [{told}]{mask}{policy};"
        );
        operands.emit(emit, text);
    }

    fn take_box<'c>(
        &self,
        emit: &Emit<'c>,
        from: PointerValue<'c>,
        to: &TensorBox<'c>,
        reduce: Option<AtomicOp>,
    ) {
        let mut operands = Operands::new();
        let tensor = operands.tensor(to);
        let from = operands.add(from, "r");
        let (modifier, policy) = operands.policy(emit, to.evict);
        let rank = to.corner.len();
        let (verb, way) = match reduce {
            Some(op) => ("cp.reduce.async.bulk.tensor", format!(".{}", op.name())),
            None => ("cp.async.bulk.tensor", String::new()),
        };
        let text = format!(
            "{verb}.{rank}d.global.shared::cta{way}.tile.bulk_group{modifier} {tensor}, [{from}]{policy};"
        );
        operands.emit(emit, text);
        Operands::new().emit(emit, "cp.async.bulk.commit_group;".to_owned());
    }

    fn prefetch_box<'c>(&self, emit: &Emit<'c>, it: &TensorBox<'c>) {
        let mut operands = Operands::new();
        let tensor = operands.tensor(it);
        let (modifier, policy) = operands.policy(emit, it.evict);
        let rank = it.corner.len();
        let text = format!(
            "cp.async.bulk.prefetch.tensor.{rank}d.L2.global.tile{modifier} {tensor}{policy};"
        );
        operands.emit(emit, text);
    }

    fn await_boxes(&self, emit: &Emit<'_>, in_flight: u32, read: bool) {
        let read = if read { ".read" } else { "" };
        Operands::new().emit(emit, format!("cp.async.bulk.wait_group{read} {in_flight};"));
    }

    fn show_engine(&self, emit: &Emit<'_>) {
        Operands::new().emit(emit, "fence.proxy.async.shared::cta;".to_owned());
    }
}
