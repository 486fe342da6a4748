//! From an LLVM function to [`Code`].
//!
//! Values become rows once, in an order in which definitions come before uses, so that taking
//! vectors and structs apart and putting them together costs nothing: it only renames rows. Sound
//! because dominance in SSA form holds for every lane by itself. Phis become copies on edges,
//! filled in at the end, when every row is known.
//!
//! Calls and inline assembly go to the rows of [`super::table`].

mod arith;
mod call;
mod flow;
mod memory;
mod order;
mod value;

use std::collections::HashMap;
use std::rc::Rc;

pub(super) use arith::row;
pub(super) use call::Call;
pub(super) use value::{Scalar, sign_extend, truncate};

use super::bytecode::{
    Code, Edge, FlagOp, IntOp, IntTest, Op, Origin, Real, Real1, Real2, Row, Scope, Slot, Variable,
};
use super::error::{Kind, SimError};
use super::llvm::{Block, Reader, Type, Value};
use super::memory::{SHARED, SHARED_MAX, variable_address};
use super::{Hook, Vendor};
use value::Leaf;

/// The address space of shared memory on both vendors.
const SHARED_SPACE: u32 = 3;

/// The state of a translation.
pub(super) struct Lower<'m> {
    pub(super) reader: Reader<'m>,
    pub(super) vendor: Vendor,
    pub(super) lanes: u32,
    pub(super) code: Code,
    /// What `float` means in this function: with or without subnormals.
    pub(super) single: Real,
    /// Whether 8-bit floats are the FNUZ ones of gfx942.
    pub(super) fnuz: bool,
    function: Value<'m>,
    hooks: &'m [Hook],
    values: HashMap<Value<'m>, Rc<[Slot]>>,
    leaves: HashMap<Type<'m>, Rc<[Leaf]>>,
    constants: HashMap<(u8, u64), Slot>,
    variables: HashMap<Value<'m>, u64>,
    blocks: HashMap<Block<'m>, u32>,
    phis: Vec<PendingEdge<'m>>,
    scopes: HashMap<u32, Scope>,
    origin: Origin,
}

/// An edge whose copies are not known yet.
struct PendingEdge<'m> {
    edge: u32,
    from: Block<'m>,
    to: Block<'m>,
}

/// What a kernel is translated for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Machine<'a> {
    pub(super) vendor: Vendor,
    /// Lanes of a warp.
    pub(super) lanes: u32,
    /// LLVM's name of the processor, empty if nobody gave it.
    pub(super) cpu: &'a str,
}

/// Translates `kernel`.
pub(super) fn translate<'m>(
    reader: Reader<'m>,
    kernel: &str,
    machine: Machine<'_>,
    hooks: &'m [Hook],
) -> Result<Code, SimError> {
    let function = reader.function(kernel).filter(|f| !f.is_declaration()).ok_or_else(|| {
        SimError::new(Kind::BadModule, format!("no kernel `{kernel}` in the module"))
    })?;
    let mut lower = Lower::new(reader, function, machine);
    lower.hooks = hooks;
    lower.globals()?;
    lower.params()?;
    lower.body()?;
    Ok(lower.code)
}

impl<'m> Lower<'m> {
    fn new(reader: Reader<'m>, function: Value<'m>, machine: Machine<'_>) -> Self {
        let flushes = |key: &str| {
            function.fn_attribute(key).is_some_and(|mode| mode.contains("preserve-sign"))
        };
        let flush = flushes("denormal-fp-math-f32") || flushes("denormal-fp-math");
        Lower {
            reader,
            vendor: machine.vendor,
            lanes: machine.lanes,
            code: Code::default(),
            single: if flush { Real::F32Flush } else { Real::F32 },
            fnuz: matches!(machine.cpu, "gfx940" | "gfx941" | "gfx942"),
            function,
            hooks: &[],
            values: HashMap::new(),
            leaves: HashMap::new(),
            constants: HashMap::new(),
            variables: HashMap::new(),
            blocks: HashMap::new(),
            phis: Vec::new(),
            scopes: scopes(reader),
            origin: Origin::default(),
        }
    }

