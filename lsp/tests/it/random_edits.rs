//! A session of edits that nobody would make: after it, the server says what a fresh one says.
//!
//! `TILE_LSP_EDITS=20000 cargo nextest run -p tile-lsp random_edits` makes as many.

use std::env;

use serde_json::{Value, json};

use crate::client::{Client, at, pulls, shown};

const URI: &str = "untitled:1";
const EDITS_USUAL: usize = 300;
const EDITS_BETWEEN_LOOKS: usize = 100;

/// Things to paste: tokens, halves of tokens, characters of every width, ends of lines.
const PIECES: &[&str] = &[
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ";",
    ",",
    "::",
    "..",
    "@",
    "\"",
    "//",
    "/*",
    "let",
    "le",
    "for i in 0..4 {",
    "kernel k() {",
    "fn f",
    "use std::",
    "\n",
    "\r\n",
    "\r",
    "    ",
    "é",
    "中",
    "🙂",
    "\u{202e}",
    "0x",
    "1.5e",
    "|a|",
    "x.",
    ".sum(axis: 0)",
    "if a {",
    "} else {",
    "-> f32",
    "f32[128]",
    "global mut",
    "where",
    "test \"",
    "impl ",
];

/// Numbers that look random and are the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }
}

/// An edit: the bytes that go, and what comes.
struct Edit {
    lo: usize,
    hi: usize,
    text: String,
}

/// A boundary of a character near a random byte.
fn boundary(text: &str, random: &mut Random) -> usize {
    let mut at = random.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn edit(text: &str, sources: &[&str], random: &mut Random) -> Edit {
    let lo = boundary(text, random);
    let mut hi = (lo + random.below(12)).min(text.len());
    while !text.is_char_boundary(hi) {
        hi += 1;
    }
    match random.below(8) {
        0 | 1 => Edit { lo, hi, text: String::new() },
        2 => Edit { lo, hi, text: PIECES[random.below(PIECES.len())].to_owned() },
        3 => {
            let source = sources[random.below(sources.len())];
            let lines: Vec<&str> = source.split_inclusive('\n').collect();
            let first = random.below(lines.len());
            let last = (first + 1 + random.below(3)).min(lines.len());
            Edit { lo, hi: lo, text: lines[first..last].concat() }
        }
        // So that no text stays a ruin for long.
        4 if random.below(25) == 0 => {
            Edit { lo: 0, hi: text.len(), text: sources[random.below(sources.len())].to_owned() }
        }
        _ => Edit { lo, hi: lo, text: PIECES[random.below(PIECES.len())].to_owned() },
    }
}

/// The position of a byte, in units of UTF-16. A `\r` ends a line unless a `\n` follows.
fn position(text: &str, byte: usize) -> Value {
    let (mut line, mut start) = (0, 0);
    for (n, c) in text[..byte].char_indices() {
        let ends = c == '\n' || (c == '\r' && !text[n + 1..].starts_with('\n'));
        if ends {
            (line, start) = (line + 1, n + 1);
        }
    }
    at(line, text[start..byte].encode_utf16().count() as u32)
}

/// Whether a byte lies between the two characters of one line's end, where no position leads.
fn is_inside_an_end(text: &str, byte: usize) -> bool {
    text[..byte].ends_with('\r') && text[byte..].starts_with('\n')
}

fn asks_something(client: &mut Client, text: &str, random: &mut Random) -> i64 {
    let document = json!({ "uri": URI });
    let place = position(text, boundary(text, random));
    let here = json!({ "textDocument": document, "position": place });
    let methods = [
        "textDocument/hover",
        "textDocument/completion",
        "textDocument/signatureHelp",
        "textDocument/inlayHint",
        "textDocument/codeLens",
        "textDocument/definition",
        "textDocument/documentHighlight",
        "textDocument/references",
        "textDocument/prepareRename",
        "textDocument/rename",
        "textDocument/selectionRange",
        "textDocument/semanticTokens/full",
        "textDocument/foldingRange",
        "textDocument/documentSymbol",
        "textDocument/formatting",
        "textDocument/codeAction",
        "textDocument/diagnostic",
    ];
    let method = methods[random.below(methods.len())];
    let mut params = here;
    params["context"] = json!({ "includeDeclaration": true, "diagnostics": [] });
    params["newName"] = json!("renamed");
    params["positions"] = json!([params["position"]]);
    params["range"] = json!({ "start": at(0, 0), "end": params["position"] });
    params["options"] = json!({ "tabSize": 4, "insertSpaces": true });
    client.begin(method, params)
}

fn fresh_findings(text: &str) -> String {
    let mut client = Client::start(pulls(), &[]);
    client.open(URI, text);
    shown(&client.findings(URI))
}

#[test]
fn after_random_edits_the_findings_are_those_of_a_fresh_server() {
    let n_edits = env::var("TILE_LSP_EDITS").ok().and_then(|it| it.parse().ok());
    let n_edits: usize = n_edits.unwrap_or(EDITS_USUAL);
    let sources = [
        include_str!("../../../examples/add.tile"),
        include_str!("../../../examples/softmax.tile"),
        include_str!("../../../examples/transpose.tile"),
        include_str!("../../../examples/matmul_sm80.tile"),
    ];
    let mut random = Random(7);
    let mut text = sources[0].to_owned();
    let mut history = Vec::new();
    let mut client = Client::start(pulls(), &[]);
    client.open(URI, &text);
    let mut asked = Vec::new();
    for n in 1..=n_edits {
        let change = match random.below(5) {
            0 if !history.is_empty() => {
                let undone: String = history.pop().expect("it is not empty");
                text = undone;
                json!([{ "text": text }])
            }
            _ => {
                let it = edit(&text, &sources, &mut random);
                if is_inside_an_end(&text, it.lo) || is_inside_an_end(&text, it.hi) {
                    continue;
                }
                history.push(text.clone());
                let range =
                    json!({ "start": position(&text, it.lo), "end": position(&text, it.hi) });
                text.replace_range(it.lo..it.hi, &it.text);
                json!([{ "range": range, "text": it.text }])
            }
        };
        history.truncate(50);
        client.change(URI, 1 + n as i64, change);
        if random.below(3) == 0 {
            let id = asks_something(&mut client, &text, &mut random);
            if random.below(4) == 0 {
                client.tell("$/cancelRequest", json!({ "id": id }));
            }
            asked.push(id);
        }
        if n % EDITS_BETWEEN_LOOKS == 0 {
            for id in asked.drain(..) {
                let answer = client.answer(id);
                let code = answer["error"]["code"].as_i64();
                assert_ne!(code, Some(-32603), "edit {n}: {answer}");
            }
            assert_eq!(shown(&client.findings(URI)), fresh_findings(&text), "edit {n}:\n{text}");
        }
    }
    assert_eq!(client.leave().code(), Some(0));
}
