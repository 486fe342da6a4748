//! What must hold for every text.

use tile_language::query::Database;
use tile_language::target::{TARGETS, TargetId};
use tile_syntax::{Lexeme, Token, Trivia, format, lex, parse_file, parse_item, split};

/// Parser and formatter: errors lie in the text, items are parsed alone as in their file, formatting
/// keeps tokens and comments and is idempotent.
pub(crate) fn syntax(text: &str) -> Result<(), String> {
    let file = parse_file(text);
    for error in file.all_errors() {
        let places = [
            Some(error.span),
            error.because.map(|it| it.span),
            error.fix.as_ref().map(|it| it.span),
        ];
        for span in places.into_iter().flatten() {
            if text.get(span.lo as usize..span.hi as usize).is_none() {
                return Err(format!("{:?} lies outside the text", error.kind));
            }
        }
    }
    let chunks = split(text);
    if chunks.len() != file.items.len() {
        return Err("splitting and parsing disagree".to_owned());
    }
    for (chunk, (_, item)) in chunks.iter().zip(&file.items) {
        if parse_item(&text[chunk.lo as usize..chunk.hi as usize]) != *item {
            return Err("an item is parsed in another way alone".to_owned());
        }
    }
    match format(text) {
        Err(errors) if errors.is_empty() => Err("refused to format for no reason".to_owned()),
        Err(_) => Ok(()),
        Ok(once) => formatted(text, &once),
    }
}

fn formatted(text: &str, once: &str) -> Result<(), String> {
    if essence(text) != essence(once) {
        return Err("formatting changed tokens or comments".to_owned());
    }
    match format(once) {
        Err(_) => Err("what was formatted does not parse".to_owned()),
        Ok(twice) if twice != once => Err("formatting again changes something".to_owned()),
        Ok(_) => Ok(()),
    }
}

/// The tokens without commas before closing brackets, and the comments.
fn essence(text: &str) -> (Vec<&str>, Vec<&str>) {
    let lexed = lex(text);
    let slice = |lo: u32, hi: u32| text[lo as usize..hi as usize].trim_end();
    let kept = |it: &(usize, &Lexeme)| {
        let next = lexed.tokens.get(it.0 + 1);
        it.1.token != Token::Comma || next.is_none_or(|it| !it.token.is_closer())
    };
    let tokens = lexed
        .tokens
        .iter()
        .enumerate()
        .filter(kept)
        .map(|(_, it)| slice(it.span.lo, it.span.hi))
        .collect();
    let comments = lexed.trivia.iter().filter_map(|it| match it {
        Trivia::Comment { span, .. } => Some(slice(span.lo, span.hi)),
        Trivia::Blank { .. } => None,
    });
    (tokens, comments.collect())
}

/// The checker, with a database that lives as long as nothing goes wrong.
pub(crate) struct Checker {
    db: Database,
    used: usize,
}

impl Checker {
    pub(crate) fn new() -> Checker {
        Checker { db: Database::with_events(None), used: 0 }
    }

    /// Checks `text`: every finding has a place in a file.
    pub(crate) fn check(&mut self, text: &str) -> Result<(), String> {
        self.used += 1;
        if self.used > 200 {
            *self = Checker::new();
        }
        let file = self.db.set_file("text.tile", text);
        let row = &TARGETS[text.len() % TARGETS.len()];
        let target = TargetId::from_name(row.name).expect("it is a row's name");
        for it in self.db.check(file, &[target]) {
            if self.db.locate(&it.place).is_none() {
                return Err(format!("{} has no place", it.code));
            }
        }
        Ok(())
    }
}
