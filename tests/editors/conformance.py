"""The server's messages, read by types that refuse what the protocol does not allow."""

import json
import os
import queue
import re
import subprocess
import threading
from pathlib import Path

import pytest
from lsprotocol import converters, types
from pytest_lsp import client_capabilities

SERVER = os.environ["TILE_LSP"]
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CLIENTS = ["visual-studio-code", "neovim@v0.7", "neovim@v0.11", "emacs"]
URI = "untitled:1"
UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}

TEXT = '''/// Skaliert: é 中 🙂
fn scale(x: f32, by: f32) -> f32 { x * by }

test "é中🙂" { let a = scale(1.0, by: 2.0); nowhere(a); }
'''


class Session:
    """A server, and a converter that reads all that it says."""

    def __init__(self, capabilities):
        self.process = subprocess.Popen([SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.converter = converters.get_converter()
        self.inbox = queue.Queue()
        self.methods = {}
        threading.Thread(target=self.read, daemon=True).start()
        params = {"processId": None, "rootUri": None, "capabilities": capabilities}
        self.result = self.ask("initialize", params)
        self.can = self.result.capabilities
        self.encoding = self.can.position_encoding or "utf-16"
        self.tell("initialized", {})

    def read(self):
        out = self.process.stdout
        while True:
            length = 0
            while line := out.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if length == 0:
                return
            self.inbox.put(json.loads(out.read(length)))

    def write(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def tell(self, method, params):
        self.write({"method": method, "params": params})

    def ask(self, method, params):
        """The result of a request; `None` if it was refused."""
        number = len(self.methods) + 1
        self.methods[number] = method
        self.write({"id": number, "method": method, "params": params})
        while True:
            message = self.next()
            if isinstance(message, dict) and message.get("id") == number:
                assert message["error"]["code"] in (-32803, -32801, -32802), message
                return None
            if getattr(message, "id", None) == number:
                return message.result

    def next(self):
        """The next message, read by its type. A refusal stays as it is."""
        message = self.inbox.get(timeout=60)
        if "method" in message:
            kind = types.METHOD_TO_TYPES[message["method"]][0]
            if "id" in message:
                self.write({"id": message["id"], "result": None})
        elif "error" in message:
            self.converter.structure(message, types.ResponseErrorMessage)
            return message
        else:
            kind = types.METHOD_TO_TYPES[self.methods[message["id"]]][1]
        return self.converter.structure(message, kind)

    def open(self, text):
        document = {"uri": URI, "languageId": "tile", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def findings(self):
        if self.can.diagnostic_provider:
            report = self.ask("textDocument/diagnostic", {"textDocument": {"uri": URI}})
            return report.items
        while True:
            message = self.next()
            if getattr(message, "method", None) == "textDocument/publishDiagnostics":
                assert message.params.version == 1
                return message.params.diagnostics

    def leave(self):
        assert self.ask("shutdown", None) is None
        self.tell("exit", None)
        assert self.process.wait(timeout=10) == 0

    def column(self, line, character):
        name, size = UNITS[self.encoding]
        return len(line[:character].encode(name)) // size

    def place(self, text, needle, skip=0):
        """The position at which a piece of text begins for the nth time."""
        at = -1
        for _ in range(skip + 1):
            at = text.index(needle, at + 1)
        line = text.count("\n", 0, at)
        start = text.rfind("\n", 0, at) + 1
        return {"line": line, "character": self.column(text[start:], at - start)}

    def slice(self, text, range_):
        name, size = UNITS[self.encoding]
        lines = text.split("\n")
        assert range_.start.line == range_.end.line
        line = lines[range_.start.line].encode(name)
        return line[size * range_.start.character : size * range_.end.character].decode(name)

    def applied(self, text, edits):
        name, size = UNITS[self.encoding]
        lines = text.split("\n")
        for it in sorted(edits, key=lambda it: (it.range.start.line, it.range.start.character), reverse=True):
            assert it.range.start.line == it.range.end.line
            line = lines[it.range.start.line].encode(name)
            head = line[: size * it.range.start.character].decode(name)
            tail = line[size * it.range.end.character :].decode(name)
            lines[it.range.start.line] = head + it.new_text + tail
        return "\n".join(lines)


def capabilities_of(client, encodings=None):
    wanted = converters.get_converter().unstructure(client_capabilities(client))
    if encodings:
        wanted.setdefault("general", {})["positionEncodings"] = encodings
    return wanted


@pytest.fixture(params=[(it, None) for it in CLIENTS] + [("neovim@v0.11", ["utf-8"]), ("neovim@v0.11", ["utf-32"])])
def session(request):
    session = Session(capabilities_of(*request.param))
    yield session
    session.leave()


def edits_of(edit):
    if edit.document_changes:
        return [it for document in edit.document_changes for it in document.edits]
    return edit.changes[URI]


def test_columns_are_right_behind_wide_characters(session):
    session.open(TEXT)
    found = session.findings()
    assert [session.slice(TEXT, it.range) for it in found] == ["nowhere"]
    document = {"uri": URI}
    here = {"textDocument": document, "position": session.place(TEXT, "a); }")}
    highlights = session.ask("textDocument/documentHighlight", here)
    assert [session.slice(TEXT, it.range) for it in highlights] == ["a", "a"]
    edit = session.ask("textDocument/rename", {**here, "newName": "scaled"})
    renamed = TEXT.replace("let a =", "let scaled =").replace("nowhere(a)", "nowhere(scaled)")
    assert session.applied(TEXT, edits_of(edit)) == renamed
    call = {"textDocument": document, "position": session.place(TEXT, "scale(1.0")}
    places = session.ask("textDocument/references", {**call, "context": {"includeDeclaration": True}})
    assert [session.slice(TEXT, it.range) for it in places] == ["scale", "scale"]
    if session.can.hover_provider:
        hover = session.ask("textDocument/hover", call)
        assert "scale" in json.dumps(session.converter.unstructure(hover))
    if session.can.completion_provider:
        found = session.ask("textDocument/completion", call)
        items = found if isinstance(found, list) else found.items
        assert "scale" in [it.label.split("(")[0] for it in items]


def test_a_kernel_is_looked_at_from_all_sides(session):
    text = (EXAMPLES / "softmax.tile").read_text()
    session.open(text)
    session.findings()
    document = {"textDocument": {"uri": URI}}
    everything = {"start": {"line": 0, "character": 0}, "end": {"line": text.count("\n"), "character": 0}}
    options = {"tabSize": 4, "insertSpaces": True}
    for method, params in [
        ("textDocument/documentSymbol", {}),
        ("textDocument/foldingRange", {}),
        ("textDocument/documentLink", {}),
        ("textDocument/semanticTokens/full", {}),
        ("textDocument/semanticTokens/range", {"range": everything}),
        ("textDocument/inlayHint", {"range": everything}),
        ("textDocument/codeLens", {}),
        ("textDocument/formatting", {"options": options}),
        ("textDocument/rangeFormatting", {"options": options, "range": everything}),
        ("textDocument/codeAction", {"range": everything, "context": {"diagnostics": []}}),
    ]:
        if provides(session, method):
            session.ask(method, {**document, **params})
    session.ask("workspace/symbol", {"query": "soft"})
    for line, content in enumerate(text.split("\n")):
        for word in list(re.finditer(r"\w+", content))[:3]:
            at = {"line": line, "character": word.start()}
            for method, params in [
                ("textDocument/hover", {}),
                ("textDocument/definition", {}),
                ("textDocument/typeDefinition", {}),
                ("textDocument/documentHighlight", {}),
                ("textDocument/completion", {}),
                ("textDocument/signatureHelp", {}),
                ("textDocument/prepareRename", {}),
                ("textDocument/prepareCallHierarchy", {}),
            ]:
                if provides(session, method):
                    session.ask(method, {**document, "position": at, **params})


def provides(session, method):
    """Whether the server announced what answers a method."""
    words = {
        "textDocument/inlayHint": "inlay_hint_provider",
        "textDocument/codeLens": "code_lens_provider",
        "textDocument/hover": "hover_provider",
        "textDocument/completion": "completion_provider",
        "textDocument/signatureHelp": "signature_help_provider",
    }
    return method not in words or getattr(session.can, words[method]) is not None
