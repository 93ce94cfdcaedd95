import { posix } from "node:path";
import { readBlob } from "./commit-objects.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitPaths } from "./run-git.ts";

/** Path of a link in a tree → where it leads in that tree. */
export type Symlinks = ReadonlyMap<string, string>;

/** At most this many links are followed. */
const STEPS = 20;

/** What trees said before: an object never changes. */
const known = new Map<string, Promise<Symlinks>>();
const KEPT = 20;

/** Returns all links of a tree (or commit) that stay in it, with the place that each finally leads to. */
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
  const links = new Map<string, string>();
  for (const line of listed) {
    const [, oid, path] = /^120000 blob (\S+)\t([\s\S]+)$/.exec(line) ?? [];
    if (oid === undefined || path === undefined) continue;
    const target = inTree(path, (await readBlob(repository, oid)).toString("utf8"));
    if (target !== undefined) links.set(path, target);
  }
  return new Map([...links].map(([path, target]) => [path, through(links, target)]));
}

/** A link's text as a path from the top; undefined if it leads out. */
function inTree(path: string, text: string): string | undefined {
  const target = posix.normalize(posix.join(posix.dirname(path), text)).replace(/\/$/, "");
  return text.startsWith("/") || target.startsWith("..") ? undefined : target;
}

/** A path with each link on its way replaced by what it leads to. */
function through(links: ReadonlyMap<string, string>, path: string): string {
  let at = path;
  for (let step = 0; step < STEPS; step++) {
    const parts = at.split("/");
    const end = parts.findIndex((_, n) => links.has(parts.slice(0, n + 1).join("/"))) + 1;
    if (end === 0) return at;
    at = [links.get(parts.slice(0, end).join("/")) ?? "", ...parts.slice(end)].join("/");
  }
  return at;
}
