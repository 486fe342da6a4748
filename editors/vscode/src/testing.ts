// The test explorer: `test` items of all files of the workspace, run by `tilec test`.

import * as path from "node:path";
import * as vscode from "vscode";
import { declaredTests } from "./declared";
import { ask } from "./programs";
import { setting } from "./settings";

/** A place that the compiler names; lines and columns count from 1. */
interface Place {
    file: string;
    line: number;
    column: number;
    end_line: number;
    end_column: number;
}

interface Finding extends Place {
    message: string;
    reasons: (Place & { message: string })[];
    notes: string[];
    help: string | null;
}

/** A line of `tilec test --format json`. */
interface Outcome {
    file: string;
    test: string;
    engine: string;
    target: string;
    status: "passed" | "failed";
    milliseconds: number;
    printed: string[];
    findings: Finding[];
    doubts: Finding[];
}

/** The tree of tests and what happens when they are run. */
export class Testing implements vscode.Disposable {
    private readonly controller = vscode.tests.createTestController("tile", "Tile");
    private readonly disposables: vscode.Disposable[];

    constructor(
        private readonly context: vscode.ExtensionContext,
        private readonly target: () => string,
    ) {
        const watcher = vscode.workspace.createFileSystemWatcher("**/*.tile");
        this.controller.createRunProfile("Run", vscode.TestRunProfileKind.Run, (request, token) => this.run(request, token), true);
        this.controller.resolveHandler = async () => this.discover();
        this.controller.refreshHandler = async () => this.discover();
        this.disposables = [
            this.controller,
            watcher,
            watcher.onDidCreate((it) => void this.read(it)),
            watcher.onDidChange((it) => void this.read(it)),
            watcher.onDidDelete((it) => this.controller.items.delete(it.toString())),
            vscode.workspace.onDidOpenTextDocument((it) => this.update(it)),
            vscode.workspace.onDidChangeTextDocument((it) => this.update(it.document)),
        ];
        vscode.workspace.textDocuments.forEach((it) => this.update(it));
        void this.discover();
    }

    /** Runs the test of that title, as its lens asks. */
    async runOne(uri: string, title: string): Promise<void> {
        const file = this.controller.items.get(vscode.Uri.parse(uri).toString());
        const test = file?.children.get(title);
        if (test !== undefined) {
            await this.run(new vscode.TestRunRequest([test]), new vscode.CancellationTokenSource().token);
        }
    }

    private async discover(): Promise<void> {
        const files = await vscode.workspace.findFiles("**/*.tile", "**/{target,out,node_modules}/**");
        await Promise.all(files.map((it) => this.read(it)));
    }

    private async read(uri: vscode.Uri): Promise<void> {
        const open = vscode.workspace.textDocuments.find((it) => it.uri.toString() === uri.toString());
        if (open !== undefined) {
            this.update(open);
            return;
        }
        const bytes = await vscode.workspace.fs.readFile(uri);
        this.replace(uri, new TextDecoder().decode(bytes));
    }

    private update(document: vscode.TextDocument): void {
        if (document.languageId === "tile" && document.uri.scheme === "file") {
            this.replace(document.uri, document.getText());
        }
    }

    private replace(uri: vscode.Uri, text: string): void {
        const tests = declaredTests(text);
        const id = uri.toString();
        if (tests.length === 0) {
            this.controller.items.delete(id);
            return;
        }
        const known = this.controller.items.get(id);
        const file = known ?? this.controller.createTestItem(id, path.basename(uri.fsPath), uri);
        file.children.replace(
            tests.map(({ title, line }) => {
                const item = file.children.get(title) ?? this.controller.createTestItem(title, title, uri);
                item.range = new vscode.Range(line, 0, line, 0);
                return item;
            }),
        );
        if (known === undefined) {
            this.controller.items.add(file);
        }
    }

