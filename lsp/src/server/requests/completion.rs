//! Completion in the protocol's form. Documentation comes when a suggestion is looked at.

use serde_json::{Value, json};
use smol_str::SmolStr;
use tile_language::ir::ItemKey;
use tile_language::names::mentions::Meaning;
use tile_language::op::surface::Builtin;
use tower_lsp::ls_types::{
    CompletionItem, CompletionItemKind, CompletionList, CompletionParams, CompletionResponse,
    CompletionTextEdit, Documentation, InsertTextFormat,
};

use super::insight::markdown;
use crate::ide::completion::{self, Insert, Suggestion, SuggestionKind};
use crate::server::{Refusal, Snapshot};

pub(super) fn suggestions(
    snapshot: &Snapshot,
    params: CompletionParams,
) -> Result<Option<CompletionResponse>, Refusal> {
    let at = params.text_document_position;
    let file = snapshot.file(&at.text_document.uri)?;
    let byte = snapshot.offset(file, at.position);
    let found = completion::suggestions(&snapshot.db, file, byte, &snapshot.shown());
    let has_snippets = snapshot.client.has_snippets();
    let item = |it: Suggestion| {
        let (text, format) = match it.insert {
            Insert::Snippet(text) if has_snippets => (text, InsertTextFormat::SNIPPET),
            Insert::Snippet(_) => (it.label.to_string(), InsertTextFormat::PLAIN_TEXT),
            Insert::Text(text) => (text, InsertTextFormat::PLAIN_TEXT),
        };
        let edits = it.edits.iter().map(|(span, text)| snapshot.edit(file, *span, text.clone()));
        let edits: Vec<_> = edits.collect();
        CompletionItem {
            sort_text: Some(format!("{}{}", it.rank as u8, it.label)),
            kind: Some(kind(it.kind)),
            detail: (!it.detail.is_empty()).then_some(it.detail),
            insert_text_format: Some(format),
            text_edit: Some(CompletionTextEdit::Edit(snapshot.edit(file, found.span, text))),
            additional_text_edits: (!edits.is_empty()).then_some(edits),
            data: it.means.as_ref().and_then(encode),
            label: it.label.into(),
            ..CompletionItem::default()
        }
    };
    let items = found.list.into_iter().map(item).collect();
    let list = CompletionList { is_incomplete: found.is_cut, items };
    Ok(Some(CompletionResponse::List(list)))
}

/// The documentation of a suggestion.
pub(super) fn resolve(
    snapshot: &Snapshot,
    mut item: CompletionItem,
) -> Result<CompletionItem, Refusal> {
    let means = item.data.as_ref().and_then(decode);
    let text = means.and_then(|it| completion::documentation(&snapshot.db, &it));
    item.documentation = text.map(|it| Documentation::MarkupContent(markdown(it)));
    Ok(item)
}

/// A meaning as the client keeps it; `None` for what has no documentation.
fn encode(means: &Meaning) -> Option<Value> {
    let key = |it: &ItemKey| json!([it.file, it.item.as_str()]);
    Some(match means {
        Meaning::Builtin(it) => json!({ "builtin": it.0 }),
        Meaning::Item(it) => json!({ "item": key(it) }),
        Meaning::Member(it, n) => json!({ "member": n, "of": key(it) }),
        Meaning::Field(it, n) => json!({ "field": n, "of": key(it) }),
        Meaning::Variant(it, n) => json!({ "variant": n, "of": key(it) }),
        Meaning::Module(n) => json!({ "module": n }),
        Meaning::Local(..) | Meaning::Param { .. } | Meaning::Word => return None,
    })
}

fn decode(data: &Value) -> Option<Meaning> {
    let number = |name: &str| u32::try_from(data.get(name)?.as_u64()?).ok();
    let key = |name: &str| {
        let [file, item] = data.get(name)?.as_array()?.as_slice() else { return None };
        let file = u32::try_from(file.as_u64()?).ok()?;
        Some(ItemKey { file, item: SmolStr::new(item.as_str()?) })
    };
    if let Some(n) = number("builtin") {
        return Builtin::all().nth(n as usize).map(Meaning::Builtin);
    }
    if let Some(it) = key("item") {
        return Some(Meaning::Item(it));
    }
    if let Some(n) = number("module") {
        return Some(Meaning::Module(n));
    }
    let of = key("of")?;
    number("member")
        .map(|n| Meaning::Member(of.clone(), n))
        .or_else(|| number("field").map(|n| Meaning::Field(of.clone(), n)))
        .or_else(|| number("variant").map(|n| Meaning::Variant(of.clone(), n)))
}

fn kind(it: SuggestionKind) -> CompletionItemKind {
    match it {
        SuggestionKind::Local => CompletionItemKind::VARIABLE,
        SuggestionKind::Function => CompletionItemKind::FUNCTION,
        SuggestionKind::Method => CompletionItemKind::METHOD,
        SuggestionKind::Field => CompletionItemKind::FIELD,
        SuggestionKind::Type => CompletionItemKind::STRUCT,
        SuggestionKind::Constant | SuggestionKind::Target => CompletionItemKind::CONSTANT,
        SuggestionKind::Variant | SuggestionKind::Capability => CompletionItemKind::ENUM_MEMBER,
        SuggestionKind::Module => CompletionItemKind::MODULE,
        SuggestionKind::Argument => CompletionItemKind::PROPERTY,
        SuggestionKind::Keyword => CompletionItemKind::KEYWORD,
        SuggestionKind::Snippet => CompletionItemKind::SNIPPET,
    }
}
