//! Semantic tokens in the protocol's form: each relative to the one before it, five numbers a token.
//!
//! What a client was sent last is kept for each document, so that it can be sent the difference. A
//! document that is closed is forgotten.

use tile_language::db::SourceFile;
use tile_syntax::ast::Span;
use tower_lsp::ls_types::{
    SemanticToken, SemanticTokens, SemanticTokensDelta, SemanticTokensDeltaParams,
    SemanticTokensEdit, SemanticTokensFullDeltaResult, SemanticTokensParams,
    SemanticTokensRangeParams, SemanticTokensRangeResult, SemanticTokensResult,
};

use crate::ide::semantic_tokens::{self, Word};
use crate::server::{Refusal, Snapshot};

pub(super) fn full(
    snapshot: &Snapshot,
    params: SemanticTokensParams,
) -> Result<Option<SemanticTokensResult>, Refusal> {
    let file = snapshot.file(&params.text_document.uri)?;
    let (result_id, data, _) = remembered(snapshot, file);
    Ok(Some(SemanticTokensResult::Tokens(SemanticTokens { result_id: Some(result_id), data })))
}

pub(super) fn delta(
    snapshot: &Snapshot,
    params: SemanticTokensDeltaParams,
) -> Result<Option<SemanticTokensFullDeltaResult>, Refusal> {
    let file = snapshot.file(&params.text_document.uri)?;
    let (result_id, data, last) = remembered(snapshot, file);
    let result_id = Some(result_id);
    let known = last.filter(|it| it.0 == params.previous_result_id);
    Ok(Some(match known {
        Some((_, old)) => {
            let edits = difference(&old, data);
            SemanticTokensFullDeltaResult::TokensDelta(SemanticTokensDelta { result_id, edits })
        }
        None => SemanticTokensFullDeltaResult::Tokens(SemanticTokens { result_id, data }),
    }))
}

pub(super) fn in_range(
    snapshot: &Snapshot,
    params: SemanticTokensRangeParams,
) -> Result<Option<SemanticTokensRangeResult>, Refusal> {
    let file = snapshot.file(&params.text_document.uri)?;
    let data = encoded(snapshot, file, snapshot.span(file, params.range));
    Ok(Some(SemanticTokensRangeResult::Tokens(SemanticTokens { result_id: None, data })))
}

type Sent = (String, Vec<SemanticToken>);

/// The tokens of a file with their name, and what was sent before.
fn remembered(snapshot: &Snapshot, file: SourceFile) -> (String, Vec<SemanticToken>, Option<Sent>) {
    let all = Span::new(0, file.text(&snapshot.db).len() as u32);
    let data = encoded(snapshot, file, all);
    let number = file.number(&snapshot.db);
    let (result_id, last) = snapshot.sent_tokens.replace(number, data.clone());
    (result_id, data, last)
}

fn encoded(snapshot: &Snapshot, file: SourceFile, range: Span) -> Vec<SemanticToken> {
    let lines = snapshot.lines(file);
    let (mut line, mut character) = (0, 0);
    let token = |it: Word| {
        let start = lines.position(it.span.lo, snapshot.encoding());
        let delta_line = start.line - line;
        let delta_start =
            if delta_line == 0 { start.character - character } else { start.character };
        (line, character) = (start.line, start.character);
        SemanticToken {
            delta_line,
            delta_start,
            length: lines.columns(it.span, snapshot.encoding()),
            token_type: it.kind as u32,
            token_modifiers_bitset: it.modifiers,
        }
    };
    semantic_tokens::words(&snapshot.db, file, range).into_iter().map(token).collect()
}

/// One edit that makes the old list the new one: what stands between what both begin and end with.
fn difference(old: &[SemanticToken], new: Vec<SemanticToken>) -> Vec<SemanticTokensEdit> {
    let same = |it: &(&SemanticToken, &SemanticToken)| it.0 == it.1;
    let head = old.iter().zip(&new).take_while(same).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(same).count();
    let (gone, come) = (old.len() - head - tail, new[head..new.len() - tail].to_vec());
    if gone == 0 && come.is_empty() {
        return Vec::new();
    }
    // The protocol counts numbers, of which a token has five.
    let (start, delete_count) = (5 * head as u32, 5 * gone as u32);
    vec![SemanticTokensEdit { start, delete_count, data: Some(come) }]
}
