//! From tile IR to code objects, and the simulator that judges the lowering.
