import picomatch from "picomatch";
import { installProject, projectEnvironment, visibleEnvironment } from "../checkout/index.ts";
import { argvOf, CHECK_TIMEOUT_MS, type Check, cleanText, commandText, hideCredentials, tailLines } from "../domain/index.ts";
import { below, exportChanges, lstatBelow, type Oid, type Repository, treeOfExport } from "../git/index.ts";
import { rmSync } from "../state/index.ts";
import { runCommand } from "../subprocess/index.ts";
import { type LaidOut, type MadeAnew, makeAnew } from "./made-anew.ts";

/** How files are made that nobody writes. */
export type Generating = {
  /** By the glob of the files that it makes, the command that makes all of them; where globs meet, the first one counts. */
  commands: Readonly<Record<string, Check["run"]>>;
  /** What the commands see and what is installed for them, as for checks. */
  env: readonly string[];
  setEnv: Readonly<Record<string, string>>;
  allowScripts: readonly string[];
};

const INSTALL_TIMEOUT_MS = 15 * 60_000;

/** The glob whose command makes the file; undefined where none does. */
export function globOf({ commands }: Generating, path: string): string | undefined {
  return Object.keys(commands).find((glob) => matches(glob, path));
}

/**
 * Has the configured commands make conflicted files anew, in a fresh checkout of `tree`, where all else is merged and
 * these files are missing, so that none is left as it was. A command may change, add and remove what its glob names;
 * where it changes anything else, its result is not taken.
 */
export async function regenerateFiles(
  repository: Repository,
  tree: Oid,
  paths: readonly string[],
  how: Generating & { signal: AbortSignal | undefined },
): Promise<MadeAnew> {
  const about = { tree, what: "generated-files", path: paths[0] ?? "", signal: how.signal };
  const stop = how.signal === undefined ? {} : { signal: how.signal };
  return makeAnew(repository, about, async (laid) => {
    const { commit, room, checkout } = laid;
    const { dir } = checkout;
    // Before anything of the work has run here, which could have led these paths elsewhere.
    for (const path of paths) rmSync(below(dir, path), { force: true });
    const visible = { ...visibleEnvironment(repository.parentEnv, how.env, repository.root), ...how.setEnv };
    const env = { ...projectEnvironment(visible, checkout), ...room.marker };
    const request = { markers: room.marker, env, allowScripts: how.allowScripts, timeoutMs: INSTALL_TIMEOUT_MS, ...stop };
    const installed = await installProject(repository, checkout, request);
    if (installed.kind === "failed") return { kind: "left", path: about.path, why: installed.reason };
    // What an install leaves beside the project's files is nobody's work.
    const before = new Set(await exportChanges(repository, commit, dir));
    const [globs, changed] = [new Set<string>(), new Set(paths)];
    for (const [glob, command] of Object.entries(how.commands)) {
      const own = paths.filter((path) => globOf(how, path) === glob);
      const [path] = own;
      if (path === undefined) continue;
      const failure = await run(laid, command, { env, ...stop });
      if (failure !== undefined) return { kind: "left", path, why: failure };
      globs.add(glob);
      const absent = own.find((one) => lstatBelow(dir, one)?.isFile() !== true);
      if (absent !== undefined) return { kind: "left", path: absent, why: `${said(command)} did not make it` };
      for (const one of await exportChanges(repository, commit, dir)) if (!before.has(one)) changed.add(one);
      const outside = [...changed].filter((one) => ![...globs].some((known) => matches(known, one)) && !paths.includes(one));
      if (outside.length > 0) return { kind: "left", path, why: `${said(command)} changed files outside of ${glob}: ${few(outside)}` };
    }
    const files = [...changed].sort().map((one) => ({ path: one, rules: ["generated"] }));
    return { kind: "made", tree: await treeOfExport(repository, commit, dir, [...changed]), files };
  });
}

/** Why a command did not come to its end; undefined where it did. */
async function run(
  { room, checkout }: LaidOut,
  command: Check["run"],
  options: { env: Readonly<Record<string, string>>; signal?: AbortSignal },
): Promise<string | undefined> {
  const limits = { timeoutMs: CHECK_TIMEOUT_MS, keepBytes: 64 * 1024 };
  const end = await runCommand({ argv: argvOf(command), cwd: checkout.dir, ...limits, ...options });
  await room.sweep();
  if (end.code === 0 && end.ended === "exited") return undefined;
  const how = end.notStarted ?? (end.ended === "exited" ? `exit code ${end.code ?? end.signal}` : end.ended);
  const output = `${end.stdout.toString("utf8")}\n${end.stderr.toString("utf8")}`;
  const last = cleanText(hideCredentials(tailLines(output, 3)))
    .replaceAll("\n", " ")
    .trim();
  return `${said(command)} failed (${how})${last === "" ? "" : `: ${last}`}`;
}

function matches(glob: string, path: string): boolean {
  return picomatch.isMatch(path, glob, { dot: true });
}

const said = (command: Check["run"]): string => `\`${commandText(command)}\``;

const few = (paths: readonly string[]): string =>
  `${paths.slice(0, 3).join(", ")}${paths.length > 3 ? ` and ${paths.length - 3} more` : ""}`;
