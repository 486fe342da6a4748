//! What needs only the text: folding, growing selections, formatting.

use tile_language::db::SourceFile;
use tower_lsp::ls_types::{
    DocumentFormattingParams, DocumentOnTypeFormattingParams, DocumentRangeFormattingParams,
    FoldingRange, FoldingRangeKind, FoldingRangeParams, SelectionRange, SelectionRangeParams,
    TextEdit,
};

use crate::ide::folding::{self, Fold, FoldKind};
use crate::ide::{formatting, selection};
use crate::server::{Refusal, Snapshot};

pub(super) fn folds(
    snapshot: &Snapshot,
    params: FoldingRangeParams,
) -> Result<Option<Vec<FoldingRange>>, Refusal> {
    let file = snapshot.file(&params.text_document.uri)?;
    let ranges = folding::folds(&snapshot.db, file).into_iter().map(fold);
    Ok(Some(ranges.collect()))
}

fn fold(it: Fold) -> FoldingRange {
    FoldingRange {
        start_line: it.first,
        end_line: it.last,
        kind: match it.kind {
            FoldKind::Code => None,
            FoldKind::Comment => Some(FoldingRangeKind::Comment),
            FoldKind::Imports => Some(FoldingRangeKind::Imports),
        },
        ..FoldingRange::default()
    }
}

pub(super) fn selections(
    snapshot: &Snapshot,
    params: SelectionRangeParams,
) -> Result<Option<Vec<SelectionRange>>, Refusal> {
    let file = snapshot.file(&params.text_document.uri)?;
    let chain = |at: u32| {
        let spans = selection::selections(&snapshot.db, file, at);
        let outer_first = spans.into_iter().rev().map(|it| snapshot.range(file, it));
        let link = |parent: Option<SelectionRange>, range| {
            Some(SelectionRange { range, parent: parent.map(Box::new) })
        };
        outer_first.fold(None, link).expect("the file itself is around every byte")
    };
    let offsets = params.positions.iter().map(|it| snapshot.offset(file, *it));
    Ok(Some(offsets.map(chain).collect()))
}

pub(super) fn format(
    snapshot: &Snapshot,
    params: DocumentFormattingParams,
) -> Result<Option<Vec<TextEdit>>, Refusal> {
    let file = snapshot.file(&params.text_document.uri)?;
    Ok(edits(snapshot, file, formatting::document(file.text(&snapshot.db))))
}

pub(super) fn format_range(
    snapshot: &Snapshot,
    params: DocumentRangeFormattingParams,
) -> Result<Option<Vec<TextEdit>>, Refusal> {
    let file = snapshot.file(&params.text_document.uri)?;
    let range = snapshot.span(file, params.range);
    Ok(edits(snapshot, file, formatting::range(file.text(&snapshot.db), range)))
}

pub(super) fn format_on_type(
    snapshot: &Snapshot,
    params: DocumentOnTypeFormattingParams,
) -> Result<Option<Vec<TextEdit>>, Refusal> {
    let (file, at) = snapshot.place(&params.text_document_position)?;
    let edit = formatting::indentation(file.text(&snapshot.db), at);
    Ok(edits(snapshot, file, edit.map(|it| vec![it])))
}

fn edits(
    snapshot: &Snapshot,
    file: SourceFile,
    edits: Option<Vec<formatting::Edit>>,
) -> Option<Vec<TextEdit>> {
    let edits = edits?.into_iter().map(|it| snapshot.edit(file, it.span, it.text));
    Some(edits.collect())
}
