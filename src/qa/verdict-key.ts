import { createHash } from "node:crypto";
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { JudgedCheck } from "../domain/index.ts";

export type KeyParts = {
  checks: readonly JudgedCheck[];
  /** What checks see of the environment: values, not names alone. */
  environment: Readonly<Record<string, string>>;
  allowScripts: readonly string[];
  /** The commit of the target, which checks see as GRAFTWORK_BASE. */
  base: string;
  /** The request's label if a check or a file of the tree reads GRAFTWORK_TASK_ID; else null. */
  label: string | null;
  /** The commits that a check with `history` sees; left out of the key if no check has it. */
  commits: readonly string[];
};

/** Rises when verdicts are reached in another way, so that older ones are not reused. */
const FORMAT = 2;

/** Common toolchains. A check may use others; a new version of those is not noticed. */
const TOOLS = [
  "node npm npx pnpm yarn bun deno corepack tsc",
  "python python3 pip pip3 uv poetry pytest ruby bundle php composer perl",
  "go cargo rustc rustup java javac mvn gradle kotlinc scala sbt dotnet swift",
  "cc gcc g++ clang clang++ make cmake ninja bazel zig",
  "elixir mix erl ghc cabal stack dart flutter git sh bash docker",
].flatMap((line) => line.split(" "));

/** Returns a digest of everything a verdict depends on besides the tree. */
export function verdictKey(parts: KeyParts): string {
  const text = JSON.stringify({
    format: FORMAT,
    checks: parts.checks.map(({ check: { name, run, timeoutMs, history }, standing }) => ({ name, run, timeoutMs, history, standing })),
    environment: Object.entries(parts.environment).sort(([a], [b]) => (a < b ? -1 : 1)),
    install: { mode: "strict", allowScripts: [...parts.allowScripts].sort() },
    base: parts.base,
    label: parts.label,
    commits: parts.checks.some(({ check }) => check.history) ? parts.commits : [],
    platform: [process.platform, process.arch, process.version],
    tools: TOOLS.map((name) => [name, programStamp(name, parts.environment["PATH"] ?? "")]),
  });
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** Which file a program is, its size and time: a new version is another file, and no process is started to ask it. */
function programStamp(name: string, path: string): string | null {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      const real = realpathSync(file);
      const { size, mtimeMs } = statSync(real);
      return `${real} ${size} ${mtimeMs}`;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
