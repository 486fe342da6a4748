//! What needs only the text: folding, growing selections, formatting.

use tile_syntax::ast::Span;
use tower_lsp::ls_types::{
    DocumentFormattingParams, FoldingRange, FoldingRangeKind, FoldingRangeParams, SelectionRange,
    SelectionRangeParams, TextEdit,
};

use crate::ide::folding::{self, Fold, FoldKind};
use crate::ide::selection;
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

/// Only a text without syntax errors is formatted.
pub(super) fn format(
    snapshot: &Snapshot,
    params: DocumentFormattingParams,
) -> Result<Option<Vec<TextEdit>>, Refusal> {
    let file = snapshot.file(&params.text_document.uri)?;
    let text = file.text(&snapshot.db);
    let Ok(formatted) = tile_syntax::format(text) else { return Ok(None) };
    if formatted == *text {
        return Ok(Some(Vec::new()));
    }
    let all = Span::new(0, text.len() as u32);
    Ok(Some(vec![snapshot.edit(file, all, formatted)]))
}
