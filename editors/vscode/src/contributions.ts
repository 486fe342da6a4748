// What the extension adds to the editor: settings, commands, menus and the rest of the manifest's
// `contributes`. `npm run manifest` writes it into package.json; nothing there is edited by hand.
//
// The names of settings under `tile` that the server reads (`targets`, `target`, `instances`, `compiler`, `hints`)
// are those of `lsp/src/server/settings.rs`.

interface Setting {
    type: string;
    default: unknown;
    markdownDescription: string;
    items?: { type: string };
    additionalProperties?: { type: string };
    scope?: string;
}

/** The settings, by their names below `tile.`. */
export const settings = {
    "server.path": {
        type: "string",
        default: "",
        scope: "machine-overridable",
        markdownDescription:
            "The language server, `tile-lsp` or `tilec`. If empty: the one in the extension, then the one in `PATH`.",
    },
    compiler: {
        type: "string",
        default: "",
        scope: "machine-overridable",
        markdownDescription:
            "The compiler `tilec`, which runs tests and shows assembly. If empty: the one beside the server, then the one in `PATH`.",
    },
    targets: {
        type: "array",
        items: { type: "string" },
        default: ["sm_90a", "gfx942"],
        markdownDescription: "What files are checked for. The first one is shown where one is.",
    },
    target: {
        type: "string",
        default: "",
        markdownDescription: "The target whose layouts, costs and code are shown, if it is not the first of `#tile.targets#`.",
    },
    instances: {
        type: "object",
        additionalProperties: { type: "string" },
        default: {},
        markdownDescription: "Which instance of a kernel is shown, by the kernel's name. A kernel that is not listed is shown in its canonical instance.",
    },
    "hints.types": {
        type: "boolean",
        default: true,
        markdownDescription: "Shows types and layouts that are not written.",
    },
    "hints.constants": {
        type: "boolean",
        default: true,
        markdownDescription: "Shows the values of compile-time constants.",
    },
    "hints.bytes": {
        type: "boolean",
        default: true,
        markdownDescription: "Shows the bytes of buffers in shared memory.",
    },
    "hints.costs": {
        type: "boolean",
        default: true,
        markdownDescription: "Shows the width of accesses, bank conflicts and what moves between threads.",
    },
    "pressure.show": {
        type: "boolean",
        default: true,
        markdownDescription: "Shows beside each line of a kernel how many registers live there, and where most do.",
    },
    "layout.follow": {
        type: "boolean",
        default: true,
        markdownDescription: "The layout panel follows the cursor.",
    },
    "test.engines": {
        type: "array",
        items: { type: "string" },
        default: ["interp", "sim"],
        markdownDescription: "Engines that the test explorer runs tests on: `interp`, `sim`, `gpu`.",
    },
} satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;

interface Command {
    title: string;
    icon?: string;
    /** Where it can be run from the palette; everywhere if left out. */
    when?: string;
}

const inTile = "editorLangId == tile";

/** The commands, by their names after `tile.`. */
export const commands: Record<string, Command> = {
    showLayout: { title: "Show Layout", icon: "$(table)", when: inTile },
    showCode: { title: "Show Assembly", icon: "$(file-binary)", when: inTile },
    choose: { title: "Choose Target and Instance", icon: "$(circuit-board)" },
    togglePressure: { title: "Show or Hide Registers", when: inTile },
    restartServer: { title: "Restart Server" },
    showServerLog: { title: "Show Server Log" },
    chooseInstance: { title: "Choose Instance", when: "false" },
    openCode: { title: "Open Code", when: "false" },
    runTest: { title: "Run Test", when: "false" },
    runBench: { title: "Run Benchmark", when: "false" },
    build: { title: "Build", when: "false" },
};

