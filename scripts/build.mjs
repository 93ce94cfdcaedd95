// Bundles the command line and the library into dist/. `node scripts/build.mjs` also writes the declarations.
//
// Dependencies are bundled in: with 13 starts each, CPU over a bare Node, `status` costs 12 ms bundled and 17 ms not,
// a verb that reads YAML 22 against 49, one that loads everything 40 against 125. Splitting keeps each verb's
// modules in chunks of their own, loaded by dynamic import.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
const stamp = join(dist, ".inputs");
const ENTRIES = { cli: "src/cli/main.ts", index: "src/index.ts" };
const INPUTS = ["src", "scripts/build.mjs", "package.json", "package-lock.json"];
/** Loaded only where somebody has installed them. */
const OPTIONAL = ["playwright-core", "@modelcontextprotocol/sdk"];
const OLD_CHUNK_MS = 15 * 60_000;

/** True where dist was made from the sources as they are. */
export function isBuilt() {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === inputDigest();
}

/** Writes dist/cli.js, dist/index.js and their chunks; keeps chunks of before while a running program may need them. */
export async function bundle({ keepChunksMs = OLD_CHUNK_MS } = {}) {
  const digest = inputDigest();
  const { build } = await import("esbuild");
  const result = await build({
    absWorkingDir: root,
    // Until both entries exist, what exists is built.
    entryPoints: Object.entries(ENTRIES)
      .filter(([, entry]) => existsSync(join(root, entry)))
      .map(([out, entry]) => ({ in: entry, out })),
    outdir: dist,
    chunkNames: "chunk-[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: OPTIONAL,
    define: { GRAFTWORK_VERSION: JSON.stringify(packageJson().version) },
    // CommonJS dependencies ask for Node's own modules by require.
    banner: { js: 'import { createRequire as nodeRequire } from "node:module"; const require = nodeRequire(import.meta.url);' },
    legalComments: "none",
    write: false,
    metafile: true,
    logLevel: "error",
  });
  writeOut(result.outputFiles, keepChunksMs);
  writeFileSync(join(dist, "THIRD-PARTY.txt"), notices(Object.keys(result.metafile.inputs)));
  writeFileSync(stamp, digest);
}

/** Entries last, each by rename; chunks are named by content. So a program that runs meanwhile finds whole files. */
function writeOut(files, keepChunksMs) {
  mkdirSync(dist, { recursive: true });
  const isEntry = (file) => basename(file.path) in { "cli.js": 1, "index.js": 1 };
  for (const file of [...files].sort((a, b) => Number(isEntry(a)) - Number(isEntry(b)))) {
    const temporary = `${file.path}.${process.pid}`;
    writeFileSync(temporary, file.contents);
    renameSync(temporary, file.path);
  }
  const current = new Set(files.map((file) => basename(file.path)));
  for (const name of readdirSync(dist)) {
    const path = join(dist, name);
    if (name.startsWith("chunk-") && !current.has(name) && Date.now() - statSync(path).mtimeMs > keepChunksMs)
      rmSync(path, { force: true });
  }
}

/** The licences of everything that was bundled in. */
function notices(inputs) {
  const folders = new Set(
    inputs.map((input) => /^node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]).filter(Boolean),
  );
  const parts = [...folders].sort().map((folder) => {
    const about = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const file = readdirSync(join(root, folder)).find((name) => /^(licen[cs]e|copying)/i.test(name));
    const text = file === undefined ? `Licence: ${about.license}` : readFileSync(join(root, folder, file), "utf8").trim();
    return `${about.name} ${about.version} (${about.license})\n\n${text}\n`;
  });
  return `Packages contained in graftwork's bundles, with their licences.\n\n${parts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

/** dist/types: what the library's users see. */
function declarations() {
  rmSync(join(dist, "types"), { recursive: true, force: true });
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")], { stdio: "inherit" });
  if (status !== 0) throw new Error("the declarations could not be made: see the messages of tsc above");
  for (const file of walk(join(dist, "types"))) {
    // TypeScript leaves the endings of the sources in declarations.
    writeFileSync(file, readFileSync(file, "utf8").replace(/((?:from|import\()\s*"\.[^"]*)\.ts"/g, '$1.js"'));
  }
}

function inputDigest() {
  const hash = createHash("sha256");
  for (const file of INPUTS.flatMap((input) => walk(join(root, input)))) {
    const content = readFileSync(file);
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function walk(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => walk(join(path, name)));
}

function packageJson() {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    // A package has nothing of before in it.
    await bundle(process.argv.includes("--clean") ? { keepChunksMs: -1 } : {});
    declarations();
  } catch (error) {
    process.stderr.write(`build: ${error.message}\n`);
    process.exitCode = 1;
  }
}
