import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as v from "valibot";
import { systemCode } from "../domain/index.ts";
import { type Oid, type Repository, readRef, updateRefs } from "../git/index.ts";
import { makeFolderWhole, readText, rmdirSync } from "../state/index.ts";
import { identityOf, livenessOf, sweepProcesses } from "../subprocess/index.ts";
import { judgingFolder, judgingFolders, roomsFolder } from "./cache-folder.ts";
import { type FreshCheckout, freshCheckout } from "./fresh-checkout.ts";
import { removeTree } from "./remove-tree.ts";

/** The place of one verification: its checkouts, and whatever it must leave behind by no means. */
export type Room = {
  /** Unique for ever. */
  id: string;
  path: string;
  /** A ref that holds what is looked at; it is gone when the room is. */
  pin: string;
  /** In the environment of everything that runs here, so that it can be found and ended. */
  marker: Readonly<Record<string, string>>;
  /** A new checkout, with nothing of the others in it. */
  checkout(commit: Oid, options?: { history?: boolean }): Promise<FreshCheckout>;
  /** Ends every process of the room, those that left their group too. */
  sweep(): Promise<void>;
  dispose(): Promise<void>;
};

const MARKER = "GRAFTWORK_QA";
const GRACE_MS = 1_000;
/** A room whose process cannot be asked after (another host, a half-made one) is taken for left after so long. */
const LEFT_AFTER_MS = 7 * 24 * 3_600_000;

const OwnerSchema = v.object({
  process: v.object({ pid: v.number(), startTime: v.string(), bootId: v.string(), host: v.string() }),
  // Anybody may have written the file: no other ref is ever removed on its word.
  pin: v.pipe(v.string(), v.startsWith("refs/graftwork/qa/")),
});

/**
 * Opens a room. Its name stays short: unix sockets in TMPDIR have room for 108 characters.
 * `pin` is a ref of the repository that belongs to it; should this process be killed, `sweepRooms` removes both.
 */
export function openRoom(repository: Repository, pin: (id: string) => string): Room {
  const id = `${process.pid}.${randomBytes(4).toString("hex")}`;
  const rooms = judgingFolder(repository);
  const owner: v.InferOutput<typeof OwnerSchema> = { process: identityOf(process.pid), pin: pin(id) };
  const path = inFolder(() => {
    const made = join(roomsFolder(rooms), id);
    makeFolderWhole(made, { "owner.json": `${JSON.stringify(owner)}\n` });
    return made;
  });
  let made = 0;
  return {
    id,
    path,
    pin: owner.pin,
    marker: { [MARKER]: id },
    checkout: (commit, options) => freshCheckout(repository, commit, join(path, String(++made)), options?.history ?? false),
    sweep: () => sweep(path),
    async dispose() {
      await sweep(path);
      // What cannot be deleted now is found by the next sweep; the verdict stands all the same.
      await removeTree(path).catch(() => undefined);
      removeIfEmpty(rooms);
    },
  };
}

/** True if this is a room of the repository. Ids come from environments, which anybody may have set. */
export function isRoom(repository: Repository, id: string): boolean {
  return /^\d+\.[0-9a-f]+$/.test(id) && judgingFolders(repository).some((folder) => existsSync(join(folder, id)));
}

/** The last room of another process takes their folder with it, perhaps just before the first file is made there. */
function inFolder(make: () => string): string {
  for (let tries = 1; ; tries++) {
    try {
      return make();
    } catch (error) {
      if (tries === 5 || systemCode(error) !== "ENOENT") throw error;
    }
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Another room is there.
  }
}

/**
 * Clears what verifications of killed processes left: their programs, folders and refs. Returns the folders. Rooms
 * of live processes are not touched, whoever they belong to.
 */
export async function sweepRooms(repository: Repository, now: Date): Promise<string[]> {
  const rooms = judgingFolders(repository).filter((folder) => existsSync(folder));
  const left = rooms.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))).filter((path) => isLeft(path, now));
  for (const path of left) {
    const pin = ownerOf(path)?.pin;
    await sweep(path);
    const old = pin === undefined ? undefined : await readRef(repository, pin);
    if (pin !== undefined && old !== undefined)
      await updateRefs(repository, [{ ref: pin, remove: true, old }], "a verification was killed");
    await removeTree(path).catch(() => undefined);
    removeIfEmpty(dirname(path));
  }
  return left;
}

async function sweep(path: string): Promise<void> {
  await sweepProcesses({ markers: [`${MARKER}=${basename(path)}`], folders: [path] }, GRACE_MS);
}

function isLeft(path: string, now: Date): boolean {
  const owner = ownerOf(path);
  const liveness = owner === undefined ? "unknown" : livenessOf(owner.process);
  if (liveness !== "unknown") return liveness === "dead";
  const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return changed !== undefined && now.getTime() - changed > LEFT_AFTER_MS;
}

function ownerOf(path: string): v.InferOutput<typeof OwnerSchema> | undefined {
  try {
    const read = v.safeParse(OwnerSchema, JSON.parse(readText(join(path, "owner.json")) ?? ""));
    return read.success ? read.output : undefined;
  } catch {
    return undefined;
  }
}
