//! Memory of elements that are smaller than a byte.
//!
//! They have no addresses of their own, and no lowering moves them yet: whoever has them in memory is
//! told so, before a build could fail.

use crate::diagnostic::Diagnostic;
use crate::dtype::DType;
use crate::ir::{Elem, Inst, Kernel, SiteId};
use crate::report;

/// E0401, if a tensor argument has such elements.
pub(super) fn in_arguments(kernel: &Kernel) -> Option<Diagnostic> {
    let tensor = kernel.tensors.iter().find(|it| is_packed(it.dtype))?;
    Some(error(kernel, tensor.site, tensor.dtype))
}

/// E0401, if what an instruction reaches or makes points to such elements.
pub(super) fn in_instruction(kernel: &Kernel, inst: &Inst) -> Option<Diagnostic> {
    let values = inst.operands.iter().chain(&inst.results);
    let dtype = values.map(|it| kernel.ty(*it).elem).find_map(|it| match it {
        Elem::Pointer(dtype) | Elem::Shared(dtype) if is_packed(dtype) => Some(dtype),
        Elem::Pointer(_) | Elem::Shared(_) | Elem::Data(_) | Elem::Barrier | Elem::Map => None,
    })?;
    Some(error(kernel, inst.site, dtype))
}

fn is_packed(dtype: DType) -> bool {
    dtype.storage_bits() < 8
}

fn error(kernel: &Kernel, site: SiteId, dtype: DType) -> Diagnostic {
    let place = kernel.sites[site.0 as usize].place.clone();
    report::comptime::packed_memory(place, dtype)
}
