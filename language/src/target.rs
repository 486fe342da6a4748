//! Targets: what each chip has and how much of it.
//!
//! The only home of vendors' names outside the lowering's vendor files. Everything else asks:
//! [`Target::has`] for a capability, a field for a number.

pub mod mma;
pub mod occupancy;
mod table;
pub mod wgmma;

use tile_layout::banks::BankModel;
use tile_layout::{MatrixForm, SharedModel};

use crate::op::words;

pub use table::TARGETS;

words! {
    /// What some targets can do and others cannot.
    Cap;
    /// Matrix multiply by a warp, `mma.sync`.
    Mma = "mma",
    /// Products of f8 elements by a warp, `mma.sync`.
    MmaFp8 = "mma_fp8",
    /// Products of f64 elements in tiles of 16 rows by a warp, `mma.sync`.
    MmaF64 = "mma_f64",
    /// Asynchronous copies from global to shared memory by threads.
    CpAsync = "cp_async",
    /// Loads of matrices from shared memory by a warp.
    Ldmatrix = "ldmatrix",
    /// Stores of matrices to shared memory by a warp.
    Stmatrix = "stmatrix",
    /// Barriers in shared memory that count arrivals; with a copy engine, its bytes as well.
    Mbarrier = "mbarrier",
    /// Bulk copies of tensor boxes by the copy engine.
    Tma = "tma",
    /// Asynchronous matrix multiply by a warpgroup.
    Wgmma = "wgmma",
    /// Registers that warpgroups hand to each other, `setmaxnreg`.
    Setmaxnreg = "setmaxnreg",
    /// Clusters of blocks.
    Cluster = "cluster",
    /// Tensor memory and its matrix unit.
    Tcgen05 = "tcgen05",
    /// Matrix multiply by a wave, AMD CDNA.
    Mfma = "mfma",
    /// Products of tf32 elements by a wave, AMD CDNA3.
    MfmaXf32 = "mfma_xf32",
    /// Products of f8 elements of the kinds `fnuz` by a wave, AMD CDNA3.
    MfmaFnuz = "mfma_fnuz",
    /// Products of f8 elements of the OCP kinds by a wave, AMD CDNA4.
    MfmaOcp = "mfma_ocp",
    /// Matrix instructions of twice the depth, AMD CDNA4.
    MfmaWide = "mfma_wide",
    /// Matrix multiply by a wave, AMD RDNA and gfx1250.
    Wmma = "wmma",
    /// Transposing reads of LDS.
    DsReadTr = "ds_read_tr",
    /// Loads from global memory directly to LDS.
    LdsDma = "lds_dma",
    /// Loads of 16 bytes a lane from global memory directly to LDS, AMD CDNA4.
    LdsDmaWide = "lds_dma_wide",
    /// Atomic addition of f64.
    AtomicAddF64 = "atomic_add_f64",
    /// Atomic addition of packed f16.
    AtomicAddF16 = "atomic_add_f16",
    /// Atomic addition of packed bf16.
    AtomicAddBf16 = "atomic_add_bf16",
}

/// Who makes a chip.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "names")]
pub enum Vendor {
    Nvidia,
    Amd,
}

/// A target: an index into [`TARGETS`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TargetId(pub u8);

impl TargetId {
    /// The target of that name; `None` if there is none.
    pub fn from_name(name: &str) -> Option<TargetId> {
        TARGETS.iter().position(|it| it.name == name).map(|it| TargetId(it as u8))
    }

    /// Its row.
    pub fn row(self) -> &'static Target {
        &TARGETS[self.0 as usize]
    }
}

/// One row of the table. Sizes in bytes, counts a multiprocessor or compute unit.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name that users write.
    pub name: &'static str,
    /// A sentence about the chips.
    pub doc: &'static str,
    /// Who makes it.
    pub vendor: Vendor,
    /// Lanes of a warp (wave).
    pub lanes: u32,
    /// Shared memory that one block can have, in bytes.
    pub smem_block_bytes_max: u32,
    /// Shared memory of a multiprocessor, in bytes.
    pub smem_sm_bytes: u32,
    /// Shared memory that the system takes of every block, in bytes.
    pub smem_block_bytes_reserved: u32,
    /// 32-bit registers of a multiprocessor.
    pub regs_sm: u32,
    /// Registers that one thread can have.
    pub regs_thread_max: u32,
    /// Registers are given to a warp in multiples of this many a thread.
    pub regs_unit: u32,
    /// Warps that a multiprocessor holds.
    pub warps_sm_max: u32,
    /// Blocks that a multiprocessor holds.
    pub blocks_sm_max: u32,
    /// Warps of a block at most.
    pub warps_block_max: u32,
    /// Bytes that one thread moves with one access to global memory at most.
    pub access_bytes_max: u32,
    /// Bytes that one thread's copy from global to shared memory without registers can have.
    pub copy_bytes: &'static [u32],
    /// Multiprocessors of the usual part, for estimates where no device says it.
    pub sms: u32,
    /// How shared memory serves the lanes of a warp.
    pub banks: BankModel,
    /// What it can do.
    pub caps: &'static [Cap],
}

impl Target {
    /// Whether it can do that.
    pub fn has(&self, cap: Cap) -> bool {
        self.caps.contains(&cap)
    }

    /// What its shared memory can do for a warp: how banks serve it, and matrices that move.
    pub fn shared_model(&self) -> SharedModel {
        use MatrixForm::{Columns, Rows, Transposing};
        let reads: &[MatrixForm] = if self.has(Cap::Ldmatrix) {
            &[Rows, Columns]
        } else if self.has(Cap::DsReadTr) {
            &[Transposing]
        } else {
            &[]
        };
        let writes: &[MatrixForm] = if self.has(Cap::Stmatrix) { &[Rows, Columns] } else { &[] };
        SharedModel { banks: self.banks, reads, writes }
    }

    /// Whether copies without registers are made by whole warps: the lanes write one after another, and a
    /// warp waits until at most so many of its copies are in flight, not of its groups.
    pub fn copies_in_line(&self) -> bool {
        self.has(Cap::LdsDma) && !self.has(Cap::CpAsync)
    }
}