    /// Gives every global variable its address: statics of shared memory first, then the dynamic
    /// part (an external array without elements), and everything else one region each.
    fn globals(&mut self) -> Result<(), SimError> {
        let mut dynamic = Vec::new();
        let mut shared = 0u64;
        let mut others = Vec::new();
        for global in self.reader.globals() {
            let ty = global.global_type();
            if global.ty().address_space() != SHARED_SPACE {
                others.push(global);
                continue;
            }
            if self.reader.size(ty) == 0 {
                dynamic.push(global);
                continue;
            }
            let align = u64::from(global.alignment()).max(self.reader.align(ty));
            shared = shared.next_multiple_of(align);
            self.variables.insert(global, shared);
            shared += self.reader.size(ty);
        }
        for global in dynamic {
            shared = shared.next_multiple_of(u64::from(global.alignment()).max(16));
            self.variables.insert(global, shared);
        }
        if shared > SHARED_MAX {
            let message = format!("{shared} bytes of shared memory");
            return Err(SimError::unsupported(message));
        }
        self.code.cluster = self.cluster()?;
        self.code.shared_bytes = shared as u32;
        for global in others {
            self.variable(global)?;
        }
        Ok(())
    }

    /// Blocks of a cluster along each axis (LLVM, "User Guide for NVPTX Backend": `nvvm.cluster_dim`).
    fn cluster(&self) -> Result<[u32; 3], SimError> {
        let Some(text) = self.function.fn_attribute("nvvm.cluster_dim") else { return Ok([1; 3]) };
        let extents: Option<Vec<u32>> = text.split(',').map(|it| it.trim().parse().ok()).collect();
        let mut cluster = [1; 3];
        match extents {
            Some(it) if it.len() <= 3 && it.iter().all(|it| (1..=16).contains(it)) => {
                cluster[..it.len()].copy_from_slice(&it);
                Ok(cluster)
            }
            _ => Err(SimError::unsupported(format!("clusters of `{text}` blocks"))),
        }
    }

    fn variable(&mut self, global: Value<'m>) -> Result<(), SimError> {
        let address = variable_address(self.code.variables.len());
        self.variables.insert(global, address);
        let mut bytes = vec![0; self.reader.size(global.global_type()) as usize];
        if let Some(value) = global.initializer() {
            self.write_constant(value, &mut bytes)?;
        }
        self.code.variables.push(Variable { name: global.name(), bytes });
        Ok(())
    }

    fn params(&mut self) -> Result<(), SimError> {
        for i in 0..self.function.param_count() {
            let param = self.function.param(i);
            let slots = self.fresh_all(param.ty())?;
            let parts = self.parts(param.ty(), &slots)?;
            self.code.params.push(parts);
            let byval = self.function.byval(i);
            self.code.byval.push(byval.map(|ty| self.reader.size(ty) as u32));
            self.values.insert(param, slots.into());
        }
        Ok(())
    }

    fn body(&mut self) -> Result<(), SimError> {
        let blocks = self.function.blocks();
        let index: HashMap<Block<'m>, usize> =
            blocks.iter().enumerate().map(|(i, &b)| (b, i)).collect();
        let graph: Vec<Vec<usize>> =
            blocks.iter().map(|b| b.successors().iter().map(|s| index[s]).collect()).collect();
        let order = order::block_order(&graph);
        for (at, &block) in order.iter().enumerate() {
            self.blocks.insert(blocks[block], at as u32);
        }
        self.phi_rows(&order, &blocks)?;
        let mut starts = Vec::new();
        for &block in &order {
            starts.push(self.code.ops.len() as u32);
            self.block(block as u32, blocks[block])?;
        }
        self.resolve_edges()?;
        for edge in &mut self.code.edges {
            edge.target = starts[edge.target as usize];
        }
        Ok(())
    }

