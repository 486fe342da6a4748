// What the extension gives to the editor, asked inside the real extension host through its own interface.
// `run` is what the workbench calls; the outcome goes to the file that TILE_TEST_OUTCOME names.

import * as assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as vscode from "vscode";

const WAIT_MS = 30_000;
const STEP_MS = 100;

/** Asks again until the answer is good; fails with the last one. */
async function eventually<T>(what: string, ask: () => Thenable<T> | T, isGood: (answer: T) => boolean): Promise<T> {
    const end = Date.now() + WAIT_MS;
    for (;;) {
        const answer = await ask();
        if (isGood(answer)) return answer;
        if (Date.now() > end) throw new Error(`${what}: the last answer was ${JSON.stringify(answer)?.slice(0, 600)}`);
        await new Promise((resume) => setTimeout(resume, STEP_MS));
    }
}

async function open(name: string): Promise<vscode.TextEditor> {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(folder, "a folder is open");
    const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder.uri, name));
    return vscode.window.showTextDocument(document);
}

/** The place just after the first `mark`. */
function after(document: vscode.TextDocument, mark: string): vscode.Position {
    const at = document.getText().indexOf(mark);
    assert.notEqual(at, -1, `${mark} is in ${document.fileName}`);
    return document.positionAt(at + mark.length);
}

function markdown(hovers: vscode.Hover[]): string {
    return hovers.flatMap((it) => it.contents).map((it) => (typeof it === "string" ? it : it.value)).join("\n");
}

