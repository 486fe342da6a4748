//! What the lowering asks of a vendor: the few things that the two do differently.
//!
//! # Idea
//! Everything that LLVM's own instructions say is said once, in the lowering. A [`Chip`] gives the
//! rest: who a thread is, how lanes exchange a word, how a block meets, the approximations that the
//! hardware has, the names of scopes, and how a kernel is declared. One file a vendor.
//!
//! # Invariants
//! * C1: [`Chip::shuffle_xor`] and [`Chip::shuffle`] are reached by all lanes of a warp together.
//! * C2: [`Chip::barrier`] is reached by all threads that meet there; what any of them wrote before, to
//!   shared or to global memory, all of them see after.

mod amdgcn;
mod cluster;
mod engine;
mod hooks;
mod matrix;
mod ptx;
mod sync;

use inkwell::types::BasicTypeEnum;
use inkwell::values::{FloatValue, FunctionValue, IntValue, PointerValue};
use tile_language::op::memory::{Cache, Evict, Scope};
use tile_language::target::mma::MatrixId;
use tile_language::target::{Target, Vendor};

use crate::emit::{Emit, Val};

pub(crate) use cluster::Reach;
pub(crate) use engine::TensorBox;
pub(crate) use matrix::Left;
pub(crate) use sync::Meeting;

/// How a load or a store treats the caches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Hints {
    pub(crate) cache: Cache,
    pub(crate) evict: Evict,
}

impl Hints {
    /// No wish at all.
    pub(crate) const NONE: Hints = Hints { cache: Cache::All, evict: Evict::Normal };
}

/// Memory below an address whose accesses the hardware bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resource<'c> {
    /// What the hardware is told of it.
    pub(crate) descriptor: PointerValue<'c>,
    /// Where it begins.
    pub(crate) base: PointerValue<'c>,
}

/// On what a copy depends; `None` is true.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CopyConditions<'c> {
    /// Whether there is a copy at all.
    pub(crate) when: Option<IntValue<'c>>,
    /// Whether memory is read, or zeros are written.
    pub(crate) mask: Option<IntValue<'c>>,
}

/// What a wait leaves in flight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct InFlight {
    /// Groups of copies.
    pub(crate) groups: u32,
    /// The operations that are surely in these groups.
    pub(crate) copies: u32,
}

/// Functions that hardware approximates for `f32`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Approx {
    /// 2 to the power.
    Exp2,
    /// Logarithm to base 2.
    Log2,
    /// Reciprocal.
    Rcp,
    /// Reciprocal square root.
    Rsqrt,
    /// Sine of radians in plus or minus pi.
    Sin,
    /// Cosine of radians in plus or minus pi.
    Cos,
}

