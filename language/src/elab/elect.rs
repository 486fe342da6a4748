//! `elect { … }`: what a role does once.
//!
//! # Idea
//! A scalar has one value for the whole role, and arrivals, boxes and accesses to single elements are done by one thread
//! anyway. So the block is run where it stands, and what needs more than one thread is refused: tiles, copies by warps,
//! products, fences, meetings. Nothing in it can be done by halves.

use tile_syntax::ast::{Block, Span};

use super::cx::Elab;
use crate::ir::{Type, Value};
use crate::op::{CopyOp, MmaOp, Op, SharedOp, SyncOp};
use crate::report;

impl Elab<'_> {
    /// Runs a block in which one thread acts for the role.
    pub(super) fn run_elect(&mut self, body: &Block, span: Span) {
        let word = Span::new(span.lo, span.lo + "elect".len() as u32);
        let outer = self.in_elect.replace(self.place(word));
        drop(self.block(body));
        self.in_elect = outer;
    }

    /// Reports an operation that stands in `elect` and wants more than one thread.
    pub(super) fn check_elected(
        &mut self,
        op: &Op,
        operands: &[Value],
        results: &[Type],
        span: Span,
    ) {
        if self.in_elect.is_none() {
            return;
        }
        let many =
            operands.iter().map(|it| self.ty(*it)).chain(results).any(|it| it.layout.is_some());
        // One mistake is one error: what comes after the first in the block is not looked at.
        if let Some(what) = wants_all(op, many)
            && let Some(elect) = self.in_elect.take()
        {
            self.report(report::roles::in_elect(self.place(span), elect, what));
        }
    }
}

/// What an operation is called that all threads of a role do; `many` if it is about a tile.
fn wants_all(op: &Op, many: bool) -> Option<&'static str> {
    match op {
        Op::Sync(SyncOp::Barrier | SyncOp::ClusterBarrier | SyncOp::Meet { .. }) => {
            Some("a meeting")
        }
        Op::Sync(SyncOp::FenceAsync) => Some("a fence"),
        Op::Sync(
            SyncOp::Mbarriers { .. }
            | SyncOp::Wait
            | SyncOp::Test
            | SyncOp::Arrive { .. }
            | SyncOp::Expect { .. }
            | SyncOp::Permit
            | SyncOp::End,
        ) => None,
        Op::Copy(
            CopyOp::Box { .. }
            | CopyOp::BoxOut { .. }
            | CopyOp::Prefetch { .. }
            | CopyOp::WaitOut { .. },
        ) => None,
        Op::Copy(
            CopyOp::Async
            | CopyOp::Commit
            | CopyOp::Hold
            | CopyOp::Signal { .. }
            | CopyOp::Wait { .. }
            | CopyOp::Land
            | CopyOp::Fetch { .. },
        ) => Some("a copy by warps"),
        Op::Mma(MmaOp::Mma { .. } | MmaOp::Wgmma { .. } | MmaOp::Wait { .. }) => Some("a product"),
        Op::Shared(
            SharedOp::Gather { .. } | SharedOp::Scatter { .. } | SharedOp::Atomic { .. },
        ) => Some("an access to many elements"),
        Op::Shared(
            SharedOp::Alloc { .. }
            | SharedOp::Index { .. }
            | SharedOp::Slice { .. }
            | SharedOp::Recast
            | SharedOp::Overlay
            | SharedOp::On
            | SharedOp::Load
            | SharedOp::Store,
        )
        | Op::Tile(_)
        | Op::Memory(_)
        | Op::Flow(_) => many.then_some("a tile"),
    }
}
