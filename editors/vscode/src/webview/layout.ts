// The layout panel's page: draws one layout or two beside each other, tells what the pointer is at, and
// what it costs to get from the first to the second.

import { aspects, classOf, colour, describe, label, moves, sheet, type Aspect } from "../layout/model";
import type { Conversion, FromPanel, LayoutView, ToPanel } from "../layout/types";

declare function acquireVsCodeApi(): { postMessage(message: FromPanel): void };

const editor = acquireVsCodeApi();
const root = document.getElementById("root") ?? document.body;

const CELL_MIN = 5;
const CELL_MAX = 34;
/** Room for the indices of rows and columns. */
const LEFT = 30;
const TOP = 18;
/** From this width on two drawings stand beside each other. */
const BESIDE_FROM = 760;
/** Room for what stands above and below the drawings. */
const HEAD = 300;
/** The least distance between two of those. */
const INDEX_GAP = 26;
/** From this width on a cell has a short label, from the next on a long one. */
const SHORT_FROM = 22;
const LONG_FROM = 44;

interface State {
    shown: LayoutView | undefined;
    kept: LayoutView | undefined;
    aspect: Aspect;
    sheet: number;
    /** The element under the pointer, of the view of that number. */
    pointed: { view: number; element: number } | undefined;
    conversion: Conversion | { error: string } | undefined;
    question: number;
}

const state: State = {
    shown: undefined,
    kept: undefined,
    aspect: "thread",
    sheet: 0,
    pointed: undefined,
    conversion: undefined,
    question: 0,
};

function isDark(): boolean {
    return document.body.classList.contains("vscode-dark") || document.body.matches(".vscode-high-contrast:not(.vscode-high-contrast-light)");
}

/** A property of the editor's theme. */
function style(name: string): string {
    return getComputedStyle(document.body).getPropertyValue(name) || "gray";
}

/** Every how many rows or columns an index stands: a power of two that leaves room. */
function every(size: number): number {
    return 2 ** Math.max(0, Math.ceil(Math.log2(INDEX_GAP / size)));
}

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
    const made = document.createElement(tag);
    made.className = className;
    made.append(...children);
    return made;
}

function button(text: string, isPressed: boolean | undefined, act: () => void): HTMLButtonElement {
    const made = element("button", isPressed === undefined ? "alone" : "", text);
    if (isPressed !== undefined) made.setAttribute("aria-pressed", String(isPressed));
    made.addEventListener("click", act);
    return made;
}

function views(): LayoutView[] {
    return [state.kept, state.shown].filter((it) => it !== undefined);
}

/** The aspect of a view: the chosen one if it has it. */
function aspectOf(view: LayoutView): Aspect {
    const all = aspects(view);
    return all.includes(state.aspect) ? state.aspect : (all[0] ?? "thread");
}

function render(): void {
    const all = views();
    if (all.length === 0) {
        root.replaceChildren(element("p", "empty", "Put the cursor on a tile or on a view of shared memory: its layout is drawn here."));
        return;
    }
    const told = element("p", "told");
    const drawings = all.map((view, n) => new Drawing(view, n, all.length, told));
    const figures = element("div", "views", ...drawings.map((it) => it.figure));
    root.replaceChildren(toolbar(all), ...conversion(), figures, told);
    drawings.forEach((it) => it.fit());
    redraw = () => drawings.forEach((it) => it.draw());
    redraw();
}

let redraw = (): void => undefined;

function toolbar(all: LayoutView[]): HTMLElement {
    const names = [...new Set(all.flatMap(aspects))];
    const shown = all[all.length - 1];
    const current = shown === undefined ? state.aspect : aspectOf(shown);
    const choose = (aspect: Aspect) => () => {
        state.aspect = aspect;
        render();
    };
    const group = element("span", "aspects", ...names.map((it) => button(`by ${it}`, it === current, choose(it))));
    const bar = element("header", "", group, comparison());
    const sheets = Math.max(...all.map((it) => sheet(it.shape).sheets));
    if (sheets > 1) {
        bar.append(slider(sheets));
    }
    return bar;
}

function comparison(): HTMLButtonElement {
    if (state.kept !== undefined) {
        return button("Stop comparing", undefined, () => {
            state.kept = undefined;
            state.conversion = undefined;
            render();
        });
    }
    return button("Compare with …", undefined, () => {
        state.kept = state.shown;
        ask();
        render();
    });
}

function slider(sheets: number): HTMLElement {
    const input = element("input", "");
    Object.assign(input, { type: "range", min: "0", max: String(sheets - 1), value: String(Math.min(state.sheet, sheets - 1)) });
    const text = element("span", "", ` sheet ${state.sheet} of ${sheets}`);
    input.addEventListener("input", () => {
        state.sheet = Number(input.value);
        text.textContent = ` sheet ${state.sheet} of ${sheets}`;
        redraw();
    });
    return element("label", "sheets", input, text);
}

