import { randomUUID } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { GraftworkError, systemCode } from "../domain/index.ts";
import { chmodSync, mkdirSync, readBytes, renameSync, replaceFile, symlinkSync, withMutex } from "../state/index.ts";
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
import { keepPinned, readPinned } from "./pinned-record.ts";
import { readRefs, updateRefs } from "./refs.ts";
import type { Repository } from "./repository.ts";
import { contentDigest } from "./repository-facts.ts";
import { runGit, splitNul } from "./run-git.ts";

const REPLACED = "refs/replace/";

/** Where a replacement that was planted goes: nothing is shown in another's place by it, and nothing is lost. */
const PLANTED = "refs/graftwork/planted/";

/**
 * Takes the repository's settings, hooks and attributes as they are now for the user's own. Called when no task is at
 * work: what changes from here on, while one is, may have been planted. Nothing to do where nothing changed.
 */
export async function pinSettings(repository: Repository): Promise<void> {
  const stamp = stampOf(repository);
  const known = readPinned(repository, false);
  if (known.kind === "found" && known.pinned.stamp === stamp) return;
  const [guarded, included] = await Promise.all([readGuarded(repository), settingsOf(repository, "--includes")]);
  const config = configText(included.filter(([key]) => shapesFiles(key)).map(([key, value]) => [key, value]));
  const shape = { config, attributes: Buffer.from(guarded.attributes ?? "", "latin1").toString() };
  keepPinned(repository, { stamp, guarded, shape });
}

/**
 * Returns what changed since the settings were pinned. Call it while a task is at work. It is cheap if nothing was touched.
 * Throws SETTINGS_UNKNOWN if the record is gone, since nobody can then tell whose settings these are.
 */
export async function plantedSettings(repository: Repository): Promise<Planted[]> {
  const record = readPinned(repository, true);
  if (record.kind === "lost") throw settingsUnknown(repository);
  if (record.kind === "none") {
    await pinSettings(repository);
    return [];
  }
  const { pinned } = record;
  const stamp = stampOf(repository);
  if (pinned.stamp === stamp) return [];
  const planted = plantedBetween(pinned.guarded, await readGuarded(repository));
  // The file was written, nothing that matters is another (a branch's upstream, say): looked at once, not each time.
  if (planted.length === 0) keepPinned(repository, { ...pinned, stamp });
  return planted;
}

function settingsUnknown({ commonDir, layout }: Repository): GraftworkError {
  return new GraftworkError("SETTINGS_UNKNOWN", {
    message: "It is not known any more which of the repository's git settings are yours.",
    because: `slots are leased, and the record of before, in ${layout.trusted}, is gone or was changed by something else than graftwork. What an agent planted may stand in ${commonDir} now: in config, hooks/ and info/attributes.`,
    try: "look at those; when they are as you want them, `graftwork trust allow --settings` takes them for yours.",
    details: { commonDir, trusted: layout.trusted },
  });
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
  const bytes = (name: string): string | null => readBytes(join(repository.commonDir, name))?.toString("latin1") ?? null;
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
