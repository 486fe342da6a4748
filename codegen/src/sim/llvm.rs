//! The fence around LLVM's C interface: copies of references, and the questions `sim` asks them.
//!
//! A [`Value`], [`Type`] or [`Block`] is only made from a module that [`Reader`] borrows for `'m`,
//! so none outlives the module it points into. Everything here reads; nothing changes a module,
//! except that asking for the bits of a float constant may intern a new constant in its context.

use std::ffi::{CStr, c_char, c_uint};
use std::marker::PhantomData;

use inkwell::llvm_sys::core::*;
use inkwell::llvm_sys::prelude::*;
use inkwell::llvm_sys::target::*;
pub(super) use inkwell::llvm_sys::{
    LLVMAtomicOrdering as Ordering, LLVMAtomicRMWBinOp as RmwOp, LLVMIntPredicate as IntPredicate,
    LLVMOpcode as Opcode, LLVMRealPredicate as RealPredicate, LLVMTypeKind as TypeKind,
    LLVMValueKind as ValueKind,
};

/// A value of the module: an instruction, an argument, a constant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Value<'m>(LLVMValueRef, PhantomData<&'m ()>);

/// A type of the module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Type<'m>(LLVMTypeRef, PhantomData<&'m ()>);

/// A basic block of the module.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Block<'m>(LLVMBasicBlockRef, PhantomData<&'m ()>);

/// A module, with the parts of its data layout that `sim` needs.
#[derive(Clone, Copy)]
pub(super) struct Reader<'m> {
    module: LLVMModuleRef,
    layout: LLVMTargetDataRef,
    borrow: PhantomData<&'m ()>,
}

/// Declares methods that hand a reference, known to be alive, to one function of LLVM.
macro_rules! ask {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $res:ty = $f:path;)*) => {
        $($(#[$doc])*
        pub(super) fn $name(self, $($arg: $ty),*) -> $res {
            // SAFETY: the reference lives as long as the borrowed module; LLVM's precondition on
            // the kind of value is the caller's match on `kind` or `opcode`.
            unsafe { $f(self.0, $($arg),*) }
        })*
    };
}

/// Like `ask!` for answers that are references themselves.
macro_rules! follow {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) -> $res:ident = $f:path;)*) => {
        $($(#[$doc])*
        pub(super) fn $name(self, $($arg: $ty),*) -> $res<'m> {
            // SAFETY: as in `ask!`; the answer belongs to the same module.
            $res(unsafe { $f(self.0, $($arg),*) }, PhantomData)
        })*
    };
}

impl<'m> Value<'m> {
    ask! {
        kind() -> ValueKind = LLVMGetValueKind;
        opcode() -> Opcode = LLVMGetInstructionOpcode;
        const_opcode() -> Opcode = LLVMGetConstOpcode;
        const_int() -> u64 = LLVMConstIntGetZExtValue;
        operand_count() -> i32 = LLVMGetNumOperands;
        arg_count() -> c_uint = LLVMGetNumArgOperands;
        int_predicate() -> IntPredicate = LLVMGetICmpPredicate;
        real_predicate() -> RealPredicate = LLVMGetFCmpPredicate;
        alignment() -> c_uint = LLVMGetAlignment;
        ordering() -> Ordering = LLVMGetOrdering;
        success_ordering() -> Ordering = LLVMGetCmpXchgSuccessOrdering;
        scope_id() -> c_uint = LLVMGetAtomicSyncScopeID;
        rmw_op() -> RmwOp = LLVMGetAtomicRMWBinOp;
        successor_count() -> c_uint = LLVMGetNumSuccessors;
        incoming_count() -> c_uint = LLVMCountIncoming;
        mask_len() -> c_uint = LLVMGetNumMaskElements;
        mask_value(i: c_uint) -> i32 = LLVMGetMaskValue;
        line() -> c_uint = LLVMGetDebugLocLine;
        param_count() -> c_uint = LLVMCountParams;
    }
    follow! {
        ty() -> Type = LLVMTypeOf;
        operand(i: c_uint) -> Value = LLVMGetOperand;
        called() -> Value = LLVMGetCalledValue;
        successor(i: c_uint) -> Block = LLVMGetSuccessor;
        incoming_value(i: c_uint) -> Value = LLVMGetIncomingValue;
        incoming_block(i: c_uint) -> Block = LLVMGetIncomingBlock;
        case_value(i: c_uint) -> Value = LLVMGetSwitchCaseValue;
        allocated_type() -> Type = LLVMGetAllocatedType;
        gep_source() -> Type = LLVMGetGEPSourceElementType;
        global_type() -> Type = LLVMGlobalGetValueType;
        param(i: c_uint) -> Value = LLVMGetParam;
        parent() -> Block = LLVMGetInstructionParent;
    }

