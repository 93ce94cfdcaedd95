import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runRig, writes } from "./run-rig.ts";

/** A commit whose tree has one entry that leads to `escaped`, made of names such as `..`; as `git mktree` allows it. */
const commitAt = (names: readonly string[]): string => {
  const inside = "tree=$(printf '100644 blob %s\\tescaped\\n' $(git rev-parse HEAD:f) | git mktree)";
  const folders = names.slice(1).map((name) => `tree=$(printf '040000 tree %s\\t${name}\\n' $tree | git mktree)`);
  const root = `tree=$({ git ls-tree HEAD; printf '040000 tree %s\\t${names[0]}\\n' $tree; } | git mktree)`;
  return `${[inside, ...folders, root].join("\n")}\ngit update-ref HEAD $(git commit-tree -p HEAD -m work $tree)`;
};

describe("a task whose commit has a path that git checks out nowhere", () => {
  test.each([
    ["out of the folder", [".."]],
    ["far out of it", ["..", ".."]],
    ["into a git directory", [".git"]],
    ["into a git directory of another system", ["GIT~1", "hooks"]],
  ])("fails alone, is kept, and is tried again on a sound branch: %s", async (_, names) => {
    const rig = await runRig({
      agents: { "bad.1": commitAt(names), "bad.2": commitAt(names), a: writes("a"), b: writes("b") },
      tasks: [{ id: "bad", retries: 1 }, "a", { id: "b", depends_on: ["a"] }],
    });
    expect((await rig.run()).exit).toBe(4);
    expect([rig.task("bad").status, rig.task("a").status, rig.task("b").status]).toEqual(["failed", "done", "done"]);
    expect(rig.task("bad").lastError).toContain("/escaped");
    expect(rig.starts("bad")).toBe(2);
    const kept = rig.repo.git("for-each-ref", "--format=%(refname)", "refs/graftwork/attempts");
    expect(kept).toMatch(/bad\/1-unsafe\n.*bad\/2-unsafe$/);
    expect([rig.repo.dir, rig.repo.parent, `${rig.repo.dir}.pool`].filter((folder) => existsSync(join(folder, "escaped")))).toEqual([]);
    expect(rig.repo.git("worktree", "list", "--porcelain")).not.toContain("prunable");
  });

  test("and succeeds if the next attempt makes a sound one", async () => {
    const rig = await runRig({
      agents: { "a.1": commitAt([".."]), "a.2": writes("a") },
      tasks: [{ id: "a", retries: 1 }],
    });
    expect((await rig.run()).exit).toBe(0);
    expect([rig.has("a.txt"), rig.repo.git("log", "--format=%s", "main")]).toEqual([true, expect.not.stringContaining("work")]);
  });
});

test.each(["/dev/zero", "/etc/passwd"])("a manifest that is a link to %s is refused by name; the others land", async (to) => {
  const rig = await runRig({
    agents: { bad: `ln -s ${to} package.json; commit link`, a: writes("a") },
    tasks: [{ id: "bad", retries: 0 }, "a"],
  });
  expect((await rig.run()).exit).toBe(5);
  expect([rig.task("bad").status, rig.task("a").status]).toEqual(["conflict", "done"]);
  expect(rig.task("bad").lastError).toContain("package.json");
});
