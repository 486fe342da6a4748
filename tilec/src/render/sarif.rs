//! Findings as a SARIF 2.1.0 log, which code hosts show beside a change.
//!
//! Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".

use serde_json::{Value, json};

use super::{Finding, Sources, Stretch, word};
use crate::{Failure, Io};

/// Writes one log with one run.
pub(super) fn show(
    findings: &[Finding],
    sources: &Sources,
    io: &mut Io<'_>,
) -> Result<(), Failure> {
    let mut codes: Vec<_> = findings.iter().map(|it| it.code).collect();
    codes.sort();
    codes.dedup();
    let rules = codes
        .iter()
        .map(|it| json!({ "id": it.name(), "shortDescription": { "text": it.summary() } }));
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tilec",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Value>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": findings.iter().map(|it| result(it, sources)).collect::<Value>(),
        }],
    });
    io.line(log)
}

fn result(finding: &Finding, sources: &Sources) -> Value {
    let related = finding.reasons.iter().map(|(place, message)| {
        let mut related = location(place, sources);
        related["message"] = json!({ "text": message });
        related
    });
    json!({
        "ruleId": finding.code.name(),
        "level": word(finding.severity),
        "message": { "text": finding.message },
        "locations": [location(&finding.place, sources)],
        "relatedLocations": related.collect::<Value>(),
    })
}

fn location(place: &Stretch, sources: &Sources) -> Value {
    let (first, last) = sources.positions(place);
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": sources.name(place.file) },
        "region": {
            "startLine": first.line,
            "startColumn": first.column,
            "endLine": last.line,
            "endColumn": last.column,
        },
    } })
}
