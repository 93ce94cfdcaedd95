import { readBlob } from "./commit-objects.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitPaths } from "./run-git.ts";

/** Path of a symlink in a tree → the symlinks that it leads through, and last its target. */
export type Symlinks = ReadonlyMap<string, readonly string[]>;

/** At most this many links are followed. */
const STEPS = 20;

/** What trees said before: an object never changes. */
const known = new Map<string, Promise<Symlinks>>();
const KEPT = 20;

/** Returns all symlinks of a tree or commit, each with the paths that it leads through and to. */
export function symlinksIn(repository: Repository, tree: Oid): Promise<Symlinks> {
  const key = `${repository.commonDir}\0${tree}`;
  const kept = known.get(key);
  if (kept !== undefined) return kept;
  const read = readSymlinks(repository, tree);
  known.set(key, read);
  read.catch(() => known.delete(key));
  for (const oldest of known.keys()) {
    if (known.size <= KEPT) break;
    known.delete(oldest);
  }
  return read;
}

async function readSymlinks(repository: Repository, tree: Oid): Promise<Symlinks> {
  const listed = splitPaths(await runGit(repository, { ...ownGit(repository, "plain"), args: ["ls-tree", "-r", "-z", tree] }));
  const texts = new Map<string, string>();
  for (const line of listed) {
    const [, oid, path] = /^120000 blob (\S+)\t([\s\S]+)$/.exec(line) ?? [];
    if (oid !== undefined && path !== undefined) texts.set(path, (await readBlob(repository, oid)).toString("utf8"));
  }
  return new Map([...texts.keys()].map((path) => [path, placesBehind(texts, path)]));
}

/**
 * Follows a symlink as the system does: a `..` after a symlink goes up from that symlink's target. Returns each symlink on the
 * way and the final target. Leaves the final target out if it is outside the tree.
 */
export function placesBehind(texts: ReadonlyMap<string, string>, link: string): string[] {
  const places: string[] = [];
  const at = link.split("/").slice(0, -1);
  let left = (texts.get(link) ?? "").split("/");
  if (texts.get(link)?.startsWith("/") === true) return places;
  for (let part = left.shift(); part !== undefined; part = left.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.pop() === undefined) return places;
      continue;
    }
    const place = [...at, part].join("/");
    const text = texts.get(place);
    if (text === undefined) at.push(part);
    else {
      places.push(place);
      if (text.startsWith("/") || places.length > STEPS) return places;
      left = [...text.split("/"), ...left];
    }
  }
  return [...places, at.length === 0 ? "." : at.join("/")];
}
