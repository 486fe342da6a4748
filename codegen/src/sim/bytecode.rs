//! What the executor runs: flat operations over rows of lanes.
//!
//! A value of the module is flattened to scalars, and a scalar is a *row*: one number per lane of
//! the warp. There are three files of rows, chosen by the scalar's type:
//!
//! * `Flag`: one bit per lane, a `u64` for the whole warp (`i1`);
//! * `Word`: 32 bits per lane (integers up to 32 bits, half, bfloat, float, short pointers);
//! * `Wide`: 64 bits per lane (integers up to 64 bits, double, long pointers).
//!
//! Narrow integers and 16-bit floats live zero-extended in a `Word`. Invariant B1: the bits above a
//! scalar's width are zero. Constants are rows that are filled when a warp starts, so an operand is
//! always a row. Phis are copies on [`Edge`]s. Blocks lie in the order of their operations, and
//! every loop is contiguous, so the program counter alone orders divergent parts of a warp.
//!
//! Nothing here knows LLVM: another reader, of PTX text for one, can make the same operations.

mod boxes;
mod products;
mod sync;

pub(super) use boxes::{BoxCopy, BoxWay, Combining};
pub(super) use products::{
    Arithmetic, AwaitProducts, GroupLeft, GroupProduct, Number, Operand, Product, Scale,
};
pub(super) use sync::{Barrier, BarrierMode, Mbarrier, MbarrierMode};

/// The index of a row in its file.
pub(super) type Row = u32;

/// A row with its file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Slot {
    Flag(Row),
    Word(Row),
    Wide(Row),
}

/// How a number lies in a row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Real {
    F16,
    Bf16,
    F32,
    /// Single precision whose subnormal inputs and results are zero.
    F32Flush,
    F64,
    E4m3,
    E5m2,
    /// The e4m3 of gfx942: bias 8, no negative zero, NaN is 0x80.
    E4m3Fnuz,
    /// The e5m2 of gfx942: bias 16, no negative zero, NaN is 0x80.
    E5m2Fnuz,
    /// Six and four bits, without infinities and NaNs (OCP microscaling formats).
    E2m3,
    E3m2,
    E2m1,
}

/// Rounding of a conversion.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Rounding {
    Nearest,
    Zero,
    Up,
    Down,
    /// To the nearest, ties away from zero (`cvt.rna`).
    Away,
}

/// Integer operations of two operands; `wide` in [`Op::Int`] selects the file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum IntOp {
    Add,
    Sub,
    Mul,
    MulHighUnsigned,
    MulHighSigned,
    DivUnsigned,
    DivSigned,
    RemUnsigned,
    RemSigned,
    Shl,
    Lshr,
    Ashr,
    And,
    Or,
    Xor,
    MinUnsigned,
    MaxUnsigned,
    MinSigned,
    MaxSigned,
    AddSatUnsigned,
    SubSatUnsigned,
    AddSatSigned,
    SubSatSigned,
}

/// Integer operations of one operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum BitOp {
    Popcount,
    LeadingZeros,
    TrailingZeros,
    Reverse,
    SwapBytes,
}

/// Integer comparisons.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum IntTest {
    Eq,
    Ne,
    LtUnsigned,
    LeUnsigned,
    LtSigned,
    LeSigned,
}

/// Operations on flags.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum FlagOp {
    And,
    Or,
    Xor,
    AndNot,
}

/// Floating-point operations of one operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Real1 {
    Neg,
    Abs,
    Sqrt,
    Rsqrt,
    Rcp,
    Exp2,
    Exp,
    Exp10,
    Log2,
    Log,
    Log10,
    Sin,
    Cos,
    /// Sine of an angle in revolutions.
    SinTurns,
    CosTurns,
    Tanh,
    Floor,
    Ceil,
    Trunc,
    RoundEven,
    RoundAway,
    Fract,
    Canonical,
    Saturate,
    Relu,
}

/// Floating-point operations of two operands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Real2 {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    /// The other operand if one is NaN.
    MinNumber,
    MaxNumber,
    /// NaN if one operand is NaN.
    Minimum,
    Maximum,
    CopySign,
    Pow,
}

