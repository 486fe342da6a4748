//! From `initialize` to `exit`, with clients of all manners.

use serde_json::{Value, json};

use crate::client::{Client, is_told, pulls};

const NOT_INITIALIZED: i64 = -32002;
const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;

fn code(answer: &Value) -> i64 {
    answer["error"]["code"].as_i64().unwrap_or_default()
}

#[test]
fn a_session_begins_and_ends() {
    let client = Client::start(pulls(), &[]);
    assert_eq!(client.leave().code(), Some(0));
}

#[test]
fn a_client_that_vanishes_leaves_no_server_behind() {
    let client = Client::start(is_told(), &[]);
    assert_eq!(client.vanish().code(), Some(1));
}

#[test]
fn nothing_is_answered_before_and_after_the_session() {
    let mut client = Client::spawn();
    let early = client.begin("textDocument/hover", json!({}));
    assert_eq!(code(&client.answer(early)), NOT_INITIALIZED);
    client.ask("initialize", json!({ "capabilities": {} }));
    let again = client.begin("initialize", json!({ "capabilities": {} }));
    assert_eq!(code(&client.answer(again)), INVALID_REQUEST);
    client.ask("shutdown", Value::Null);
    let late = client.begin("textDocument/hover", json!({}));
    assert_eq!(code(&client.answer(late)), INVALID_REQUEST);
}

#[test]
fn what_is_unknown_is_refused_and_what_is_malformed_too() {
    let mut client = Client::start(pulls(), &[]);
    let unknown = client.begin("textDocument/sing", json!({}));
    assert_eq!(code(&client.answer(unknown)), METHOD_NOT_FOUND);
    let malformed = client.begin("textDocument/foldingRange", json!({ "textDocument": 7 }));
    assert_eq!(code(&client.answer(malformed)), -32602);
    client.tell("$/whatever", json!({}));
    client.tell("textDocument/didChange", json!({ "contentChanges": "none" }));
    assert_eq!(client.leave().code(), Some(0));
}

#[test]
fn columns_are_counted_as_the_client_counts() {
    for (offered, column) in [("utf-8", 23), ("utf-16", 17), ("utf-32", 16)] {
        let mut client = Client::spawn();
        let capabilities = json!({
            "general": { "positionEncodings": [offered] },
            "textDocument": { "diagnostic": {} },
        });
        let result = client.ask("initialize", json!({ "capabilities": capabilities }));
        assert_eq!(result["capabilities"]["positionEncoding"], offered);
        client.open("untitled:1", "test \"é中🙂\" { b; }\n");
        let text = "test \"é中🙂\" { b; }";
        let position = json!({ "line": 0, "character": column });
        let found = client.findings("untitled:1");
        assert_eq!(found.len(), 1, "{found:?} in {text}");
        let start = found[0]["range"]["start"]["character"].as_i64();
        let prefix = &text[..text.find("b;").expect("there is a b")];
        let expected = match offered {
            "utf-8" => prefix.len(),
            "utf-16" => prefix.encode_utf16().count(),
            _ => prefix.chars().count(),
        };
        assert_eq!(start, Some(expected as i64), "{offered}, {position}");
    }
}
