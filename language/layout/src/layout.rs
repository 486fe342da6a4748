//! A layout applied to a shape: a linear map over F2 from the bits of a place to an element's index.
//!
//! # Definition
//! Every bit of every input has a *basis*, the index of the element at that bit alone; the element
//! at a place is the exclusive or of the bases of its one bits, coordinate by coordinate. An extent
//! is `r * 2^k` with `r` odd. The bases cover the *box*, the extents' powers of two; the box is
//! repeated `r` times a dimension in the most significant part of the register (or offset) number,
//! row-major over the dimensions.
//!
//! # Invariants
//! * L1: every extent is at least 1 and there are at most 2^30 elements.
//! * L2: inputs ascend and have bases; a basis has a coordinate a dimension, inside the box.
//! * L3: the map is onto: every element has a place. A zero basis replicates.
//!
//! Two layouts are equal exactly if they are equal as maps.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::bits::{self, Echelon, log2};

/// An element's index, outermost dimension first.
pub type Coords = SmallVec<[u32; 4]>;

/// Dimensions that a tile can have.
pub const RANK_MAX: u32 = 16;

/// What the bits of a place count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum In {
    /// Registers of a thread.
    Register,
    /// Lanes of a warp.
    Lane,
    /// Warps of a role.
    Warp,
    /// Elements of a buffer in shared memory.
    Offset,
    /// Rows (lanes) of tensor memory.
    Row,
    /// Columns of tensor memory.
    Col,
}

impl In {
    /// All inputs, in order.
    pub const ALL: [In; 6] = [In::Register, In::Lane, In::Warp, In::Offset, In::Row, In::Col];

    /// The word in a layout's text.
    pub fn name(self) -> &'static str {
        match self {
            In::Register => "reg",
            In::Lane => "lane",
            In::Warp => "warp",
            In::Offset => "offset",
            In::Row => "row",
            In::Col => "col",
        }
    }
}

/// Why bases are no layout.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LayoutError {
    /// An extent is 0.
    #[error("dimension {axis} has extent 0")]
    Empty {
        /// Which dimension.
        axis: u32,
    },
    /// More dimensions than a tile can have.
    #[error("the shape has {rank} dimensions, at most {RANK_MAX} are possible")]
    TooManyDimensions {
        /// How many.
        rank: u32,
    },
    /// More elements than a tile can have.
    #[error("the shape has more than 2^30 elements")]
    TooLarge,
    /// A basis has another number of coordinates than the shape.
    #[error("a basis of `{}` has {got} coordinates, the shape has {wanted} dimensions", input.name())]
    Rank {
        /// The basis's input.
        input: In,
        /// Dimensions of the shape.
        wanted: u32,
        /// Coordinates of the basis.
        got: u32,
    },
    /// A coordinate lies outside the power-of-two part of the extent.
    #[error("a basis of `{}` has {coord} in dimension {axis}, which has {limit} elements before it repeats", input.name())]
    Outside {
        /// The basis's input.
        input: In,
        /// Which dimension.
        axis: u32,
        /// The coordinate.
        coord: u32,
        /// The power-of-two part of the extent.
        limit: u32,
    },
    /// Some element has no place.
    #[error("element {element:?} has no place: the bases reach 2^{rank} of 2^{wanted} elements")]
    NotOnto {
        /// One that is not reached.
        element: Vec<u32>,
        /// Independent bases.
        rank: u32,
        /// Bits of an index.
        wanted: u32,
    },
    /// An input is given twice, or out of order.
    #[error("input `{}` is out of order", input.name())]
    Order {
        /// Which.
        input: In,
    },
    /// More places than can be counted.
    #[error("`{}` has {bits} bits, more than can be counted", input.name())]
    TooManyBits {
        /// Of which input.
        input: In,
        /// How many.
        bits: u32,
    },
}

/// A linear map over F2 from a place to an index, and an odd number of repetitions a dimension.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Layout(Arc<Repr>);

#[derive(PartialEq, Eq, Hash)]
struct Repr {
    ins: Vec<(In, Vec<Coords>)>,
    shape: Coords,
    // `(interval, pad)`: after every `interval` elements of a buffer, `pad` are left out.
    padding: Vec<(u32, u32)>,
    // The bases as flat box indices, inputs in order; and for each bit of a flat index its place.
    columns: Vec<u64>,
    inverse: Vec<u64>,
}

impl Layout {
    /// The layout with these bases over the power-of-two part of `shape`.
    ///
    /// # Panics
    /// If an invariant fails; [`Layout::try_new`] says which.
    pub fn new(shape: &[u32], ins: Vec<(In, Vec<Coords>)>) -> Layout {
        Layout::try_new(shape, ins).expect("L2: bases fit the shape and cover it")
    }

