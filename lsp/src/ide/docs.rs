//! Documentation of what a name means: how it is declared, and what its author says of it.

use tile_language::db::{self, Db};
use tile_language::ir::ItemKey;
use tile_language::names::mentions::Meaning;
use tile_language::op::surface::Row;
use tile_language::target::{Cap, TARGETS};
use tile_syntax::ast::{Fn, Item, ItemKind, Param, PatternKind, Span};

/// What is said of a name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Docs {
    /// Its declaration without bodies, as code.
    pub head: String,
    /// Its documentation, as Markdown.
    pub text: String,
}

/// The documentation of what a name means; `None` for locals and words, which have none.
pub fn of(db: &dyn Db, means: &Meaning) -> Option<Docs> {
    match means {
        Meaning::Builtin(it) => Some(of_row(it.row())),
        Meaning::Item(key) => {
            let tree = db::item(db, key)?;
            Some(Docs { head: head(db, key, &tree)?, text: markdown(&tree.docs) })
        }
        Meaning::Member(key, n) => {
            let tree = db::item(db, key)?;
            let ItemKind::Impl(it) = &tree.kind else { return None };
            let member = it.members.get(*n as usize)?;
            let head = format!("impl {} {{ {} }}", it.name.text, head(db, key, member)?);
            Some(Docs { head, text: markdown(&member.docs) })
        }
        Meaning::Field(key, n) => {
            let tree = db::item(db, key)?;
            let (ItemKind::Struct(it) | ItemKind::Permit(it)) = &tree.kind else { return None };
            let field = it.fields.get(*n as usize)?;
            let text = text_of(db, key, field.name.span.to(field.ty.span))?;
            let head = format!("{} {{ {text} }}", it.name.text);
            Some(Docs { head, text: markdown(&field.docs) })
        }
        Meaning::Variant(key, n) => {
            let tree = db::item(db, key)?;
            let ItemKind::Enum(it) = &tree.kind else { return None };
            let (name, docs) = it.variants.get(*n as usize)?;
            Some(Docs { head: format!("{}::{}", it.name.text, name.text), text: markdown(docs) })
        }
        Meaning::Module(number) => {
            let file = db::file(db, *number)?;
            let docs = file.text(db).lines().map_while(|it| it.strip_prefix("//!"));
            let docs: Vec<&str> = docs.map(|it| it.strip_prefix(' ').unwrap_or(it)).collect();
            let head = file.module(db).join("::");
            Some(Docs { head, text: markdown(&docs.join("\n")) })
        }
        Meaning::Param { item, member, name } => {
            let tree = db::item(db, item)?;
            let decl = function(&tree, *member)?;
            let param = decl.params.iter().find(|it| is_called(it, name))?;
            Some(Docs { head: String::new(), text: markdown(&param.docs) })
        }
        Meaning::Local(..) | Meaning::Word => None,
    }
}

/// The documentation of an operation of the compiler.
pub fn of_row(row: &Row) -> Docs {
    let lines = row.doc.lines().map(|it| it.strip_prefix(' ').unwrap_or(it));
    let mut text = markdown(&lines.collect::<Vec<_>>().join("\n"));
    if !row.needs.is_empty() {
        let needs: Vec<&str> = row.needs.iter().map(|it| it.name()).collect();
        text.push_str(&format!("\n\nNeeds `{}`: {}.", needs.join("`, `"), having(row.needs)));
    }
    text.push_str(&format!("\n\n_{}_", row.source));
    Docs { head: row.signature.to_owned(), text }
}

/// The targets that have all of these.
pub fn having(caps: &[Cap]) -> String {
    let has = TARGETS.iter().filter(|it| caps.iter().all(|cap| it.has(*cap)));
    has.map(|it| it.name).collect::<Vec<_>>().join(", ")
}

/// The declaration of an item without its body.
pub fn head(db: &dyn Db, key: &ItemKey, item: &Item) -> Option<String> {
    let body = match &item.kind {
        ItemKind::Fn(it) | ItemKind::Kernel(it) => it.body.as_ref().map(|it| it.span.lo),
        ItemKind::Impl(it) => return Some(format!("impl {}", it.name.text)),
        ItemKind::Use(_)
        | ItemKind::Const(_)
        | ItemKind::Struct(_)
        | ItemKind::Permit(_)
        | ItemKind::Enum(_)
        | ItemKind::Build(_)
        | ItemKind::Tune(_)
        | ItemKind::Test(_)
        | ItemKind::Bench(_)
        | ItemKind::Broken(_) => None,
    };
    let end = body.unwrap_or(item.span.hi);
    let text = text_of(db, key, Span::new(item.span.lo, end))?;
    Some(text.trim_end().to_owned())
}

/// The function of an item, or of a member of its `impl`.
pub fn function(item: &Item, member: Option<u32>) -> Option<&Fn> {
    match (&item.kind, member) {
        (ItemKind::Fn(it) | ItemKind::Kernel(it), None) => Some(it),
        (ItemKind::Impl(it), Some(n)) => match &it.members.get(n as usize)?.kind {
            ItemKind::Fn(it) => Some(it),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a parameter has that name.
pub fn is_called(param: &Param, name: &str) -> bool {
    matches!(&param.pattern.kind, PatternKind::Name(it) if it.text == name)
}

/// The text of a span of an item.
pub fn text_of(db: &dyn Db, key: &ItemKey, span: Span) -> Option<String> {
    let text = db::item_source(db, key)?.text(db);
    text.get(span.lo as usize..span.hi as usize).map(str::to_owned)
}

/// Doc lines as Markdown: their labelled lines (`Shapes: …`) keep lines of their own.
fn markdown(docs: &str) -> String {
    let mut out = String::new();
    let (mut in_code, mut was_label) = (false, false);
    for line in docs.lines().map(str::trim_end) {
        in_code ^= line.starts_with("```");
        let label = line.split_once(':').filter(|it| !in_code && is_label(it.0));
        match label {
            Some((label, rest)) => {
                out.push_str(if was_label { "  \n" } else { "\n" });
                out.push_str(format!("**{label}** {}", rest.trim_start()).trim_end());
            }
            None => {
                out.push('\n');
                out.push_str(line);
            }
        }
        was_label = label.is_some();
    }
    out.trim().to_owned()
}

fn is_label(text: &str) -> bool {
    text.starts_with(char::is_uppercase) && text.chars().all(char::is_alphabetic)
}
