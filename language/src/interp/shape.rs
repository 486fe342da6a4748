//! Operations that move elements: what is where, never what it is.
//!
//! Elements are in row-major order, so that around an axis a tile is `outer × extent × inner`, and
//! expanding, squeezing, reshaping and converting move nothing.

use super::elements::{Elements, map, map_both};

/// A tile seen around one axis.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    /// Extent of the axis.
    pub(super) extent: usize,
    /// Elements that lie between two neighbours along the axis.
    pub(super) inner: usize,
}

impl Axis {
    pub(super) fn of(shape: &[u32], axis: u32) -> Axis {
        let axis = axis as usize;
        Axis {
            extent: shape[axis] as usize,
            inner: shape[axis + 1..].iter().map(|&it| it as usize).product(),
        }
    }

    /// The position of the element that an index along this axis picks for the element `number` of a
    /// tile of indices, whose axis is `of_index`; `None` if it is outside.
    pub(super) fn picked(self, of_index: Axis, number: usize, index: i64) -> Option<usize> {
        let index = usize::try_from(index).ok().filter(|it| *it < self.extent)?;
        let outer = number / (of_index.extent * of_index.inner);
        Some((outer * self.extent + index) * self.inner + number % self.inner)
    }

    /// The index along the axis of the element at a position.
    pub(super) fn index(self, position: usize) -> usize {
        position / self.inner % self.extent
    }
}

/// The index along `axis` of every element.
pub(super) fn index(shape: &[u32], axis: u32) -> Elements {
    let n: usize = shape.iter().map(|&it| it as usize).product();
    let axis = Axis::of(shape, axis);
    Elements::I32((0..n).map(|it| axis.index(it) as i32).collect())
}

/// One element everywhere.
pub(super) fn splat(x: &Elements, len: usize) -> Elements {
    map!(x, v => vec![v[0]; len])
}

/// The positions in a tile with `strides` of the elements of a tile of `shape`, in order.
fn positions(shape: &[u32], strides: &[usize]) -> Vec<usize> {
    let mut res = vec![0];
    for (&extent, &stride) in shape.iter().zip(strides) {
        res = res
            .iter()
            .flat_map(|&base| (0..extent as usize).map(move |it| base + it * stride))
            .collect();
    }
    res
}

fn row_major_strides(shape: &[u32]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for d in (1..shape.len()).rev() {
        strides[d - 1] = strides[d] * shape[d] as usize;
    }
    strides
}

fn take(x: &Elements, positions: &[usize]) -> Elements {
    map!(x, v => positions.iter().map(|&it| v[it]).collect())
}

/// Repeats dimensions of extent 1.
pub(super) fn broadcast(x: &Elements, from: &[u32], to: &[u32]) -> Elements {
    let mut strides = row_major_strides(from);
    for (stride, &extent) in strides.iter_mut().zip(from) {
        if extent == 1 {
            *stride = 0;
        }
    }
    take(x, &positions(to, &strides))
}

/// Dimension `i` of the result is dimension `perm[i]` of the operand.
pub(super) fn permute(x: &Elements, from: &[u32], perm: &[u32]) -> Elements {
    let strides = row_major_strides(from);
    let shape: Vec<u32> = perm.iter().map(|&it| from[it as usize]).collect();
    let strides: Vec<usize> = perm.iter().map(|&it| strides[it as usize]).collect();
    take(x, &positions(&shape, &strides))
}

/// Two tiles alternating.
pub(super) fn join(x: &Elements, y: &Elements) -> Elements {
    map_both!(x, y, x, y => x.iter().zip(y).flat_map(|(&x, &y)| [x, y]).collect())
}

/// The elements whose index has `bit` clear, and those that have it set.
pub(super) fn halves(x: &Elements, axis: Axis, bit: u32) -> (Elements, Elements) {
    let run = axis.inner << bit;
    (half(x, run, 0), half(x, run, 1))
}

/// Every second run of `run` elements, from run `first` on.
fn half(x: &Elements, run: usize, first: usize) -> Elements {
    map!(x, v => match run {
        1 => short_half::<_, 1>(v, first),
        2 => short_half::<_, 2>(v, first),
        4 => short_half::<_, 4>(v, first),
        8 => short_half::<_, 8>(v, first),
        _ => {
            let mut res = Vec::with_capacity(v.len() / 2);
            for pair in v.chunks_exact(2 * run) {
                res.extend_from_slice(&pair[first * run..][..run]);
            }
            res
        }
    })
}

/// [`half`] for runs so short that copying one costs less than asking how long it is.
fn short_half<T: Copy, const RUN: usize>(v: &[T], first: usize) -> Vec<T> {
    let (runs, _) = v.as_chunks::<RUN>();
    let chosen: Vec<[T; RUN]> = runs.chunks_exact(2).map(|pair| pair[first]).collect();
    chosen.into_flattened()
}

/// Element `i` is element `i ^ mask` along the axis.
pub(super) fn butterfly(x: &Elements, axis: Axis, mask: u32) -> Elements {
    let moved = |position: usize| {
        let index = axis.index(position);
        position - index * axis.inner + (index ^ mask as usize) * axis.inner
    };
    map!(x, v => (0..v.len()).map(|it| v[moved(it)]).collect())
}

