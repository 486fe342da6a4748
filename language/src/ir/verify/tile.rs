//! Rules V3, V4 and V6 on the operands and results of tile operations.

use tile_layout::Layout;

use super::{Rule, Verifier};
use crate::dtype::{Class, DType};
use crate::ir::{Elem, Inst, Shape, Type};
use crate::op::TileOp;
use crate::op::tile::{BinaryOp, UnaryOp};

impl<'a> Verifier<'a> {
    /// The operands' and results' types if there are as many as the operation has.
    pub(super) fn sides<const N: usize, const M: usize>(
        &mut self,
        inst: &'a Inst,
    ) -> Option<([&'a Type; N], [&'a Type; M])> {
        let name = inst.op.row().name;
        let operands = self.types(&inst.operands).try_into().ok();
        self.require(Rule::V3, operands.is_some(), || format!("`{name}` has {N} operands"));
        let results = self.types(&inst.results).try_into().ok();
        self.require(Rule::V3, results.is_some(), || format!("`{name}` has {M} results"));
        Some((operands?, results?))
    }

    pub(super) fn v3(&mut self, holds: bool, message: &str) {
        self.require(Rule::V3, holds, || message.to_owned());
    }

    /// Shapes and layouts are equal.
    pub(super) fn aligned(&mut self, a: &Type, b: &Type) {
        let same = a.shape == b.shape && a.layout == b.layout;
        self.require(Rule::V4, same, || {
            "shapes or layouts of an elementwise operation differ".to_owned()
        });
    }

    pub(super) fn tile(&mut self, op: &TileOp, inst: &'a Inst) {
        match op {
            TileOp::Const { bits } => self.constant(*bits, inst),
            TileOp::Index { axis } => self.check_index(*axis, inst),
            TileOp::BlockId { axis } | TileOp::NumBlocks { axis } => self.check_block(*axis, inst),
            TileOp::ClusterRank => self.check_block(0, inst),
            TileOp::Unary { op } => self.check_unary(*op, inst),
            TileOp::Binary { op } => self.check_binary(*op, inst),
            TileOp::Cmp { .. } => self.check_cmp(inst),
            TileOp::Fma => self.check_fma(inst),
            TileOp::Select => self.check_select(inst),
            TileOp::Cast { .. } => self.check_cast(inst),
            TileOp::Bits => self.check_bits(inst),
            TileOp::Splat
            | TileOp::Broadcast
            | TileOp::Expand { .. }
            | TileOp::Squeeze { .. }
            | TileOp::Reshape
            | TileOp::Permute { .. }
            | TileOp::Butterfly { .. }
            | TileOp::Convert => self.movement(op, inst),
            TileOp::Join => self.check_join(inst),
            TileOp::Split => self.check_split(inst),
            TileOp::Halves { axis, bit } => self.check_halves(*axis, *bit, inst),
            TileOp::Gather { axis } => self.gather(*axis, inst),
            TileOp::Histogram => self.histogram(inst),
        }
    }

    fn check_index(&mut self, axis: u32, inst: &'a Inst) {
        if let Some(([], [res])) = self.sides(inst) {
            self.v3(res.elem == Elem::Data(DType::I32), "`tile.index` gives i32");
            self.v3((axis as usize) < res.shape.len(), "`tile.index` names no dimension");
        }
    }

    fn check_block(&mut self, axis: u32, inst: &'a Inst) {
        if let Some(([], [res])) = self.sides(inst) {
            self.v3(*res == Type::scalar(DType::I32), "block numbers are scalar i32");
            self.v3(axis < 3, "a grid has three axes");
        }
    }

    fn check_cmp(&mut self, inst: &'a Inst) {
        if let Some(([x, y], [res])) = self.sides(inst) {
            self.aligned(x, y);
            self.aligned(x, res);
            self.v3(x.elem == y.elem, "`tile.cmp` compares equal element types");
            self.v3(res.elem == Elem::Data(DType::Bool), "`tile.cmp` gives bool");
        }
    }

