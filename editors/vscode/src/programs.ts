// Where the server and the compiler are, and how the compiler is asked.

import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import * as path from "node:path";
import * as vscode from "vscode";
import { setting } from "./settings";

const suffix = process.platform === "win32" ? ".exe" : "";

function isProgram(file: string): boolean {
    try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
    } catch {
        return false;
    }
}

function inPath(name: string): string | undefined {
    const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter((it) => it !== "");
    return folders.map((it) => path.join(it, name + suffix)).find(isProgram);
}

/** A program with the arguments that come first. */
export interface Program {
    file: string;
    args: string[];
}

/** A setting names a program that is not there. */
export class NotThere extends Error {
    constructor(
        readonly setting: string,
        readonly file: string,
    ) {
        super(`\`${setting}\` is ${file}, and there is no such program`);
    }
}

function chosen(name: "server.path" | "compiler"): string | undefined {
    const value = setting(name).replace(/^~(?=[/\\])/, process.env["HOME"] ?? "~");
    if (value === "") {
        return undefined;
    }
    if (!isProgram(value)) {
        throw new NotThere(`tile.${name}`, value);
    }
    return value;
}

function asServer(file: string): Program {
    return path.basename(file, suffix) === "tilec" ? { file, args: ["lsp"] } : { file, args: [] };
}

/** The language server: the chosen one, the extension's own, or that in `PATH`. */
export function findServer(context: vscode.ExtensionContext): Program | undefined {
    const own = context.asAbsolutePath(path.join("server", `tile-lsp${suffix}`));
    const file = chosen("server.path") ?? (isProgram(own) ? own : undefined) ?? inPath("tile-lsp") ?? inPath("tilec");
    return file === undefined ? undefined : asServer(file);
}

/** The compiler: the chosen one, that beside the server, or that in `PATH`. */
export function findCompiler(context: vscode.ExtensionContext): string | undefined {
    const server = findServer(context);
    const beside = server === undefined ? undefined : path.join(path.dirname(server.file), `tilec${suffix}`);
    return chosen("compiler") ?? (beside !== undefined && isProgram(beside) ? beside : undefined) ?? inPath("tilec");
}

/** What a run of the compiler gave. */
export interface Answer {
    code: number;
    stdout: string;
    stderr: string;
}

/** The compiler could not be asked. */
export class NoCompiler extends Error {
    constructor() {
        super("the compiler `tilec` is neither in `PATH` nor in `tile.compiler`");
    }
}

/** Runs the compiler; `onLine` gets each line of its answer as it comes. */
export function ask(
    context: vscode.ExtensionContext,
    args: string[],
    options: { cwd?: string; token?: vscode.CancellationToken; onLine?: (line: string) => void } = {},
): Promise<Answer> {
    const file = findCompiler(context);
    if (file === undefined) {
        return Promise.reject(new NoCompiler());
    }
    return new Promise((resolve, reject) => {
        const child = spawn(file, ["--color", "never", ...args], { cwd: options.cwd, stdio: ["ignore", "pipe", "pipe"] });
        const answer: Answer = { code: 0, stdout: "", stderr: "" };
        let rest = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
            answer.stdout += text;
            const lines = (rest + text).split("\n");
            rest = lines.pop() ?? "";
            lines.forEach((it) => options.onLine?.(it));
        });
        child.stderr.setEncoding("utf8").on("data", (text: string) => (answer.stderr += text));
        const ended = options.token?.onCancellationRequested(() => child.kill());
        child.on("error", reject);
        child.on("close", (code) => {
            ended?.dispose();
            if (rest !== "") {
                options.onLine?.(rest);
            }
            resolve({ ...answer, code: code ?? 1 });
        });
    });
}
