//! Descriptors: tensor maps as a copy engine reads them, made by the driver.
//!
//! How the 128 bytes are laid out is the driver's own matter; they are made for one address and copied into the
//! kernel's parameters.

use std::ffi::c_void;
use std::fmt;

use cudarc::driver::sys::{
    self, CUtensorMapDataType_enum as DataType, CUtensorMapFloatOOBfill_enum as Fill,
    CUtensorMapInterleave_enum as Interleave, CUtensorMapL2promotion_enum as Promotion,
    CUtensorMapSwizzle_enum as Swizzle,
};
use tile_plan::BoundMap;
use tile_plan::map::RANK_MAX;

use crate::gpu::{GpuError, failed};

/// What a device's copy engine is told of a tensor.
#[derive(Clone, Copy)]
#[repr(C, align(128))]
pub struct Descriptor(sys::CUtensorMap);

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Descriptor").finish_non_exhaustive()
    }
}

impl Descriptor {
    /// The descriptor of a tensor at that address. The driver must be loaded. Of a tensor without elements it is that of one
    /// zero, so the address is that of a zero.
    pub(crate) fn of(bound: &BoundMap, address: u64) -> Result<Descriptor, GpuError> {
        let map = &bound.map;
        let rank = map.axes.len() as u32;
        let steps = [1_u32; RANK_MAX];
        let mut made = Descriptor::of_absent();
        let is_empty = bound.sizes.contains(&0);
        let sizes: Vec<u64> = bound.sizes.iter().map(|&it| if is_empty { 1 } else { it }).collect();
        // SAFETY: the lists have an entry for each dimension, the strides one fewer, as the call wants; it reads them
        // and writes the 128 bytes of `made`, which are aligned to 128. The address is not followed.
        let status = unsafe {
            sys::cuTensorMapEncodeTiled(
                &mut made.0,
                data_type(&map.dtype, map.bits),
                rank,
                address as *mut c_void,
                sizes.as_ptr(),
                bound.strides.as_ptr(),
                map.extents.as_ptr(),
                steps.as_ptr(),
                Interleave::CU_TENSOR_MAP_INTERLEAVE_NONE,
                swizzle(map.swizzle),
                Promotion::CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                Fill::CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE,
            )
        };
        let doing = || format!("a tensor map of {:?} at {address:#x}", bound.sizes);
        status.result().map_err(|it| failed(doing(), it))?;
        Ok(made)
    }

    /// What stands where a tensor is absent: no copy may use it.
    pub(crate) fn of_absent() -> Descriptor {
        Descriptor(sys::CUtensorMap { opaque: [0; 16] })
    }

    /// Where its bytes lie.
    pub(crate) fn as_ptr(&self) -> *const c_void {
        std::ptr::from_ref(&self.0).cast()
    }
}

/// The type in which the engine combines elements; where it only moves them, their width says all.
fn data_type(dtype: &str, bits: u32) -> DataType {
    match (dtype, bits) {
        ("f16", _) => DataType::CU_TENSOR_MAP_DATA_TYPE_FLOAT16,
        ("bf16", _) => DataType::CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
        ("f32", _) => DataType::CU_TENSOR_MAP_DATA_TYPE_FLOAT32,
        ("f64", _) => DataType::CU_TENSOR_MAP_DATA_TYPE_FLOAT64,
        ("i32", _) => DataType::CU_TENSOR_MAP_DATA_TYPE_INT32,
        ("i64", _) => DataType::CU_TENSOR_MAP_DATA_TYPE_INT64,
        (_, 8) => DataType::CU_TENSOR_MAP_DATA_TYPE_UINT8,
        (_, 16) => DataType::CU_TENSOR_MAP_DATA_TYPE_UINT16,
        (_, 32) => DataType::CU_TENSOR_MAP_DATA_TYPE_UINT32,
        _ => DataType::CU_TENSOR_MAP_DATA_TYPE_UINT64,
    }
}

fn swizzle(bytes: u32) -> Swizzle {
    match bytes {
        32 => Swizzle::CU_TENSOR_MAP_SWIZZLE_32B,
        64 => Swizzle::CU_TENSOR_MAP_SWIZZLE_64B,
        128 => Swizzle::CU_TENSOR_MAP_SWIZZLE_128B,
        _ => Swizzle::CU_TENSOR_MAP_SWIZZLE_NONE,
    }
}
