//! Wording of what concerns types, shapes and calls.

use super::names::{count, list, quoted};
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::Place;

fn new(code: Code, message: impl Into<String>, place: Place) -> Diagnostic {
    Diagnostic::new(code, message.into(), place)
}

/// A value of another type than is wanted.
pub fn mismatch(place: Place, want: &str, got: &str) -> Diagnostic {
    let got = quoted(got);
    new(Code::E0201, format!("`{want}` is wanted here, this is {got}"), place)
}

/// A condition that is neither known nor a scalar bool.
pub fn not_a_condition(place: Place, got: &str) -> Diagnostic {
    let got = quoted(got);
    new(Code::E0201, format!("a condition is one `bool` for the whole block, this is {got}"), place)
        .help("`select(cond, a, b)` chooses by element, `x.any(axis: 0)` gives one bool")
}

/// A value where a type is wanted.
pub fn not_a_type(place: Place, got: &str) -> Diagnostic {
    let got = quoted(got);
    new(Code::E0201, format!("a type is wanted here, this is {got}"), place)
}

/// `*T` of something that is not an element type.
pub fn not_a_pointee(place: Place, got: &str) -> Diagnostic {
    let got = quoted(got);
    new(Code::E0201, format!("a pointer points to an element type, this is {got}"), place)
}

/// A shape on something that is not an element type.
pub fn no_shape(place: Place, got: &str) -> Diagnostic {
    let got = quoted(got);
    new(Code::E0201, format!("an element type is wanted before a shape, this is {got}"), place)
}

/// A layout on something that is not a tile type.
pub fn no_layout(place: Place, got: &str) -> Diagnostic {
    let got = quoted(got);
    new(Code::E0201, format!("`@` gives a layout to a shape, this is {got}"), place)
}

/// An operator that does not take these.
pub fn operands(place: Place, op: &str, a: &str, b: &str) -> Diagnostic {
    let (a, b) = (quoted(a), quoted(b));
    new(Code::E0202, format!("`{op}` does not take {a} and {b}"), place)
}

/// An argument is missing.
pub fn missing_argument(place: Place, name: &str, callee: &str) -> Diagnostic {
    new(Code::E0203, format!("`{callee}` needs the argument `{name}`"), place)
}

/// No parameter has that name.
pub fn unknown_argument(place: Place, name: &str, callee: &str, known: &[&str]) -> Diagnostic {
    new(Code::E0203, format!("`{callee}` has no parameter `{name}`"), place)
        .help(format!("its parameters are {}", list(known.iter().copied())))
}

/// More arguments than parameters.
pub fn too_many_arguments(place: Place, callee: &str, n: usize) -> Diagnostic {
    new(Code::E0203, format!("`{callee}` takes {}", count(n, "argument")), place)
}

/// A parameter is given twice.
pub fn argument_twice(place: Place, name: &str) -> Diagnostic {
    new(Code::E0203, format!("the argument `{name}` is given twice"), place)
}

/// A closure with another number of parameters.
pub fn closure_arity(place: Place, want: usize, got: usize) -> Diagnostic {
    new(Code::E0203, format!("this closure takes {}, {got} given", count(want, "argument")), place)
}

/// A compile-time parameter of that name does not exist.
pub fn unknown_generic(place: Place, name: &str, callee: &str, known: &[&str]) -> Diagnostic {
    new(Code::E0204, format!("`{callee}` has no compile-time parameter `{name}`"), place)
        .help(format!("its compile-time parameters are {}", list(known.iter().copied())))
}

/// More compile-time arguments than parameters.
pub fn too_many_generics(place: Place, callee: &str, n: usize) -> Diagnostic {
    new(Code::E0204, format!("`{callee}` takes {} in brackets", count(n, "argument")), place)
}

/// Nothing says what a compile-time parameter is.
pub fn cannot_infer(place: Place, name: &str, callee: &str) -> Diagnostic {
    new(Code::E0204, format!("nothing here says what `{name}` of `{callee}` is"), place)
        .help(format!("write it in brackets: `{callee}[{name}: …]`"))
}

/// Compile-time arguments where no call follows.
pub fn generics_without_call(place: Place) -> Diagnostic {
    new(Code::E0204, "a function with compile-time arguments is called at once", place)
        .help("a closure can hold the call: `|x| f[128](x)`")
}

/// Something that cannot be called.
pub fn not_callable(place: Place, got: &str) -> Diagnostic {
    let got = quoted(got);
    new(Code::E0205, format!("{got} cannot be called"), place)
}

