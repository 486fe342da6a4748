//! Copies that run beside the program: between global and shared memory, without registers.
//!
//! A copy is *in flight* from [`CopyOp::Async`] on until a [`CopyOp::Wait`] says that its group has
//! landed; until then nobody may touch the elements that it writes. Groups are closed by
//! [`CopyOp::Commit`] and land in order. Where a target has no such copies they are made at once, and
//! groups cost nothing; the meaning is the same.
//!
//! A *box* is a part of a tensor that a copy engine moves on its own, told by a tensor map
//! ([`tile_plan::TensorMap`]) and a corner: a scalar `i32` for each dimension of the tensor, in its order. What of the box lies
//! outside of the tensor is zero in shared memory and is not written to global memory; its bytes count in full.

use super::family;
use super::memory::{AtomicOp, Evict};

family! {
    /// Copies in flight.
    CopyOp "copy";

    /// Starts to copy the element behind each pointer to the place of the same index in the view.
    ///
    /// After the pointers stand, each if wanted, a `mask` (a bool tile of the pointers' shape and
    /// layout; where it is false the element becomes 0) and `when` (a scalar bool; if false nothing
    /// happens at all).
    Async = "async" ("view", "pointer", "mask", "when") ReadWrite, "PTX ISA, cp.async; CDNA4 ISA, global_load_lds";

    /// Closes the group of the copies started since the last one; it may be empty.
    Commit = "commit" () ReadWrite, "PTX ISA, cp.async.commit_group";

    /// The open phase of the barrier completes only when the copies have landed that the role started since its last
    /// group, signal or hold. What the phase counts stays the same.
    Hold = "hold" ("barrier") ReadWrite, "PTX ISA, cp.async.mbarrier.arrive";

    /// The barrier hears when the copies that were started since the last group have landed: so many bytes.
    Signal {
        /// Bytes.
        bytes: u32,
    } = "signal" ("barrier") ReadWrite, "PTX ISA, mbarrier complete-tx";

    /// Waits until at most `in_flight` groups are in flight.
    Wait {
        /// How many of the youngest groups may stay.
        in_flight: u32,
    } = "wait" () ReadWrite, "PTX ISA, cp.async.wait_group; CDNA3 ISA, s_waitcnt vmcnt";

    /// Waits until what the copies before have written to the view is there; younger groups may stay in flight.
    ///
    /// How many groups those are follows from the program's order: the pass `waits` makes this a `copy.wait`.
    Land = "land" ("view") ReadWrite, "language.md section 6";

    /// A buffer of the iteration, filled from the pointers as `copy.async` does; it has landed.
    ///
    /// In a loop that is pipelined the copy is started iterations ahead ([`crate::pass::pipeline`]).
    Fetch {
        /// What divides the buffer's address, in bytes: a power of two.
        align: u32,
    } = "fetch" ("pointer", "mask") Read, "language.md section 9";

    /// Starts to copy the box at a corner to the view; the barrier hears when its bytes have landed.
    Box {
        /// How long a cache should keep it.
        evict: Evict,
        /// Whether it lands at the same place of every block of the cluster, and all their barriers hear of it.
        multicast: bool,
    } = "box" ("map", "view", "barrier", "corner…") ReadWrite, "PTX ISA, cp.async.bulk.tensor";

    /// Starts to copy the view to the box at a corner: a group of its own.
    ///
    /// It reads what the role has written before; until it is waited for, nobody may write there.
    BoxOut {
        /// How long a cache should keep it.
        evict: Evict,
        /// How its elements are combined with those that are there, each in one step; if nothing is said they replace them.
        reduce: Option<AtomicOp>,
    } = "box_out" ("map", "view", "corner…") ReadWrite, "PTX ISA, cp.async.bulk.tensor and cp.reduce.async.bulk.tensor";

    /// The box at a corner will be wanted: it is brought to the second cache level.
    Prefetch {
        /// How long the cache should keep it.
        evict: Evict,
    } = "prefetch" ("map", "corner…") ReadWrite, "PTX ISA, cp.async.bulk.prefetch.tensor";

    /// Waits until at most `in_flight` of the role's boxes on their way out are left.
    WaitOut {
        /// How many of the youngest may stay.
        in_flight: u32,
        /// Whether it is enough that they have been read; otherwise the role sees them in global memory.
        read: bool,
    } = "wait_out" () ReadWrite, "PTX ISA, cp.async.bulk.wait_group";
}