    /// The layout with these bases, if they are one.
    pub fn try_new(shape: &[u32], ins: Vec<(In, Vec<Coords>)>) -> Result<Layout, LayoutError> {
        Layout::with_padding(shape, ins, Vec::new())
    }

    /// A buffer's layout with `pad` elements left out after every `interval`, for each pair.
    pub fn with_padding(
        shape: &[u32],
        ins: Vec<(In, Vec<Coords>)>,
        padding: Vec<(u32, u32)>,
    ) -> Result<Layout, LayoutError> {
        check_shape(shape)?;
        let ins: Vec<_> = ins.into_iter().filter(|(_, bases)| !bases.is_empty()).collect();
        check_bases(shape, &ins)?;
        let extents = boxed(shape);
        let columns: Vec<u64> = ins
            .iter()
            .flat_map(|(_, bases)| bases.iter().map(|it| flatten(it, &extents)))
            .collect();
        let inverse = invert(&columns, &extents)?;
        Ok(Layout(Arc::new(Repr { ins, shape: shape.into(), padding, columns, inverse })))
    }

    /// Extents, outermost first.
    pub fn shape(&self) -> &[u32] {
        &self.0.shape
    }

    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.0.shape.len()
    }

    /// Images of the bits of `input`, lowest first; empty if it has none.
    pub fn bases(&self, input: In) -> &[Coords] {
        self.0.ins.iter().find(|it| it.0 == input).map_or(&[], |it| &it.1)
    }

    /// The inputs that have bases, with them.
    pub fn inputs(&self) -> &[(In, Vec<Coords>)] {
        &self.0.ins
    }

    /// `(interval, pad)` in elements: the padding of a buffer.
    pub fn padding(&self) -> &[(u32, u32)] {
        &self.0.padding
    }

    /// The powers of two in the extents: what the bases cover.
    pub fn extents(&self) -> Coords {
        boxed(&self.0.shape)
    }

    /// The odd factors of the extents: how often the box is repeated, by dimension.
    pub fn repetitions(&self) -> Coords {
        self.0.shape.iter().map(|&it| it >> it.trailing_zeros()).collect()
    }

    /// How often the box is repeated in all.
    pub fn n_repetitions(&self) -> u32 {
        self.repetitions().iter().product()
    }

    /// Whether it is a map of registers, lanes and warps.
    pub fn is_register_layout(&self) -> bool {
        self.0.ins.iter().all(|it| it.0 <= In::Warp)
    }

    /// Registers of each thread, repetitions included.
    pub fn registers(&self) -> u32 {
        self.n_repetitions() << self.bases(In::Register).len()
    }

    /// Lanes of a warp.
    pub fn lanes(&self) -> u32 {
        1 << self.bases(In::Lane).len()
    }

    /// Warps.
    pub fn warps(&self) -> u32 {
        1 << self.bases(In::Warp).len()
    }

    /// Elements of a buffer, padding not counted; cells for tensor memory.
    pub fn offsets(&self) -> u32 {
        self.n_repetitions() << self.bases(In::Offset).len()
    }

    /// The index of the element that a register of a thread holds.
    pub fn index_of(&self, register: u32, lane: u32, warp: u32) -> Coords {
        let n_bits = self.bases(In::Register).len();
        let repetition = register >> n_bits;
        let within = register & ((1 << n_bits) - 1);
        self.element(repetition, &[(In::Register, within), (In::Lane, lane), (In::Warp, warp)])
    }

    /// The index of the element at an offset of a buffer, padding not counted.
    pub fn index_at(&self, offset: u32) -> Coords {
        let n_bits = self.bases(In::Offset).len();
        let within = offset & ((1 << n_bits) - 1);
        self.element(offset >> n_bits, &[(In::Offset, within)])
    }

    /// The index of the element in a cell of tensor memory.
    pub fn index_in_cell(&self, row: u32, col: u32) -> Coords {
        let n_bits = self.bases(In::Col).len();
        let within = col & ((1 << n_bits) - 1);
        self.element(col >> n_bits, &[(In::Row, row), (In::Col, within)])
    }

    /// The first place that holds an element: register, lane and warp.
    pub fn owner(&self, index: &[u32]) -> (u32, u32, u32) {
        let (repetition, place) = self.place_of(index);
        let (n_regs, n_lanes) = (self.bases(In::Register).len(), self.bases(In::Lane).len());
        let register = place & ((1 << n_regs) - 1);
        let lane = (place >> n_regs) & ((1 << n_lanes) - 1);
        let warp = place >> (n_regs + n_lanes);
        ((repetition << n_regs) | register as u32, lane as u32, warp as u32)
    }

    /// The offset of an element in a buffer, in elements, padding included.
    pub fn offset_of(&self, index: &[u32]) -> u32 {
        let (repetition, place) = self.place_of(index);
        let plain = (repetition << self.bases(In::Offset).len()) | place as u32;
        plain + self.0.padding.iter().map(|&(interval, pad)| plain / interval * pad).sum::<u32>()
    }

    /// The first cell of tensor memory that holds an element: row and column.
    pub fn cell_of(&self, index: &[u32]) -> (u32, u32) {
        let (repetition, place) = self.place_of(index);
        let (n_rows, n_cols) = (self.bases(In::Row).len(), self.bases(In::Col).len());
        let row = place & ((1 << n_rows) - 1);
        let col = (place >> n_rows) as u32;
        (row as u32, (repetition << n_cols) | col)
    }

    /// Elements from the first to one past the last of a buffer, padding included.
    pub fn buffer_len(&self) -> u32 {
        let last = self.offsets() - 1;
        last + 1 + self.0.padding.iter().map(|&(interval, pad)| last / interval * pad).sum::<u32>()
    }

    /// The bits of `input` that change nothing given the bits before them (registers, then lanes,
    /// then warps): places that differ only there hold copies.
    pub fn free_mask(&self, input: In) -> u32 {
        let mut span = Echelon::default();
        let mut at = 0;
        let mut res = 0;
        for (it, bases) in &self.0.ins {
            for bit in 0..bases.len() {
                let independent = span.add(self.0.columns[at]);
                at += 1;
                if *it == input && !independent {
                    res |= 1 << bit;
                }
            }
        }
        res
    }

    /// Where the bit `bit` of the index of `axis` is told apart: the first input such that its bits
    /// and those before it can change that bit alone.
    ///
    /// Bits at or above the power of two of the extent belong to repetitions, so to registers.
    pub fn home(&self, axis: usize, bit: u32) -> In {
        let extents = self.extents();
        if 1 << bit >= extents[axis] {
            return self.0.ins.first().map_or(In::Register, |it| it.0);
        }
        let mut unit: Coords = SmallVec::from_elem(0, self.rank());
        unit[axis] = 1 << bit;
        let wanted = flatten(&unit, &extents);
        let mut span = Echelon::default();
        let mut columns = self.0.columns.iter();
        for (input, bases) in &self.0.ins {
            columns.by_ref().take(bases.len()).for_each(|&it| {
                span.add(it);
            });
            if span.contains(wanted) {
                return *input;
            }
        }
        unreachable!("L3: the map is onto")
    }

    /// The bits of the index of `axis` in the order in which reductions fold them: those in
    /// registers, then in lanes, then in warps, each from the lowest up.
    pub fn reduction_bits(&self, axis: usize) -> Vec<u32> {
        let mut res: Vec<u32> = (0..log2(self.extents()[axis].into())).collect();
        res.sort_by_key(|&bit| (self.home(axis, bit), bit));
        res
    }

    /// How many neighbours along `axis`, aligned to their number, every thread holds: a power of two.
    ///
    /// They are in the registers that [`Layout::vector_registers`] names.
    pub fn contiguous(&self, axis: usize) -> u32 {
        let mut n = 1;
        while self.vector_registers(axis, 2 * n).is_some() {
            n *= 2;
        }
        n
    }

    /// The register bits that hold `n` aligned neighbours along `axis`, the lowest index bit first.
    pub fn vector_registers(&self, axis: usize, n: u32) -> Option<Vec<u32>> {
        if n > self.extents()[axis] {
            return None;
        }
        let mut res = Vec::new();
        for bit in 0..log2(n.into()) {
            let unit = |it: &Coords| {
                it.iter().enumerate().all(|(d, &c)| c == if d == axis { 1 << bit } else { 0 })
            };
            res.push(self.bases(In::Register).iter().position(unit)? as u32);
        }
        let alone = self.0.ins.iter().all(|(input, bases)| {
            bases.iter().enumerate().all(|(i, it)| {
                (*input == In::Register && res.contains(&(i as u32))) || it[axis] & (n - 1) == 0
            })
        });
        alone.then_some(res)
    }

    /// The bases as flat, row-major indices into the box; inputs in order.
    pub fn columns(&self) -> &[u64] {
        &self.0.columns
    }

    /// The flat, row-major index of an element in the box, and its repetition.
    pub fn flat_index(&self, index: &[u32]) -> (u32, u64) {
        let extents = self.extents();
        let mut repetition = 0;
        let mut within: Coords = SmallVec::new();
        for (d, &at) in index.iter().enumerate() {
            repetition = repetition * (self.0.shape[d] / extents[d]) + at / extents[d];
            within.push(at % extents[d]);
        }
        (repetition, flatten(&within, &extents))
    }

    fn place_of(&self, index: &[u32]) -> (u32, u64) {
        let (repetition, flat) = self.flat_index(index);
        (repetition, bits::apply(&self.0.inverse, flat))
    }

    fn element(&self, repetition: u32, place: &[(In, u32)]) -> Coords {
        let mut res: Coords = SmallVec::from_elem(0, self.rank());
        for &(input, at) in place {
            for (bit, basis) in self.bases(input).iter().enumerate() {
                if at >> bit & 1 == 1 {
                    res.iter_mut().zip(basis).for_each(|(sum, &it)| *sum ^= it);
                }
            }
        }
        let mut rest = repetition;
        for (d, &extent) in self.extents().iter().enumerate().rev() {
            let count = self.0.shape[d] / extent;
            res[d] += rest % count * extent;
            rest /= count;
        }
        res
    }
}

