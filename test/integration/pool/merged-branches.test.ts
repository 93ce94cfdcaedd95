import { join } from "node:path";
import { expect, test } from "vitest";
import { poolFolder } from "../../../src/pool/context.ts";
import { acquireSlot, cleanupPool, initPool, listRescues, releaseSlot, restoreRescue } from "../../../src/pool/index.ts";
import { commitFiles, git, tempFolder } from "../../fixtures/index.ts";
import { type Lab, lab } from "./lab.ts";

/** A released task with these commits on its branch. */
async function done(all: Lab, task: string, ...commits: readonly Record<string, string>[]): Promise<string> {
  const { path } = await acquireSlot(all.context, { task });
  for (const files of commits) commitFiles(path, files);
  const tip = git(path, "rev-parse", "HEAD");
  await releaseSlot(all.context, { name: task });
  return tip;
}

test("cleanup deletes branches of ours that were merged, by a merge or by squashing, and keeps all others", async () => {
  const all = await lab();
  await initPool(all.context, { size: 1 });
  await done(all, "merged", { "m.txt": "m\n" });
  const squashed = await done(all, "squashed", { "s.txt": "one\n" }, { "s.txt": "one\ntwo\n", "t.txt": "t\n" });
  await done(all, "half", { "h.txt": "h\n" }, { "i.txt": "i\n" });
  await done(all, "open", { "o.txt": "o\n" });
  all.repo.git("branch", "auto/by-hand", "auto/merged");
  all.repo.git("merge", "-q", "--no-ff", "-m", "merges", "auto/merged");
  all.repo.git("merge", "-q", "--squash", "auto/squashed");
  all.repo.git("commit", "-q", "-m", "squashes");
  all.repo.commit({ "later.txt": "main goes on\n" });
  all.repo.git("cherry-pick", "auto/half~1");

  const { deletedBranches, keptBranches } = await cleanupPool(all.context, { force: false });
  expect([...deletedBranches].sort()).toEqual(["auto/merged", "auto/squashed"]);
  expect([...keptBranches].sort()).toEqual(["auto/half", "auto/open"]);
  expect(all.repo.git("branch", "--list", "auto/by-hand", "--format=%(refname:short)")).toBe("auto/by-hand");
  // The commits of a squashed branch are in no other ref: they are kept for as long as any rescue.
  all.repo.git("reflog", "expire", "--expire=now", "--all");
  all.repo.git("gc", "-q", "--prune=now");
  expect(all.repo.git("cat-file", "-t", squashed)).toBe("commit");
  const [rescue] = await listRescues(all.context);
  const to = join(tempFolder("restored"), "out");
  await restoreRescue(all.context, rescue?.id ?? "", to, "/");
  expect(git(to, "hash-object", "t.txt")).toBe(git(all.repo.dir, "hash-object", "t.txt"));
});

test("the slots of a repository beside which nothing can be made go to the user's cache folder", async () => {
  const { context } = await lab();
  const parentEnv = { ...context.repository.parentEnv, XDG_CACHE_HOME: "/home/somebody/.cache" };
  const repository = { ...context.repository, root: join(tempFolder("gone"), "not-there", "repo"), parentEnv };
  expect(poolFolder(repository, context.settings)).toMatch(/^\/home\/somebody\/\.cache\/graftwork\/[0-9a-f]{16}\/pool$/);
});