    /// The part `i` of a constant aggregate of any kind.
    pub(super) fn element(self, i: c_uint) -> Option<Value<'m>> {
        // SAFETY: a constant of a live module.
        Value::some(unsafe { LLVMGetAggregateElement(self.0, i) })
    }

    /// The initial value of a global variable, none for an external one.
    pub(super) fn initializer(self) -> Option<Value<'m>> {
        // SAFETY: the caller matched a global variable.
        Value::some(unsafe { LLVMGetInitializer(self.0) })
    }

    /// Whether the value is `undef` or `poison`.
    pub(super) fn is_undef(self) -> bool {
        // SAFETY: a live value.
        unsafe { LLVMIsUndef(self.0) != 0 }
    }

    /// Whether the value is a constant.
    pub(super) fn is_constant(self) -> bool {
        // SAFETY: a live value.
        unsafe { LLVMIsConstant(self.0) != 0 }
    }

    /// The bits of a floating-point constant as an integer constant of the same width.
    pub(super) fn float_bits(self) -> u64 {
        let bits = self.ty().float_width();
        // SAFETY: a constant of a live module; the integer type belongs to its context.
        unsafe {
            let int = LLVMIntTypeInContext(LLVMGetTypeContext(self.ty().0), bits);
            LLVMConstIntGetZExtValue(LLVMConstBitCast(self.0, int))
        }
    }

    /// Constant indices of `extractvalue` and `insertvalue`.
    pub(super) fn indices(self) -> Vec<c_uint> {
        // SAFETY: the caller matched the opcode; LLVM owns the array and keeps it alive.
        unsafe {
            let n = LLVMGetNumIndices(self.0) as usize;
            (0..n).map(|i| *LLVMGetIndices(self.0).add(i)).collect()
        }
    }

    /// Whether an instruction has a note of that kind.
    pub(super) fn has_note(self, kind: &str) -> bool {
        // SAFETY: a live instruction, whose type's context is that of its notes; LLVM reads the bytes of `kind` only.
        unsafe {
            let context = LLVMGetTypeContext(self.ty().0);
            let kind =
                LLVMGetMDKindIDInContext(context, kind.as_ptr().cast(), kind.len() as c_uint);
            !LLVMGetMetadata(self.0, kind).is_null()
        }
    }

    /// The name of a function or global variable.
    pub(super) fn name(self) -> String {
        let mut len = 0;
        // SAFETY: LLVM returns `len` bytes that live as long as the value.
        let bytes = unsafe {
            std::slice::from_raw_parts(LLVMGetValueName2(self.0, &mut len).cast::<u8>(), len)
        };
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// Template and constraints when the value is inline assembly.
    pub(super) fn inline_asm(self) -> Option<(String, String)> {
        // SAFETY: a live value; the strings live as long as it does.
        unsafe {
            if LLVMIsAInlineAsm(self.0).is_null() {
                return None;
            }
            let mut n = 0;
            let text = owned(LLVMGetInlineAsmAsmString(self.0, &mut n), n);
            let constraints = owned(LLVMGetInlineAsmConstraintString(self.0, &mut n), n);
            Some((text, constraints))
        }
    }

    /// The whole value in LLVM's text form.
    pub(super) fn print(self) -> String {
        // SAFETY: LLVM allocates the message and we give it back.
        unsafe {
            let text = LLVMPrintValueToString(self.0);
            let res = CStr::from_ptr(text).to_string_lossy().into_owned();
            LLVMDisposeMessage(text);
            res
        }
    }

    /// The string attribute `key` of a function.
    pub(super) fn fn_attribute(self, key: &str) -> Option<String> {
        // SAFETY: a live function; `!0` is LLVM's index of the function itself.
        unsafe {
            let attr =
                LLVMGetStringAttributeAtIndex(self.0, !0, key.as_ptr().cast(), key.len() as c_uint);
            if attr.is_null() {
                return None;
            }
            let mut n = 0;
            let text = LLVMGetStringAttributeValue(attr, &mut n);
            Some(owned(text, n as usize))
        }
    }

    /// The pointee of parameter `i` if it is passed `byval`.
    pub(super) fn byval(self, i: c_uint) -> Option<Type<'m>> {
        // SAFETY: a live function; parameter attributes start at index 1.
        unsafe {
            let kind = LLVMGetEnumAttributeKindForName(c"byval".as_ptr(), 5);
            let attr = LLVMGetEnumAttributeAtIndex(self.0, i + 1, kind);
            (!attr.is_null()).then(|| Type(LLVMGetTypeAttributeValue(attr), PhantomData))
        }
    }

    /// Whether the value is a function without a body.
    pub(super) fn is_declaration(self) -> bool {
        // SAFETY: the caller matched a global value.
        unsafe { LLVMIsDeclaration(self.0) != 0 }
    }

    /// The blocks of a function in the order of its text.
    pub(super) fn blocks(self) -> Vec<Block<'m>> {
        let mut res = Vec::new();
        // SAFETY: a live function; the walk ends at null.
        unsafe {
            let mut block = LLVMGetFirstBasicBlock(self.0);
            while !block.is_null() {
                res.push(Block(block, PhantomData));
                block = LLVMGetNextBasicBlock(block);
            }
        }
        res
    }

    /// All operands.
    pub(super) fn operands(self) -> Vec<Value<'m>> {
        (0..self.operand_count() as c_uint).map(|i| self.operand(i)).collect()
    }

    /// The operands of a call, without the callee.
    pub(super) fn args(self) -> Vec<Value<'m>> {
        (0..self.arg_count()).map(|i| self.operand(i)).collect()
    }

    fn some(raw: LLVMValueRef) -> Option<Value<'m>> {
        (!raw.is_null()).then_some(Value(raw, PhantomData))
    }
}

