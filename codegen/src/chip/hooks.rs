//! Hooks on a device: what becomes of `print`, `assert` and `assume`.
//!
//! The lowering calls functions without a body, one for each place. The simulator knows them; for a
//! device they are replaced here, as the last step before instruction selection.

use inkwell::AddressSpace;
use inkwell::builder::Builder;
use inkwell::intrinsics::Intrinsic;
use inkwell::module::Module;
use inkwell::types::BasicTypeEnum;
use inkwell::values::{
    AnyValueEnum, BasicValue as _, FunctionValue, InstructionValue, PointerValue,
};
use tile_language::dtype::{Class, DType};

use crate::emit::GLOBAL;
use crate::lower::{Hook, HookKind};

const BEFORE: &str = "the builder stands before the hook's call";

/// The calls of a function.
fn calls<'c>(function: FunctionValue<'c>) -> Vec<InstructionValue<'c>> {
    let mut found = Vec::new();
    let mut next = function.as_global_value().as_pointer_value().get_first_use();
    while let Some(it) = next {
        if let AnyValueEnum::InstructionValue(inst) = it.get_user() {
            found.push(inst);
        }
        next = it.get_next_use();
    }
    found
}

/// Removes every hook, putting in its place what `make` builds before each call.
fn replace<'c>(
    module: &Module<'c>,
    hooks: &[Hook],
    make: impl Fn(&Builder<'c>, &Hook, InstructionValue<'c>),
) {
    let builder = module.get_context().create_builder();
    for hook in hooks {
        let Some(function) = module.get_function(&hook.function) else { continue };
        for call in calls(function) {
            builder.position_before(&call);
            make(&builder, hook, call);
            call.erase_from_basic_block();
        }
        // SAFETY: all its uses were calls, and they are gone.
        unsafe { function.delete() };
    }
}

fn trap<'c>(module: &Module<'c>, builder: &Builder<'c>) {
    let callee = Intrinsic::find("llvm.trap")
        .and_then(|it| it.get_declaration(module, &[]))
        .expect("LLVM has `llvm.trap`");
    builder.build_call(callee, &[], "").expect(BEFORE);
}

/// For devices that cannot print: an assertion stops the kernel, the rest is gone.
pub(super) fn through_trap<'c>(module: &Module<'c>, hooks: &[Hook]) {
    replace(module, hooks, |builder, hook, _| match hook.kind {
        HookKind::Assert { .. } => trap(module, builder),
        HookKind::Print { .. } | HookKind::Assume | HookKind::Slice { .. } => {}
    });
}

/// For devices with CUDA's `vprintf`.
pub(super) fn through_vprintf<'c>(module: &Module<'c>, hooks: &[Hook]) {
    replace(module, hooks, |builder, hook, call| match &hook.kind {
        HookKind::Print { pieces, dtypes } => {
            let words: Vec<&str> = dtypes.iter().map(|&it| conversion(it)).collect();
            let mut format = escaped(&pieces[0]);
            for (word, piece) in words.iter().zip(&pieces[1..]) {
                format.push_str(word);
                format.push_str(&escaped(piece));
            }
            format.push('\n');
            let args = arguments(builder, call, dtypes);
            vprintf(module, builder, &format, args);
        }
        HookKind::Assert { message } => {
            let null = module.get_context().ptr_type(AddressSpace::default()).const_null();
            vprintf(module, builder, &format!("assertion failed: {}\n", escaped(message)), null);
            trap(module, builder);
        }
        HookKind::Assume | HookKind::Slice { .. } => {}
    });
}

fn escaped(text: &str) -> String {
    text.replace('%', "%%")
}

/// The `printf` conversion of a value that is passed in 64 bits.
fn conversion(dtype: DType) -> &'static str {
    match dtype.class() {
        Class::Bool | Class::Unsigned => "%llu",
        Class::Signed => "%lld",
        Class::Float(_) => "%g",
    }
}

/// Stores the hook's operands, eight bytes each, where `vprintf` reads them.
fn arguments<'c>(
    builder: &Builder<'c>,
    call: InstructionValue<'c>,
    dtypes: &[DType],
) -> PointerValue<'c> {
    let context = call.get_parent().expect("a call stands in a block").get_context();
    let word = context.i64_type();
    let block = builder.build_alloca(word.array_type(dtypes.len() as u32), "").expect(BEFORE);
    for at in 0..dtypes.len() as u32 {
        let value = call
            .get_operand(at)
            .and_then(|it| it.value())
            .expect("the hook has an operand a value");
        let index =
            [context.i32_type().const_zero(), context.i32_type().const_int(u64::from(at), false)];
        // SAFETY: the index is inside the array that was just made.
        let to =
            unsafe { builder.build_gep(word.array_type(dtypes.len() as u32), block, &index, "") }
                .expect(BEFORE);
        builder.build_store(to, value).expect(BEFORE);
    }
    block
}

fn vprintf<'c>(module: &Module<'c>, builder: &Builder<'c>, format: &str, args: PointerValue<'c>) {
    let context = module.get_context();
    let generic = context.ptr_type(AddressSpace::default());
    let callee = module.get_function("vprintf").unwrap_or_else(|| {
        let ty = context.i32_type().fn_type(&[generic.into(), generic.into()], false);
        module.add_function("vprintf", ty, None)
    });
    let text = context.const_string(format.as_bytes(), true);
    let global = module.add_global(
        BasicTypeEnum::ArrayType(text.get_type()),
        Some(AddressSpace::from(GLOBAL)),
        "text",
    );
    global.set_initializer(&text);
    global.set_constant(true);
    global.set_linkage(inkwell::module::Linkage::Internal);
    let text = global.as_pointer_value().const_address_space_cast(generic);
    builder.build_call(callee, &[text.into(), args.into()], "").expect(BEFORE);
}
