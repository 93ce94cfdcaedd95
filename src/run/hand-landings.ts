import { join } from "node:path";
import * as v from "valibot";
import type { Oid, Repository } from "../git/index.ts";
import { readText, replaceFile } from "../state/index.ts";

/** A merge by hand that moved its target. */
export type HandLanding = { target: string; from: Oid; to: Oid };

const FileSchema = v.object({
  schema: v.literal(1),
  landings: v.array(v.object({ target: v.string(), from: v.string(), to: v.string() })),
});
const KEPT = 100;

const fileOf = ({ layout }: Repository): string => join(layout.root, "hand-landings.json");

/** The merges by hand of this repository, oldest first; none if the file cannot be read. */
export function handLandings(repository: Repository): HandLanding[] {
  try {
    return v.parse(FileSchema, JSON.parse(readText(fileOf(repository)) ?? "")).landings;
  } catch {
    return [];
  }
}

/** Keeps a merge by hand, so that it can be undone. One merge by hand runs at a time. */
export function keepHandLanding(repository: Repository, landing: HandLanding): void {
  write(repository, [...handLandings(repository), landing].slice(-KEPT));
}

export function forgetHandLanding(repository: Repository, { to }: HandLanding): void {
  write(
    repository,
    handLandings(repository).filter((one) => one.to !== to),
  );
}

function write(repository: Repository, landings: readonly HandLanding[]): void {
  replaceFile(fileOf(repository), `${JSON.stringify({ schema: 1, landings })}\n`);
}
