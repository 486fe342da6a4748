//! The TextMate grammar, for VS Code and every editor that reads its grammars.

use serde_json::{Value, json};

use crate::words::{self, Group, KINDS, Next, VALUES};

/// Where a word may begin that is not part of another or of a path or field.
const BEGIN: &str = r"(?<![\w.]|::)";
/// No label follows: `warps: 4` names an argument.
const NO_LABEL: &str = r"\b(?!\s*:(?!:))";

/// The grammar's text.
pub(crate) fn grammar() -> String {
    let grammar = json!({
        "name": "Tile",
        "scopeName": "source.tile",
        "fileTypes": ["tile"],
        "patterns": [{ "include": "#code" }],
        "repository": {
            "code": { "patterns": includes(&[
                "comments", "strings", "numbers", "declarations", "fields", "words", "types", "calls",
                "names", "operators", "punctuation",
            ]) },
            "comments": comments(),
            "strings": strings(),
            "numbers": numbers(),
            "declarations": declarations(),
            "fields": { "patterns": [
                rule(r"(?<=\.)(?<!\.\.)[A-Za-z_]\w*(?=\s*(?:\[[^\]\n]*\]\s*)?\()", "entity.name.function.method.tile"),
                rule(r"(?<=\.)(?<!\.\.)[A-Za-z_]\w*", "variable.other.member.tile"),
            ] },
            "words": { "patterns": Group::ALL.iter().flat_map(|it| of_group(*it)).collect::<Vec<_>>() },
            "types": { "patterns": [
                rule(&plain(&words::elements()), "support.type.element.tile"),
                rule(&plain(&KINDS), "support.type.kind.tile"),
                rule(&plain(&VALUES), "constant.language.tile"),
                rule(&format!(r"{BEGIN}(?:self|target)\b{NO_LABEL}"), "variable.language.tile"),
            ] },
            "calls": { "patterns": [
                rule(r"\b[a-z_]\w*(?=::)", "entity.name.namespace.tile"),
                rule(r"\b[A-Z]\w*(?=\s*(?:\[[^\]\n]*\]\s*)?\()", "entity.name.type.tile"),
                rule(r"\b[a-z_]\w*(?=\s*(?:\[[^\]\n]*\]\s*)?\()", "entity.name.function.tile"),
            ] },
            "names": { "patterns": [
                rule(r"\b[A-Za-z_]\w*(?=\s*:(?!:))", "variable.parameter.tile"),
                rule(r"\b[A-Z][A-Z0-9_]*\b", "variable.other.constant.tile"),
                rule(r"\b[A-Z]\w*\b", "entity.name.type.tile"),
                rule(r"\b[A-Za-z_]\w*\b", "variable.other.tile"),
            ] },
            "operators": { "patterns": [
                rule(&alternatives(&words::operators()), "keyword.operator.tile"),
            ] },
            "punctuation": { "patterns": [
                rule("[;,]", "punctuation.separator.tile"),
                rule(r"[{}]", "punctuation.section.braces.tile"),
                rule(r"[\[\]]", "punctuation.section.brackets.tile"),
                rule(r"[()]", "punctuation.section.parens.tile"),
            ] },
        },
    });
    let text = serde_json::to_string_pretty(&grammar).expect("a grammar has string keys");
    format!("{text}\n")
}

fn rule(pattern: &str, scope: &str) -> Value {
    json!({ "match": pattern, "name": scope })
}

fn includes(names: &[&str]) -> Vec<Value> {
    names.iter().map(|it| json!({ "include": format!("#{it}") })).collect()
}

fn comments() -> Value {
    json!({ "patterns": [
        { "begin": r"//[/!](?!/)", "end": "$", "name": "comment.line.documentation.tile", "patterns": [
            rule(r"`[^`\n]*`", "markup.inline.raw.tile"),
        ] },
        rule("//.*$", "comment.line.double-slash.tile"),
    ] })
}

fn strings() -> Value {
    let expression = json!({
        "begin": r"\{", "end": r"\}|(?=$)", "name": "meta.embedded.expression.tile",
        "beginCaptures": { "0": { "name": "punctuation.section.embedded.tile" } },
        "endCaptures": { "0": { "name": "punctuation.section.embedded.tile" } },
        "patterns": includes(&["numbers", "fields", "calls", "names", "operators"]),
    });
    // Only what `print`, `assert` and their like are given is read for names in braces.
    json!({ "patterns": [{
        "begin": "\"", "end": "\"|$", "name": "string.quoted.double.tile",
        "patterns": [rule(r"\\.", "constant.character.escape.tile"), expression],
    }] })
}

fn numbers() -> Value {
    json!({ "patterns": [
        rule(r"\b[0-9][0-9_]*(?:\.[0-9][0-9_]*(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)\b", "constant.numeric.float.tile"),
        rule(r"\b(?:0x[0-9a-fA-F_]+|0b[01_]+|0o[0-7_]+|[0-9][0-9_]*)\b", "constant.numeric.integer.tile"),
    ] })
}

fn declarations() -> Value {
    let declared = |words: &str, keyword: &str, name: &str| {
        json!({
            "match": format!(r"{BEGIN}({words})\s+([A-Za-z_]\w*)"),
            "captures": { "1": { "name": keyword }, "2": { "name": name } },
        })
    };
    json!({ "patterns": [
        declared("kernel|fn|iter|build|tune", "storage.type.item.tile", "entity.name.function.tile"),
        declared("struct|enum|permit|impl", "storage.type.item.tile", "entity.name.type.tile"),
        declared("const", "storage.type.binding.tile", "variable.other.constant.tile"),
    ] })
}

fn of_group(group: Group) -> Vec<Value> {
    let scope = match group {
        Group::Item => "storage.type.item.tile",
        Group::Control => "keyword.control.tile",
        Group::Binding => "storage.type.binding.tile",
        Group::Clause => "keyword.other.clause.tile",
        Group::Block => "keyword.control.block.tile",
        Group::Memory => "storage.modifier.memory.tile",
        Group::Modifier => "storage.modifier.tile",
        Group::Constant => "constant.language.tile",
    };
    let groups = words::of(group).into_iter();
    groups
        .map(|(next, words)| rule(&format!("{}{}", plain(&words), follows(next)), scope))
        .collect()
}

/// What follows a word, as a look-ahead.
fn follows(next: Next) -> &'static str {
    match next {
        Next::Any => "",
        Next::Name => r"(?=\s+[A-Za-z_])",
        Next::Operand => r"(?=\s*[\w(])",
        Next::Text => "(?=\\s*\")",
        Next::Brace => r"(?=\s*\{)",
        Next::Bracket => r"(?=\s*\[)",
        Next::List => r"(?=\s*[(\[])",
        Next::Alone => r"(?!\s*(?:\(|\.|::))",
    }
}

fn plain(words: &[&str]) -> String {
    format!("{BEGIN}(?:{}){NO_LABEL}", words.join("|"))
}

fn alternatives(operators: &[&str]) -> String {
    let escape = |it: &&str| {
        it.chars()
            .map(|it| if it.is_alphanumeric() { it.to_string() } else { format!("\\{it}") })
            .collect::<String>()
    };
    operators.iter().map(escape).collect::<Vec<_>>().join("|")
}
