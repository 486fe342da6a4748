// Where the tests of a text are, for files that no server has read.

/** A declaration of a test: its title and the line of it. */
export interface Declared {
    title: string;
    line: number;
}

/** The tests of a text. An item stands at the beginning of a line, so a comment is none. */
export function declaredTests(text: string): Declared[] {
    const found = text.split(/\r?\n/).map((it, line) => ({ title: /^test\s+"((?:[^"\\]|\\.)*)"/.exec(it)?.[1], line }));
    return found.flatMap(({ title, line }) => (title === undefined ? [] : [{ title, line }]));
}