/** `contributes` of the manifest. */
export function contributes(): object {
    const named = Object.entries(commands);
    return {
        languages: [
            {
                id: "tile",
                aliases: ["Tile"],
                extensions: [".tile"],
                configuration: "./language-configuration.json",
                icon: { light: "./images/file.svg", dark: "./images/file.svg" },
            },
            {
                id: "tile-code",
                aliases: ["Tile: compiled code"],
                configuration: "./code-configuration.json",
            },
        ],
        grammars: [
            { language: "tile", scopeName: "source.tile", path: "./syntaxes/tile.tmLanguage.json" },
            { language: "tile-code", scopeName: "source.tile-code", path: "./syntaxes/code.tmLanguage.json" },
            {
                scopeName: "markdown.tile.codeblock",
                path: "./syntaxes/markdown.tmLanguage.json",
                injectTo: ["text.html.markdown"],
                embeddedLanguages: { "meta.embedded.block.tile": "tile" },
            },
        ],
        snippets: [{ language: "tile", path: "./snippets.json" }],
        configuration: {
            title: "Tile",
            properties: Object.fromEntries(Object.entries(settings).map(([name, it]) => [`tile.${name}`, it])),
        },
        configurationDefaults: {
            "[tile]": { "editor.semanticHighlighting.enabled": true },
        },
        commands: named.map(([name, { title, icon }]) => ({
            command: `tile.${name}`,
            category: "Tile",
            title,
            ...(icon === undefined ? {} : { icon }),
        })),
        menus: {
            commandPalette: named.flatMap(([name, { when }]) => (when === undefined ? [] : [{ command: `tile.${name}`, when }])),
            "editor/title": [
                { command: "tile.showLayout", when: inTile, group: "navigation@1" },
                { command: "tile.showCode", when: inTile, group: "navigation@2" },
            ],
            "editor/context": [
                { command: "tile.showLayout", when: inTile, group: "1_tile@1" },
                { command: "tile.showCode", when: inTile, group: "1_tile@2" },
            ],
        },
        keybindings: [{ command: "tile.showLayout", key: "ctrl+alt+l", mac: "cmd+alt+l", when: `editorTextFocus && ${inTile}` }],
        semanticTokenTypes: [{ id: "space", superType: "keyword", description: "A memory: global, shared, tensor memory." }],
        semanticTokenModifiers: [{ id: "kernel", description: "A kernel." }],
        semanticTokenScopes: [
            {
                language: "tile",
                scopes: {
                    space: ["storage.modifier.memory.tile"],
                    "function.kernel": ["entity.name.function.kernel.tile", "entity.name.function"],
                    "variable.readonly.static": ["variable.other.constant"],
                    "type.defaultLibrary": ["support.type"],
                    typeParameter: ["variable.other.constant", "entity.name.type.parameter"],
                },
            },
        ],
        taskDefinitions: [
            {
                type: "tile",
                required: ["command"],
                properties: {
                    command: { type: "string", enum: ["check", "build", "test", "bench", "report"], description: "What `tilec` does." },
                    path: { type: "string", description: "A file or folder; the workspace folder if left out." },
                    filter: { type: "string", description: "Only tests whose title contains this." },
                    target: { type: "string", description: "A target, or several separated by commas." },
                },
            },
        ],
        problemMatchers: [
            {
                name: "tilec",
                label: "Tile",
                owner: "tilec",
                source: "tilec",
                fileLocation: ["autoDetect", "${workspaceFolder}"],
                pattern: [
                    { regexp: "^(error|warning|note)\\[([A-Z]\\d+)\\]: (.*)$", severity: 1, code: 2, message: 3 },
                    { regexp: "^\\s*╭─\\[ (.*):(\\d+):(\\d+) \\]$", file: 1, line: 2, column: 3 },
                ],
            },
        ],
        colors: [
            { id: "tile.pressure.low", description: "Few registers live on a line.", defaults: { dark: "#3b8eea", light: "#4b8fd4", highContrast: "#3b8eea", highContrastLight: "#0f4a85" } },
            { id: "tile.pressure.high", description: "Many registers live on a line.", defaults: { dark: "#f48771", light: "#c72e0f", highContrast: "#f48771", highContrastLight: "#b5200d" } },
        ],
        walkthroughs: [walkthrough],
    };
}

const walkthrough = {
    id: "start",
    title: "Tile: kernels that explain themselves",
    description: "See what a kernel does to the machine while you write it.",
    steps: [
        {
            id: "server",
            title: "Get the compiler",
            description:
                "The extension talks to the language server tile-lsp, and runs tests with the compiler tilec.\n[Say where they are](command:workbench.action.openSettings?%22tile.%22)",
            media: { markdown: "./walkthrough/server.md" },
        },
        {
            id: "read",
            title: "Read a kernel",
            description: "Hints show types, layouts and the width of every access; hover for what an operation costs and a picture of its layout.",
            media: { markdown: "./walkthrough/read.md" },
        },
        {
            id: "layout",
            title: "Look at a layout",
            description: "Which thread and register holds each element, and what it costs to get to another layout.\n[Show layout](command:tile.showLayout)",
            media: { markdown: "./walkthrough/layout.md" },
        },
        {
            id: "code",
            title: "Read what the machine runs",
            description: "Assembly beside the source; a line here is marked there.\n[Show assembly](command:tile.showCode)",
            media: { markdown: "./walkthrough/code.md" },
        },
        {
            id: "test",
            title: "Run the tests",
            description: "Tests stand beside kernels, and run without a GPU.\n[Open the tests](command:workbench.view.testing.focus)",
            media: { markdown: "./walkthrough/test.md" },
        },
    ],
};