/// Floating-point comparisons: which of the four relations make it true.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct RealTest {
    pub(super) less: bool,
    pub(super) equal: bool,
    pub(super) greater: bool,
    pub(super) unordered: bool,
}

/// Numbers that the launch gives to every thread.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Special {
    Thread(u8),
    Block(u8),
    BlockSize(u8),
    GridSize(u8),
    Lane,
    Warp,
    WarpCount,
    ClusterRank,
    Clock,
    DynamicShared,
}

/// One operation. `d` is the result; other letters are operands.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Op {
    Copy {
        d: Slot,
        a: Slot,
    },
    Int {
        op: IntOp,
        wide: bool,
        d: Row,
        a: Row,
        b: Row,
    },
    Bit {
        op: BitOp,
        wide: bool,
        d: Row,
        a: Row,
    },
    /// `(a:b << c) >> width` for `left`, the low half of `a:b >> c` otherwise.
    Funnel {
        left: bool,
        wide: bool,
        d: Row,
        a: Row,
        b: Row,
        c: Row,
    },
    Test {
        test: IntTest,
        wide: bool,
        d: Row,
        a: Row,
        b: Row,
    },
    Flag {
        op: FlagOp,
        d: Row,
        a: Row,
        b: Row,
    },
    Select {
        d: Slot,
        flag: Row,
        a: Row,
        b: Row,
    },
    /// Copies bit `bits - 1` of a word upwards to bit 31.
    SignExtend {
        bits: u8,
        d: Row,
        a: Row,
    },
    Widen {
        signed: bool,
        d: Row,
        a: Row,
    },
    Narrow {
        d: Row,
        a: Row,
    },
    Repack {
        table: u32,
    },
    Real1 {
        op: Real1,
        real: Real,
        d: Row,
        a: Row,
    },
    Real2 {
        op: Real2,
        real: Real,
        d: Row,
        a: Row,
        b: Row,
    },
    Fma {
        real: Real,
        d: Row,
        a: Row,
        b: Row,
        c: Row,
    },
    /// `a * 2^b`, `b` a signed word.
    Scale {
        real: Real,
        d: Row,
        a: Row,
        b: Row,
    },
    RealTest {
        test: RealTest,
        real: Real,
        d: Row,
        a: Row,
        b: Row,
    },
    /// Whether the class of `a` is in `mask` (bits as in `llvm.is.fpclass`).
    Class {
        mask: u16,
        real: Real,
        d: Row,
        a: Row,
    },
    Convert {
        from: Real,
        to: Real,
        round: Rounding,
        finite: bool,
        d: Row,
        a: Row,
    },
    FromInt {
        signed: bool,
        wide: bool,
        real: Real,
        d: Row,
        a: Row,
    },
    ToInt {
        signed: bool,
        real: Real,
        round: Rounding,
        bits: u8,
        d: Row,
        a: Row,
    },
    Special {
        what: Special,
        d: Row,
    },
    Load {
        access: u32,
        addr: Row,
    },
    Store {
        access: u32,
        addr: Row,
    },
    Atomic {
        table: u32,
    },
    CopyBytes {
        table: u32,
    },
    AsyncCopy {
        table: u32,
    },
    /// Copies that were started since the last one become a group of each lane.
    CommitCopies,
    /// Waits until at most `pending` groups of a lane are on their way.
    AwaitCopies {
        pending: u32,
    },
    /// Waits until at most `pending` operations of the warp on global memory are on their way.
    AwaitMemory {
        pending: u32,
    },
    /// The generic address of a pointer into `space`, and back.
    ToGeneric {
        space: Space,
        d: Row,
        a: Slot,
    },
    FromGeneric {
        space: Space,
        d: Slot,
        a: Row,
    },
    /// Which space a generic address is in.
    IsSpace {
        space: Space,
        d: Row,
        a: Row,
    },
    Shuffle {
        table: u32,
    },
    MatrixMove {
        table: u32,
    },
    TransposedRead {
        table: u32,
    },
    Product {
        table: u32,
    },
    GroupProduct {
        table: u32,
    },
    /// Products of the warp group that were started since the last one become a group.
    CommitProducts,
    /// Waits until at most some groups of products are on their way, and hands rows through.
    AwaitProducts {
        table: u32,
    },
    Vote {
        table: u32,
    },
    Cross {
        table: u32,
    },
    Barrier {
        table: u32,
    },
    Mbarrier {
        table: u32,
    },
    /// Copy engines know of the mbarriers that the warp has initialised.
    /// The address of the same place in block `rank` of the cluster.
    MapPeer {
        d: Row,
        a: Row,
        rank: Row,
    },
    /// The first half of a meeting of the cluster, and the second.
    ArriveAtCluster,
    AwaitCluster,
    PublishMbarriers,
    MoveBox {
        table: u32,
    },
    /// Closes the thread's group of boxes that go out.
    CommitBoxes,
    AwaitBoxes {
        pending: u32,
        read: bool,
    },
    /// Copy engines see what the threads know of shared memory.
    ShowEngine,
    WarpSync {
        members: Row,
    },
    Fence {
        order: Order,
        scope: Scope,
    },
    /// A release to the block that waits for no copies.
    Release,
    /// From here to `Restore` only lanes whose flag equals `keep` take part.
    Restrict {
        flag: Row,
        keep: bool,
    },
    Restore,
    Jump {
        edge: u32,
    },
    Branch {
        flag: Row,
        yes: u32,
        no: u32,
    },
    Switch {
        table: u32,
    },
    Return,
    Trap {
        why: Trap,
    },
    Print {
        table: u32,
    },
    Hook {
        table: u32,
    },
}

