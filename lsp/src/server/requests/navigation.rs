//! Declarations, uses, renaming and calls in the protocol's form.

use tile_language::db::SourceFile;
use tile_language::names::mentions::{Access, Declaration};
use tile_syntax::ast::Span;
use tower_lsp::ls_types::{
    CallHierarchyIncomingCall, CallHierarchyIncomingCallsParams, CallHierarchyItem,
    CallHierarchyOutgoingCall, CallHierarchyOutgoingCallsParams, CallHierarchyPrepareParams,
    DocumentHighlight, DocumentHighlightKind, DocumentHighlightParams, DocumentLink,
    DocumentLinkParams, GotoDefinitionParams, GotoDefinitionResponse, Location, LocationLink,
    PrepareRenameResponse, ReferenceParams, RenameParams, SymbolKind, TextDocumentPositionParams,
    WorkspaceEdit,
};

use crate::ide::calls::{self, Function};
use crate::ide::{links, navigation, rename};
use crate::server::{Refusal, Snapshot};

type Found = Vec<(Span, Declaration)>;

pub(super) fn declarations(
    snapshot: &Snapshot,
    params: GotoDefinitionParams,
) -> Result<Option<GotoDefinitionResponse>, Refusal> {
    let (file, at) = snapshot.place(&params.text_document_position_params)?;
    Ok(targets(snapshot, file, navigation::declarations(&snapshot.db, file, at)))
}

pub(super) fn type_declarations(
    snapshot: &Snapshot,
    params: GotoDefinitionParams,
) -> Result<Option<GotoDefinitionResponse>, Refusal> {
    let (file, at) = snapshot.place(&params.text_document_position_params)?;
    Ok(targets(snapshot, file, navigation::type_declarations(&snapshot.db, file, at)))
}

fn targets(snapshot: &Snapshot, from: SourceFile, found: Found) -> Option<GotoDefinitionResponse> {
    if found.is_empty() {
        return None;
    }
    if !snapshot.client.links_definitions() {
        let locations = found.iter().filter_map(|it| snapshot.location(it.1.file, it.1.name));
        return Some(GotoDefinitionResponse::Array(locations.collect()));
    }
    let links = found.iter().filter_map(|(span, to)| {
        Some(LocationLink {
            origin_selection_range: Some(snapshot.range(from, *span)),
            target_uri: snapshot.uri(to.file)?,
            target_range: snapshot.range(to.file, to.all),
            target_selection_range: snapshot.range(to.file, to.name),
        })
    });
    Some(GotoDefinitionResponse::Link(links.collect()))
}

pub(super) fn usages(
    snapshot: &Snapshot,
    params: ReferenceParams,
) -> Result<Option<Vec<Location>>, Refusal> {
    let (file, at) = snapshot.place(&params.text_document_position)?;
    let mut found = navigation::usages(&snapshot.db, file, at);
    if !params.context.include_declaration {
        found.retain(|it| it.access != Access::Declares);
    }
    let locations = found.iter().filter_map(|it| snapshot.location(it.file, it.span));
    Ok(Some(locations.collect()))
}

pub(super) fn highlights(
    snapshot: &Snapshot,
    params: DocumentHighlightParams,
) -> Result<Option<Vec<DocumentHighlight>>, Refusal> {
    let (file, at) = snapshot.place(&params.text_document_position_params)?;
    let found = navigation::highlights(&snapshot.db, file, at).into_iter();
    let highlights = found.map(|it| DocumentHighlight {
        range: snapshot.range(file, it.span),
        kind: Some(match it.access {
            Access::Declares | Access::Writes => DocumentHighlightKind::WRITE,
            Access::Reads | Access::Calls => DocumentHighlightKind::READ,
            Access::Labels => DocumentHighlightKind::TEXT,
        }),
    });
    Ok(Some(highlights.collect()))
}

