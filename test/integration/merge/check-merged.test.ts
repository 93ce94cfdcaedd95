import { expect, test } from "vitest";
import { mergeCandidates } from "../../fixtures/merge-context.ts";
import { bench } from "./bench.ts";

test("work that was merged before and reverted on the target is not dropped in silence: the revert is named", async () => {
  const { repo, context, events, candidate } = await bench({ x: { "x.txt": "work of x\n" } });
  const base = repo.git("rev-parse", "main");
  repo.git("merge", "-q", "--no-ff", "-m", "merge x", "auto/x");
  repo.git("revert", "-m", "1", "--no-edit", "HEAD");
  repo.git("switch", "-q", "auto/x");
  repo.commit({ "more.txt": "more\n" });
  repo.git("switch", "-q", "main");
  const { landed } = await mergeCandidates(context, [{ ...candidate("x"), base }]);
  expect(landed).toEqual([]);
  const reason = expect.stringMatching(/reverted on the target by [0-9a-f]+ Revert "merge x"/);
  expect(events).toContainEqual(expect.objectContaining({ type: "conflict", task: "x", paths: ["x.txt"], reason }));
});

test.each([
  ["moved forward to", (git: (...args: string[]) => string) => git("reset", "-q", "--hard", "main")],
  ["merged with", (git: (...args: string[]) => string) => git("merge", "-q", "--no-edit", "main")],
])("what others took back on the target stays out where the work was %s the target meanwhile", async (how, follow) => {
  const { repo, context, candidate } = await bench({ x: how === "merged with" ? { "x.txt": "x\n" } : {} });
  const base = repo.git("rev-parse", "main");
  const theirs = repo.commit({ "other.txt": "other\n" });
  repo.git("switch", "-q", "auto/x");
  follow(repo.git);
  repo.commit({ "more.txt": "more\n" });
  repo.git("switch", "-q", "main");
  repo.git("revert", "--no-edit", theirs);
  const { landed } = await mergeCandidates(context, [{ ...candidate("x"), base }]);
  expect(landed).toEqual(["x"]);
  expect(repo.git("ls-tree", "--name-only", "main")).not.toContain("other.txt");
});

test("what the proof finds in a file that git merged by itself is said, and the checks decide", async () => {
  const json = (members: string): string => `{\n  "a": 1,\n${members}  "z": 9\n}\n`;
  const middle = ["b", "c", "d", "e", "f"].map((key) => `  "${key}": 0,\n`).join("");
  const { context, candidate } = await bench(
    { x: { "p.json": json(`  "new": 1,\n${middle}`) }, y: { "p.json": json(`${middle}  "new": 2,\n`) } },
    undefined,
    { "p.json": json(middle) },
  );
  const said: string[] = [];
  const { landed } = await mergeCandidates({ ...context, narrate: (line) => said.push(line) }, [candidate("x"), candidate("y")]);
  expect(landed).toEqual(["x", "y"]);
  expect(said).toEqual([expect.stringMatching(/y: merged by git, and the proof says of p\.json: .*new/)]);
});
