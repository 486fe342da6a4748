//! What is wrong with a file, in the protocol's form.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use tile_language::db::SourceFile;
use tile_language::diagnostic::{self, Severity};
use tower_lsp::ls_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, NumberOrString,
};

use super::Snapshot;

/// Who found it, as clients show it.
const SOURCE: &str = "tile";

/// The findings of a file, in the order of the text.
pub(super) fn of_file(snapshot: &Snapshot, file: SourceFile) -> Vec<Diagnostic> {
    let found = snapshot.db.check(file, &snapshot.settings.targets);
    found.iter().filter_map(|it| finding(snapshot, file, it)).collect()
}

/// One finding. One whose place is in another file is shown there, where its own check finds it.
pub(super) fn finding(
    snapshot: &Snapshot,
    file: SourceFile,
    it: &diagnostic::Diagnostic,
) -> Option<Diagnostic> {
    let place = snapshot.db.locate(&it.place).filter(|it| it.file == file)?;
    let reasons = it.reasons.iter().filter_map(|it| {
        let location = snapshot.locate(&it.place)?;
        Some(DiagnosticRelatedInformation { location, message: it.message.clone() })
    });
    let reasons: Vec<_> = reasons.collect();
    let message = match &it.help {
        Some(help) => format!("{}\nhelp: {help}", it.message),
        None => it.message.clone(),
    };
    Some(Diagnostic {
        range: snapshot.range(file, place.span),
        severity: Some(match it.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Note => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(it.code.name().to_owned())),
        code_description: snapshot
            .client
            .home
            .page(it.code.name())
            .map(|href| CodeDescription { href }),
        source: Some(SOURCE.to_owned()),
        message,
        related_information: (!reasons.is_empty()).then_some(reasons),
        ..Diagnostic::default()
    })
}

/// That the check itself failed, at the beginning of the file: a mistake of the compiler's.
pub(super) fn of_panic(what: &str) -> Diagnostic {
    Diagnostic {
        severity: Some(DiagnosticSeverity::ERROR),
        source: Some(SOURCE.to_owned()),
        message: format!("the check of this file panicked: {what}"),
        ..Diagnostic::default()
    }
}

/// A name for a list of findings that equal lists share.
pub(super) fn result_id(found: &[Diagnostic]) -> String {
    let mut hasher = FxHasher::default();
    let text = serde_json::to_string(found).expect("types of the protocol have string keys");
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
