//! Global memory.

use super::rows;
use crate::elab::rules::memory;

rows! {
    /// The pointers to elements of a tensor argument: one index a dimension. Arithmetic only; nothing is looked at.
    ///
    /// Shapes: the indices repeat to one shape
    /// Layout: that of the indices
    /// Errors: E0602 another number of indices
    ///
    /// Example:
    /// ```tile
    /// let v = load(p.at(i), mask: p.has(i));
    /// ```
    Method "at" (tensor: Required, index: Rest) "x.at(index: i32 or i64, …) -> pointers",
        memory::at, source "language.md section 6";

    /// Whether the element is inside the tensor: the mask of an access.
    ///
    /// Shapes: the indices repeat to one shape
    /// Errors: E0602 another number of indices
    ///
    /// Example:
    /// ```tile
    /// let v = load(p.at(i), mask: p.has(i));
    /// ```
    Method "has" (tensor: Required, index: Rest) "x.has(index: i32 or i64, …) -> bool",
        memory::has, source "language.md section 6";

    /// Moves pointers by a number of elements; `p + n` says the same.
    ///
    /// Example:
    /// ```tile
    /// let v = load(p.at(0).offset(i), mask: p.has(i));
    /// ```
    Method "offset" (pointer: Required, elements: Required) "p.offset(elements: i32 or i64) -> pointers",
        memory::offset, source "language.md section 6";

    /// Reads what each pointer points to; where `mask` is false, `other`, and memory is not touched. A load through a scalar
    /// pointer is one value for the block.
    ///
    /// Shapes: pointers, mask and other repeat to one shape
    /// Errors: P0101 narrower than could be; W0601 neither masked nor inside
    ///
    /// Example:
    /// ```tile
    /// let v = load(p.at(i), mask: p.has(i), other: 0.0, evict: first);
    /// ```
    Function "load" (pointer: Required, mask: Optional, other: Optional, cache: Word, evict: Word) "load(p, mask: bool = true, other = 0, cache: all|global|streaming = all, evict: normal|first|last = normal)",
        memory::load, source "PTX ISA, ld; CDNA3 ISA, global_load";

    /// Writes `value` where `mask` holds. A store through a scalar pointer is one write of the block.
    ///
    /// Shapes: pointers, value and mask repeat to one shape
    /// Errors: E0601 the tensor is not `mut`; E0604 memory is of another type
    ///
    /// Example:
    /// ```tile
    /// store(p.at(i), x, mask: p.has(i));
    /// ```
    Function "store" (pointer: Required, value: Required, mask: Optional, cache: Word, evict: Word) "store(p, value, mask: bool = true, cache: all|global|streaming = all, evict: normal|first|last = normal)",
        memory::store, source "PTX ISA, st; CDNA3 ISA, global_store";

    /// Adds `value` to memory in one step. Gives what was there before.
    ///
    /// Shapes: pointers, values and mask repeat to one shape; a scalar pointer is one access of the block
    /// Errors: E0605 memory is of another type than 32- or 64-bit integers (or, for some, floats)
    ///
    /// Example:
    /// ```tile
    /// let before = atomic_add(q.at(i), i, mask: q.has(i));
    /// ```
    Function "atomic_add" (pointer: Required, value: Required, mask: Optional, order: Word, scope: Word) "atomic_add(p, value, mask: bool = true, order: relaxed|acquire|release|acq_rel = relaxed, scope: block|cluster|device|system = device) -> as value",
        memory::atomic_add, source "PTX ISA, atom; CDNA3 ISA, global_atomic";

    /// Keeps the smaller of memory and `value` in one step. Gives what was there before.
    ///
    /// Shapes: pointers, values and mask repeat to one shape; a scalar pointer is one access of the block
    /// Errors: E0605 memory is of another type than 32- or 64-bit integers (or, for some, floats)
    ///
    /// Example:
    /// ```tile
    /// let before = atomic_min(q.at(i), i, mask: q.has(i));
    /// ```
    Function "atomic_min" (pointer: Required, value: Required, mask: Optional, order: Word, scope: Word) "atomic_min(p, value, mask: bool = true, order: relaxed|acquire|release|acq_rel = relaxed, scope: block|cluster|device|system = device) -> as value",
        memory::atomic_min, source "PTX ISA, atom; CDNA3 ISA, global_atomic";

    /// Keeps the larger of memory and `value` in one step. Gives what was there before.
    ///
    /// Shapes: pointers, values and mask repeat to one shape; a scalar pointer is one access of the block
    /// Errors: E0605 memory is of another type than 32- or 64-bit integers (or, for some, floats)
    ///
    /// Example:
    /// ```tile
    /// let before = atomic_max(q.at(i), i, mask: q.has(i));
    /// ```
    Function "atomic_max" (pointer: Required, value: Required, mask: Optional, order: Word, scope: Word) "atomic_max(p, value, mask: bool = true, order: relaxed|acquire|release|acq_rel = relaxed, scope: block|cluster|device|system = device) -> as value",
        memory::atomic_max, source "PTX ISA, atom; CDNA3 ISA, global_atomic";

    /// Combines memory and `value` by bitwise and in one step. Gives what was there before.
    ///
    /// Shapes: pointers, values and mask repeat to one shape; a scalar pointer is one access of the block
    /// Errors: E0605 memory is of another type than 32- or 64-bit integers (or, for some, floats)
    ///
    /// Example:
    /// ```tile
    /// let before = atomic_and(q.at(i), i, mask: q.has(i));
    /// ```
    Function "atomic_and" (pointer: Required, value: Required, mask: Optional, order: Word, scope: Word) "atomic_and(p, value, mask: bool = true, order: relaxed|acquire|release|acq_rel = relaxed, scope: block|cluster|device|system = device) -> as value",
        memory::atomic_and, source "PTX ISA, atom; CDNA3 ISA, global_atomic";

    /// Combines memory and `value` by bitwise or in one step. Gives what was there before.
    ///
    /// Shapes: pointers, values and mask repeat to one shape; a scalar pointer is one access of the block
    /// Errors: E0605 memory is of another type than 32- or 64-bit integers (or, for some, floats)
    ///
    /// Example:
    /// ```tile
    /// let before = atomic_or(q.at(i), i, mask: q.has(i));
    /// ```
    Function "atomic_or" (pointer: Required, value: Required, mask: Optional, order: Word, scope: Word) "atomic_or(p, value, mask: bool = true, order: relaxed|acquire|release|acq_rel = relaxed, scope: block|cluster|device|system = device) -> as value",
        memory::atomic_or, source "PTX ISA, atom; CDNA3 ISA, global_atomic";

    /// Combines memory and `value` by exclusive or in one step. Gives what was there before.
    ///
    /// Shapes: pointers, values and mask repeat to one shape; a scalar pointer is one access of the block
    /// Errors: E0605 memory is of another type than 32- or 64-bit integers (or, for some, floats)
    ///
    /// Example:
    /// ```tile
    /// let before = atomic_xor(q.at(i), i, mask: q.has(i));
    /// ```
    Function "atomic_xor" (pointer: Required, value: Required, mask: Optional, order: Word, scope: Word) "atomic_xor(p, value, mask: bool = true, order: relaxed|acquire|release|acq_rel = relaxed, scope: block|cluster|device|system = device) -> as value",
        memory::atomic_xor, source "PTX ISA, atom; CDNA3 ISA, global_atomic";

    /// Puts in `value` in one step. Gives what was there before.
    ///
    /// Shapes: pointers, values and mask repeat to one shape; a scalar pointer is one access of the block
    /// Errors: E0605 memory is of another type than 32- or 64-bit integers (or, for some, floats)
    ///
    /// Example:
    /// ```tile
    /// let before = atomic_exchange(q.at(i), i, mask: q.has(i));
    /// ```
    Function "atomic_exchange" (pointer: Required, value: Required, mask: Optional, order: Word, scope: Word) "atomic_exchange(p, value, mask: bool = true, order: relaxed|acquire|release|acq_rel = relaxed, scope: block|cluster|device|system = device) -> as value",
        memory::atomic_exchange, source "PTX ISA, atom; CDNA3 ISA, global_atomic";

    /// Puts in `value` where memory equals `expected`, in one step. Gives what was there before.
    ///
    /// Shapes: pointers, values and mask repeat to one shape
    /// Errors: E0605 memory is not of 32- or 64-bit integers
    ///
    /// Example:
    /// ```tile
    /// let before = atomic_cas(q.at(i), 0, i, mask: q.has(i));
    /// ```
    Function "atomic_cas" (pointer: Required, expected: Required, value: Required, mask: Optional, order: Word, scope: Word) "atomic_cas(p, expected, value, mask: bool = true, order: … = relaxed, scope: … = device) -> as value",
        memory::atomic_cas, source "PTX ISA, atom.cas; CDNA3 ISA, global_atomic_cmpswap";
}
