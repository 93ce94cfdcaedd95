import { isUtf8 } from "node:buffer";
import { type ConflictStage, type MergeSides, type Repository, readBlob, wantedName } from "../git/index.ts";
import { newMarkers } from "./resolvers/proof/markers.ts";

/** A conflicted file as its sides have it; undefined where one lacks it. */
export type Sides = { base: string | undefined; ours: string | undefined; theirs: string | undefined };

const ORDINARY = new Set(["100644", "100755"]);
const SUBMODULE = "160000";

/** A file of bytes: no symlink and no submodule. */
export function isOrdinary({ mode }: Pick<ConflictStage, "mode">): boolean {
  return ORDINARY.has(mode);
}

/** The name in the merged tree of the file that is to be edited for a path. */
export function laidName(path: string, stages: readonly ConflictStage[]): string {
  return stages.find((stage) => stage.path === path && stage.moved !== undefined)?.moved ?? path;
}

/** Returns the names that git made up while it merged. It does so if two things want one name. */
export function namesByGit({ stages, sides }: { stages: readonly ConflictStage[]; sides: MergeSides }): string[] {
  return stages.map(({ path, moved = path }) => moved).filter((name) => wantedName(name, Object.values(sides)) !== name);
}

/** What git merges line by line. */
export function isText(bytes: Uint8Array): boolean {
  return isUtf8(bytes) && !bytes.includes(0);
}

/** The sides of one path as text; undefined where one of them is none. */
export async function textsOf(repository: Repository, stages: readonly ConflictStage[]): Promise<Sides | undefined> {
  const sides = await bytesOf(repository, stages);
  if (sides === undefined || !sides.every((bytes) => bytes === undefined || isText(bytes))) return undefined;
  const [base, ours, theirs] = sides.map((bytes) => bytes?.toString("utf8"));
  return { base, ours, theirs };
}

/** Lines of a resolved file that are left of its conflict, whatever its encoding. */
export async function markersLeft(repository: Repository, stages: readonly ConflictStage[], bytes: Buffer): Promise<string[]> {
  const sides = (await bytesOf(repository, stages)) ?? [];
  const [base = "", ours = "", theirs = ""] = sides.map((side) => side?.toString("latin1"));
  return newMarkers(base, ours, theirs, bytes.toString("latin1"));
}

/** Base, ours and theirs; undefined where one is a submodule, whose commit is not among our objects. */
async function bytesOf(repository: Repository, stages: readonly ConflictStage[]): Promise<(Buffer | undefined)[] | undefined> {
  if (stages.some(({ mode }) => mode === SUBMODULE)) return undefined;
  return Promise.all(
    [1, 2, 3].map(async (n) => {
      const stage = stages.find((one) => one.stage === n);
      return stage && readBlob(repository, stage.oid);
    }),
  );
}