/// Why control must not come here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trap {
    Abort,
    Unreachable,
    Assert,
}

/// The kinds of memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Space {
    /// An address that says itself which memory it means.
    Generic,
    /// Buffers of the launch.
    Global,
    /// Memory of a block.
    Shared,
    /// Memory of a thread.
    Local,
    /// Constants of the module, arguments.
    Constant,
}

/// Memory orders, as in LLVM.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Order {
    Plain,
    Relaxed,
    Acquire,
    Release,
    AcqRel,
}

impl Order {
    pub(super) fn acquires(self) -> bool {
        matches!(self, Order::Acquire | Order::AcqRel)
    }

    pub(super) fn releases(self) -> bool {
        matches!(self, Order::Release | Order::AcqRel)
    }

    pub(super) fn is_atomic(self) -> bool {
        self != Order::Plain
    }
}

/// Who a synchronisation is meant for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Scope {
    Lane,
    Warp,
    Block,
    Cluster,
    Device,
}

/// A scalar of a memory access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Part {
    pub(super) offset: u32,
    pub(super) bytes: u8,
    pub(super) slot: Slot,
}

impl Part {
    /// Its bytes.
    pub(super) fn len(&self) -> usize {
        usize::from(self.bytes)
    }
}

/// Where an access takes its addresses from besides its pointer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Addressing {
    /// The row holds the address itself.
    Pointer { wide: bool },
    /// The row is a byte offset into the buffer that starts at `base` and has `records` bytes;
    /// accesses beyond read zero and write nothing (CDNA3 ISA, buffer addressing).
    Resource { base: Row, records: Row, scalar_offset: Row },
}

/// A load or store of all its scalars at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Access {
    pub(super) space: Space,
    pub(super) addressing: Addressing,
    pub(super) offset: u32,
    pub(super) bytes: u32,
    pub(super) align: u32,
    pub(super) order: Order,
    pub(super) scope: Scope,
    pub(super) parts: Vec<Part>,
}

/// What an atomic operation computes from the old value and its operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum AtomicOp {
    Exchange,
    Int(IntOp),
    Nand,
    Real(Real2, Real),
    IncWrap,
    DecWrap,
    CompareExchange,
}

