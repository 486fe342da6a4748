//! Shared memory and copies. In the examples `a` is a tensor `global mut f32[n, n]`.

use super::rows;
use crate::elab::rules::{copy, program, shared};

rows! {
    /// Reads a view of shared memory into registers.
    ///
    /// Shapes: the result has the view's
    /// Layout: any; the widest access that layout and memory allow is taken
    /// Errors: E0303 the layout does not fit the shape
    ///
    /// Example:
    /// ```tile
    /// let s: shared f32[128];
    /// s.store(x);
    /// let y = s.load(L);
    /// ```
    Method "load" (x: Required, layout: Optional) "s.load(layout) -> tile",
        shared::load, source "PTX ISA, ld.shared and ldmatrix; CDNA3 ISA, ds_read";

    /// Writes a tile into a view of shared memory.
    ///
    /// Shapes: the tile has the view's
    /// Layout: any
    /// Errors: E0604 the view has elements of another type
    ///
    /// Example:
    /// ```tile
    /// let s: shared f32[16, 32] @ swizzled(vec: 4, per_phase: 1, max_phase: 8);
    /// s.store(m);
    /// ```
    Method "store" (x: Required, value: Required) "s.store(value: tile)",
        shared::store, source "PTX ISA, st.shared and stmatrix; CDNA3 ISA, ds_write";

    /// The bytes of a view as elements of another type. No element moves.
    ///
    /// Shapes: the last extent changes with the width of the elements
    /// Errors: E0308 the neighbours that make an element do not lie together
    ///
    /// Example:
    /// ```tile
    /// let s: shared f32[16, 32] @ plain();
    /// let halves = s.reinterpret(f16);
    /// ```
    Method "reinterpret" (x: Required, T: Required) "s.reinterpret(T: type) -> view",
        shared::reinterpret, source "language.md section 6";

    /// Writes each element of a tile to the place of a view that its index along `axis` names.
    ///
    /// Shapes: index, value and mask repeat to one shape, equal to the view's in all other dimensions
    ///
    /// Example:
    /// ```tile
    /// let s: shared f32[128];
    /// s.scatter(127 - i, x);
    /// ```
    Method "scatter" (x: Required, index: Required, value: Required, axis: Optional, mask: Optional) "s.scatter(index: i32 tile, value: tile, axis: int, mask: bool = true)",
        shared::scatter, source "language.md section 6";

    /// Adds to the places of a view in one step each. Gives what was there before.
    ///
    /// Shapes: index, value and mask repeat to one shape, equal to the view's in all other dimensions
    /// Errors: E0605 memory is of another type than 32- or 64-bit integers or floats
    ///
    /// Example:
    /// ```tile
    /// let s: shared i32[64];
    /// s.store(zeros(i32[64]) @ L);
    /// let before = s.atomic_add(i / 2, i);
    /// ```
    Method "atomic_add" (x: Required, index: Required, value: Required, axis: Optional, mask: Optional) "s.atomic_add(index: i32 tile, value: tile, axis: int, mask: bool = true) -> as value",
        shared::atomic_add, source "PTX ISA, atom.shared; CDNA3 ISA, ds_add_rtn";

    /// Keeps the smaller of a view's element and `value` in one step. Gives what was there before.
    ///
    /// Example:
    /// ```tile
    /// let s: shared i32[64];
    /// s.store(zeros(i32[64]) @ L);
    /// let before = s.atomic_min(i / 2, i);
    /// ```
    Method "atomic_min" (x: Required, index: Required, value: Required, axis: Optional, mask: Optional) "s.atomic_min(index: i32 tile, value: tile, axis: int, mask: bool = true) -> as value",
        shared::atomic_min, source "PTX ISA, atom.shared; CDNA3 ISA, ds_min_rtn";

    /// Keeps the larger of a view's element and `value` in one step. Gives what was there before.
    ///
    /// Example:
    /// ```tile
    /// let s: shared i32[64];
    /// s.store(zeros(i32[64]) @ L);
    /// let before = s.atomic_max(i / 2, i);
    /// ```
    Method "atomic_max" (x: Required, index: Required, value: Required, axis: Optional, mask: Optional) "s.atomic_max(index: i32 tile, value: tile, axis: int, mask: bool = true) -> as value",
        shared::atomic_max, source "PTX ISA, atom.shared; CDNA3 ISA, ds_max_rtn";

    /// Bitwise and with a view's elements, in one step each. Gives what was there before.
    ///
    /// Example:
    /// ```tile
    /// let s: shared i32[64];
    /// s.store(zeros(i32[64]) @ L);
    /// let before = s.atomic_and(i / 2, i);
    /// ```
    Method "atomic_and" (x: Required, index: Required, value: Required, axis: Optional, mask: Optional) "s.atomic_and(index: i32 tile, value: tile, axis: int, mask: bool = true) -> as value",
        shared::atomic_and, source "PTX ISA, atom.shared; CDNA3 ISA, ds_and_rtn";

    /// Bitwise or with a view's elements, in one step each. Gives what was there before.
    ///
    /// Example:
    /// ```tile
    /// let s: shared i32[64];
    /// s.store(zeros(i32[64]) @ L);
    /// let before = s.atomic_or(i / 2, i);
    /// ```
    Method "atomic_or" (x: Required, index: Required, value: Required, axis: Optional, mask: Optional) "s.atomic_or(index: i32 tile, value: tile, axis: int, mask: bool = true) -> as value",
        shared::atomic_or, source "PTX ISA, atom.shared; CDNA3 ISA, ds_or_rtn";

    /// Bitwise exclusive or with a view's elements, in one step each. Gives what was there before.
    ///
    /// Example:
    /// ```tile
    /// let s: shared i32[64];
    /// s.store(zeros(i32[64]) @ L);
    /// let before = s.atomic_xor(i / 2, i);
    /// ```
    Method "atomic_xor" (x: Required, index: Required, value: Required, axis: Optional, mask: Optional) "s.atomic_xor(index: i32 tile, value: tile, axis: int, mask: bool = true) -> as value",
        shared::atomic_xor, source "PTX ISA, atom.shared; CDNA3 ISA, ds_xor_rtn";

    /// Puts values into a view, in one step each. Gives what was there before.
    ///
    /// Example:
    /// ```tile
    /// let s: shared i32[64];
    /// s.store(zeros(i32[64]) @ L);
    /// let before = s.atomic_exchange(i / 2, i);
    /// ```
    Method "atomic_exchange" (x: Required, index: Required, value: Required, axis: Optional, mask: Optional) "s.atomic_exchange(index: i32 tile, value: tile, axis: int, mask: bool = true) -> as value",
        shared::atomic_exchange, source "PTX ISA, atom.shared.exch; CDNA3 ISA, ds_wrxchg_rtn";

    /// A tensor cut into boxes that lie in shared memory in `layout`. `at[i, t]` is the box with these
    /// numbers, `at.corner(r, c)` the one that begins at an element, `at.tile` the type of one, `at.count(d)` how many.
    /// An extent `_` picks a single index of its dimension, which the box then lacks.
    ///
    /// Errors: E0602 another number of extents than the tensor has dimensions; E0303 the layout does not fit the box
    ///
    /// Example:
    /// ```tile
    /// let at = a.tiles([16, 32], swizzled(vec: 4, per_phase: 1, max_phase: 8));
    /// let s: shared at.tile;
    /// copy(at[block_id(0), 0], into: s);
    /// ```
    Method "tiles" (tensor: Required, extents: Required, layout: Optional, by: Word) "x.tiles(extents: [int or _], layout = plain(), by: warps) -> tiled view",
        copy::tiles, source "language.md section 6";

    /// The box of a tiled view that begins at an element.
    ///
    /// Errors: E0602 another number of indices
    ///
    /// Example:
    /// ```tile
    /// let at = a.tiles([16, 32]);
    /// let s: shared at.tile;
    /// copy(at.corner(3, 0), into: s);
    /// ```
    Method "corner" (tiles: Required, index: Rest) "at.corner(index: i32 or i64, …) -> box",
        copy::corner, source "language.md section 6";

    /// How many boxes cover the tensor along a dimension.
    ///
    /// Example:
    /// ```tile
    /// let at = a.tiles([16, 32]);
    /// let n_boxes = at.count(1);
    /// ```
    Method "count" (tiles: Required, axis: Required) "at.count(axis: int) -> i32",
        copy::count, source "language.md section 6";

    /// Moves a tile between shared and global memory. Into shared memory it runs beside the program: it is *in flight*
    /// until `copies::wait`, until the `.wait()` of what `copy` gives, or until the role uses the memory in a way that
    /// conflicts, where the compiler waits. Outside of the tensor reads give 0 and writes are dropped.
    ///
    /// With `signal: bar` its bytes count for a phase of `bar`, which must `expect` them. In roles, on targets with a
    /// copy engine, that moves boxes of tiled views unless these were made with `by: warps`; it keeps them in the
    /// second cache level as `evict` says. With `multicast: all` a box comes to the same place in every block of the
    /// cluster, and each of their barriers hears of its bytes: the stage is of a ring `across: cluster`.
    ///
    /// With `reduce: add`, `min`, `max`, `and`, `or` or `xor`, what goes to global memory is combined with what is there, each
    /// element in one step: by the engine where it moves the box and knows the type, otherwise by atomics of the warps.
    ///
    /// Shapes: both sides have one
    /// Errors: E0607 the sides do not go together; E0601 the tensor is not `mut`; E0730 the copy engine lacks a fact;
    /// E0731 nothing hears of the copy; E0732 a stage is filled on some ways only; E0605 no such atomic on the type; E0745
    /// other blocks do not say that there is room
    ///
    /// Example:
    /// ```tile
    /// let at = a.tiles([16, 32]);
    /// let s: shared at.tile;
    /// copy(at[0, 0], into: s);
    /// copy(s, into: at[1, 0]);
    /// let next = copy(at[0, 1], into: s);
    /// next.wait();
    /// ```
    Function "copy" (from: Required, into: Required, mask: Optional, signal: Optional, reduce: Word, evict: Word, multicast: Word) "copy(from: box, pointers or view, into: view, box or pointers, mask: bool = true, signal: barrier, reduce: add, evict: normal, multicast: all)",
        copy::copy, source "PTX ISA, cp.async; CDNA4 ISA, global_load_lds";

    /// Says that a box of a tiled view will be wanted soon: in roles, on targets with a copy engine, it is brought to the second
    /// cache level and kept there as `evict` says. Elsewhere, and where the engine cannot move the box, nothing is done.
    ///
    /// Example:
    /// ```tile
    /// let at = a.tiles([16, 32]);
    /// prefetch(at[0, 1]);
    /// ```
    Function "prefetch" (from: Required, evict: Word) "prefetch(from: box, evict: normal)",
        copy::prefetch, source "PTX ISA, cp.async.bulk.prefetch.tensor";

    /// A box of a tiled view in shared memory, for the rest of the iteration. In a loop that is `pipelined(n)` it is
    /// copied `n - 1` iterations ahead, into one of `n` buffers.
    ///
    /// Example:
    /// ```tile
    /// let at = a.tiles([16, 32]);
    /// for t in 0..at.count(1) pipelined(2) {
    ///     let s = fetch(at[0, t]);
    ///     let y = s.load(M);
    /// }
    /// ```
    Function "fetch" (from: Required) "fetch(from: box) -> view",
        copy::fetch, source "language.md section 9";

    /// Makes two buffers one memory, of the larger one's size. The compiler orders what is done under one name
    /// with what is done under the other; what was written under one is nothing to read under the other.
    ///
    /// Shapes: both are whole buffers, declared in one block
    /// Errors: E0608 they are declared in different blocks
    ///
    /// Example:
    /// ```tile
    /// let s: shared f32[16, 32] @ plain();
    /// let out: shared f16[16, 64] @ plain();
    /// alias(s, out);
    /// ```
    Function "alias" (a: Required, b: Required) "alias(a: buffer, b: buffer)",
        shared::alias, source "language.md section 6";

    /// Closes the group of the copies that were started since the last one. A kernel that never says it has a group a copy.
    ///
    /// Example:
    /// ```tile
    /// copies::group();
    /// ```
    Function "copies::group" () "copies::group()",
        copy::group, source "PTX ISA, cp.async.commit_group";

    /// Waits until at most `in_flight` of the youngest groups of copies are in flight.
    ///
    /// Example:
    /// ```tile
    /// copies::wait(in_flight: 0);
    /// ```
    Function "copies::wait" (in_flight: Optional) "copies::wait(in_flight: int = 0)",
        copy::wait, source "PTX ISA, cp.async.wait_group";

    /// All warps meet; what any of them wrote, all see after. The compiler puts these in where shared memory needs
    /// them; written by hand it is for what the compiler does not see.
    ///
    /// Example:
    /// ```tile
    /// block_sync();
    /// ```
    Function "block_sync" () "block_sync()",
        program::block_sync, source "PTX ISA, bar.sync; CDNA3 ISA, s_barrier";
}
