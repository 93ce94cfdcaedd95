import { join } from "node:path";
import { makeFolderWhole, readText } from "../state/index.ts";
import { GRAFTWORK } from "./commit-objects.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import { quarantineOf } from "./quarantine.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import { withScratchIndex } from "./scratch-index.ts";

/**
 * Writes the files of a commit into an empty folder outside any repository, with a small repository of its own
 * around them (one branch `main` at `commit`, objects borrowed from the project's store), so that tests which call
 * git work. Never `git archive`, which drops and rewrites files (review-core rule 10); no filter, no hook.
 * `history`: the commits before it can be read too; without it the repository knows this one alone.
 */
export async function exportTree(repository: Repository, commit: Oid, into: string, history = false): Promise<void> {
  await withScratchIndex(repository, async (indexFile) => {
    const call = { ...ownGit(repository, "plain"), cwd: into, workTree: into, indexFile };
    await runGit(repository, { ...call, args: ["read-tree", commit] });
    await runGit(repository, { ...call, args: ["checkout-index", "--all", "--quiet", "--force"] });
  });
  await smallRepository(repository, commit, into, history);
}

async function smallRepository(repository: Repository, commit: Oid, into: string, history: boolean): Promise<void> {
  const shallow = history ? readText(join(repository.commonDir, "shallow")) : `${commit}\n`;
  const sha256 = repository.objectFormat === "sha256";
  const gitDir = join(into, ".git");
  makeFolderWhole(gitDir, {
    HEAD: "ref: refs/heads/main\n",
    config: `[core]\n\trepositoryformatversion = ${sha256 ? 1 : 0}\n\tbare = false\n\tlogallrefupdates = true\n[user]\n\tname = ${GRAFTWORK.name}\n\temail = ${GRAFTWORK.email}\n[gc]\n\tauto = 0\n${sha256 ? "[extensions]\n\tobjectformat = sha256\n" : ""}`,
    "refs/heads/main": `${commit}\n`,
    "objects/info/alternates": `${[join(repository.commonDir, "objects"), ...quarantineOf(repository)].join("\n")}\n`,
    ...(shallow === undefined ? {} : { shallow }),
  });
  // A store of its own: also of what is only asked, where git would move no ref.
  const { quarantine: _, ...own } = repository;
  await runGit(own, { cwd: into, gitDir, workTree: into, args: ["reset", "--mixed", "--quiet"] });
}
