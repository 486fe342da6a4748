// What a picture of a layout says: colours, words and neighbours of each element. Pure, so that it is
// tested without an editor.

import type { LayoutView } from "./types";

/** By what elements are told apart. */
export type Aspect = "thread" | "register" | "warp" | "bank" | "offset";

/** The aspects that a view has; the first is shown first. */
export function aspects(view: LayoutView): Aspect[] {
    return view.places.in === "registers" ? ["thread", "register", "warp"] : ["bank", "offset"];
}

/** The bank that serves the element at an offset, whose elements have `bits` bits. */
export function bank(offset: number, bits: number, banks: number): number {
    return Math.floor((offset * bits) / 32) % banks;
}

/** The number of an element's class under an aspect: elements of one class are drawn alike. */
export function classOf(view: LayoutView, aspect: Aspect, element: number): number {
    const { places } = view;
    if (places.in === "memory") {
        const offset = places.offsets[element] ?? 0;
        return aspect === "bank" ? bank(offset, view.bits, places.banks) : offset;
    }
    const [register, lane, warp] = places.owners[element] ?? [0, 0, 0];
    switch (aspect) {
        case "register":
            return register;
        case "warp":
            return warp;
        default:
            return warp * places.lanes + lane;
    }
}

/** How many classes an aspect has. */
export function classes(view: LayoutView, aspect: Aspect): number {
    const { places } = view;
    if (places.in === "memory") {
        return aspect === "bank" ? places.banks : Math.max(...places.offsets) + 1;
    }
    switch (aspect) {
        case "register":
            return places.registers;
        case "warp":
            return places.warps;
        default:
            return places.lanes * places.warps;
    }
}

/** Hue in degrees, saturation and lightness in percent. */
export type Colour = [hue: number, saturation: number, lightness: number];

/**
 * The colour of an element. Threads go round the wheel, lane by lane, and each warp is a shade of its
 * own; banks go round the wheel too, because after the last comes the first; what counts up goes from
 * blue to yellow.
 */
export function colour(view: LayoutView, aspect: Aspect, element: number, isDark: boolean): Colour {
    const n = classOf(view, aspect, element);
    const count = Math.max(1, classes(view, aspect));
    const [low, high] = isDark ? [30, 52] : [62, 84];
    if (aspect === "thread" && view.places.in === "registers") {
        const { lanes, warps } = view.places;
        const warp = Math.floor(n / lanes);
        const shade = warps === 1 ? 0.5 : warp / (warps - 1);
        return [wheel(n % lanes, lanes), isDark ? 48 : 62, low + (high - low) * shade];
    }
    if (aspect === "bank") {
        return [wheel(n, count), isDark ? 48 : 62, (low + high) / 2];
    }
    if (aspect === "warp") {
        return [wheel(n, Math.max(count, 2)), isDark ? 42 : 58, (low + high) / 2];
    }
    const part = count === 1 ? 0.5 : n / (count - 1);
    return [250 - 195 * part, isDark ? 45 : 65, low + (high - low) * part];
}

/** A place on the wheel. */
function wheel(n: number, count: number): number {
    return (210 + (360 * n) / count) % 360;
}

/** What is written into a cell, the shorter one if there is little room. */
export function label(view: LayoutView, aspect: Aspect, element: number): [long: string, short: string] {
    const { places } = view;
    if (places.in === "memory") {
        const offset = places.offsets[element] ?? 0;
        const n = aspect === "bank" ? bank(offset, view.bits, places.banks) : offset;
        return [String(n), String(n)];
    }
    const [register, lane, warp] = places.owners[element] ?? [0, 0, 0];
    const thread = warp * places.lanes + lane;
    switch (aspect) {
        case "register":
            return [`t${thread} r${register}`, `r${register}`];
        case "warp":
            return [`w${warp} l${lane}`, `w${warp}`];
        default:
            return [`t${thread} r${register}`, `t${thread}`];
    }
}

/** The index of an element. */
export function indexOf(shape: number[], element: number): number[] {
    const index = shape.map(() => 0);
    let rest = element;
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
        const extent = shape[axis] ?? 1;
        index[axis] = rest % extent;
        rest = Math.floor(rest / extent);
    }
    return index;
}

/** A sentence on an element. */
export function describe(view: LayoutView, element: number): string {
    const at = `[${indexOf(view.shape, element).join(", ")}]`;
    const { places } = view;
    if (places.in === "memory") {
        const offset = places.offsets[element] ?? 0;
        const byte = (offset * view.bits) / 8;
        return `${at} is at byte ${byte}, bank ${bank(offset, view.bits, places.banks)}`;
    }
    const [register, lane, warp] = places.owners[element] ?? [0, 0, 0];
    return `${at} is in register ${register} of thread ${warp * places.lanes + lane}: lane ${lane} of warp ${warp}`;
}

/** How a shape is laid on a sheet: rows and columns of the last two dimensions, and how many such sheets. */
export interface Sheet {
    rows: number;
    columns: number;
    sheets: number;
}

/** The most columns of a line of a tile of one dimension. */
const LINE_MAX = 64;

/** One dimension is broken into lines; of more than two, the last two are a sheet. */
export function sheet(shape: number[]): Sheet {
    const elements = shape.reduce((product, it) => product * it, 1);
    if (shape.length < 2) {
        const columns = Math.min(elements, LINE_MAX);
        return { rows: Math.ceil(elements / columns), columns, sheets: 1 };
    }
    const [rows = 1, columns = 1] = shape.slice(-2);
    return { rows, columns, sheets: elements / (rows * columns) };
}

/** How two layouts of one shape differ: the elements that move to another register, lane or warp. */
export function moves(from: LayoutView, to: LayoutView): { stay: number; withinThread: number; betweenThreads: number } | undefined {
    const [a, b] = [from.places, to.places];
    if (a.in !== "registers" || b.in !== "registers" || from.shape.join() !== to.shape.join()) {
        return undefined;
    }
    const counts = { stay: 0, withinThread: 0, betweenThreads: 0 };
    a.owners.forEach(([register, lane, warp], n) => {
        const other = b.owners[n];
        if (other === undefined || other[1] !== lane || other[2] !== warp) {
            counts.betweenThreads += 1;
        } else if (other[0] !== register) {
            counts.withinThread += 1;
        } else {
            counts.stay += 1;
        }
    });
    return counts;
}