    fn check_fma(&mut self, inst: &'a Inst) {
        if let Some(([x, y, z], [res])) = self.sides(inst) {
            [y, z, res].into_iter().for_each(|it| self.aligned(x, it));
            let number = x.elem.data().is_some_and(|it| it != DType::Bool);
            let same = [y, z, res].iter().all(|it| it.elem == x.elem);
            self.v3(number && same, "`tile.fma` takes and gives numbers of one type");
        }
    }

    fn check_select(&mut self, inst: &'a Inst) {
        if let Some(([cond, x, y], [res])) = self.sides(inst) {
            [x, y, res].into_iter().for_each(|it| self.aligned(cond, it));
            self.v3(cond.elem == Elem::Data(DType::Bool), "the condition of `tile.select` is bool");
            self.v3(
                x.elem == y.elem && x.elem == res.elem,
                "`tile.select` takes and gives one type",
            );
        }
    }

    fn check_cast(&mut self, inst: &'a Inst) {
        if let Some(([x], [res])) = self.sides(inst) {
            self.aligned(x, res);
            self.v3(
                x.elem.data().is_some() && res.elem.data().is_some(),
                "`tile.cast` converts numbers",
            );
        }
    }

    fn check_bits(&mut self, inst: &'a Inst) {
        if let Some(([x], [res])) = self.sides(inst) {
            self.aligned(x, res);
            self.v3(x.elem.bits() == res.elem.bits(), "`tile.bits` keeps the width");
        }
    }

    fn check_join(&mut self, inst: &'a Inst) {
        if let Some(([x, y], [res])) = self.sides(inst) {
            self.aligned(x, y);
            self.v3(x.elem == y.elem && x.elem == res.elem, "`tile.join` keeps the element type");
            self.v3(
                is_joined(&x.shape, &res.shape),
                "`tile.join` adds a last dimension of extent 2",
            );
            let joined = x.layout.as_ref().map(Layout::join);
            let kept = joined.is_none() || joined == res.layout;
            self.v3(kept, "`tile.join` keeps the halves in a register bit");
        }
    }

    fn check_split(&mut self, inst: &'a Inst) {
        if let Some(([x], [low, high])) = self.sides(inst) {
            self.v3(low == high && x.elem == low.elem, "the halves of `tile.split` are alike");
            self.v3(
                is_joined(&low.shape, &x.shape),
                "`tile.split` drops a last dimension of extent 2",
            );
            let whole = x.layout.as_ref().filter(|it| it.rank() > 1);
            self.parts(whole.and_then(|it| it.split().ok()), low);
        }
    }

    fn check_halves(&mut self, axis: u32, bit: u32, inst: &'a Inst) {
        if let Some(([x], [low, high])) = self.sides(inst) {
            self.v3(low == high && x.elem == low.elem, "the halves of `tile.halves` are alike");
            let fits = halved(&x.shape, axis, bit).as_ref() == Some(&low.shape);
            self.v3(fits, "`tile.halves` halves the extent whose bit it names");
            if let (true, Some(layout)) = (fits, &x.layout) {
                self.parts(layout.without_bit(axis as usize, bit).ok(), low);
            }
        }
    }

    fn constant(&mut self, bits: u64, inst: &'a Inst) {
        if let Some(([], [res])) = self.sides(inst) {
            let width = res.elem.bits();
            self.v3(width == 64 || bits >> width == 0, "a constant has more bits than its type");
        }
    }

