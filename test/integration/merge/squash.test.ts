import { expect, test } from "vitest";
import { mergeCandidates } from "../../fixtures/merge-context.ts";
import { bench } from "./bench.ts";

test("squash: one commit a task, with its trailers and without its history", async () => {
  const { repo, context, verified, candidate } = await bench({ x: { "x.txt": "x\n" }, y: { "y.txt": "y\n" } });
  const squashing = { ...context, strategy: "squash" as const };
  const { landed } = await mergeCandidates(squashing, [candidate("x"), candidate("y")]);
  expect(landed).toEqual(["x", "y"]);
  expect(
    repo
      .git("log", "--format=%s|%P", "main")
      .split("\n")
      .slice(0, 2)
      .every((line) => /^do [xy]\|[0-9a-f]+$/.test(line)),
  ).toBe(true);
  expect(repo.git("log", "-1", "--format=%(trailers:key=Graftwork-Commit,valueonly)", "main").trim()).toBe(candidate("y").commit);
  expect(verified.map(({ commit }) => commit)).toEqual([repo.git("rev-parse", "main")]);
  const before = repo.git("rev-parse", "main");
  expect((await mergeCandidates(squashing, [candidate("x")])).landed).toEqual(["x"]);
  expect(repo.git("rev-parse", "main")).toBe(before);
});

test.each(["squash", "merge"] as const)("%s: work that goes on from a squashed branch brings its own changes only", async (strategy) => {
  const { repo, context, candidate } = await bench({ x: { "a.txt": "1\nby x\n3\n" } });
  const base = candidate("x").commit;
  repo.git("switch", "-q", "-c", "auto/y", "auto/x");
  repo.commit({ "a.txt": "1\nby x, then y\n3\n" });
  repo.git("switch", "-q", "main");
  expect((await mergeCandidates({ ...context, strategy: "squash" }, [candidate("x")])).landed).toEqual(["x"]);
  expect((await mergeCandidates({ ...context, strategy }, [{ ...candidate("y", ["x"]), base }])).landed).toEqual(["y"]);
  expect(repo.git("show", "main:a.txt")).toBe("1\nby x, then y\n3");
});
