//! Files on disk, documents of the editor, and which of them counts.

use std::fs;

use serde_json::{Value, json};

use crate::client::{Client, at, folder, is_told, pulls, shown, uri};

#[test]
fn a_file_that_is_used_counts_as_the_editor_has_it() {
    let folder = folder("used");
    let (main, other) = (folder.join("main.tile"), folder.join("other.tile"));
    fs::write(&other, "pub fn twice(x: i32) -> i32 { x + x }\n").expect("it can be written");
    let text = "use other::twice;\nfn f() { let a = twice(1); }\n";
    let mut client = Client::start(pulls(), &[&folder]);
    client.open(&uri(&main), text);
    assert_eq!(shown(&client.findings(&uri(&main))), "");

    client.open(&uri(&other), "pub fn thrice(x: i32) -> i32 { 3 * x }\n");
    assert!(shown(&client.findings(&uri(&main))).starts_with("0 E0101"));

    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": uri(&other) } }));
    assert_eq!(shown(&client.findings(&uri(&main))), "");

    fs::remove_file(&other).expect("it can be removed");
    let change = json!({ "changes": [{ "uri": uri(&other), "type": 3 }] });
    client.tell("workspace/didChangeWatchedFiles", change);
    assert!(shown(&client.findings(&uri(&main))).starts_with("0 E0101"));
}

#[test]
fn all_files_of_all_folders_are_reported() {
    let (one, two) = (folder("one"), folder("two"));
    fs::create_dir_all(two.join("deep")).expect("it can be made");
    fs::write(one.join("a.tile"), "fn f() { nowhere; }\n").expect("it can be written");
    fs::write(two.join("deep/b.tile"), "fn g() { }\n").expect("it can be written");
    let mut client = Client::start(pulls(), &[&one, &two]);
    let report = |client: &mut Client, known: Value| -> Vec<Value> {
        loop {
            let id = client.begin("workspace/diagnostic", json!({ "previousResultIds": known }));
            let answer = client.answer(id);
            match answer["result"]["items"].as_array() {
                Some(items) if items.len() == 2 => return items.clone(),
                _ => std::thread::yield_now(),
            }
        }
    };
    let items = report(&mut client, json!([]));
    let counts: Vec<usize> =
        items.iter().map(|it| it["items"].as_array().map_or(9, Vec::len)).collect();
    assert_eq!(counts.iter().sum::<usize>(), 1);
    let known: Vec<Value> =
        items.iter().map(|it| json!({ "uri": it["uri"], "value": it["resultId"] })).collect();
    let again = report(&mut client, json!(known));
    assert!(again.iter().all(|it| it["kind"] == "unchanged"), "{again:#?}");
}

#[test]
fn a_declaration_of_the_library_can_be_opened_and_not_changed() {
    let mut client = Client::start(pulls(), &[]);
    client.open("untitled:1", "use std::softmax::Online;\n");
    let place = json!({ "textDocument": { "uri": "untitled:1" }, "position": at(0, 20) });
    let found = client.ask("textDocument/definition", place.clone());
    let to = found[0]["uri"].as_str().expect("a declaration").to_owned();
    let path = to.strip_prefix("file://").expect("a file, for a client without virtual documents");
    let text = loop {
        if let Ok(text) = fs::read_to_string(path) {
            break text;
        }
        std::thread::yield_now();
    };
    assert!(text.contains("struct Online"));
    client.open(&to, "struct Other { }\n");
    let again = client.ask("textDocument/definition", place.clone());
    assert_eq!(again[0]["uri"], to);
    let id = client.begin(
        "textDocument/rename",
        json!({
            "textDocument": { "uri": "untitled:1" }, "position": at(0, 20), "newName": "Offline",
        }),
    );
    let refusal = client.answer(id);
    assert_eq!(refusal["error"]["message"], "`Online` belongs to the standard library");
}

#[test]
fn a_client_with_virtual_documents_reads_the_library_and_the_pages() {
    let mut client = Client::spawn();
    let options = json!({ "virtualDocuments": true });
    client.ask("initialize", json!({ "capabilities": pulls(), "initializationOptions": options }));
    client.open("untitled:1", "fn f() { nowhere; }\n");
    let found = client.findings("untitled:1");
    let page = &found[0]["codeDescription"]["href"];
    assert_eq!(*page, "tile:/diagnostics/E0101.md");
    let document = client.ask("workspace/textDocumentContent", json!({ "uri": page }));
    assert!(document["text"].as_str().expect("a text").starts_with("# "));
    let library = json!({ "uri": "tile:/std/softmax.tile" });
    let document = client.ask("workspace/textDocumentContent", library);
    assert!(document["text"].as_str().expect("a text").contains("struct Online"));
}

#[test]
fn closing_takes_the_findings_away() {
    let mut client = Client::start(is_told(), &[]);
    client.open("untitled:1", "fn f() { nowhere; }\n");
    assert_eq!(client.told("untitled:1", 1).len(), 1);
    client.tell("textDocument/didClose", json!({ "textDocument": { "uri": "untitled:1" } }));
    let last = client.wait(|it| it["method"] == "textDocument/publishDiagnostics");
    assert_eq!(last["params"]["diagnostics"], json!([]));
}

#[test]
fn fixes_come_with_their_finding_and_for_the_whole_file() {
    let mut client = Client::start(pulls(), &[]);
    client.open("untitled:1", "fn f() {\n    let a = 1\n    let b = 2\n}\n");
    let found = client.findings("untitled:1");
    let params = json!({
        "textDocument": { "uri": "untitled:1" },
        "range": found[0]["range"],
        "context": { "diagnostics": [found[0]] },
    });
    let actions = client.ask("textDocument/codeAction", params);
    let actions = actions.as_array().expect("a list");
    let titles: Vec<&str> = actions.iter().filter_map(|it| it["title"].as_str()).collect();
    assert_eq!(
        titles,
        [
            "write `;`",
            "mend all 2 findings of E0001 in this file",
            "mend all 2 findings that can be mended",
        ]
    );
    assert_eq!(actions[0]["diagnostics"][0]["code"], "E0001");
    assert_eq!(actions[0]["isPreferred"], true);
}

#[test]
fn semantic_tokens_come_whole_and_as_differences() {
    let mut client = Client::start(pulls(), &[]);
    client.open("untitled:1", "fn f() { let a = 1; let b = a; }\n");
    let document = json!({ "uri": "untitled:1" });
    let full = client.ask("textDocument/semanticTokens/full", json!({ "textDocument": document }));
    let mut data: Vec<Value> = full["data"].as_array().expect("numbers").clone();
    let start = at(0, 9);
    let change = json!([{ "range": { "start": start, "end": start }, "text": "let c = 3; " }]);
    client.change("untitled:1", 2, change);
    let params = json!({ "textDocument": document, "previousResultId": full["resultId"] });
    let delta = client.ask("textDocument/semanticTokens/full/delta", params);
    let edits = delta["edits"].as_array().expect("a difference");
    assert_eq!(edits.len(), 1);
    let count = |it: &Value| it.as_u64().expect("a number") as usize;
    let (from, gone) = (count(&edits[0]["start"]), count(&edits[0]["deleteCount"]));
    data.splice(from..from + gone, edits[0]["data"].as_array().expect("numbers").clone());
    let now = client.ask("textDocument/semanticTokens/full", json!({ "textDocument": document }));
    assert_eq!(json!(data), now["data"]);
}
