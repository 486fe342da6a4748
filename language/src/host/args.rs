//! Arguments of host functions: by place or by name, with their defaults.

use std::sync::Arc;

use smol_str::SmolStr;

use super::TensorId;
use crate::diagnostic::Code;
use crate::dtype::DType;
use crate::elab::host::HostError;
use crate::elab::value::{Arg, TypeValue, Value};

/// A failure of a host function.
pub(super) fn error(code: Code, message: impl Into<String>) -> HostError {
    HostError { code, message: message.into(), details: vec![], site: None, because: vec![] }
}

/// A call that cannot be made: the arguments do not fit.
pub(super) fn unfit<T>(message: impl Into<String>) -> Result<T, HostError> {
    Err(error(Code::E0450, message))
}

/// A number of host code.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    pub(super) fn of(value: &Value) -> Option<Number> {
        match value {
            Value::Int(it) => Some(Number::Int(*it)),
            Value::Float(it) => Some(Number::Float(*it)),
            Value::Bool(it) => Some(Number::Int(i128::from(*it))),
            _ => None,
        }
    }

    pub(super) fn as_f64(self) -> f64 {
        match self {
            Number::Int(it) => it as f64,
            Number::Float(it) => it,
        }
    }

    pub(super) fn bits(self, dtype: DType) -> u64 {
        match self {
            Number::Int(it) => super::tensor::of_int(dtype, it),
            Number::Float(it) => super::tensor::of_number(dtype, it),
        }
    }
}

/// The arguments of one call.
pub(super) struct Args<'a> {
    function: String,
    args: &'a [Arg],
    /// Names that were asked for.
    asked: Vec<&'static str>,
}

impl<'a> Args<'a> {
    pub(super) fn new(path: &[SmolStr], args: &'a [Arg]) -> Args<'a> {
        Args { function: path.join("::"), args, asked: vec![] }
    }

    pub(super) fn unfit<T>(&self, message: impl std::fmt::Display) -> Result<T, HostError> {
        unfit(format!("`{}` {message}", self.function))
    }

    /// Whether the parameter that comes next was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name, self.asked.len()).is_some()
    }

    /// The argument of that name, or the next one without a name.
    pub(super) fn maybe(&mut self, name: &'static str) -> Option<&'a Value> {
        self.asked.push(name);
        self.find(name, self.asked.len() - 1)
    }

    fn find(&self, name: &str, place: usize) -> Option<&'a Value> {
        let named = self.args.iter().find(|it| it.name.as_deref() == Some(name));
        // Unnamed arguments stand in the order of the parameters; a named one leaves its place empty.
        let unnamed = || self.args.get(place).filter(|it| it.name.is_none());
        named.or_else(unnamed).map(|it| &it.value)
    }

    pub(super) fn value(&mut self, name: &'static str) -> Result<&'a Value, HostError> {
        match self.maybe(name) {
            Some(it) => Ok(it),
            None => self.unfit(format_args!("needs `{name}`")),
        }
    }

    pub(super) fn tensor(&mut self, name: &'static str) -> Result<TensorId, HostError> {
        match self.value(name)? {
            Value::Host(it) => Ok(*it),
            _ => self.unfit(format_args!("wants a tensor for `{name}`")),
        }
    }

    pub(super) fn number(&mut self, name: &'static str) -> Result<Number, HostError> {
        let value = self.value(name)?;
        Number::of(value)
            .map_or_else(|| self.unfit(format_args!("wants a number for `{name}`")), Ok)
    }

    pub(super) fn number_or(&mut self, name: &'static str, default: f64) -> Result<f64, HostError> {
        match self.maybe(name) {
            None => Ok(default),
            Some(value) => match Number::of(value) {
                Some(it) => Ok(it.as_f64()),
                None => self.unfit(format_args!("wants a number for `{name}`")),
            },
        }
    }

    pub(super) fn int(&mut self, name: &'static str) -> Result<i128, HostError> {
        match self.value(name)? {
            Value::Int(it) => Ok(*it),
            _ => self.unfit(format_args!("wants an integer for `{name}`")),
        }
    }

    pub(super) fn int_or(&mut self, name: &'static str, default: i128) -> Result<i128, HostError> {
        match self.maybe(name) {
            None => Ok(default),
            Some(Value::Int(it)) => Ok(*it),
            Some(_) => self.unfit(format_args!("wants an integer for `{name}`")),
        }
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Result<bool, HostError> {
        match self.maybe(name) {
            None => Ok(false),
            Some(Value::Bool(it)) => Ok(*it),
            Some(_) => self.unfit(format_args!("wants `true` or `false` for `{name}`")),
        }
    }

    /// An axis of a tensor of that rank; negative ones count from the end.
    pub(super) fn axis(&mut self, rank: usize) -> Result<usize, HostError> {
        let axis = self.int_or("axis", -1)?;
        let from_front = if axis < 0 { axis + rank as i128 } else { axis };
        if (0..rank as i128).contains(&from_front) {
            return Ok(from_front as usize);
        }
        self.unfit(format_args!("has no axis {axis}, the tensor has {rank} dimensions"))
    }

    /// A type with extents: `f32[37, 1000]`.
    pub(super) fn shape(&mut self) -> Result<(DType, Vec<u64>), HostError> {
        let value = self.value("type")?;
        match shape_of(value) {
            Some(it) => Ok(it),
            None => self.unfit("wants a type with extents, `f32[37, 1000]`"),
        }
    }

    pub(super) fn dtype(&mut self) -> Result<DType, HostError> {
        match self.value("type")? {
            Value::Type(TypeValue::Scalar(it)) => Ok(*it),
            _ => self.unfit("wants an element type"),
        }
    }

    /// Refuses what no parameter took.
    pub(super) fn end(&self) -> Result<(), HostError> {
        for (place, arg) in self.args.iter().enumerate() {
            match &arg.name {
                Some(name) if !self.asked.iter().any(|it| it == name) => {
                    return self.unfit(format_args!("has no parameter `{name}`"));
                }
                None if self.asked.len() <= place => {
                    let most = self.asked.len();
                    return self.unfit(format_args!("takes {most} arguments at most"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Element type and extents of a type.
pub(super) fn shape_of(value: &Value) -> Option<(DType, Vec<u64>)> {
    match value {
        Value::Type(TypeValue::Host { elem, shape }) => Some((*elem, shape.to_vec())),
        Value::Type(TypeValue::Scalar(elem)) => Some((*elem, vec![])),
        Value::Type(TypeValue::Tile { elem, shape, .. }) => {
            Some((elem.data()?, shape.iter().map(|&it| u64::from(it)).collect()))
        }
        _ => None,
    }
}

/// The integers of `[a, b]` or of a tuple.
pub(super) fn ints(value: &Value) -> Option<Vec<i128>> {
    let items: &Arc<[Value]> = match value {
        Value::Array(it) | Value::Tuple(it) => it,
        _ => return None,
    };
    let one = |it: &Value| if let Value::Int(it) = it { Some(*it) } else { None };
    items.iter().map(one).collect()
}
