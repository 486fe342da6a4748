//! Edits, requests and cancels in quick succession: each sees the text that was there when it came.

use serde_json::{Value, json};

use crate::client::{Client, at, is_told, pulls};

const CANCELLED: i64 = -32800;
const CONTENT_MODIFIED: i64 = -32801;

/// A text that takes a while to check for the first time.
fn long_text() -> String {
    let mut text = String::from("use std::layout::coalesced;\n");
    for n in 0..150 {
        text.push_str(&format!(
            "kernel k{n}[B: int = 1024](x: global f32[n], y: global mut f32[n])\n    \
             grid [cdiv(n, B)]\n    warps 4\n{{\n    \
             let i = block_id(0) * B + iota(B) @ coalesced([B], f32);\n    let live = i < n;\n    \
             store(y.at(i), load(x.at(i), mask: live, other: 0) + {n}, mask: live);\n}}\n"
        ));
    }
    text
}

#[test]
fn quick_edits_are_applied_in_their_order() {
    let mut client = Client::start(pulls(), &[]);
    client.open("untitled:1", "");
    let text = "fn first() { }\nfn second() { }\n";
    for (n, c) in text.char_indices() {
        let (line, column) = text[..n]
            .rsplit_once('\n')
            .map_or((0, n), |(before, rest)| (before.matches('\n').count() + 1, rest.len()));
        let here = at(line as u32, column as u32);
        let change = json!([{ "range": { "start": here, "end": here }, "text": c }]);
        client.change("untitled:1", 2 + n as i64, change);
    }
    let document = json!({ "textDocument": { "uri": "untitled:1" } });
    let symbols = client.ask("textDocument/documentSymbol", document);
    let names: Vec<&Value> =
        symbols.as_array().expect("a list").iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["first", "second"]);
}

#[test]
fn a_cancelled_request_is_answered_as_cancelled_and_others_go_on() {
    let mut client = Client::start(pulls(), &[]);
    client.open("untitled:1", &long_text());
    let document = json!({ "textDocument": { "uri": "untitled:1" } });
    let slow: Vec<i64> =
        (0..8).map(|_| client.begin("textDocument/diagnostic", document.clone())).collect();
    for id in &slow {
        client.tell("$/cancelRequest", json!({ "id": id }));
    }
    for id in slow {
        let answer = client.answer(id);
        let is_done = answer.get("result").is_some();
        assert!(is_done || answer["error"]["code"] == CANCELLED, "{answer}");
    }
    let folds = client.ask("textDocument/foldingRange", document);
    assert!(!folds.as_array().expect("a list").is_empty());
}

#[test]
fn an_edit_overtakes_what_would_change_the_old_text() {
    let mut client = Client::start(pulls(), &[]);
    client.open("untitled:1", &long_text());
    let document = json!({ "textDocument": { "uri": "untitled:1" } });
    let options = json!({ "tabSize": 4, "insertSpaces": true });
    let slow: Vec<i64> =
        (0..8).map(|_| client.begin("textDocument/diagnostic", document.clone())).collect();
    let params = json!({ "textDocument": { "uri": "untitled:1" }, "options": options });
    let formatting = client.begin("textDocument/formatting", params);
    client.change("untitled:1", 2, json!([{ "text": "fn f() { }\n" }]));
    let folds = client.begin("textDocument/documentSymbol", document);
    let answer = client.answer(folds);
    assert_eq!(answer["result"][0]["name"], "f");
    let answer = client.answer(formatting);
    let is_refused = answer["error"]["code"] == CONTENT_MODIFIED;
    assert!(is_refused || answer.get("result").is_some(), "{answer}");
    for id in slow {
        let answer = client.answer(id);
        let asks_again = answer["error"]["data"]["retriggerRequest"] == true;
        assert!(asks_again || answer.get("result").is_some(), "{answer}");
    }
}

#[test]
fn findings_are_of_the_version_that_they_are_sent_for() {
    let mut client = Client::start(is_told(), &[]);
    client.open("untitled:1", "fn f() { }\n");
    assert!(client.told("untitled:1", 1).is_empty());
    for version in 2..30 {
        let text = if version % 2 == 0 { "fn f() { b; }\n" } else { "fn f() { }\n" };
        client.change("untitled:1", version, json!([{ "text": text }]));
        if version % 7 == 0 {
            let expected = usize::from(version % 2 == 0);
            assert_eq!(client.told("untitled:1", version).len(), expected);
        }
    }
    assert!(client.told("untitled:1", 29).is_empty());
}
