//! Operations on values in registers. A scalar is a tile of rank 0.
//!
//! Shapes: elementwise operations want equal shapes and equal layouts of all tile operands; nothing
//! broadcasts in the IR ([`TileOp::Splat`] and [`TileOp::Broadcast`] say it). Results of comparisons
//! are `bool` tiles of the same shape and layout.

use super::{family, words};

words! {
    /// Elementwise functions of one operand; the result has the operand's type.
    UnaryOp;
    /// Negation: flips the sign bit of a float, two's complement of an integer.
    Neg = "neg",
    /// Complement of every bit; of a bool, its opposite.
    Not = "not",
    /// Absolute value; clears a float's sign bit. The most negative integer stays.
    Abs = "abs",
    /// Square root, correctly rounded.
    Sqrt = "sqrt",
    /// 2 to the power, approximated within the bound of the accuracy table.
    Exp2 = "exp2",
    /// Logarithm to base 2, approximated within the bound of the accuracy table.
    Log2 = "log2",
    /// Reciprocal, approximated within the bound of the accuracy table.
    Rcp = "rcp",
    /// Reciprocal square root, approximated within the bound of the accuracy table.
    Rsqrt = "rsqrt",
    /// Sine of radians, approximated within the bound of the accuracy table.
    Sin = "sin",
    /// Cosine of radians, approximated within the bound of the accuracy table.
    Cos = "cos",
    /// Hyperbolic tangent, approximated within the bound of the accuracy table.
    Tanh = "tanh",
    /// 2 to the power, correctly rounded.
    ExactExp2 = "exact_exp2",
    /// Logarithm to base 2, correctly rounded.
    ExactLog2 = "exact_log2",
    /// Largest integer not above.
    Floor = "floor",
    /// Smallest integer not below.
    Ceil = "ceil",
    /// Nearest integer, ties to even.
    Round = "round",
    /// Towards zero.
    Trunc = "trunc",
    /// Number of one bits.
    Popcount = "popcount",
    /// Number of zero bits above the highest one; the width for 0.
    LeadingZeros = "leading_zeros",
    /// Bits in reverse order.
    ReverseBits = "reverse_bits",
}

words! {
    /// Elementwise functions of two operands of one type; the result has that type.
    BinaryOp;
    /// Sum; integers wrap.
    Add = "add",
    /// Difference; integers wrap.
    Sub = "sub",
    /// Product; integers wrap.
    Mul = "mul",
    /// Quotient; integers towards zero, floats correctly rounded.
    Div = "div",
    /// Remainder with the sign of the dividend.
    Rem = "rem",
    /// The smaller; a NaN is ignored.
    Min = "min",
    /// The larger; a NaN is ignored.
    Max = "max",
    /// The smaller; a NaN propagates.
    MinNan = "min_nan",
    /// The larger; a NaN propagates.
    MaxNan = "max_nan",
    /// Bitwise and; of bools, both.
    And = "and",
    /// Bitwise or; of bools, either.
    Or = "or",
    /// Bitwise exclusive or; of bools, one but not both.
    Xor = "xor",
    /// Shift left; zero from the width on.
    Shl = "shl",
    /// Shift right, arithmetic for signed types; all sign bits (or zero) from the width on.
    Shr = "shr",
    /// Upper half of the double-width product.
    MulHigh = "mul_high",
}

words! {
    /// Comparisons; a float comparison with a NaN is false, except `ne`.
    CmpOp;
    /// Equal.
    Eq = "eq",
    /// Not equal.
    Ne = "ne",
    /// Less.
    Lt = "lt",
    /// Less or equal.
    Le = "le",
    /// Greater.
    Gt = "gt",
    /// Greater or equal.
    Ge = "ge",
}

impl CmpOp {
    /// The operator as it is written.
    pub fn sign(self) -> &'static str {
        match self {
            CmpOp::Eq => "==",
            CmpOp::Ne => "!=",
            CmpOp::Lt => "<",
            CmpOp::Le => "<=",
            CmpOp::Gt => ">",
            CmpOp::Ge => ">=",
        }
    }
}

words! {
    /// How a conversion rounds.
    Round;
    /// To the nearest, ties to even.
    Nearest = "nearest",
    /// Towards zero.
    Zero = "zero",
    /// Towards plus infinity.
    Up = "up",
    /// Towards minus infinity.
    Down = "down",
}

