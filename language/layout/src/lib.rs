//! Linear layouts over F2: where the elements of a tile live, and how to move them.
//!
//! A [`Layout`] maps the bits of a place (register, lane, warp; or the offset in a memory) to the
//! bits of an element's index. A [`Spec`] is a constructor of the language that waits for a shape.
//! [`Plan`] says how a tile gets from one layout to another, and [`banks`] what shared memory
//! makes of an access. The algebra is [`LinearMap`], the arithmetic under it [`bits`].
//!
//! Pure mathematics: knows no language, no target's name, no diagnostics.
//!
//! Source of the idea: "Linear Layouts: Robust Code Generation of Efficient Tensor Computation
//! Using F2", arXiv 2505.23819.

mod access;
pub mod banks;
pub mod bits;
mod coalesced;
mod draw;
mod layout;
mod map;
mod memory_map;
pub mod plan;
mod spec;
mod sweep;
mod text;
mod transform;

pub use access::{AccessGroup, AccessStep, MatrixForm, SharedAccess, SharedMeans, SharedModel};
pub use coalesced::{coalesced, whole_bytes};
pub use draw::{draw_access, draw_banks, draw_svg, draw_text};
pub use layout::{Coords, In, Layout, LayoutError, RANK_MAX};
pub use map::{BitPermutation, Dim, DimBits, LinearMap};
pub use memory_map::{Contribution, MapDim, MemoryMap, ViewError};
pub use plan::{Cost, CostClass, Halves, Plan, PlanStep};
pub use spec::{Machine, Side, Spec, SpecError};
pub use sweep::sweep;
pub use text::ParseLayoutError;
