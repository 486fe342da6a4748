//! Any text at all: no panic, an end, errors that lie in the text.

mod samples;

use proptest::prelude::*;
use samples::programs;
use tile_syntax::{Token, format, lex, parse_body, parse_expr, parse_file, parse_item, split};

/// What must hold for every text.
fn check(text: &str) -> Result<(), TestCaseError> {
    let file = parse_file(text);
    for error in file.all_errors() {
        let span = error.span;
        prop_assert!(text.get(span.lo as usize..span.hi as usize).is_some(), "{error:?}");
    }
    let chunks = split(text);
    prop_assert_eq!(chunks.len(), file.items.len());
    for (chunk, (_, item)) in chunks.iter().zip(&file.items) {
        let alone = parse_item(&text[chunk.lo as usize..chunk.hi as usize]);
        prop_assert_eq!(&alone, item);
    }
    if let Ok(once) = format(text) {
        prop_assert_eq!(format(&once), Ok(once));
    }
    parse_expr(text);
    parse_body(text);
    Ok(())
}

/// The tokens of the sample programs, written, each once.
fn vocabulary() -> Vec<String> {
    let mut words: Vec<String> = programs()
        .iter()
        .flat_map(|(_, text)| {
            let slice = |lo: u32, hi: u32| text[lo as usize..hi as usize].to_owned();
            lex(text)
                .tokens
                .into_iter()
                .map(move |it| slice(it.span.lo, it.span.hi))
                .collect::<Vec<_>>()
        })
        .chain(["\n", "\n    ", "\n        ", "// a\n", "/// b\n", "\"", "$"].map(str::to_owned))
        .collect();
    words.sort();
    words.dedup();
    words
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn token_soup_is_digested(soup in prop::collection::vec(prop::sample::select(vocabulary()), 0..120)) {
        check(&soup.join(" "))?;
    }

    #[test]
    fn any_characters_are_digested(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn programs_with_many_damages_are_digested(
        program in prop::sample::select(programs()),
        damages in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vocabulary()), 0..3u8), 1..12),
    ) {
        let mut text = program.1;
        for (place, word, how) in damages {
            let tokens = lex(&text).tokens;
            let Some(it) = (!tokens.is_empty()).then(|| tokens[place.index(tokens.len())]) else { break };
            let range = it.span.lo as usize..it.span.hi as usize;
            match how {
                0 => text.replace_range(range, ""),
                1 => text.insert_str(range.start, &format!("{word} ")),
                _ => text.replace_range(range, &word),
            }
        }
        check(&text)?;
    }
}

#[test]
fn every_written_token_is_lexed_as_itself() {
    for text in ["kernel", "..+", "<<=", "workspace", "::", "?"] {
        let token = Token::from_text(text).expect("it is written");
        assert_eq!(lex(text).tokens[0].token, token);
        assert_eq!(token.text(), text);
    }
}