/// An operation of host code in a kernel.
pub fn host_only(place: Place, name: &str) -> Diagnostic {
    new(Code::E0205, format!("`{name}` works on whole tensors: in `test` and `bench` only"), place)
}

/// A kernel called from a kernel.
pub fn kernel_called(place: Place, name: &str) -> Diagnostic {
    new(
        Code::E0205,
        format!("the kernel `{name}` is launched from host code, not called from a kernel"),
        place,
    )
}

/// A field that nothing gives a value.
pub fn no_default(place: Place, ty: &str) -> Diagnostic {
    new(Code::E0202, format!("a field of type {} begins as nothing", quoted(ty)), place)
        .help("a field marked `own` has a struct whose fields all have defaults")
}

/// A loop over something that is no span.
pub fn not_iterable(place: Place, got: &str) -> Diagnostic {
    let got = quoted(got);
    new(
        Code::E0205,
        format!("a loop runs over a span of integers, an array or an `iter`, this is {got}"),
        place,
    )
}

/// Assigning a `let`.
pub fn assigned_let(place: Place, name: &str) -> Diagnostic {
    new(Code::E0206, format!("`{name}` is not a `var`, so it cannot be assigned"), place)
        .help("declare it with `var`")
}

/// A function that changes its argument, called on a `let`.
pub fn changed_let(place: Place) -> Diagnostic {
    new(Code::E0206, "this call changes its variable, which is not a `var`", place)
        .help("declare it with `var`")
}

/// Assigning something that is no variable.
pub fn not_assignable(place: Place) -> Diagnostic {
    new(Code::E0206, "only a variable, its fields and its elements can be assigned", place)
}

/// A `var` parameter got a value.
pub fn not_a_variable(place: Place, name: &str) -> Diagnostic {
    new(
        Code::E0206,
        format!("the parameter `{name}` changes the caller's variable, so it needs a variable"),
        place,
    )
}

/// A variable that would change its type.
pub fn var_changes(place: Place, was: &str, is: &str) -> Diagnostic {
    let (was, is) = (quoted(was), quoted(is));
    new(Code::E0207, format!("this variable is {was} and would become {is}"), place)
        .help("a `var` keeps its element type, shape and layout for its whole life")
}

/// Branches that give different things.
pub fn branches_differ(place: Place, a: &str, b: &str) -> Diagnostic {
    let (a, b) = (quoted(a), quoted(b));
    new(
        Code::E0208,
        format!(
            "one branch gives {a}, the other {b}, and the condition is not known before run time"
        ),
        place,
    )
}

/// An index past the end.
pub fn index_bounds(place: Place, i: i128, len: usize) -> Diagnostic {
    new(Code::E0209, format!("the index is {i}, there are {}", count(len, "element")), place)
}

/// A slice past the end.
pub fn slice_bounds(place: Place, lo: i128, hi: i128, len: usize) -> Diagnostic {
    new(Code::E0209, format!("the slice is {lo}..{hi}, there are {}", count(len, "element")), place)
}

/// Several indices where one is taken.
pub fn one_index(place: Place, got: usize) -> Diagnostic {
    new(Code::E0209, format!("an array takes one index, {got} given"), place)
}

/// A named index.
pub fn named_index(place: Place) -> Diagnostic {
    new(Code::E0209, "an index has no name", place)
}

/// Extents that a tile cannot have.
pub fn extents(place: Place, extents: &[i128]) -> Diagnostic {
    let shown: Vec<String> = extents.iter().map(i128::to_string).collect();
    new(Code::E0210, format!("a tile cannot have the shape [{}]", shown.join(", ")), place)
        .help("every extent is at least 1, and a tile has at most 16777216 elements")
}

/// Something in a shape that is no extent.
pub fn not_an_extent(place: Place) -> Diagnostic {
    new(Code::E0210, "an extent is wanted here", place)
}

/// An array of a length that cannot be.
pub fn array_length(place: Place, n: i128) -> Diagnostic {
    new(Code::E0210, format!("an array has between 0 and 65536 elements, not {n}"), place)
}

/// A tuple pattern on something else.
pub fn not_a_tuple(place: Place, n: usize, got: &str) -> Diagnostic {
    let got = quoted(got);
    new(Code::E0211, format!("a tuple of {n} is taken apart here, this is {got}"), place)
}

