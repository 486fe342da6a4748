// Writes `contributes` of package.json from src/contributions.ts; with --check, fails if it is not what
// would be written.
import { build } from "esbuild";
import { readFile, writeFile } from "node:fs/promises";

const { outputFiles } = await build({ entryPoints: ["src/contributions.ts"], bundle: true, format: "esm", write: false });
const { contributes } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);

const old = await readFile("package.json", "utf8");
const text = `${JSON.stringify({ ...JSON.parse(old), contributes: contributes() }, null, 2)}\n`;
if (process.argv.includes("--check")) {
    if (text !== old) {
        console.error("package.json is not what src/contributions.ts says: npm run manifest");
        process.exit(1);
    }
} else {
    await writeFile("package.json", text);
}
