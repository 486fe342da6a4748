//! Binding: from arguments to symbols, machine words and a grid, or the rule that they violate.
//!
//! The order is fixed, so that the same mistake gives the same message everywhere: kinds, element
//! types and ranks first, then the names that shapes and strides bind (law L2), then extents,
//! strides and alignment, scalars, `where` clauses, the grid, and last the tensor maps.
//!
//! A name that only absent tensors have is unbound: its word is 0, and a `where` clause that reads
//! it says nothing about this launch and holds.

use std::borrow::Cow;

use crate::error::Sighting;
use crate::expr::{Environment, EvalError};
use crate::scalar::{Format, elements_of_whole_bytes};
use crate::{
    AbiSlot, BoundMap, Device, Expr, LaunchError, LaunchPlan, Param, ParamKind, Problem, Scalar,
    Value,
};

/// The most blocks that devices take along each axis.
pub const GRID_MAX: [u32; 3] = [i32::MAX as u32, 65535, 65535];

/// An argument as a caller gives it.
#[derive(Clone, PartialEq, Debug)]
pub enum Argument {
    /// A tensor.
    Tensor(TensorArgument),
    /// A number.
    Scalar(Scalar),
    /// Left out: the parameter is optional or has a default.
    Absent,
}

/// A tensor as a caller gives it.
#[derive(Clone, PartialEq, Debug)]
pub struct TensorArgument {
    /// Its elements: a word of the language.
    pub dtype: Cow<'static, str>,
    /// Its extents.
    pub shape: Vec<u64>,
    /// Its strides in elements; `None` means contiguous and row-major.
    pub strides: Option<Vec<i64>>,
    /// Where its first element lies. Engines that have no addresses give the alignment they keep.
    pub address: u64,
}

impl TensorArgument {
    /// A contiguous tensor at `address`.
    pub fn contiguous(
        dtype: impl Into<Cow<'static, str>>,
        shape: impl Into<Vec<u64>>,
        address: u64,
    ) -> Self {
        TensorArgument { dtype: dtype.into(), shape: shape.into(), strides: None, address }
    }
}

/// A launch that satisfies every rule of its plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bound {
    /// Blocks along each axis; axes that the plan does not name have one.
    pub grid: [u32; 3],
    /// Values of the symbols; `None` where every tensor that binds one is absent.
    pub symbols: Vec<Option<i64>>,
    /// The machine words, in the order of the plan's `abi`.
    pub words: Vec<Word>,
    /// The tensor maps, in the order of the plan's `maps`; `None` where the tensor is absent or nothing
    /// is launched.
    pub maps: Vec<Option<BoundMap>>,
}

/// One machine word of a bound launch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// The address of the tensor that is the parameter of that number.
    Tensor(u32),
    /// The null address of an absent tensor.
    Null,
    /// A number, zero-extended.
    Bits(u64),
    /// The descriptor of the tensor map of that number.
    Map(u32),
}

impl Bound {
    /// Whether the grid has a zero: nothing is launched, and that is no error (law L3).
    pub fn is_empty(&self) -> bool {
        self.grid.contains(&0)
    }
}

impl LaunchPlan {
    /// Checks `args` by every rule and works out what a launcher needs. Arguments left out at the
    /// end count as [`Argument::Absent`].
    pub fn bind(&self, args: &[Argument], device: &Device) -> Result<Bound, LaunchError> {
        Binder::new(self, args, *device)
            .bind()
            .map_err(|problem| LaunchError { kernel: self.kernel.clone(), problem })
    }

    /// The text of an expression in this plan's names.
    pub fn text_of(&self, expr: &Expr) -> String {
        expr.text(&|it| self.symbol_name(it), &|it| self.param_name(it))
    }

    fn symbol_name(&self, symbol: u32) -> String {
        self.symbols.get(symbol as usize).map_or_else(String::new, |it| it.name.clone())
    }

    fn param_name(&self, param: u32) -> String {
        self.params.get(param as usize).map_or_else(String::new, |it| it.name.clone())
    }
}

/// A tensor or pointer parameter beside the tensor that is given for it.
struct Tensor<'a> {
    param: &'a Param,
    /// Declared extents; none for a pointer, which takes any.
    dims: &'a [Expr],
    strides: Option<&'a [Expr]>,
    align: u32,
    shape: Vec<i64>,
    given_strides: Vec<i64>,
    address: u64,
}

struct Binder<'a> {
    plan: &'a LaunchPlan,
    args: &'a [Argument],
    device: Device,
    symbols: Vec<Option<i64>>,
    sightings: Vec<Option<Sighting>>,
    scalars: Vec<Option<i64>>,
}

