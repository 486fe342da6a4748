// The extension in a real workbench: its interface inside the extension host, then the page in both
// themes. Pictures go to target/editors/vscode.

import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Page, assembly, comparing, hovering, layouts, mending, mistakes, reading, testing, walking } from "./page.mjs";
import { Workbench } from "./workbench.mjs";

const root = path.resolve(import.meta.dirname, "..");
const programs = path.resolve(process.argv[2] ?? path.join(root, "..", "..", "target", "debug"));
const pictures = path.join(root, "..", "..", "target", "editors", "vscode");
const HOST_MS = 90_000;
const themes = { dark: "Default Dark Modern", light: "Default Light Modern" };

const folder = await mkdtemp(path.join(tmpdir(), "tile-vscode-"));
await mkdir(pictures, { recursive: true });
const workbench = new Workbench(folder, programs);
const failed = [];

function tell(name, error) {
    console.log(`${error === undefined ? "ok  " : "FAIL"} ${name}${error === undefined ? "" : `\n${error}`}`);
    if (error !== undefined) failed.push(name);
}

async function inHost() {
    const payload = [
        ["extensionDevelopmentPath", workbench.remote(root)],
        ["extensionTestsPath", workbench.remote(path.join(root, "dist-test", "index.js"))],
    ];
    const page = await workbench.page(payload);
    const end = Date.now() + HOST_MS;
    let outcome;
    while (outcome === undefined) {
        outcome = await readFile(workbench.outcome, "utf8").then(JSON.parse, () => undefined);
        if (outcome === undefined && Date.now() > end) {
            await page.screenshot({ path: path.join(pictures, "0-host.png") });
            throw new Error("the tests inside the extension host gave no outcome");
        }
        await new Promise((resume) => setTimeout(resume, 200));
    }
    await page.close();
    for (const [name, result] of Object.entries(outcome)) {
        tell(name, result === "passed" ? undefined : result);
    }
}

async function onPage(theme) {
    await workbench.prepare(themes[theme]);
    const file = path.join(workbench.workspace, "softmax.tile");
    const page = await workbench.page([["openFile", workbench.remote(file)]]);
    const it = new Page(page, pictures, theme);
    for (const step of [reading, hovering, layouts, comparing, mistakes, mending, walking, assembly, testing]) {
        try {
            await step(it);
            tell(`${step.name}, ${theme}`);
        } catch (error) {
            await it.picture(`failed-${step.name}`);
            tell(`${step.name}, ${theme}`, error.stack);
        }
        await it.clear();
    }
    await page.close();
}

try {
    await workbench.prepare(themes.dark);
    await workbench.install(path.join(root, "tile.vsix"));
    await workbench.open();
    const only = process.argv[3];
    if (only === undefined || only === "host") await inHost();
    for (const theme of Object.keys(themes)) {
        if (only === undefined || only === theme) await onPage(theme);
    }
} finally {
    await workbench.close();
    await rm(folder, { recursive: true, force: true });
}
process.exit(failed.length === 0 ? 0 : 1);
