//! Which tensor pointers point into.

use std::collections::HashMap;

use crate::ir::{Elem, Inst, Kernel, Value};
use crate::op::{MemoryOp, Op};

/// The tensor of all pointers of a kernel that come from one alone.
pub fn pointed_tensors(kernel: &Kernel) -> HashMap<Value, u32> {
    let mut tensors = HashMap::new();
    kernel.body.walk(&mut |inst| {
        if let Some(tensor) = tensor_of(kernel, &tensors, inst) {
            let results = inst.results.iter().filter(|&&it| is_pointer(kernel, it));
            tensors.extend(results.map(|&it| (it, tensor)));
        }
    });
    tensors
}

/// The one tensor that an instruction's pointers come from.
fn tensor_of(kernel: &Kernel, known: &HashMap<Value, u32>, inst: &Inst) -> Option<u32> {
    if let Op::Memory(MemoryOp::At { tensor }) = inst.op {
        return Some(tensor);
    }
    let mut pointers = inst.operands.iter().filter(|&&it| is_pointer(kernel, it));
    let first = known.get(pointers.next()?)?;
    pointers.all(|it| known.get(it) == Some(first)).then_some(*first)
}

fn is_pointer(kernel: &Kernel, value: Value) -> bool {
    matches!(kernel.ty(value).elem, Elem::Pointer(_))
}