    private async run(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
        const run = this.controller.createTestRun(request);
        const asked = request.include ?? [...this.controller.items].map((it) => it[1]);
        const byFile = new Map<string, vscode.TestItem[]>();
        for (const item of asked) {
            const tests = item.children.size > 0 ? [...item.children].map((it) => it[1]) : [item];
            const wanted = tests.filter((it) => it.uri !== undefined && !request.exclude?.includes(it));
            const file = item.uri?.fsPath ?? "";
            byFile.set(file, [...(byFile.get(file) ?? []), ...wanted]);
        }
        for (const [file, tests] of byFile) {
            if (!token.isCancellationRequested && tests.length > 0) {
                await this.runFile(run, file, tests, token);
            }
        }
        run.end();
    }

    private async runFile(run: vscode.TestRun, file: string, tests: vscode.TestItem[], token: vscode.CancellationToken): Promise<void> {
        const document = vscode.workspace.textDocuments.find((it) => it.uri.fsPath === file);
        if (document?.isDirty === true) {
            await document.save();
        }
        tests.forEach((it) => run.started(it));
        const [only] = tests;
        const filter = tests.length === 1 && only !== undefined ? ["--filter", only.id] : [];
        const args = ["test", file, "--format", "json", "--target", this.target(), "--on", setting("test.engines").join(","), ...filter];
        const outcomes: Outcome[] = [];
        const broken: Finding[] = [];
        const onLine = (line: string) => {
            const value = JSON.parse(line) as Outcome | Finding;
            if ("test" in value) {
                outcomes.push(value);
                run.appendOutput(told(value));
            } else {
                broken.push(value);
            }
        };
        try {
            const answer = await ask(this.context, args, { cwd: path.dirname(file), token, onLine });
            const failure = broken.length === 0 && outcomes.length === 0 ? answer.stderr.trim() : "";
            tests.forEach((it) => judge(run, it, file, outcomes.filter((outcome) => outcome.test === it.id), broken, failure));
        } catch (error) {
            tests.forEach((it) => run.errored(it, new vscode.TestMessage(String(error))));
        }
    }

    dispose(): void {
        this.disposables.forEach((it) => it.dispose());
    }
}

function told(outcome: Outcome): string {
    const head = `${outcome.status === "passed" ? "\x1b[32mok\x1b[0m  " : "\x1b[31mFAIL\x1b[0m"} ${outcome.test}`;
    const lines = [`${head}  ${outcome.engine} ${outcome.target}, ${outcome.milliseconds.toFixed(0)} ms`, ...outcome.printed];
    return lines.map((it) => `${it}\r\n`).join("");
}

function judge(run: vscode.TestRun, item: vscode.TestItem, file: string, outcomes: Outcome[], broken: Finding[], failure: string): void {
    const time = outcomes.reduce((sum, it) => sum + it.milliseconds, 0);
    const failed = outcomes.filter((it) => it.status === "failed");
    if (broken.length > 0) {
        run.errored(item, broken.map((it) => message(it, file, "")));
    } else if (failed.length > 0) {
        run.failed(item, failed.flatMap((it) => it.findings.map((found) => message(found, file, `${it.engine}, ${it.target}: `))), time);
    } else if (outcomes.length > 0) {
        run.passed(item, time);
    } else if (failure !== "") {
        run.errored(item, new vscode.TestMessage(failure));
    } else {
        run.skipped(item);
    }
}

/** A finding where it is, with its reasons and the first wrong elements. */
function message(finding: Finding, file: string, where: string): vscode.TestMessage {
    const reasons = finding.reasons.map((it) => `${path.basename(it.file)}:${it.line}: ${it.message}`);
    const help = finding.help === null ? [] : [`help: ${finding.help}`];
    const lines = [`${where}${finding.message}`, ...reasons, ...finding.notes, ...help];
    const found = new vscode.TestMessage(lines.join("\n"));
    const at = path.resolve(path.dirname(file), finding.file);
    const range = new vscode.Range(finding.line - 1, finding.column - 1, finding.end_line - 1, finding.end_column - 1);
    found.location = new vscode.Location(vscode.Uri.file(at), range);
    return found;
}