/// One vendor's half of the lowering.
pub(crate) trait Chip:
    matrix::MatrixUnit + sync::Mbarriers + engine::CopyEngine + cluster::Clusters
{
    /// LLVM's triple.
    fn triple(&self) -> &'static str;

    /// LLVM's name of the processor.
    fn cpu(&self) -> &'static str;

    /// LLVM's subtarget features for a kernel with these matrix instructions.
    fn features(&self, instructions: &[MatrixId]) -> &'static str;

    /// Bytes of shared memory that a kernel can declare; what needs more asks for it at launch.
    fn static_shared_bytes_max(&self) -> u32;

    /// Makes the function a kernel of that many threads a block, which start with so many registers if it is said.
    fn declare_kernel(&self, emit: &Emit<'_>, threads: u32, start_regs: Option<u32>);

    /// Lets a kernel that spills use registers that it was kept from; whether there are some.
    fn widen_registers(&self, function: FunctionValue<'_>) -> bool;

    /// The number of this thread in its block, as `i32`.
    fn thread<'c>(&self, emit: &Emit<'c>) -> IntValue<'c>;

    /// The id of this block along an axis, as `i32`.
    fn block_id<'c>(&self, emit: &Emit<'c>, axis: u32) -> IntValue<'c>;

    /// The number of blocks along an axis, as `i32`.
    fn num_blocks<'c>(&self, emit: &Emit<'c>, axis: u32) -> IntValue<'c>;

    /// The word of the lane whose number differs by `mask`.
    fn shuffle_xor<'c>(&self, emit: &Emit<'c>, word: IntValue<'c>, mask: u32) -> IntValue<'c>;

    /// The word of that lane.
    fn shuffle<'c>(&self, emit: &Emit<'c>, word: IntValue<'c>, lane: IntValue<'c>) -> IntValue<'c>;

    /// The word of the first lane, in all lanes.
    fn first_lane<'c>(&self, emit: &Emit<'c>, word: IntValue<'c>) -> IntValue<'c>;

    /// A word that all threads of the block have, where the hardware keeps such words apart.
    fn uniform<'c>(&self, emit: &Emit<'c>, word: IntValue<'c>) -> IntValue<'c>;

    /// Threads meet, and see what the others wrote.
    fn barrier(&self, emit: &Emit<'_>, meeting: Meeting);

    /// The lanes of each warp meet, and see what the others wrote.
    fn warp_barrier(&self, emit: &Emit<'_>);

    /// Bytes of memory that a resource can bound; 0 where there are none.
    fn resource_bytes_max(&self) -> u64;

    /// The resource of memory that begins there.
    fn resource<'c>(&self, emit: &Emit<'c>, base: PointerValue<'c>) -> Resource<'c>;

    /// Loads where `mask` holds, elsewhere zeros, without a branch; `None` if a branch does as well.
    fn load_or_zeros<'c>(
        &self,
        emit: &Emit<'c>,
        ty: BasicTypeEnum<'c>,
        from: PointerValue<'c>,
        align: u32,
        mask: IntValue<'c>,
        resource: Option<Resource<'c>>,
    ) -> Option<Val<'c>>;

    /// Stores where `mask` holds, without a branch; whether there is such a store.
    fn store_where<'c>(
        &self,
        emit: &Emit<'c>,
        value: Val<'c>,
        to: PointerValue<'c>,
        mask: IntValue<'c>,
        resource: Option<Resource<'c>>,
    ) -> bool;

    /// Starts a copy from global to shared memory without registers where `when` holds; where `mask` is
    /// false zeros are written. Where whole warps copy, `to` is the address of the first lane.
    fn start_copy<'c>(
        &self,
        emit: &Emit<'c>,
        to: PointerValue<'c>,
        from: PointerValue<'c>,
        bytes: u32,
        conditions: CopyConditions<'c>,
    );

    /// Loads matrices whose rows begin at the lanes' addresses: a word for each.
    fn load_matrices<'c>(
        &self,
        emit: &Emit<'c>,
        from: PointerValue<'c>,
        count: u32,
        transposed: bool,
    ) -> Vec<IntValue<'c>>;

    /// Stores a word of each matrix to the rows that begin at the lanes' addresses.
    fn store_matrices<'c>(
        &self,
        emit: &Emit<'c>,
        to: PointerValue<'c>,
        words: &[IntValue<'c>],
        transposed: bool,
    );

    /// Reads rows at the lanes' addresses and gives each lane `n` elements of a column.
    fn load_columns<'c>(
        &self,
        emit: &Emit<'c>,
        from: PointerValue<'c>,
        element: BasicTypeEnum<'c>,
        n: u32,
    ) -> Vec<Val<'c>>;

    /// Closes the group of the copies started since the last one.
    fn commit_copies(&self, emit: &Emit<'_>);

    /// Waits until at most that much of this thread is in flight, or no copy at all.
    fn await_copies(&self, emit: &Emit<'_>, in_flight: Option<InFlight>);

    /// As [`Chip::barrier`] of the block, while copies stay in flight.
    fn barrier_beside_copies(&self, emit: &Emit<'_>);

    /// Says of the accesses of a whole kernel whether they are copies, which nothing meets that did not
    /// wait for them.
    fn mark_copies(&self, emit: &Emit<'_>);

    /// Matrix instructions of several warps.
    fn warp_groups(&self) -> &dyn matrix::WarpGroups;

    /// LLVM's name of a synchronisation scope.
    fn scope(&self, scope: Scope) -> &'static str;

    /// An approximation within the accuracy table; subnormals are kept.
    fn approximate<'c>(
        &self,
        emit: &Emit<'c>,
        function: Approx,
        x: FloatValue<'c>,
    ) -> FloatValue<'c>;

    /// A load with wishes for the caches.
    fn hinted_load<'c>(
        &self,
        emit: &Emit<'c>,
        ty: BasicTypeEnum<'c>,
        from: PointerValue<'c>,
        align: u32,
        hints: Hints,
    ) -> Val<'c>;

    /// A store with wishes for the caches.
    fn hinted_store<'c>(
        &self,
        emit: &Emit<'c>,
        value: Val<'c>,
        to: PointerValue<'c>,
        align: u32,
        hints: Hints,
    );

    /// Turns the calls of hooks (`tile_print…`, `tile_assert…`) into what the device can do.
    fn resolve_hooks<'c>(&self, module: &inkwell::module::Module<'c>, hooks: &[crate::lower::Hook]);
}

/// The vendor's half for a target.
pub(crate) fn of(target: &'static Target) -> Box<dyn Chip> {
    match target.vendor {
        Vendor::Nvidia => Box::new(ptx::Ptx { target }),
        Vendor::Amd => Box::new(amdgcn::Amdgcn { target }),
    }
}
