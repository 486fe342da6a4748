//! Symbols in the protocol's form.

use tile_language::db::SourceFile;
use tower_lsp::ls_types::{
    DocumentSymbol, DocumentSymbolParams, DocumentSymbolResponse, OneOf, SymbolInformation,
    SymbolKind as Kind, WorkspaceSymbol, WorkspaceSymbolParams, WorkspaceSymbolResponse,
};

use crate::ide::symbols::{self, Symbol, SymbolKind};
use crate::server::{Refusal, Snapshot};

/// The most symbols that a search gives.
const SYMBOLS_MAX: usize = 256;

pub(super) fn of_document(
    snapshot: &Snapshot,
    params: DocumentSymbolParams,
) -> Result<Option<DocumentSymbolResponse>, Refusal> {
    let file = snapshot.file(&params.text_document.uri)?;
    let symbols = symbols::of_file(&snapshot.db, file);
    if snapshot.client.nests_symbols() {
        let nested = symbols.iter().map(|it| nested(snapshot, file, it)).collect();
        return Ok(Some(DocumentSymbolResponse::Nested(nested)));
    }
    let mut flat = Vec::new();
    symbols.iter().for_each(|it| flatten(snapshot, file, it, None, &mut flat));
    Ok(Some(DocumentSymbolResponse::Flat(flat)))
}

pub(super) fn of_workspace(
    snapshot: &Snapshot,
    params: WorkspaceSymbolParams,
) -> Result<Option<WorkspaceSymbolResponse>, Refusal> {
    let found = symbols::of_package(&snapshot.db, &params.query, SYMBOLS_MAX);
    let symbols = found.iter().filter_map(|(file, it)| {
        Some(WorkspaceSymbol {
            name: it.name.clone(),
            kind: kind(it.kind),
            tags: None,
            container_name: Some(file.module(&snapshot.db).join("::")),
            location: OneOf::Left(snapshot.location(*file, it.name_span)?),
            data: None,
        })
    });
    Ok(Some(WorkspaceSymbolResponse::Nested(symbols.collect())))
}

#[expect(deprecated, reason = "the type has a field that the protocol gave up")]
fn nested(snapshot: &Snapshot, file: SourceFile, it: &Symbol) -> DocumentSymbol {
    let children = it.children.iter().map(|it| nested(snapshot, file, it));
    DocumentSymbol {
        name: it.name.clone(),
        detail: (!it.detail.is_empty()).then(|| it.detail.clone()),
        kind: kind(it.kind),
        tags: None,
        deprecated: None,
        range: snapshot.range(file, it.span),
        selection_range: snapshot.range(file, it.name_span),
        children: (!it.children.is_empty()).then(|| children.collect()),
    }
}

#[expect(deprecated, reason = "the type has a field that the protocol gave up")]
fn flatten(
    snapshot: &Snapshot,
    file: SourceFile,
    it: &Symbol,
    container: Option<&str>,
    flat: &mut Vec<SymbolInformation>,
) {
    if let Some(location) = snapshot.location(file, it.span) {
        flat.push(SymbolInformation {
            name: it.name.clone(),
            kind: kind(it.kind),
            tags: None,
            deprecated: None,
            location,
            container_name: container.map(str::to_owned),
        });
    }
    it.children.iter().for_each(|child| flatten(snapshot, file, child, Some(&it.name), flat));
}

fn kind(it: SymbolKind) -> Kind {
    match it {
        SymbolKind::Kernel | SymbolKind::Function | SymbolKind::Iterator => Kind::FUNCTION,
        SymbolKind::Method => Kind::METHOD,
        SymbolKind::Constructor => Kind::CONSTRUCTOR,
        SymbolKind::Constant => Kind::CONSTANT,
        SymbolKind::Struct | SymbolKind::Permit => Kind::STRUCT,
        SymbolKind::Enum => Kind::ENUM,
        SymbolKind::Variant => Kind::ENUM_MEMBER,
        SymbolKind::Field => Kind::FIELD,
        SymbolKind::Impl => Kind::CLASS,
        SymbolKind::Build | SymbolKind::Tune => Kind::OBJECT,
        SymbolKind::Test | SymbolKind::Bench => Kind::EVENT,
    }
}
