//! Requests of Tile's own: the code of an instance, what the compiler measures, where registers go.
//!
//! | request | parameters | answer |
//! | --- | --- | --- |
//! | `tile/code` | `textDocument`; `instance` or `position`; `target`, `form` (`ir`, `ll`, `ptx`, `sass`, `s`) | `text`, `title`, `form`, `instance`, `target`, `lines`: pairs of a line of the text and one of the document, `registers`, `spillBytes`, `sharedBytes` where they are known |
//! | `tile/measure` | `textDocument` | `kernels`: `name`, `target`, `registers`, `spillBytes`, `sharedBytes`, `occupancy`; hovers and lenses show them from then on |
//! | `tile/pressure` | `textDocument` | `kernels`: `name`, `target`, `registers`, `peak` (a line), `held` (`name`, `registers`), `lines`: pairs of a line of the document and the registers that live there |

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tile_language::db::{self, SourceFile};
use tile_language::names;
use tile_language::target::TargetId;
use tower_lsp::ls_types::{Position, TextDocumentIdentifier};

use super::Reply;
use crate::ide::code::{self, Form, LinePair};
use crate::ide::measured::{Measured, Measurement};
use crate::ide::shown::{self, Shown, ShownInstance};
use crate::server::compiler::Job;
use crate::server::{Refusal, Snapshot};

/// What code is asked for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CodeParams {
    text_document: TextDocumentIdentifier,
    position: Option<Position>,
    instance: Option<String>,
    target: Option<String>,
    form: String,
}

/// A document.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DocumentParams {
    text_document: TextDocumentIdentifier,
}

fn read<P: serde::de::DeserializeOwned>(params: Value) -> Result<P, Refusal> {
    serde_json::from_value(params).map_err(|error| Refusal::invalid(error.to_string()))
}

/// `tile/code`
pub(super) fn code(snapshot: &Snapshot, params: Value) -> Result<Reply, Refusal> {
    let params: CodeParams = read(params)?;
    let file = snapshot.file(&params.text_document.uri)?;
    let form = Form::from_name(&params.form)
        .ok_or_else(|| Refusal::invalid(format!("there is no form `{}`", params.form)))?;
    let mut shown = snapshot.shown();
    if let Some(name) = &params.target {
        shown.target = TargetId::from_name(name)
            .ok_or_else(|| Refusal::invalid(format!("there is no target `{name}`")))?;
    }
    let instance = instance(snapshot, file, &params, &shown)?;
    let name = instance.name.to_string();
    let target = instance.target;
    let title = format!("{name} for {}, {}", target.row().name, form.title());
    let head = json!({
        "title": title, "instance": name, "target": target.row().name, "form": form.name(),
    });
    if form == Form::TileIr {
        let ir = instance.ir(&snapshot.db);
        let ir = ir.ok_or_else(|| Refusal::failed(format!("`{name}` has mistakes")))?;
        let (text, pairs) = code::tile_ir(&snapshot.db, file, ir);
        let pairs: Vec<[u32; 2]> =
            pairs.iter().map(|LinePair { code, source }| [*code, *source]).collect();
        return Ok(Reply::Now(with(head, &json!({ "text": text, "lines": pairs }))));
    }
    let options = ["--kernel", &name, "--target", target.row().name, "--form", form.name()]
        .map(str::to_owned);
    let job = job(snapshot, file, "listing", options.to_vec());
    let (measured, text) = (Arc::clone(&snapshot.measured), file.text(&snapshot.db).clone());
    Ok(Reply::Later(Box::new(move || {
        let made = job.run()?;
        keep(&measured, &text, &name, target, &made);
        let more = json!({
            "text": made["text"], "lines": made["lines"], "registers": made["registers"],
            "spillBytes": made["spill_bytes"], "sharedBytes": made["shared_bytes"],
        });
        Ok(with(head, &more))
    })))
}

/// The instance of that name, or the one at the position.
fn instance<'s>(
    snapshot: &'s Snapshot,
    file: SourceFile,
    params: &CodeParams,
    shown: &Shown,
) -> Result<ShownInstance<'s>, Refusal> {
    let found = match &params.instance {
        Some(name) => shown::named(&snapshot.db, file, name, shown),
        None => {
            let byte = params.position.map_or(0, |it| snapshot.offset(file, it));
            code::instance_at(&snapshot.db, file, byte, shown)
        }
    };
    found.ok_or_else(|| Refusal::failed("there is no kernel here"))
}