const tests: Record<string, () => Promise<void>> = {
    "a file of Tile has its language": async () => {
        const { document } = await open("softmax.tile");
        assert.equal(document.languageId, "tile");
    },

    "a mistake is a diagnostic with its code": async () => {
        const { document } = await open("mistakes.tile");
        const of = () => vscode.languages.getDiagnostics(document.uri);
        const found = await eventually("diagnostics", of, (it) => it.length > 0);
        const [first] = found;
        const code = typeof first?.code === "object" ? first.code.value : first?.code;
        assert.equal(code, "E0101");
        assert.match(first?.message ?? "", /`col`/);
        assert.equal(document.getText(first?.range), "col");
    },

    "a hover has the type and a picture of the layout": async () => {
        const { document } = await open("softmax.tile");
        const at = after(document, "let v");
        const ask = () => vscode.commands.executeCommand<vscode.Hover[]>("vscode.executeHoverProvider", document.uri, at);
        const text = markdown(await eventually("a hover", ask, (it) => it.length > 0));
        assert.match(text, /f32\[1024\]/);
        assert.match(text, /```text/);
    },

    "a member is completed": async () => {
        const { document } = await open("softmax.tile");
        const at = after(document, "v - v.");
        const ask = () => vscode.commands.executeCommand<vscode.CompletionList>("vscode.executeCompletionItemProvider", document.uri, at);
        // The editor itself offers words of the text; only the server knows that this one is a method.
        const isMethod = (it: vscode.CompletionItem) => it.label === "max" && it.kind === vscode.CompletionItemKind.Method;
        const found = await eventually("completion", ask, (it) => it.items.some(isMethod));
        assert.match(found.items.find(isMethod)?.detail ?? "", /axis/);
    },

    "a warning can be mended": async () => {
        const { document } = await open("mistakes.tile");
        const edit = new vscode.WorkspaceEdit();
        const wrong = after(document, "mask: j < col)").translate(0, -4);
        edit.insert(document.uri, wrong.translate(0, 3), "s");
        await vscode.workspace.applyEdit(edit);
        const all = () => vscode.languages.getDiagnostics(document.uri);
        const code = (it: vscode.Diagnostic) => (typeof it.code === "object" ? it.code.value : it.code);
        const found = await eventually("the warning", all, (it) => it.some((it) => code(it) === "P0101"));
        const range = found.find((it) => code(it) === "P0101")?.range;
        assert.ok(range);
        const ask = () => vscode.commands.executeCommand<vscode.CodeAction[]>("vscode.executeCodeActionProvider", document.uri, range);
        const actions = await eventually("a fix", ask, (it) => it.some((it) => it.edit !== undefined));
        const fix = actions.find((it) => it.edit !== undefined);
        assert.ok(fix?.edit);
        await vscode.workspace.applyEdit(fix.edit);
        assert.match(document.getText(), /cols % \d+ == 0/);
        await eventually("no warning", all, (it) => it.every((it) => code(it) !== "P0101"));
        await vscode.commands.executeCommand("workbench.action.files.revert");
    },

    "a name is changed everywhere": async () => {
        const { document } = await open("softmax.tile");
        const at = after(document, "let live");
        const ask = () => vscode.commands.executeCommand<vscode.WorkspaceEdit>("vscode.executeDocumentRenameProvider", document.uri, at, "inside");
        const edit = await ask();
        assert.equal(edit.get(document.uri).length, 3);
    },

    "types stand after names": async () => {
        const { document } = await open("softmax.tile");
        const all = new vscode.Range(0, 0, document.lineCount, 0);
        const ask = () => vscode.commands.executeCommand<vscode.InlayHint[]>("vscode.executeInlayHintProvider", document.uri, all);
        const hints = await eventually("hints", ask, (it) => it.length > 0);
        const texts = hints.map((it) => (typeof it.label === "string" ? it.label : it.label.map((it) => it.value).join("")));
        assert.ok(texts.some((it) => it.includes("f32[1024]")), texts.join(" | "));
    },

    "a memory has a colour of its own": async () => {
        const { document } = await open("softmax.tile");
        const legend = await vscode.commands.executeCommand<vscode.SemanticTokensLegend>("vscode.provideDocumentSemanticTokensLegend", document.uri);
        assert.ok(legend.tokenTypes.includes("space"));
    },

    "the library opens without a file": async () => {
        const { document } = await open("softmax.tile");
        const at = after(document, "e.su");
        const ask = () => vscode.commands.executeCommand<(vscode.Location | vscode.LocationLink)[]>("vscode.executeDefinitionProvider", document.uri, at);
        const [first] = await eventually("a definition", ask, (it) => it.length > 0);
        const uri = first !== undefined && "targetUri" in first ? first.targetUri : first?.uri;
        assert.equal(uri?.scheme, "tile");
        const library = await vscode.workspace.openTextDocument(uri);
        assert.match(library.getText(), /fn sum/);
    },

    "a kernel's tile IR and assembly open beside it": async () => {
        const { document } = await open("softmax.tile");
        for (const [form, wanted] of [["ir", /kernel/], ["ptx", /ld\.global/]] as const) {
            await vscode.commands.executeCommand("tile.openCode", { uri: document.uri.toString(), instance: "softmax", target: "sm_90a", form });
            const of = () => vscode.workspace.textDocuments.find((it) => it.uri.path.endsWith(`.${form}`))?.getText() ?? "";
            await eventually(`the ${form}`, of, (it) => wanted.test(it));
        }
    },

    "tests of a workspace are tasks too": async () => {
        const tasks = await vscode.tasks.fetchTasks({ type: "tile" });
        assert.deepEqual(tasks.map((it) => it.name).sort(), ["build", "check", "report", "test"]);
    },

    "what a task finds is a problem at its place": async () => {
        const { document } = await open("mistakes.tile");
        const check = (await vscode.tasks.fetchTasks({ type: "tile" })).find((it) => it.name === "check");
        assert.ok(check);
        await vscode.tasks.executeTask(check);
        const of = () => vscode.languages.getDiagnostics(document.uri).filter((it) => it.source === "tilec");
        const [problem] = await eventually("a problem", of, (it) => it.length > 0);
        assert.match(problem?.message ?? "", /`col`/);
        assert.equal(problem?.code, "E0101");
        const start = problem?.range.start;
        assert.ok(start);
        assert.ok(document.getText(new vscode.Range(start, start.translate(0, 3))) === "col", "the problem is at the name");
    },
};

/** Runs all tests, one after the other. */
export async function run(): Promise<void> {
    const outcome: Record<string, string> = {};
    for (const [name, test] of Object.entries(tests)) {
        outcome[name] = await test().then(
            () => "passed",
            (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error)),
        );
    }
    const file = process.env["TILE_TEST_OUTCOME"];
    assert.ok(file, "TILE_TEST_OUTCOME names a file");
    writeFileSync(file, JSON.stringify(outcome));
}