/// An atomic read-modify-write. `bytes` of each scalar, lane after lane in ascending order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Atomic {
    pub(super) op: AtomicOp,
    pub(super) access: Access,
    pub(super) addr: Row,
    /// Operands, one for each part of the access (whose slots are the results).
    pub(super) values: Vec<Slot>,
    /// What a compare-exchange compares with.
    pub(super) expected: Option<Slot>,
    /// Whether a compare-exchange stored.
    pub(super) stored: Option<Row>,
}

/// `memcpy` and `memset`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct CopyBytes {
    pub(super) to: Pointer,
    pub(super) from: Result<Pointer, Row>,
    pub(super) len: Slot,
}

/// Where in shared memory the lanes of an asynchronous copy write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Landing {
    /// Each at its own address.
    Scattered { offset: u32 },
    /// One after another, `step` bytes apart, from the address of the first active lane.
    Lined { offset: u32, step: u32 },
}

/// A copy from global to shared memory that ends later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct AsyncCopy {
    /// What is read; it has no parts.
    pub(super) from: Access,
    pub(super) from_addr: Row,
    pub(super) to: Slot,
    pub(super) landing: Landing,
    pub(super) to_align: u32,
    /// How many bytes are read, the rest being zero; all if none.
    pub(super) read: Option<Row>,
    /// Lanes that read nothing and write zeros.
    pub(super) ignore: Option<Row>,
    /// Whether LLVM was told that no access meets it, so that no access waits for it.
    pub(super) is_apart: bool,
}

/// A pointer with its space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pointer {
    pub(super) space: Space,
    pub(super) row: Slot,
}

/// A run of bits that moves from one scalar to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    pub(super) from: Slot,
    pub(super) from_bit: u8,
    pub(super) width: u8,
    pub(super) to_bit: u8,
}

/// A scalar put together from pieces of others (bit casts between unlike vectors).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Repack {
    pub(super) d: Slot,
    pub(super) pieces: Vec<Piece>,
}

/// `shfl.sync` and its four ways to name the source lane.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum ShuffleMode {
    Index,
    Up,
    Down,
    Butterfly,
}

/// PTX `shfl.sync`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Shuffle {
    pub(super) mode: ShuffleMode,
    pub(super) members: Row,
    pub(super) d: Row,
    pub(super) valid: Option<Row>,
    pub(super) value: Row,
    pub(super) lane: Row,
    pub(super) clamp: Row,
}

/// How the registers of `ldmatrix` and `stmatrix` share the rows of 16 bytes that lanes point at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RowsForm {
    /// 8 rows a register; a lane holds four bytes of one row.
    Plain,
    /// 8 rows a register; a lane holds one 16-bit column of two rows.
    Transposed,
    /// 16 rows for two registers; a lane holds a column of bytes of four rows.
    TransposedBytes16,
    /// 8 rows a register; a lane holds two columns of bytes of two rows.
    TransposedBytes8,
}

/// `ldmatrix` and `stmatrix`: small matrices whose rows of 16 bytes lie at addresses of lanes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct MatrixMove {
    pub(super) form: RowsForm,
    pub(super) store: bool,
    pub(super) registers: Vec<Row>,
    pub(super) addr: Slot,
}

/// `ds_read_tr`: what each 16 lanes load is seen as a matrix with rows of 16 elements, of which
/// every lane gets a column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct TransposedRead {
    /// Bits of an element.
    pub(super) bits: u32,
    /// Bytes that a lane loads.
    pub(super) bytes: u32,
    /// The result, in rows of `d_bits` bits each.
    pub(super) d: Vec<Row>,
    pub(super) d_bits: u32,
    pub(super) addr: Slot,
}

/// What lanes agree on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum VoteMode {
    Any,
    All,
    Uniform,
    Ballot,
    Reduce(IntOp),
    MatchAny,
    MatchAll,
}

/// Votes, reductions and matches among the lanes of `members` (all active lanes if none).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Vote {
    pub(super) mode: VoteMode,
    pub(super) members: Option<Row>,
    pub(super) value: Slot,
    pub(super) d: Slot,
    pub(super) also: Option<Row>,
}

