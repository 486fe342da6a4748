// Registers beside each line: a bar in the margin, coloured from few to many, and a word on what lives
// where most do.

import * as vscode from "vscode";
import type { Server } from "./server";
import { setting } from "./settings";

/** A kernel in the answer to `tile/pressure`. Lines count from 0. */
interface Kernel {
    name: string;
    target: string;
    registers: number;
    lines: [line: number, registers: number][];
    peak: number | null;
    held: { name: string; registers: number }[];
}

const STEPS = 8;
const WAIT_MS = 300;
const HELD_MAX = 3;

/** A bar of `step` of `STEPS`, from blue to red. */
function bar(step: number): vscode.Uri {
    const part = step / STEPS;
    const hue = Math.round(215 - 205 * part);
    const width = 2 + Math.round(12 * part);
    const svg =
        `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16">` +
        `<rect x="1" y="5" width="${width}" height="6" rx="2" fill="hsl(${hue},72%,54%)" fill-opacity="${(0.45 + 0.5 * part).toFixed(2)}"/></svg>`;
    return vscode.Uri.parse(`data:image/svg+xml;base64,${Buffer.from(svg).toString("base64")}`);
}

/** The bars of all visible editors. */
export class PressureMargin implements vscode.Disposable {
    private readonly bars: vscode.TextEditorDecorationType[];
    private readonly peak: vscode.TextEditorDecorationType;
    private readonly disposables: vscode.Disposable[] = [];
    private timer: NodeJS.Timeout | undefined;
    private isShown = setting("pressure.show");

    constructor(private readonly server: Server) {
        this.bars = Array.from({ length: STEPS + 1 }, (_, step) =>
            vscode.window.createTextEditorDecorationType({ gutterIconPath: bar(step), gutterIconSize: "contain" }),
        );
        this.peak = vscode.window.createTextEditorDecorationType({
            overviewRulerColor: new vscode.ThemeColor("tile.pressure.high"),
            overviewRulerLane: vscode.OverviewRulerLane.Right,
            after: { color: new vscode.ThemeColor("editorCodeLens.foreground"), margin: "0 0 0 2ch", fontStyle: "italic" },
        });
        const later = () => this.later();
        this.disposables.push(
            ...this.bars,
            this.peak,
            server.onChange(later),
            vscode.window.onDidChangeVisibleTextEditors(later),
            vscode.workspace.onDidChangeTextDocument((it) => it.document.languageId === "tile" && this.later()),
            vscode.workspace.onDidChangeConfiguration((it) => {
                if (it.affectsConfiguration("tile.pressure")) {
                    this.isShown = setting("pressure.show");
                    this.later();
                }
            }),
        );
    }

    toggle(): void {
        this.isShown = !this.isShown;
        this.later();
    }

    private later(): void {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.showAll(), WAIT_MS);
    }

    private async showAll(): Promise<void> {
        const editors = vscode.window.visibleTextEditors.filter((it) => it.document.languageId === "tile");
        await Promise.all(editors.map((it) => this.show(it)));
    }

    private async show(editor: vscode.TextEditor): Promise<void> {
        const version = editor.document.version;
        const params = { textDocument: { uri: editor.document.uri.toString() } };
        const kernels = this.isShown ? ((await this.server.ask<{ kernels: Kernel[] }>("tile/pressure", params))?.kernels ?? []) : [];
        if (editor.document.version !== version) {
            return;
        }
        const places: vscode.DecorationOptions[][] = this.bars.map(() => []);
        for (const kernel of kernels) {
            // A kernel's own peak is full: what counts is where in it registers are taken.
            const most = Math.max(1, ...kernel.lines.map((it) => it[1]));
            for (const [line, registers] of kernel.lines) {
                const step = Math.min(STEPS, Math.round((STEPS * registers) / most));
                places[step]?.push({ range: new vscode.Range(line, 0, line, 0), hoverMessage: hover(kernel, registers) });
            }
        }
        this.bars.forEach((it, step) => editor.setDecorations(it, places[step] ?? []));
        editor.setDecorations(this.peak, kernels.flatMap((it) => peak(editor.document, it)));
    }

    dispose(): void {
        clearTimeout(this.timer);
        this.disposables.forEach((it) => it.dispose());
    }
}

function hover(kernel: Kernel, registers: number): vscode.MarkdownString {
    return new vscode.MarkdownString(`${registers} registers a thread live here (\`${kernel.name}\` for ${kernel.target})`);
}

function peak(document: vscode.TextDocument, kernel: Kernel): vscode.DecorationOptions[] {
    if (kernel.peak === null || kernel.peak >= document.lineCount) {
        return [];
    }
    const held = kernel.held.filter((it) => it.name !== "").slice(0, HELD_MAX);
    const names = held.map(({ name, registers }) => `${name} ${registers}`).join(", ");
    const text = `◂ peak: about ${kernel.registers} registers${names === "" ? "" : ` (${names})`}`;
    const end = document.lineAt(kernel.peak).range.end;
    return [{ range: new vscode.Range(end, end), renderOptions: { after: { contentText: text } } }];
}
