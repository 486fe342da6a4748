//! Order between threads.

use super::family;

family! {
    /// Order between the threads of a role.
    SyncOp "sync";

    /// All warps of the role meet; what any of them wrote to shared memory before, all see after.
    Barrier = "barrier" () ReadWrite, "PTX ISA, bar.sync; CDNA3 ISA, s_barrier";
}
