//! What blocks of a cluster reach of each other's shared memory.
//!
//! # Definition
//! A buffer, or a list of mbarriers, is *reached* if another block of the cluster may access it: through a view `on` a
//! block, by a copy that lands in all blocks, or by an arrival in all of them. A kernel in which something is reached
//! begins and ends with a meeting of the cluster: no block is reached before it runs or after it has gone.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ir::{Kernel, SiteId, Value};
use crate::op::{CopyOp, Op, SharedOp, SyncOp};

/// What is reached in a kernel.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Neighbours {
    /// The results of `shared.alloc` and `sync.mbarriers`.
    reached: FxHashSet<Value>,
    /// Views of other blocks' memory.
    on: FxHashSet<Value>,
    /// The first place at which a block reaches another one.
    first: Option<SiteId>,
}

impl Neighbours {
    /// Those of a kernel.
    pub fn of(kernel: &Kernel) -> Neighbours {
        let mut found = Neighbours::default();
        let mut behind: FxHashMap<Value, Value> = FxHashMap::default();
        kernel.body.walk(&mut |inst| {
            match inst.op {
                Op::Shared(
                    SharedOp::Index { .. }
                    | SharedOp::Slice { .. }
                    | SharedOp::Recast
                    | SharedOp::Overlay
                    | SharedOp::On,
                ) => {
                    let of = inst.operands[0];
                    if inst.op == Op::Shared(SharedOp::On) || found.on.contains(&of) {
                        found.on.insert(inst.results[0]);
                    }
                    behind.insert(inst.results[0], behind.get(&of).copied().unwrap_or(of));
                }
                Op::Sync(SyncOp::Permit) => {
                    for (&result, of) in inst.results.iter().zip(&inst.operands) {
                        behind.insert(result, behind.get(of).copied().unwrap_or(*of));
                        if found.on.contains(of) {
                            found.on.insert(result);
                        }
                    }
                }
                _ => {}
            }
            let views = match inst.op {
                Op::Shared(SharedOp::On) => &inst.operands[..1],
                Op::Copy(CopyOp::Box { multicast: true, .. }) => &inst.operands[1..3],
                Op::Sync(SyncOp::Arrive { everywhere: true }) => &inst.operands[..1],
                _ => return,
            };
            found.first.get_or_insert(inst.site);
            found.reached.extend(views.iter().map(|it| behind.get(it).copied().unwrap_or(*it)));
        });
        found
    }

    /// Whether other blocks may access what that `shared.alloc` or `sync.mbarriers` made.
    pub fn reach(&self, made: Value) -> bool {
        self.reached.contains(&made)
    }

    /// Whether a view is of another block's memory.
    pub fn is_on(&self, view: Value) -> bool {
        self.on.contains(&view)
    }

    /// Where a block first reaches another one; none if none does.
    pub fn first(&self) -> Option<SiteId> {
        self.first
    }

    /// Whether any block reaches another one.
    pub fn exist(&self) -> bool {
        self.first.is_some()
    }
}
