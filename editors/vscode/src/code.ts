// What a kernel is compiled to, beside its source, each line linked with the other side's.
//
// The server prints tile IR itself and asks the compiler for everything below it. A document is made anew
// when the source is saved, so that typing starts no compiler.

import * as vscode from "vscode";
import type { Server } from "./server";

export const CODE_SCHEME = "tile-code";

/** Which code of what. */
export interface CodeKey {
    uri: string;
    instance: string;
    target: string;
    form: string;
}

/** What `tile/code` answers, as far as it is used here. */
interface Listing {
    text: string;
    /** Pairs of a line of the text and the line of the source behind it, both from 0. */
    lines: [code: number, source: number][];
}

const forms = [
    { form: "ir", label: "Tile IR", description: "the compiler's own" },
    { form: "ll", label: "LLVM IR", description: "the optimised module" },
    { form: "ptx", label: "PTX", description: "NVIDIA's virtual assembly", vendor: "nvidia" },
    { form: "sass", label: "SASS", description: "NVIDIA's machine code; needs ptxas and nvdisasm", vendor: "nvidia" },
    { form: "s", label: "AMD assembly", description: "what the machine runs", vendor: "amd" },
];

function vendor(target: string): string {
    return target.startsWith("gfx") ? "amd" : "nvidia";
}

function codeUri(key: CodeKey): vscode.Uri {
    return vscode.Uri.from({ scheme: CODE_SCHEME, path: `/${key.instance} (${key.target}).${key.form}`, query: JSON.stringify(key) });
}

function keyOf(uri: vscode.Uri): CodeKey {
    return JSON.parse(uri.query) as CodeKey;
}

/** Code documents, and the light that goes along with the cursor. */
export class Code implements vscode.TextDocumentContentProvider, vscode.Disposable {
    private readonly changed = new vscode.EventEmitter<vscode.Uri>();
    readonly onDidChange = this.changed.event;
    private readonly listings = new Map<string, Listing>();
    private readonly light: vscode.TextEditorDecorationType;
    private readonly disposables: vscode.Disposable[];

    constructor(private readonly server: Server) {
        this.light = vscode.window.createTextEditorDecorationType({
            isWholeLine: true,
            backgroundColor: new vscode.ThemeColor("editor.rangeHighlightBackground"),
            overviewRulerColor: new vscode.ThemeColor("editorOverviewRuler.rangeHighlightForeground"),
            overviewRulerLane: vscode.OverviewRulerLane.Center,
        });
        this.disposables = [
            this.changed,
            this.light,
            vscode.workspace.registerTextDocumentContentProvider(CODE_SCHEME, this),
            vscode.workspace.onDidSaveTextDocument((it) => this.refresh(it.uri)),
            // Not when a document closes: a change of its language closes it for a moment.
            vscode.window.tabGroups.onDidChangeTabs((it) => it.closed.forEach((tab) => this.forget(tab))),
            vscode.window.onDidChangeTextEditorSelection((it) => this.follow(it.textEditor)),
        ];
    }

    async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
        const { uri: source, ...asked } = keyOf(uri);
        try {
            const listing = await this.server.demand<Listing>("tile/code", { textDocument: { uri: source }, ...asked });
            this.listings.set(uri.toString(), listing);
            return listing.text;
        } catch (error) {
            return `; ${error instanceof Error ? error.message : String(error)}\n`;
        }
    }

    /** Opens one form of an instance beside the source. */
    async open(key: CodeKey): Promise<void> {
        const document = await vscode.workspace.openTextDocument(codeUri(key));
        await vscode.languages.setTextDocumentLanguage(document, "tile-code");
        await vscode.window.showTextDocument(document, {
            viewColumn: vscode.ViewColumn.Beside,
            preserveFocus: true,
            preview: true,
        });
        const editor = vscode.window.visibleTextEditors.find((it) => it.document.uri.toString() === key.uri);
        if (editor !== undefined) {
            this.follow(editor);
        }
    }

    /** Lets the user choose a form of the instance around a place. */
    async choose(uri: vscode.Uri, position: vscode.Position): Promise<void> {
        const asked = { textDocument: { uri: uri.toString() }, position, form: "ir" };
        // Tile IR costs nothing, and the answer says which instance stands there.
        const { instance, target } = await this.server.demand<Omit<CodeKey, "uri">>("tile/code", asked);
        const fitting = forms.filter((it) => it.vendor === undefined || it.vendor === vendor(target));
        const picked = await vscode.window.showQuickPick(fitting, {
            placeHolder: `What \`${instance}\` is compiled to for ${target}`,
        });
        if (picked !== undefined) {
            await this.open({ uri: uri.toString(), instance, target, form: picked.form });
        }
    }

    private forget(tab: vscode.Tab): void {
        if (tab.input instanceof vscode.TabInputText) {
            this.listings.delete(tab.input.uri.toString());
        }
    }

    private refresh(source: vscode.Uri): void {
        for (const document of vscode.workspace.textDocuments) {
            if (document.uri.scheme === CODE_SCHEME && keyOf(document.uri).uri === source.toString()) {
                this.changed.fire(document.uri);
            }
        }
    }

    /** Lights the lines that belong to the cursor's, on the other side. */
    private follow(editor: vscode.TextEditor): void {
        const own = editor.document.uri;
        const line = editor.selection.active.line;
        if (own.scheme === CODE_SCHEME) {
            const source = this.listings.get(own.toString())?.lines.find((it) => it[0] === line)?.[1];
            const found = vscode.window.visibleTextEditors.filter((it) => it.document.uri.toString() === keyOf(own).uri);
            found.forEach((it) => this.shine(it, source === undefined ? [] : [source], editor));
            return;
        }
        for (const other of vscode.window.visibleTextEditors) {
            if (other.document.uri.scheme === CODE_SCHEME && keyOf(other.document.uri).uri === own.toString()) {
                const pairs = this.listings.get(other.document.uri.toString())?.lines ?? [];
                this.shine(other, pairs.filter((it) => it[1] === line).map((it) => it[0]), editor);
            }
        }
    }

    private shine(editor: vscode.TextEditor, lines: number[], from: vscode.TextEditor): void {
        const ranges = lines.map((it) => new vscode.Range(it, 0, it, 0));
        editor.setDecorations(this.light, ranges);
        from.setDecorations(this.light, []);
        const first = longestRun(lines);
        const isSeen = editor.visibleRanges.some((it) => first !== undefined && it.start.line <= first && first <= it.end.line);
        if (first !== undefined && !isSeen) {
            editor.revealRange(new vscode.Range(first, 0, first, 0), vscode.TextEditorRevealType.InCenter);
        }
    }

    dispose(): void {
        this.disposables.forEach((it) => it.dispose());
    }
}

/** Where the most lines follow each other without a gap: an assembler spreads the code of a line. */
function longestRun(lines: number[]): number | undefined {
    let best: { first: number; length: number } | undefined;
    let run = { first: -2, length: 0 };
    for (const line of [...lines].sort((a, b) => a - b)) {
        run = line === run.first + run.length ? { ...run, length: run.length + 1 } : { first: line, length: 1 };
        best = best === undefined || best.length < run.length ? run : best;
    }
    return best?.first;
}