family! {
    /// Operations on values in registers.
    TileOp "tile";

    /// A number, the same in every element. `bits` are the element's, zero-extended.
    Const {
        /// The element's bits, zero-extended.
        bits: u64,
    } = "const" () Pure, "language.md section 3";

    /// The index along `axis` of every element, as `i32`.
    Index {
        /// Which dimension.
        axis: u32,
    } = "index" () Pure, "language.md section 3";

    /// The id of this block along `axis` of the grid, as `i32`.
    BlockId {
        /// 0, 1 or 2.
        axis: u32,
    } = "block_id" () Pure, "PTX ISA, %ctaid; AMDGPU ABI, workgroup id";

    /// The number of blocks along `axis` of the grid, as `i32`.
    NumBlocks {
        /// 0, 1 or 2.
        axis: u32,
    } = "num_blocks" () Pure, "PTX ISA, %nctaid; AMDGPU implicit arguments";

    /// The number of this block in its cluster, as `i32`: the first axis counts fastest.
    ClusterRank = "cluster_rank" () Pure, "PTX ISA, %cluster_ctarank";

    /// An elementwise function of one operand.
    Unary {
        /// Which.
        op: UnaryOp,
    } = "unary" ("x") Pure, "language.md section 3";

    /// An elementwise function of two operands.
    Binary {
        /// Which.
        op: BinaryOp,
    } = "binary" ("x", "y") Pure, "language.md section 3";

    /// An elementwise comparison.
    Cmp {
        /// Which.
        op: CmpOp,
    } = "cmp" ("x", "y") Pure, "IEEE 754-2019 section 5.11";

    /// `x * y + z` with one rounding; for integers, wrapping.
    Fma = "fma" ("x", "y", "z") Pure, "IEEE 754-2019 section 5.4.1";

    /// `x` where `cond` holds, `y` elsewhere.
    Select = "select" ("cond", "x", "y") Pure, "language.md section 3";

    /// Converts every element to the result's element type.
    ///
    /// Float to integer goes towards zero and saturates, a NaN gives 0. To `f8` and smaller
    /// saturates. Integer to integer keeps the low bits or extends by the operand's signedness.
    Cast {
        /// How a float result rounds.
        round: Round,
    } = "cast" ("x") Pure, "language.md section 3";

    /// Reads every element's bits as the result's element type, of the same width.
    Bits = "bits" ("x") Pure, "language.md section 3";

    /// A scalar in every element.
    Splat = "splat" ("x") Pure, "language.md section 3";

    /// Repeats dimensions of extent 1 to the result's extents.
    Broadcast = "broadcast" ("x") Pure, "language.md section 3";

    /// Puts in a dimension of extent 1 before `axis`; the result's layout sliced there is the operand's.
    Expand {
        /// Where.
        axis: u32,
    } = "expand" ("x") Pure, "language.md section 3";

    /// Drops the dimension `axis` of extent 1; the result's layout is the slice. Rank 1 gives a scalar.
    Squeeze {
        /// Which.
        axis: u32,
    } = "squeeze" ("x") Pure, "language.md section 5";

    /// The same elements in row-major order in another shape; the layout is carried along.
    Reshape = "reshape" ("x") Pure, "Linear Layouts, arXiv 2505.23819";

    /// Dimension `i` of the result is dimension `perm[i]` of the operand; the layout is carried along.
    Permute {
        /// A permutation of the dimensions.
        perm: Vec<u32>,
    } = "permute" ("x") Pure, "Linear Layouts, arXiv 2505.23819";

    /// Two tiles as one with a new last dimension of extent 2, kept in a register bit.
    Join = "join" ("x", "y") Pure, "language.md section 5";

    /// The two halves of a last dimension of extent 2; inverse of `join`.
    Split = "split" ("x") Pure, "language.md section 5";

    /// Opens a tile along one bit of the index of `axis`: elements with the bit clear, and set.
    ///
    /// Both results lack that bit in their shape (extent halved) and in their layout. Free for a
    /// register bit, a shuffle for a lane bit, a trip through shared memory for a warp bit.
    Halves {
        /// Which dimension.
        axis: u32,
        /// Which bit of its index.
        bit: u32,
    } = "halves" ("x") Pure, "language.md section 5";

    /// Element `i` of the result is element `i ^ mask` of the operand along `axis`; same layout.
    Butterfly {
        /// Which dimension.
        axis: u32,
        /// What the index is combined with.
        mask: u32,
    } = "butterfly" ("x") Pure, "language.md section 5";

    /// `x[…, index[i], …]` along `axis`: picks elements by a tile of indices of the result's shape.
    Gather {
        /// Which dimension.
        axis: u32,
    } = "gather" ("x", "index") Pure, "language.md section 6";

    /// How often each of `0 .. extent` occurs in `x` where `mask` holds; others are not counted.
    Histogram = "histogram" ("x", "mask") Pure, "language.md section 5";

    /// The same tile in the result's layout. What it costs is a question to the layout crate.
    Convert = "convert" ("x") Pure, "Linear Layouts, arXiv 2505.23819";
}
