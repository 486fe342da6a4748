//! One function of an LLVM module under construction.
//!
//! # Idea
//! LLVM's builder, with the checks that cannot fail here taken out of sight: instructions are put
//! at the end of the current block, constants fold, and an operand of the wrong kind is a broken
//! promise of the lowering (the `expect`s name it). Nothing here knows of tiles or of vendors.
//!
//! # Invariants
//! * M1: the builder always stands at the end of a block without terminator.
//! * M2: the head block dominates every other block and is closed last, so that values put there
//!   by [`Emit::at_head`] can be used everywhere. A part of the function may have a head of its own.

use std::cell::Cell;

use inkwell::attributes::{Attribute, AttributeLoc};
use inkwell::basic_block::BasicBlock;
use inkwell::builder::Builder;
use inkwell::context::Context;
use inkwell::debug_info::{
    AsDIScope as _, DIScope, DWARFEmissionKind, DWARFSourceLanguage, DebugInfoBuilder,
};
use inkwell::intrinsics::Intrinsic;
use inkwell::llvm_sys::{LLVMFastMathApproxFunc, core};
use inkwell::module::Module;
use inkwell::types::{
    AnyTypeEnum, BasicMetadataTypeEnum, BasicType, BasicTypeEnum, FloatType, IntType,
};
use inkwell::values::AsValueRef as _;
use inkwell::values::{
    BasicMetadataValueEnum, BasicValue, BasicValueEnum, FloatValue, FunctionValue,
    InstructionValue, IntValue, PhiValue, PointerValue,
};
use inkwell::{AtomicOrdering, AtomicRMWBinOp, FloatPredicate, IntPredicate};

const M1: &str = "M1: the builder stands at the end of an open block";

/// The address space of global memory; the same number for both vendors.
pub(crate) const GLOBAL: u16 = 1;
/// The address space of shared memory; the same number for both vendors.
pub(crate) const SHARED: u16 = 3;

/// Any LLVM value that an instruction can take.
pub(crate) type Val<'c> = BasicValueEnum<'c>;

/// A function under construction.
pub(crate) struct Emit<'c> {
    pub(crate) context: &'c Context,
    pub(crate) module: Module<'c>,
    pub(crate) function: FunctionValue<'c>,
    builder: Builder<'c>,
    head: Cell<Head<'c>>,
}

/// A block that runs before others and once, and the one that follows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'c> {
    head: BasicBlock<'c>,
    body: BasicBlock<'c>,
}

/// Declares wrappers of builder methods with two operands of one type.
macro_rules! binary {
    ($($ty:ident { $($name:ident = $build:ident),* $(,)? })*) => {
        impl<'c> Emit<'c> {
            $($(
                #[doc = concat!("`", stringify!($name), "` of two operands of one type.")]
                pub(crate) fn $name(&self, a: $ty<'c>, b: $ty<'c>) -> $ty<'c> {
                    self.builder.$build(a, b, "").expect(M1)
                }
            )*)*
        }
    };
}

binary! {
    IntValue {
        add = build_int_add, sub = build_int_sub,
        mul = build_int_mul, mul_nsw = build_int_nsw_mul, udiv = build_int_unsigned_div,
        sdiv = build_int_signed_div, urem = build_int_unsigned_rem, srem = build_int_signed_rem,
        and = build_and, or = build_or, xor = build_xor, shl = build_left_shift,
    }
    FloatValue {
        fadd = build_float_add, fsub = build_float_sub, fmul = build_float_mul,
        fdiv = build_float_div,
    }
}

