// Bundles the command line and the library into dist/. `node scripts/build.mjs` also writes the declarations.
//
// Dependencies are bundled in, one file each: code that a verb does not need is not run, and V8 keeps what it compiled
// of the command line (bin/load-bundle.js), which works for a CommonJS script only.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
const stamp = join(dist, ".inputs");
const INPUTS = ["src", "scripts/build.mjs", "package.json", "package-lock.json"];
/** Of what an earlier build left in dist: the rest was made from other sources. */
const KEPT = new Set(["types", "cli.cjs", "pool.cjs", "parser.cjs", "worker.cjs", "index.js", ".inputs"]);
/** Loaded only where somebody has installed them. */
const OPTIONAL = ["playwright-core", "@modelcontextprotocol/sdk"];

/** A third of all code, which few verbs need: in a file of its own, read when it is. */
const PARSER = "@babel/parser";

/** Where a bundle finds the parser's. */
const parserAt = (path) => ({
  name: "parser-apart",
  setup: (build) => build.onResolve({ filter: /^@babel\/parser$/ }, () => ({ path, external: true })),
});

/** True where dist was made from the sources as they are. */
export function isBuilt() {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === inputDigest();
}

/** Writes the two command lines, the worker and the library, each by rename: a program that starts meanwhile finds a whole file. */
export async function bundle() {
  const digest = inputDigest();
  const { build } = await import("esbuild");
  const shared = {
    absWorkingDir: root,
    outdir: dist,
    bundle: true,
    platform: "node",
    target: "node20",
    external: OPTIONAL,
    legalComments: "none",
    write: false,
    metafile: true,
    logLevel: "error",
  };
  const small = { minifyWhitespace: true, minifySyntax: true };
  const version = JSON.stringify(packageJson().version);
  const results = [
    await build({
      ...shared,
      entryPoints: { cli: "src/cli/entry-all.ts", pool: "src/cli/entry-pool.ts" },
      outExtension: { ".js": ".cjs" },
      format: "cjs",
      // A script whose compiled code was kept cannot import; what is loaded late is required late.
      supported: { "dynamic-import": false },
      // Names stay, so that the stack of a defect can be read.
      ...small,
      // Seen from bin/, whose `require` the bundle is given.
      plugins: [parserAt("../dist/parser.cjs")],
      define: { GRAFTWORK_VERSION: version, "import.meta.dirname": "__dirname" },
      banner: {
        js: `// ${digest}\n(function (exports, require, module, __filename, __dirname) {`,
      },
      footer: { js: "})" },
    }),
    await build({ ...shared, ...small, entryPoints: { parser: PARSER }, outExtension: { ".js": ".cjs" }, format: "cjs" }),
    await build({
      ...shared,
      ...small,
      entryPoints: { worker: "src/merge/text-worker.ts" },
      outExtension: { ".js": ".cjs" },
      format: "cjs",
      plugins: [parserAt("./parser.cjs")],
      define: { "import.meta.dirname": "__dirname" },
    }),
    await build({
      ...shared,
      entryPoints: { index: "src/index.ts" },
      format: "esm",
      plugins: [parserAt("./parser.cjs")],
      define: { GRAFTWORK_VERSION: version },
      banner: { js: 'import { createRequire as nodeRequire } from "node:module"; const require = nodeRequire(import.meta.url);' },
    }),
  ];
  mkdirSync(dist, { recursive: true });
  for (const name of readdirSync(dist)) if (!KEPT.has(name)) rmSync(join(dist, name), { force: true });
  for (const file of results.flatMap((result) => result.outputFiles)) {
    const temporary = `${file.path}.${process.pid}`;
    writeFileSync(temporary, file.contents);
    renameSync(temporary, file.path);
  }
  writeFileSync(join(dist, "THIRD-PARTY.txt"), notices(results.flatMap((result) => Object.keys(result.metafile.inputs))));
  writeFileSync(stamp, digest);
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
    await bundle();
    declarations();
  } catch (error) {
    process.stderr.write(`build: ${error.message}\n`);
    process.exitCode = 1;
  }
}
