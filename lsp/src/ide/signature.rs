//! Signature help: what the call around the cursor takes, and which parameter stands there.

use tile_language::db::{self, Db, SourceFile};

use super::callee::{self, CallAt, Callable};
use super::docs;
use super::shown::{self, Shown};
use super::syntax;

/// Something that can be called, as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// The declaration.
    pub label: String,
    /// Bytes of the label that are each parameter, with its documentation.
    pub params: Vec<(std::ops::Range<usize>, String)>,
    /// The parameter at the cursor.
    pub active: Option<usize>,
    /// Documentation, as Markdown.
    pub docs: String,
}

/// The signatures of the call around a byte, best first.
pub fn signatures(db: &dyn Db, file: SourceFile, byte: u32, shown: &Shown) -> Vec<Signature> {
    let Some(item) = syntax::item_at(db, file, byte) else { return Vec::new() };
    let Some(source) = db::item_source(db, &item.key) else { return Vec::new() };
    let Some(call) = callee::call_at(source.text(db), item.at) else { return Vec::new() };
    let instances = shown::around(db, file, &item.key, shown);
    let found = callee::callables(db, file, &item.key, &call, &instances);
    found.into_iter().map(|it| signature(db, it, &call)).collect()
}

fn signature(db: &dyn Db, it: Callable, call: &CallAt) -> Signature {
    let active = match &call.named {
        Some(name) => it.params.iter().position(|it| it.name == *name),
        None => Some(call.n_before.min(it.params.len().saturating_sub(1)))
            .filter(|_| !it.params.is_empty()),
    };
    let mut from = it.label.find(['(', '[']).unwrap_or(0);
    let mut params = Vec::new();
    for param in &it.params {
        let at = it.label[from..].find(&param.label).map_or(from, |it| from + it);
        from = at + param.label.len();
        params.push((at..from, param.docs.clone()));
    }
    let docs = docs::of(db, &it.means).map_or_else(String::new, |it| it.text);
    Signature { label: it.label, params, active, docs }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use tile_language::target::TargetId;

    use super::*;
    use crate::ide::fixture::Fixture;

    /// The labels, with the parameter at the cursor in «».
    fn helped(text: &str) -> String {
        let fixture = Fixture::new(text);
        let target = TargetId::from_name("sm_90a").expect("a target of the table");
        let found = signatures(&fixture.db, fixture.file, fixture.cursor, &Shown::of(target));
        let show = |it: &Signature| {
            let mut label = it.label.clone();
            if let Some(range) = it.active.and_then(|n| it.params.get(n)).map(|it| it.0.clone()) {
                label.insert(range.end, '»');
                label.insert(range.start, '«');
            }
            label
        };
        found.iter().map(show).collect::<Vec<_>>().join("\n")
    }

    const REST: &str =
        "\nstruct Box { lo: i32, hi: i32 = 4 }\nfn clip(x, by: f32, most: f32 = 1.0) { x }\n";

    fn in_kernel(line: &str) -> String {
        format!(
            "kernel k[N: int = 64](x: global mut f32[n]) grid [1] warps 1 {{\n    let j = iota(N) @ \
             blocked(regs: [2], lanes: [32], warps: [1]);\n    {line}\n}}{REST}"
        )
    }

    #[test]
    fn functions_of_all_kinds_are_shown_while_they_are_typed() {
        let lines = [
            "let v = load(x.at(j), $0",
            "let v = clip(j.to(f32), most: $0",
            "let v = Box(1, $0)",
            "let v = j.sum($0)",
            "let v = j.to($0",
            "store(x.at($0), 1.0);",
            "let v = 1; $0",
        ];
        let shown = lines.map(|it| format!("{it}\n  {}\n", helped(&in_kernel(it))));
        let host = helped(&format!("{}test \"t\" {{ k[$0](x) }}", in_kernel("")));
        assert_snapshot!(format!("{}{host}", shown.concat()));
    }
}
