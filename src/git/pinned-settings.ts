import { randomUUID } from "node:crypto";
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { chmodSync, mkdirSync, readText, renameSync, replaceFile, withMutex } from "../state/index.ts";
import { configText, type Guarded, isGuarded, type Planted, plantedBetween, shapesFiles } from "./guarded-settings.ts";
import { makeOwnGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitNul } from "./run-git.ts";

/** What was found when nobody worked in a slot, with a stamp that tells cheaply whether it is still so. */
type Pinned = { stamp: string; guarded: Guarded };

/**
 * Takes the repository's settings, hooks and attributes as they are now for the user's own. Called when no task is at
 * work: what changes from here on, while one is, may have been planted. Nothing to do where nothing changed.
 */
export async function pinSettings(repository: Repository): Promise<void> {
  const stamp = stampOf(repository);
  if (readPinned(repository)?.stamp === stamp) return;
  const [guarded, included] = await Promise.all([readGuarded(repository), readSettings(repository, "--includes")]);
  const config = configText(included.filter(([key]) => shapesFiles(key)));
  makeOwnGit(repository, "pinned", { config, attributes: guarded.attributes ?? "" });
  keep(repository, { stamp, guarded });
}

/** What is another since the settings were pinned; costs a few looks at files where nothing was touched. */
export async function plantedSettings(repository: Repository): Promise<Planted[]> {
  const pinned = readPinned(repository);
  const stamp = stampOf(repository);
  if (pinned === undefined) await pinSettings(repository);
  if (pinned === undefined || pinned.stamp === stamp) return [];
  const planted = plantedBetween(pinned.guarded, await readGuarded(repository));
  // The file was written, nothing that matters is another (a branch's upstream, say): looked at once, not each time.
  if (planted.length === 0) keep(repository, { stamp, guarded: pinned.guarded });
  return planted;
}

/** Puts back what was there before. Hooks and attributes that were planted are kept in `graftwork/planted/`. */
export async function undoPlanted(repository: Repository, planted: readonly Planted[]): Promise<void> {
  await withMutex(repository.layout.adminMutex, async () => {
    for (const one of planted) {
      if (one.kind === "setting") await putBackSetting(repository, one.name, one.before);
      else putBackFile(repository, one);
    }
  });
  await plantedSettings(repository);
}

async function putBackSetting(repository: Repository, name: string, values: readonly string[]): Promise<void> {
  const config = (args: readonly string[], answers: readonly number[]) =>
    runGit(repository, { cwd: repository.commonDir, args: ["config", "--file", join(repository.commonDir, "config"), ...args], answers });
  await config(["--unset-all", name], [0, 5]);
  for (const value of values) await config(["--add", name, value], [0]);
}

function putBackFile(repository: Repository, planted: Exclude<Planted, { kind: "setting" }>): void {
  const path = planted.kind === "hook" ? join(repository.commonDir, "hooks", planted.name) : join(repository.commonDir, planted.name);
  if (planted.now !== null) {
    const aside = join(repository.layout.root, "planted");
    mkdirSync(aside, { recursive: true, mode: 0o700 });
    const kept = join(aside, `${planted.name.replaceAll("/", "-")}.${randomUUID().slice(0, 8)}`);
    renameSync(path, kept);
    if (planted.kind === "hook") chmodSync(kept, 0o600);
  }
  if (planted.before === null) return;
  replaceFile(path, planted.before);
  if (planted.kind === "hook") chmodSync(path, 0o755);
}

/** `--list` runs nothing; a file that is included is followed only to know how files are to be written. */
async function readSettings(repository: Repository, includes: "--includes" | "--no-includes"): Promise<[key: string, value: string][]> {
  const file = join(repository.commonDir, "config");
  const answer = await runGit(repository, { cwd: repository.commonDir, args: ["config", "--file", file, includes, "--list", "-z"] });
  return splitNul(answer.text).map((entry) => {
    const end = entry.indexOf("\n");
    return end < 0 ? [entry, "true"] : [entry.slice(0, end), entry.slice(end + 1)];
  });
}

async function readGuarded(repository: Repository): Promise<Guarded> {
  const settings = await readSettings(repository, "--no-includes");
  return {
    settings: settings.filter(([key]) => isGuarded(key)),
    attributes: readText(join(repository.commonDir, "info", "attributes")) ?? null,
    hooks: Object.fromEntries(hooksOf(repository).map((name) => [name, readText(join(repository.commonDir, "hooks", name)) ?? ""])),
  };
}

function hooksOf(repository: Repository): string[] {
  const stat = lstatSync(join(repository.commonDir, "hooks"), { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return [];
  return readdirSync(join(repository.commonDir, "hooks")).filter((name) => !name.endsWith(".sample"));
}

/** A file's times cannot all be set back: its ctime rises with every change. */
function stampOf(repository: Repository): string {
  const files = ["config", "info/attributes", "hooks", ...hooksOf(repository).map((name) => `hooks/${name}`)];
  const stamps = files.map((name) => {
    const stat = lstatSync(join(repository.commonDir, name), { throwIfNoEntry: false });
    return stat === undefined ? name : `${name} ${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
  });
  return stamps.join("\n");
}

function readPinned(repository: Repository): Pinned | undefined {
  const text = readText(repository.layout.pinned);
  return text === undefined ? undefined : (JSON.parse(text) as Pinned);
}

function keep(repository: Repository, pinned: Pinned): void {
  replaceFile(repository.layout.pinned, `${JSON.stringify(pinned)}\n`);
}
