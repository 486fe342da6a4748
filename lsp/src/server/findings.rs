//! What is wrong with a file, in the protocol's form.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::panic::{self, AssertUnwindSafe};

use rustc_hash::FxHasher;
use salsa::Cancelled;
use tile_language::db::SourceFile;
use tile_language::diagnostic::{self, Code, Severity};
use tower_lsp::ls_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
    NumberOrString,
};

use super::Snapshot;

/// Who found it, as clients show it.
const SOURCE: &str = "tile";

/// The findings of a file, in the order of the text. If the check panics, that is the finding: one
/// file does not silence the others.
pub(super) fn of_file(snapshot: &Snapshot, file: SourceFile) -> Vec<Diagnostic> {
    let check = || snapshot.db.check(file, &snapshot.settings.targets);
    match panic::catch_unwind(AssertUnwindSafe(check)) {
        Ok(found) => found.iter().filter_map(|it| finding(snapshot, file, it)).collect(),
        Err(payload) if payload.is::<Cancelled>() => panic::resume_unwind(payload),
        Err(payload) => {
            let words = words_of(payload.as_ref());
            vec![of_server(format!("the check of this file panicked: {words}"))]
        }
    }
}

/// What a panic says.
pub(super) fn words_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|it| (*it).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without a message".to_owned())
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
    let steps = it.steps.iter().zip(1..).filter_map(|(it, number)| {
        let location = snapshot.locate(&it.place)?;
        let actor = if it.actor.is_empty() { "all" } else { &it.actor };
        let message = format!("{number}. {actor} {}", it.message);
        Some(DiagnosticRelatedInformation { location, message })
    });
    let reasons: Vec<_> = reasons.chain(steps).collect();
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
        tags: tags(it.code),
        related_information: (!reasons.is_empty()).then_some(reasons),
        ..Diagnostic::default()
    })
}

/// That the check itself failed, at the beginning of the file.
pub(super) fn of_server(message: String) -> Diagnostic {
    Diagnostic {
        severity: Some(DiagnosticSeverity::ERROR),
        source: Some(SOURCE.to_owned()),
        message,
        ..Diagnostic::default()
    }
}

/// How a finding is shown besides its underline.
fn tags(code: Code) -> Option<Vec<DiagnosticTag>> {
    (code == Code::W0102).then(|| vec![DiagnosticTag::UNNECESSARY])
}

/// A name for a list of findings that equal lists share.
pub(super) fn result_id(found: &[Diagnostic]) -> String {
    let mut hasher = FxHasher::default();
    let text = serde_json::to_string(found).expect("types of the protocol have string keys");
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
