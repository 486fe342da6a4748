//! What the checked engines find while a kernel runs, in words: a sentence and the facts behind it.

use crate::dtype::{Class, DType};
use crate::op::tile::BinaryOp;
use crate::value;

/// A finding: what happened, and what explains it.
pub type Wording = (String, Vec<String>);

/// `[1, 2]`, or nothing for a scalar.
fn place(index: &[u32]) -> Vec<String> {
    if index.is_empty() { vec![] } else { vec![format!("at element {index:?} of the tile")] }
}

/// An index of `tensor` is outside of its extent.
pub fn index_outside(
    verb: &str,
    tensor: &str,
    index: &[i64],
    extents: &[i64],
    at: &[u32],
) -> Wording {
    let outside =
        index.iter().zip(extents).position(|(index, extent)| !(0..*extent).contains(index));
    let mut details = vec![format!("`{tensor}` has extents {extents:?}, the index is {index:?}")];
    details.extend(place(at));
    let message = match outside {
        Some(axis) => format!(
            "this {verb} `{tensor}` at index {} of dimension {axis}, which has extent {}",
            index[axis], extents[axis]
        ),
        None => format!("this {verb} `{tensor}` outside of its extents"),
    };
    (message, details)
}

/// A pointer that was made with an index outside of its tensor, or is null, and whose making is not at hand.
pub fn pointer_outside(verb: &str, absent: bool, at: &[u32]) -> Wording {
    let what = if absent { "a null pointer" } else { "a pointer outside of its tensor" };
    (format!("this {verb} through {what}"), place(at))
}

/// An optional tensor that was not given is accessed.
pub fn absent(verb: &str, tensor: &str) -> Wording {
    let help = format!("test `if let some = {tensor}` before using it");
    (format!("this {verb} `{tensor}`, which was not given"), vec![help])
}

/// An address lies outside of the buffer.
pub fn address_outside(verb: &str, tensor: &str, element: i64, len: u64, at: &[u32]) -> Wording {
    let message =
        format!("this {verb} element {element} of `{tensor}`, which has {len} elements in memory");
    (message, place(at))
}

/// An element is read that nothing has written.
pub fn undefined(tensor: &str, element: u64) -> Wording {
    let message =
        format!("this reads element {element} of `{tensor}`, which nothing has written yet");
    (message, vec!["`empty` and workspace hold nothing at first".to_owned()])
}

/// An address is no multiple of the element's bytes.
pub fn misaligned(verb: &str, tensor: &str, byte: u64, bytes: u64, at: &[u32]) -> Wording {
    (
        format!(
            "this {verb} {bytes} bytes at byte {byte} of `{tensor}`, which is not a multiple of {bytes}"
        ),
        place(at),
    )
}

/// Two blocks store different values to one place.
pub fn race(tensor: &str, element: u64, earlier: [u32; 3]) -> Wording {
    let message = format!("two blocks store different values to element {element} of `{tensor}`");
    let details = vec![
        format!("block {earlier:?} stored there before"),
        "blocks run in any order, so either value may remain".to_owned(),
    ];
    (message, details)
}

/// A signed result wrapped.
pub fn signed_overflow(op: BinaryOp, dtype: DType, operands: [i128; 2], at: &[u32]) -> Wording {
    let sign = match op {
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        _ => "+",
    };
    let [x, y] = operands;
    let mut details = place(at);
    details.push(format!("`{dtype}` wraps; unsigned types wrap by definition"));
    (format!("`{x} {sign} {y}` does not fit into `{dtype}`"), details)
}

/// An integer is divided by zero.
pub fn division_by_zero(at: &[u32]) -> Wording {
    ("an integer is divided by zero".to_owned(), place(at))
}

/// A gather's index is outside of the tile.
pub fn gather_outside(index: i64, extent: usize, axis: u32, at: &[u32]) -> Wording {
    (
        format!("`gather` picks index {index} of dimension {axis}, which has extent {extent}"),
        place(at),
    )
}

/// An element of a buffer, for sentences; buffers may have no name.
pub fn shared_element(index: &[u32], buffer: &str) -> String {
    let whose =
        if buffer.is_empty() { "a shared buffer".to_owned() } else { format!("`{buffer}`") };
    if index.is_empty() { whose } else { format!("element {index:?} of {whose}") }
}

/// An index of a view of shared memory is outside.
pub fn view_index(index: i64, axis: u32, extent: u32, at: &[u32]) -> Wording {
    let message = format!(
        "index {index} of dimension {axis} is outside of shared memory, which has extent {extent} there"
    );
    (message, place(at))
}

/// A slice of a view of shared memory begins where none can.
pub fn view_start(start: i64, len: u32, axis: u32, extent: u32, unit: u32) -> Wording {
    let slice = format!("a slice of {len} along dimension {axis} begins at {start}");
    if start < 0 || i64::from(extent) < start + i64::from(len) {
        return (format!("{slice}, the extent is {extent}"), vec![]);
    }
    let why = format!("shared memory is laid out in pieces of {unit} there, and a view cuts none");
    (format!("{slice}, which is no multiple of {unit}"), vec![why])
}