/// Types and constants.
impl<'c> Emit<'c> {
    pub(crate) fn i1(&self) -> IntType<'c> {
        self.context.bool_type()
    }

    pub(crate) fn i8(&self) -> IntType<'c> {
        self.context.i8_type()
    }

    pub(crate) fn i32(&self) -> IntType<'c> {
        self.context.i32_type()
    }

    pub(crate) fn i64(&self) -> IntType<'c> {
        self.context.i64_type()
    }

    /// The integer type of that many bits.
    pub(crate) fn int_type(&self, bits: u32) -> IntType<'c> {
        match bits {
            1 => self.context.bool_type(),
            8 => self.context.i8_type(),
            16 => self.context.i16_type(),
            32 => self.context.i32_type(),
            64 => self.context.i64_type(),
            other => self
                .context
                .custom_width_int_type(
                    std::num::NonZeroU32::new(other).expect("an integer has bits"),
                )
                .expect("LLVM has integers of every width"),
        }
    }

    pub(crate) fn f32(&self) -> FloatType<'c> {
        self.context.f32_type()
    }

    pub(crate) fn f64(&self) -> FloatType<'c> {
        self.context.f64_type()
    }

    pub(crate) fn bool(&self, value: bool) -> IntValue<'c> {
        self.i1().const_int(u64::from(value), false)
    }

    pub(crate) fn int(&self, value: u32) -> IntValue<'c> {
        self.i32().const_int(u64::from(value), false)
    }

    pub(crate) fn long(&self, value: u64) -> IntValue<'c> {
        self.i64().const_int(value, false)
    }

    /// A constant of the type of `like`, cut to its width.
    pub(crate) fn like(&self, like: IntValue<'c>, value: u64) -> IntValue<'c> {
        like.get_type().const_int(value, false)
    }

    /// A float constant of the type of `like`.
    pub(crate) fn real(&self, like: FloatValue<'c>, value: f64) -> FloatValue<'c> {
        like.get_type().const_float(value)
    }
}

/// Instructions.
impl<'c> Emit<'c> {
    pub(crate) fn lshr(&self, a: IntValue<'c>, b: IntValue<'c>) -> IntValue<'c> {
        self.builder.build_right_shift(a, b, false, "").expect(M1)
    }

    pub(crate) fn ashr(&self, a: IntValue<'c>, b: IntValue<'c>) -> IntValue<'c> {
        self.builder.build_right_shift(a, b, true, "").expect(M1)
    }

    pub(crate) fn not(&self, a: IntValue<'c>) -> IntValue<'c> {
        self.builder.build_not(a, "").expect(M1)
    }

    pub(crate) fn neg(&self, a: IntValue<'c>) -> IntValue<'c> {
        self.builder.build_int_neg(a, "").expect(M1)
    }

    pub(crate) fn fneg(&self, a: FloatValue<'c>) -> FloatValue<'c> {
        self.builder.build_float_neg(a, "").expect(M1)
    }

    pub(crate) fn icmp(
        &self,
        predicate: IntPredicate,
        a: IntValue<'c>,
        b: IntValue<'c>,
    ) -> IntValue<'c> {
        self.builder.build_int_compare(predicate, a, b, "").expect(M1)
    }

    pub(crate) fn fcmp(
        &self,
        predicate: FloatPredicate,
        a: FloatValue<'c>,
        b: FloatValue<'c>,
    ) -> IntValue<'c> {
        self.builder.build_float_compare(predicate, a, b, "").expect(M1)
    }

    /// The sum of numbers that have no set bit in common.
    pub(crate) fn add_disjoint(&self, a: IntValue<'c>, b: IntValue<'c>) -> IntValue<'c> {
        let it = self.builder.build_int_nuw_add(a, b, "").expect(M1);
        if let Some(inst) = it.as_instruction() {
            // SAFETY: additions take the flag; the operands stay below 2^31.
            unsafe { core::LLVMSetNSW(inst.as_value_ref(), 1) };
        }
        it
    }

    /// Whether any bit is set.
    pub(crate) fn is_set(&self, a: IntValue<'c>) -> IntValue<'c> {
        self.icmp(IntPredicate::NE, a, a.get_type().const_zero())
    }

    /// `a` where `cond` holds, else `b`; no instruction where they are one value.
    pub(crate) fn select(&self, cond: IntValue<'c>, a: Val<'c>, b: Val<'c>) -> Val<'c> {
        if a == b {
            return a;
        }
        self.builder.build_select(cond, a, b, "").expect(M1)
    }

    /// [`Emit::select`] of integers.
    pub(crate) fn select_int(
        &self,
        cond: IntValue<'c>,
        a: IntValue<'c>,
        b: IntValue<'c>,
    ) -> IntValue<'c> {
        self.select(cond, a.into(), b.into()).into_int_value()
    }

    /// [`Emit::select`] of floats.
    pub(crate) fn select_float(
        &self,
        cond: IntValue<'c>,
        a: FloatValue<'c>,
        b: FloatValue<'c>,
    ) -> FloatValue<'c> {
        self.select(cond, a.into(), b.into()).into_float_value()
    }

    /// Changes the width of an integer, filling with zeros.
    pub(crate) fn zext(&self, a: IntValue<'c>, to: IntType<'c>) -> IntValue<'c> {
        self.builder.build_int_cast_sign_flag(a, to, false, "").expect(M1)
    }

    /// Changes the width of an integer, filling with the sign.
    pub(crate) fn sext(&self, a: IntValue<'c>, to: IntType<'c>) -> IntValue<'c> {
        self.builder.build_int_cast_sign_flag(a, to, true, "").expect(M1)
    }

    /// To a narrower or wider float; a narrower one rounds to nearest even.
    pub(crate) fn fcast(&self, a: FloatValue<'c>, to: FloatType<'c>) -> FloatValue<'c> {
        if a.get_type() == to {
            return a;
        }
        self.builder.build_float_cast(a, to, "").expect(M1)
    }

    pub(crate) fn sitofp(&self, a: IntValue<'c>, to: FloatType<'c>) -> FloatValue<'c> {
        self.builder.build_signed_int_to_float(a, to, "").expect(M1)
    }

    pub(crate) fn uitofp(&self, a: IntValue<'c>, to: FloatType<'c>) -> FloatValue<'c> {
        self.builder.build_unsigned_int_to_float(a, to, "").expect(M1)
    }

    /// The same bits as another type of the same width.
    pub(crate) fn bitcast(&self, a: Val<'c>, to: BasicTypeEnum<'c>) -> Val<'c> {
        if a.get_type() == to {
            return a;
        }
        match (a, to) {
            (BasicValueEnum::PointerValue(it), BasicTypeEnum::IntType(to)) => {
                self.builder.build_ptr_to_int(it, to, "").expect(M1).into()
            }
            (BasicValueEnum::IntValue(it), BasicTypeEnum::PointerType(to)) => {
                self.builder.build_int_to_ptr(it, to, "").expect(M1).into()
            }
            _ => self.builder.build_bit_cast(a, to, "").expect(M1),
        }
    }

    /// A float's bits as an integer of its width.
    pub(crate) fn float_bits(&self, a: FloatValue<'c>) -> IntValue<'c> {
        let bits = self.int_type(a.get_type().get_bit_width());
        self.bitcast(a.into(), bits.into()).into_int_value()
    }

    /// An integer's bits as a float.
    pub(crate) fn bits_float(&self, a: IntValue<'c>, to: FloatType<'c>) -> FloatValue<'c> {
        self.bitcast(a.into(), to.into()).into_float_value()
    }

    /// `pointer` moved by a number of elements of type `of`.
    pub(crate) fn offset(
        &self,
        of: BasicTypeEnum<'c>,
        pointer: PointerValue<'c>,
        by: IntValue<'c>,
    ) -> PointerValue<'c> {
        if by.is_const() && by.get_zero_extended_constant() == Some(0) {
            return pointer;
        }
        // SAFETY: a plain GEP (no `inbounds`) has no precondition; inkwell marks all of them unsafe.
        unsafe { self.builder.build_gep(of, pointer, &[by], "") }.expect(M1)
    }

    pub(crate) fn load(
        &self,
        ty: BasicTypeEnum<'c>,
        from: PointerValue<'c>,
        align: u32,
    ) -> Val<'c> {
        let it = self.builder.build_load(ty, from, "").expect(M1);
        let inst = it.as_instruction_value().expect("a load is an instruction");
        inst.set_alignment(align).expect("alignments are powers of two");
        it
    }

    pub(crate) fn store(
        &self,
        value: Val<'c>,
        to: PointerValue<'c>,
        align: u32,
    ) -> InstructionValue<'c> {
        let inst = self.builder.build_store(to, value).expect(M1);
        inst.set_alignment(align).expect("alignments are powers of two");
        inst
    }

    /// The values as one vector; a single one as itself.
    pub(crate) fn pack(&self, values: &[Val<'c>]) -> Val<'c> {
        let &[first, ..] = values else { panic!("a vector has elements") };
        if values.len() == 1 {
            return first;
        }
        let mut it =
            vector_type(first.get_type(), values.len() as u32).const_zero().into_vector_value();
        for (at, &value) in values.iter().enumerate() {
            it = self.builder.build_insert_element(it, value, self.int(at as u32), "").expect(M1);
        }
        it.into()
    }

    /// The elements of what [`Emit::pack`] made of `n` values.
    pub(crate) fn unpack(&self, value: Val<'c>, n: usize) -> Vec<Val<'c>> {
        if n == 1 {
            return vec![value];
        }
        let vector = value.into_vector_value();
        (0..n)
            .map(|at| {
                self.builder.build_extract_element(vector, self.int(at as u32), "").expect(M1)
            })
            .collect()
    }

    /// Field `at` of a struct value.
    pub(crate) fn field(&self, value: Val<'c>, at: u32) -> Val<'c> {
        self.builder
            .build_extract_value(value.into_struct_value(), at, "")
            .expect("the struct has the field")
    }

    pub(crate) fn phi(&self, ty: BasicTypeEnum<'c>) -> PhiValue<'c> {
        self.builder.build_phi(ty, "").expect(M1)
    }

    /// The builder itself, for the few instructions that occur once.
    pub(crate) fn builder(&self) -> &Builder<'c> {
        &self.builder
    }
}

/// Calls.
impl<'c> Emit<'c> {
    /// Calls an LLVM intrinsic; `types` are those it is overloaded on.
    pub(crate) fn intrinsic(
        &self,
        name: &str,
        types: &[BasicTypeEnum<'c>],
        args: &[Val<'c>],
    ) -> Option<Val<'c>> {
        let intrinsic =
            Intrinsic::find(name).unwrap_or_else(|| panic!("LLVM has the intrinsic `{name}`"));
        let callee = intrinsic
            .get_declaration(&self.module, types)
            .unwrap_or_else(|| panic!("`{name}` is overloaded on the given types"));
        let args: Vec<BasicMetadataValueEnum<'c>> = args.iter().map(|&it| it.into()).collect();
        self.builder.build_call(callee, &args, "").expect(M1).try_as_basic_value().basic()
    }

    /// An intrinsic that maps floats of one type to that type, overloaded on it.
    pub(crate) fn float_intrinsic(&self, name: &str, args: &[FloatValue<'c>]) -> FloatValue<'c> {
        let ty = args[0].get_type();
        let args: Vec<Val<'c>> = args.iter().map(|&it| it.into()).collect();
        self.intrinsic(name, &[ty.into()], &args).expect("it has a result").into_float_value()
    }

    /// An intrinsic that maps integers of one type to that type, overloaded on it.
    pub(crate) fn int_intrinsic(&self, name: &str, args: &[IntValue<'c>]) -> IntValue<'c> {
        let ty = args[0].get_type();
        let args: Vec<Val<'c>> = args.iter().map(|&it| it.into()).collect();
        self.intrinsic(name, &[ty.into()], &args).expect("it has a result").into_int_value()
    }

    /// Inline assembly with a side effect on memory.
    pub(crate) fn assembly(
        &self,
        text: String,
        constraints: String,
        result: Option<BasicTypeEnum<'c>>,
        args: &[Val<'c>],
    ) -> Option<Val<'c>> {
        let params: Vec<BasicMetadataTypeEnum<'c>> =
            args.iter().map(|it| it.get_type().into()).collect();
        let ty = match result {
            Some(it) => it.fn_type(&params, false),
            None => self.context.void_type().fn_type(&params, false),
        };
        let callee =
            self.context.create_inline_asm(ty, text, constraints, true, false, None, false);
        let args: Vec<BasicMetadataValueEnum<'c>> = args.iter().map(|&it| it.into()).collect();
        self.builder
            .build_indirect_call(ty, callee, &args, "")
            .expect(M1)
            .try_as_basic_value()
            .basic()
    }

    /// Calls a function that is declared on first use.
    pub(crate) fn external(
        &self,
        name: &str,
        result: Option<BasicTypeEnum<'c>>,
        args: &[Val<'c>],
    ) -> Option<Val<'c>> {
        let callee = self.module.get_function(name).unwrap_or_else(|| {
            let params: Vec<BasicMetadataTypeEnum<'c>> =
                args.iter().map(|it| it.get_type().into()).collect();
            let ty = match result {
                Some(it) => it.fn_type(&params, false),
                None => self.context.void_type().fn_type(&params, false),
            };
            self.module.add_function(name, ty, None)
        });
        let args: Vec<BasicMetadataValueEnum<'c>> = args.iter().map(|&it| it.into()).collect();
        self.builder.build_call(callee, &args, "").expect(M1).try_as_basic_value().basic()
    }

    /// An attribute of the function that is a word with a value.
    pub(crate) fn attribute(&self, name: &str, value: &str) {
        self.function.add_attribute(
            AttributeLoc::Function,
            self.context.create_string_attribute(name, value),
        );
    }

    /// An attribute of LLVM's own that is a type.
    pub(crate) fn type_attribute(&self, at: AttributeLoc, name: &str, ty: AnyTypeEnum<'c>) {
        let kind = Attribute::get_named_enum_kind_id(name);
        self.function.add_attribute(at, self.context.create_type_attribute(kind, ty));
    }

    /// An attribute of LLVM's own on the function or on a parameter.
    pub(crate) fn known_attribute(&self, at: AttributeLoc, name: &str, value: u64) {
        let kind = Attribute::get_named_enum_kind_id(name);
        self.function.add_attribute(at, self.context.create_enum_attribute(kind, value));
    }
}

/// Lines of a function's instructions.
pub(crate) struct Lines<'c> {
    builder: DebugInfoBuilder<'c>,
    scope: DIScope<'c>,
}

impl<'c> Emit<'c> {
    /// Prepares the function for [`Emit::at_line`].
    pub(crate) fn lines(&self, name: &str) -> Lines<'c> {
        let language = DWARFSourceLanguage::C;
        let kind = DWARFEmissionKind::LineTablesOnly;
        let (builder, unit) = self.module.create_debug_info_builder(
            true, language, name, "", "tilec", true, "", 0, "", kind, 0, false, false, "", "",
        );
        let file = unit.get_file();
        let ty = builder.create_subroutine_type(file, None, &[], 0);
        let scope = file.as_debug_info_scope();
        let function =
            builder.create_function(scope, name, None, file, 1, ty, false, true, 1, 0, true);
        self.function.set_subprogram(function);
        Lines { builder, scope: function.as_debug_info_scope() }
    }

    /// Instructions from here on stand at that line, which is at least 1.
    pub(crate) fn at_line(&self, lines: &Lines<'c>, line: u32) {
        let location =
            lines.builder.create_debug_location(self.context, line, 0, lines.scope, None);
        self.builder.set_current_debug_location(location);
    }

    /// Closes what [`Emit::lines`] began.
    pub(crate) fn finish_lines(lines: &Lines<'c>) {
        lines.builder.finalize();
    }
}

/// Blocks.
impl<'c> Emit<'c> {
    /// Begins the function's body.
    pub(crate) fn new(
        context: &'c Context,
        module: Module<'c>,
        function: FunctionValue<'c>,
    ) -> Emit<'c> {
        let builder = context.create_builder();
        let head = context.append_basic_block(function, "head");
        let body = context.append_basic_block(function, "body");
        builder.position_at_end(body);
        Emit { context, module, function, builder, head: Cell::new(Head { head, body }) }
    }

    /// Ends the function: returns from the current block and closes the head.
    pub(crate) fn finish(self) -> Module<'c> {
        self.builder.build_return(None).expect(M1);
        let Head { head, body } = self.head.get();
        self.builder.position_at_end(head);
        self.builder.build_unconditional_branch(body).expect(M1);
        self.module
    }

    /// Begins a part of the function with a head of its own, which is this block; the head outside.
    pub(crate) fn open_head(&self) -> Head<'c> {
        let own = Head { head: self.here(), body: self.block() };
        self.enter(own.body);
        self.head.replace(own)
    }

    /// Ends such a part.
    pub(crate) fn close_head(&self, outer: Head<'c>) {
        let here = self.here();
        let own = self.head.replace(outer);
        self.enter(own.head);
        self.jump(own.body);
        self.enter(here);
    }

    /// Puts instructions into the head block, which runs first and once.
    pub(crate) fn at_head<T>(&self, make: impl FnOnce() -> T) -> T {
        let here = self.here();
        self.builder.position_at_end(self.head.get().head);
        let it = make();
        self.builder.position_at_end(here);
        it
    }

    /// The block in which the next instruction goes.
    pub(crate) fn here(&self) -> BasicBlock<'c> {
        self.builder.get_insert_block().expect(M1)
    }

    /// A new block at the end of the function.
    pub(crate) fn block(&self) -> BasicBlock<'c> {
        self.context.append_basic_block(self.function, "")
    }

    /// Goes on in another block.
    pub(crate) fn enter(&self, block: BasicBlock<'c>) {
        self.builder.position_at_end(block);
    }

    pub(crate) fn jump(&self, to: BasicBlock<'c>) {
        self.builder.build_unconditional_branch(to).expect(M1);
    }

    pub(crate) fn branch(&self, cond: IntValue<'c>, then: BasicBlock<'c>, other: BasicBlock<'c>) {
        self.builder.build_conditional_branch(cond, then, other).expect(M1);
    }

    /// Runs `make` only where `cond` holds.
    pub(crate) fn when(&self, cond: IntValue<'c>, make: impl FnOnce()) {
        self.when_or(cond, &[], || {
            make();
            Vec::new()
        });
    }

    /// The values of `make` where `cond` holds, elsewhere `other`.
    pub(crate) fn when_or(
        &self,
        cond: IntValue<'c>,
        other: &[Val<'c>],
        make: impl FnOnce() -> Vec<Val<'c>>,
    ) -> Vec<Val<'c>> {
        if cond.is_const() {
            return if cond.get_zero_extended_constant() == Some(0) {
                other.to_vec()
            } else {
                make()
            };
        }
        let (before, then, join) = (self.here(), self.block(), self.block());
        self.branch(cond, then, join);
        self.enter(then);
        let values = make();
        let last = self.here();
        self.jump(join);
        self.enter(join);
        self.merge(&values, last, other, before)
    }

    /// Values that are `a` when the current block is entered from `from_a`, and `b` from `from_b`.
    pub(crate) fn merge(
        &self,
        a: &[Val<'c>],
        from_a: BasicBlock<'c>,
        b: &[Val<'c>],
        from_b: BasicBlock<'c>,
    ) -> Vec<Val<'c>> {
        assert_eq!(a.len(), b.len(), "both ways bring the same values");
        let one = |(&a, &b): (&Val<'c>, &Val<'c>)| {
            if a == b {
                return a;
            }
            let phi = self.phi(a.get_type());
            phi.add_incoming(&[(&a as &dyn BasicValue<'c>, from_a), (&b, from_b)]);
            phi.as_basic_value()
        };
        a.iter().zip(b).map(one).collect()
    }
}

/// What inkwell has no words for: scopes of synchronisation, notes and flags on instructions.
impl<'c> Emit<'c> {
    fn scope_id(&self, scope: &str) -> u32 {
        // SAFETY: the context is alive and the name is given with its length.
        unsafe { core::LLVMGetSyncScopeID(self.context.raw(), scope.as_ptr().cast(), scope.len()) }
    }

    /// Orders memory accesses for a scope.
    pub(crate) fn fence(&self, order: AtomicOrdering, scope: &str) {
        let scope = self.scope_id(scope);
        // SAFETY: the builder stands in a block (M1), and the name is a C string.
        unsafe {
            core::LLVMBuildFenceSyncScope(
                self.builder.as_mut_ptr(),
                order.into(),
                scope,
                c"".as_ptr(),
            )
        };
    }

    /// `atomicrmw`: what was in memory before.
    pub(crate) fn atomic(
        &self,
        op: AtomicRMWBinOp,
        to: PointerValue<'c>,
        value: Val<'c>,
        order: AtomicOrdering,
        scope: &str,
    ) -> Val<'c> {
        let scope = self.scope_id(scope);
        // SAFETY: the builder stands in a block (M1); pointer and value belong to this context, and
        // the result has the type of `value`.
        unsafe {
            let it = core::LLVMBuildAtomicRMWSyncScope(
                self.builder.as_mut_ptr(),
                op.into(),
                to.as_value_ref(),
                value.as_value_ref(),
                order.into(),
                scope,
            );
            Val::new(it)
        }
    }

    /// `cmpxchg`: what was in memory before.
    pub(crate) fn compare_exchange(
        &self,
        to: PointerValue<'c>,
        expected: IntValue<'c>,
        value: IntValue<'c>,
        order: AtomicOrdering,
        scope: &str,
    ) -> Val<'c> {
        let scope = self.scope_id(scope);
        let failure = match order {
            AtomicOrdering::Acquire | AtomicOrdering::AcquireRelease => AtomicOrdering::Acquire,
            _ => AtomicOrdering::Monotonic,
        };
        // SAFETY: as for `atomic`; the result is a struct of the old value and a bool.
        let pair = unsafe {
            Val::new(core::LLVMBuildAtomicCmpXchgSyncScope(
                self.builder.as_mut_ptr(),
                to.as_value_ref(),
                expected.as_value_ref(),
                value.as_value_ref(),
                order.into(),
                failure.into(),
                scope,
            ))
        };
        self.field(pair, 0)
    }

    /// Puts an empty note of that kind on an instruction.
    pub(crate) fn mark(&self, value: Val<'c>, kind: &str) {
        let note = self.context.metadata_node(&[]);
        let inst = value.as_instruction_value().expect("only instructions carry notes");
        inst.set_metadata(note, self.context.get_kind_id(kind)).expect("the note is a node");
    }

    /// Says that the memory is touched once.
    pub(crate) fn mark_nontemporal(&self, inst: InstructionValue<'c>) {
        let note = self.context.metadata_node(&[self.int(1).into()]);
        inst.set_metadata(note, self.context.get_kind_id("nontemporal"))
            .expect("the note is a node");
    }

    /// A quotient within `ulps` of the exact one.
    pub(crate) fn divide_within(
        &self,
        a: FloatValue<'c>,
        b: FloatValue<'c>,
        ulps: f64,
    ) -> FloatValue<'c> {
        let it = self.fdiv(a, b);
        if let Some(inst) = it.as_instruction_value() {
            let note = self.context.metadata_node(&[self.f32().const_float(ulps).into()]);
            inst.set_metadata(note, self.context.get_kind_id("fpmath"))
                .expect("the note is a node");
        }
        it
    }

    /// A quotient by the target's approximation.
    pub(crate) fn approximate_divide(
        &self,
        a: FloatValue<'c>,
        b: FloatValue<'c>,
    ) -> FloatValue<'c> {
        let it = self.fdiv(a, b);
        if let Some(inst) = it.as_instruction_value() {
            // SAFETY: a division of floats takes fast-math flags.
            unsafe { core::LLVMSetFastMathFlags(inst.as_value_ref(), LLVMFastMathApproxFunc) };
        }
        it
    }
}

/// Bits of a value of that type: a number, a pointer, or a vector of them.
pub(crate) fn width(ty: BasicTypeEnum<'_>) -> u32 {
    match ty {
        BasicTypeEnum::IntType(it) => it.get_bit_width(),
        BasicTypeEnum::FloatType(it) => it.get_bit_width(),
        BasicTypeEnum::PointerType(_) => 64,
        BasicTypeEnum::VectorType(it) => it.get_size() * width(it.get_element_type()),
        other => panic!("values of type {other} have no width here"),
    }
}

/// The vector type of `n` elements.
pub(crate) fn vector_type<'c>(element: BasicTypeEnum<'c>, n: u32) -> BasicTypeEnum<'c> {
    match element {
        BasicTypeEnum::IntType(it) => it.vec_type(n).into(),
        BasicTypeEnum::FloatType(it) => it.vec_type(n).into(),
        BasicTypeEnum::PointerType(it) => it.vec_type(n).into(),
        other => panic!("no vector has elements of type {other}"),
    }
}