impl<'m> Type<'m> {
    ask! {
        kind() -> TypeKind = LLVMGetTypeKind;
        int_width() -> c_uint = LLVMGetIntTypeWidth;
        address_space() -> c_uint = LLVMGetPointerAddressSpace;
        array_len() -> u64 = LLVMGetArrayLength2;
        vector_len() -> c_uint = LLVMGetVectorSize;
        field_count() -> c_uint = LLVMCountStructElementTypes;
    }
    follow! {
        element() -> Type = LLVMGetElementType;
        field(i: c_uint) -> Type = LLVMStructGetTypeAtIndex;
    }

    /// Bits of a floating-point type.
    pub(super) fn float_width(self) -> c_uint {
        match self.kind() {
            TypeKind::LLVMHalfTypeKind | TypeKind::LLVMBFloatTypeKind => 16,
            TypeKind::LLVMFloatTypeKind => 32,
            _ => 64,
        }
    }

    /// The type in LLVM's text form.
    pub(super) fn print(self) -> String {
        // SAFETY: LLVM allocates the message and we give it back.
        unsafe {
            let text = LLVMPrintTypeToString(self.0);
            let res = CStr::from_ptr(text).to_string_lossy().into_owned();
            LLVMDisposeMessage(text);
            res
        }
    }
}

impl<'m> Block<'m> {
    follow! {
        terminator() -> Value = LLVMGetBasicBlockTerminator;
    }