    fn check_unary(&mut self, op: UnaryOp, inst: &'a Inst) {
        let Some(([x], [res])) = self.sides(inst) else {
            return;
        };
        self.aligned(x, res);
        let class = x.elem.data().map(DType::class);
        let fits = match (op, class) {
            (_, None) => false,
            (UnaryOp::Not, Some(class)) => !matches!(class, Class::Float(_)),
            (UnaryOp::Neg | UnaryOp::Abs, Some(class)) => class != Class::Bool,
            (UnaryOp::Popcount | UnaryOp::LeadingZeros | UnaryOp::ReverseBits, Some(class)) => {
                matches!(class, Class::Signed | Class::Unsigned)
            }
            (
                UnaryOp::Sqrt
                | UnaryOp::Exp2
                | UnaryOp::Log2
                | UnaryOp::Rcp
                | UnaryOp::Rsqrt
                | UnaryOp::Sin
                | UnaryOp::Cos
                | UnaryOp::Tanh
                | UnaryOp::ExactExp2
                | UnaryOp::ExactLog2
                | UnaryOp::Floor
                | UnaryOp::Ceil
                | UnaryOp::Round
                | UnaryOp::Trunc,
                Some(class),
            ) => matches!(class, Class::Float(_)),
        };
        let name = op.name();
        self.require(Rule::V3, fits && x.elem == res.elem, || {
            format!("`{name}` is not defined on this element type")
        });
    }

    fn check_binary(&mut self, op: BinaryOp, inst: &'a Inst) {
        let Some(([x, y], [res])) = self.sides(inst) else {
            return;
        };
        self.aligned(x, y);
        self.aligned(x, res);
        let class = x.elem.data().map(DType::class);
        let fits = match (op, class) {
            (_, None) => false,
            (BinaryOp::And | BinaryOp::Or | BinaryOp::Xor, Some(class)) => {
                !matches!(class, Class::Float(_))
            }
            (BinaryOp::Shl | BinaryOp::Shr | BinaryOp::MulHigh, Some(class)) => {
                matches!(class, Class::Signed | Class::Unsigned)
            }
            (
                BinaryOp::Add
                | BinaryOp::Sub
                | BinaryOp::Mul
                | BinaryOp::Div
                | BinaryOp::Rem
                | BinaryOp::Min
                | BinaryOp::Max
                | BinaryOp::MinNan
                | BinaryOp::MaxNan,
                Some(class),
            ) => class != Class::Bool,
        };
        let one_type = x.elem == y.elem && x.elem == res.elem;
        let name = op.name();
        self.require(Rule::V3, fits && one_type, || {
            format!("`{name}` is not defined on these element types")
        });
    }

    /// Operations that move elements without changing them.
    fn movement(&mut self, op: &TileOp, inst: &'a Inst) {
        let Some(([x], [res])) = self.sides(inst) else {
            return;
        };
        let name = inst.op.row().name;
        self.require(Rule::V3, x.elem == res.elem, || format!("`{name}` keeps the element type"));
        let (from, to) = (&x.shape[..], &res.shape[..]);
        let fits = match op {
            TileOp::Splat => x.is_scalar() && !res.is_scalar(),
            TileOp::Broadcast => {
                from.len() == to.len() && from.iter().zip(to).all(|(a, b)| a == b || *a == 1)
            }
            TileOp::Expand { axis } => is_expanded(from, to, *axis as usize),
            TileOp::Squeeze { axis } => is_expanded(to, from, *axis as usize),
            TileOp::Reshape => x.len() == res.len() && !x.is_scalar() && !res.is_scalar(),
            TileOp::Permute { perm } => is_permuted(from, to, perm),
            TileOp::Butterfly { axis, mask } => {
                x == res
                    && from
                        .get(*axis as usize)
                        .is_some_and(|&it| it % mask.saturating_add(1).next_power_of_two() == 0)
            }
            TileOp::Convert => from == to,
            TileOp::Const { .. }
            | TileOp::Index { .. }
            | TileOp::BlockId { .. }
            | TileOp::NumBlocks { .. }
            | TileOp::ClusterRank
            | TileOp::Unary { .. }
            | TileOp::Binary { .. }
            | TileOp::Cmp { .. }
            | TileOp::Fma
            | TileOp::Select
            | TileOp::Cast { .. }
            | TileOp::Bits
            | TileOp::Join
            | TileOp::Split
            | TileOp::Halves { .. }
            | TileOp::Gather { .. }
            | TileOp::Histogram => true,
        };
        self.require(Rule::V3, fits, || format!("`{name}` does not lead from {from:?} to {to:?}"));
        if let (true, Some(from), Some(to)) = (fits, &x.layout, &res.layout) {
            let carried = match op {
                TileOp::Expand { axis } => to.slice(*axis as usize) == *from,
                TileOp::Squeeze { axis } => from.slice(*axis as usize) == *to,
                TileOp::Reshape => from.reshape(to.shape()).as_ref() == Ok(to),
                TileOp::Permute { perm } => from.permute(perm) == *to,
                _ => true,
            };
            self.require(Rule::V3, carried, || {
                format!("`{name}` does not carry its operand's layout along")
            });
        }
    }

