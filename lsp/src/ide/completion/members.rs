//! Members: fields and methods of what stands before a dot.

use smol_str::SmolStr;
use tile_language::db::{self, Db, SourceFile};
use tile_language::elab::observe::Nature;
use tile_language::names::mentions::Meaning;
use tile_language::names::{self, DeclKind, Found, TypeRef};
use tile_language::op::surface::{Builtin, Form};
use tile_syntax::ast::ItemKind;

use super::{Rank, Suggestion, SuggestionKind, declaration, operation};

/// Fields that the compiler gives to what is no struct, with what they are.
const TILE_FIELDS: &[(&str, &str)] =
    &[("shape", "[int]"), ("rank", "int"), ("dtype", "type"), ("layout", "layout")];
const TENSOR_FIELDS: &[(&str, &str)] = &[
    ("shape", "[i32]"),
    ("strides", "[i32]"),
    ("rank", "int"),
    ("dtype", "type"),
    ("ptr", "pointer"),
];
const VIEW_FIELDS: &[(&str, &str)] = &[
    ("shape", "[int]"),
    ("rank", "int"),
    ("dtype", "type"),
    ("bytes", "int"),
    ("layout", "layout"),
];
const TILES_FIELDS: &[(&str, &str)] =
    &[("tile", "type"), ("shape", "[int]"), ("layout", "layout"), ("dtype", "type")];
const TYPE_FIELDS: &[(&str, &str)] =
    &[("bits", "int"), ("dtype", "type"), ("shape", "[int]"), ("layout", "layout")];
const HOST_FIELDS: &[(&str, &str)] = &[("shape", "[int]"), ("dtype", "type"), ("len", "int")];
const TARGET_FIELDS: &[(&str, &str)] = &[("lanes", "int"), ("name", "str")];

/// What can have a method of the compiler.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Receiver {
    Tile,
    View,
    Tensor,
    Tiles,
    Layout,
    Barrier,
    Permit,
}

/// The members of a value; of one that nothing is known of, all methods that there are.
pub(super) fn of(
    db: &dyn Db,
    file: SourceFile,
    nature: Option<&Nature>,
    list: &mut Vec<Suggestion>,
) {
    let mut fields = |known: &[(&str, &str)]| {
        list.extend(known.iter().map(|(name, detail)| field(name, *detail)));
    };
    match nature {
        None => {
            methods(None, list);
            library(db, file, list);
        }
        Some(Nature::Tile { .. } | Nature::Unplaced { .. }) => {
            fields(TILE_FIELDS);
            methods(Some(Receiver::Tile), list);
            library(db, file, list);
        }
        Some(Nature::Known(_)) => {
            methods(Some(Receiver::Tile), list);
        }
        Some(Nature::View { .. }) => {
            fields(VIEW_FIELDS);
            methods(Some(Receiver::View), list);
        }
        Some(Nature::Tensor { .. }) => {
            fields(TENSOR_FIELDS);
            methods(Some(Receiver::Tensor), list);
        }
        Some(Nature::Tiles { .. }) => {
            fields(TILES_FIELDS);
            methods(Some(Receiver::Tiles), list);
        }
        Some(Nature::Barriers(_) | Nature::NamedBarrier) => methods(Some(Receiver::Barrier), list),
        Some(Nature::Layout(_)) => {
            fields(&[("rank", "int")]);
            methods(Some(Receiver::Layout), list);
        }
        Some(Nature::Type(_)) => fields(TYPE_FIELDS),
        Some(Nature::Target) => {
            fields(TARGET_FIELDS);
            let has =
                Suggestion::new("has", SuggestionKind::Method, Rank::Wanted, "has(mfma) -> bool");
            list.push(has.called());
        }
        Some(Nature::Struct { ty, fields: natures, .. }) => structure(db, ty, natures, list),
        Some(Nature::Record(parts)) => {
            list.extend(parts.iter().map(|(name, it)| field(name, it.short_text())));
        }
        Some(Nature::Tuple(parts)) => {
            let part = |(n, it): (usize, &Nature)| field(&n.to_string(), it.short_text());
            list.extend(parts.iter().enumerate().map(part));
        }
        Some(Nature::Range(_)) => {
            let detail = "from the end to the beginning";
            list.push(
                Suggestion::new("rev", SuggestionKind::Method, Rank::Wanted, detail).called(),
            );
        }
        Some(
            Nature::Variant(..)
            | Nature::Box { .. }
            | Nature::Array(_)
            | Nature::Stages(..)
            | Nature::Closure
            | Nature::Function(_),
        ) => {}
        Some(Nature::Host { .. }) => fields(HOST_FIELDS),
    }
}

