//! Rule V8: the kernel and its launch plan speak of the same arguments.

use tile_plan::{AbiSlot, Expr, Param, ParamKind, TensorMap};

use super::{Rule, Verifier, pointer};
use crate::dtype::DType;
use crate::ir::{Elem, Tensor, Type};

impl<'a> Verifier<'a> {
    pub(super) fn plan(&mut self) {
        let plan = &self.kernel.plan;
        let axes = plan.grid.len();
        self.require(Rule::V8, (1..=3).contains(&axes), || {
            format!("the grid has {axes} axes, one to three are possible")
        });
        let threads = self.kernel.warps * self.kernel.target.row().lanes;
        self.require(Rule::V8, plan.threads == threads, || {
            format!("the plan has {} threads, the warps have {threads}", plan.threads)
        });
        let cluster =
            plan.cluster.len() <= 3 && plan.cluster.iter().all(|it| (1..=16).contains(it));
        self.require(Rule::V8, cluster && plan.cluster_size() <= 16, || {
            format!("a cluster of {:?} blocks, up to 16 are possible", plan.cluster)
        });
        let exprs = plan.grid.iter().chain(plan.checks.iter().map(|it| &it.expr));
        exprs.for_each(|it| self.expr(it));
        plan.params.iter().for_each(|it| self.param(it));
        plan.maps.iter().for_each(|it| self.tensor_map(it));
        self.abi();
        self.tensor_params();
    }

    fn param(&mut self, param: &'a Param) {
        let name = &param.name;
        match &param.kind {
            ParamKind::Tensor { dtype, dims, strides, .. } => {
                self.dtype(name, dtype);
                dims.iter().chain(strides.iter().flatten()).for_each(|it| self.expr(it));
                let ranks = strides.as_ref().is_none_or(|it| it.len() == dims.len());
                self.require(Rule::V8, ranks, || {
                    format!("parameter `{name}` has another number of strides than of extents")
                });
            }
            ParamKind::Pointer { dtype, .. } | ParamKind::Scalar { dtype, .. } => {
                self.dtype(name, dtype);
            }
        }
    }

    fn dtype(&mut self, param: &str, dtype: &str) {
        let known = DType::from_name(dtype).is_some();
        self.require(Rule::V8, known, || {
            format!("parameter `{param}` has the unknown type `{dtype}`")
        });
    }

    fn expr(&mut self, expr: &'a Expr) {
        let plan = &self.kernel.plan;
        match expr {
            Expr::Int(_) | Expr::NumSms | Expr::MaxResident => {}
            Expr::Symbol(it) => {
                let known = (*it as usize) < plan.symbols.len();
                self.require(Rule::V8, known, || {
                    format!("a launch expression uses symbol {it}, which does not exist")
                });
            }
            Expr::Scalar(it) => {
                let scalar = matches!(
                    plan.params.get(*it as usize),
                    Some(Param { kind: ParamKind::Scalar { .. }, .. })
                );
                self.require(Rule::V8, scalar, || {
                    format!("a launch expression uses parameter {it}, which is no scalar")
                });
            }
            Expr::Apply(_, args) => args.iter().for_each(|it| self.expr(it)),
        }
    }

    /// A map is of a tensor, and some launch satisfies its rules.
    fn tensor_map(&mut self, map: &'a TensorMap) {
        let rank = match self.kernel.plan.params.get(map.param as usize).map(|it| &it.kind) {
            Some(ParamKind::Tensor { dims, .. }) => Some(dims.len()),
            Some(ParamKind::Pointer { .. } | ParamKind::Scalar { .. }) | None => None,
        };
        let mut axes = map.axes.clone();
        axes.sort_unstable();
        let all = rank.is_some_and(|rank| axes.iter().copied().eq(0..rank as u32));
        self.require(Rule::V8, all, || "a tensor map has each dimension of a tensor".to_owned());
        let violated = map.violated();
        self.require(Rule::V8, violated.is_none(), || {
            let rule = violated.map_or(String::new(), |it| it.to_string());
            format!("a tensor map has {rule}")
        });
    }

    /// The body's parameters are the machine words, one value each.
    fn abi(&mut self) {
        let kernel = self.kernel;
        let (params, abi) = (&kernel.body.params, &kernel.plan.abi);
        let (n_params, n_words) = (params.len(), abi.len());
        self.require(Rule::V8, n_params == n_words, || {
            format!("the body has {n_params} parameters for {n_words} machine words")
        });
        for (&param, slot) in params.iter().zip(abi) {
            let wanted = self.slot_type(slot);
            let same = wanted.is_some() && self.ty(param) == wanted.as_ref();
            self.require(Rule::V8, same, || {
                format!("{param} has not the type of its machine word {slot:?}")
            });
        }
    }

    fn slot_type(&self, slot: &AbiSlot) -> Option<Type> {
        let plan = &self.kernel.plan;
        match slot {
            AbiSlot::Address(it) => match &plan.params.get(*it as usize)?.kind {
                ParamKind::Tensor { dtype, .. } | ParamKind::Pointer { dtype, .. } => {
                    DType::from_name(dtype).map(pointer)
                }
                ParamKind::Scalar { .. } => None,
            },
            AbiSlot::Symbol(it) => match plan.symbols.get(*it as usize)?.bits {
                32 => Some(Type::scalar(DType::I32)),
                64 => Some(Type::scalar(DType::I64)),
                _ => None,
            },
            AbiSlot::Scalar(it) => match &plan.params.get(*it as usize)?.kind {
                ParamKind::Scalar { dtype, .. } => DType::from_name(dtype).map(Type::scalar),
                ParamKind::Tensor { .. } | ParamKind::Pointer { .. } => None,
            },
            AbiSlot::Map(it) => plan.maps.get(*it as usize).map(|_| Type::single(Elem::Map)),
        }
    }

    fn tensor_params(&mut self) {
        let kernel = self.kernel;
        let params: Vec<&Param> = kernel
            .plan
            .params
            .iter()
            .filter(|it| matches!(it.kind, ParamKind::Tensor { .. }))
            .collect();
        let (n_tensors, n_params) = (kernel.tensors.len(), params.len());
        self.require(Rule::V8, n_tensors == n_params, || {
            format!("the kernel has {n_tensors} tensors for {n_params} tensor parameters")
        });
        for (tensor, param) in kernel.tensors.iter().zip(params) {
            let same = agrees(tensor, param);
            self.require(Rule::V8, same, || {
                format!("tensor `{}` is not parameter `{}`", tensor.name, param.name)
            });
        }
    }
}

fn agrees(tensor: &Tensor, param: &Param) -> bool {
    match &param.kind {
        ParamKind::Tensor { dtype, dims, mutable, optional, .. } => {
            DType::from_name(dtype) == Some(tensor.dtype)
                && dims.len() == tensor.dims.len()
                && *mutable == tensor.mutable
                && *optional == tensor.optional
        }
        ParamKind::Pointer { .. } | ParamKind::Scalar { .. } => false,
    }
}
