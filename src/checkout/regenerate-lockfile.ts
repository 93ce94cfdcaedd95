import { basename, dirname } from "node:path";
import { below, readBelow } from "../git/index.ts";
import { replaceFile } from "../state/index.ts";
import { type InstallRequest, NPM_QUIET, runInstall, YARN_BERRY } from "./install.ts";
import { installerCode } from "./installer-code.ts";

const NPM = ["npm", "install", "--package-lock-only", "--ignore-scripts", ...NPM_QUIET, "--prefer-offline"] as const;

/**
 * How each package manager brings its lockfile in line with the manifests, running no script. All of them merge a
 * lockfile with conflict markers in it by themselves: what either side had locked stays locked.
 */
const REGENERATORS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  "package-lock.json": NPM,
  "npm-shrinkwrap.json": NPM,
  "pnpm-lock.yaml": [
    "pnpm",
    "install",
    "--lockfile-only",
    "--no-frozen-lockfile",
    "--ignore-scripts",
    "--ignore-pnpmfile",
    "--prefer-offline",
  ],
  "yarn.lock": ["yarn", "install", "--ignore-scripts", "--prefer-offline", "--non-interactive"],
};
const YARN_BERRY_UPDATE = ["yarn", "install", "--mode=update-lockfile", "--no-immutable"] as const;

/** The base's lines between git's markers of three sides: not every package manager knows more than two. */
const BASE_SECTION = /^\|{7}[^\n]*\n(?:(?!={7}$)[^\n]*\n)*/gm;

/** Yarn from version 2 on asks git who collides, and there is no merge in progress here: it gets the entries of both sides. */
const MARKERS = /^(?:<{7} |={7}$|>{7} )[^\n]*\n/gm;

/** True for lockfiles that some package manager makes anew from a conflict. */
export function isRegenerable(path: string): boolean {
  return Object.hasOwn(REGENERATORS, basename(path));
}

export type Regenerated = { kind: "made"; text: string; command: string } | { kind: "failed"; reason: string };

/** Makes the lockfile `path` of the project in `request.dir` anew, from its manifests and from what it has locked already. */
export async function regenerateLockfile(request: InstallRequest, path: string): Promise<Regenerated> {
  const file = below(request.dir, path);
  const known = REGENERATORS[basename(path)];
  const text = readBelow(request.dir, path)?.toString("utf8");
  if (known === undefined || text === undefined) return { kind: "failed", reason: `graftwork has no command that writes ${path} again` };
  const foreign = settingsOnTheWay(request.dir, path);
  if (foreign !== undefined)
    return { kind: "failed", reason: `${foreign} holds settings that nobody approved, so no program is run there` };
  const isBerry = basename(path) === "yarn.lock" && YARN_BERRY.mark.test(text);
  const sides = text.replace(BASE_SECTION, "");
  replaceFile(file, isBerry ? sides.replace(MARKERS, "") : sides);
  const end = await runInstall({ ...request, dir: dirname(file) }, isBerry ? YARN_BERRY_UPDATE : known);
  if (end.kind === "none") return { kind: "failed", reason: end.reason };
  if (end.kind === "failed") return { kind: "failed", reason: `${end.reason}: ${end.excerpt.split("\n").slice(-3).join(" ")}` };
  return { kind: "made", text: readBelow(request.dir, path)?.toString("utf8") ?? "", command: end.command };
}

/**
 * Returns the first settings file in a folder above the lockfile, below the top, that could make an installer run code.
 * Installers read such files too, and the user is asked only about those at the top.
 */
function settingsOnTheWay(dir: string, path: string): string | undefined {
  const parts = dirname(path)
    .split("/")
    .filter((part) => part !== ".");
  for (let depth = 1; depth <= parts.length; depth++) {
    const folder = parts.slice(0, depth).join("/");
    const [found] = installerCode(below(dir, folder));
    if (found !== undefined) return `${folder}/${found.key}`;
  }
  return undefined;
}
