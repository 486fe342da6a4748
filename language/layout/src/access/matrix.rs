//! Matrices that the lanes of a warp move together, each giving the address of one row.
//!
//! # Idea
//! Such an instruction is a permutation of bits: which bits of the thread's place lie inside a row,
//! and which bits of the lane that gives an address stand for which bits of the place. It moves a
//! tile if the bits inside a row are neighbours in the buffer, and rows begin where the instruction
//! wants them to; nothing is asked of the rows' order, which is why swizzles do not disturb it.
//!
//! Sources: PTX ISA 9.7.14.5.15 and 16 (`ldmatrix`, `stmatrix`); CDNA4 ISA 11.4 (`ds_read_b64_tr`).

use std::collections::BTreeMap;

use super::{Parts, SharedAccess, SharedMeans, Split};
use crate::bits::{Echelon, log2};
use crate::layout::Layout;
use crate::memory_map::MemoryMap;

/// An instruction, as a permutation of bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MatrixForm {
    /// Matrices of 8 rows of 16 bytes, of which a lane holds 4 neighbouring bytes of a row.
    Rows,
    /// The same of elements of 2 bytes, of which a lane holds two neighbours of a column.
    Columns,
    /// Rows of 16 elements, read by 16 lanes with 8 bytes each, of which a lane gets a column.
    Transposing,
}

/// A bit of the place of an element in registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bit {
    Lane(usize),
    /// One of the register bits that are chosen, by number.
    Chosen(usize),
}

/// The bits of an instruction for elements of one width.
struct Bits {
    n_lane_bits: usize,
    /// Register bits inside a row, the lowest of it.
    n_own: u32,
    /// Lane bits inside a row, above those.
    inside: &'static [usize],
    /// What the bits of the lane that gives an address stand for.
    addresses: &'static [Bit],
    /// Register bits outside of rows that the instruction must have, and can have besides.
    n_chosen: (usize, usize),
    /// Bytes behind one address.
    bytes: u32,
}

impl MatrixForm {
    fn bits(self, elem_bits: u32) -> Option<Bits> {
        use Bit::{Chosen, Lane};
        let bits = match (self, elem_bits) {
            (MatrixForm::Rows, 8 | 16 | 32) => Bits {
                n_lane_bits: 5,
                n_own: log2(u64::from(32 / elem_bits)),
                inside: &[0, 1],
                addresses: &[Lane(2), Lane(3), Lane(4), Chosen(0), Chosen(1)],
                n_chosen: (0, 2),
                bytes: 16,
            },
            (MatrixForm::Columns, 16) => Bits {
                n_lane_bits: 5,
                n_own: 0,
                inside: &[2, 3, 4],
                addresses: &[Chosen(0), Lane(0), Lane(1), Chosen(1), Chosen(2)],
                n_chosen: (1, 2),
                bytes: 16,
            },
            (MatrixForm::Transposing, 16) => Bits {
                n_lane_bits: 6,
                n_own: 0,
                inside: &[0, 1],
                addresses: &[Lane(2), Lane(3), Chosen(0), Chosen(1), Lane(4), Lane(5)],
                n_chosen: (2, 0),
                bytes: 8,
            },
            (MatrixForm::Transposing, 8) => Bits {
                n_lane_bits: 6,
                n_own: 0,
                inside: &[0, 1, 2],
                addresses: &[Lane(3), Chosen(0), Chosen(1), Chosen(2), Lane(4), Lane(5)],
                n_chosen: (3, 0),
                bytes: 8,
            },
            _ => return None,
        };
        Some(bits)
    }

    /// For elements of a width: register bits and lane bits that lie inside a row, lowest first.
    pub(crate) fn inside(self, elem_bits: u32) -> Option<(usize, &'static [usize])> {
        self.bits(elem_bits).map(|it| (it.n_own as usize, it.inside))
    }

    /// What the lowest bits of the lane that gives an address stand for, of elements with these
    /// columns: those of as many lanes as are served together.
    pub(crate) fn addressed(self, elem_bits: u32, regs: &[u64], lanes: &[u64]) -> Vec<u64> {
        let image = |it: &Bit| match *it {
            Bit::Lane(it) => lanes.get(it).copied().unwrap_or(0),
            Bit::Chosen(it) => regs.get(it).copied().unwrap_or(0),
        };
        self.bits(elem_bits).map_or_else(Vec::new, |it| it.addresses.iter().map(image).collect())
    }

    fn means(self, n_more: usize) -> SharedMeans {
        let count = 1 << n_more;
        match self {
            MatrixForm::Rows => SharedMeans::Matrix { count, transposed: false },
            MatrixForm::Columns => SharedMeans::Matrix { count, transposed: true },
            MatrixForm::Transposing => SharedMeans::TransposeRead,
        }
    }
}

