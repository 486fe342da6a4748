//! Tile IR: one instance of one kernel, checked, typed and ready for analyses and engines.
//!
//! # Definition
//! A [`Kernel`] is a structured program in static single assignment form. A [`Region`] is a list of
//! instructions in order, with parameters at its head and yielded values at its end; loops and
//! branches are instructions that own regions. Every value has a [`Type`]: a tile (element type,
//! shape and register layout; rank 0 is a scalar, which has one value for the whole block), or a
//! view of shared memory (element type, shape and memory map), of numbers or of mbarriers.
//! Functions are gone: they were inlined, and [`Site::caller`] remembers from where.
//!
//! # Invariants (the verifier's rules V1 to V12, see `ir/verify.rs`)
//! * V1: a value is defined once, before its uses, in its own region or one around it.
//! * V2: a tile has a layout if and only if its rank is at least 1, and the layout's extents are its
//!   shape; a view has a memory map of its shape and no layout.
//! * V3: operands and results have the types that the operation's row asks for.
//! * V4: elementwise operands have equal shapes and layouts.
//! * V5: a region yields what its owner expects, in number and type.
//! * V6: masks are bool and cover the pointers.
//! * V7: tensor numbers and sites exist.
//! * V8: `grid`, symbols and parameters agree with the launch plan.
//! * V9: conditions and bounds are scalars.
//! * V10: a view is neither carried by a loop nor yielded by a branch, so the buffer behind every
//!   access is known.
//! * V11: a product's types, shapes and layouts are those of its matrix instruction, which the target has.
//! * V12: roles are the last thing that a kernel does, if it does them at all: the last instruction of its body, or of a way
//!   through an `if` that is. Each has a region and warps of its own.
//!
//! Absent on purpose: names of the library, generics, open layouts, anything of a vendor. The text
//! form is in `ir/text.rs`; printing and parsing give the same kernel.

mod attributes;
pub mod boxes;
mod literal;
pub mod parse;
pub mod samples;
pub mod text;
pub mod verify;

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;
use smol_str::SmolStr;
use tile_layout::{Layout, MemoryMap};
use tile_syntax::ast::Span;

use crate::dtype::DType;
use crate::op::flow::Role;
use crate::op::{FlowOp, Op};
use crate::target::TargetId;

/// Extents of a tile, outermost first. Empty for a scalar.
pub type Shape = SmallVec<[u32; 4]>;

/// What one element of a tile is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Elem {
    /// A number.
    Data(DType),
    /// The address of a number in global memory, 64 bits.
    Pointer(DType),
    /// A number in shared memory; only a view has it.
    Shared(DType),
    /// An mbarrier in shared memory, 64 bits; only a view has it.
    Barrier,
    /// What a copy engine is told of a tensor; only a parameter of the kernel has it.
    Map,
}

impl Elem {
    /// Bits of one element where it lives.
    pub fn bits(self) -> u32 {
        match self {
            Elem::Data(it) => it.bits(),
            Elem::Pointer(_) | Elem::Barrier => 64,
            Elem::Shared(it) => it.storage_bits(),
            Elem::Map => 8 * tile_plan::map::DESCRIPTOR_BYTES,
        }
    }

    /// The type of a number in registers, or `None` for a pointer and for what lies in shared memory.
    pub fn data(self) -> Option<DType> {
        match self {
            Elem::Data(it) => Some(it),
            Elem::Pointer(_) | Elem::Shared(_) | Elem::Barrier | Elem::Map => None,
        }
    }
}

/// The type of a value: a tile, or a view of shared memory. A scalar is a tile of rank 0, without a
/// layout.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Type {
    /// One element.
    pub elem: Elem,
    /// Extents, outermost first.
    pub shape: Shape,
    /// Which registers hold the elements of a tile; `None` for scalars and views.
    pub layout: Option<Layout>,
    /// Where the elements of a view lie; `None` for what lives in registers.
    pub memory: Option<MemoryMap>,
}

impl Type {
    /// The type of a scalar number.
    pub fn scalar(dtype: DType) -> Type {
        Type::single(Elem::Data(dtype))
    }

    /// The type of one element: a scalar number or pointer.
    pub fn single(elem: Elem) -> Type {
        Type { elem, shape: Shape::new(), layout: None, memory: None }
    }

