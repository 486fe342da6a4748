//! Vim's and Neovim's syntax file.

use crate::words::{self, Group, KINDS, Next, VALUES};

/// The file's text.
pub(crate) fn syntax() -> String {
    let mut text = String::from(
        "\" Vim syntax file for Tile.\n\
         \" Written by `cargo run -p tile-lsp --example grammars`; changes belong there.\n\n\
         if exists('b:current_syntax')\n  finish\nendif\n\n",
    );
    text.push_str("syntax match tileName /\\h\\w*/\n");
    text.push_str("syntax match tileConstant /\\<\\u[A-Z0-9_]*\\>/\n");
    text.push_str("syntax match tileTypeName /\\<\\u\\w*\\l\\w*\\>/\n");
    text.push_str("syntax match tileCall /\\<\\l\\w*\\ze\\s*\\%(\\[[^]]*\\]\\s*\\)\\?(/\n");
    for group in Group::ALL {
        for (next, words) in words::of(group) {
            text.push_str(&line(group_name(group), &words, next));
        }
    }
    text.push_str(&line("tileElement", &words::elements(), Next::Any));
    text.push_str(&line("tileKind", &KINDS, Next::Any));
    text.push_str(&line("tileValue", &VALUES, Next::Any));
    text.push_str(REST);
    text
}

/// A match for words that are no label, field or part of a path.
fn line(name: &str, words: &[&str], next: Next) -> String {
    let follows = match next {
        Next::Any => "",
        Next::Name => "\\ze\\s\\+\\h",
        Next::Operand => "\\ze\\s*[0-9A-Za-z_(]",
        Next::Text => "\\ze\\s*\"",
        Next::Brace => "\\ze\\s*{",
        Next::Bracket => "\\ze\\s*\\[",
        Next::List => "\\ze\\s*[(\\[]",
        Next::Alone => "\\%(\\s*\\%((\\|\\.\\|::\\)\\)\\@!",
    };
    let words = words.join("\\|");
    format!(
        "syntax match {name} /\\%(\\.\\|::\\)\\@<!\\<\\%({words}\\)\\>\\%(\\s*::\\@!\\)\\@!{follows}/\n"
    )
}

fn group_name(group: Group) -> &'static str {
    match group {
        Group::Item => "tileItem",
        Group::Control => "tileControl",
        Group::Binding => "tileBinding",
        Group::Clause => "tileClause",
        Group::Block => "tileBlock",
        Group::Memory => "tileMemory",
        Group::Modifier => "tileModifier",
        Group::Constant => "tileValue",
    }
}

/// What no table has: literals, comments, and the colours.
const REST: &str = r#"
syntax match tileNumber /\<\d[0-9A-Za-z_]*\>/
syntax match tileFloat /\<\d[0-9_]*\%(\.\d[0-9_]*\%([eE][+-]\?\d\+\)\?\|[eE][+-]\?\d\+\)\>/
syntax match tileEscape /\\./ contained
syntax region tileString start=/"/ end=/"/ oneline contains=tileEscape
syntax match tileComment /\/\/.*$/ contains=@Spell
syntax match tileDoc /\/\/[\/!].*$/ contains=@Spell

highlight default link tileItem Structure
highlight default link tileControl Statement
highlight default link tileBinding Keyword
highlight default link tileClause PreProc
highlight default link tileBlock Statement
highlight default link tileMemory StorageClass
highlight default link tileModifier StorageClass
highlight default link tileValue Constant
highlight default link tileElement Type
highlight default link tileKind Type
highlight default link tileTypeName Type
highlight default link tileConstant Constant
highlight default link tileCall Function
highlight default link tileNumber Number
highlight default link tileFloat Float
highlight default link tileEscape SpecialChar
highlight default link tileString String
highlight default link tileComment Comment
highlight default link tileDoc SpecialComment

let b:current_syntax = 'tile'
"#;
