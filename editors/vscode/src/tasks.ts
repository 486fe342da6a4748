// Tasks: `tilec check`, `build`, `test` and `report` over the workspace, with their findings as problems.

import * as vscode from "vscode";
import { findCompiler } from "./programs";

interface TileTask extends vscode.TaskDefinition {
    command: string;
    path?: string;
    target?: string;
    filter?: string;
}

const usual = ["check", "build", "test", "report"];

/** Offers the usual tasks, and completes those of a `tasks.json`. */
export function tasks(context: vscode.ExtensionContext): vscode.TaskProvider {
    return {
        provideTasks: () => {
            const folders = vscode.workspace.workspaceFolders ?? [];
            return folders.flatMap((folder) => usual.map((command) => task(context, { type: "tile", command }, folder)));
        },
        resolveTask: (it) => task(context, it.definition as TileTask, scopeOf(it)),
    };
}

function task(
    context: vscode.ExtensionContext,
    definition: TileTask,
    scope: vscode.WorkspaceFolder | vscode.TaskScope.Workspace,
): vscode.Task {
    const targets = definition.target === undefined ? [] : ["--target", definition.target];
    const filter = definition.filter === undefined ? [] : ["--filter", definition.filter];
    const args = ["--color", "never", definition.command, definition.path ?? ".", ...targets, ...filter];
    const run = new vscode.ProcessExecution(findCompiler(context) ?? "tilec", args);
    const made = new vscode.Task(definition, scope, definition.command, "tile", run, "$tilec");
    const groups: Record<string, vscode.TaskGroup> = { build: vscode.TaskGroup.Build, test: vscode.TaskGroup.Test };
    const group = groups[definition.command];
    if (group !== undefined) {
        made.group = group;
    }
    return made;
}

function scopeOf(task: vscode.Task): vscode.WorkspaceFolder | vscode.TaskScope.Workspace {
    return typeof task.scope === "object" ? task.scope : vscode.TaskScope.Workspace;
}

/** Runs one command on one file as a task, as a lens asks. */
export async function runTask(
    context: vscode.ExtensionContext,
    file: vscode.Uri,
    what: { command: string; target?: string; filter?: string },
): Promise<void> {
    const definition: TileTask = { type: "tile", path: file.fsPath, ...what };
    const folder = vscode.workspace.getWorkspaceFolder(file) ?? vscode.TaskScope.Workspace;
    await vscode.tasks.executeTask(task(context, definition, folder));
}