fn with(mut head: Value, more: &Value) -> Value {
    if let (Some(head), Some(more)) = (head.as_object_mut(), more.as_object()) {
        head.extend(more.iter().map(|(key, it)| (key.clone(), it.clone())));
    }
    head
}

/// A run of the compiler on a file, with the files that it can use beside it.
fn job(snapshot: &Snapshot, file: SourceFile, command: &'static str, options: Vec<String>) -> Job {
    let db = &snapshot.db;
    let name = |it: SourceFile| {
        let path = PathBuf::from(it.path(db));
        path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let is_library = |it: &SourceFile| it.module(db).first().is_some_and(|it| it == "std");
    let others =
        names::neighbours(db, file).into_iter().filter(|it| *it != file && !is_library(it));
    let files = std::iter::once(file).chain(others);
    let files = files.map(|it| (name(it), it.text(db).clone())).collect();
    Job { program: snapshot.settings.compiler.clone(), files, command, options }
}

/// Remembers what a compiler measured, if an assembler told it.
fn keep(measured: &Measured, text: &str, name: &str, target: TargetId, made: &Value) {
    let number = |key: &str| made[key].as_u64().and_then(|it| u32::try_from(it).ok());
    if let (Some(registers), Some(spill_bytes)) = (number("registers"), number("spill_bytes")) {
        let shared_bytes = number("shared_bytes").unwrap_or(0);
        measured.set(text, name, target, Measurement { registers, spill_bytes, shared_bytes });
    }
}

/// `tile/measure`
pub(super) fn measure(snapshot: &Snapshot, params: Value) -> Result<Reply, Refusal> {
    let params: DocumentParams = read(params)?;
    let file = snapshot.file(&params.text_document.uri)?;
    let target = snapshot.shown().target;
    let options = ["--target", target.row().name].map(str::to_owned).to_vec();
    let job = job(snapshot, file, "report", options);
    let (measured, text) = (Arc::clone(&snapshot.measured), file.text(&snapshot.db).clone());
    Ok(Reply::Later(Box::new(move || {
        let report = job.run()?;
        let kernels = report["kernels"].as_array().cloned().unwrap_or_default();
        let mut told = Vec::new();
        for it in &kernels {
            let name = it["name"].as_str().unwrap_or_default();
            keep(&measured, &text, name, target, it);
            told.push(json!({
                "name": name, "target": it["target"], "registers": it["registers"],
                "spillBytes": it["spill_bytes"], "sharedBytes": it["shared_bytes"],
                "occupancy": it["occupancy"],
            }));
        }
        Ok(json!({ "kernels": told }))
    })))
}

/// `tile/pressure`
pub(super) fn pressure(snapshot: &Snapshot, params: Value) -> Result<Reply, Refusal> {
    let params: DocumentParams = read(params)?;
    let file = snapshot.file(&params.text_document.uri)?;
    let shown = snapshot.shown();
    let kernels = shown::of_file(&snapshot.db, file, &shown);
    let kernels: Vec<Value> =
        kernels.iter().filter_map(|it| kernel_pressure(snapshot, file, it)).collect();
    Ok(Reply::Now(json!({ "kernels": kernels })))
}

fn kernel_pressure(snapshot: &Snapshot, file: SourceFile, it: &ShownInstance<'_>) -> Option<Value> {
    let found = it.pressure(&snapshot.db)?;
    let line = |place: &tile_language::ir::Place| {
        let (of, span) = db::resolve(&snapshot.db, place)?;
        (of == file).then(|| snapshot.position(file, span.lo).line)
    };
    let mut lines: Vec<(u32, u32)> =
        found.places.iter().filter_map(|(place, n)| Some((line(place)?, *n))).collect();
    // The most of each line.
    lines.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)));
    lines.dedup_by_key(|it| it.0);
    let held =
        found.held.iter().map(|it| json!({ "name": it.name.as_str(), "registers": it.registers }));
    Some(json!({
        "name": it.name.as_str(),
        "target": it.target.row().name,
        "registers": found.registers,
        "peak": found.peak.as_ref().and_then(line),
        "held": held.collect::<Vec<_>>(),
        "lines": lines,
    }))
}
