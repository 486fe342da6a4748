// A real workbench without a screen: the server of code-server, an isolated home, and Chromium.
//
// Nothing outside this machine can be reached: the gallery is empty, and the browser resolves no names.

import { spawn } from "node:child_process";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { chromium } from "playwright-core";

const here = import.meta.dirname;
const START_MS = 60_000;

const settings = {
    "files.autoSave": "off",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": false,
    "security.workspace.trust.enabled": false,
    "telemetry.telemetryLevel": "off",
    "extensions.autoUpdate": false,
    "chat.disableAIFeatures": true,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "editor.minimap.enabled": false,
    "editor.fontSize": 13,
    "window.commandCenter": false,
    "workbench.layoutControl.enabled": false,
    "editor.hover.delay": 100,
    "files.simpleDialog.enable": true,
};

function freePort() {
    return new Promise((resolve, reject) => {
        const server = createServer();
        server.on("error", reject);
        server.listen(0, "127.0.0.1", () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

/** The browser that is installed. */
export const browser = process.env.CHROMIUM ?? "/usr/bin/chromium";

export class Workbench {
    /** Makes a home below `folder`; `programs` is where the server and the compiler are. */
    constructor(folder, programs) {
        this.folder = folder;
        this.programs = programs;
        this.workspace = path.join(folder, "workspace");
        this.outcome = path.join(folder, "outcome.json");
        const code = path.join(here, "node_modules", "code-server", "lib", "vscode");
        this.command = [path.join(code, "out", "server-main.js"), "--accept-server-license-terms"];
        for (const name of ["server-data", "user-data", "extensions"]) {
            this.command.push(`--${name}-dir`, path.join(folder, name));
        }
        this.env = {
            PATH: process.env.PATH,
            HOME: folder,
            LANG: "C.UTF-8",
            EXTENSIONS_GALLERY: "{}",
            TILE_TEST_OUTCOME: this.outcome,
        };
    }

    /** Writes the settings and a fresh copy of the workspace. */
    async prepare(theme) {
        await rm(this.workspace, { recursive: true, force: true });
        await cp(path.join(here, "workspace"), this.workspace, { recursive: true });
        const user = path.join(this.folder, "user-data", "User");
        const machine = path.join(this.folder, "user-data", "Machine");
        const text = JSON.stringify({
            ...settings,
            "workbench.colorTheme": theme,
            "tile.server.path": path.join(this.programs, "tile-lsp"),
            "tile.compiler": path.join(this.programs, "tilec"),
        });
        for (const at of [user, machine]) {
            await mkdir(at, { recursive: true });
            await writeFile(path.join(at, "settings.json"), text);
        }
    }

    /** Installs an extension from its package. */
    async install(vsix) {
        const code = await this.run(["--install-extension", vsix, "--force"]);
        if (code !== 0) throw new Error(`the extension cannot be installed: ${this.log}`);
    }

    run(args) {
        const child = this.start(args);
        return new Promise((resolve) => child.on("close", resolve));
    }

    start(args) {
        this.log = "";
        const child = spawn(process.execPath, [...this.command, ...args], { env: this.env, detached: true });
        const keep = (text) => (this.log += text);
        child.stdout.on("data", keep);
        child.stderr.on("data", keep);
        return child;
    }

    /** Starts server and browser. */
    async open() {
        const port = await freePort();
        const options = ["--host", "127.0.0.1", "--port", String(port), "--without-connection-token", "--enable-smoke-test-driver", "--telemetry-level", "off"];
        this.server = this.start(options);
        this.host = `127.0.0.1:${port}`;
        const end = Date.now() + START_MS;
        while (!(await fetch(`http://${this.host}/version`).then((it) => it.ok, () => false))) {
            if (Date.now() > end || this.server.exitCode !== null) throw new Error(`the workbench does not start: ${this.log}`);
            await new Promise((resume) => setTimeout(resume, 100));
        }
        this.browser = await chromium.launch({
            executablePath: browser,
            args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost"],
        });
    }

    /** A page with what `payload` says. */
    async page(payload, viewport = { width: 1440, height: 900 }) {
        const page = await this.browser.newPage({ viewport, deviceScaleFactor: 1 });
        const query = new URLSearchParams({ folder: this.workspace, payload: JSON.stringify(payload) });
        await page.goto(`http://${this.host}/?${query}`);
        return page;
    }

    remote(file) {
        return `vscode-remote://${this.host}${file}`;
    }

    async close() {
        await this.browser?.close();
        if (this.server?.pid !== undefined && this.server.exitCode === null) {
            process.kill(-this.server.pid, "SIGTERM");
        }
    }
}
