//! `mma.sync` through LLVM's intrinsics. Source: PTX ISA 9.7.14.5; LLVM 22, `IntrinsicsNVVM.td`.

use inkwell::types::BasicTypeEnum;
use tile_language::dtype::DType;
use tile_language::target::mma::MatrixRow;

use super::Ptx;
use crate::chip::matrix::MatrixUnit;
use crate::emit::{Emit, Val, width};

/// The type of an element in the name of an instruction.
fn name(dtype: DType) -> &'static str {
    match dtype {
        DType::I8 => "s8",
        DType::I32 => "s32",
        DType::F8E4M3 => "e4m3",
        DType::F8E5M2 => "e5m2",
        other => other.name(),
    }
}

/// LLVM leaves out of the name what follows from the rest of it.
fn intrinsic(row: &MatrixRow) -> String {
    let (m, n, k) = (row.m, row.n, row.k);
    let (a, b, acc) = (name(row.a), name(row.b), name(row.acc));
    let types = match row.a {
        DType::F16 => format!("{acc}.{acc}"),
        DType::F8E4M3 | DType::F8E5M2 => format!("{acc}.{a}.{b}.{acc}"),
        _ if row.a == row.b => a.to_owned(),
        _ => format!("{a}.{b}"),
    };
    format!("llvm.nvvm.mma.m{m}n{n}k{k}.row.col.{types}")
}

/// The version of PTX that has the instruction, in tenths (PTX ISA 9.7.14.5, notes).
pub(super) fn version(row: &MatrixRow) -> u32 {
    match row.a {
        DType::F8E4M3 | DType::F8E5M2 if (row.k, row.acc) == (32, DType::F32) => 84,
        DType::F8E4M3 | DType::F8E5M2 => 87,
        _ => 80,
    }
}

/// Elements of 16 bits and fewer share registers; those of `f16` stay vectors, others become words.
impl MatrixUnit for Ptx {
    fn matrix_operand<'c>(&self, emit: &Emit<'c>, elements: &[Val<'c>]) -> Vec<Val<'c>> {
        let element = elements[0].get_type();
        let n = (32 / width(element)).max(1) as usize;
        let is_kept = element == emit.context.f16_type().into() || 32 < width(element);
        let register = |chunk: &[Val<'c>]| {
            let it = emit.pack(chunk);
            if is_kept { it } else { emit.bitcast(it, emit.i32().into()) }
        };
        elements.chunks_exact(n).map(register).collect()
    }

    fn matrix_acc<'c>(&self, emit: &Emit<'c>, elements: &[Val<'c>]) -> Vec<Val<'c>> {
        match elements[0].get_type() {
            BasicTypeEnum::FloatType(it) if it.get_bit_width() == 16 => {
                self.matrix_operand(emit, elements)
            }
            _ => elements.to_vec(),
        }
    }

    fn matrix_elements<'c>(
        &self,
        emit: &Emit<'c>,
        row: &MatrixRow,
        acc: &[Val<'c>],
    ) -> Vec<Val<'c>> {
        let n = row.acc_slots() as usize / acc.len();
        acc.iter().flat_map(|&it| emit.unpack(it, n)).collect()
    }

    fn multiply<'c>(
        &self,
        emit: &Emit<'c>,
        row: &MatrixRow,
        swapped: bool,
        [left, right]: [&[Val<'c>]; 2],
        acc: &[Val<'c>],
    ) -> Vec<Val<'c>> {
        assert!(!swapped, "V11: only square instructions compute transposed products");
        let args = [left, right, acc].concat();
        let sums = emit.intrinsic(&intrinsic(row), &[], &args).expect("a product has a value");
        (0..acc.len() as u32).map(|it| emit.field(sums, it)).collect()
    }
}
