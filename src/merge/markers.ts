import { type ConflictStage, type Repository, readBlob } from "../git/index.ts";

/** Lines of a resolved file that are conflict markers and that no side had: a file may hold such lines of its own. */
export async function newMarkers(repository: Repository, sides: readonly ConflictStage[], bytes: Buffer): Promise<string[]> {
  const known = new Set((await Promise.all(sides.map(({ oid }) => readBlob(repository, oid)))).flatMap(markersIn));
  return markersIn(bytes).filter((line) => !known.has(line));
}

/** What git writes, longer ones in a merge of merges included; a text about merging, or a heading underlined, looks the same. */
function markersIn(bytes: Buffer): string[] {
  return bytes
    .toString("utf8")
    .split(/\r?\n/)
    .filter((line) => /^(?:<{7,}|>{7,}|\|{7,}|={7})(?: |$)/.test(line));
}
