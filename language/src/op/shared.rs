//! Shared memory: buffers, views of them, and accesses by the warps that stand here.
//!
//! A view is a value whose type says where its elements lie ([`tile_layout::MemoryMap`]); at run time
//! it is a place in its buffer. Views are made of views by taking an index or a slice, or by reading
//! the same bytes under another map. Nothing is initialised. Accesses of one role happen in program
//! order for every thread: barriers are put in by a pass ([`crate::pass::barriers`]), never by hand.

use super::family;
use super::memory::AtomicOp;

family! {
    /// Operations on shared memory.
    SharedOp "shared";

    /// A buffer of the block, with anything in it.
    ///
    /// The result is the view of the whole.
    Alloc {
        /// What divides its address, in bytes: a power of two.
        align: u32,
    } = "alloc" () Read, "language.md section 6";

    /// The view with index `at`, a scalar `i32`, of one dimension fixed.
    Index {
        /// Which dimension.
        axis: u32,
    } = "index" ("view", "at") Pure, "language.md section 6";

    /// The view of the result's extent of indices of one dimension, from `start` on.
    ///
    /// `start` is a scalar `i32` and a multiple of [`tile_layout::MemoryMap::slice_unit`].
    Slice {
        /// Which dimension.
        axis: u32,
    } = "slice" ("view", "start") Pure, "language.md section 6";

    /// The same bytes under the result's map: transposed, reshaped, or as elements of another type.
    Recast = "recast" ("view") Pure, "language.md section 6";

    /// The first bytes of a buffer as memory of the result's own: what several names for one memory see.
    ///
    /// The operand is a `shared.alloc` of bytes. What is written under one name is nothing to read under another.
    Overlay = "overlay" ("buffer") Pure, "language.md section 6";

    /// The view of the same place in the block of the cluster whose number is `rank`, a scalar `i32`.
    On = "on" ("view", "rank") Pure, "PTX ISA, mapa";

    /// Reads a whole view into registers.
    Load = "load" ("view") Read, "PTX ISA, ld.shared and ldmatrix; CDNA3 ISA, ds_read";

    /// Writes a whole tile into a view of its shape.
    Store = "store" ("view", "value") Write, "PTX ISA, st.shared and stmatrix; CDNA3 ISA, ds_write";

    /// Element `i` of the result is `view[…, index[i], …]` along `axis`, where `mask` holds, and 0 elsewhere.
    Gather {
        /// Which dimension.
        axis: u32,
    } = "gather" ("view", "index", "mask") Read, "language.md section 6";

    /// `view[…, index[i], …]` along `axis` becomes element `i` of `value`, where `mask` holds.
    ///
    /// Several elements for one place are equal: which is kept depends on the order of the warps.
    Scatter {
        /// Which dimension.
        axis: u32,
    } = "scatter" ("view", "index", "value", "mask") Write, "language.md section 6";

    /// As `scatter`, but each place is changed in one step; gives what was there before (0 where not `mask`).
    Atomic {
        /// What is done.
        op: AtomicOp,
        /// Which dimension.
        axis: u32,
    } = "atomic" ("view", "index", "value", "mask") ReadWrite, "PTX ISA, atom.shared; CDNA3 ISA, ds_add_rtn";
}