impl<'a> Binder<'a> {
    fn new(plan: &'a LaunchPlan, args: &'a [Argument], device: Device) -> Self {
        Binder {
            plan,
            args,
            device,
            symbols: vec![None; plan.symbols.len()],
            sightings: vec![None; plan.symbols.len()],
            scalars: vec![None; plan.params.len()],
        }
    }

    fn bind(mut self) -> Result<Bound, Problem> {
        let plan = self.plan;
        if plan.params.len() < self.args.len() {
            let (given, expected) = (self.args.len(), plan.params.len());
            return Err(Problem::TooManyArguments { given, expected });
        }
        let mut tensors = Vec::new();
        let mut scalar_words = vec![0; plan.params.len()];
        for (idx, param) in plan.params.iter().enumerate() {
            if let Some(it) = self.tensor(param, self.arg(idx))? {
                tensors.push(it);
            }
            if let Some((word, value)) = scalar(param, self.arg(idx))? {
                scalar_words[idx] = word;
                self.scalars[idx] = value;
            }
        }
        for tensor in &tensors {
            self.bind_names(tensor)?;
        }
        for tensor in &tensors {
            self.check_tensor(tensor)?;
        }
        self.check_clauses()?;
        let grid = self.grid()?;
        let maps =
            if grid.contains(&0) { vec![None; plan.maps.len()] } else { self.maps(&tensors)? };
        let words = plan.abi.iter().map(|it| self.word(it, &scalar_words)).collect();
        Ok(Bound { grid, words, maps, symbols: self.symbols })
    }

