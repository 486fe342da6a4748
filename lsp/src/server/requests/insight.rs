//! What the shown instance says of a program, in the protocol's form: hovers, hints, lenses, signatures.

use serde_json::json;
use tower_lsp::ls_types::{
    CodeLens, CodeLensParams, Command, Documentation, Hover, HoverContents, HoverParams, InlayHint,
    InlayHintKind, InlayHintLabel, InlayHintParams, InlayHintTooltip, MarkupContent, MarkupKind,
    ParameterInformation, ParameterLabel, SignatureHelp, SignatureHelpParams, SignatureInformation,
};

use crate::ide::hover;
use crate::ide::inlay::{self, Hint, HintKind};
use crate::ide::lens::{self, Action, Lens};
use crate::ide::signature::{self, Signature};
use crate::server::{Refusal, Snapshot};

pub(super) fn hover(snapshot: &Snapshot, params: HoverParams) -> Result<Option<Hover>, Refusal> {
    let at = params.text_document_position_params;
    let file = snapshot.file(&at.text_document.uri)?;
    let byte = snapshot.offset(file, at.position);
    let found = hover::hover(&snapshot.db, file, byte, &snapshot.shown());
    Ok(found.map(|it| Hover {
        contents: HoverContents::Markup(markdown(it.text)),
        range: Some(snapshot.range(file, it.span)),
    }))
}

pub(super) fn markdown(value: String) -> MarkupContent {
    MarkupContent { kind: MarkupKind::Markdown, value }
}

pub(super) fn signatures(
    snapshot: &Snapshot,
    params: SignatureHelpParams,
) -> Result<Option<SignatureHelp>, Refusal> {
    let at = params.text_document_position_params;
    let file = snapshot.file(&at.text_document.uri)?;
    let byte = snapshot.offset(file, at.position);
    let found = signature::signatures(&snapshot.db, file, byte, &snapshot.shown());
    let Some(active) = found.first().map(|it| it.active) else { return Ok(None) };
    Ok(Some(SignatureHelp {
        signatures: found.into_iter().map(signature).collect(),
        active_signature: Some(0),
        active_parameter: active.map(|it| it as u32),
    }))
}

fn signature(it: Signature) -> SignatureInformation {
    // Labels are counted in UTF-16 whatever positions are counted in.
    let units = |at: usize| it.label[..at].encode_utf16().count() as u32;
    let docs = |text: &String| {
        (!text.is_empty()).then(|| Documentation::MarkupContent(markdown(text.clone())))
    };
    let param = |(range, text): &(std::ops::Range<usize>, String)| ParameterInformation {
        label: ParameterLabel::LabelOffsets([units(range.start), units(range.end)]),
        documentation: docs(text),
    };
    SignatureInformation {
        parameters: Some(it.params.iter().map(param).collect()),
        active_parameter: it.active.map(|it| it as u32),
        documentation: docs(&it.docs),
        label: it.label,
    }
}

pub(super) fn hints(
    snapshot: &Snapshot,
    params: InlayHintParams,
) -> Result<Option<Vec<InlayHint>>, Refusal> {
    let file = snapshot.file(&params.text_document.uri)?;
    let stretch = snapshot.span(file, params.range);
    let settings = &snapshot.settings;
    let found = inlay::hints(&snapshot.db, file, stretch, &snapshot.shown(), &settings.hints);
    let hint = |it: Hint| InlayHint {
        position: snapshot.position(file, it.at),
        label: InlayHintLabel::String(it.text),
        kind: (it.kind == HintKind::Type).then_some(InlayHintKind::TYPE),
        text_edits: None,
        tooltip: it.tooltip.map(InlayHintTooltip::String),
        padding_left: None,
        padding_right: None,
        data: None,
    };
    Ok(Some(found.into_iter().map(hint).collect()))
}

pub(super) fn lenses(
    snapshot: &Snapshot,
    params: CodeLensParams,
) -> Result<Option<Vec<CodeLens>>, Refusal> {
    let uri = params.text_document.uri;
    let file = snapshot.file(&uri)?;
    let found = lens::lenses(&snapshot.db, file, &snapshot.shown());
    let lens = |it: Lens| CodeLens {
        range: snapshot.range(file, it.span),
        command: Some(command(it, uri.as_str())),
        data: None,
    };
    Ok(Some(found.into_iter().map(lens).collect()))
}

/// The command that a client runs: one argument, an object.
fn command(lens: Lens, uri: &str) -> Command {
    let (command, argument) = match lens.action {
        Action::Choose { kernel, instances } => {
            ("tile.chooseInstance", json!({ "uri": uri, "kernel": kernel, "instances": instances }))
        }
        Action::Open { instance, target, form } => (
            "tile.openCode",
            json!({ "uri": uri, "instance": instance, "target": target, "form": form.name() }),
        ),
        Action::Run { title, is_bench: false } => {
            ("tile.runTest", json!({ "uri": uri, "title": title }))
        }
        Action::Run { title, is_bench: true } => {
            ("tile.runBench", json!({ "uri": uri, "title": title }))
        }
        Action::Build { instance, targets } => {
            ("tile.build", json!({ "uri": uri, "instance": instance, "targets": targets }))
        }
    };
    Command { title: lens.title, command: command.to_owned(), arguments: Some(vec![argument]) }
}
