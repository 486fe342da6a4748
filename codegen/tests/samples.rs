//! The sample kernels through the whole compiler, for every target.

use tile_codegen::{Artifacts, BuildOptions, build, find_lld, find_ptxas};
use tile_language::ir::parse::parse;
use tile_language::ir::{Kernel, samples};
use tile_language::target::{TARGETS, Target, TargetId, Vendor};

fn sample(text: &str, target: &str) -> Kernel {
    let mut kernel = parse(text).unwrap_or_else(|error| panic!("{error}"));
    kernel.target = TargetId::from_name(target).expect("the target exists");
    kernel
}

fn built(name: &str, text: &str, target: &Target) -> Artifacts {
    build(&sample(text, target.name), &BuildOptions { keeps_module: true, ..Default::default() })
        .unwrap_or_else(|error| panic!("{name} for {}: {error}", target.name))
}

/// How many instructions of the assembly begin with that.
fn count(made: &Artifacts, prefix: &str) -> u32 {
    made.resources.instructions.iter().filter(|it| it.0.starts_with(prefix)).map(|it| it.1).sum()
}

#[test]
fn every_sample_is_accepted_by_the_tools_that_are_found() {
    if find_ptxas().is_none() || find_lld().is_none() {
        eprintln!("ptxas or LLD was not found: only the assembly is made");
    }
    for target in TARGETS {
        for (name, text) in samples::ALL {
            let made = built(name, text, target);
            match target.vendor {
                Vendor::Nvidia => {
                    assert!(
                        made.ptx.is_some_and(|it| it.contains(&format!(".target {}", target.name))),
                        "{name}"
                    );
                    assert_eq!(made.cubin.is_some(), find_ptxas().is_some(), "{name}");
                }
                Vendor::Amd => {
                    assert!(made.assembly.is_some_and(|it| it.contains(target.name)), "{name}");
                    assert_eq!(made.hsaco.is_some(), find_lld().is_some(), "{name}");
                    assert_eq!(made.resources.spill_bytes, Some(0), "{name}");
                }
            }
        }
    }
}

#[test]
fn the_same_kernel_gives_the_same_bytes() {
    for target in TARGETS {
        for (name, text) in samples::ALL {
            assert_eq!(
                built(name, text, target),
                built(name, text, target),
                "{name} for {}",
                target.name
            );
        }
    }
}

#[test]
fn aligned_rows_are_moved_16_bytes_a_thread() {
    for target in TARGETS {
        for (name, text) in [("add", samples::ADD), ("softmax", samples::SOFTMAX)] {
            let made = built(name, text, target);
            assert!(
                made.resources.accesses.iter().all(|it| it.bytes == 16),
                "{name} for {}",
                target.name
            );
            let (wide_load, wide_store, any) = match target.vendor {
                Vendor::Nvidia => ("ld.global.nc.v", "st.global.v", "ld.global"),
                Vendor::Amd => ("global_load_dwordx4", "global_store_dwordx4", "global_load"),
            };
            assert!(
                count(&made, wide_load) > 0 && count(&made, wide_store) > 0,
                "{name} for {}",
                target.name
            );
            assert_eq!(count(&made, wide_load), count(&made, any), "{name} for {}", target.name);
        }
    }
}

#[test]
fn a_reduction_inside_a_warp_needs_no_shared_memory_and_no_barrier() {
    for target in TARGETS {
        let made = built("softmax", samples::SOFTMAX, target);
        assert_eq!(made.resources.shared_bytes, 0, "{}", target.name);
        assert_eq!(count(&made, "bar.sync") + count(&made, "s_barrier"), 0, "{}", target.name);
    }
}

#[test]
fn a_symmetric_reduction_over_lanes_is_one_shuffle_a_step() {
    let made = built(
        "softmax",
        samples::SOFTMAX,
        TargetId::from_name("sm_90a").expect("the target exists").row(),
    );
    assert_eq!(count(&made, "shfl.sync.bfly"), 10);
    assert_eq!(count(&made, "selp"), 0);
}

#[test]
fn a_masked_addition_in_ptx_and_in_amdgcn() {
    let row = |name: &str| TargetId::from_name(name).expect("the target exists").row();
    let ptx = built("add", samples::ADD, row("sm_90a")).ptx.expect("NVIDIA kernels have PTX");
    insta::assert_snapshot!("add_sm_90a", ptx);
    let module = built("add", samples::ADD, row("gfx942")).llvm_ir.expect("it is kept");
    insta::assert_snapshot!("add_gfx942", module);
}
