//! Pointers that count up along the rows of a tile, one word a row instead of one an element.
//!
//! Most tiles of pointers are made from indices that are the same or one apart along the last
//! dimension: whole rows of neighbours. [`Rows::of`] finds that out by looking at the indices' numbers,
//! never at where they come from, so that an access through rows says and does what it does through a
//! vector of pointers. Where the indices are anything else, or an address would leave the range of
//! pointers, it declines.
//!
//! # Invariants
//! * R1: element `i` of a row is `i` elements after the row's first pointer, without saturation.
//! * R2: the elements of a row whose indices are all inside of the tensor are one range.

use std::ops::Range;

use super::memory::{moved, offset_fits, outside};

/// Rows below this length are not worth their description.
const LEN_MIN: usize = 8;

/// Rows of neighbouring elements, in row-major order.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Rows {
    /// Bits of an element.
    width: u64,
    /// Elements of a row.
    len: usize,
    rows: Vec<Row>,
}

#[derive(Clone, PartialEq, Debug)]
struct Row {
    /// The pointer to element 0, whether or not that is inside.
    first: u64,
    /// The elements whose indices are inside of the tensor.
    inside: Range<usize>,
}

/// The indices of one dimension of a tensor, for every element of a tile.
pub(super) enum Indices<'a> {
    I32(&'a [i32]),
    I64(&'a [i64]),
}

/// One dimension of a tensor, with the indices that a tile of pointers has there.
pub(super) struct Dimension<'a> {
    pub(super) indices: Indices<'a>,
    pub(super) extent: i64,
    /// In elements.
    pub(super) stride: i64,
}

impl Rows {
    /// The pointers from `base` to the elements at these indices, `width` bits each, of a tile whose
    /// last extent is `len`; `None` if its rows are not rows of neighbours.
    pub(super) fn of(
        base: u64,
        width: u64,
        len: usize,
        dimensions: &[Dimension<'_>],
    ) -> Option<Rows> {
        let n_elements = match dimensions.first()?.indices {
            Indices::I32(it) => it.len(),
            Indices::I64(it) => it.len(),
        };
        if len < LEN_MIN {
            return None;
        }
        let row =
            |number: usize| Row::of(base, width, number * len..(number + 1) * len, dimensions);
        let rows = (0..n_elements / len).map(row).collect::<Option<Vec<_>>>()?;
        Some(Rows { width, len, rows })
    }
}

impl Row {
    /// The row that these positions of the tile are.
    fn of(base: u64, width: u64, at: Range<usize>, dimensions: &[Dimension<'_>]) -> Option<Row> {
        let len = at.len();
        let (mut distance, mut step) = (0i64, 0i64);
        let mut inside = 0..len;
        for it in dimensions {
            let counting = match it.indices {
                Indices::I32(v) => Counting::of(&v[at.clone()], i32::wrapping_sub)?,
                Indices::I64(v) => Counting::of(&v[at.clone()], i64::wrapping_sub)?,
            };
            distance = distance.checked_add(counting.first.checked_mul(it.stride)?)?;
            step = step.checked_add(counting.step.checked_mul(it.stride)?)?;
            let within = counting.within(it.extent, len);
            inside = inside.start.max(within.start)..inside.end.min(within.end);
        }
        let width = i64::try_from(width).ok()?;
        let bits = distance.checked_mul(width)?;
        let fits =
            |at: usize| bits.checked_add(at as i64 * width).is_some_and(|it| offset_fits(base, it));
        let is_row = step == 1 && fits(0) && fits(len);
        is_row.then(|| Row { first: moved(base, bits), inside })
    }
}

/// Numbers of which each is as much above the one before it.
struct Counting {
    first: i64,
    /// Not negative.
    step: i64,
}

impl Counting {
    /// What numbers count, if they count up or stay.
    fn of<T: Copy + Eq + Into<i64>>(numbers: &[T], difference: fn(T, T) -> T) -> Option<Counting> {
        let [first, second, ..] = *numbers else {
            return None;
        };
        let step = difference(second, first);
        // Without an early end, so that the loop is vectorised.
        let pairs = numbers.iter().zip(&numbers[1..]);
        let is_even = pairs.fold(true, |acc, (&a, &b)| acc & (difference(b, a) == step));
        let (first, last): (i64, i64) = (first.into(), (*numbers.last()?).into());
        let step: i64 = step.into();
        // All differences are alike up to a wrap, and every wrap would move the last one the same way.
        let rise = step.checked_mul(numbers.len() as i64 - 1)?;
        let is_counting = is_even && step >= 0 && first.checked_add(rise) == Some(last);
        is_counting.then_some(Counting { first, step })
    }

