"""A scripted editor: speaks the Language Server Protocol to a server and takes the time of answers.

Reads on a thread of its own, so that a time ends when the message came, not when somebody looked.
"""

import json
import os
import queue
import subprocess
import threading
import time
from pathlib import Path


class Client:
    """One server process and what it said."""

    def __init__(self, command, folder, capabilities, options=None):
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.capabilities = capabilities
        self.inbox = queue.Queue()
        self.last_id = 0
        threading.Thread(target=self._read, daemon=True).start()
        uri = Path(folder).as_uri()
        params = {
            "processId": os.getpid(),
            "rootUri": uri,
            "workspaceFolders": [{"uri": uri, "name": "bench"}],
            "capabilities": capabilities,
            "initializationOptions": options or {},
        }
        self.server = self.ask("initialize", params)[0]["capabilities"]
        self.tell("initialized", {})

    def _read(self):
        out = self.process.stdout
        while True:
            length = 0
            while (line := out.readline().strip()):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if length == 0:
                return
            body = out.read(length)
            self.inbox.put((time.perf_counter(), json.loads(body)))

    def _write(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def tell(self, method, params):
        """Sends a notification; gives the moment before it went."""
        now = time.perf_counter()
        self._write({"method": method, "params": params})
        return now

    def begin(self, method, params):
        """Sends a request; gives its id and the moment before it went."""
        self.last_id += 1
        now = time.perf_counter()
        self._write({"id": self.last_id, "method": method, "params": params})
        return self.last_id, now

    def ask(self, method, params):
        """Sends a request; gives the answer and the milliseconds that it took."""
        number, began = self.begin(method, params)
        ended, message = self.wait(lambda it: it.get("id") == number and "method" not in it)
        return message.get("result", message.get("error")), 1e3 * (ended - began)

    def wait(self, is_meant, seconds=120):
        """The first message that is meant, with the moment at which it came."""
        deadline = time.perf_counter() + seconds
        while True:
            moment, message = self.inbox.get(timeout=max(0.01, deadline - time.perf_counter()))
            if "id" in message and "method" in message:
                answer = None
                if message["method"] == "workspace/configuration":
                    answer = [None] * len(message["params"]["items"])
                self._write({"id": message["id"], "result": answer})
            if is_meant(message):
                return moment, message

    @property
    def pulls(self):
        return self.server.get("diagnosticProvider") is not None

    def open(self, uri, language, text):
        document = {"uri": uri, "languageId": language, "version": 1, "text": text}
        return self.tell("textDocument/didOpen", {"textDocument": document})

    def change(self, uri, version, changes):
        document = {"uri": uri, "version": version}
        params = {"textDocument": document, "contentChanges": changes}
        return self.tell("textDocument/didChange", params)

    def diagnostics(self, uri, version, began):
        """The diagnostics of that version, and the milliseconds since `began`."""
        if self.pulls:
            answer, _ = self.ask("textDocument/diagnostic", {"textDocument": {"uri": uri}})
            while "items" not in answer and answer.get("kind") != "unchanged":
                answer, _ = self.ask("textDocument/diagnostic", {"textDocument": {"uri": uri}})
            return answer.get("items", []), 1e3 * (time.perf_counter() - began)
        ended, message = self.wait(
            lambda it: it.get("method") == "textDocument/publishDiagnostics"
            and it["params"]["uri"] == uri
            and it["params"].get("version") == version
        )
        return message["params"]["diagnostics"], 1e3 * (ended - began)

    def resident_megabytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(it for it in status.splitlines() if it.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def close(self):
        self.ask("shutdown", None)
        self.tell("exit", None)
        self.process.wait(timeout=10)
