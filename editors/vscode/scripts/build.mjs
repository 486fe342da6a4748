// Bundles the extension and its panel into dist/, and the tests that run inside the editor into dist-test/.
import { build } from "esbuild";
import { copyFile } from "node:fs/promises";

const shared = { bundle: true, sourcemap: true, target: "es2022", logLevel: "warning" };
const node = { ...shared, platform: "node", format: "cjs", external: ["vscode"], mainFields: ["module", "main"] };

await Promise.all([
    build({ ...node, entryPoints: ["src/extension.ts"], outfile: "dist/extension.js", minify: true }),
    build({ ...shared, entryPoints: ["src/webview/layout.ts"], outfile: "dist/layout.js", format: "iife", minify: true }),
    build({ ...node, entryPoints: ["test/host/index.ts"], outfile: "dist-test/index.js" }),
    build({ ...node, entryPoints: ["test/unit/model.test.ts"], outfile: "dist-test/model.test.js" }),
]);
await copyFile("src/webview/layout.css", "dist/layout.css");