fn field(name: &str, detail: impl Into<String>) -> Suggestion {
    Suggestion::new(name, SuggestionKind::Field, Rank::Wanted, detail)
}

/// The compiler's methods of a kind of values.
fn methods(of: Option<Receiver>, list: &mut Vec<Suggestion>) {
    for it in Builtin::all().filter(|it| it.row().form != Form::Function) {
        if of.is_none_or(|of| receivers(it).contains(&of)) {
            let plain = operation(it, it.name(), Rank::Near);
            list.push(Suggestion { kind: SuggestionKind::Method, ..plain });
        }
    }
}

/// What a method can be called on, read off the name of its first parameter and how it is written.
fn receivers(it: Builtin) -> &'static [Receiver] {
    let row = it.row();
    match row.params.first().map(|it| it.name) {
        Some("tensor") => &[Receiver::Tensor],
        Some("tiles") => &[Receiver::Tiles],
        Some("layout") => &[Receiver::Layout],
        Some("barrier") => &[Receiver::Barrier],
        Some("permit") => &[Receiver::Permit],
        Some("record") => &[],
        _ if row.signature.starts_with("s.") => &[Receiver::View],
        _ if matches!(row.path, "split" | "t" | "reshape" | "gather") => {
            &[Receiver::Tile, Receiver::View]
        }
        _ => &[Receiver::Tile],
    }
}

/// Functions of the file and what it sees whose first parameter is `self`.
fn library(db: &dyn Db, file: SourceFile, list: &mut Vec<Suggestion>) {
    for name in names::visible(db, file) {
        for it in names::resolve(db, file, &[name]) {
            if let Found::Decl(it) = it
                && it.kind == (DeclKind::Fn { method: true })
            {
                let plain = declaration(db, &it, Rank::Near);
                list.push(Suggestion { kind: SuggestionKind::Method, ..plain });
            }
        }
    }
}

/// Fields and methods of a struct.
fn structure(db: &dyn Db, ty: &TypeRef, natures: &[Nature], list: &mut Vec<Suggestion>) {
    let tree = db::item(db, &ty.item);
    if let Some(ItemKind::Struct(it) | ItemKind::Permit(it)) = tree.as_deref().map(|it| &it.kind) {
        let fields = it.fields.iter().enumerate().map(|(n, it)| {
            let detail = natures.get(n).map_or_else(String::new, Nature::short_text);
            let plain = field(&it.name.text, detail);
            plain.meaning(Meaning::Field(ty.item.clone(), n as u32))
        });
        list.extend(fields);
    }
    if tree.as_deref().is_some_and(|it| matches!(it.kind, ItemKind::Permit(_))) {
        // The fields of its stage are the permit's own.
        for nature in natures {
            if let Nature::Record(parts) = nature {
                list.extend(parts.iter().map(|(name, it)| field(name, it.short_text())));
            }
        }
        methods(Some(Receiver::Permit), list);
    }
    let Some(file) = db::file(db, ty.item.file) else { return };
    for it in names::module(db, file).impls.iter().filter(|it| it.name == ty.item.item) {
        let own = it.members.iter().enumerate().filter(|it| it.1.method);
        list.extend(own.map(|(n, member)| {
            let name: SmolStr = member.name.clone();
            let means = Meaning::Member(it.item.clone(), n as u32);
            let detail = it.name.to_string();
            Suggestion::new(name, SuggestionKind::Method, Rank::Wanted, detail)
                .meaning(means)
                .called()
        }));
    }
}
