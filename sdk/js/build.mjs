// SPDX-License-Identifier: Apache-2.0
// Makes a component of an actor in JavaScript or TypeScript:
//
//   node theater/build.mjs SOURCE OUTPUT.wasm
//
// Its world has the handlers that SOURCE exports, and imports what it uses.
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { componentize } from "@bytecodealliance/componentize-js";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

// What an actor is not given: lines and errors go to the log, not to stdio. Of
// the clocks and randomness, what its code does not name: a component without
// clocks is called a fifth faster.
const never = ["stdio", "http", "fetch-event"];
const optional = {
    clocks: /\b(Date|performance|setTimeout|setInterval)\b/,
    random: /\b(random|crypto)\b/,
};

// How entry.js guards a handler; the others are plain.
const guards = { handleRequest: "answering", handleChannelOpen: "deciding" };

const camel = (name) => name.replace(/-(.)/g, (_, c) => c.toUpperCase());

function fail(text) {
    console.error(`build: ${text}`);
    process.exit(1);
}

// The handlers of the world `actor`: how JavaScript names each, and its line.
function handlersOf(wit) {
    const lines = wit.matchAll(/^ +export ([a-z-]+): func\(.*;$/gm);
    return new Map([...lines].map(([line, name]) => [camel(name), line]));
}

// The host's interfaces stay imports; one that is not used falls away.
const host = {
    name: "theater",
    setup: ({ onResolve }) =>
        onResolve({ filter: /^theater:/ }, ({ path }) => ({
            path,
            external: true,
            sideEffects: false,
        })),
};

async function bundle(input) {
    const result = await build({
        ...input,
        bundle: true,
        write: false,
        metafile: true,
        format: "esm",
        target: "es2022",
        outfile: "actor.js",
        plugins: [host],
        logLevel: "error",
    }).catch(() => process.exit(1));
    const [{ exports, imports }] = Object.values(result.metafile.outputs);
    return { code: result.outputFiles[0].text, exports, imports };
}

// One line of code for each handler.
async function withEntry(source, names) {
    const quoted = (path) => JSON.stringify(path);
    const lines = names.map((name) => {
        const guard = guards[name] ?? "plain";
        return `export const ${name} = entry.${guard}(actor.${name});`;
    });
    lines.unshift(
        `import * as actor from ${quoted(resolve(source))};`,
        `import * as entry from ${quoted(join(here, "entry.js"))};`,
    );
    return bundle({
        stdin: { contents: lines.join("\n"), resolveDir: process.cwd() },
    });
}

function worldOf(lines, imports) {
    const names = new Set(
        imports
            .map(({ path }) => /^theater:actor\/([a-z-]+)@/.exec(path)?.[1])
            .filter(Boolean),
    );
    return [
        "world built {",
        ...[...names].map((name) => `  import ${name};`),
        ...lines,
        "}\n",
    ].join("\n");
}

function disabled(code) {
    const unused = Object.keys(optional).filter(
        (feature) => !optional[feature].test(code),
    );
    return [...never, ...unused];
}

function checkNames(exported, handlers) {
    const names = exported.filter((name) => handlers.has(name));
    const known = [...handlers.keys()].join(", ");
    for (const name of exported) {
        if (name.startsWith("handle") && !handlers.has(name)) {
            fail(`there is no handler ${name}; there are ${known}`);
        }
    }
    return names.length > 0
        ? names
        : fail(`${source} exports no handler; there are ${known}`);
}

// Types are checked by TypeScript itself, the handlers' with them.
async function checkTypes(source) {
    const path = JSON.stringify(resolve(source));
    await writeFile(
        join(here, "check.ts"),
        `import * as actor from ${path};\n` +
            'import type { Handlers } from "./actor.js";\n' +
            "actor satisfies Handlers;\n",
    );
    const compiler = import.meta.resolve("typescript/package.json");
    const tsc = join(dirname(fileURLToPath(compiler)), "bin/tsc");
    try {
        execFileSync(process.execPath, [tsc, "--noEmit", "--project", "."], {
            stdio: "inherit",
        });
    } catch {
        process.exit(1);
    }
}

const [source, output] = process.argv.slice(2);
if (!output) {
    fail("usage: build.mjs SOURCE OUTPUT.wasm");
}
const wit = await readFile(join(here, "actor.wit"), "utf8");
const handlers = handlersOf(wit);
const { exports } = await bundle({ entryPoints: [source] });
const names = checkNames(exports, handlers);
if (source.endsWith(".ts")) {
    await checkTypes(source);
}
const { code, imports } = await withEntry(source, names);
const lines = names.map((name) => handlers.get(name));

const scratch = await mkdtemp(join(tmpdir(), "theater-"));
try {
    // Stacks name it: its lines are not those of SOURCE.
    const sourcePath = join(scratch, "bundle.js");
    const witPath = join(scratch, "actor.wit");
    await writeFile(sourcePath, code);
    await writeFile(witPath, `${wit}\n${worldOf(lines, imports)}`);
    const { component } = await componentize({
        sourcePath,
        witPath,
        worldName: "built",
        disableFeatures: disabled(code),
    });
    await writeFile(output, component);
} finally {
    await rm(scratch, { recursive: true });
}