/// The power-of-two part of every extent.
pub(crate) fn boxed(shape: &[u32]) -> Coords {
    shape.iter().map(|&it| 1 << it.trailing_zeros()).collect()
}

/// The row-major index in a box: the last dimension has the lowest bits.
pub(crate) fn flatten(index: &[u32], extents: &[u32]) -> u64 {
    index
        .iter()
        .zip(extents)
        .fold(0, |flat, (&at, &extent)| flat << log2(extent.into()) | u64::from(at))
}

/// The inverse of [`flatten`].
pub(crate) fn unflatten(flat: u64, extents: &[u32]) -> Coords {
    let mut rest = flat;
    let mut res: Coords = extents
        .iter()
        .rev()
        .map(|&extent| {
            let at = rest & u64::from(extent - 1);
            rest >>= log2(extent.into());
            at as u32
        })
        .collect();
    res.reverse();
    res
}

/// L1.
pub(crate) fn check_shape(shape: &[u32]) -> Result<(), LayoutError> {
    if shape.len() > RANK_MAX as usize {
        return Err(LayoutError::TooManyDimensions { rank: shape.len() as u32 });
    }
    if let Some(axis) = shape.iter().position(|&it| it == 0) {
        return Err(LayoutError::Empty { axis: axis as u32 });
    }
    let count = shape.iter().try_fold(1u64, |count, &it| count.checked_mul(it.into()));
    match count {
        Some(count) if count <= 1 << 30 => Ok(()),
        Some(_) | None => Err(LayoutError::TooLarge),
    }
}

