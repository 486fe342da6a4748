// Settings, read by the names and types of their one table.

import * as vscode from "vscode";
import type { settings, SettingName } from "./contributions";

type Widened<T> = T extends boolean ? boolean : T extends string ? string : T extends readonly unknown[] ? string[] : Record<string, string>;

/** The value of `tile.<name>`. */
export function setting<N extends SettingName>(name: N): Widened<(typeof settings)[N]["default"]> {
    const value = vscode.workspace.getConfiguration("tile").get<Widened<(typeof settings)[N]["default"]>>(name);
    if (value === undefined) {
        throw new Error(`tile.${name} is in the manifest, so it has a default`);
    }
    return value;
}

/** What of the settings the server reads. */
export function forServer(): Record<string, unknown> {
    return {
        targets: setting("targets"),
        target: setting("target"),
        instances: setting("instances"),
        compiler: setting("compiler"),
        hints: {
            types: setting("hints.types"),
            constants: setting("hints.constants"),
            bytes: setting("hints.bytes"),
            costs: setting("hints.costs"),
        },
    };
}
