// The panel's model: pure functions, run by `node --test`.

import * as assert from "node:assert/strict";
import { test } from "node:test";
import { aspects, bank, classOf, classes, describe, indexOf, label, moves, sheet } from "../../src/layout/model";
import type { LayoutView } from "../../src/layout/types";
import { declaredTests } from "../../src/declared";

function registers(owners: [number, number, number][], shape: number[]): LayoutView {
    const map = { shape, inputs: [] };
    const places = { in: "registers", map, registers: 2, lanes: 2, warps: 2, owners } as const;
    return { name: "v", elements: "f32", layout: "", summary: "", target: "sm_90a", bits: 32, shape, places };
}

const view = registers([[0, 0, 0], [1, 0, 0], [0, 1, 1], [1, 1, 1]], [2, 2]);

test("threads count through warps", () => {
    assert.deepEqual([0, 1, 2, 3].map((it) => classOf(view, "thread", it)), [0, 0, 3, 3]);
    assert.equal(classes(view, "thread"), 4);
    assert.deepEqual(label(view, "thread", 3), ["t3 r1", "t3"]);
    assert.equal(describe(view, 2), "[1, 0] is in register 0 of thread 3: lane 1 of warp 1");
});

test("banks are words of four bytes", () => {
    assert.deepEqual([0, 1, 2, 63, 64].map((it) => bank(it, 16, 32)), [0, 0, 1, 31, 0]);
    const places = { in: "memory", offsets: [0, 33], banks: 32 } as const;
    const memory: LayoutView = { ...view, places: { ...places, offsets: [...places.offsets] } };
    assert.deepEqual(aspects(memory), ["bank", "offset"]);
    assert.equal(describe(memory, 1), "[0, 1] is at byte 132, bank 1");
});

test("an index is that of its element, the last dimension fastest", () => {
    assert.deepEqual(indexOf([2, 3, 4], 23), [1, 2, 3]);
    assert.deepEqual(sheet([2, 3, 4]), { rows: 3, columns: 4, sheets: 2 });
    assert.deepEqual(sheet([1000]), { rows: 16, columns: 64, sheets: 1 });
    assert.deepEqual(sheet([]), { rows: 1, columns: 1, sheets: 1 });
});

test("elements stay, move within a thread, or go to another", () => {
    const other = registers([[0, 0, 0], [0, 0, 0], [0, 0, 0], [1, 1, 1]], [2, 2]);
    assert.deepEqual(moves(view, other), { stay: 2, withinThread: 1, betweenThreads: 1 });
    assert.equal(moves(view, registers([], [4])), undefined);
});

test("tests are found at the beginning of lines", () => {
    const text = '// test "no"\ntest "yes" {\n}\n    test "no"\ntest   "with \\"quotes\\"" on sim {\n';
    assert.deepEqual(declaredTests(text), [
        { title: "yes", line: 1 },
        { title: 'with \\"quotes\\"', line: 4 },
    ]);
});