function conversion(): HTMLElement[] {
    const { kept, shown, conversion: found } = state;
    if (kept === undefined || shown === undefined || found === undefined) {
        return [];
    }
    if ("error" in found) {
        return [element("aside", "conversion refused", found.error)];
    }
    const counts = moves(kept, shown);
    const words =
        counts === undefined
            ? ""
            : ` ${counts.stay} elements stay, ${counts.withinThread} move within their thread, ${counts.betweenThreads} to another thread.`;
    const head = element("b", "", `${kept.name} → ${shown.name}: `);
    return [element("aside", `conversion ${found.class}`, head, `${found.text}.`, element("span", "counts", words))];
}

function ask(): void {
    const { kept, shown } = state;
    state.conversion = undefined;
    if (kept === undefined || shown === undefined) {
        return;
    }
    if (kept.places.in !== "registers" || shown.places.in !== "registers") {
        state.conversion = { error: "Between registers and shared memory a tile is loaded and stored: hover over the access for its cost." };
        return;
    }
    state.question += 1;
    editor.postMessage({ kind: "conversion", id: state.question, from: kept.places.map, to: shown.places.map, bits: shown.bits });
}

/** One layout on a canvas. */
class Drawing {
    readonly figure: HTMLElement;
    private readonly canvas = element("canvas", "");
    private readonly scroller: HTMLElement;
    private cell = CELL_MAX;
    private height = CELL_MAX;

    constructor(
        private readonly view: LayoutView,
        private readonly n: number,
        private readonly of: number,
        private readonly told: HTMLElement,
    ) {
        const { name, elements, layout, summary, target } = view;
        const caption = element(
            "figcaption",
            "",
            element("span", "name", name),
            element("span", "elements", `  ${elements}`),
            element("div", "layout", layout === "" ? "" : `@ ${layout}`),
            element("div", "summary", `${summary} (${target})`),
        );
        this.scroller = element("div", "scroller", this.canvas);
        this.figure = element("figure", "", caption, this.scroller);
        this.canvas.addEventListener("pointermove", (it) => this.point(it));
        this.canvas.addEventListener("pointerleave", () => this.leave());
    }

    /** Chooses the size of cells by the room that there is. */
    fit(): void {
        const { rows, columns } = sheet(this.view.shape);
        // Two stand beside each other where there is room for both, else below each other.
        const beside = root.clientWidth < BESIDE_FROM ? 1 : this.of;
        const room = root.clientWidth / beside - (beside - 1) * 28 - LEFT;
        const wide = Math.floor(room / columns);
        this.cell = Math.max(CELL_MIN, Math.min(LONG_FROM + 14, wide));
        const below = this.of > 1 && beside === 1 ? this.of : 1;
        const high = Math.floor((window.innerHeight - HEAD) / below / rows);
        this.height = Math.max(CELL_MIN, Math.min(this.cell, CELL_MAX, high));
        const scale = window.devicePixelRatio;
        const [width, height] = [LEFT + columns * this.cell + 1, TOP + rows * this.height + 1];
        Object.assign(this.canvas, { width: width * scale, height: height * scale });
        this.canvas.style.width = `${width}px`;
        this.canvas.style.height = `${height}px`;
    }

    draw(): void {
        const context = this.canvas.getContext("2d");
        if (context === null) {
            return;
        }
        const { rows, columns } = sheet(this.view.shape);
        const scale = window.devicePixelRatio;
        context.setTransform(scale, 0, 0, scale, 0, 0);
        context.clearRect(0, 0, this.canvas.width, this.canvas.height);
        this.drawIndices(context, rows, columns);
        context.setTransform(scale, 0, 0, scale, LEFT * scale, TOP * scale);
        for (let row = 0; row < rows; row += 1) {
            for (let column = 0; column < columns; column += 1) {
                this.drawCell(context, row, column);
            }
        }
        context.globalAlpha = 1;
        this.drawPointed(context);
    }

    private drawIndices(context: CanvasRenderingContext2D, rows: number, columns: number): void {
        context.font = `10px ${style("--vscode-editor-font-family")}`;
        context.fillStyle = style("--vscode-editorLineNumber-foreground");
        context.textBaseline = "middle";
        context.textAlign = "center";
        for (let column = 0; column < columns; column += every(this.cell)) {
            context.fillText(String(column), LEFT + (column + 0.5) * this.cell, TOP / 2);
        }
        context.textAlign = "right";
        const perRow = this.view.shape.length < 2 ? columns : 1;
        for (let row = 0; row < rows; row += every(this.height)) {
            context.fillText(String(row * perRow), LEFT - 6, TOP + (row + 0.5) * this.height);
        }
    }

