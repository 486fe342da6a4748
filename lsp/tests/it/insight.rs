//! What an editor is told of types, costs and code, message by message.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::client::{Client, pulls};

const URI: &str = "file:///nowhere/rows.tile";
const TEXT: &str = "\
kernel rows[N: int = 256](x: global mut f32[n])
    where n % 4 == 0
    grid [cdiv(n, N)]
    warps 2
{
    let j = block_id(0) * N + iota(N) @ blocked(regs: [4], lanes: [32], warps: [2]);
    let v = load(x.at(j), mask: j < n, other: 0.0);
    store(x.at(j), v + 1.0, mask: j < n);
}
build wide = rows[N: 512];
";

fn opened() -> Client {
    let mut client = Client::start(pulls(), &[]);
    client.open(URI, TEXT);
    client
}

fn document() -> Value {
    json!({ "uri": URI })
}

fn at(line: u32, character: u32) -> Value {
    json!({ "textDocument": document(), "position": { "line": line, "character": character } })
}

/// Says what is shown.
fn configure(client: &mut Client, settings: Value) {
    client.tell("workspace/didChangeConfiguration", json!({ "settings": { "tile": settings } }));
}

#[test]
fn the_target_and_the_instance_can_be_switched() {
    let mut client = opened();
    let shown = |client: &mut Client| {
        let hover = client.ask("textDocument/hover", at(6, 8));
        hover["contents"]["value"].as_str().expect("a hover has text").to_owned()
    };
    assert!(shown(&mut client).contains("f32[256]"));
    configure(&mut client, json!({ "instances": { "rows": "wide" } }));
    assert!(shown(&mut client).contains("f32[512]"));
    configure(&mut client, json!({ "target": "gfx942", "instances": {} }));
    assert!(shown(&mut client).contains("64 lanes"));
}

#[test]
fn members_are_offered_while_a_statement_is_typed() {
    let mut client = opened();
    let line = json!({ "line": 7, "character": 0 });
    let insert = json!([{ "range": { "start": line, "end": line }, "text": "    v.su\n" }]);
    client.change(URI, 2, insert);
    let offered = client.ask("textDocument/completion", at(7, 8));
    let items = offered["items"].as_array().expect("a list of suggestions");
    let sum = items.iter().find(|it| it["label"] == "sum").expect("tiles have sums");
    let resolved = client.ask("completionItem/resolve", sum.clone());
    let documentation = resolved["documentation"]["value"].as_str().expect("it is documented");
    assert!(documentation.contains("The sum along `axis`"), "{documentation}");
}

#[test]
fn hints_lenses_and_signatures_have_the_protocols_form() {
    let mut client = opened();
    let all =
        json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 11, "character": 0 } });
    let params = json!({ "textDocument": document(), "range": all });
    let hints = client.ask("textDocument/inlayHint", params);
    let labels: Vec<&str> =
        hints.as_array().expect("hints").iter().filter_map(|it| it["label"].as_str()).collect();
    assert!(labels.contains(&": f32[256]") && labels.contains(&" 16 B"), "{labels:?}");
    let lenses = client.ask("textDocument/codeLens", json!({ "textDocument": document() }));
    let commands: Vec<&str> = lenses
        .as_array()
        .expect("lenses")
        .iter()
        .filter_map(|it| it["command"]["command"].as_str())
        .collect();
    assert!(commands.starts_with(&["tile.chooseInstance", "tile.openCode"]), "{commands:?}");
    let help = client.ask("textDocument/signatureHelp", at(6, 26));
    assert_eq!(help["signatures"][0]["activeParameter"], 1);
}

#[test]
fn tile_ir_leads_back_to_the_program() {
    let mut client = opened();
    let params = json!({ "textDocument": document(), "instance": "wide", "form": "ir" });
    let code = client.ask("tile/code", params);
    let text: Vec<&str> = code["text"].as_str().expect("a text").lines().collect();
    let load = text.iter().position(|it| it.contains("memory.load")).expect("there is a load");
    let pairs = code["lines"].as_array().expect("pairs of lines");
    assert!(pairs.contains(&json!([load, 6])), "{pairs:?}");
    assert_eq!(code["instance"], "wide");
}

