import { chmodSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { acceptResolution, collidingWith, openConflict } from "../../../src/merge/index.ts";
import type { OpenConflict } from "../../../src/merge/open-conflict.ts";
import type { TempRepo } from "../../fixtures/index.ts";
import { bench } from "./bench.ts";

const BASE = { "a.txt": "one\ntwo\nthree\n", "gone.txt": "gone\n", "==.txt": "Title\n=======\n" };
const KEPT = "refs/graftwork/attempts/r/x/2-resolver";
const BOTH = "one\nmain\nx\nthree\n";

type Stage = Awaited<ReturnType<typeof bench>> & {
  conflict: OpenConflict;
  branch: string;
  /** Lets somebody work where the merge is laid out, and commit all of it. */
  work: (...steps: readonly ((folder: string) => void)[]) => string;
  accept: (tip: string) => ReturnType<typeof acceptResolution>;
};

/** Task x against main, in a.txt and whatever else the sides change. */
async function stage(theirs: Record<string, string> = {}, ours: (repo: TempRepo) => void = () => undefined): Promise<Stage> {
  const bare = await bench({ x: { "a.txt": "one\nx\nthree\n", ...theirs } }, undefined, BASE);
  const { repo, context, candidate } = bare;
  ours(repo);
  const onto = repo.commit({ "a.txt": "one\nmain\nthree\n", "new.txt": "new\n" }, "main's side");
  const { branch, commit } = candidate("x");
  const conflict = await openConflict(context.repository, onto, commit, context.resolving);
  if (conflict.kind !== "conflict") throw new Error(conflict.kind);
  const work: Stage["work"] = (...steps) => {
    repo.git("checkout", "-q", branch);
    repo.git("read-tree", "-u", "--reset", conflict.tree);
    for (const step of steps) {
      step(repo.dir);
      repo.git("add", "--all");
      repo.git("commit", "-q", "--allow-empty", "-m", "resolved");
    }
    return repo.git("rev-parse", branch);
  };
  return {
    ...bare,
    conflict,
    branch,
    work,
    accept: (tip) => acceptResolution(context, conflict, { task: "x", branch, agent: "a", tip, keepTipAt: KEPT }),
  };
}

const write =
  (path: string, text: string) =>
  (folder: string): void =>
    writeFileSync(join(folder, path), text);
const remove =
  (path: string) =>
  (folder: string): void =>
    rmSync(join(folder, path));

describe("what an agent made of a conflict", () => {
  test("becomes a merge commit of both sides, which the branch points to; asked again the same is answered", async () => {
    const { repo, accept, work, conflict, branch } = await stage();
    const tip = work(write("a.txt", BOTH));
    const answer = await accept(tip);
    const commit = repo.git("rev-parse", branch);
    expect(answer).toEqual({ kind: "accepted", commit, findings: [] });
    expect(repo.git("show", "-s", "--format=%P", commit)).toBe(`${conflict.commit} ${conflict.onto}`);
    expect(repo.git("diff", "--stat", tip, commit)).toBe("");
    expect(repo.git("rev-parse", KEPT)).toBe(tip);
    expect(repo.git("show", "-s", "--format=%(trailers:key=Graftwork-Resolved,valueonly)", commit).trim()).toBe("a.txt (agent a)");
    expect(await accept(commit)).toEqual(answer);
  });

  test("is taken with what the proof finds in it, which is for QA to judge", async () => {
    const { accept, work } = await stage();
    const answer = await accept(work(write("a.txt", "one\nmain\nthree\n")));
    expect(answer).toMatchObject({ kind: "accepted", findings: ['a.txt: "x" is there 0 times, not 1'] });
  });

  test("is refused where the branch has moved on", async () => {
    const { repo, accept, work, branch } = await stage();
    const tip = work(write("a.txt", BOTH));
    const later = repo.commit({ "a.txt": "later\n" });
    expect(await accept(tip)).toMatchObject({ kind: "refused", why: expect.stringContaining("its branch could not be moved") });
    expect(repo.git("rev-parse", branch)).toBe(later);
  });

  test.each<[string, readonly ((folder: string) => void)[], RegExp]>([
    ["nothing is changed", [() => undefined], /left a\.txt as the merge left it/],
    ["a marker is left", [write("a.txt", "one\nmain\nx\n>>>>>>> x\nthree\n")], /with conflict markers/],
    ["a divider is left", [write("a.txt", "one\nmain\n=======\nx\nthree\n")], /with conflict markers/],
    ["another file is changed", [(at) => [write("a.txt", BOTH)(at), write("new.txt", "newer\n")(at)]], /not in conflict: new\.txt/],
    ["another file is made", [(at) => [write("a.txt", BOTH)(at), write("more.txt", "")(at)]], /not in conflict: more\.txt/],
    ["what the target made is left out", [(at) => [write("a.txt", BOTH)(at), remove("new.txt")(at)]], /not in conflict: new\.txt/],
    ["it is no text", [write("a.txt", "one\0")], /as something that is no text/],
    ["it is deleted, and both sides have it", [remove("a.txt")], /out, which both sides have/],
    ["it is a link", [(at) => [remove("a.txt")(at), symlinkSync("/etc/passwd", join(at, "a.txt"))]], /something else than the file it was/],
    ["it can be run", [(at) => [write("a.txt", BOTH)(at), chmodSync(join(at, "a.txt"), 0o755)]], /something else than the file it was/],
    ["there are two commits", [write("a.txt", "one\n"), write("a.txt", BOTH)], /other commits than one on top/],
  ])("is refused where %s", async (_, steps, why) => {
    const { repo, accept, work, branch } = await stage();
    const tip = work(...steps);
    expect(await accept(tip)).toEqual({ kind: "refused", why: expect.stringMatching(why) });
    expect(repo.git("rev-parse", branch)).toBe(tip);
  });

  test("is refused where the task's own commit was replaced, or another branch merged", async () => {
    const { repo, accept, work, conflict, branch } = await stage();
    work(write("a.txt", BOTH));
    const tree = repo.git("rev-parse", `${branch}^{tree}`);
    const other = repo.git("commit-tree", tree, "-p", conflict.onto, "-m", "without the task");
    const merge = repo.git("commit-tree", tree, "-p", conflict.commit, "-p", other, "-m", "a merge");
    for (const tip of [other, merge])
      expect(await accept(tip)).toMatchObject({ kind: "refused", why: expect.stringMatching(/other commits/) });
  });

  test("may leave out a file that one side deleted, or keep it edited; not keep it as it lies there", async () => {
    const sides = (): Promise<Stage> => stage({ "gone.txt": "changed\n" }, (repo) => void repo.git("rm", "-q", "gone.txt"));
    for (const [step, kind] of [
      [remove("gone.txt"), "accepted"],
      [write("gone.txt", "kept, changed\n"), "accepted"],
      [() => undefined, "refused"],
    ] as const) {
      const { accept, work } = await sides();
      expect(await accept(work((at) => [write("a.txt", BOTH)(at), step(at)]))).toMatchObject({ kind });
    }
  });

  test("may hold lines like markers that a side had", async () => {
    const { accept, work } = await stage({ "==.txt": "X\n=======\n" }, (repo) => void repo.commit({ "==.txt": "Main\n=======\n" }));
    expect(await accept(work((at) => [write("a.txt", BOTH)(at), write("==.txt", "Main and X\n=======\n")(at)]))).toMatchObject({
      kind: "accepted",
    });
  });
});

describe("a conflict for an agent", () => {
  test("is none where it merges by now or a rule closes it, and none that lines could settle where a side is no text", async () => {
    const { repo, context, candidate } = await bench(
      { x: { "package.json": '{\n  "version": "1.1.0"\n}\n' }, y: { "b.bin": "\0y" }, z: { "z.txt": "z\n" } },
      undefined,
      { "package.json": '{\n  "version": "1.0.0"\n}\n', "b.bin": "\0" },
    );
    const onto = repo.commit({ "package.json": '{\n  "version": "1.0.1"\n}\n', "b.bin": "\0main" });
    const open = (task: string): ReturnType<typeof openConflict> =>
      openConflict(context.repository, onto, candidate(task).commit, context.resolving);
    expect(await open("x")).toEqual({ kind: "merges" });
    expect(await open("y")).toEqual({ kind: "unfit", why: "b.bin is no text file on both sides" });
    expect(await open("z")).toEqual({ kind: "merges" });
  });

  test("names the landed tasks whose work it is with", async () => {
    const { repo, context, candidate, conflict } = await stage();
    const landed = [
      { task: "same file", merge: conflict.onto },
      { task: "in the branch as well", merge: repo.git("rev-parse", `${candidate("x").commit}^`) },
    ];
    expect(await collidingWith(context.repository, conflict, landed)).toEqual(["same file"]);
    const later = repo.commit({ "a.txt": "later\n" });
    expect(await collidingWith(context.repository, conflict, [{ task: "not in it", merge: later }])).toEqual([]);
  });
});
