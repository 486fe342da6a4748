// The language server's life: found, started, told of settings, started again; and what to do if there is none.

import * as vscode from "vscode";
import { LanguageClient, State, type LanguageClientOptions } from "vscode-languageclient/node";
import { findServer, NotThere } from "./programs";
import { forServer } from "./settings";

/** The scheme of documents that only the server has: the library and the pages of diagnostics. */
const SCHEME = "tile";

/** The server, whether it runs or not. */
export class Server implements vscode.Disposable {
    private client: LanguageClient | undefined;
    private readonly changed = new vscode.EventEmitter<void>();
    /** Fires when the server starts, stops, or sees the program in another way. */
    readonly onChange = this.changed.event;
    readonly log = vscode.window.createOutputChannel("Tile", { log: true });
    private readonly disposables: vscode.Disposable[] = [this.changed, this.log];

    /** `seen` is what the user sees beyond the settings: the chosen target and instances. */
    constructor(
        private readonly context: vscode.ExtensionContext,
        private readonly seen: () => Record<string, unknown>,
    ) {
        const library: vscode.TextDocumentContentProvider = {
            provideTextDocumentContent: async (uri, token) => {
                const params = { uri: uri.toString() };
                const found = await this.ask<{ text: string }>("workspace/textDocumentContent", params, token);
                return found?.text;
            },
        };
        this.disposables.push(
            vscode.workspace.registerTextDocumentContentProvider(SCHEME, library),
            vscode.workspace.onDidChangeConfiguration((it) => this.onConfiguration(it)),
        );
    }

    get isRunning(): boolean {
        return this.client?.state === State.Running;
    }

    /** Starts the server, or says why it cannot. */
    async start(): Promise<void> {
        const program = this.find();
        if (program === undefined) {
            this.changed.fire();
            return;
        }
        const options: LanguageClientOptions = {
            documentSelector: [
                { scheme: "file", language: "tile" },
                { scheme: "untitled", language: "tile" },
                { scheme: SCHEME, language: "tile" },
            ],
            initializationOptions: { virtualDocuments: true, tile: this.section() },
            outputChannel: this.log,
            markdown: { isTrusted: false, supportHtml: false },
        };
        this.log.info(`starting ${[program.file, ...program.args].join(" ")}`);
        this.client = new LanguageClient("tile", "Tile", { command: program.file, args: program.args }, options);
        this.client.onDidChangeState(() => this.changed.fire());
        try {
            await this.client.start();
        } catch (error) {
            this.log.error(`the server did not start: ${String(error)}`);
            void vscode.window.showErrorMessage("The Tile language server did not start.", "Show Log").then((it) => {
                if (it !== undefined) this.log.show();
            });
        }
        this.changed.fire();
    }

    async stop(): Promise<void> {
        const client = this.client;
        this.client = undefined;
        await client?.dispose();
    }

    async restart(): Promise<void> {
        await this.stop();
        await this.start();
    }

    /** Tells the server what the user sees now. */
    async tellSettings(): Promise<void> {
        if (this.isRunning) {
            await this.client?.sendNotification("workspace/didChangeConfiguration", { settings: { tile: this.section() } });
        }
        this.changed.fire();
    }

    /** Asks the server; `undefined` if it does not run or has no answer. */
    async ask<R>(method: string, params: unknown, token?: vscode.CancellationToken): Promise<R | undefined> {
        if (this.client === undefined || !this.isRunning) {
            return undefined;
        }
        try {
            // An absent token must not be passed: it would count as a second parameter.
            const rest = token === undefined ? [] : [token];
            const answer = await this.client.sendRequest<R | null>(method, params, ...rest);
            return answer ?? undefined;
        } catch (error) {
            this.log.debug(`${method}: ${String(error)}`);
            return undefined;
        }
    }

    /** Asks the server; what it refuses is an error with its words. */
    async demand<R>(method: string, params: unknown): Promise<R> {
        if (this.client === undefined || !this.isRunning) {
            throw new Error("the language server does not run");
        }
        return this.client.sendRequest<R>(method, params);
    }

    private section(): Record<string, unknown> {
        return { ...forServer(), ...this.seen() };
    }

    private find() {
        try {
            const program = findServer(this.context);
            if (program === undefined) {
                this.explain("The Tile language server is not here. Without it there are colours, but no checks.");
            }
            return program;
        } catch (error) {
            if (!(error instanceof NotThere)) throw error;
            this.explain(`${error.message}.`);
            return undefined;
        }
    }

    private explain(message: string): void {
        this.log.warn(message);
        const [get, settings] = ["How to Get It", "Open Settings"];
        void vscode.window.showWarningMessage(message, get, settings).then((it) => {
            if (it === get) {
                void vscode.commands.executeCommand("workbench.action.openWalkthrough", `${this.context.extension.id}#start`, false);
            } else if (it === settings) {
                void vscode.commands.executeCommand("workbench.action.openSettings", "tile.server");
            }
        });
    }

    private onConfiguration(change: vscode.ConfigurationChangeEvent): void {
        if (change.affectsConfiguration("tile.server")) {
            void this.restart();
        } else if (change.affectsConfiguration("tile")) {
            void this.tellSettings();
        }
    }

    dispose(): void {
        void this.stop();
        this.disposables.forEach((it) => it.dispose());
    }
}
