// Which target and instance the user sees, and the status bar that says so. What is chosen here lasts in
// this workspace and goes before the settings.

import * as vscode from "vscode";
import { ask } from "./programs";
import { setting } from "./settings";

const KEY = "choice";

interface Chosen {
    target?: string;
    instances: Record<string, string>;
}

interface TargetRow {
    name: string;
    [fact: string]: unknown;
}

/** The choice, kept in the workspace's state. */
export class Choice {
    private readonly changed = new vscode.EventEmitter<void>();
    readonly onChange = this.changed.event;

    constructor(private readonly context: vscode.ExtensionContext) {}

    /** The target that is shown. */
    get target(): string {
        return this.chosen.target ?? (setting("target") || (setting("targets")[0] ?? "sm_90a"));
    }

    /** What goes before the settings of the same names. */
    forServer(): Record<string, unknown> {
        return { target: this.target, instances: this.instances };
    }

    private get instances(): Record<string, string> {
        return { ...setting("instances"), ...this.chosen.instances };
    }

    private get chosen(): Chosen {
        return this.context.workspaceState.get<Chosen>(KEY) ?? { instances: {} };
    }

    private async keep(chosen: Chosen): Promise<void> {
        await this.context.workspaceState.update(KEY, chosen);
        this.changed.fire();
    }

    /** Lets the user choose the target. */
    async chooseTarget(): Promise<void> {
        const names = await this.targets();
        const picked = await vscode.window.showQuickPick(
            names.map((label) => ({ label, description: label === this.target ? "shown" : "" })),
            { placeHolder: "Target whose layouts, costs and code are shown" },
        );
        if (picked !== undefined) {
            await this.keep({ ...this.chosen, target: picked.label });
        }
    }

    /** Lets the user choose the instance of a kernel. */
    async chooseInstance(kernel: string, instances: string[]): Promise<void> {
        const target = { label: `$(circuit-board) ${this.target}`, description: "choose another target" };
        const items = instances.map((label, n) => ({ label, description: n === 0 ? "shown" : "" }));
        const picked = await vscode.window.showQuickPick([...items, target], {
            placeHolder: `Instance of \`${kernel}\` that is shown`,
        });
        if (picked === target) {
            await this.chooseTarget();
        } else if (picked !== undefined) {
            const chosen = this.chosen;
            await this.keep({ ...chosen, instances: { ...chosen.instances, [kernel]: picked.label } });
        }
    }

    /** All targets as the compiler lists them; without one, those of the settings. */
    private async targets(): Promise<string[]> {
        try {
            const answer = await ask(this.context, ["targets", "--format", "json"]);
            const rows = JSON.parse(answer.stdout) as TargetRow[] | { targets: TargetRow[] };
            return (Array.isArray(rows) ? rows : rows.targets).map((it) => it.name);
        } catch {
            return setting("targets");
        }
    }
}

/** What the status bar says of the server. */
export function status(choice: Choice, isRunning: () => boolean): { item: vscode.StatusBarItem; show: () => void } {
    const item = vscode.window.createStatusBarItem("tile.status", vscode.StatusBarAlignment.Right, 100);
    item.name = "Tile";
    const show = () => {
        if (!vscode.window.visibleTextEditors.some((it) => it.document.languageId === "tile")) {
            item.hide();
            return;
        }
        item.text = isRunning() ? `$(circuit-board) ${choice.target}` : "$(circle-slash) Tile";
        item.command = isRunning() ? "tile.choose" : "tile.restartServer";
        item.tooltip = isRunning()
            ? new vscode.MarkdownString(`Layouts, costs and code are shown for \`${choice.target}\`.\n\nClick to choose another target.`)
            : "The Tile language server does not run. Click to start it.";
        item.show();
    };
    return { item, show };
}
