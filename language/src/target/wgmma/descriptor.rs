//! How a warp group's matrix instruction finds a factor in shared memory.
//!
//! # Definition
//! A factor has an *outer* dimension (rows of `a`, columns of `b`) and the depth `k`. One of them is the *major* one: its
//! neighbours lie together. With a swizzle of `W` bytes the element `(i, k)` of an operand is at the exclusive or of
//! an address `A` and bits 7 to 9 of it, three below, as many as `W` has 16-byte units; `A` is the start and
//!
//! | major, swizzle | offset in bytes |
//! | --- | --- |
//! | k, none | `i % 8 · 16 + i / 8 · stride + k / T · leading + k % T · bytes` |
//! | k, `W` | `i % 8 · W + i / 8 · stride + k · bytes` |
//! | outer, none | `i % T · bytes + i / T · stride + k % 8 · 16 + k / 8 · leading` |
//! | outer, `W` | `i % n · bytes + i / n · leading + k % 8 · W + k / 8 · stride` |
//!
//! where 16 bytes are `T` elements and `W` bytes are `n`. (PTX ISA 9.7.15.5.1, and the canonical layouts in
//! CUTLASS, `cute/atom/mma_traits_sm90_gmma.hpp`.)
//!
//! # Idea
//! A memory map is linear in the bits of its indices, and so is this table; so each bit of an index is compared, after the
//! swizzle has been undone. The swizzle looks at bits of the address itself, so buffers are aligned to the
//! pattern ([`Descriptor::align`]) and every step to another instruction's part is a multiple of it or within 16-byte units
//! of its first row: then the start of a part is the address of its first element.

use tile_layout::MemoryMap;

use super::DEPTH_BYTES;

/// Which neighbours of a factor lie together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Major {
    /// Those along the depth.
    Depth,
    /// Those along the rows of `a`, the columns of `b`.
    Outer,
}

/// How the part of a factor that one instruction multiplies lies in shared memory. All in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Descriptor {
    /// Which neighbours lie together.
    pub major: Major,
    /// Width of the swizzle; 0 for none.
    pub swizzle: u32,
    /// The leading dimension's offset; 0 if the instruction does not look at it.
    pub leading: u32,
    /// The stride dimension's offset.
    pub stride: u32,
}

/// A factor as a map gives it: what each bit of the outer index and of the depth adds, in bytes.
struct Bits<'a> {
    map: &'a MemoryMap,
    outer: usize,
    depth: usize,
    elem_bytes: u32,
    /// Bits that an instruction's part has of each, and more where the part is no power of two.
    n_outer: u32,
    n_depth: u32,
}

impl Descriptor {
    /// The descriptor for parts of `part` indices of the outer dimension of a view, if there is one.
    ///
    /// `axes` are the outer dimension and the depth of the view.
    pub fn of(
        map: &MemoryMap,
        axes: [usize; 2],
        elem_bits: u32,
        part: u32,
        turns: bool,
    ) -> Option<Descriptor> {
        let [outer, depth] = axes;
        let elem_bytes = elem_bits / 8;
        let extents = axes.map(|axis| map.dims()[axis].extent);
        let k = DEPTH_BYTES / elem_bytes;
        if !map.padding().is_empty()
            || !extents[0].is_multiple_of(part)
            || !extents[1].is_multiple_of(k)
        {
            return None;
        }
        // Parts that are no power of two begin anywhere, so the whole has to be regular.
        let regular = if part.is_power_of_two() { part } else { extents[0] };
        let n_outer = regular.next_power_of_two().trailing_zeros();
        let n_depth = k.trailing_zeros();
        let bits = Bits { map, outer, depth, elem_bytes, n_outer, n_depth };
        let majors =
            [Major::Depth, Major::Outer].into_iter().filter(|it| turns || *it == Major::Depth);
        majors
            .flat_map(|major| [128, 64, 32, 0].map(|swizzle| (major, swizzle)))
            .find_map(|(major, swizzle)| bits.descriptor(major, swizzle))
    }

    /// What divides the address of the buffer.
    pub fn align(&self) -> u32 {
        (8 * self.swizzle).max(16)
    }

    /// The descriptor without its start.
    pub fn word(&self) -> u64 {
        let mode = match self.swizzle {
            128 => 1,
            64 => 2,
            32 => 3,
            _ => 0,
        };
        let field = |it: u32| u64::from(it >> 4 & 0x3fff);
        field(self.leading) << 16 | field(self.stride) << 32 | mode << 62
    }
}

/// The bits of an address that the swizzle changes.
fn changed(swizzle: u32) -> u32 {
    match swizzle {
        128 => 0x70,
        64 => 0x30,
        32 => 0x10,
        _ => 0,
    }
}

