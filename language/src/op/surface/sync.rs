//! Barriers, permits and fences. In the examples `full` is a `barrier[2]`.

use super::rows;
use crate::elab::rules::sync;

rows! {
    /// Returns once the barrier has completed so many phases, counted from the start of the kernel; or once a product of
    /// `wgmma` is done, which it then gives. At most `in_flight` groups of products stay in flight, below 8: without the
    /// word all that are younger than the product's own. At a named barrier it is `sync`, under the name for one that only listens.
    ///
    /// Example:
    /// ```tile
    /// let full: barrier[2];
    /// full[0].arrive();
    /// full[0].wait(1);
    /// ```
    Method "wait" (x: Required, n: Optional, in_flight: Optional) "full.wait(n: i32), x.wait(in_flight: int) -> as x",
        sync::wait, source "PTX ISA, mbarrier.try_wait and wgmma.wait_group";

    /// Arrives at a barrier: what the role did before is seen by those that wait for the phase. How many arrivals
    /// complete a phase follows from the uses: one a role that arrives. At a named barrier the role does not wait for the others.
    ///
    /// Example:
    /// ```tile
    /// let full: barrier[2];
    /// full[1].arrive();
    /// full[1].wait(1);
    /// ```
    Method "arrive" (barrier: Required) "full.arrive()",
        sync::arrive, source "PTX ISA, mbarrier.arrive";

    /// Arrives at a barrier, and lets the phase wait for so many bytes of copies that signal it: less than 1 MiB.
    ///
    /// Example:
    /// ```tile
    /// let at = a.tiles([16, 32]);
    /// let s: shared at.tile;
    /// let full: barrier[2];
    /// full[0].expect(2048);
    /// copy(at[0, 0], into: s, signal: full[0]);
    /// full[0].wait(1);
    /// ```
    Method "expect" (barrier: Required, bytes: Required) "full.expect(bytes: int)",
        sync::expect, source "PTX ISA, mbarrier.arrive.expect_tx";

    /// Whether the barrier has completed so many phases, counted from the start of the kernel: what `wait` would wait for. If so,
    /// what was done before their arrivals is seen after it. Only in roles. What the answer steers is not proved: W0103.
    ///
    /// Errors: E0750 outside of roles
    ///
    /// Example:
    /// ```tile
    /// let full: barrier[2];
    /// let is_there = |n| full[0].test(n);                  // called in a role
    /// ```
    Method "test" (barrier: Required, n: Required) "full.test(n: i32) -> bool",
        sync::test, source "PTX ISA, mbarrier.test_wait";

    /// The role meets the other roles that mention this `named_barrier`: what each did before, all see after. `arrive()` comes
    /// and goes on, `wait()` is `sync()`. Each role comes once a phase. With `after: x` the others see what the role did up to the
    /// loads from shared memory that the tile `x` is made of, and no more.
    ///
    /// Errors: E0750 outside of roles; E0751 more than the block has; E0753 `x` is made of no load
    ///
    /// Example:
    /// ```tile
    /// let beat: named_barrier;
    /// let meet = || beat.sync();                           // called in roles
    /// ```
    Method "sync" (barrier: Required, after: Optional) "beat.sync(after: tile)",
        sync::meet_all, source "PTX ISA, barrier.cta";

    /// What this role's threads wrote to shared memory before, the copy engine and the matrix units see after. The compiler
    /// puts these in where they are needed; written by hand it is for what the compiler does not see.
    ///
    /// Needs: tma
    /// Errors: P0104 nothing was done that it could order
    ///
    /// Example:
    /// ```tile
    /// static if target.has(tma) { fence_async(); }
    /// ```
    Function "fence_async" () "fence_async()",
        sync::fence_async, needs [Tma], source "PTX ISA, fence.proxy.async";

    /// Says how many roles arrive in each phase of these barriers, where not all that do so do it each time.
    ///
    /// Example:
    /// ```tile
    /// let full: barrier[2];
    /// full.arrivals(1);
    /// ```
    Method "arrivals" (barrier: Required, n: Required) "full.arrivals(n: int)",
        sync::arrivals, source "PTX ISA, mbarrier.init";

    /// Ends a permit before its scope does.
    ///
    /// Errors: E0701 the stage is used afterwards
    ///
    /// Example:
    /// ```tile
    /// let ring = Ring[2](x: f32[128] @ plain());
    /// let slot = ring.fill();
    /// slot.x.store(x);
    /// slot.release();
    /// ```
    Method "release" (permit: Required) "slot.release()",
        sync::release, source "language.md section 7";

    /// The types of tiles as types of shared memory, in the layouts that they have.
    ///
    /// Example:
    /// ```tile
    /// const STAGE = (x: f32[128] @ plain(), y: f16[64] @ plain());
    /// let stage: STAGE.in_shared();
    /// stage.x.store(x);
    /// ```
    Method "in_shared" (record: Required) "stage.in_shared() -> type",
        sync::in_shared, source "language.md section 7";
}