    /// The layout of the results of `tile.halves` or `tile.split`, or of the operands of `tile.join`.
    fn parts(&mut self, wanted: Option<Layout>, part: &Type) {
        let carried = part.layout.is_none() || wanted == part.layout;
        self.v3(carried, "a half does not have the layout of the whole without the bit");
    }

    fn gather(&mut self, axis: u32, inst: &'a Inst) {
        let Some(([x, index], [res])) = self.sides(inst) else {
            return;
        };
        self.aligned(index, res);
        self.v3(x.elem == res.elem, "`tile.gather` keeps the element type");
        self.v3(
            index.elem.data().is_some_and(DType::is_int),
            "`tile.gather` takes integer indices",
        );
        let axis = axis as usize;
        let ranks = x.shape.len() == res.shape.len() && axis < x.shape.len();
        let others =
            x.shape.iter().zip(&res.shape).enumerate().all(|(d, (a, b))| d == axis || a == b);
        self.v3(ranks && others, "`tile.gather` changes one extent only");
    }

    fn histogram(&mut self, inst: &'a Inst) {
        let (operands, results) = (self.types(&inst.operands), self.types(&inst.results));
        let (&[x, ref mask @ ..], &[res]) = (&operands[..], &results[..]) else {
            return self.v3(false, "`tile.histogram` has one or two operands and one result");
        };
        self.v3(x.elem.data().is_some_and(DType::is_int), "`tile.histogram` counts integers");
        self.v3(
            *res.elem.data().unwrap_or(DType::Bool).name() == *"i32" && res.shape.len() == 1,
            "`tile.histogram` gives i32 of rank 1",
        );
        self.mask(mask, x);
    }

    /// V6: at most one mask, bool, of the same shape and layout.
    pub(super) fn mask(&mut self, mask: &[&Type], pointers: &Type) {
        let fits = match mask {
            [] => true,
            [mask] => **mask == pointers.with_elem(Elem::Data(DType::Bool)),
            [..] => false,
        };
        self.require(Rule::V6, fits, || {
            "a mask is bool and of the pointers' shape and layout".to_owned()
        });
    }
}

/// `to` is `from` with a dimension of extent 1 put in before `axis`.
fn is_expanded(from: &[u32], to: &[u32], axis: usize) -> bool {
    let mut without = Shape::from(to);
    axis < to.len() && without.remove(axis) == 1 && without[..] == *from
}

fn is_joined(half: &[u32], whole: &[u32]) -> bool {
    matches!(whole, [rest @ .., 2] if rest == half)
}

fn is_permuted(from: &[u32], to: &[u32], perm: &[u32]) -> bool {
    let mut seen = vec![false; from.len()];
    let distinct = perm
        .iter()
        .all(|&it| seen.get_mut(it as usize).is_some_and(|seen| !std::mem::replace(seen, true)));
    perm.len() == from.len()
        && distinct
        && perm.iter().map(|&it| from[it as usize]).eq(to.iter().copied())
}

/// The shape without bit `bit` of the index of `axis`.
fn halved(shape: &[u32], axis: u32, bit: u32) -> Option<Shape> {
    let mut res = Shape::from(shape);
    let extent = res.get_mut(axis as usize)?;
    let block = 2u32.checked_shl(bit).filter(|&it| it != 0)?;
    if *extent % block != 0 {
        return None;
    }
    *extent /= 2;
    Some(res)
}
