// The extension's life: its parts are made here and told of each other.

import * as vscode from "vscode";
import { Choice, status } from "./choice";
import { Code, type CodeKey } from "./code";
import { LayoutPanel } from "./layout/panel";
import { PressureMargin } from "./pressure";
import { Server } from "./server";
import { runTask, tasks } from "./tasks";
import { Testing } from "./testing";

export async function activate(context: vscode.ExtensionContext): Promise<void> {
    const choice = new Choice(context);
    const server = new Server(context, () => choice.forServer());
    const { item, show } = status(choice, () => server.isRunning);
    const code = new Code(server);
    const layouts = new LayoutPanel(context, server);
    const pressure = new PressureMargin(server);
    const testing = new Testing(context, () => choice.target);

    context.subscriptions.push(
        server,
        item,
        code,
        layouts,
        pressure,
        testing,
        choice.onChange(() => void server.tellSettings()),
        server.onChange(show),
        vscode.window.onDidChangeVisibleTextEditors(show),
        vscode.tasks.registerTaskProvider("tile", tasks(context)),
        ...Object.entries({
            showLayout: () => withEditor((it) => layouts.show(it)),
            showCode: () => withEditor((it) => code.choose(it.document.uri, it.selection.active)),
            choose: () => choice.chooseTarget(),
            togglePressure: () => pressure.toggle(),
            restartServer: () => server.restart(),
            showServerLog: () => server.log.show(),
            chooseInstance: (it: { kernel: string; instances: string[] }) => choice.chooseInstance(it.kernel, it.instances),
            openCode: (it: CodeKey) => code.open(it),
            runTest: (it: { uri: string; title: string }) => testing.runOne(it.uri, it.title),
            runBench: (it: { uri: string; title: string }) => runTask(context, vscode.Uri.parse(it.uri), { command: "bench", filter: it.title, target: choice.target }),
            build: (it: { uri: string; targets: string[] }) => {
                const target = it.targets.length === 0 ? {} : { target: it.targets.join(",") };
                return runTask(context, vscode.Uri.parse(it.uri), { command: "build", ...target });
            },
        }).map(([name, run]) => vscode.commands.registerCommand(`tile.${name}`, guarded(run))),
    );
    show();
    await server.start();
}

/** Shows what went wrong in a command, in its own words. */
function guarded(run: (argument: never) => unknown): (argument: unknown) => Promise<void> {
    return async (argument) => {
        try {
            // A lens sends what its command takes, and the palette offers only commands that take nothing.
            await run(argument as never);
        } catch (error) {
            void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
        }
    };
}

async function withEditor(act: (editor: vscode.TextEditor) => Promise<void>): Promise<void> {
    const { activeTextEditor } = vscode.window;
    if (activeTextEditor?.document.languageId === "tile") {
        await act(activeTextEditor);
    }
}
