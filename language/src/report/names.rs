//! Wording of what concerns names.

use smol_str::SmolStr;

use crate::diagnostic::{Code, Diagnostic, Edit, Fix};
use crate::ir::Place;

/// The reason that names a call on the way to a finding.
pub const CALLED_HERE: &str = "called here";

/// No declaration is called `name`.
pub fn unknown(place: Place, name: &str, near: Option<&str>) -> Diagnostic {
    let message = format!("nothing here is called `{name}`");
    let mut it = Diagnostic::new(Code::E0101, message, place.clone());
    let Some(near) = near else { return it };
    // Of a path only the last name was compared.
    if !name.contains("::") {
        let edits = vec![Edit { place, text: near.to_owned() }];
        it.fixes.push(Fix { title: format!("change to `{near}`"), edits });
    }
    it.help(format!("did you mean `{near}`?"))
}

/// `name` is declared in another file without `pub`.
pub fn private(place: Place, name: &str, declared: &Place) -> Diagnostic {
    Diagnostic::new(Code::E0102, format!("`{name}` is not `pub`"), place)
        .because(declared.clone(), "declared here, for its own file only")
        .help("write `pub` before the declaration")
}

/// `use` items lead back to themselves.
pub fn circle(place: Place) -> Diagnostic {
    Diagnostic::new(
        Code::E0103,
        "this name is brought by `use` items that go round in a circle".to_owned(),
        place,
    )
}

/// A module stands where a value is wanted.
pub fn module_as_value(place: Place) -> Diagnostic {
    Diagnostic::new(Code::E0104, "a module is not a value".to_owned(), place)
        .help("name something in it: `module::name`")
}

/// `got` has no field `name`.
pub fn no_field(place: Place, name: &str, got: &str, known: &[SmolStr]) -> Diagnostic {
    let got = quoted(got);
    let it = Diagnostic::new(Code::E0105, format!("{got} has no field `{name}`"), place);
    match known {
        [] => it,
        known => it.help(format!("its fields are {}", list(known.iter().map(SmolStr::as_str)))),
    }
}

/// `got` has no method `name`.
pub fn no_method(place: Place, name: &str, got: &str) -> Diagnostic {
    let got = quoted(got);
    Diagnostic::new(
        Code::E0106,
        format!("{got} has no method `{name}`, and no visible function of that name takes `self`"),
        place,
    )
}

/// The enum has no such variant.
pub fn no_variant(place: Place, name: &str, of: &str, known: &[&str]) -> Diagnostic {
    Diagnostic::new(Code::E0107, format!("`{of}` has no variant `{name}`"), place)
        .help(format!("its variants are {}", list(known.iter().copied())))
}

/// No target row knows that capability.
pub fn unknown_capability(place: Place, name: &str, near: Option<&str>) -> Diagnostic {
    let it =
        Diagnostic::new(Code::E0108, format!("no target has a capability called `{name}`"), place);
    match near {
        Some(near) => it.help(format!("did you mean `{near}`?")),
        None => it.help("`tilec targets` lists the capabilities"),
    }
}

/// A loop has no such note.
pub fn unknown_note(place: Place, name: &str) -> Diagnostic {
    Diagnostic::new(Code::E0108, format!("a loop has no note `{name}`"), place)
        .help("the notes of a loop are `unroll(n)` and `pipelined(n)`")
}

/// No diagnostic has that code.
pub fn unknown_code(place: Place, name: &str) -> Diagnostic {
    Diagnostic::new(Code::E0108, format!("no diagnostic has the code `{name}`"), place)
}

/// No target has that name.
pub fn unknown_target(place: Place, name: &str, near: Option<&str>) -> Diagnostic {
    let it = Diagnostic::new(Code::E0108, format!("no target is called `{name}`"), place);
    match near {
        Some(near) => it.help(format!("did you mean `{near}`?")),
        None => it.help("`tilec targets` lists the targets"),
    }
}

/// Two declarations of one kind share a name.
pub fn duplicate(place: Place, name: &str, what: &str, first: &Place) -> Diagnostic {
    Diagnostic::new(
        Code::E0109,
        format!("`{name}` is already the name of a {what} in this file"),
        place,
    )
    .because(first.clone(), "the first one is here")
}

/// `1 argument`, `2 arguments`
pub(super) fn count(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

/// A value's description in backticks, unless it has its own.
pub(super) fn quoted(text: &str) -> String {
    if text.contains('`') || text.starts_with("a ") { text.to_owned() } else { format!("`{text}`") }
}

/// `a`, `b` and `c`
pub(super) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|it| format!("`{it}`")).collect();
    match &names[..] {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
