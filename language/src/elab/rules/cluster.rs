//! Clusters: blocks that run together and reach each other's shared memory.

use tile_syntax::ast::{Expr, Span};

use super::args::Args;
use super::shared;
use crate::dtype::DType;
use crate::elab::cx::Elab;
use crate::elab::rules::arithmetic::scalar_type;
use crate::elab::value::{Value, View};
use crate::ir;
use crate::op::{Op, SharedOp, SyncOp, TileOp};
use crate::report;
use crate::target::Cap;

/// Blocks of a cluster that every device with clusters runs (CUDA C++ Programming Guide, "Thread Block Clusters").
const BLOCKS_USUAL: u32 = 8;
/// Blocks of a cluster that some devices run when they are asked to.
const BLOCKS_MAX: u32 = 16;

impl Elab<'_> {
    /// `cluster [2]`: blocks of a cluster along the axes of the grid.
    pub(in crate::elab) fn cluster_clause(&mut self, extents: &[Expr], span: Span) {
        self.need(Cap::Cluster, "cluster", span);
        let found: Option<Vec<i128>> = extents.iter().map(|it| self.eval_int(it)).collect();
        let Some(found) = found else { return };
        let place = self.place(span);
        let fits = |it: &i128| u32::try_from(*it).ok().filter(|it| (1..=BLOCKS_MAX).contains(it));
        let blocks: Option<Vec<u32>> = found.iter().map(fits).collect();
        let blocks = blocks.filter(|it| (1..=3).contains(&it.len()));
        let size = blocks.as_ref().map(|it| it.iter().product::<u32>());
        match (blocks, size) {
            (Some(blocks), Some(size)) if size <= BLOCKS_MAX => {
                if BLOCKS_USUAL < size {
                    self.report(report::cluster::large(place, size, BLOCKS_USUAL));
                }
                self.cluster = blocks;
            }
            _ => self.report(report::cluster::extents(place, &found, BLOCKS_MAX)),
        }
    }

    /// Whether the kernel has clusters; reports a use of them if it has none.
    fn has_cluster(&mut self, what: &str, span: Span) -> bool {
        if self.cluster.is_empty() {
            let after = self.clauses.map(|it| self.site_place(it.head));
            self.report(report::cluster::none(self.place(span), what, after));
        }
        !self.cluster.is_empty()
    }
}

/// `cluster_rank()`
pub(crate) fn rank(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    if cx.cluster.iter().product::<u32>() <= 1 {
        return Some(Value::Int(0));
    }
    Some(Value::scalar(cx.emit_one(TileOp::ClusterRank, &[], scalar_type(DType::I32), args.span)))
}

/// `cluster_size()`
pub(crate) fn size(cx: &mut Elab<'_>, _: &Args) -> Option<Value> {
    Some(Value::Int(cx.cluster.iter().product::<u32>().into()))
}

/// `cluster_sync()`
pub(crate) fn sync(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    if !cx.has_cluster("`cluster_sync()`", args.span) {
        return None;
    }
    if cx.in_role {
        let place = cx.place(args.span);
        cx.report(report::cluster::sync_in_role(place));
        return None;
    }
    cx.emit(SyncOp::ClusterBarrier, &[], &[], args.span);
    Some(Value::unit())
}

/// `buf.on(rank)`, `bar.on(rank)`
pub(crate) fn on(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    if !cx.has_cluster("`on`", args.span) {
        return None;
    }
    let of = args.arg("x").value.clone();
    let view = match &of {
        Value::View(it) => it.value,
        Value::Barriers(it) => *it,
        _ => {
            args.mismatch(cx, args.arg("x"), "a view of shared memory, or a barrier");
            return None;
        }
    };
    let (rank, size) = (args.arg("rank"), cx.cluster.iter().product::<u32>());
    if let Value::Int(it) = rank.value
        && !(0..i128::from(size)).contains(&it)
    {
        let place = cx.place(rank.span);
        cx.report(report::cluster::rank_outside(place, it, size));
        return None;
    }
    let rank = shared::index_value(cx, &rank.value, rank.span)?;
    let ty = cx.ty(view).clone();
    let value = cx.emit_one(SharedOp::On, &[view, rank], ty, args.span);
    Some(match of {
        Value::View(it) => Value::View(View { value, layout: it.layout }),
        _ => Value::Barriers(value),
    })
}

/// `gates.across()`
pub(crate) fn across(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    if !cx.has_cluster("`across`", args.span) {
        return None;
    }
    let Value::Barriers(of) = *args.value("barrier") else {
        args.mismatch(cx, args.arg("barrier"), "barriers");
        return None;
    };
    if cx.roles_at.is_none() {
        let place = cx.place(args.span);
        cx.report(report::cluster::without_roles(place));
        return None;
    }
    let list = list_of(cx, of);
    cx.across.insert(list);
    Some(Value::unit())
}

/// Reports an arrival at another block's barrier that has no meaning.
pub(super) fn check_arrival(cx: &mut Elab<'_>, barrier: ir::Value, span: Span) {
    if !is_on(cx, barrier) {
        return;
    }
    let list = list_of(cx, barrier);
    if cx.roles_at.is_none() {
        let place = cx.place(span);
        cx.report(report::cluster::without_roles(place));
    } else if !cx.arrivals.contains_key(&list) {
        let (place, made) = (cx.place(span), cx.ir.definition(list).map(|it| it.site));
        let made = made.map_or(place.clone(), |it| cx.site_place(it));
        cx.report(report::cluster::uncounted(place, made));
    }
}

/// Whether the stages of a barrier pass between all blocks of the cluster.
pub(super) fn is_across(cx: &Elab<'_>, barrier: ir::Value) -> bool {
    cx.across.contains(&list_of(cx, barrier))
}

/// The list that a barrier, or the view of a buffer, is of.
fn list_of(cx: &Elab<'_>, of: ir::Value) -> ir::Value {
    let mut at = of;
    while let Some(before) = behind(cx, at) {
        at = before;
    }
    at
}

/// What a view was taken from.
fn behind(cx: &Elab<'_>, view: ir::Value) -> Option<ir::Value> {
    let inst = cx.ir.definition(view)?;
    match inst.op {
        Op::Shared(
            SharedOp::On | SharedOp::Index { .. } | SharedOp::Slice { .. } | SharedOp::Recast,
        ) => Some(inst.operands[0]),
        Op::Sync(SyncOp::Permit) => {
            let number = inst.results.iter().position(|it| *it == view);
            Some(inst.operands[number.expect("V1: the instruction makes it")])
        }
        _ => None,
    }
}

/// Reports a use of another block's memory by what cannot reach it; whether there was one.
pub(super) fn refuse_neighbours(
    cx: &mut Elab<'_>,
    view: ir::Value,
    what: &str,
    span: Span,
) -> bool {
    let is_on = is_on(cx, view);
    if is_on {
        let place = cx.place(span);
        cx.report(report::cluster::out_of_reach(place, what));
    }
    is_on
}

/// Whether a view is of another block's memory.
pub(super) fn is_on(cx: &Elab<'_>, view: ir::Value) -> bool {
    let mut at = Some(view);
    while let Some(it) = at {
        if cx.ir.definition(it).is_some_and(|it| it.op == Op::Shared(SharedOp::On)) {
            return true;
        }
        at = behind(cx, it);
    }
    false
}
