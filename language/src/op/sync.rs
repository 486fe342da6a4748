//! Order between threads: barriers of a role, mbarriers, and the rights to use a stage.
//!
//! # Definition
//! An *mbarrier* counts. A *phase* of it completes when as many roles have arrived as it wants and all bytes that it
//! expects have landed; then the next one begins; `wait` returns once so many phases have completed. Programs count phases from the
//! start of the kernel and never see a parity bit.
//!
//! A *permit* is the right to use a stage, from `permit` to its `end`. What the end does follows
//! from the uses in between; a pass says it in the other operations ([`crate::pass::permits`]),
//! so engines meet neither.
//!
//! A *named barrier* has no place in memory. A phase of it is over when every role that mentions it has come once.

use super::family;

family! {
    /// Order between the threads of a role and between roles.
    SyncOp "sync";

    /// All warps of the role meet; what any of them wrote to shared memory before, all see after.
    Barrier = "barrier" () ReadWrite, "PTX ISA, bar.sync; CDNA3 ISA, s_barrier";

    /// All warps of all blocks of the cluster meet; what any of them wrote before, all see after.
    ClusterBarrier = "cluster_barrier" () ReadWrite, "PTX ISA, barrier.cluster";

    /// What a thread wrote to shared memory before, the copy engine and the matrix units see after.
    FenceAsync = "fence_async" () ReadWrite, "PTX ISA, fence.proxy.async";

    /// mbarriers of the block, in their first phase. The result is the view of all.
    Mbarriers {
        /// Roles that arrive in each phase; 0 until the uses have been counted.
        arrivals: u32,
        /// Whether stages whose permits end there pass between all blocks of the cluster.
        across: bool,
    } = "mbarriers" () Read, "PTX ISA, mbarrier.init";

    /// Goes on when `phases`, a scalar `i32`, phases of the barrier have completed.
    ///
    /// What was done before the arrivals of those phases is seen after it.
    Wait = "wait" ("barrier", "phases") ReadWrite, "PTX ISA, mbarrier.try_wait";

    /// The role arrives at the barrier. The views are those of a stage that products read and that it gives away.
    Arrive {
        /// Whether it arrives at the barrier of the same place in every block of the cluster.
        everywhere: bool,
    } = "arrive" ("barrier", "view…") ReadWrite, "PTX ISA, mbarrier.arrive";

    /// The role arrives once, and the phase waits for that many more bytes of copies that signal the barrier.
    Expect {
        /// Bytes.
        bytes: u32,
    } = "expect" ("barrier") ReadWrite, "PTX ISA, mbarrier.arrive.expect_tx";

    /// Whether `phases`, a scalar `i32`, phases of the barrier have completed, when the role asks.
    ///
    /// If they have, what was done before their arrivals is seen after it.
    Test = "test" ("barrier", "phases") ReadWrite, "PTX ISA, mbarrier.test_wait";

    /// The role comes to a named barrier, and if it waits goes on when the phase is over.
    ///
    /// What the role did before is seen by those that wait; with a value, what it did up to the loads from shared memory that
    /// the value is made of.
    Meet {
        /// Its number in the kernel.
        barrier: u32,
        /// Whether the role waits for the others.
        waits: bool,
    } = "meet" ("value") ReadWrite, "PTX ISA, barrier.cta";

    /// Takes the right to use the views of a stage, to be announced at `ends`. The results are the operands.
    Permit = "permit" ("ends", "view…") ReadWrite, "language.md section 7";

    /// Ends the permit whose `ends` it was given.
    End = "end" ("ends") ReadWrite, "language.md section 7";
}