/// A tuple pattern of another length.
pub fn parts(place: Place, want: usize, got: usize) -> Diagnostic {
    new(Code::E0211, format!("{} for a tuple of {got}", count(want, "name")), place)
}

/// A `where` that does not hold.
pub fn where_fails(place: Place, callee: &str, text: &str, clause: Place) -> Diagnostic {
    new(Code::E0212, format!("`{callee}` requires `{text}`, which does not hold here"), place)
        .because(clause, "required here")
}

/// `return` in a loop or a nested expression.
pub fn return_in_loop(place: Place) -> Diagnostic {
    new(
        Code::E0213,
        "a `return` under a run-time condition stands outside loops and nested expressions",
        place,
    )
}

/// `yield` outside an `iter`.
pub fn yield_outside(place: Place) -> Diagnostic {
    new(Code::E0213, "`yield` stands in an `iter` function that a `for` calls", place)
}

/// A kernel without `warps`.
pub fn no_warps(place: Place, kernel: &str) -> Diagnostic {
    new(
        Code::E0214,
        format!("the kernel `{kernel}` does not say how many warps a block has"),
        place,
    )
    .help("add a clause such as `warps 4`")
}

/// A number of warps that cannot be.
pub fn warps(place: Place, n: i128, max: u32, target: &str) -> Diagnostic {
    new(
        Code::E0214,
        format!("a block of `{target}` has a power of two of warps, at most {max}, not {n}"),
        place,
    )
}

/// A kernel without `grid`.
pub fn no_grid(place: Place, kernel: &str) -> Diagnostic {
    new(Code::E0214, format!("the kernel `{kernel}` does not say how many blocks run"), place)
        .help("add a clause such as `grid [rows]`")
}

/// A grid of another rank.
pub fn grid_rank(place: Place, n: usize) -> Diagnostic {
    new(Code::E0214, format!("a grid has one to three extents, not {n}"), place)
}

/// Strides of another rank.
pub fn stride_count(place: Place, dims: usize, strides: usize) -> Diagnostic {
    new(
        Code::E0214,
        format!("{} for {}", count(strides, "stride"), count(dims, "dimension")),
        place,
    )
}

/// A kernel's parameter without a type.
pub fn untyped_param(place: Place, name: &str) -> Diagnostic {
    new(Code::E0214, format!("the kernel's parameter `{name}` has no type"), place)
        .help("a launcher must know what to pass: `x: global f32[n]`, `scale: f32`")
}

/// An expression that a launcher cannot evaluate.
pub fn not_a_launch_expression(place: Place) -> Diagnostic {
    new(Code::E0215, "a launcher cannot evaluate this", place).help(
        "launch expressions have sizes, strides, scalar arguments, compile-time integers, `+ - * / %`, \
         comparisons, `min max cdiv num_sms() max_resident()`",
    )
}

/// A range without an end outside brackets.
pub fn half_open(place: Place) -> Diagnostic {
    new(Code::E0216, "a range without both ends stands in brackets only", place)
}

/// A span that does not go forward.
pub fn step_not_positive(place: Place) -> Diagnostic {
    new(Code::E0216, "the step of a span is at least 1", place)
        .help("`(a..b).rev()` goes backwards")
}

/// The target cannot do that.
pub fn lacks(place: Place, what: &str, cap: &str, target: &str, having: &[&str]) -> Diagnostic {
    let it =
        new(Code::E0217, format!("{what} needs `{cap}`, which `{target}` does not have"), place);
    match having {
        [] => it.help("no target of this release has it"),
        having => it.help(format!(
            "{} have it; `static if target.has({cap})` branches",
            list(having.iter().copied())
        )),
    }
}

/// `target.has` takes the name of a capability.
pub fn capability_wanted(place: Place) -> Diagnostic {
    new(Code::E0203, "`target.has` takes the name of one capability", place)
        .help("`tilec targets` lists the capabilities")
}

/// E0209: a slice whose length is not known.
pub fn slice_length(place: Place) -> Diagnostic {
    Diagnostic::new(
        Code::E0209,
        "the length of a slice is a number of at least 1, known at compile time".to_owned(),
        place,
    )
    .help("write the offset and the length: `s[:, q * 64 ..+ 64]`")
}

/// E0210: a number of stages that no loop can have.
pub fn stages(place: Place, n: i128) -> Diagnostic {
    Diagnostic::new(Code::E0210, format!("a loop cannot be pipelined over {n} iterations"), place)
        .help("possible are 1 to 16; each stage costs its buffers")
}
