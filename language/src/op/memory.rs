//! Operations on global memory, and what a kernel tells the world.
//!
//! A pointer is an element: tiles of pointers have element type [`crate::ir::Elem::Pointer`]. Masks
//! are `bool` tiles of the pointers' shape and layout, or a scalar for a scalar pointer. A mask
//! operand, and the `other` after it, are left out when every element takes part.

use super::{family, words};

words! {
    /// How a load treats the caches.
    Cache;
    /// In all levels.
    All = "all",
    /// In the second level only.
    Global = "global",
    /// Read once: nothing needs to be kept.
    Streaming = "streaming",
}

words! {
    /// Which lines the caches give up first.
    Evict;
    /// No wish.
    Normal = "normal",
    /// This line first.
    First = "first",
    /// This line last.
    Last = "last",
}

words! {
    /// What an atomic does with memory and its operand.
    AtomicOp;
    /// Adds.
    Add = "add",
    /// The smaller.
    Min = "min",
    /// The larger.
    Max = "max",
    /// Bitwise and.
    And = "and",
    /// Bitwise or.
    Or = "or",
    /// Bitwise exclusive or.
    Xor = "xor",
    /// Puts in the operand.
    Exchange = "exchange",
}

impl AtomicOp {
    /// The one of that name, if it combines its operand with what is there.
    pub fn combining(name: &str) -> Option<AtomicOp> {
        AtomicOp::from_name(name).filter(|it| *it != AtomicOp::Exchange)
    }
}

words! {
    /// What an atomic orders.
    Order;
    /// Nothing else.
    Relaxed = "relaxed",
    /// Later accesses come after.
    Acquire = "acquire",
    /// Earlier accesses come before.
    Release = "release",
    /// Both.
    AcqRel = "acq_rel",
}

words! {
    /// For whom an atomic is one step.
    Scope;
    /// This block.
    Block = "block",
    /// This cluster.
    Cluster = "cluster",
    /// This device.
    Device = "device",
    /// All devices and the host.
    System = "system",
}

family! {
    /// Operations on global memory.
    MemoryOp "memory";

    /// The pointers to elements of a tensor argument: one index a dimension, all of one shape and layout.
    ///
    /// Indices are `i32` or `i64`; the arithmetic never overflows. The result has the indices'
    /// shape and layout. The tensor is named by its place in [`crate::ir::Kernel::tensors`].
    At {
        /// Index into [`crate::ir::Kernel::tensors`].
        tensor: u32,
    } = "at" ("index…") Pure, "language.md section 6";

    /// Whether an optional tensor argument was given.
    IsPresent {
        /// Index into [`crate::ir::Kernel::tensors`].
        tensor: u32,
    } = "is_present" () Pure, "language.md section 6";

    /// Moves pointers by a number of elements.
    Offset = "offset" ("pointer", "elements") Pure, "language.md section 6";

    /// Reads an element a pointer; where `mask` is false, `other` without touching memory.
    ///
    /// `bool` is a byte, true if not zero.
    Load {
        /// How the caches are used.
        cache: Cache,
        /// Which lines they give up.
        evict: Evict,
    } = "load" ("pointer", "mask", "other") Read, "PTX ISA, ld; CDNA3 ISA, global_load";

    /// Writes an element a pointer where `mask` holds.
    Store {
        /// How the caches are used.
        cache: Cache,
        /// Which lines they give up.
        evict: Evict,
    } = "store" ("pointer", "value", "mask") Write, "PTX ISA, st; CDNA3 ISA, global_store";

    /// Changes memory in one step where `mask` holds; gives what was there before (0 where it does not).
    Atomic {
        /// What is done.
        op: AtomicOp,
        /// What it orders.
        order: Order,
        /// For whom it is one step.
        scope: Scope,
    } = "atomic" ("pointer", "value", "mask") ReadWrite, "PTX ISA, atom; CDNA3 ISA, global_atomic";

    /// Puts in `value` where memory equals `expected` and `mask` holds; gives what was there before.
    AtomicCas {
        /// What it orders.
        order: Order,
        /// For whom it is one step.
        scope: Scope,
    } = "atomic_cas" ("pointer", "expected", "value", "mask") ReadWrite, "PTX ISA, atom.cas; CDNA3 ISA, global_atomic_cmpswap";

    /// Writes a line for people: the pieces of text with a scalar between each two.
    Print {
        /// One more piece than scalars.
        pieces: Vec<String>,
    } = "print" ("value…") Write, "language.md section 12";

    /// Stops the kernel with `message` unless `cond` holds in every element.
    Assert {
        /// What is said.
        message: String,
    } = "assert" ("cond") Write, "language.md section 12";

    /// States that `cond` holds in every element; the checked engines test it.
    Assume = "assume" ("cond") Write, "language.md section 6";
}