/// An index of a gather that is outside of the tile.
pub(super) struct Outside {
    pub(super) position: usize,
    pub(super) index: i64,
}

/// `x[…, index[i], …]`; `axis` is that of `x`, `res` that of the result.
pub(super) fn gather(
    x: &Elements,
    index: &Elements,
    axis: Axis,
    res: Axis,
) -> Result<Elements, Outside> {
    let mut positions = Vec::with_capacity(index.len());
    for position in 0..index.len() {
        let wanted = index.index(position);
        match axis.picked(res, position, wanted) {
            Some(it) => positions.push(it),
            None => return Err(Outside { position, index: wanted }),
        }
    }
    Ok(take(x, &positions))
}

/// How often each of `0 .. extent` occurs where `mask` holds.
pub(super) fn histogram(x: &Elements, mask: Option<&[bool]>, extent: usize) -> Elements {
    let mut counts = vec![0i32; extent];
    for position in 0..x.len() {
        let counted = mask.is_none_or(|it| it[position]);
        let bin = usize::try_from(x.index(position)).ok().and_then(|it| counts.get_mut(it));
        if let (true, Some(bin)) = (counted, bin) {
            *bin = bin.wrapping_add(1);
        }
    }
    Elements::I32(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iota(n: i32) -> Elements {
        Elements::I32((0..n).collect())
    }

    fn i32s(v: &[i32]) -> Elements {
        Elements::I32(v.to_vec())
    }

    #[test]
    fn halves_of_every_axis_and_bit() {
        let x = iota(16); // [2, 4, 2]
        let split = |axis, bit| halves(&x, Axis::of(&[2, 4, 2], axis), bit);
        assert_eq!(
            split(2, 0),
            (i32s(&[0, 2, 4, 6, 8, 10, 12, 14]), i32s(&[1, 3, 5, 7, 9, 11, 13, 15]))
        );
        assert_eq!(
            split(1, 0),
            (i32s(&[0, 1, 4, 5, 8, 9, 12, 13]), i32s(&[2, 3, 6, 7, 10, 11, 14, 15]))
        );
        assert_eq!(
            split(1, 1),
            (i32s(&[0, 1, 2, 3, 8, 9, 10, 11]), i32s(&[4, 5, 6, 7, 12, 13, 14, 15]))
        );
        assert_eq!(
            split(0, 0),
            (i32s(&[0, 1, 2, 3, 4, 5, 6, 7]), i32s(&[8, 9, 10, 11, 12, 13, 14, 15]))
        );
    }

    #[test]
    fn odd_extents_halve_along_their_low_bits() {
        let (low, high) = halves(&iota(6), Axis::of(&[6], 0), 0);
        assert_eq!((low, high), (i32s(&[0, 2, 4]), i32s(&[1, 3, 5])));
    }

    #[test]
    fn butterfly_exchanges_along_its_axis() {
        assert_eq!(butterfly(&iota(8), Axis::of(&[4, 2], 0), 3), i32s(&[6, 7, 4, 5, 2, 3, 0, 1]));
        assert_eq!(butterfly(&iota(4), Axis::of(&[2, 2], 1), 1), i32s(&[1, 0, 3, 2]));
    }

    #[test]
    fn permute_broadcast_and_join() {
        assert_eq!(permute(&iota(6), &[2, 3], &[1, 0]), i32s(&[0, 3, 1, 4, 2, 5]));
        assert_eq!(broadcast(&iota(2), &[2, 1], &[2, 3]), i32s(&[0, 0, 0, 1, 1, 1]));
        assert_eq!(broadcast(&iota(2), &[1, 2], &[2, 2]), i32s(&[0, 1, 0, 1]));
        assert_eq!(join(&i32s(&[1, 2]), &i32s(&[3, 4])), i32s(&[1, 3, 2, 4]));
    }

    #[test]
    fn gather_picks_along_one_axis_and_refuses_what_is_outside() {
        let x = iota(6); // [3, 2]
        let index = i32s(&[2, 0, 1, 1, 0, 2, 2, 2]); // [4, 2]
        let pick = |index: &Elements| gather(&x, index, Axis::of(&[3, 2], 0), Axis::of(&[4, 2], 0));
        assert_eq!(pick(&index).ok(), Some(i32s(&[4, 1, 2, 3, 0, 5, 4, 5])));
        assert!(
            pick(&i32s(&[0, 0, 0, 3, 0, 0, 0, 0]))
                .is_err_and(|it| it.position == 3 && it.index == 3)
        );
        assert!(pick(&i32s(&[-1; 8])).is_err());
    }

    #[test]
    fn histogram_leaves_out_what_has_no_bin() {
        let x = i32s(&[0, 1, 1, 5, -1, 3]);
        assert_eq!(histogram(&x, None, 4), i32s(&[1, 2, 0, 1]));
        assert_eq!(
            histogram(&x, Some(&[false, true, true, true, true, true]), 4),
            i32s(&[0, 2, 0, 1])
        );
    }
}