impl Bits<'_> {
    /// What a bit of an index adds.
    fn of(&self, axis: usize, bit: u32) -> u32 {
        let dim = &self.map.dims()[axis];
        let n_columns = dim.columns.len() as u32;
        let elements = match dim.columns.get(bit as usize) {
            Some(column) => *column,
            None => dim.stride << (bit - n_columns),
        };
        elements * self.elem_bytes
    }

    /// As many bits of an index as its extent has.
    fn n_bits(&self, axis: usize) -> u32 {
        self.map.dims()[axis].extent.next_power_of_two().trailing_zeros()
    }

    fn descriptor(&self, major: Major, swizzle: u32) -> Option<Descriptor> {
        let changed = changed(swizzle);
        let (inner, across) = match major {
            Major::Depth => ((self.depth, self.n_depth), (self.outer, self.n_outer)),
            Major::Outer => ((self.outer, self.n_outer), (self.depth, self.n_depth)),
        };
        // Undoing the swizzle, which is its own inverse.
        let plain = |axis: usize, bit: u32| {
            let it = self.of(axis, bit);
            it ^ it >> 3 & changed
        };
        // Neighbours, up to 16 bytes or the width of the swizzle.
        let width = swizzle.max(16);
        let n_near = (width / self.elem_bytes).trailing_zeros().min(inner.1);
        let near = (0..n_near).all(|bit| plain(inner.0, bit) == self.elem_bytes << bit);
        // Eight rows of that width.
        let rows = (0..across.1.min(3)).all(|bit| plain(across.0, bit) == width << bit);
        if !near || !rows {
            return None;
        }
        // Steps beyond keep the pattern of the swizzle.
        let pattern = changed | changed << 3;
        let steps = |(axis, n): (usize, u32), first: u32| {
            let step = if first < n { self.of(axis, first) } else { 0 };
            let even = (first..n).all(|bit| self.of(axis, bit) == step << (bit - first));
            (even && step & pattern == 0 && step.is_multiple_of(16)).then_some(step)
        };
        let (on, down) = (steps(inner, n_near)?, steps(across, 3)?);
        let parts = [(self.outer, self.n_outer), (self.depth, self.n_depth)];
        let begins = |(axis, n): (usize, u32)| {
            (n..self.n_bits(axis)).all(|bit| {
                let step = self.of(axis, bit);
                step & changed << 3 == 0 && step.is_multiple_of(16)
            })
        };
        if !parts.into_iter().all(begins) {
            return None;
        }
        let (leading, stride) = match (major, swizzle) {
            (Major::Outer, 0) => (down, on),
            _ => (on, down),
        };
        Some(Descriptor { major, swizzle, leading, stride })
    }
}

#[cfg(test)]
mod tests {
    use tile_layout::Spec;

    use super::*;

    fn found(
        spec: &Spec,
        shape: [u32; 2],
        bits: u32,
        axes: [usize; 2],
        part: u32,
    ) -> Option<Descriptor> {
        let layout = spec.apply_in_memory(&shape, bits).unwrap();
        Descriptor::of(&MemoryMap::of(&layout), axes, bits, part, bits == 16)
    }

    fn nvmma(swizzle: u32) -> Spec {
        Spec::Nvmma { swizzle, transposed: false }
    }

    #[test]
    fn rows_of_a_swizzle_are_major_in_depth() {
        for swizzle in [32, 64, 128] {
            let of = found(&nvmma(swizzle), [128, 128], 16, [0, 1], 64).unwrap();
            assert_eq!((of.major, of.swizzle), (Major::Depth, swizzle));
            assert_eq!((of.leading, of.stride), (0, 8 * swizzle));
            assert_eq!(of.align(), 8 * swizzle);
        }
    }

    #[test]
    fn columns_of_a_swizzle_are_major_outside() {
        let of = found(&nvmma(128), [64, 256], 16, [1, 0], 256).unwrap();
        assert_eq!((of.major, of.swizzle), (Major::Outer, 128));
        // The next 64 columns lie after the 64 rows of these; eight rows further down are 1 KiB.
        assert_eq!((of.leading, of.stride), (64 * 128, 1024));
        // Only 16-bit types turn.
        assert_eq!(found(&nvmma(128), [64, 256], 8, [1, 0], 256), None);
    }

    #[test]
    fn widths_that_are_no_power_of_two_are_regular() {
        let of = found(&nvmma(128), [96, 64], 16, [0, 1], 96).unwrap();
        assert_eq!((of.leading, of.stride), (0, 1024));
    }

    #[test]
    fn rows_without_swizzle_have_no_descriptor() {
        assert_eq!(found(&Spec::Plain, [64, 64], 16, [0, 1], 64), None);
        assert_eq!(found(&nvmma(0), [64, 64], 16, [0, 1], 64), None);
    }

    #[test]
    fn core_matrices_without_swizzle_have_one() {
        // Rows of 16 bytes, eight of them together; then the next 16 bytes, then the next eight rows.
        let bit = |axis: usize, at: u32| if axis == 0 { vec![at, 0] } else { vec![0, at] };
        let order =
            [(1, 1), (1, 2), (1, 4), (0, 1), (0, 2), (0, 4), (1, 8), (0, 8), (0, 16), (0, 32)];
        let offsets = order.iter().map(|&(axis, at)| bit(axis, at)).collect();
        let of = found(&Spec::SharedLinear { offsets }, [64, 16], 16, [0, 1], 64).unwrap();
        assert_eq!((of.major, of.swizzle), (Major::Depth, 0));
        assert_eq!((of.leading, of.stride), (128, 256));
        assert_eq!(of.word(), 128 >> 4 << 16 | 256 >> 4 << 32);
    }
}