#[test]
fn registers_have_their_lines_and_names() {
    let mut client = opened();
    let found = client.ask("tile/pressure", json!({ "textDocument": document() }));
    let kernel = &found["kernels"][0];
    assert_eq!(kernel["name"], "rows");
    let held = kernel["held"].as_array().expect("what lives at the peak");
    assert!(held.iter().any(|it| it["name"] == "v" && it["registers"] == 4), "{held:?}");
    assert!(kernel["peak"].as_u64().is_some_and(|it| (6..=7).contains(&it)), "{kernel}");
}

/// A program in the compiler's place, which answers with `script`.
fn compiler(folder: &std::path::Path, script: &str) -> String {
    let path = folder.join("compiler");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file in the folder");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it can be run");
    path.display().to_string()
}

#[test]
fn what_the_compiler_measured_is_shown_until_the_text_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let answer = json!({ "kernels": [{
        "name": "rows", "target": "sm_90a", "registers": 77, "spill_bytes": 0, "shared_bytes": 0,
    }] });
    let program = compiler(folder.path(), &format!("echo '{answer}'"));
    let mut client = opened();
    configure(&mut client, json!({ "compiler": program, "target": "sm_90a" }));
    let title = |client: &mut Client| {
        let lenses = client.ask("textDocument/codeLens", json!({ "textDocument": document() }));
        lenses[0]["command"]["title"].as_str().expect("a lens has a title").to_owned()
    };
    assert!(title(&mut client).contains("about "));
    client.ask("tile/measure", json!({ "textDocument": document() }));
    assert!(title(&mut client).contains(" · 77 registers"));
    let end = json!({ "line": 10, "character": 0 });
    client.change(URI, 2, json!([{ "range": { "start": end, "end": end }, "text": "\n" }]));
    assert!(title(&mut client).contains("about "));
}

/// What a client says of itself that asks again for hints and lenses when it is told to.
fn refreshes() -> Value {
    let mut capabilities = pulls();
    capabilities["workspace"]["codeLens"] = json!({ "refreshSupport": true });
    capabilities["workspace"]["inlayHint"] = json!({ "refreshSupport": true });
    capabilities
}

fn wait_for(client: &mut Client, method: &str) {
    client.wait(|it| it["method"] == method);
}

#[test]
fn a_measurement_that_is_news_has_the_client_ask_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let answer = json!({ "kernels": [{
        "name": "rows", "target": "sm_90a", "registers": 77, "spill_bytes": 0, "shared_bytes": 0,
    }] });
    let program = compiler(folder.path(), &format!("echo '{answer}'"));
    let mut client = Client::start(refreshes(), &[]);
    client.open(URI, TEXT);
    configure(&mut client, json!({ "compiler": program, "target": "sm_90a" }));
    wait_for(&mut client, "workspace/codeLens/refresh");
    client.ask("tile/measure", json!({ "textDocument": document() }));
    wait_for(&mut client, "workspace/codeLens/refresh");
}

#[test]
fn an_edit_has_the_client_ask_again_for_what_other_documents_show() {
    let mut client = Client::start(refreshes(), &[]);
    client.open(URI, TEXT);
    client.open("file:///nowhere/width.tile", "pub const N = 4;\n");
    let change = json!([{ "text": "pub const N = 8;\n" }]);
    client.change("file:///nowhere/width.tile", 2, change);
    wait_for(&mut client, "workspace/inlayHint/refresh");
    wait_for(&mut client, "workspace/codeLens/refresh");
}

#[test]
fn a_compiler_that_fails_costs_its_request_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = compiler(folder.path(), "echo 'out of ideas' >&2; exit 3");
    let mut client = opened();
    configure(&mut client, json!({ "compiler": program }));
    let params = json!({ "textDocument": document(), "instance": "rows", "form": "ptx" });
    let id = client.begin("tile/code", params);
    assert_eq!(client.answer(id)["error"]["message"], "out of ideas");
    client.ask("textDocument/hover", at(6, 8));
}
