import { createHash } from "node:crypto";
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Check } from "../domain/index.ts";

export type KeyParts = {
  checks: readonly Check[];
  /** What checks see of the environment: values, not names alone. */
  environment: Readonly<Record<string, string>>;
  allowScripts: readonly string[];
  /** What a check that reads history sees; left out of the key where none does. */
  commits: readonly string[];
};

/** Rises when verdicts are reached in another way: those of before are not reused. */
const FORMAT = 1;

const TOOLS = ["node", "npm", "git", "pnpm", "yarn", "bun"] as const;

/** Digest of everything a verdict depends on besides the tree (review-core rule 15). */
export function verdictKey(parts: KeyParts): string {
  const text = JSON.stringify({
    format: FORMAT,
    checks: parts.checks.map(({ name, run, timeoutMs, history }) => ({ name, run, timeoutMs, history })),
    environment: Object.entries(parts.environment).sort(([a], [b]) => (a < b ? -1 : 1)),
    install: { mode: "strict", allowScripts: [...parts.allowScripts].sort() },
    commits: parts.checks.some((check) => check.history) ? parts.commits : [],
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
