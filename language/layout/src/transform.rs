//! Layouts carried through operations on a tile's shape.
//!
//! Every function here answers: if a tile in this layout goes through `slice`, `expand`, `reshape`,
//! `permute`, `join`, `split` or `halves` without any element changing its thread, what is the
//! layout of the result? Registers that would hold the same element twice are dropped.

use smallvec::SmallVec;

use crate::bits::{Echelon, log2};
use crate::layout::{Coords, In, Layout, boxed, check_shape, flatten, unflatten};
use crate::spec::SpecError;

impl Layout {
    /// The layout of a row: dimension `axis` taken out.
    ///
    /// # Panics
    /// If `axis` is no dimension or the only one.
    pub fn slice(&self, axis: usize) -> Layout {
        assert!(axis < self.rank() && self.rank() > 1, "L2: a slice leaves a dimension");
        let drop = |it: &[u32]| -> Coords {
            it.iter().enumerate().filter(|it| it.0 != axis).map(|it| *it.1).collect()
        };
        self.with_bases(&drop(self.shape()), |basis| drop(basis)).without_copies_in_registers()
    }

    /// A dimension of extent 1 put in before `axis`.
    pub fn expand(&self, axis: usize) -> Layout {
        let put = |it: &[u32], value: u32| -> Coords {
            let mut res: Coords = it.into();
            res.insert(axis, value);
            res
        };
        self.with_bases(&put(self.shape(), 1), |basis| put(basis, 0))
    }

    /// Dimension `i` of the result is dimension `perm[i]` of the operand.
    pub fn permute(&self, perm: &[u32]) -> Layout {
        let turn = |it: &[u32]| -> Coords { perm.iter().map(|&d| it[d as usize]).collect() };
        self.with_bases(&turn(self.shape()), |basis| turn(basis))
    }

    /// The same elements in row-major order in another shape.
    pub fn reshape(&self, shape: &[u32]) -> Result<Layout, SpecError> {
        check_shape(shape)?;
        let digits = |shape: &[u32]| {
            let mut res = vec![(1, 0)];
            for &extent in shape {
                let (odd, bits) = (extent >> extent.trailing_zeros(), extent.trailing_zeros());
                match res.last_mut() {
                    Some(last) if odd == 1 => last.1 += bits,
                    Some(last) if last.1 == 0 => *last = (last.0 * odd, bits),
                    Some(_) | None => res.push((odd, bits)),
                }
            }
            res
        };
        if digits(self.shape()) != digits(shape) {
            return Err(SpecError::Reshape { from: self.shape().to_vec(), to: shape.to_vec() });
        }
        let (from, to) = (self.extents(), boxed(shape));
        Ok(self.with_bases(shape, |basis| unflatten(flatten(basis, &from), &to)))
    }

    /// Two tiles of this layout as one, with a new last dimension of extent 2 in the lowest register bit.
    pub fn join(&self) -> Layout {
        let wider = self.expand(self.rank());
        let mut shape: Coords = wider.shape().into();
        let mut unit: Coords = SmallVec::from_elem(0, shape.len());
        *shape.last_mut().expect("L2: a dimension was put in") = 2;
        *unit.last_mut().expect("L2: a dimension was put in") = 1;
        let mut ins = wider.inputs().to_vec();
        match ins.first_mut() {
            Some((In::Register, bases)) => bases.insert(0, unit),
            Some(_) | None => ins.insert(0, (In::Register, vec![unit])),
        }
        Layout::new(&shape, ins)
    }

    /// The layout of each half of a last dimension of extent 2; both halves must be in the same thread.
    pub fn split(&self) -> Result<Layout, SpecError> {
        let axis = self.rank() - 1;
        let extent = self.shape()[axis];
        if extent != 2 || axis == 0 {
            return Err(SpecError::SplitExtent { rank: self.rank() as u32, extent });
        }
        match self.home(axis, 0) {
            In::Register => Ok(self.slice(axis)),
            input => Err(SpecError::SplitAcross { input }),
        }
    }

    /// The layout of both halves of a tile opened along bit `bit` of the index of `axis`.
    pub fn without_bit(&self, axis: usize, bit: u32) -> Result<Layout, SpecError> {
        let extent = self.extents()[axis];
        if bit >= log2(extent.into()) {
            let (axis, extent) = (axis as u32, self.shape()[axis]);
            return Err(SpecError::Bit { axis, bit, extent });
        }
        let mut shape: Coords = self.shape().into();
        shape[axis] /= 2;
        let low = (1 << bit) - 1;
        let close = |basis: &[u32]| {
            let mut res: Coords = basis.into();
            res[axis] = (basis[axis] & low) | (basis[axis] >> 1 & !low);
            res
        };
        Ok(self.with_bases(&shape, |basis| close(basis)).without_copies_in_registers())
    }

    /// The same places with other extents: each dimension of extent 1 gets that of `shape`, repeated in registers.
    ///
    /// Used where a tile is broadcast: dimension `d` grows from 1 to `shape[d]`, every thread
    /// holding the whole of it.
    pub fn spread(&self, shape: &[u32]) -> Result<Layout, SpecError> {
        let grown = |d: usize| self.shape()[d] == 1 && shape[d] != 1;
        if shape.len() != self.rank()
            || (0..shape.len()).any(|d| !grown(d) && shape[d] != self.shape()[d])
        {
            return Err(SpecError::Reshape { from: self.shape().to_vec(), to: shape.to_vec() });
        }
        check_shape(shape)?;
        let mut bases = self.bases(In::Register).to_vec();
        let extents = boxed(shape);
        for d in (0..shape.len()).rev().filter(|&d| grown(d)) {
            for bit in 0..log2(extents[d].into()) {
                let mut unit: Coords = SmallVec::from_elem(0, shape.len());
                unit[d] = 1 << bit;
                bases.push(unit);
            }
        }
        let rest = self.inputs().iter().filter(|it| it.0 != In::Register).cloned();
        Ok(Layout::try_new(shape, std::iter::once((In::Register, bases)).chain(rest).collect())?)
    }

    /// Register bits that hold what earlier register bits hold too are left out.
    pub fn without_copies_in_registers(&self) -> Layout {
        let mut span = Echelon::default();
        let mut columns = self.columns().iter();
        let ins = self.inputs().iter().map(|(input, bases)| {
            let kept = bases
                .iter()
                .zip(columns.by_ref())
                .filter(|(_, column)| *input != In::Register || span.add(**column));
            (*input, kept.map(|it| it.0.clone()).collect())
        });
        let ins = ins.collect();
        Layout::new(self.shape(), ins)
    }

    fn with_bases(&self, shape: &[u32], mut f: impl FnMut(&Coords) -> Coords) -> Layout {
        let ins =
            self.inputs().iter().map(|(input, bases)| (*input, bases.iter().map(&mut f).collect()));
        let ins = ins.collect();
        Layout::with_padding(shape, ins, self.padding().to_vec())
            .expect("L2: a change of shape keeps bases inside the box and onto it")
    }
}
