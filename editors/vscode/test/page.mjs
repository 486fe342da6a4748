// What a person sees: the workbench's page, driven by keys and pointer, with a picture of every view.

import assert from "node:assert/strict";
import path from "node:path";

const WAIT_MS = 30_000;
const PICK_MS = 4_000;
const PICKS_MAX = 5;

export class Page {
    constructor(page, pictures, theme) {
        this.page = page;
        this.pictures = pictures;
        this.theme = theme;
        page.setDefaultTimeout(WAIT_MS);
    }

    async picture(name) {
        await this.page.screenshot({ path: path.join(this.pictures, `${name}-${this.theme}.png`) });
    }

    /** Runs a command of the palette. A busy workbench loses keys, so it is asked again. */
    async command(title) {
        await this.pick(`>${title}`, title);
    }

    /** Types into the quick input and takes the row with this text. */
    async pick(text, row) {
        const widget = this.page.locator(".quick-input-widget");
        const found = widget.locator(".monaco-list-row", { hasText: row }).first();
        for (let attempt = 0; attempt < PICKS_MAX; attempt += 1) {
            try {
                await this.page.keyboard.press("F1");
                await widget.locator("input").first().fill(text, { timeout: PICK_MS });
                await found.waitFor({ timeout: PICK_MS });
                await this.page.keyboard.press("Enter");
                return;
            } catch (error) {
                if (attempt === PICKS_MAX - 1) throw error;
                await this.page.keyboard.press("Escape");
            }
        }
    }

    /** Closes what is open, so that no step sees what another left. */
    async clear() {
        await this.page.keyboard.press("Escape");
        await this.command("View: Close All Editors");
        await this.page.locator(".tab").waitFor({ state: "detached" });
    }

    async openFile(name) {
        await this.pick(name, name);
        await this.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
    }

    async goTo(line, column) {
        await this.pick(`:${line}:${column}`, "");
        await this.page.locator(".statusbar-item", { hasText: `Ln ${line}, Col ${column}` }).waitFor();
    }

    /** Goes to a place of a source that is open beside something else. */
    async goToSource(name, line, column) {
        await this.page.locator(`.tab[data-resource-name="${name}"]`).first().click();
        await this.goTo(line, column);
    }

    /** A line of the source with this text. */
    line(text) {
        return this.page.locator(".editor-instance .view-line", { hasText: text }).first();
    }

    word(line, text) {
        return this.line(line).locator("span:not(:has(span))", { hasText: new RegExp(`^\\s*${text}\\s*$`) }).first();
    }

    /** The page inside a webview. */
    webview() {
        return this.page.frameLocator("iframe.webview.ready").frameLocator("#active-frame");
    }
}

/** Colours, hints, lenses, and registers in the margin. */
export async function reading(it) {
    await it.line("kernel softmax").waitFor();
    await it.page.locator(".codelens-decoration", { hasText: "for sm_90a" }).first().waitFor();
    await it.page.locator(".view-line", { hasText: "f32[1024]" }).first().waitFor();
    const colour = (word) => word.evaluate((it) => getComputedStyle(it).color);
    const [keyword, name] = [await colour(it.word("kernel softmax", "kernel")), await colour(it.word("kernel softmax", "softmax"))];
    assert.notEqual(keyword, name, "a keyword and a name differ in colour");
    await it.page.waitForFunction(() => {
        const words = [...document.querySelectorAll(".view-line span")];
        return words.some((it) => getComputedStyle(it, "::after").content.includes("peak: about"));
    });
    await it.page.waitForTimeout(500);
    await it.picture("1-reading");
}

export async function hovering(it) {
    await it.openFile("softmax.tile");
    await it.page.locator(".codelens-decoration", { hasText: "for sm_90a" }).first().waitFor();
    await it.goTo(17, 9);
    await it.page.keyboard.press("Control+KeyK");
    await it.page.keyboard.press("Control+KeyI");
    const hover = it.page.locator(".monaco-hover:not(.hidden)", { hasText: "f32[1024]" }).first();
    await hover.waitFor();
    await it.page.waitForTimeout(300);
    await it.picture("2-hover");
    await it.page.keyboard.press("Escape");
}

export async function layouts(it) {
    await it.openFile("transpose.tile");
    await it.page.locator(".codelens-decoration", { hasText: "for sm_90a" }).first().waitFor();
    await it.goTo(15, 9);
    await it.command("Tile: Show Layout");
    const view = it.webview();
    await view.locator("canvas").waitFor();
    assert.match(await view.locator(".name").innerText(), /tile/);
    await view.locator("canvas").hover({ position: { x: 40, y: 30 } });
    assert.match(await view.locator(".told").innerText(), /is in register \d+ of thread \d+/);
    await it.picture("3-layout-threads");
    await view.locator("button", { hasText: "by register" }).click();
    await it.page.mouse.move(300, 700);
    await it.picture("4-layout-registers");
    await it.goToSource("transpose.tile", 17, 9);
    await view.locator(".name", { hasText: "s" }).waitFor();
    await view.locator("button", { hasText: "by bank" }).click();
    await view.locator("canvas").hover({ position: { x: 60, y: 40 } });
    assert.match(await view.locator(".told").innerText(), /bank \d+/);
    await it.picture("5-layout-banks");
}