    fn block(&mut self, index: u32, block: Block<'m>) -> Result<(), SimError> {
        for (i, inst) in block.instructions().into_iter().enumerate() {
            self.origin = Origin { block: index, instruction: i as u32, line: inst.line() };
            self.instruction(inst).map_err(|mut error| {
                if error.place.is_none() {
                    error.place = Some(Box::new(super::Place {
                        instruction: inst.print().trim().to_owned(),
                        line: (inst.line() != 0).then(|| inst.line()),
                    }));
                }
                error
            })?;
        }
        Ok(())
    }

    /// Appends an operation.
    pub(super) fn emit(&mut self, op: Op) {
        self.code.ops.push(op);
        self.code.origins.push(self.origin);
    }

    pub(super) fn flag(&mut self) -> Row {
        self.code.flags += 1;
        self.code.flags - 1
    }

    pub(super) fn word(&mut self) -> Row {
        self.code.words += 1;
        self.code.words - 1
    }

    pub(super) fn wide(&mut self) -> Row {
        self.code.wides += 1;
        self.code.wides - 1
    }

    /// Gives an instruction its rows.
    pub(super) fn bind(&mut self, inst: Value<'m>, slots: impl Into<Rc<[Slot]>>) {
        self.values.insert(inst, slots.into());
    }

    /// A word that always holds `bits`.
    pub(super) fn word_of(&mut self, bits: u32) -> Row {
        match self.constant(Scalar::Int(32), u64::from(bits)) {
            Slot::Word(row) => row,
            _ => unreachable!("B1: 32 bits are a word"),
        }
    }

    /// A wide that always holds `bits`.
    pub(super) fn wide_of(&mut self, bits: u64) -> Row {
        match self.constant(Scalar::Int(64), bits) {
            Slot::Wide(row) => row,
            _ => unreachable!("B1: 64 bits are a wide"),
        }
    }

    /// A flag that is the same in every lane.
    pub(super) fn flag_of(&mut self, value: bool) -> Row {
        match self.constant(Scalar::Int(1), u64::from(value)) {
            Slot::Flag(row) => row,
            _ => unreachable!("B1: one bit is a flag"),
        }
    }

    /// A new edge to `target`; its copies are found when every block is translated.
    fn edge(&mut self, from: Block<'m>, to: Block<'m>) -> u32 {
        let edge = self.code.edges.len() as u32;
        self.code.edges.push(Edge { target: self.blocks[&to], moves: Vec::new() });
        self.phis.push(PendingEdge { edge, from, to });
        edge
    }

    /// The scope with LLVM's number `id`.
    pub(super) fn scope(&self, id: u32) -> Scope {
        self.scopes.get(&id).copied().unwrap_or(Scope::Device)
    }
}

/// LLVM numbers synchronisation scopes per context; names are fixed by the targets (NVPTX and
/// AMDGPU user guides).
fn scopes(reader: Reader<'_>) -> HashMap<u32, Scope> {
    [
        ("singlethread", Scope::Lane),
        ("singlethread-one-as", Scope::Lane),
        ("wavefront", Scope::Warp),
        ("wavefront-one-as", Scope::Warp),
        ("workgroup", Scope::Block),
        ("workgroup-one-as", Scope::Block),
        ("block", Scope::Block),
        ("cluster", Scope::Cluster),
        ("cluster-one-as", Scope::Cluster),
        ("agent", Scope::Device),
        ("agent-one-as", Scope::Device),
        ("device", Scope::Device),
    ]
    .into_iter()
    .map(|(name, scope)| (reader.scope_id(name), scope))
    .collect()
}

/// The offset of a shared variable, whatever the width of its pointers.
fn shared_offset(address: u64) -> u64 {
    address & (SHARED - 1)
}
