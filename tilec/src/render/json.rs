//! Findings for tools: one JSON object a line.

use serde_json::{Value, json};

use super::{Finding, Sources, Stretch, word};
use crate::{Failure, Io};

/// Writes every finding as a line.
pub(super) fn show(
    findings: &[Finding],
    sources: &Sources,
    io: &mut Io<'_>,
) -> Result<(), Failure> {
    findings.iter().try_for_each(|it| io.line(object(it, sources)))
}

/// A finding as an object.
pub(super) fn object(finding: &Finding, sources: &Sources) -> Value {
    let mut object = json!({
        "code": finding.code.name(),
        "severity": word(finding.severity),
        "message": finding.message,
    });
    add_place(&mut object, &finding.place, sources);
    let reasons = finding.reasons.iter().map(|(place, message)| {
        let mut reason = json!({ "message": message });
        add_place(&mut reason, place, sources);
        reason
    });
    object["reasons"] = reasons.collect();
    let steps = finding.steps.iter().map(|(actor, message, place)| {
        let mut step = json!({ "actor": actor, "message": message });
        add_place(&mut step, place, sources);
        step
    });
    object["steps"] = steps.collect();
    object["notes"] = json!(finding.notes);
    object["help"] = json!(finding.help);
    let fixes = finding.fixes.iter().map(|fix| {
        let edits = fix.edits.iter().map(|(place, text)| {
            let mut edit = json!({ "text": text });
            add_place(&mut edit, place, sources);
            edit
        });
        json!({ "title": fix.title, "edits": edits.collect::<Value>() })
    });
    object["fixes"] = fixes.collect();
    object
}

fn add_place(object: &mut Value, place: &Stretch, sources: &Sources) {
    let (first, last) = sources.positions(place);
    object["file"] = json!(sources.name(place.file));
    object["line"] = json!(first.line);
    object["column"] = json!(first.column);
    object["end_line"] = json!(last.line);
    object["end_column"] = json!(last.column);
}