    /// The positions below `len` whose number is in `0 .. extent`.
    fn within(&self, extent: i64, len: usize) -> Range<usize> {
        if self.step == 0 {
            return 0..if 0 <= self.first && self.first < extent { len } else { 0 };
        }
        // The first position whose number is at least `bound`.
        let reach = |bound: i64| {
            let missing = (i128::from(bound) - i128::from(self.first)).max(0) as u128;
            missing.div_ceil(self.step as u128).min(len as u128) as usize
        };
        reach(0)..reach(extent)
    }
}

/// The pointers of a load or store.
#[derive(Clone, Copy)]
pub(super) enum Pointers<'a> {
    Each(&'a [u64]),
    Rows(&'a Rows),
}

impl Pointers<'_> {
    pub(super) fn len(self) -> usize {
        match self {
            Pointers::Each(it) => it.len(),
            Pointers::Rows(it) => it.len * it.rows.len(),
        }
    }

    /// The pointer of one element.
    pub(super) fn at(self, position: usize) -> u64 {
        match self {
            Pointers::Each(it) => it[position],
            Pointers::Rows(it) => {
                let (row, at) = (&it.rows[position / it.len], position % it.len);
                let pointer = row.first.wrapping_add(at as u64 * it.width);
                if row.inside.contains(&at) { pointer } else { outside(pointer) }
            }
        }
    }

    /// How many elements from `position` on, at most `most`, are neighbours `width` bits apart. The
    /// first one is not outside.
    pub(super) fn neighbours(self, position: usize, most: usize, width: u64) -> usize {
        match self {
            Pointers::Each(it) => {
                let mut wanted = it[position];
                let follows = |&&it: &&u64| {
                    let same = it == wanted;
                    wanted = wanted.wrapping_add(width);
                    same
                };
                it[position..position + most].iter().take_while(follows).count()
            }
            Pointers::Rows(it) => {
                let row = &it.rows[position / it.len];
                most.min(row.inside.end - position % it.len)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::memory::{offset_of, pointer};
    use super::*;

    /// What [`Rows`] stand for, an element at a time.
    fn each(base: u64, width: i64, dimensions: &[Dimension<'_>], n: usize) -> Vec<u64> {
        let one = |at: usize| {
            let (mut distance, mut inside) = (0, true);
            for it in dimensions {
                let index = match it.indices {
                    Indices::I32(v) => i64::from(v[at]),
                    Indices::I64(v) => v[at],
                };
                distance += index * it.stride;
                inside &= 0 <= index && index < it.extent;
            }
            let pointer = moved(base, distance * width);
            if inside { pointer } else { outside(pointer) }
        };
        (0..n).map(one).collect()
    }

    proptest! {
        #[test]
        fn rows_are_the_pointers_that_they_stand_for(
            row in -3..4i32,
            first in -20..20i64,
            step in 0..3i64,
            extents in (0..4i64, 0..40i64),
            stride in 1..3i64,
            odd in prop::option::of((0..32usize, -2..2i64)),
        ) {
            let (n_rows, len) = (2, 16);
            let rows: Vec<i32> = (0..n_rows * len).map(|it| row + it / len).collect();
            let mut columns: Vec<i64> =
                (0..n_rows * len).map(|it| first + step * i64::from(it % len)).collect();
            if let Some((at, by)) = odd {
                columns[at] += by;
            }
            let dimensions = [
                Dimension { indices: Indices::I32(&rows), extent: extents.0, stride: 50 },
                Dimension { indices: Indices::I64(&columns), extent: extents.1, stride },
            ];
            let wanted = each(pointer(0), 32, &dimensions, 32);
            let rows = Rows::of(pointer(0), 32, 16, &dimensions);
            let is_even = odd.is_none_or(|it| it.1 == 0);
            prop_assert_eq!(rows.is_some(), is_even && step * stride == 1);
            if let Some(rows) = rows {
                let places = Pointers::Rows(&rows);
                prop_assert_eq!((0..places.len()).map(|it| places.at(it)).collect::<Vec<_>>(), wanted.clone());
                for at in (0..32).filter(|it| wanted[*it] >> 63 == 0) {
                    let slow = Pointers::Each(&wanted).neighbours(at, 32 - at, 32);
                    // A run through a vector goes on where the next row happens to follow.
                    prop_assert_eq!(places.neighbours(at, 32 - at, 32), slow.min(16 - at % 16));
                }
            }
        }
    }

    #[test]
    fn what_wraps_or_saturates_is_no_row() {
        let wrapping: Vec<i32> = (0..16).map(|it| i32::MAX.wrapping_add(it - 8)).collect();
        let dimension = |indices| [Dimension { indices, extent: i64::MAX, stride: 1 }];
        assert_eq!(Rows::of(pointer(0), 8, 16, &dimension(Indices::I32(&wrapping))), None);
        let far: Vec<i64> = (0..16).map(|it| (1 << 46) + it).collect();
        assert_eq!(Rows::of(pointer(0), 32, 16, &dimension(Indices::I64(&far))), None);
        let near: Vec<i64> = (0..16).map(|it| 5 - 8 + it).collect();
        let rows = Rows::of(pointer(0), 32, 16, &dimension(Indices::I64(&near))).expect("a row");
        assert_eq!(offset_of(Pointers::Rows(&rows).at(4)), 32);
    }
}
