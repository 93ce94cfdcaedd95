import { posix } from "node:path";
import { blank, type Import, importsOf, lineAt, type Source } from "./scan.ts";
import type { ImportTable } from "./table.ts";

export type Exceptions = {
  /** Files of src that may write through `node:fs` itself, each with its reason. */
  writers: Readonly<Record<string, string>>;
  /** Packages (and modules of Node) that one module wraps for all others. */
  doors: Readonly<Record<string, readonly string[]>>;
  /** Files of src over 300 lines, each with its reason. */
  long: Readonly<Record<string, string>>;
  /** Path → why this file reads what no agent wrote, or looks at letters for another reason than to clean them. */
  readers: Readonly<Record<string, string>>;
};

type Parsed = Source & { imports: readonly Import[]; code: string; module: string };

const MOST_LINES = 300;
const TERMINAL = new Set(["cli", "mcp"]);
const FS = new Set(["node:fs", "node:fs/promises", "fs", "fs/promises"]);
/** What changes a file system, and what can hand such a thing on. */
const WRITES =
  /^(?:writeFile|appendFile|rename|rm|rmdir|unlink|mkdir|mkdtemp|link|symlink|copyFile|cp|truncate|ftruncate|chmod|chown|utimes|lutimes|write|writev|open)(?:Sync)?$|^(?:createWriteStream|promises|default)$/;

/** Everything wrong with these sources, one line each: `file:line: what is banned here, use what`. */
export function problemsOf(sources: readonly Source[], table: ImportTable, exceptions: Exceptions): string[] {
  const parsed = sources.map((source) => ({
    ...source,
    imports: importsOf(source),
    code: blank(source.text, { strings: false }),
    module: moduleOf(source.path),
  }));
  const ofSrc = parsed.filter((file) => file.path.startsWith("src/"));
  return [
    ...ofSrc.flatMap((file) => [
      ...arrows(file, table),
      ...doors(file, exceptions),
      ...writes(file, exceptions),
      ...hostile(file, exceptions),
      ...terminal(file),
      ...size(file, exceptions),
      ...names(file),
    ]),
    ...cycles(ofSrc),
    ...parsed.flatMap((file) => language(file)),
    ...parsed.filter((file) => !file.path.startsWith("src/")).flatMap(mocks),
  ];
}

/** `src/pool/acquire.ts` is of `pool`; `src/index.ts`, the library's face, of no module. */
function moduleOf(path: string): string {
  const [top, module = "", ...rest] = path.split("/");
  return top === "src" && rest.length > 0 ? module : "";
}

function arrows(file: Parsed, table: ImportTable): string[] {
  if (file.module === "") {
    if (file.path !== "src/index.ts") return [`${file.path}:1: a file outside a module is banned here, use a folder of src`];
  } else if (!table.has(file.module)) {
    return [`${file.path}:1: the module ${file.module} is banned here, use one that the table of ARCHITECTURE.md has (or add its row)`];
  }
  const may = file.module === "" ? new Set(table.keys()) : (table.get(file.module) ?? new Set());
  const found: string[] = [];
  for (const { specifier, line } of file.imports) {
    const target = resolve(file.path, specifier);
    if (target === undefined) continue;
    const at = `${file.path}:${line}`;
    const other = moduleOf(target);
    if (!target.startsWith("src/") || other === "") {
      found.push(`${at}: an import of ${target} is banned here, use modules of src by their index.ts`);
    } else if (other === file.module) {
      if (target === `src/${other}/index.ts`)
        found.push(`${at}: an import of the module's own index.ts is banned here, use the file itself`);
    } else if (!may.has(other)) {
      found.push(
        `${at}: ${other} is banned here, use what the table of ARCHITECTURE.md gives ${file.module || "src/index.ts"}: ${[...may].join(", ") || "nothing"}`,
      );
    } else if (target !== `src/${other}/index.ts`) {
      found.push(`${at}: ${target} is banned here, use src/${other}/index.ts`);
    }
  }
  return found;
}

function doors(file: Parsed, { doors: owners }: Exceptions): string[] {
  return file.imports.flatMap(({ specifier, line }) => {
    const name = specifier === "child_process" ? "node:child_process" : specifier;
    const allowed = owners[name];
    if (allowed === undefined || allowed.includes(file.module)) return [];
    return [`${file.path}:${line}: ${specifier} is banned here, use src/${allowed[0]}, which wraps it`];
  });
}

function writes(file: Parsed, { writers }: Exceptions): string[] {
  const allowed = Object.hasOwn(writers, file.path);
  return file.imports
    .filter(({ specifier }) => FS.has(specifier))
    .flatMap(({ form, names: taken, line }) => {
      if (form !== "static")
        return [`${file.path}:${line}: a ${form} import of node:fs is banned here, use named imports, which show what is written`];
      if (allowed) return [];
      return taken
        .filter((name) => WRITES.test(name))
        .map(
          (name) => `${file.path}:${line}: ${name} of node:fs is banned here, use src/state (its disk.ts has a failpoint at each write)`,
        );
    });
}

