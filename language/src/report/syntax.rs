//! Wording of what is wrong with a text.

use tile_syntax::depth::LEVELS_MAX;
use tile_syntax::{Expected, SyntaxError, SyntaxErrorKind, Token, Unreadable};

use crate::diagnostic::{Code, Diagnostic, Edit, Fix};
use crate::ir::{ItemKey, Place};

/// A syntax error of the item `key`.
pub fn error(key: &ItemKey, error: &SyntaxError) -> Diagnostic {
    let place = |span| Place { item: key.clone(), span };
    let (code, message) = wording(error);
    let mut it = Diagnostic::new(code, message, place(error.span));
    if let Some(because) = &error.because {
        it = it.because(place(because.span), reason(error, because.token));
    }
    if let Some(help) = help(&error.kind) {
        it = it.help(help);
    }
    if let Some(fix) = &error.fix {
        let title = match fix.text.trim() {
            "" => "remove it".to_owned(),
            text => format!("write `{text}`"),
        };
        let edits = vec![Edit { place: place(fix.span), text: fix.text.to_string() }];
        it.fixes.push(Fix { title, edits });
    }
    it
}

/// A doc comment before nothing that takes one.
pub fn stray_doc(place: Place) -> Diagnostic {
    Diagnostic::new(Code::W0102, "this doc comment documents nothing".to_owned(), place)
        .help("`///` stands before an item, a field, a parameter or a variant; `//` is a comment")
}

/// More damaged items than are mended: this one and `n_left - 1` more.
pub fn left_out(place: Place, n_mended: usize, n_left: usize) -> Diagnostic {
    let message = format!(
        "{n_mended} items before this one could not be read as they stand, this and {} more are left out",
        n_left - 1
    );
    Diagnostic::new(Code::E0003, message, place).help("mend those before first")
}

fn wording(error: &SyntaxError) -> (Code, String) {
    match &error.kind {
        SyntaxErrorKind::Missing(what) => {
            let code =
                if what.iter().any(|it| is_bracket(*it)) { Code::E0004 } else { Code::E0001 };
            let verb = if what.len() > 1 { "are" } else { "is" };
            (code, format!("{} {verb} missing", list(what, "and")))
        }
        SyntaxErrorKind::Stray(text) => {
            (Code::E0002, format!("`{text}` does not belong here{}", instead_of(error)))
        }
        SyntaxErrorKind::Instead(text, wanted) => {
            (Code::E0002, format!("`{text}` stands where {} is meant", expected(*wanted)))
        }
        SyntaxErrorKind::Unreadable(what) => {
            (Code::E0003, format!("{} cannot be read{}", unreadable(*what), instead_of(error)))
        }
        SyntaxErrorKind::ChainedComparison => (Code::E0005, "comparisons do not chain".to_owned()),
        SyntaxErrorKind::TooDeep => {
            (Code::E0009, format!("this is nested deeper than {LEVELS_MAX} levels"))
        }
        SyntaxErrorKind::Character => (Code::E0006, "no token begins like this".to_owned()),
        SyntaxErrorKind::OpenString => {
            (Code::E0007, "this string has no end in its line".to_owned())
        }
        SyntaxErrorKind::Escape => (Code::E0007, "strings have no such escape".to_owned()),
        SyntaxErrorKind::Number => (Code::E0008, "a number ends in letters".to_owned()),
        SyntaxErrorKind::BlockComment => {
            (Code::E0010, "the language has no block comments".to_owned())
        }
        SyntaxErrorKind::Foreign(token) => {
            (Code::E0010, format!("the language has no `{}`", token.text()))
        }
    }
}

fn unreadable(what: Unreadable) -> &'static str {
    match what {
        Unreadable::Statement => "this statement",
        Unreadable::Element => "this part of a list",
        Unreadable::Head => "the head of this block",
        Unreadable::Clause => "this clause",
        Unreadable::Signature => "what stands between the item's name and its body",
        Unreadable::Item => "this item",
    }
}

fn reason(error: &SyntaxError, token: Token) -> String {
    let closes = |it: &Expected| matches!(it, Expected::Token(it) if token.closer() == Some(*it));
    match &error.kind {
        SyntaxErrorKind::Missing(what) if what.iter().any(closes) => {
            format!("this `{}` is not closed", token.text())
        }
        SyntaxErrorKind::Missing(what) if what.contains(&Expected::Token(Token::LBrace)) => {
            format!("this `{}` has no block", token.text())
        }
        _ => format!("{} is open", written(token)),
    }
}

fn help(kind: &SyntaxErrorKind) -> Option<&'static str> {
    match kind {
        SyntaxErrorKind::ChainedComparison => Some("write `a < b && b < c`"),
        SyntaxErrorKind::TooDeep => Some("give parts of it names with `let`"),
        SyntaxErrorKind::Escape => Some(
            "the escapes are `\\n \\t \\r \\0 \\\\ \\\" \\{ \\}`; other characters are written as they are",
        ),
        SyntaxErrorKind::Number => {
            Some("numbers take the type of what they meet; `3.to(f32)` states one")
        }
        SyntaxErrorKind::BlockComment => Some("comments begin with `//` and end with the line"),
        SyntaxErrorKind::Foreign(Token::As) => {
            Some("`x.to(T)` converts a value, `x.bits(T)` reads its bits as another type")
        }
        SyntaxErrorKind::Foreign(_) => {
            Some("a loop's trip count is its span: shorten the span, or put the rest under an `if`")
        }
        _ => None,
    }
}

/// What could stand where something does not belong, if that is short.
fn instead_of(error: &SyntaxError) -> String {
    match error.expected.len() {
        1..=3 => format!(", where {} can stand", list(&error.expected, "or")),
        _ => String::new(),
    }
}

fn list(what: &[Expected], last: &str) -> String {
    let names: Vec<String> = what.iter().map(|it| expected(*it)).collect();
    match &names[..] {
        [] => String::new(),
        [one] => one.clone(),
        [init @ .., end] => format!("{} {last} {end}", init.join(", ")),
    }
}

fn is_bracket(it: Expected) -> bool {
    matches!(it, Expected::Token(it) if it.is_opener() || it.is_closer())
}

fn expected(it: Expected) -> String {
    match it {
        Expected::Expression => "an expression".to_owned(),
        Expected::Type => "a type".to_owned(),
        Expected::Name => "a name".to_owned(),
        Expected::Pattern => "a pattern".to_owned(),
        Expected::Argument => "an argument".to_owned(),
        Expected::Statement => "a statement".to_owned(),
        Expected::Clause => "a clause".to_owned(),
        Expected::Operator => "an operator".to_owned(),
        Expected::String => "a string".to_owned(),
        Expected::Item => "an item".to_owned(),
        Expected::Token(it) => written(it),
    }
}

fn written(it: Token) -> String {
    if it.is_written() { format!("`{}`", it.text()) } else { it.text().to_owned() }
}
