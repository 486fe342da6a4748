//! Where the kernel's buffers lie in the block's shared memory.

use std::collections::HashMap;

use tile_language::ir::{Kernel, Type, Value};
use tile_language::op::{Op, SharedOp};

/// Every buffer begins at a multiple of this, so that the widest accesses are possible.
const BUFFER_ALIGN: u32 = 16;

/// The buffers of a kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Buffers {
    offsets: HashMap<Value, u32>,
    /// Bytes from the first buffer to the end of the last.
    pub(crate) bytes: u32,
    /// What has to divide the address of the first byte.
    pub(crate) align: u32,
}

impl Buffers {
    /// One after the other, in the order of the program.
    pub(crate) fn of(kernel: &Kernel) -> Buffers {
        let mut buffers = Buffers { offsets: HashMap::new(), bytes: 0, align: BUFFER_ALIGN };
        kernel.body.walk(&mut |inst| {
            if let Op::Shared(SharedOp::Alloc { align }) = inst.op {
                let align = align.max(BUFFER_ALIGN);
                let start = buffers.bytes.next_multiple_of(align);
                buffers.offsets.insert(inst.results[0], start);
                buffers.bytes = start + bytes(kernel.ty(inst.results[0]));
                buffers.align = buffers.align.max(align);
            }
        });
        buffers
    }

    /// The first byte of a buffer.
    pub(crate) fn offset(&self, buffer: Value) -> u32 {
        self.offsets[&buffer]
    }
}

/// Bytes of a whole buffer, padding included.
fn bytes(ty: &Type) -> u32 {
    (ty.map().buffer_len() * ty.elem.bits()).div_ceil(8)
}
