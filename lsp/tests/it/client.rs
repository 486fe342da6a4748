//! A client for tests: starts the real program, sends what it is told, and waits for answers.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long an answer may take before the test gives up: only a server that hangs takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server and what it has said.
pub(crate) struct Client {
    process: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    unread: Vec<Value>,
    last_id: i64,
}

/// What clients that ask for diagnostics say of themselves.
pub(crate) fn pulls() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-16"] },
        "textDocument": { "diagnostic": {}, "documentSymbol": { "hierarchicalDocumentSymbolSupport": true } },
        "workspace": { "workspaceEdit": { "documentChanges": true } },
    })
}

/// What clients that are told about diagnostics say of themselves.
pub(crate) fn is_told() -> Value {
    json!({ "textDocument": { "publishDiagnostics": { "versionSupport": true } } })
}

impl Client {
    /// Starts a server that hears nothing yet.
    pub(crate) fn spawn() -> Client {
        let mut process = Command::new(env!("CARGO_BIN_EXE_tile-lsp"))
            .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the server starts");
        let input = process.stdin.take();
        let output = process.stdout.take().expect("stdout is piped");
        let (sender, messages) = mpsc::channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Client { process, input, messages, unread: Vec::new(), last_id: 0 }
    }

    /// Starts a server for a client of these capabilities that works on `folders`.
    pub(crate) fn start(capabilities: Value, folders: &[&Path]) -> Client {
        let mut client = Client::spawn();
        let folders = folders.iter().map(|it| json!({ "uri": uri(it), "name": "folder" }));
        let params = json!({
            "processId": null,
            "rootUri": null,
            "capabilities": capabilities,
            "workspaceFolders": folders.collect::<Vec<_>>(),
        });
        client.ask("initialize", params);
        client.tell("initialized", json!({}));
        client
    }

    fn write(&mut self, message: &Value) {
        let body = message.to_string();
        let input = self.input.as_mut().expect("the client has not left");
        write!(input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("the server reads");
        input.flush().expect("the server reads");
    }

    /// Sends a notification.
    pub(crate) fn tell(&mut self, method: &str, params: Value) {
        self.write(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a request; its answer is for [`Client::answer`].
    pub(crate) fn begin(&mut self, method: &str, params: Value) -> i64 {
        self.last_id += 1;
        let id = self.last_id;
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// The whole answer to a request.
    pub(crate) fn answer(&mut self, id: i64) -> Value {
        self.wait(|it| it["id"] == id && it.get("method").is_none())
    }

    /// Sends a request; gives its result.
    ///
    /// # Panics
    /// If it is refused.
    #[track_caller]
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params);
        let mut answer = self.answer(id);
        assert!(answer.get("error").is_none(), "{method}: {}", answer["error"]);
        answer["result"].take()
    }

    /// The first message that is meant, which is then read.
    #[track_caller]
    pub(crate) fn wait(&mut self, is_meant: impl Fn(&Value) -> bool) -> Value {
        if let Some(n) = self.unread.iter().position(&is_meant) {
            return self.unread.remove(n);
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.messages.recv_timeout(left) {
                Ok(message) if is_meant(&message) => return message,
                Ok(message) => self.unread.push(message),
                Err(RecvTimeoutError::Timeout) => panic!("no answer; unread: {:#?}", self.unread),
                Err(RecvTimeoutError::Disconnected) => panic!("the server has left"),
            }
        }
    }

    /// Opens a document.
    pub(crate) fn open(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "tile", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Changes a document.
    pub(crate) fn change(&mut self, uri: &str, version: i64, changes: Value) {
        let document = json!({ "uri": uri, "version": version });
        let params = json!({ "textDocument": document, "contentChanges": changes });
        self.tell("textDocument/didChange", params);
    }

    /// The findings of a document, for clients that ask; and ask again when they are told to.
    pub(crate) fn findings(&mut self, uri: &str) -> Vec<Value> {
        let params = json!({ "textDocument": { "uri": uri } });
        loop {
            let id = self.begin("textDocument/diagnostic", params.clone());
            let mut answer = self.answer(id);
            if answer["error"]["data"]["retriggerRequest"] == true {
                continue;
            }
            match answer["result"]["items"].take() {
                Value::Array(items) => return items,
                _ => panic!("no list: {answer}"),
            }
        }
    }

    /// The findings of a version of a document, for clients that are told.
    pub(crate) fn told(&mut self, uri: &str, version: i64) -> Vec<Value> {
        let mut message = self.wait(|it| {
            it["method"] == "textDocument/publishDiagnostics"
                && it["params"]["uri"] == uri
                && it["params"]["version"] == version
        });
        match message["params"]["diagnostics"].take() {
            Value::Array(items) => items,
            other => panic!("no list: {other}"),
        }
    }

    /// Says goodbye as the protocol wants it.
    pub(crate) fn leave(mut self) -> ExitStatus {
        self.ask("shutdown", Value::Null);
        self.tell("exit", Value::Null);
        self.process.wait().expect("the server ends")
    }

    /// Goes away without a word.
    pub(crate) fn vanish(mut self) -> ExitStatus {
        self.input = None;
        self.process.wait().expect("the server ends")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(": ") {
            None => break,
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().ok()?;
            }
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// The URI of a path.
pub(crate) fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// A fresh folder of that name for a test.
pub(crate) fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("the target folder can be written");
    path
}

/// A position.
pub(crate) fn at(line: u32, character: u32) -> Value {
    json!({ "line": line, "character": character })
}

/// Codes and first lines of messages, with their lines.
pub(crate) fn shown(findings: &[Value]) -> String {
    let line = |it: &Value| {
        let message = it["message"].as_str().unwrap_or_default().lines().next().unwrap_or_default();
        let code = it["code"].as_str().unwrap_or("none");
        format!("{} {code} {message}", it["range"]["start"]["line"])
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}
