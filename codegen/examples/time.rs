use std::time::Instant;
use tile_codegen::*;
fn main() {
    let t = Instant::now();
    for (name, text) in tile_language::ir::samples::ALL {
        let mut k = tile_language::ir::parse::parse(text).unwrap();
        if let Some(t) = std::env::args().nth(1) {
            k.target = tile_language::target::TargetId::from_name(&t).unwrap();
        }
        let t0 = Instant::now();
        let b = Backend::new(k.target).unwrap();
        let t1 = Instant::now();
        let c = inkwell::context::Context::create();
        let l = b.module(&c, &k, LowerOptions::default()).unwrap();
        let t2 = Instant::now();
        drop(l);
        let made = build(&k, &BuildOptions { code_object: CodeObject::Never }).unwrap();
        println!(
            "{name}: backend {:?} module {:?} build {:?} total {:?} {}",
            t1 - t0,
            t2 - t1,
            t2.elapsed(),
            t.elapsed(),
            made.llvm_ir.len()
        );
    }
}
