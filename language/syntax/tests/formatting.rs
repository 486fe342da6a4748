//! The formatter: idempotent, the same tokens, every comment.

mod samples;

use samples::programs;
use tile_syntax::{Lexed, Token, Trivia, format, lex, split};

/// The tokens without the commas before closing brackets, and the comments.
fn essence(text: &str) -> (Vec<(Token, String)>, Vec<String>) {
    let Lexed { tokens, trivia, .. } = lex(text);
    let slice = |lo: u32, hi: u32| text[lo as usize..hi as usize].trim_end().to_owned();
    let kept = tokens.iter().enumerate().filter(|(at, it)| {
        it.token != Token::Comma || tokens.get(at + 1).is_none_or(|it| !it.token.is_closer())
    });
    let kept = kept.map(|(_, it)| (it.token, slice(it.span.lo, it.span.hi))).collect();
    let comments = trivia.iter().filter_map(|it| match it {
        Trivia::Comment { span, .. } => Some(slice(span.lo, span.hi)),
        Trivia::Blank { .. } => None,
    });
    (kept, comments.collect())
}

#[track_caller]
fn check(name: &str, text: &str) -> String {
    let once = format(text).unwrap_or_else(|errors| panic!("{name}: {errors:?}\n{text}"));
    assert_eq!(essence(text), essence(&once), "{name} says something else:\n{once}");
    let twice = format(&once).unwrap_or_else(|errors| panic!("{name}: {errors:?}\n{once}"));
    assert_eq!(once, twice, "{name} is formatted differently the second time");
    once
}

#[test]
fn programs_keep_their_looks() {
    let mut changed = String::new();
    for (name, text) in programs() {
        let formatted = check(&name, &text);
        let only = |these: &str, others: &str, sign: char| -> Vec<String> {
            let others: Vec<&str> = others.lines().collect();
            these
                .lines()
                .filter(|it| !others.contains(it))
                .map(|it| format!("{sign} {it}"))
                .collect()
        };
        let lines = [only(&text, &formatted, '-'), only(&formatted, &text, '+')].concat();
        changed += &format!("{name}\n{}\n", lines.join("\n"));
    }
    insta::assert_snapshot!(changed);
}

#[test]
fn a_comment_survives_wherever_it_is_put() {
    let comments = [" // here\n", "\n// here\n", "\n\n    // here\n\n"];
    for (name, text) in programs() {
        for chunk in split(&text) {
            let item = &text[chunk.lo as usize..chunk.hi as usize];
            for (nth, it) in lex(item).tokens.iter().enumerate() {
                let mut commented = item.to_owned();
                commented.insert_str(it.span.hi as usize, comments[nth % comments.len()]);
                check(&name, &commented);
            }
        }
    }
}

#[test]
fn layout_does_not_depend_on_line_breaks_outside_blocks() {
    for (name, text) in programs() {
        let formatted = check(&name, &text);
        let tokens = lex(&formatted).tokens;
        for it in tokens.iter().filter(|it| it.token == Token::Comma).step_by(3) {
            let mut broken = formatted.clone();
            broken.insert(it.span.hi as usize, '\n');
            let mended = check(&name, &broken);
            assert_eq!(essence(&formatted), essence(&mended));
        }
    }
}

#[track_caller]
fn formats(text: &str, expected: &str) {
    assert_eq!(check("the text", text), expected);
}

#[test]
fn a_list_that_ends_in_a_comma_has_one_element_a_line() {
    formats("const A = f(1, 2,);", "const A = f(\n    1,\n    2,\n);\n");
    formats("const A = f(1,\n 2);", "const A = f(1, 2);\n");
    formats("const A = (1,);", "const A = (1,);\n");
}

#[test]
fn what_does_not_fit_is_broken_at_the_outermost_bracket() {
    let long = "a_long_name_of_a_value".repeat(2);
    let text = format!("const A = f({long}, g({long}), {long});");
    let lines = format!("const A = f(\n    {long},\n    g({long}),\n    {long},\n);\n");
    formats(&text, &lines);
}

#[test]
fn alignment_is_the_authors_choice() {
    let plain = "fn f() {\n    let a = 1;\n    let bcd = 2;\n}\n";
    formats(plain, plain);
    let padded = "fn f() {\n    let a  = 1;\n    let bcd = 2;\n}\n";
    let aligned = "fn f() {\n    let a   = 1;\n    let bcd = 2;\n}\n";
    formats(padded, aligned);
}

#[test]
fn clauses_have_lines_of_their_own() {
    formats(
        "kernel k(x: global f32[n]) where n % 4 == 0 grid [n] warps 4 { }",
        "kernel k(x: global f32[n])\n    where n % 4 == 0\n    grid [n]\n    warps 4\n{}\n",
    );
}

#[test]
fn a_text_without_tokens_keeps_its_comments() {
    formats("", "");
    formats("\n\n// a\n\n\n// b", "// a\n\n// b\n");
    formats("\u{feff}use a::b;\r\n// c\r\n", "use a::b;\n// c\n");
}

#[test]
fn tokens_are_not_joined_into_others() {
    formats("const A = 8 . 0;", "const A = 8 .0;\n");
    formats("const A = t . 0 . 1;", "const A = t.0.1;\n");
    formats("const A = | | 1;", "const A = | | 1;\n");
    formats("const A = - - * * T;", "const A = --**T;\n");
}

#[test]
fn a_comma_that_is_added_has_room() {
    for width in 70..110 {
        let text = format!("const A = f(1, g({}));", "a".repeat(width));
        check("the text", &text);
    }
}