    fn arg(&self, param: usize) -> &'a Argument {
        self.args.get(param).unwrap_or(&Argument::Absent)
    }

    /// The tensor that is given for `param`; `None` if that is a scalar or rightly absent.
    fn tensor(&self, param: &'a Param, arg: &Argument) -> Result<Option<Tensor<'a>>, Problem> {
        let (dtype, dims, strides, align, optional) = match &param.kind {
            ParamKind::Tensor { dtype, dims, strides, align, optional, .. } => {
                (dtype, Some(&dims[..]), strides.as_deref(), *align, *optional)
            }
            ParamKind::Pointer { dtype, align } => (dtype, None, None, *align, false),
            ParamKind::Scalar { .. } => return Ok(None),
        };
        let name = || param.name.clone();
        let given = match arg {
            Argument::Tensor(it) => it,
            Argument::Absent if optional => return Ok(None),
            Argument::Absent => return Err(Problem::Missing { param: name() }),
            Argument::Scalar(_) => {
                return Err(Problem::Kind { param: name(), expected: "tensor", given: "scalar" });
            }
        };
        if given.dtype != *dtype {
            let (expected, given) = (dtype.clone(), given.dtype.clone().into_owned());
            return Err(Problem::Dtype { param: name(), expected, given });
        }
        let expected = dims.map_or(given.shape.len(), <[Expr]>::len);
        let ranks = [given.shape.len(), given.strides.as_ref().map_or(expected, Vec::len)];
        if let Some(&rank) = ranks.iter().find(|&&it| it != expected) {
            return Err(Problem::Rank { param: name(), expected, given: rank });
        }
        let shape = given.shape.iter().map(|&it| self.extent(it)).collect::<Result<Vec<_>, _>>()?;
        let given_strides = match &given.strides {
            Some(it) => it.clone(),
            None => contiguous_strides(&shape),
        };
        let dims = dims.unwrap_or_default();
        let address = given.address;
        Ok(Some(Tensor { param, dims, strides, align, shape, given_strides, address }))
    }

    fn extent(&self, extent: u64) -> Result<i64, Problem> {
        let too_large =
            || Problem::TooLarge { name: "extent".to_owned(), value: extent.into(), bits: 63 };
        i64::try_from(extent).map_err(|_| too_large())
    }

    /// Binds the names that extents or strides of `tensor` bind.
    fn bind_names(&mut self, tensor: &Tensor<'_>) -> Result<(), Problem> {
        let strides = tensor.strides.unwrap_or_default();
        let extents = tensor.dims.iter().zip(&tensor.shape).enumerate();
        let strides = strides.iter().zip(&tensor.given_strides).enumerate();
        let extents = extents.map(|(axis, it)| (axis, false, it));
        let strides = strides.map(|(axis, it)| (axis, true, it));
        for (axis, stride, (expr, &value)) in extents.chain(strides) {
            if let Some((symbol, value)) = expr.solve(value) {
                let param = tensor.param.name.clone();
                self.bind_symbol(symbol as usize, Sighting { param, axis, stride, value })?;
            }
        }
        Ok(())
    }

    fn bind_symbol(&mut self, symbol: usize, sighting: Sighting) -> Result<(), Problem> {
        let declared = &self.plan.symbols[symbol];
        let value = sighting.value;
        match &self.sightings[symbol] {
            Some(first) if first.value != value => Err(Problem::Conflict {
                name: declared.name.clone(),
                first: Box::new(first.clone()),
                second: Box::new(sighting),
            }),
            _ if declared.bits < 64 && i32::try_from(value).is_err() => Err(Problem::TooLarge {
                name: declared.name.clone(),
                value: value.into(),
                bits: declared.bits,
            }),
            _ => {
                self.symbols[symbol] = Some(value);
                self.sightings[symbol].get_or_insert(sighting);
                Ok(())
            }
        }
    }

    fn check_tensor(&self, tensor: &Tensor<'_>) -> Result<(), Problem> {
        let param = || tensor.param.name.clone();
        for (axis, (dim, &given)) in tensor.dims.iter().zip(&tensor.shape).enumerate() {
            let expected = self.eval(dim)?;
            if expected != given {
                let text = self.plan.text_of(dim);
                return Err(Problem::Extent { param: param(), axis, text, expected, given });
            }
        }
        self.check_strides(tensor)?;
        self.check_whole_bytes(tensor)?;
        let is_empty = tensor.shape.contains(&0);
        if !is_empty && !tensor.address.is_multiple_of(u64::from(tensor.align.max(1))) {
            let (address, align) = (tensor.address, tensor.align);
            return Err(Problem::Alignment { param: param(), address, align });
        }
        Ok(())
    }

    /// Strides must be as declared, except where nothing can be reached through them.
    fn check_strides(&self, tensor: &Tensor<'_>) -> Result<(), Problem> {
        if tensor.shape.contains(&0) {
            return Ok(());
        }
        let expected = match tensor.strides {
            Some(it) => it.iter().map(|it| self.eval(it)).collect::<Result<Vec<_>, _>>()?,
            None => contiguous_strides(&tensor.shape),
        };
        for (axis, (&expected, &given)) in expected.iter().zip(&tensor.given_strides).enumerate() {
            if expected != given && tensor.shape[axis] != 1 {
                let (param, contiguous) = (tensor.param.name.clone(), tensor.strides.is_none());
                return Err(Problem::Stride { param, axis, expected, given, contiguous });
            }
        }
        Ok(())
    }

    /// Of elements smaller than a byte, neighbours in memory and what lies apart begin at whole bytes.
    fn check_whole_bytes(&self, tensor: &Tensor<'_>) -> Result<(), Problem> {
        let ParamKind::Tensor { dtype, .. } = &tensor.param.kind else { return Ok(()) };
        let Some(whole) = elements_of_whole_bytes(dtype) else { return Ok(()) };
        let problem = |axis: usize, is_stride: bool, elements: i64| {
            let param = tensor.param.name.clone();
            Err(Problem::PartOfByte { param, axis, is_stride, elements, whole })
        };
        let Some(strides) = tensor.strides else {
            return match tensor.shape.last() {
                Some(it) if it % whole != 0 => problem(tensor.shape.len() - 1, false, *it),
                _ => Ok(()),
            };
        };
        for (axis, stride) in strides.iter().enumerate() {
            let is_stride = *stride != Expr::Int(1);
            let elements = if is_stride { self.eval(stride)? } else { tensor.shape[axis] };
            if elements % whole != 0 {
                return problem(axis, is_stride, elements);
            }
        }
        Ok(())
    }

    fn check_clauses(&self) -> Result<(), Problem> {
        for check in &self.plan.checks {
            match check.expr.eval(&self.environment()) {
                Ok(0) => {
                    let (text, values) = (check.text.clone(), self.values_in(&check.expr));
                    return Err(Problem::Where { text, values });
                }
                Ok(_) | Err(EvalError::Unbound(_)) => {}
                Err(error) => {
                    let (clause, values) = (check.text.clone(), self.values_in(&check.expr));
                    return Err(Problem::Eval { clause: format!("where {clause}"), error, values });
                }
            }
        }
        Ok(())
    }

    fn maps(&self, tensors: &[Tensor<'_>]) -> Result<Vec<Option<BoundMap>>, Problem> {
        let of = |param: &Param| tensors.iter().find(|it| std::ptr::eq(it.param, param));
        let bound = self.plan.maps.iter().map(|map| {
            let Some(tensor) = of(&self.plan.params[map.param as usize]) else { return Ok(None) };
            let bound = map.bind(&tensor.shape, &tensor.given_strides, tensor.address);
            let refused = |rule| Problem::Map { param: tensor.param.name.clone(), rule };
            bound.map(Some).map_err(refused)
        });
        bound.collect()
    }

    fn grid(&self) -> Result<[u32; 3], Problem> {
        let mut extents = [1; 3];
        for (extent, expr) in extents.iter_mut().zip(&self.plan.grid) {
            *extent = self.eval(expr)?;
        }
        let negative = extents.iter().any(|&it| it < 0);
        if extents.contains(&0) && !negative {
            return Ok([0; 3]);
        }
        let mut grid = [1; 3];
        for (axis, (&value, max)) in extents.iter().zip(GRID_MAX).enumerate() {
            grid[axis] = u32::try_from(value).ok().filter(|&it| it <= max).ok_or_else(|| {
                let text =
                    self.plan.grid.get(axis).map_or_else(String::new, |it| self.plan.text_of(it));
                Problem::Grid { axis, value, max, text }
            })?;
        }
        self.check_clusters(&grid)?;
        Ok(grid)
    }

    /// Along every axis the grid is a whole number of clusters.
    fn check_clusters(&self, grid: &[u32; 3]) -> Result<(), Problem> {
        let extents = self.plan.cluster_extents();
        let Some(axis) = (0..3).find(|&it| !grid[it].is_multiple_of(extents[it])) else {
            return Ok(());
        };
        let text = self.plan.grid.get(axis).map_or("1".to_owned(), |it| self.plan.text_of(it));
        Err(Problem::Cluster { axis, value: grid[axis], blocks: extents[axis], text })
    }

    fn word(&self, slot: &AbiSlot, scalar_words: &[u64]) -> Word {
        match *slot {
            AbiSlot::Address(param) => match self.arg(param as usize) {
                Argument::Tensor(_) => Word::Tensor(param),
                Argument::Scalar(_) | Argument::Absent => Word::Null,
            },
            AbiSlot::Symbol(symbol) => {
                let bits = self.plan.symbols[symbol as usize].bits.clamp(1, 64);
                let value = self.symbols[symbol as usize].unwrap_or(0) as u64;
                Word::Bits(value & u64::MAX >> (64 - bits))
            }
            AbiSlot::Scalar(param) => Word::Bits(scalar_words[param as usize]),
            AbiSlot::Map(map) => Word::Map(map),
        }
    }

    fn eval(&self, expr: &Expr) -> Result<i64, Problem> {
        expr.eval(&self.environment()).map_err(|error| Problem::Eval {
            clause: self.plan.text_of(expr),
            error,
            values: self.values_in(expr),
        })
    }

    fn environment(&self) -> Environment<'_> {
        Environment { symbols: &self.symbols, scalars: &self.scalars, device: self.device }
    }

    /// What the names in `expr` stand for, each once.
    fn values_in(&self, expr: &Expr) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        expr.walk_names(&mut |it| {
            let name = self.plan.text_of(it);
            if let Ok(value) = it.eval(&self.environment())
                && values.iter().all(|it| it.name != name)
            {
                values.push(Value { name, value });
            }
        });
        values
    }
}