/// Moves between lanes that AMD hardware does in lock-step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CrossMode {
    /// `ds_bpermute_b32`: `a` are byte addresses of source lanes.
    Gather,
    /// `ds_permute_b32`: `a` are byte addresses of target lanes.
    Scatter,
    ReadLane,
    ReadFirst,
    /// `update.dpp`: `a` is the old value.
    Dpp {
        ctrl: u16,
        row_mask: u8,
        bank_mask: u8,
        bound: bool,
    },
    Swizzle {
        pattern: u16,
    },
    MaskCountLow,
    MaskCountHigh,
    /// The second half of `a` changes places with the first half of `b`, in units of lanes.
    SwapRows {
        unit: u8,
    },
}

/// One [`CrossMode`] operation with its rows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cross {
    pub(super) mode: CrossMode,
    pub(super) d: Row,
    pub(super) also: Option<Row>,
    pub(super) a: Row,
    pub(super) b: Row,
}

/// A multi-way branch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Switch {
    pub(super) value: Slot,
    pub(super) cases: Vec<(u64, u32)>,
    pub(super) otherwise: u32,
}

/// A `printf` whose arguments lie in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Print {
    pub(super) format: Slot,
    pub(super) args: Slot,
    pub(super) d: Slot,
}

/// A call of a function that the engine around the simulator understands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct HookCall {
    /// Which of the hooks.
    pub(super) hook: usize,
    /// Whether the call ends the launch.
    pub(super) stops: bool,
    pub(super) args: Vec<Slot>,
}

/// A way to a block, with the copies that its phis need.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Edge {
    pub(super) target: u32,
    pub(super) moves: Vec<(Slot, Slot)>,
}

/// A global variable of the module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// A kernel, ready to run.
#[derive(Clone, Debug, Default)]
pub(super) struct Code {
    pub(super) ops: Vec<Op>,
    /// For every operation, the instruction it came from.
    pub(super) origins: Vec<Origin>,
    pub(super) edges: Vec<Edge>,
    pub(super) accesses: Vec<Access>,
    pub(super) atomics: Vec<Atomic>,
    pub(super) copies: Vec<CopyBytes>,
    pub(super) async_copies: Vec<AsyncCopy>,
    pub(super) repacks: Vec<Repack>,
    pub(super) shuffles: Vec<Shuffle>,
    pub(super) matrix_moves: Vec<MatrixMove>,
    pub(super) transposed_reads: Vec<TransposedRead>,
    pub(super) products: Vec<Product>,
    pub(super) group_products: Vec<GroupProduct>,
    pub(super) product_waits: Vec<AwaitProducts>,
    pub(super) votes: Vec<Vote>,
    pub(super) crosses: Vec<Cross>,
    pub(super) barriers: Vec<Barrier>,
    pub(super) mbarriers: Vec<Mbarrier>,
    pub(super) boxes: Vec<BoxCopy>,
    pub(super) switches: Vec<Switch>,
    pub(super) prints: Vec<Print>,
    pub(super) hook_calls: Vec<HookCall>,
    /// Rows of each file.
    pub(super) flags: u32,
    pub(super) words: u32,
    pub(super) wides: u32,
    /// Rows with a value that never changes.
    pub(super) constants: Vec<(Slot, u64)>,
    /// The rows of each parameter, with the byte offset of each in the argument's memory form.
    pub(super) params: Vec<Vec<Part>>,
    /// Bytes of a parameter that is passed in memory.
    pub(super) byval: Vec<Option<u32>>,
    /// Blocks of a cluster along each axis.
    pub(super) cluster: [u32; 3],
    /// Constants and variables of the module that are not shared memory.
    pub(super) variables: Vec<Variable>,
    /// Statically allocated shared memory.
    pub(super) shared_bytes: u32,
    /// Private memory of a thread.
    pub(super) local_bytes: u32,
}

/// Where an operation comes from, in the text of the function.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Origin {
    pub(super) block: u32,
    pub(super) instruction: u32,
    /// The debug line, zero if there is none.
    pub(super) line: u32,
}