impl SharedMeans {
    /// Whose address an element of a lane lies behind, and how many elements after it: for position
    /// `position` of an access of `lane`.
    pub fn behind(self, lane: u32, position: u32, elem_bits: u32) -> (u32, u32) {
        let form = match self {
            SharedMeans::Vector => return (lane, position),
            SharedMeans::Matrix { transposed: false, .. } => MatrixForm::Rows,
            SharedMeans::Matrix { transposed: true, .. } => MatrixForm::Columns,
            SharedMeans::TransposeRead => MatrixForm::Transposing,
        };
        let bits = form.bits(elem_bits).expect("V3: an access by matrices has a form");
        let own = position & ((1 << bits.n_own) - 1);
        let inside = bits.inside.iter().zip(bits.n_own..);
        let row = inside.fold(own, |row, (&from, to)| row | (lane >> from & 1) << to);
        let is_set = |it: &Bit| match *it {
            Bit::Lane(it) => lane >> it & 1,
            Bit::Chosen(it) => position >> (bits.n_own as usize + it) & 1,
        };
        let address = bits.addresses.iter().enumerate();
        (address.fold(0, |all, (to, it)| all | is_set(it) << to), row)
    }
}

impl SharedAccess {
    /// How matrices of a form move a tile in `layout` to or from a view with that map, if they can.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn matrices(
        layout: &Layout,
        map: &MemoryMap,
        elem_bits: u32,
        form: MatrixForm,
    ) -> Option<SharedAccess> {
        assert_eq!(layout.shape(), &map.shape()[..], "V3: one tile has one shape");
        let bits = form.bits(elem_bits)?;
        let mut split = Split::new(layout, map, None);
        if split.lanes.len() != bits.n_lane_bits {
            return None;
        }
        let (own, chosen) = split.registers_for(&bits, elem_bits)?;
        let lanes = std::mem::take(&mut split.lanes);
        let of = |bit: &Bit, lanes: &[u32], split: &Split<'_>| match *bit {
            Bit::Lane(it) => lanes[it],
            Bit::Chosen(it) => chosen.get(it).map_or(0, |&it| split.registers[it] as u32),
        };
        split.lanes = bits.addresses.iter().map(|it| of(it, &lanes, &split)).collect();
        for (_, step) in &mut split.steps {
            let step_of = |it: &Bit| if let Bit::Lane(it) = *it { step.lanes[it] } else { 0 };
            step.lanes = bits.addresses.iter().map(step_of).collect();
        }
        let members: Vec<usize> = own.into_iter().chain(chosen.iter().copied()).collect();
        let all = members.iter().fold(0, |all, it| all | 1 << it);
        let vector = 1 << members.len();
        let mut groups: BTreeMap<Parts, Vec<Vec<u32>>> = BTreeMap::new();
        for head in (0..layout.registers()).filter(|it| it & all == 0) {
            let parts = split.parts(&layout.index_of(head, 0, 0));
            let group = groups.entry(parts).or_insert_with(|| vec![Vec::new(); vector]);
            for (position, registers) in group.iter_mut().enumerate() {
                let chosen = members.iter().enumerate().filter(|it| position >> it.0 & 1 == 1);
                registers.push(chosen.fold(head, |at, it| at | 1 << it.1));
            }
        }
        let means = form.means(chosen.len() - bits.n_chosen.0);
        Some(split.access(means, bits.bytes, vector as u32, groups))
    }
}

impl Split<'_> {
    /// The register bits inside a row, and those that number rows or matrices.
    fn registers_for(&self, bits: &Bits, elem_bits: u32) -> Option<(Vec<usize>, Vec<usize>)> {
        let unit = bits.bytes * 8 / elem_bits;
        let is_whole = |it: u32| it & (unit - 1) == 0;
        let own: Vec<usize> = (0..bits.n_own)
            .map(|bit| self.registers.iter().position(|&it| it == 1 << bit))
            .collect::<Option<_>>()?;
        let others = || (0..self.registers.len()).filter(|it| !own.contains(it));
        let (n_needed, n_more) = bits.n_chosen;
        let mut span = Echelon::default();
        let mut chosen: Vec<usize> = Vec::new();
        for register in others() {
            let image = self.registers[register];
            if chosen.len() < n_needed + n_more && image >> u32::BITS == 0 && span.add(image) {
                chosen.push(register);
            }
        }
        let is_inside = |lane: &usize| bits.inside.contains(lane);
        let row = bits.inside.iter().zip(bits.n_own..).all(|(&lane, bit)| {
            let stands = self.steps.iter().all(|it| it.1.lanes[lane] == 0);
            stands && self.lanes[lane] == 1 << bit
        });
        let lanes = (0..self.lanes.len()).filter(|it| !is_inside(it)).map(|it| self.lanes[it]);
        let places = others().map(|it| self.registers[it] as u32).chain(lanes);
        let padding = self.map.padding().iter().flat_map(|&(interval, pad)| [interval, pad]);
        let strides = self.map.dims().iter().map(|it| it.stride);
        let fixed = padding.chain(strides).chain([self.map.mixed()]);
        let starts = places.chain(self.warps.iter().copied()).chain(fixed).all(is_whole);
        (chosen.len() >= n_needed && row && starts).then_some((own, chosen))
    }
}
