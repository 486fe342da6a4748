//! Code actions: the compiler's own fixes, each with its finding; the fixes of one code; all of them.

use tile_language::db::SourceFile;
use tile_language::diagnostic::Code;
use tower_lsp::ls_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, Diagnostic,
};

use crate::ide::fixes::{self, Repair};
use crate::server::{Refusal, Snapshot, findings};

pub(super) fn at(
    snapshot: &Snapshot,
    params: CodeActionParams,
) -> Result<Option<Vec<CodeActionOrCommand>>, Refusal> {
    let file = snapshot.file(&params.text_document.uri)?;
    let range = snapshot.span(file, params.range);
    let wants = |kind: &CodeActionKind| {
        let only = params.context.only.as_ref();
        only.is_none_or(|it| it.iter().any(|it| kind.as_str().starts_with(it.as_str())))
    };
    let found = snapshot.db.check(file, &snapshot.settings.targets);
    let mut actions = Vec::new();
    if wants(&CodeActionKind::QUICKFIX) {
        let repairs = fixes::at(&snapshot.db, file, &found, range);
        actions.extend(repairs.iter().map(|it| quick_fix(snapshot, file, it, &params)));
        actions.extend(of_codes(snapshot, &repairs, &found));
    }
    if wants(&CodeActionKind::SOURCE_FIX_ALL) {
        let edits = fixes::all(&snapshot.db, &found, None);
        if !edits.is_empty() {
            actions.push(CodeAction {
                title: format!("mend all {} findings that can be mended", edits.len()),
                kind: Some(CodeActionKind::SOURCE_FIX_ALL),
                edit: Some(snapshot.workspace_edit(edits)),
                ..CodeAction::default()
            });
        }
    }
    Ok(Some(actions.into_iter().map(CodeActionOrCommand::CodeAction).collect()))
}

fn quick_fix(
    snapshot: &Snapshot,
    file: SourceFile,
    it: &Repair,
    params: &CodeActionParams,
) -> CodeAction {
    let own = findings::finding(snapshot, file, &it.mends);
    let is_own = |given: &&Diagnostic| {
        own.as_ref().is_some_and(|own| own.range == given.range && own.code == given.code)
    };
    let mended: Vec<Diagnostic> =
        params.context.diagnostics.iter().filter(is_own).cloned().collect();
    CodeAction {
        title: it.title.clone(),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: (!mended.is_empty()).then_some(mended),
        edit: Some(snapshot.workspace_edit(it.edits.clone())),
        is_preferred: Some(it.is_best),
        ..CodeAction::default()
    }
}

/// One action for each code that has more findings than the one at hand.
fn of_codes(
    snapshot: &Snapshot,
    repairs: &[Repair],
    found: &[tile_language::diagnostic::Diagnostic],
) -> Vec<CodeAction> {
    let mut codes: Vec<Code> = repairs.iter().map(|it| it.mends.code).collect();
    codes.dedup();
    let of_code = |code: Code| {
        let with_fix =
            |it: &&tile_language::diagnostic::Diagnostic| it.code == code && !it.fixes.is_empty();
        let n = found.iter().filter(with_fix).count();
        let edits = fixes::all(&snapshot.db, found, Some(code));
        (1 < n && !edits.is_empty()).then(|| CodeAction {
            title: format!("mend all {n} findings of {code} in this file"),
            kind: Some(CodeActionKind::QUICKFIX),
            edit: Some(snapshot.workspace_edit(edits)),
            ..CodeAction::default()
        })
    };
    codes.into_iter().filter_map(of_code).collect()
}