    /// The type of a tile of rank 1 or more.
    pub fn tile(elem: Elem, shape: Shape, layout: Layout) -> Type {
        Type { elem, shape, layout: Some(layout), memory: None }
    }

    /// The type of a view of shared memory.
    pub fn view(dtype: DType, memory: MemoryMap) -> Type {
        Type::viewed(Elem::Shared(dtype), memory)
    }

    /// The type of mbarriers, one an index of the map; of a single one with rank 0.
    pub fn barriers(memory: MemoryMap) -> Type {
        Type::viewed(Elem::Barrier, memory)
    }

    /// The type of a view of what lies in shared memory.
    pub fn viewed(elem: Elem, memory: MemoryMap) -> Type {
        let shape = memory.shape();
        Type { elem, shape, layout: None, memory: Some(memory) }
    }

    /// The map of a view.
    ///
    /// # Panics
    /// If it is none.
    pub fn map(&self) -> &MemoryMap {
        self.memory.as_ref().expect("V2: a view has a memory map")
    }

    /// Whether it is a view of shared memory.
    pub fn is_view(&self) -> bool {
        self.memory.is_some()
    }

    /// Whether it is a scalar.
    pub fn is_scalar(&self) -> bool {
        self.shape.is_empty() && self.memory.is_none()
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().map(|&it| it as usize).product()
    }

    /// Whether there are no elements, which never happens: extents are at least 1.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same shape and layout with another element.
    pub fn with_elem(&self, elem: Elem) -> Type {
        Type { elem, ..self.clone() }
    }
}

/// A value of a kernel: an index into [`Kernel::values`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Value(pub u32);

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

/// What is known of a value besides its definition.
#[derive(Clone, PartialEq, Debug)]
pub struct ValueDecl {
    /// Its type.
    pub ty: Type,
    /// The variable it was first bound to, for messages and the debugger; empty if none.
    pub name: SmolStr,
}

/// An item of a file, stable while bodies are edited: what spans are relative to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ItemKey {
    /// The file, as the database numbers it.
    pub file: u32,
    /// The item's name and, for equal names, its number: `gemm`, `impl Ring`, `test "…"#1`.
    pub item: SmolStr,
}

/// A place in a source text, relative to its item.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// The item.
    pub item: ItemKey,
    /// The bytes, relative to the item's first.
    pub span: Span,
}

/// Where an instruction comes from.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Site {
    /// The text.
    pub place: Place,
    /// The call through which that text was inlined here: an index into [`Kernel::sites`].
    pub caller: Option<SiteId>,
}

/// An index into [`Kernel::sites`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SiteId(pub u32);

/// One operation at one place.
#[derive(Clone, PartialEq, Debug)]
pub struct Inst {
    /// What is done.
    pub op: Op,
    /// What it is done to.
    pub operands: SmallVec<[Value; 3]>,
    /// What comes of it.
    pub results: SmallVec<[Value; 1]>,
    /// The bodies of control flow.
    pub regions: Vec<Region>,
    /// Where it was written.
    pub site: SiteId,
}

/// A list of instructions with parameters and yielded values.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Region {
    /// Defined on entry.
    pub params: Vec<Value>,
    /// In order.
    pub insts: Vec<Inst>,
    /// What it hands to its owner.
    pub yields: Vec<Value>,
}

/// An extent or a stride: known now, or a scalar `i32` or `i64` value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Extent {
    /// A number.
    Const(i64),
    /// A value defined at the head of the kernel.
    Value(Value),
}

/// A tensor argument.
#[derive(Clone, PartialEq, Debug)]
pub struct Tensor {
    /// The parameter's name.
    pub name: SmolStr,
    /// Its elements.
    pub dtype: DType,
    /// The address of its first element: a scalar of type pointer.
    pub base: Value,
    /// Its extents, outermost first.
    pub dims: Vec<Extent>,
    /// Distance in elements between neighbours of each dimension.
    pub strides: Vec<Extent>,
    /// Whether it may be written.
    pub mutable: bool,
    /// Whether it may be absent.
    pub optional: bool,
    /// What divides its address, in bytes.
    pub align: u32,
    /// Where it is declared.
    pub site: SiteId,
    /// Where each of its extents is written.
    pub dim_sites: Vec<SiteId>,
}