/// L2.
fn check_bases(shape: &[u32], ins: &[(In, Vec<Coords>)]) -> Result<(), LayoutError> {
    if let Some(pair) = ins.windows(2).find(|it| it[1].0 <= it[0].0) {
        return Err(LayoutError::Order { input: pair[1].0 });
    }
    let extents = boxed(shape);
    check_counts(shape, ins)?;
    for (input, bases) in ins {
        for basis in bases {
            if basis.len() != shape.len() {
                let (wanted, got) = (shape.len() as u32, basis.len() as u32);
                return Err(LayoutError::Rank { input: *input, wanted, got });
            }
            if let Some(d) = (0..shape.len()).find(|&d| basis[d] >= extents[d]) {
                let (axis, coord, limit) = (d as u32, basis[d], extents[d]);
                return Err(LayoutError::Outside { input: *input, axis, coord, limit });
            }
        }
    }
    Ok(())
}

/// A place fits in 64 bits, and the registers of a thread can be counted with their repetitions.
fn check_counts(shape: &[u32], ins: &[(In, Vec<Coords>)]) -> Result<(), LayoutError> {
    let repetitions: u64 = shape.iter().map(|&it| u64::from(it >> it.trailing_zeros())).product();
    let mut n_bits = 0;
    for (input, bases) in ins {
        let bits = bases.len() as u32;
        n_bits += bits;
        if bits > 30 || n_bits > 60 || repetitions << bits > 1 << 30 {
            return Err(LayoutError::TooManyBits { input: *input, bits });
        }
    }
    Ok(())
}

/// L3: the place of each bit of a flat index, from the earliest bases that reach it.
fn invert(columns: &[u64], extents: &[u32]) -> Result<Vec<u64>, LayoutError> {
    let span = Echelon::new(columns.iter().copied());
    let n_bits = extents.iter().map(|&it| log2(it.into())).sum();
    (0..n_bits)
        .map(|bit| {
            span.solve(1 << bit).ok_or_else(|| LayoutError::NotOnto {
                element: unflatten(1 << bit, extents).to_vec(),
                rank: span.rank(),
                wanted: n_bits,
            })
        })
        .collect()
}