    /** A cell touches those of its own class and keeps a distance from others, so that blocks show. */
    private drawCell(context: CanvasRenderingContext2D, row: number, column: number): void {
        const { view, cell, height } = this;
        const at = this.element(row, column);
        if (at === undefined) {
            return;
        }
        const aspect = aspectOf(view);
        const own = classOf(view, aspect, at);
        const isOther = (it: number | undefined) => it === undefined || classOf(view, aspect, it) !== own;
        const right = isOther(this.element(row, column + 1)) ? 1 : 0;
        const below = isOther(this.element(row + 1, column)) ? 1 : 0;
        const dark = isDark();
        const [hue, saturation, lightness] = colour(view, aspect, at, dark);
        const chosen = this.chosenClass(aspect);
        context.globalAlpha = chosen === undefined || chosen === own ? 1 : 0.25;
        context.fillStyle = `hsl(${hue} ${saturation}% ${lightness}%)`;
        context.fillRect(column * cell, row * height, cell - right, height - below);
        if (cell >= SHORT_FROM && height >= 12) {
            const text = label(view, aspect, at)[cell >= LONG_FROM ? 0 : 1];
            const size = Math.min(11, Math.floor(((cell - 4) / Math.max(text.length, 2)) * 1.6), height - 4);
            context.font = `${size}px ${style("--vscode-editor-font-family")}`;
            context.textAlign = "center";
            context.textBaseline = "middle";
            context.fillStyle = dark ? "rgba(255,255,255,0.92)" : "rgba(0,0,0,0.82)";
            context.fillText(text, (column + 0.5) * cell, (row + 0.5) * height + 0.5);
        }
    }

    private drawPointed(context: CanvasRenderingContext2D): void {
        const { pointed } = state;
        if (pointed === undefined) {
            return;
        }
        const { columns, rows } = sheet(this.view.shape);
        const within = pointed.element - state.sheet * (this.view.shape.length > 2 ? rows * columns : 0);
        const isSame = pointed.view === this.n || views()[pointed.view]?.shape.join() === this.view.shape.join();
        if (!isSame || within < 0 || within >= rows * columns) {
            return;
        }
        const [row, column] = [Math.floor(within / columns), within % columns];
        context.strokeStyle = style("--vscode-foreground");
        context.lineWidth = 2;
        context.strokeRect(column * this.cell + 1, row * this.height + 1, this.cell - 1, this.height - 1);
    }

    /** The class of the element under the pointer, in this view. */
    private chosenClass(aspect: Aspect): number | undefined {
        return state.pointed?.view === this.n ? classOf(this.view, aspect, state.pointed.element) : undefined;
    }

    private element(row: number, column: number): number | undefined {
        const { rows, columns, sheets } = sheet(this.view.shape);
        if (row < 0 || row >= rows || column < 0 || column >= columns) {
            return undefined;
        }
        const first = Math.min(state.sheet, sheets - 1) * rows * columns;
        const at = first + row * columns + column;
        const count = this.view.shape.reduce((product, it) => product * it, 1);
        return at < count ? at : undefined;
    }

    private point(event: PointerEvent): void {
        const at = this.element(Math.floor((event.offsetY - TOP) / this.height), Math.floor((event.offsetX - LEFT) / this.cell));
        if (at === undefined || (at === state.pointed?.element && state.pointed.view === this.n)) {
            return;
        }
        state.pointed = { view: this.n, element: at };
        const all = views();
        const same = all.filter((it) => it.shape.join() === this.view.shape.join());
        const texts = (same.length > 1 ? same : [this.view]).map((it) => (all.length > 1 ? `${it.name}${describe(it, at)}` : describe(it, at)));
        this.told.textContent = texts.join(" · ");
        redraw();
    }

    private leave(): void {
        state.pointed = undefined;
        this.told.textContent = "";
        redraw();
    }
}

window.addEventListener("message", (event: MessageEvent<ToPanel>) => {
    const message = event.data;
    switch (message.kind) {
        case "show":
            state.shown = message.view;
            state.pointed = undefined;
            state.sheet = 0;
            ask();
            render();
            break;
        case "nothing":
            state.shown = undefined;
            render();
            break;
        case "conversion":
            if (message.id === state.question) {
                state.conversion = message.answer;
                render();
            }
            break;
    }
});
window.addEventListener("resize", render);
new MutationObserver(() => redraw()).observe(document.body, { attributes: true, attributeFilter: ["class"] });

render();
editor.postMessage({ kind: "ready" });
