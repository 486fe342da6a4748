//! Wording of what is wrong with a text.

use tile_syntax::{Expected, SyntaxError, SyntaxErrorKind, Unreadable};

use crate::diagnostic::{Code, Diagnostic, Edit, Fix};
use crate::ir::{ItemKey, Place};

/// A syntax error of the item `key`.
pub fn error(key: &ItemKey, error: &SyntaxError) -> Diagnostic {
    let place = |span| Place { item: key.clone(), span };
    let (code, message) = wording(error);
    let mut it = Diagnostic::new(code, message, place(error.span));
    if let Some(because) = &error.because {
        it = it.because(place(because.span), format!("{} stands here", token(because.token)));
    }
    if let Some(fix) = &error.fix {
        let title = if fix.text.is_empty() {
            "remove it".to_owned()
        } else {
            format!("write `{}`", fix.text)
        };
        let edits = vec![Edit { place: place(fix.span), text: fix.text.to_string() }];
        it.fixes.push(Fix { title, edits });
    }
    it
}

fn wording(error: &SyntaxError) -> (Code, String) {
    match &error.kind {
        SyntaxErrorKind::Missing(what) => {
            let what: Vec<String> = what.iter().map(|it| expected(*it)).collect();
            (Code::E0001, format!("{} is missing here", what.join(" and ")))
        }
        SyntaxErrorKind::Stray(text) => {
            (Code::E0002, format!("`{text}` does not belong here{}", wanted(error)))
        }
        SyntaxErrorKind::Instead(text, what) => {
            (Code::E0002, format!("`{text}` stands where {} is wanted", expected(*what)))
        }
        SyntaxErrorKind::Unreadable(what) => {
            let what = match what {
                Unreadable::Statement => "this statement",
                Unreadable::Element => "this expression",
                Unreadable::Head => "this head",
                Unreadable::Clause => "this clause",
                Unreadable::Signature => "what stands between the name and the body",
                Unreadable::Item => "this item",
            };
            (Code::E0003, format!("{what} cannot be read{}", wanted(error)))
        }
        SyntaxErrorKind::ChainedComparison => (Code::E0002, "comparisons do not chain".to_owned()),
        SyntaxErrorKind::TooDeep => (Code::E0003, "this is nested too deep to be read".to_owned()),
        SyntaxErrorKind::Character => {
            (Code::E0002, "no token begins with this character".to_owned())
        }
        SyntaxErrorKind::OpenString => {
            (Code::E0001, "the end of this string is missing".to_owned())
        }
        SyntaxErrorKind::Escape => (Code::E0002, "strings have no such escape".to_owned()),
        SyntaxErrorKind::Number => (Code::E0002, "this number has letters in it".to_owned()),
        SyntaxErrorKind::BlockComment => {
            (Code::E0002, "comments begin with `//` and end with the line".to_owned())
        }
        SyntaxErrorKind::Foreign(token) => {
            (Code::E0002, format!("the language has no `{}`", token.text()))
        }
        SyntaxErrorKind::StrayDoc => {
            (Code::E0002, "nothing follows that these docs could describe".to_owned())
        }
    }
}

fn wanted(error: &SyntaxError) -> String {
    match error.expected.first() {
        Some(it) => format!(", {} would", expected(*it)),
        None => String::new(),
    }
}

fn expected(it: Expected) -> String {
    match it {
        Expected::Expression => "an expression".to_owned(),
        Expected::Type => "a type".to_owned(),
        Expected::Name => "a name".to_owned(),
        Expected::Pattern => "a pattern".to_owned(),
        Expected::Argument => "an argument".to_owned(),
        Expected::Parameter => "a parameter".to_owned(),
        Expected::Field => "a field".to_owned(),
        Expected::Statement => "a statement".to_owned(),
        Expected::Clause => "a clause".to_owned(),
        Expected::Operator => "an operator".to_owned(),
        Expected::Block => "a block".to_owned(),
        Expected::String => "a string".to_owned(),
        Expected::Item => "an item".to_owned(),
        Expected::Token(it) => token(it),
    }
}

fn token(it: tile_syntax::Token) -> String {
    if it.is_written() { format!("`{}`", it.text()) } else { it.text().to_owned() }
}