/** What an agent wrote passes one function of each kind: a path below a folder, a small file, a text that is shown. */
function hostile(file: Parsed, { readers }: Exceptions): string[] {
  const reads = file.imports
    .filter(({ specifier }) => FS.has(specifier) && !Object.hasOwn(readers, file.path))
    .flatMap(({ names: taken, line }) =>
      taken
        .filter((name) => /^(?:readFile(?:Sync)?|createReadStream)$/.test(name))
        .map((name) => `${file.path}:${line}: ${name} of node:fs is banned here, use readBytes or readText of src/state`),
    );
  const joined = /\bjoin\((?:[^()]|\([^()]*\))*,\s*(?:\w+\.)?(?:path|laid_as)\s*\)/g;
  const joins =
    file.path === "src/git/git-path.ts" ? [] : matches(file, joined, "a path joined to a folder", "below of src/git, which checks it");
  const cleaner = /stripVTControlCharacters|\\p\{(?:C[cfn]?|Z[lp])\}/g;
  const strings = { ...file, code: file.text };
  const cleans =
    Object.hasOwn(readers, file.path) || file.path === "src/domain/text.ts"
      ? []
      : matches(strings, cleaner, "", "cleanText or cleanLine of src/domain");
  return [...reads, ...joins, ...cleans];
}

function terminal(file: Parsed): string[] {
  const found = matches(file, /\bprocess\s*\.\s*exit\b/g, "process.exit", "process.exitCode in bin, or a returned exit code");
  if (TERMINAL.has(file.module)) return found;
  for (const { specifier, line } of file.imports) {
    if (/^(?:node:)?process$/.test(specifier))
      found.push(`${file.path}:${line}: an import of node:process is banned here, use the global, which tests can search for`);
  }
  found.push(
    ...matches(
      file,
      /\bprocess\s*\.\s*(?:stdout|stderr|stdin|argv|exitCode)\b/g,
      "",
      "a callback or a returned value: only cli and mcp talk to the terminal",
    ),
  );
  found.push(
    ...matches(file, /(?<![.\w])console\s*\./g, "console", "a callback or a returned value: only cli and mcp talk to the terminal"),
  );
  return found;
}

function language(file: Parsed): string[] {
  const found: string[] = [];
  if (file.path !== "vitest.config.ts") found.push(...matches(file, /\bexport\s+default\b/g, "a default export", "a named export"));
  found.push(...matches(file, /^[ \t]*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s+\w/gm, "an enum", "a union of strings"));
  found.push(...matches(file, /^[ \t]*(?:export\s+)?(?:declare\s+)?namespace\s+\w/gm, "a namespace", "a module"));
  found.push(...matches(file, /(?<![.\w$])any\b(?!\s*[(:?])/g, "any", "unknown, and a check"));
  return found;
}

function mocks(file: Parsed): string[] {
  return [
    ...matches(
      file,
      /\bvi\s*\.\s*(?:mock|doMock|unmock|doUnmock|hoisted|importActual|importMock|spyOn)\b/g,
      "",
      "an argument: what a module needs is handed to it",
    ),
    ...matches(file, /\b(?:test|it|describe|suite)\s*\.\s*(?:only|skip|todo|skipIf|runIf)\b/g, "", "context.skip(reason) inside the test"),
  ];
}

function size(file: Parsed, { long }: Exceptions): string[] {
  const lines = file.text.trimEnd().split("\n").length;
  if (lines <= MOST_LINES || Object.hasOwn(long, file.path)) return [];
  return [`${file.path}:${lines}: more than ${MOST_LINES} lines are banned here, use two files (or list this one with a reason)`];
}

function names(file: Parsed): string[] {
  const parts = file.path.slice("src/".length).replace(/\.ts$/, "").split("/");
  return parts.flatMap((part) => {
    if (/^(?:utils?|helpers?|common|types|misc|shared)$/.test(part))
      return [`${file.path}:1: the name ${part} is banned here, use one that says what it holds`];
    if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(part)) return [`${file.path}:1: the name ${part} is banned here, use kebab-case`];
    return [];
  });
}

/** Circles of static imports, types included: each file is to be understood from those below it. */
function cycles(files: readonly Parsed[]): string[] {
  const edges = new Map<string, readonly { to: string; line: number }[]>();
  for (const file of files) {
    const below = file.imports
      .filter((one) => one.form !== "dynamic")
      .map(({ specifier, line }) => ({ to: resolve(file.path, specifier) ?? "", line }));
    edges.set(file.path, below);
  }
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    for (const { to, line } of edges.get(path) ?? []) {
      const from = trail.indexOf(to);
      if (from >= 0)
        found.push(`${path}:${line}: a circle of imports is banned here, use a third file: ${[...trail.slice(from), to].join(" > ")}`);
      else if (edges.has(to) && !done.has(to)) walk(to, [...trail, to]);
    }
    done.add(path);
  };
  for (const path of edges.keys()) if (!done.has(path)) walk(path, [path]);
  return found;
}

function resolve(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : undefined;
}

/** One problem per match in the code; `what` empty: the matched text itself. */
function matches(file: Parsed, pattern: RegExp, what: string, use: string): string[] {
  return [...file.code.matchAll(pattern)].map((match) => {
    const line = lineAt(file.code, match.index + match[0].length - match[0].trimStart().length);
    return `${file.path}:${line}: ${what === "" ? match[0] : what} is banned here, use ${use}`;
  });
}