export async function comparing(it) {
    await it.openFile("transpose.tile");
    await it.page.locator(".codelens-decoration", { hasText: "for sm_90a" }).first().waitFor();
    await it.goTo(33, 23);
    await it.command("Tile: Show Layout");
    const view = it.webview();
    await view.locator(".name", { hasText: "tile.t()" }).waitFor();
    await view.locator("button", { hasText: "Compare with" }).click();
    await it.goToSource("transpose.tile", 33, 9);
    await view.locator(".conversion", { hasText: "shared memory" }).waitFor();
    await view.locator("canvas").nth(1).hover({ position: { x: 90, y: 60 } });
    await it.picture("6-layout-compared");
}

export async function mistakes(it) {
    await it.openFile("mistakes.tile");
    await it.page.locator(".squiggly-error").first().waitFor();
    await it.goTo(13, 43);
    await it.page.keyboard.press("Control+KeyK");
    await it.page.keyboard.press("Control+KeyI");
    await it.page.locator(".monaco-hover:not(.hidden)", { hasText: "col" }).first().waitFor();
    await it.page.waitForTimeout(300);
    await it.picture("7-mistake");
    await it.page.keyboard.press("Escape");
    await it.page.keyboard.press("End");
    await it.page.keyboard.press("Enter");
    await it.page.keyboard.type("let w = v.");
    await it.page.locator(".suggest-widget.visible .monaco-list-row").first().waitFor();
    await it.page.waitForTimeout(300);
    await it.picture("8-completion");
    await it.page.keyboard.press("Escape");
    await it.command("File: Revert File");
}

/** A quick fix and a new name, as hands do it. */
export async function mending(it) {
    await it.openFile("mistakes.tile");
    await it.page.locator(".squiggly-error").first().waitFor();
    await it.goTo(13, 43);
    await it.page.keyboard.press("Control+Period");
    const fix = it.page.locator(".action-widget .monaco-list-row", { hasText: "cols" }).first();
    await fix.waitFor();
    await it.page.waitForTimeout(300);
    await it.picture("11-quick-fix");
    await fix.click();
    await it.line("mask: j < cols);").waitFor();
    await it.page.locator(".squiggly-error").first().waitFor({ state: "detached" });
    await it.goTo(12, 9);
    await it.page.keyboard.press("F2");
    const box = it.page.locator(".rename-box input");
    await box.waitFor();
    await box.fill("values");
    await it.picture("12-rename");
    await it.page.keyboard.press("Enter");
    await it.line("let values").waitFor();
    await it.line("k * values").waitFor();
    await it.command("File: Revert File");
}

/** Every step of the walkthrough has its page. */
export async function walking(it) {
    await it.command("Welcome: Open Walkthrough...");
    const row = it.page.locator(".quick-input-list .monaco-list-row", { hasText: "Tile: kernels that explain themselves" });
    await row.first().click();
    const steps = it.page.locator(".getting-started-step");
    await steps.first().waitFor();
    assert.equal(await steps.count(), 5);
    await it.page.waitForTimeout(1000);
    await it.picture("13-walkthrough");
}

export async function assembly(it) {
    await it.openFile("softmax.tile");
    await it.goTo(18, 13);
    await it.command("Tile: Show Assembly");
    await it.page.locator(".quick-input-list .monaco-list-row", { hasText: "PTX" }).first().click();
    // The lines of `exp` are far down; they are in view because the cursor is on its line.
    await it.page.locator(".view-line", { hasText: "ex2.approx" }).first().waitFor();
    await it.page.waitForTimeout(500);
    await it.picture("9-assembly");
}

export async function testing(it) {
    await it.openFile("softmax.tile");
    await it.command("Test: Run All Tests");
    await it.page.locator(".monaco-list-row", { hasText: "elements are not as expected" }).first().waitFor();
    await it.command("Testing: Focus on Test Explorer View");
    await it.page.locator(".test-explorer .monaco-list-row", { hasText: "softmax.tile" }).first().waitFor();
    await it.page.locator(".test-explorer .monaco-list-row", { hasText: "softmax.tile" }).first().click();
    await it.page.keyboard.press("ArrowRight");
    await it.page.locator(".test-explorer .monaco-list-row", { hasText: "rows sum to one" }).waitFor();
    await it.page.waitForTimeout(500);
    await it.picture("10-tests");
}
