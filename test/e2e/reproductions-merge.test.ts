import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeFiles } from "../fixtures/index.ts";
import { closingLines, mergeStage } from "./merge-stage.ts";

/** 11, 12 and 16 are in merge-by-hand.test.ts, 31 is in conformance-merge.test.ts. */
describe("faults of the merging before this one", () => {
  test("10 and conformance 42: merge dev on feature moves dev; feature, HEAD and the files stay", async () => {
    const stage = await mergeStage({ x: { "x.txt": "x\n" } });
    const { repo } = stage;
    repo.git("branch", "dev");
    repo.git("switch", "-q", "-c", "feature");
    const feature = repo.commit({ "feature.txt": "f\n" });
    const merged = await stage.pool("merge", "dev");
    expect(merged.code).toBe(0);
    expect(closingLines(stage, merged, "dev")).toEqual({ merged: ["auto/x"], failed: [] });
    expect(repo.git("show", "dev:x.txt")).toBe("x");
    expect([repo.git("rev-parse", "feature"), repo.git("symbolic-ref", "HEAD")]).toEqual([feature, "refs/heads/feature"]);
    expect(existsSync(join(repo.dir, "x.txt"))).toBe(false);
    expect(repo.git("status", "--porcelain")).toBe("");
  });

  test("13 and conformance 44: a merge of the user's own, resolved and staged, is left as it is, and nothing is called merged", async () => {
    const stage = await mergeStage({ x: { "x.txt": "x\n" } });
    const { repo } = stage;
    repo.git("switch", "-q", "-c", "u");
    repo.commit({ "README.md": "u\n" });
    repo.git("switch", "-q", "main");
    const before = repo.commit({ "README.md": "m\n" });
    expect(() => repo.git("merge", "u")).toThrow();
    writeFileSync(join(repo.dir, "README.md"), "both\n");
    repo.git("add", "README.md");
    const look = (): string[] => [repo.git("rev-parse", "MERGE_HEAD"), repo.git("ls-files", "--stage"), repo.git("status", "--porcelain")];
    const seen = look();
    const merged = await stage.pool("merge", "main");
    expect(merged.code).toBe(5);
    expect(closingLines(stage, merged)).toEqual({ merged: [], failed: ["auto/x"] });
    expect(merged.stdout).toContain("a merge is in progress there");
    expect(look()).toEqual(seen);
    expect(repo.git("rev-parse", "main")).toBe(before);
  });

  test("15 and conformance 45: an untracked file in the way: not merged, and no file of the user's is staged", async () => {
    const stage = await mergeStage({ x: { "new.txt": "x\n" } });
    const { repo } = stage;
    writeFiles(repo.dir, { "new.txt": "mine\n", ".env": "TOKEN=1\n" });
    const [before, index] = [repo.git("rev-parse", "main"), repo.git("ls-files", "--stage")];
    const merged = await stage.pool("merge", "main");
    expect(merged.code).toBe(5);
    expect(closingLines(stage, merged)).toEqual({ merged: [], failed: ["auto/x"] });
    expect([repo.git("rev-parse", "main"), repo.git("ls-files", "--stage")]).toEqual([before, index]);
    expect(repo.git("status", "--porcelain")).toBe("?? .env\n?? new.txt");
    expect(readFileSync(join(repo.dir, "new.txt"), "utf8")).toBe("mine\n");
  });

  test("15 and conformance 45: a collision that git's rerere has an answer to is still one, and .env is in no commit", async () => {
    const stage = await mergeStage({ x: { "README.md": "x\n" } });
    const { repo } = stage;
    const before = repo.commit({ "README.md": "m\n" });
    for (const key of ["rerere.enabled", "rerere.autoupdate"]) repo.git("config", key, "true");
    repo.git("switch", "-q", "-c", "tried");
    expect(() => repo.git("merge", "auto/x")).toThrow();
    repo.commit({ "README.md": "both\n" }, "resolved, so that rerere knows it");
    repo.git("switch", "-q", "main");
    writeFiles(repo.dir, { ".env": "TOKEN=1\n" });
    const merged = await stage.pool("merge", "main");
    expect(merged.code).toBe(5);
    expect(closingLines(stage, merged)).toEqual({ merged: [], failed: ["auto/x"] });
    expect(merged.stdout).toContain("- auto/x: conflict in README.md");
    expect(repo.git("rev-parse", "main")).toBe(before);
    expect(repo.git("status", "--porcelain")).toBe("?? .env");
    expect(repo.git("log", "--all", "--format=%H", "--", ".env")).toBe("");
  });

  test("17 and conformance 55: fix/auto/wip is nobody's task: not merged, not deleted, not by cleanup either", async () => {
    const stage = await mergeStage({ x: { "x.txt": "x\n" } });
    const { repo } = stage;
    repo.git("switch", "-q", "-c", "fix/auto/wip");
    const wip = repo.commit({ "wip.txt": "w\n" });
    repo.git("switch", "-q", "main");
    expect(closingLines(stage, await stage.pool("merge", "main"))).toEqual({ merged: ["auto/x"], failed: [] });
    expect(await stage.pool("cleanup")).toMatchObject({ code: 0 });
    expect(repo.git("rev-parse", "fix/auto/wip")).toBe(wip);
    expect(repo.git("ls-tree", "--name-only", "main").split("\n")).not.toContain("wip.txt");
  });
});
