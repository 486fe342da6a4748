//! Recordings: what `tilec test --record` writes is repeated on the CPU engines, from the recording
//! alone, and gives what it says.

use std::fs;
use std::path::Path;

use tile_codegen::SimEngine;
use tile_language::engine::{Engine, Launch, Word};
use tile_language::interp::Interp;
use tile_language::ir::parse::parse;
use tile_runtime::Recording;
use tile_runtime::recording::{Comparison, RecordedLaunch, RecordedWord};
use tile_tests::{root, tilec};
use tilec::Exit;

/// Runs a launch from what the recording holds of it; how its buffers stand to what they must hold.
fn replayed(recording: &Recording, launch: &RecordedLaunch, on_sim: bool) -> Vec<Comparison> {
    let kernel = parse(&recording.ir(launch).expect("its tile IR")).expect("it is well-formed");
    assert_eq!(kernel.name, recording.kernel(launch).name);
    let mut buffers: Vec<Vec<u8>> =
        launch.buffers.iter().map(|it| recording.before(it).expect("its data")).collect();
    let words: Vec<Word> = launch
        .words
        .iter()
        .map(|it| match it {
            RecordedWord::Buffer(number) => Word::Address(Some(*number)),
            RecordedWord::Null => Word::Address(None),
            RecordedWord::Bits(bits) => Word::Bits(*bits),
            RecordedWord::Map { buffer, map } => {
                Word::Map { buffer: *buffer, map: Box::new(map.clone()) }
            }
        })
        .collect();
    let held = |it: usize| launch.buffers[it].undefined.then_some(it as u32);
    let undefined: Vec<u32> = (0..buffers.len()).filter_map(held).collect();
    let launched = Launch {
        kernel: &kernel,
        grid: launch.grid,
        words: &words,
        buffers: &mut buffers,
        undefined: &undefined,
        seed: 0,
    };
    let ended = if on_sim {
        SimEngine::new(kernel.target).run(launched)
    } else {
        Interp::new(kernel.target).run(launched)
    };
    ended.expect("it runs to its end");
    let pairs = launch.buffers.iter().zip(&buffers);
    let compare = |(recorded, got): (&tile_runtime::recording::RecordedBuffer, &Vec<u8>)| {
        let expected = recording.after(recorded).expect("its data").expect("tests are judged");
        recorded.compare(got, &expected)
    };
    pairs.map(compare).collect()
}

fn record(folder: &Path, command: &str, sources: &[String], more: &[&str]) -> Recording {
    let folder = folder.display().to_string();
    let mut args = vec![command];
    args.extend(sources.iter().map(String::as_str));
    args.extend(["--record", &folder]);
    args.extend(more);
    let answer = tilec(args);
    assert_eq!(answer.exit, Exit::Fine, "{}{}", answer.out, answer.err);
    Recording::open(Path::new(&folder)).expect("a recording")
}

fn example(name: &str) -> String {
    root().join("examples").join(name).display().to_string()
}

#[test]
fn recorded_tests_give_on_every_engine_what_the_recording_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let sources = ["add.tile", "softmax.tile", "prefix_sum.tile"].map(example);
    let more = ["--on", "interp", "--target", "sm_90a,gfx942"];
    let recording = record(folder.path(), "test", &sources, &more);
    let mut targets: Vec<&str> = Vec::new();
    for launch in recording.launches() {
        targets.push(&recording.kernel(launch).target);
        for on_sim in [false, true] {
            for found in replayed(&recording, launch, on_sim) {
                assert_eq!(found.wrong, 0, "{} on sim {on_sim}: {found:?}", launch.origin);
            }
        }
    }
    targets.dedup();
    assert!(recording.launches().len() > 10 && targets.len() > 2, "{targets:?}");
}

#[test]
fn a_wrong_expectation_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let more = ["--on", "interp", "--target", "sm_90a"];
    let recording = record(folder.path(), "test", &[example("add.tile")], &more);
    let changes = |it: &&RecordedLaunch| {
        it.buffers.iter().any(|it| it.after.is_some() && it.after != it.before)
    };
    let launch = recording.launches().iter().find(changes).expect("a launch that writes");
    let buffer = launch.buffers.iter().find(|it| it.after != it.before).expect("a result");
    let file = folder.path().join(buffer.after.as_ref().expect("its file"));
    let mut bytes = fs::read(&file).expect("its data");
    bytes[3] ^= 0x40;
    fs::write(&file, bytes).expect("it is changed");
    let wrong: u64 = replayed(&recording, launch, false).iter().map(|it| it.wrong).sum();
    assert!(wrong >= 1);
}

#[test]
fn recorded_benchmarks_are_there_to_be_timed() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = root().join("benches/softmax_1024.tile").display().to_string();
    let recording = record(folder.path(), "bench", &[source], &["--target", "sm_90a"]);
    let [launch] = recording.launches() else { panic!("one launch") };
    assert!(launch.is_timed());
    assert_eq!(launch.buffers.iter().map(|it| it.bytes).sum::<u64>(), 2 * 1024 * 1024 * 4);
    assert!(!folder.path().join("data").exists(), "floats need no data");
}
