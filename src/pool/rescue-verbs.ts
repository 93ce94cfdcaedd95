import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { GraftworkError } from "../domain/index.ts";
import { messageOf, type Oid, readRefs, writeCapture } from "../git/index.ts";
import { cpSync, mkdirSync } from "../state/index.ts";
import { type PoolContext, poolFolder } from "./context.ts";
import { RESCUE_PREFIX, type RescueNote } from "./rescue.ts";

/** One saved piece of work, as `rescue list` shows it. */
export type RescueEntry = { id: string; ref: string; commit: Oid; note: RescueNote };

/** All rescues of this repository, oldest first. */
export async function listRescues(context: PoolContext): Promise<RescueEntry[]> {
  const refs = await readRefs(context.repository, RESCUE_PREFIX);
  const all = await Promise.all(
    [...refs].map(
      async ([ref, commit]): Promise<RescueEntry> => ({
        id: ref.slice(RESCUE_PREFIX.length),
        ref,
        commit,
        note: parseNote(await messageOf(context.repository, commit)),
      }),
    ),
  );
  return all.sort((a, b) => a.note.at.localeCompare(b.note.at));
}

/** Throws RESCUE_UNKNOWN. */
export async function requireRescue(context: PoolContext, id: string): Promise<RescueEntry> {
  const all = await listRescues(context);
  const found = all.find((entry) => entry.id === id || entry.ref === id);
  if (found !== undefined) return found;
  throw new GraftworkError("RESCUE_UNKNOWN", {
    message: `There is no rescue ${JSON.stringify(id.slice(0, 120))}.`,
    because:
      all.length === 0
        ? "nothing was ever rescued here."
        : `there are ${all
            .slice(-5)
            .map((entry) => entry.id)
            .join(", ")}.`,
    try: "`pool-manager rescue list`.",
  });
}

export type Restored = { folder: string; files: number };

/**
 * Writes a rescue's whole tree into a folder, byte for byte, with what was kept in the trash at its place. The
 * folder must be new or empty, so that nothing there is overwritten. The rescue stays.
 */
export async function restoreRescue(context: PoolContext, id: string, into: string | undefined, cwd: string): Promise<Restored> {
  const entry = await requireRescue(context, id);
  const folder =
    into === undefined
      ? join(poolFolder(context.repository, context.settings), "restored", entry.id.replace("/", "-"))
      : resolve(cwd, into);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new GraftworkError("USAGE", {
      message: `${folder} is not empty, so nothing was restored.`,
      because: "a restore never overwrites files.",
      try: `\`pool-manager rescue restore ${entry.id} --to NEW-FOLDER\`.`,
    });
  }
  mkdirSync(folder, { recursive: true });
  await writeCapture(context.repository, entry.commit, folder);
  for (const { path, kept } of entry.note.trash) {
    if (!existsSync(kept) || path.startsWith(".git/")) continue;
    const to = join(folder, path);
    mkdirSync(dirname(to), { recursive: true });
    cpSync(kept, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  }
  return { folder, files: entry.note.files.length + entry.note.trash.length };
}

function parseNote(message: string): RescueNote {
  const start = message.indexOf("{");
  try {
    return JSON.parse(message.slice(start)) as RescueNote;
  } catch {
    return { task: "?", slot: "?", branch: null, head: null, reason: "its note is unreadable", at: "", files: [], trash: [], extra: [] };
  }
}