pub(super) fn prepare_rename(
    snapshot: &Snapshot,
    params: TextDocumentPositionParams,
) -> Result<Option<PrepareRenameResponse>, Refusal> {
    let (file, at) = snapshot.place(&params)?;
    let (span, name) = rename::prepare(&snapshot.db, file, at).map_err(refusal)?;
    Ok(Some(PrepareRenameResponse::RangeWithPlaceholder {
        range: snapshot.range(file, span),
        placeholder: name.to_string(),
    }))
}

pub(super) fn rename(
    snapshot: &Snapshot,
    params: RenameParams,
) -> Result<Option<WorkspaceEdit>, Refusal> {
    let (file, at) = snapshot.place(&params.text_document_position)?;
    let new = params.new_name;
    let places = rename::rename(&snapshot.db, file, at, &new).map_err(refusal)?;
    let edits = places.into_iter().map(|(file, span)| (file, span, new.clone()));
    Ok(Some(snapshot.workspace_edit(edits)))
}

fn refusal(it: rename::NoRename) -> Refusal {
    Refusal::failed(it.to_string())
}

pub(super) fn links(
    snapshot: &Snapshot,
    params: DocumentLinkParams,
) -> Result<Option<Vec<DocumentLink>>, Refusal> {
    let file = snapshot.file(&params.text_document.uri)?;
    let found = links::links(&snapshot.db, file).into_iter();
    let links = found.map(|(span, to)| DocumentLink {
        range: snapshot.range(file, span),
        target: snapshot.uri(to),
        tooltip: None,
        data: None,
    });
    Ok(Some(links.collect()))
}

pub(super) fn prepare_calls(
    snapshot: &Snapshot,
    params: CallHierarchyPrepareParams,
) -> Result<Option<Vec<CallHierarchyItem>>, Refusal> {
    let (file, at) = snapshot.place(&params.text_document_position_params)?;
    let found = calls::function_at(&snapshot.db, file, at);
    Ok(found.and_then(|it| function(snapshot, &it)).map(|it| vec![it]))
}

pub(super) fn incoming_calls(
    snapshot: &Snapshot,
    params: CallHierarchyIncomingCallsParams,
) -> Result<Option<Vec<CallHierarchyIncomingCall>>, Refusal> {
    let Some(of) = again(snapshot, &params.item)? else { return Ok(None) };
    let found = calls::incoming(&snapshot.db, &of);
    let calls = found.iter().filter_map(|it| {
        let caller = it.function.at.file;
        Some(CallHierarchyIncomingCall {
            from: function(snapshot, &it.function)?,
            from_ranges: it.places.iter().map(|it| snapshot.range(caller, *it)).collect(),
        })
    });
    Ok(Some(calls.collect()))
}

pub(super) fn outgoing_calls(
    snapshot: &Snapshot,
    params: CallHierarchyOutgoingCallsParams,
) -> Result<Option<Vec<CallHierarchyOutgoingCall>>, Refusal> {
    let Some(of) = again(snapshot, &params.item)? else { return Ok(None) };
    let found = calls::outgoing(&snapshot.db, &of);
    let calls = found.iter().filter_map(|it| {
        Some(CallHierarchyOutgoingCall {
            to: function(snapshot, &it.function)?,
            from_ranges: it.places.iter().map(|it| snapshot.range(of.at.file, *it)).collect(),
        })
    });
    Ok(Some(calls.collect()))
}

/// The function of an item that the client was given before.
fn again(snapshot: &Snapshot, item: &CallHierarchyItem) -> Result<Option<Function>, Refusal> {
    let file = snapshot.file(&item.uri)?;
    let at = snapshot.offset(file, item.selection_range.start);
    Ok(calls::function_at(&snapshot.db, file, at))
}

fn function(snapshot: &Snapshot, it: &Function) -> Option<CallHierarchyItem> {
    Some(CallHierarchyItem {
        name: it.name.clone(),
        kind: SymbolKind::FUNCTION,
        tags: None,
        detail: Some(it.at.file.module(&snapshot.db).join("::")),
        uri: snapshot.uri(it.at.file)?,
        range: snapshot.range(it.at.file, it.at.all),
        selection_range: snapshot.range(it.at.file, it.at.name),
        data: None,
    })
}
