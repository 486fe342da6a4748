//! How long the proof of a kernel's synchronisation takes, for every kernel of `examples/hopper`: what the editor waits
//! for after an edit in it, besides elaboration. `cargo bench -p tile-codegen --bench protocol`.
#![expect(missing_docs, reason = "criterion's macros make items without docs")]

use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tile_language::protocol;
use tile_language::query::Database;
use tile_language::target::TargetId;

fn proof(criterion: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hopper");
    let target = TargetId::from_name("sm_90a").expect("the target exists");
    let entries = std::fs::read_dir(folder).expect("there are examples");
    let mut files: Vec<_> = entries.map(|it| it.expect("it can be listed").path()).collect();
    files.sort();
    let mut group = criterion.benchmark_group("proof");
    group.sample_size(20).warm_up_time(Duration::from_millis(500));
    group.measurement_time(Duration::from_secs(2));
    for file in files {
        let text = std::fs::read_to_string(&file).expect("the file can be read");
        let mut db = Database::default();
        let name = file.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let file = db.set_file(&format!("{name}.tile"), &text);
        for (kernel, ir) in db.kernels(file, target) {
            if ir.roles().is_some() {
                group.bench_function(format!("{name}, {kernel}"), |bencher| {
                    bencher.iter(|| protocol::check(&ir));
                });
            }
        }
    }
    group.finish();
}

criterion_group!(benches, proof);
criterion_main!(benches);
