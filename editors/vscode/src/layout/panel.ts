// The layout panel: a webview beside the source that shows the tile or view under the cursor.

import * as vscode from "vscode";
import type { Server } from "../server";
import { setting } from "../settings";
import type { Conversion, FromPanel, LayoutView, ToPanel } from "./types";

const WAIT_MS = 120;

/** The one panel, while it is open. */
export class LayoutPanel implements vscode.Disposable {
    private panel: vscode.WebviewPanel | undefined;
    private isReady = false;
    private waiting: ToPanel | undefined;
    private timer: NodeJS.Timeout | undefined;
    private readonly disposables: vscode.Disposable[];

    constructor(
        private readonly context: vscode.ExtensionContext,
        private readonly server: Server,
    ) {
        this.disposables = [
            vscode.window.onDidChangeTextEditorSelection((it) => this.follow(it.textEditor)),
            server.onChange(() => this.follow(vscode.window.activeTextEditor)),
        ];
    }

    /** Opens the panel, and shows what stands at the cursor. */
    async show(editor: vscode.TextEditor): Promise<void> {
        this.open();
        await this.showAt(editor, true);
    }

    private open(): void {
        if (this.panel !== undefined) {
            this.panel.reveal(undefined, true);
            return;
        }
        const root = vscode.Uri.joinPath(this.context.extensionUri, "dist");
        const place = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
        const panel = vscode.window.createWebviewPanel("tile.layout", "Layout", place, {
            enableScripts: true,
            localResourceRoots: [root],
            retainContextWhenHidden: true,
        });
        panel.iconPath = vscode.Uri.joinPath(this.context.extensionUri, "images", "file.svg");
        panel.webview.html = page(panel.webview, root);
        panel.webview.onDidReceiveMessage((it: FromPanel) => void this.receive(it));
        panel.onDidDispose(() => {
            this.panel = undefined;
            this.isReady = false;
        });
        this.panel = panel;
    }

    private async receive(message: FromPanel): Promise<void> {
        if (message.kind === "ready") {
            this.isReady = true;
            if (this.waiting !== undefined) {
                this.send(this.waiting);
            }
            return;
        }
        const { id, from, to, bits } = message;
        const answer = await this.server.demand<Conversion>("tile/conversion", { from, to, bits }).catch((error: unknown) => ({
            error: error instanceof Error ? error.message : String(error),
        }));
        this.send({ kind: "conversion", id, answer });
    }

    private send(message: ToPanel): void {
        if (this.isReady) {
            void this.panel?.webview.postMessage(message);
        } else {
            this.waiting = message;
        }
    }

    private follow(editor: vscode.TextEditor | undefined): void {
        if (this.panel?.visible !== true || editor?.document.languageId !== "tile" || !setting("layout.follow")) {
            return;
        }
        clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.showAt(editor, false), WAIT_MS);
    }

    /** Shows what stands at the cursor. Where nothing does, the picture stays unless it was asked for. */
    private async showAt(editor: vscode.TextEditor, isAsked: boolean): Promise<void> {
        const params = { textDocument: { uri: editor.document.uri.toString() }, position: editor.selection.active };
        const view = await this.server.ask<LayoutView>("tile/layout", params);
        if (view !== undefined) {
            this.send({ kind: "show", view });
        } else if (isAsked) {
            this.send({ kind: "nothing" });
        }
    }

    dispose(): void {
        clearTimeout(this.timer);
        this.panel?.dispose();
        this.disposables.forEach((it) => it.dispose());
    }
}

function page(webview: vscode.Webview, root: vscode.Uri): string {
    const at = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(root, name)).toString();
    const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src ${webview.cspSource};`;
    return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="stylesheet" href="${at("layout.css")}">
</head>
<body>
<main id="root"></main>
<script src="${at("layout.js")}"></script>
</body>
</html>`;
}
