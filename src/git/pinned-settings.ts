import { randomUUID } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { GraftworkError, systemCode } from "../domain/index.ts";
import { chmodSync, mkdirSync, readBytes, readText, renameSync, replaceFile, symlinkSync, withMutex } from "../state/index.ts";
import {
  configText,
  type Guarded,
  isGuarded,
  type Planted,
  plantedBetween,
  SETTINGS_FILES,
  type Setting,
  type SettingsFile,
  shapesFiles,
} from "./guarded-settings.ts";
import { makeOwnGit } from "./own-git.ts";
import { readRefs, updateRefs } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { contentDigest } from "./repository-facts.ts";
import { runGit, splitNul } from "./run-git.ts";

const REPLACED = "refs/replace/";

/** Where a replacement that was planted goes: nothing is shown in another's place by it, and nothing is lost. */
const PLANTED = "refs/graftwork/planted/";

/** What was found when nobody worked in a slot, with a stamp that tells cheaply whether it is still so. */
type Pinned = { stamp: string; guarded: Guarded };

/**
 * Takes the repository's settings, hooks and attributes as they are now for the user's own. Called when no task is at
 * work: what changes from here on, while one is, may have been planted. Nothing to do where nothing changed.
 */
export async function pinSettings(repository: Repository): Promise<void> {
  const stamp = stampOf(repository);
  if (readPinned(repository)?.stamp === stamp) return;
  const [guarded, included] = await Promise.all([readGuarded(repository), settingsOf(repository, "--includes")]);
  const config = configText(included.filter(([key]) => shapesFiles(key)).map(([key, value]) => [key, value]));
  makeOwnGit(repository, "pinned", { config, attributes: Buffer.from(guarded.attributes ?? "", "latin1").toString() });
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

/**
 * Puts back what was there before. Hooks and attributes that were planted are kept in `graftwork/planted/`, replaced
 * objects below `refs/graftwork/planted/`.
 */
export async function undoPlanted(repository: Repository, planted: readonly Planted[]): Promise<void> {
  await withMutex(repository.layout.adminMutex, async () => {
    for (const one of planted) {
      if (one.kind === "setting") await putBackSetting(repository, one.file, one.name, one.before);
      else if (one.kind === "replacement") await putBackReplacement(repository, one);
      else if (one.kind === "hook") putBackFile(repository, join("hooks", one.name), one);
      else putBackFile(repository, one.name, one);
    }
  });
  await plantedSettings(repository);
}

async function putBackSetting(repository: Repository, file: SettingsFile, name: string, values: readonly string[]): Promise<void> {
  const config = (args: readonly string[], answers: readonly number[]) =>
    runGit(repository, { cwd: repository.commonDir, args: ["config", "--file", join(repository.commonDir, file), ...args], answers });
  await config(["--unset-all", name], [0, 5]);
  for (const value of values) await config(["--add", name, value], [0]);
}

type Change = { name: string; before: string | null; now: string | null };

async function putBackReplacement(repository: Repository, { name, before, now }: Change): Promise<void> {
  const aside = { ref: `${PLANTED}${basename(name)}.${randomUUID().slice(0, 8)}`, set: now ?? "", old: null };
  const back = before === null ? { ref: name, remove: true as const, old: now ?? "" } : { ref: name, set: before, old: now };
  const refused = await updateRefs(repository, now === null ? [back] : [aside, back], "put aside a planted replacement");
  if (refused === undefined) return;
  throw new GraftworkError("GIT_FAILED", {
    message: `${name} could not be put back.`,
    because: refused,
    try: "run the same command again: something else changed it at the same moment.",
  });
}

function putBackFile(repository: Repository, file: string, { before, now }: Change): void {
  const path = join(repository.commonDir, file);
  const isHook = dirname(file) === "hooks";
  if (now !== null) {
    const aside = join(repository.layout.root, "planted");
    mkdirSync(aside, { recursive: true, mode: 0o700 });
    const kept = join(aside, `${file.replace(/^hooks\//, "").replaceAll("/", "-")}.${randomUUID().slice(0, 8)}`);
    renameSync(path, kept);
    // A link's mode is that of a file elsewhere.
    if (isHook && lstatSync(kept).isFile()) chmodSync(kept, 0o600);
  }
  if (before === null) return;
  // The folder's own place: what was a link there has been moved away before.
  if (file === "hooks") return symlinkSync(before, path);
  replaceFile(path, Buffer.from(before, "latin1"));
  if (isHook) chmodSync(path, 0o755);
}

async function settingsOf(repository: Repository, includes: "--includes" | "--no-includes"): Promise<Setting[]> {
  const files = SETTINGS_FILES.filter((file) => existsSync(join(repository.commonDir, file)));
  return (await Promise.all(files.map((file) => readSettings(repository, file, includes)))).flat();
}

/** `--list` runs nothing; a file that is included is followed only to know how files are to be written. */
async function readSettings(repository: Repository, file: SettingsFile, includes: "--includes" | "--no-includes"): Promise<Setting[]> {
  const path = join(repository.commonDir, file);
  const answer = await runGit(repository, { cwd: repository.commonDir, args: ["config", "--file", path, includes, "--list", "-z"] });
  return splitNul(answer.text).map((entry) => {
    const end = entry.indexOf("\n");
    return end < 0 ? [entry, "true", file] : [entry.slice(0, end), entry.slice(end + 1), file];
  });
}

async function readGuarded(repository: Repository): Promise<Guarded> {
  const [settings, replacements] = await Promise.all([settingsOf(repository, "--no-includes"), readRefs(repository, REPLACED)]);
  const bytes = (path: string): string | null => readBytes(join(repository.commonDir, path))?.toString("latin1") ?? null;
  const link = lstatSync(join(repository.commonDir, "hooks"), { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return {
    settings: settings.filter(([key, , file]) => isGuarded(key, file)),
    attributes: bytes("info/attributes"),
    hooks: {
      ...(link ? { ".": readlinkSync(join(repository.commonDir, "hooks")) } : {}),
      ...Object.fromEntries(hooksOf(repository).map((name) => [name, bytes(`hooks/${name}`) ?? ""])),
    },
    replacements: Object.fromEntries(replacements),
  };
}

/** Hooks that are there as files, or as links to some; a folder beside them is what they call, and no hook. */
function hooksOf(repository: Repository): string[] {
  const folder = join(repository.commonDir, "hooks");
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder).filter(
    (name) => !name.endsWith(".sample") && statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true,
  );
}

/**
 * Of the settings what they say, since git writes them anew with every branch it deletes; of the rest the times: a
 * file's cannot all be set back, its ctime rises with every change.
 */
function stampOf(repository: Repository): string {
  const settings = SETTINGS_FILES.map((name) => unlessUnreadable(() => contentDigest(join(repository.commonDir, name))));
  const packed = unlessUnreadable(() => readBytes(join(repository.commonDir, "packed-refs")) ?? "");
  const files = [
    "info/attributes",
    "refs/replace",
    // Also written anew with every branch that is deleted.
    ...(packed.includes(REPLACED) ? ["packed-refs"] : []),
    "hooks",
    ...hooksOf(repository).map((name) => `hooks/${name}`),
  ];
  const stamps = files.map((name) => {
    const stat = lstatSync(join(repository.commonDir, name), { throwIfNoEntry: false });
    return stat === undefined ? name : `${name} ${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
  });
  return [...settings, ...stamps].join("\n");
}

/** What may not be read is another stamp: git says then what is wrong. */
function unlessUnreadable<Result>(read: () => Result): Result | string {
  try {
    return read();
  } catch (error) {
    return `${REPLACED} may be anything: ${systemCode(error) ?? String(error)}`;
  }
}

function readPinned(repository: Repository): Pinned | undefined {
  const pinned = parsed(readText(repository.layout.pinned));
  // One from before replaced objects were looked at is none.
  return pinned?.guarded?.replacements === undefined ? undefined : (pinned as Pinned);
}

/** Not flushed when it is written: a power cut may leave it empty. */
function parsed(text: string | undefined): Partial<Pinned> | null {
  try {
    return JSON.parse(text ?? "null") as Partial<Pinned> | null;
  } catch {
    return null;
  }
}

function keep(repository: Repository, pinned: Pinned): void {
  replaceFile(repository.layout.pinned, `${JSON.stringify(pinned)}\n`);
}
