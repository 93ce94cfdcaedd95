import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { buildTrain, type Candidate } from "../../../src/merge/index.ts";
import { commitFiles, hermeticEnv, type TempRepo } from "../../fixtures/index.ts";
import { bench } from "./bench.ts";

/** `main` at a second commit, with `auto/a` beside it; the user and the agent act in the one checkout. */
async function stage() {
  const { repo, context } = await bench({}, undefined, { f: "x\n" });
  const first = repo.git("rev-parse", "main");
  const on = <T>(branch: string, work: () => T): T => {
    repo.git("switch", "-q", branch);
    const done = work();
    repo.git("switch", "-q", "main");
    return done;
  };
  const begin = (): string => {
    repo.git("branch", "auto/a", "main");
    return repo.git("rev-parse", "main");
  };
  const agent = (...names: readonly string[]): void =>
    on("auto/a", () => names.forEach((name) => void commitFiles(repo.dir, { [name]: `${name}\n` })));
  /** What merging the branch gives: the files of the target, or why a person is asked. */
  const merge = async (base: string, more: Partial<Candidate> = {}) => {
    const commit = repo.git("rev-parse", "auto/a");
    const candidate = { task: "a", title: "a", branch: "auto/a", commit, dependsOn: [], base, ...more };
    const tip = repo.git("rev-parse", "main");
    const { steps, conflicts } = await buildTrain(context, { base: tip, steps: [], tip, out: new Set() }, [candidate]);
    const [step] = steps;
    if (step === undefined) return { person: conflicts[0]?.person === true };
    return { there: step.merge === tip, files: filesOf(repo, step.merge) };
  };
  return { repo, context, first, on, begin, agent, merge };
}

const filesOf = (repo: TempRepo, commit: string): string[] =>
  repo
    .git("ls-tree", "--name-only", commit)
    .split("\n")
    .filter((name) => !["README.md", "f"].includes(name));

test("what the user made and amended is not the task's: a branch that was rebased onto it brings its own alone", async () => {
  const { repo, on, begin, agent, merge } = await stage();
  const base = begin();
  agent("one");
  repo.commit({ keep: "k\n", secret: "s\n" });
  on("auto/a", () => repo.git("rebase", "-q", "main"));
  repo.git("rm", "-q", "secret");
  repo.git("commit", "-q", "--amend", "-m", "keep");
  expect(await merge(base)).toEqual({ there: false, files: ["keep", "one"] });
});

test("what the user merged and took off is asked about, also below a merge that the agent made", async () => {
  const { repo, first, on, begin, agent, merge } = await stage();
  const base = begin();
  agent("one");
  const one = repo.git("rev-parse", "auto/a");
  repo.git("merge", "-q", "--ff-only", "auto/a");
  repo.git("reset", "-q", "--hard", first);
  on("auto/a", () => {
    repo.git("reset", "-q", "--hard", first);
    repo.git("merge", "-q", "--no-ff", "-m", "my first", one);
    commitFiles(repo.dir, { two: "two\n" });
  });
  expect(await merge(base)).toEqual({ person: true });
});

test.each<[string, readonly string[], number]>([
  ["all of it", ["one"], 0],
  ["its first commits", ["one", "two"], 0],
  ["all of it, before the user amended a commit of his own many times", ["one"], 25],
])("what the user squashed and took off is asked about: %s", async (_, names, amends) => {
  const { repo, first, begin, agent, merge } = await stage();
  const base = begin();
  agent(...names);
  repo.git("merge", "-q", "--squash", "auto/a");
  repo.git("commit", "-q", "-m", "squashed");
  repo.git("reset", "-q", "--hard", first);
  if (names.length > 1) agent("three");
  if (amends > 0) repo.commit({ mine: "0\n" });
  for (let n = 0; n < amends; n++) repo.git("commit", "-q", "--amend", "-m", `mine ${n}`);
  expect(await merge(base)).toEqual({ person: true });
});

test("what is there by other commits is there; the lost commits behind it do not come along", async () => {
  const { repo, first, begin, agent, merge } = await stage();
  repo.commit({ keep: "k\n", secret: "s\n" });
  const base = begin();
  agent("one");
  repo.git("merge", "-q", "--ff-only", "auto/a");
  repo.git("reset", "-q", "--hard", first);
  repo.commit({ keep: "k\n" });
  repo.git("cherry-pick", "auto/a");
  expect(await merge(base)).toEqual({ there: true, files: ["keep", "one"] });
});

test("what is there by other commits, and was reverted in part, is asked about", async () => {
  const { repo, begin, agent, merge } = await stage();
  const base = begin();
  agent("one", "two");
  repo.git("merge", "-q", "--ff-only", "auto/a");
  repo.git("rebase", "-q", "--force-rebase", base);
  repo.git("commit", "-q", "--amend", "-m", "in other words");
  repo.git("revert", "--no-edit", "HEAD");
  expect(await merge(base)).toEqual({ person: true });
});