    /// The instructions in order.
    pub(super) fn instructions(self) -> Vec<Value<'m>> {
        let mut res = Vec::new();
        // SAFETY: a live block; the walk ends at null.
        unsafe {
            let mut inst = LLVMGetFirstInstruction(self.0);
            while !inst.is_null() {
                res.push(Value(inst, PhantomData));
                inst = LLVMGetNextInstruction(inst);
            }
        }
        res
    }

    /// Blocks that control may go to next.
    pub(super) fn successors(self) -> Vec<Block<'m>> {
        let end = self.terminator();
        (0..end.successor_count()).map(|i| end.successor(i)).collect()
    }
}

impl<'m> Reader<'m> {
    /// A reader of `module`.
    pub(super) fn new(module: &'m inkwell::module::Module<'_>) -> Self {
        let module = module.as_mut_ptr();
        Reader {
            module,
            // SAFETY: the module is borrowed for `'m` and owns its data layout.
            layout: unsafe { LLVMGetModuleDataLayout(module) },
            borrow: PhantomData,
        }
    }

    /// The function called `name`.
    pub(super) fn function(self, name: &str) -> Option<Value<'m>> {
        let name = std::ffi::CString::new(name).ok()?;
        // SAFETY: a live module and a string that ends in zero.
        Value::some(unsafe { LLVMGetNamedFunction(self.module, name.as_ptr()) })
    }

    /// The target triple.
    pub(super) fn triple(self) -> String {
        // SAFETY: the string lives as long as the module.
        unsafe { CStr::from_ptr(LLVMGetTarget(self.module)).to_string_lossy().into_owned() }
    }

    /// Every global variable.
    pub(super) fn globals(self) -> Vec<Value<'m>> {
        let mut res = Vec::new();
        // SAFETY: a live module; the walk ends at null.
        unsafe {
            let mut global = LLVMGetFirstGlobal(self.module);
            while let Some(it) = Value::some(global) {
                res.push(it);
                global = LLVMGetNextGlobal(global);
            }
        }
        res
    }

    /// LLVM's number for a synchronisation scope.
    pub(super) fn scope_id(self, name: &str) -> c_uint {
        // SAFETY: the context of a live module; the name is `len` bytes.
        unsafe {
            let context = LLVMGetModuleContext(self.module);
            LLVMGetSyncScopeID(context, name.as_ptr().cast(), name.len())
        }
    }

    /// Bytes of `ty` in memory, with padding.
    pub(super) fn size(self, ty: Type<'_>) -> u64 {
        // SAFETY: a sized type of the same module.
        unsafe { LLVMABISizeOfType(self.layout, ty.0) }
    }

    /// Bytes that a store of `ty` writes.
    pub(super) fn store_size(self, ty: Type<'_>) -> u64 {
        // SAFETY: a sized type of the same module.
        unsafe { LLVMStoreSizeOfType(self.layout, ty.0) }
    }

    /// The ABI alignment of `ty` in bytes.
    pub(super) fn align(self, ty: Type<'_>) -> u64 {
        // SAFETY: a sized type of the same module.
        u64::from(unsafe { LLVMABIAlignmentOfType(self.layout, ty.0) })
    }

    /// The byte offset of field `i` of the struct `ty`.
    pub(super) fn field_offset(self, ty: Type<'_>, i: u32) -> u64 {
        // SAFETY: the caller matched a struct with that field.
        unsafe { LLVMOffsetOfElement(self.layout, ty.0, i) }
    }

    /// Bytes of a pointer into `space`.
    pub(super) fn pointer_size(self, space: u32) -> u32 {
        // SAFETY: the layout of a live module.
        unsafe { LLVMPointerSizeForAS(self.layout, space) }
    }
}

/// Copies `len` bytes that LLVM owns.
///
/// # Safety
/// `text` points at `len` readable bytes.
unsafe fn owned(text: *const c_char, len: usize) -> String {
    // SAFETY: the caller's promise.
    let bytes = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), len) };
    String::from_utf8_lossy(bytes).into_owned()
}