/// A box that is written begins before its tensor.
pub fn box_before(tensor: &str, axis: u32, at: i64) -> Wording {
    let message =
        format!("this writes a box of `{tensor}` that begins at {at} of dimension {axis}");
    let why =
        "a copy engine leaves out what lies beyond the end of a tensor, not before its beginning";
    (message, vec![why.to_owned()])
}

/// Shared memory is read that nothing has written.
pub fn shared_unwritten(element: &str) -> Wording {
    let message = format!("this reads {element}, which nothing has written yet");
    (message, vec!["shared memory holds nothing at first".to_owned()])
}

/// Two elements of a tile are written to one place.
pub fn shared_twice(element: &str, from: &[Vec<u32>; 2]) -> Wording {
    let [first, second] = from;
    let why = "which one is kept depends on the order of the warps".to_owned();
    let message = format!(
        "elements {first:?} and {second:?} of this tile differ and are both written to {element}"
    );
    (message, vec![why])
}

/// Shared memory is used that a copy in flight writes.
pub fn shared_in_flight(verb: &str, element: &str) -> Wording {
    let message = format!("this {verb} {element} while a copy into it is in flight");
    (message, vec!["a copy has landed when its group has been waited for".to_owned()])
}

/// Shared memory is written that a product or a box in flight reads.
pub fn shared_being_read(verb: &str, element: &str) -> Wording {
    let message = format!("this {verb} {element} while a product or a copy in flight reads it");
    (message, vec!["it has been read when the product or the copy has been waited for".to_owned()])
}

/// The copy that is in flight.
pub fn shared_copy() -> String {
    "this copy is in flight".to_owned()
}

/// An `assert` fails.
pub fn assertion(message: &str, at: &[u32]) -> Wording {
    (format!("assertion failed: {message}"), place(at))
}

/// An `assume` does not hold.
pub fn assumption(at: &[u32]) -> Wording {
    ("what is assumed here does not hold".to_owned(), place(at))
}

/// A loop's step is zero or negative.
pub fn loop_step(step: i128) -> Wording {
    (format!("a loop's step is {step}, it must be positive"), vec![])
}

/// A `while` does not end.
pub fn endless_while(turns: u64) -> Wording {
    let why = "blocks run one after another here: waiting for a later block never ends".to_owned();
    (format!("this loop did not end after {turns} turns"), vec![why])
}

/// A wait for a phase of a barrier that never completes, or that later ones have overtaken.
pub fn stuck(wanted: i64, completed: i64) -> Wording {
    let message = format!(
        "this waits for ever: it wants {wanted} phases of the barrier, {completed} are complete"
    );
    let why = if wanted < completed {
        "a wait sees whether a phase is even or odd: it must come before the next phase completes"
    } else {
        "nothing that comes before it arrives at the barrier often enough"
    };
    (message, vec![why.to_owned()])
}

/// Blocks of a cluster that never meet.
pub fn cluster_apart() -> Wording {
    let why = "another block of its cluster has ended, or waits elsewhere".to_owned();
    (
        "this waits for ever: not all blocks of the cluster come to a `cluster_sync()`".to_owned(),
        vec![why],
    )
}

/// A block that a cluster does not have.
pub fn cluster_rank(rank: i64, size: usize) -> Wording {
    (format!("this reaches block {rank} of a cluster that has {size}"), vec![])
}

/// Another role that waits at the same time.
pub fn waits_too() -> String {
    "another role waits here".to_owned()
}

/// A role that comes again before the others have come.
pub fn came_twice() -> Wording {
    let message = "this role comes to a named barrier twice before the others have come once";
    (
        message.to_owned(),
        vec!["a phase is over when every role that mentions it has come".to_owned()],
    )
}

/// Where a role came first.
pub fn came_first() -> String {
    "it came here".to_owned()
}

/// A role that waits for others at a named barrier.
pub fn nobody_comes() -> Wording {
    let message = "this waits for ever: not every role that mentions the named barrier comes";
    (message.to_owned(), Vec::new())
}

/// The last arrival at a barrier.
pub fn last_arrival() -> String {
    "the last arrival at it".to_owned()
}

/// A number as people read it: the shortest decimal that means it, `true`, `-inf`, `nan`.
pub fn number(dtype: DType, bits: u64) -> String {
    match dtype.class() {
        Class::Bool => (bits != 0).to_string(),
        Class::Signed | Class::Unsigned => value::to_int(dtype, bits).to_string(),
        Class::Float(_) => {
            let x = value::decode(dtype, bits);
            match dtype {
                _ if x.is_nan() => "nan".to_owned(),
                DType::F64 => format!("{x:?}"),
                _ => format!("{:?}", x as f32),
            }
        }
    }
}