/// The machine word of a scalar parameter, with its value if it is an integer; `None` for a tensor.
fn scalar(param: &Param, arg: &Argument) -> Result<Option<(u64, Option<i64>)>, Problem> {
    let ParamKind::Scalar { dtype, default } = &param.kind else {
        return Ok(None);
    };
    let name = || param.name.clone();
    let given = match (arg, default) {
        (Argument::Scalar(it), _) => *it,
        (Argument::Absent, Some(it)) => *it,
        (Argument::Absent, None) => return Err(Problem::Missing { param: name() }),
        (Argument::Tensor(_), _) => {
            return Err(Problem::Kind { param: name(), expected: "scalar", given: "tensor" });
        }
    };
    let word = Format::from_name(dtype).and_then(|it| it.encode(given)).ok_or_else(|| {
        let value = match given {
            Scalar::Int(it) => it.to_string(),
            Scalar::Float(it) => format!("{it:?}"),
        };
        Problem::Scalar { param: name(), dtype: dtype.clone(), value }
    })?;
    let value = match given {
        Scalar::Int(it) => Some(it),
        Scalar::Float(_) => None,
    };
    Ok(Some((word, value)))
}

/// Row-major strides. Saturates where a shape is larger than any memory.
fn contiguous_strides(shape: &[i64]) -> Vec<i64> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = shape[axis].max(1).saturating_mul(strides[axis]);
    }
    strides
}

#[cfg(test)]
mod tests;
