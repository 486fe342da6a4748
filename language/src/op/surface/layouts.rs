//! Layouts: constructors and questions.

use super::rows;
use crate::elab::rules::layouts;

rows! {
    /// Boxes inside boxes: a thread holds `regs` neighbours, a warp `lanes` of those, the block `warps` of those; a larger
    /// shape is covered by repeating the whole in registers. `order` lists the dimensions, fastest first.
    ///
    /// Errors: E0303 more lanes or warps than there are; E0304 lists of different lengths
    ///
    /// Example:
    /// ```tile
    /// let y = zeros(f32[64, 64] @ blocked(regs: [1, 4], lanes: [2, 16], warps: [4, 1]));
    /// ```
    Function "blocked" (regs: Required, lanes: Required, warps: Required, order: Optional) "blocked(regs: [int], lanes: [int], warps: [int], order: [int] = last first) -> layout",
        layouts::blocked, source "language.md section 5";

    /// The bases themselves: the index of the element at each bit of register, lane and warp. A basis of zeros replicates.
    ///
    /// Errors: E0303 some element has no place
    ///
    /// Example:
    /// ```tile
    /// let y = zeros(f32[4] @ linear(regs: [1, 2], lanes: [], warps: []));
    /// ```
    Function "linear" (regs: Optional, lanes: Optional, warps: Optional) "linear(regs: [basis], lanes: [basis], warps: [basis]) -> layout",
        layouts::linear, source "language.md section 5";

    /// The layout in which a warp reads a row-major tile of `T` in few wide accesses: up to 16 bytes a thread along the last
    /// dimension, then lanes, then warps, each from the last dimension outwards. Right for 32 and 64 lanes.
    ///
    /// Example:
    /// ```tile
    /// let y = zeros(f32[1024] @ blocked::coalesced([1024], f32));
    /// ```
    Function "blocked::coalesced" (shape: Required, T: Required) "blocked::coalesced(shape: [int], T: type) -> layout",
        layouts::coalesced, source "language.md section 5";

    /// How many times more a warp's access between registers and shared memory takes because lanes want the same
    /// banks: the larger of reading and writing a tile of type `T`.
    ///
    /// Example:
    /// ```tile
    /// const EXTRA = layout::bank_conflicts(M, swizzled(vec: 8, per_phase: 1, max_phase: 8), f32[16, 32]);
    /// ```
    Function "layout::bank_conflicts" (registers: Required, shared: Required, T: Required) "layout::bank_conflicts(registers: layout, shared: layout, T: type) -> int",
        layouts::bank_conflicts, source "language.md section 5";

    /// The accumulator of `mma.sync`, 16 by 8 elements a warp.
    ///
    /// Example:
    /// ```tile
    /// const C = mma::acc(warps: [2, 2]);
    /// ```
    Function "mma::acc" (warps: Required) "mma::acc(warps: [int]) -> layout",
        layouts::mma_acc, source "PTX ISA, mma.m16n8k16";

    /// The accumulator of `wgmma`, 64 by `n` elements for four warps.
    ///
    /// Example:
    /// ```tile
    /// const C = wgmma::acc(n: 128);
    /// ```
    Function "wgmma::acc" (n: Required) "wgmma::acc(n: int) -> layout",
        layouts::wgmma_acc, source "PTX ISA, wgmma register fragments";

    /// The accumulator of `v_mfma`, `m` by `n` elements a wave, for the instruction of depth `k`. `T` is the type of its
    /// elements: those of `f64` lie elsewhere than all others.
    ///
    /// Example:
    /// ```tile
    /// const C = mfma::acc(m: 16, n: 16, k: 16, warps: [2, 2]);
    /// ```
    Function "mfma::acc" (m: Required, n: Required, k: Required, warps: Required, transposed: Optional, T: Optional) "mfma::acc(m: int, n: int, k: int, warps: [int], transposed: bool = false, T: type = f32) -> layout",
        layouts::mfma_acc, source "CDNA3 ISA, matrix instructions";

    /// The accumulator of `v_wmma`, 16 by 16 elements a wave.
    ///
    /// Example:
    /// ```tile
    /// const C = wmma::acc(version: 2, k: 16, warps: [2, 2]);
    /// ```
    Function "wmma::acc" (version: Required, k: Required, warps: Required, transposed: Optional) "wmma::acc(version: int, k: int, warps: [int], transposed: bool = false) -> layout",
        layouts::wmma_acc, source "RDNA4 ISA, matrix instructions";

    /// Memory in row-major order.
    ///
    /// Example:
    /// ```tile
    /// const S = plain();
    /// ```
    Function "plain" () "plain() -> layout",
        layouts::plain, source "language.md section 5";

    /// Memory in which runs of `vec` elements are exchanged within a row, by another pattern every `per_phase` rows, `max_phase`
    /// patterns in all.
    ///
    /// Example:
    /// ```tile
    /// const S = swizzled(vec: 8, per_phase: 1, max_phase: 8);
    /// ```
    Function "swizzled" (vec: Required, per_phase: Required, max_phase: Required, order: Optional) "swizzled(vec: int, per_phase: int, max_phase: int, order: [int] = last first) -> layout",
        layouts::swizzled, source "language.md section 5";

    /// Memory of a row-major tile whose columns are read: `vec` neighbours of a column lie together, swizzled against
    /// conflicts. A copy into it exchanges rows and columns in registers on the way.
    ///
    /// Example:
    /// ```tile
    /// const S = crosswise(vec: 8);
    /// ```
    Function "crosswise" (vec: Required) "crosswise(vec: int) -> layout",
        layouts::crosswise, source "language.md section 5";

    /// What the copy engine writes and the matrix units read: rows of 0, 32, 64 or 128 bytes, swizzled.
    ///
    /// Example:
    /// ```tile
    /// const S = nvmma(swizzle: 128);
    /// ```
    Function "nvmma" (swizzle: Required, transposed: Optional) "nvmma(swizzle: int, transposed: bool = false) -> layout",
        layouts::nvmma, source "PTX ISA, tensor map swizzling modes";

    /// Memory with `pad` elements left out after every `interval`, for each pair `(interval, pad)`.
    ///
    /// Example:
    /// ```tile
    /// const S = padded([(64, 8)]);
    /// ```
    Function "padded" (pads: Required, order: Optional) "padded(pads: [(int, int)], order: [int] = last first) -> layout",
        layouts::padded, source "language.md section 5";

    /// The bases of the offset themselves.
    ///
    /// Example:
    /// ```tile
    /// const S = shared_linear([(0, 1), (0, 2), (1, 0)]);
    /// ```
    Function "shared_linear" (offsets: Required) "shared_linear(offsets: [basis]) -> layout",
        layouts::shared_linear, source "language.md section 5";

    /// An accumulator in tensor memory.
    ///
    /// Example:
    /// ```tile
    /// const S = tcgen05::acc(m: 128, n: 256);
    /// ```
    Function "tcgen05::acc" (m: Required, n: Required) "tcgen05::acc(m: int, n: int) -> layout",
        layouts::tmem_acc, source "PTX ISA, tcgen05 data path layouts";

    /// Block scales in tensor memory.
    ///
    /// Example:
    /// ```tile
    /// const S = tcgen05::scales();
    /// ```
    Function "tcgen05::scales" () "tcgen05::scales() -> layout",
        layouts::tmem_scales, source "PTX ISA, tcgen05 scale factors";

    /// The layout of a row of `L`: dimension `axis` taken out, copies in the threads that differed only there.
    ///
    /// Example:
    /// ```tile
    /// const ROW = blocked(regs: [1, 4], lanes: [2, 16], warps: [4, 1]).slice(1);
    /// ```
    Method "slice" (layout: Required, axis: Required) "L.slice(axis: int) -> layout",
        layouts::slice, source "language.md section 5";

    /// The left operand of the instruction whose accumulator is `C`, with `k_width` neighbours along k in a register.
    ///
    /// Example:
    /// ```tile
    /// const A = mma::acc(warps: [2, 2]).a(k_width: 2);
    /// ```
    Method "a" (layout: Required, k_width: Optional) "C.a(k_width: int = 2) -> layout",
        layouts::operand_a, source "language.md section 5";

    /// The right operand of the instruction whose accumulator is `C`, with `k_width` neighbours along k in a register.
    ///
    /// Example:
    /// ```tile
    /// const B = mma::acc(warps: [2, 2]).b(k_width: 2);
    /// ```
    Method "b" (layout: Required, k_width: Optional) "C.b(k_width: int = 2) -> layout",
        layouts::operand_b, source "language.md section 5";

    /// How many elements of a tile of that shape each thread holds.
    ///
    /// Example:
    /// ```tile
    /// static_assert(L.registers([128]) <= 4, "few registers");
    /// ```
    Method "registers" (layout: Required, shape: Required) "L.registers(shape: [int]) -> int",
        layouts::registers, source "language.md section 5";

    /// In how many places each element of a tile of that shape is.
    ///
    /// Example:
    /// ```tile
    /// const COPIES = L.replication([128]);
    /// ```
    Method "replication" (layout: Required, shape: Required) "L.replication(shape: [int]) -> int",
        layouts::replication, source "language.md section 5";

    /// The first place that holds an element.
    ///
    /// Example:
    /// ```tile
    /// const AT = L.owner([5], [128]);
    /// ```
    Method "owner" (layout: Required, index: Required, shape: Required) "L.owner(index: [int], shape: [int]) -> (register: int, lane: int, warp: int)",
        layouts::owner, source "language.md section 5";

    /// The index of the element that a register of a thread holds.
    ///
    /// Example:
    /// ```tile
    /// const WHICH = L.index_of(0, 3, 0, [128]);
    /// ```
    Method "index_of" (layout: Required, register: Required, lane: Required, warp: Required, shape: Required) "L.index_of(register: int, lane: int, warp: int, shape: [int]) -> [int]",
        layouts::index_of, source "language.md section 5";

    /// The bits of the index along `axis` in the order in which reductions fold them.
    ///
    /// Example:
    /// ```tile
    /// const ORDER = L.order(0, [128]);
    /// ```
    Method "order" (layout: Required, axis: Required, shape: Required) "L.order(axis: int, shape: [int]) -> [int]",
        layouts::bits, source "language.md section 5";
}
