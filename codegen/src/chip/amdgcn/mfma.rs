//! `v_mfma` through LLVM's intrinsics. Source: CDNA3 and CDNA4 ISA, section 7; LLVM 22,
//! `IntrinsicsAMDGPU.td`.

use inkwell::types::BasicTypeEnum;
use tile_language::dtype::DType;
use tile_language::target::mma::MatrixRow;

use super::Amdgcn;
use crate::chip::matrix::MatrixUnit;
use crate::emit::{Emit, Val, vector_type, width};

/// The type of an element in the name of an instruction.
fn name(dtype: DType) -> &'static str {
    match dtype {
        DType::Tf32 => "xf32",
        DType::F8E4M3 | DType::F8E4M3Fnuz => "fp8",
        DType::F8E5M2 | DType::F8E5M2Fnuz => "bf8",
        other => other.name(),
    }
}

/// Instructions of CDNA1 and CDNA2 have no dot before their factors' type.
fn intrinsic(row: &MatrixRow, left: DType, right: DType) -> String {
    let (m, n, k, acc) = (row.m, row.n, row.k, name(row.acc));
    let held = row.a_slots();
    let factors = match left {
        DType::F32 | DType::F64 => name(left).to_owned(),
        DType::F16 if held == 4 => "f16".to_owned(),
        DType::Bf16 if held == 4 => "bf16.1k".to_owned(),
        DType::F16 | DType::Bf16 | DType::I8 | DType::Tf32 => format!(".{}", name(left)),
        _ => format!(".{}.{}", name(left), name(right)),
    };
    format!("llvm.amdgcn.mfma.{acc}.{m}x{n}x{k}{factors}")
}

/// A factor is one vector of its elements, under the type that the intrinsic happened to get.
impl MatrixUnit for Amdgcn {
    fn matrix_operand<'c>(&self, emit: &Emit<'c>, elements: &[Val<'c>]) -> Vec<Val<'c>> {
        let (element, n) = (elements[0].get_type(), elements.len());
        let ty: BasicTypeEnum<'c> = match (width(element), n) {
            (8, 8) => emit.i64().into(),
            (8, _) => vector_type(emit.i32().into(), n as u32 / 4),
            (16, 4) if element == emit.context.bf16_type().into() => {
                vector_type(emit.int_type(16).into(), 4)
            }
            (_, 1) => element,
            _ => vector_type(element, n as u32),
        };
        vec![emit.bitcast(emit.pack(elements), ty)]
    }

    fn matrix_acc<'c>(&self, emit: &Emit<'c>, elements: &[Val<'c>]) -> Vec<Val<'c>> {
        vec![emit.pack(elements)]
    }

    fn matrix_elements<'c>(
        &self,
        emit: &Emit<'c>,
        row: &MatrixRow,
        acc: &[Val<'c>],
    ) -> Vec<Val<'c>> {
        emit.unpack(acc[0], row.acc_slots() as usize)
    }

    fn multiply<'c>(
        &self,
        emit: &Emit<'c>,
        row: &MatrixRow,
        swapped: bool,
        [left, right]: [&[Val<'c>]; 2],
        acc: &[Val<'c>],
    ) -> Vec<Val<'c>> {
        let (a, b) = if swapped { (row.b, row.a) } else { (row.a, row.b) };
        // No block of the left factor and no lanes of the right one are handed round; for doubles, no
        // argument is negated.
        let control = [emit.int(0).into(); 3];
        let args = [left, right, acc, &control].concat();
        vec![emit.intrinsic(&intrinsic(row, a, b), &[], &args).expect("a product has a value")]
    }
}