test("what another task of the run brought and the target lost is not this task's", async () => {
  const { repo, context, first, on, begin, agent, merge } = await stage();
  const base = begin();
  agent("one");
  repo.git("switch", "-q", "-c", "auto/other", first);
  const branchTip = commitFiles(repo.dir, { other: "other\n" });
  repo.git("switch", "-q", "main");
  repo.git("merge", "-q", "--no-ff", "-m", "land", "auto/other");
  const landing = repo.git("rev-parse", "main");
  on("auto/a", () => repo.git("rebase", "-q", "main"));
  repo.git("reset", "-q", "--hard", first);
  expect(await merge(base)).toEqual({ person: true });
  context.delivered = [{ task: "other", base: first, branchTip, merge: landing }];
  expect(await merge(base)).toEqual({ there: false, files: ["one"] });
});

test("the user's own commits that were rewritten are not lost: a branch that was rebased onto them brings its own alone", async () => {
  const { repo, on, begin, agent, merge } = await stage();
  const base = begin();
  agent("one");
  repo.git("branch", "mine");
  on("mine", () => commitFiles(repo.dir, { m2: "m2\n" }));
  repo.git("reset", "-q", "--hard", "mine");
  on("auto/a", () => repo.git("rebase", "-q", "main"));
  repo.git("commit", "-q", "--amend", "-m", "in other words");
  expect(await merge(base)).toEqual({ there: false, files: ["m2", "one"] });
});

test("what is there by other commits is there, all of it, if these were rewritten too", async () => {
  const { repo, begin, agent, merge } = await stage();
  const base = begin();
  agent("one", "two");
  repo.git("merge", "-q", "--ff-only", "auto/a");
  repo.git("commit", "-q", "--amend", "-m", "in other words");
  expect(await merge(base)).toEqual({ there: true, files: ["one", "two"] });
});

test("after a decision only what was taken off later is asked about", async () => {
  const { repo, first, begin, agent, merge } = await stage();
  const base = begin();
  agent("one");
  const decided = { commit: repo.git("rev-parse", "auto/a"), onto: first };
  repo.git("merge", "-q", "--ff-only", "auto/a");
  repo.git("reset", "-q", "--hard", first);
  expect(await merge(base)).toEqual({ person: true });
  expect(await merge(base, { decided })).toEqual({ there: false, files: ["one"] });
  const later = { GIT_COMMITTER_DATE: "2026-01-02T12:00:00Z" };
  execFileSync("git", ["merge", "-q", "--ff-only", "auto/a"], { cwd: repo.dir, env: { ...hermeticEnv(), ...later } });
  repo.git("reset", "-q", "--hard", first);
  expect(await merge(base, { decided })).toEqual({ person: true });
});

test.each<[string, (repo: TempRepo) => void]>([
  [
    "in one commit with the work of another branch",
    (repo) => {
      repo.git("branch", "other", "main");
      repo.git("switch", "-q", "other");
      commitFiles(repo.dir, { other: "other\n" });
      repo.git("switch", "-q", "main");
      repo.git("merge", "-q", "--squash", "auto/a", "other");
      repo.git("commit", "-q", "-m", "both");
    },
  ],
  [
    "in one commit with something of the user's",
    (repo) => {
      repo.git("merge", "-q", "--squash", "auto/a");
      repo.commit({ log: "a\n" });
    },
  ],
  ["by a pick that git made a fast-forward of", (repo) => repo.git("cherry-pick", "--ff", "auto/a~1")],
])("what the user took and took off is asked about: %s", async (_, take) => {
  const { repo, first, begin, agent, merge } = await stage();
  const base = begin();
  agent("one", "two");
  take(repo);
  repo.git("reset", "-q", "--hard", first);
  expect(await merge(base)).toEqual({ person: true });
});

test("a first commit that the user picked and reworded is there, and the rest lands", async () => {
  const { repo, begin, agent, merge } = await stage();
  const base = begin();
  agent("one", "two");
  repo.git("cherry-pick", "auto/a~1");
  repo.git("commit", "-q", "--amend", "-m", "in other words");
  expect(await merge(base)).toEqual({ there: false, files: ["one", "two"] });
});

test("what a branch of another task merged of it is still its own", async () => {
  const { repo, context, first, begin, agent, merge } = await stage();
  const base = begin();
  agent("one");
  repo.git("switch", "-q", "-c", "auto/other", first);
  commitFiles(repo.dir, { other: "other\n" });
  repo.git("merge", "-q", "--no-ff", "-m", "with one", "auto/a");
  const branchTip = repo.git("rev-parse", "HEAD");
  repo.git("switch", "-q", "main");
  agent("two");
  repo.git("merge", "-q", "--no-ff", "-m", "land", "auto/other");
  context.delivered = [{ task: "other", base: first, branchTip, merge: repo.git("rev-parse", "main") }];
  repo.git("reset", "-q", "--hard", first);
  expect(await merge(base)).toEqual({ person: true });
});

test("commits side by side are not put one after another: a person is asked", async () => {
  const { repo, on, begin, agent, merge } = await stage();
  const base = begin();
  agent("start");
  on("auto/a", () => {
    repo.git("switch", "-q", "-c", "try");
    commitFiles(repo.dir, { f: "fix\n" });
    repo.git("revert", "--no-edit", "HEAD");
    repo.git("switch", "-q", "auto/a");
    commitFiles(repo.dir, { f: "fix\n" });
    repo.git("merge", "-q", "--no-ff", "--no-edit", "try");
  });
  repo.commit({ lost: "lost\n" });
  on("auto/a", () => repo.git("merge", "-q", "--no-edit", "main"));
  repo.git("reset", "-q", "--hard", base);
  expect(await merge(base)).toEqual({ person: true });
});
