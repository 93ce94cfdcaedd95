import { readBlob } from "./commit-objects.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit, splitNul } from "./run-git.ts";
import { withScratchIndex } from "./scratch-index.ts";

/** What an export, which runs no filter and fetches nothing, cannot write as the project's own checkout would have it. */
export type ExportLimits = {
  /** Paths of submodules, exported as empty folders. */
  submodules: readonly string[];
  /** Paths whose attributes name a filter (LFS, git-crypt, …): the bytes in git are not those a checkout shows. */
  filtered: readonly { path: string; filter: string }[];
};

/** Reads the tree alone: what the repository's configuration or an agent's `info/attributes` say is not asked. */
export async function exportLimits(repository: Repository, commit: Oid): Promise<ExportLimits> {
  const own = ownGit(repository, "plain");
  const listing = await runGit(repository, { ...own, args: ["ls-tree", "-r", "-z", "--full-tree", commit] });
  const entries = splitNul(listing.text).map((line) => {
    const tab = line.indexOf("\t");
    const [mode = "", , oid = ""] = line.slice(0, tab).split(" ");
    return { mode, oid, path: line.slice(tab + 1) };
  });
  const submodules = entries.filter(({ mode }) => mode === "160000").map(({ path }) => path);
  // Few trees name a filter at all: only those pay for an index and a look at every path.
  for (const { oid } of entries.filter(({ path }) => /(?:^|\/)\.gitattributes$/.test(path))) {
    if (!(await readBlob(repository, oid)).includes("filter")) continue;
    const paths = entries.filter(({ mode }) => mode !== "160000").map(({ path }) => path);
    return { submodules, filtered: await filteredPaths(repository, commit, paths) };
  }
  return { submodules, filtered: [] };
}

async function filteredPaths(repository: Repository, commit: Oid, paths: readonly string[]): Promise<{ path: string; filter: string }[]> {
  const { scratch } = repository.layout;
  return withScratchIndex(repository, async (indexFile) => {
    const call = { ...ownGit(repository, "plain"), cwd: scratch, workTree: scratch, indexFile };
    await runGit(repository, { ...call, args: ["read-tree", commit] });
    const answer = await runGit(repository, {
      ...call,
      args: ["check-attr", "--cached", "-z", "--stdin", "filter"],
      stdin: paths.map((path) => `${path}\0`).join(""),
    });
    const parts = splitNul(answer.text);
    const found: { path: string; filter: string }[] = [];
    for (let i = 0; i + 2 < parts.length; i += 3) {
      const [path = "", , filter = ""] = parts.slice(i, i + 3);
      // `set` (the bare word) and `unset` name no program.
      if (!["unspecified", "unset", "set"].includes(filter)) found.push({ path, filter });
    }
    return found;
  });
}
