// What server, extension and panel say to each other about layouts.

/** A map as its bases: for each input the images of its bits, lowest first. */
export interface LayoutMap {
    shape: number[];
    inputs: [input: string, bases: number[][]][];
}

/** Where elements are, the last dimension fastest. */
export type Places =
    | { in: "registers"; map: LayoutMap; registers: number; lanes: number; warps: number; owners: [register: number, lane: number, warp: number][] }
    | { in: "memory"; offsets: number[]; banks: number };

/** The answer to `tile/layout`: a tile in registers, or a view of shared memory. */
export interface LayoutView {
    name: string;
    elements: string;
    layout: string;
    summary: string;
    target: string;
    bits: number;
    shape: number[];
    places: Places;
}

/** The answer to `tile/conversion`. */
export interface Conversion {
    class: "nothing" | "registers" | "shuffles" | "shared";
    text: string;
}

/** Asks what it costs to get from one layout to another; `id` comes back with the answer. */
export interface ConversionQuestion {
    kind: "conversion";
    id: number;
    from: LayoutMap;
    to: LayoutMap;
    bits: number;
}

export type ToPanel =
    | { kind: "show"; view: LayoutView }
    | { kind: "nothing" }
    | { kind: "conversion"; id: number; answer: Conversion | { error: string } };

export type FromPanel = { kind: "ready" } | ConversionQuestion;