/// A relation between sizes and scalar arguments that every launch satisfies: a `where` clause.
#[derive(Clone, PartialEq, Debug)]
pub struct Fact {
    /// What holds.
    pub kind: FactKind,
    /// The clause.
    pub site: SiteId,
}

/// The relations that analyses understand; others are only checked at launch.
#[derive(Clone, PartialEq, Debug)]
pub enum FactKind {
    /// `value % divisor == 0`
    Divisible {
        /// The size.
        value: Value,
        /// What divides it.
        divisor: u64,
    },
    /// `lo <= value <= hi`
    Range {
        /// The size.
        value: Value,
        /// The smallest, if bounded.
        lo: Option<i64>,
        /// The largest, if bounded.
        hi: Option<i64>,
    },
    /// `a <= b`
    AtMost {
        /// The smaller.
        a: Value,
        /// The larger.
        b: Value,
    },
}

/// Where a condition can be added to a kernel's head.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clauses {
    /// The head up to the parameters' closing parenthesis.
    pub head: SiteId,
    /// The last condition of the last `where` clause, if there is one.
    pub last: Option<SiteId>,
}

/// One instance of one kernel.
#[derive(Clone, PartialEq, Debug)]
pub struct Kernel {
    /// The instance's name: the symbol in code objects.
    pub name: SmolStr,
    /// What it is compiled for.
    pub target: TargetId,
    /// Warps of a block.
    pub warps: u32,
    /// What a launcher needs to know: arguments, checks, grid.
    pub plan: Arc<tile_plan::LaunchPlan>,
    /// All values, by number.
    pub values: Vec<ValueDecl>,
    /// The tensor arguments, in the order of the plan's tensor parameters.
    pub tensors: Vec<Tensor>,
    /// What holds at every launch.
    pub facts: Vec<Fact>,
    /// Where the head ends, for edits that add a clause.
    pub clauses: Clauses,
    /// Places of instructions.
    pub sites: Vec<Site>,
    /// The program; its parameters are those of `plan.abi`, in order.
    pub body: Region,
}

impl Kernel {
    /// The type of a value.
    pub fn ty(&self, value: Value) -> &Type {
        &self.values[value.0 as usize].ty
    }

    /// The place in the kernel's own text at which an instruction, inlined or not, stands.
    pub fn own_place(&self, site: SiteId) -> Place {
        let site_of = |it: SiteId| &self.sites[it.0 as usize];
        let chain = std::iter::successors(Some(site), |it| site_of(*it).caller);
        let outermost = chain.last().expect("a chain begins with its site");
        site_of(outermost).place.clone()
    }

    /// The instruction that is the kernel's roles, and what they are.
    pub fn roles(&self) -> Option<(&Inst, &[Role])> {
        // Rule V12: they come last, on a way through the last `if`.
        let mut open = vec![&self.body];
        while let Some(region) = open.pop() {
            let Some(last) = region.insts.last() else { continue };
            match &last.op {
                Op::Flow(FlowOp::Roles { roles }) => return Some((last, roles)),
                Op::Flow(FlowOp::If) => open.extend(&last.regions),
                _ => {}
            }
        }
        None
    }

    /// The tensor map that a parameter of the kernel is.
    pub fn tensor_map(&self, value: Value) -> Option<&tile_plan::TensorMap> {
        let at = self.body.params.iter().position(|it| *it == value)?;
        match self.plan.abi.get(at)? {
            tile_plan::AbiSlot::Map(it) => self.plan.maps.get(*it as usize),
            tile_plan::AbiSlot::Address(_)
            | tile_plan::AbiSlot::Symbol(_)
            | tile_plan::AbiSlot::Scalar(_) => None,
        }
    }

    /// Where an instruction comes from in the kernel's own text: the outermost call that leads to it.
    pub fn outer_place(&self, site: SiteId) -> &Place {
        let mut site = &self.sites[site.0 as usize];
        while let Some(caller) = site.caller {
            site = &self.sites[caller.0 as usize];
        }
        &site.place
    }
}

impl Region {
    /// Calls `f` on every instruction, those of nested regions included, in order.
    pub fn walk<'a>(&'a self, f: &mut impl FnMut(&'a Inst)) {
        for inst in &self.insts {
            f(inst);
            for region in &inst.regions {
                region.walk(f);
            }
        }
    }
}
