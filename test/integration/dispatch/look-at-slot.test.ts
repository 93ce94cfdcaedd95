import { mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Evidence, outcomeOf } from "../../../src/dispatch/evidence.ts";
import type { RefsBefore } from "../../../src/dispatch/follow-head.ts";
import { type Look, lookAtSlot } from "../../../src/dispatch/look-at-slot.ts";
import type { LeasedSlot, Outcome } from "../../../src/domain/index.ts";
import { readRefs } from "../../../src/git/index.ts";
import { acquireSlot, existingStore, initPool, requireSlot, treeOfSlot } from "../../../src/pool/index.ts";
import { commitFiles, git, type RepoOptions, tempFolder, writeFiles } from "../../fixtures/index.ts";
import { aTask } from "../../unit/run/simulation.ts";
import { type Lab, lab } from "../pool/lab.ts";

type Slot = { all: Lab; slot: LeasedSlot; refsBefore: RefsBefore };

async function leased(files: Record<string, string>, more: RepoOptions = {}): Promise<Slot> {
  return leasedIn(await lab({ files, ...more }));
}

async function leasedIn(all: Lab): Promise<Slot> {
  await initPool(all.context, { size: 1 });
  const slot = await acquireSlot(all.context, { task: "t" });
  return { all, slot, refsBefore: await readRefs(all.context.repository) };
}

const KEEP = "refs/graftwork/attempts/r/t/1";

const look = (one: Slot, { files = [], ...more }: Partial<Omit<Look, "task">> & { files?: string[] } = {}): Promise<Evidence> => {
  const { id, lease } = one.slot;
  return lookAtSlot(one.all.context.repository, {
    task: aTask("t", [], { files }),
    slot: treeOfSlot(requireSlot(existingStore(one.all.context.repository).read().state, id)),
    branch: lease.branch,
    base: lease.base,
    before: null,
    isCopied: () => false,
    target: "main",
    secrets: [],
    commit: true,
    refsBefore: one.refsBefore,
    keepAt: KEEP,
    ...more,
  });
};

const judged = (evidence: Evidence): Outcome => outcomeOf({ kind: "claims-success" }, evidence, { lastWords: "" });
const filesOf = ({ all }: Slot, commit: string | null): string[] => all.repo.git("ls-tree", "-r", "--name-only", commit ?? "").split("\n");

test("a folder that the agent replaced by a link is committed as what it is", async () => {
  const one = await leased({ "d/a": "a", "d/b": "b" });
  const { all, slot } = one;
  const victim = tempFolder("victim");
  writeFiles(victim, { a: "outside", b: "b" });
  rmSync(join(slot.path, "d"), { recursive: true });
  symlinkSync(victim, join(slot.path, "d"));
  const { tip } = await look(one);
  expect(all.repo.git("ls-tree", "-r", "--name-only", tip ?? "").split("\n")).toEqual(["README.md", "d"]);
  expect(git(slot.path, "status", "--porcelain")).toBe("");
});

test.each([
  ["took in what the user committed meanwhile", (slot: string) => git(slot, "merge", "-q", "main"), "did-nothing"],
  ["took it in, and committed", (slot: string) => void (git(slot, "merge", "-q", "main"), commitFiles(slot, { own: "own" })), "ready"],
  ["was rebased onto it", (slot: string) => void (commitFiles(slot, { own: "own" }), git(slot, "rebase", "-q", "main")), "ready"],
])("an agent that %s", async (_, act, expected) => {
  const one = await leased({ f: "f" });
  commitFiles(one.all.repo.dir, { mine: "mine" });
  act(one.slot.path);
  const outcome = judged(await look(one));
  expect(outcome.kind === "failed" ? outcome.failure : outcome.kind).toBe(expected);
});

test("an attempt that only takes off the last commit of the one before is work: the first commit", async () => {
  const one = await leased({ f: "f" });
  const [good, bad] = [commitFiles(one.slot.path, { good: "good" }), commitFiles(one.slot.path, { bad: "bad" })];
  const refsBefore = await readRefs(one.all.context.repository);
  git(one.slot.path, "reset", "-q", "--hard", good);
  rmSync(git(one.slot.path, "rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"));
  expect(judged(await look({ ...one, refsBefore }, { before: bad }))).toMatchObject({ kind: "ready", commit: good });
});

test("what an agent made in a worktree of its own, and took into its slot, is work", async () => {
  const one = await leased({ f: "f" });
  const own = join(tempFolder("own"), "own");
  git(one.slot.path, "worktree", "add", "-q", "-b", "mine", own);
  commitFiles(own, { own: "own" });
  git(one.slot.path, "merge", "-q", "--ff-only", "mine");
  expect(judged(await look(one)).kind).toBe("ready");
});

test("what the user moved the target onto before the attempt ended is the agent's work all the same", async () => {
  const one = await leased({ f: "f" });
  commitFiles(one.slot.path, { own: "own" });
  one.all.repo.git("merge", "-q", "--ff-only", one.slot.lease.branch);
  expect(judged(await look(one)).kind).toBe("ready");
});

test("a file that became a folder, and one that was staged and is gone", async () => {
  const one = await leased({ f: "f", "d/a": "a" });
  const { all, slot } = one;
  rmSync(join(slot.path, "f"));
  rmSync(join(slot.path, "d"), { recursive: true });
  writeFiles(slot.path, { "f/inner": "i", d: "now a file", staged: "s" });
  git(slot.path, "add", "staged");
  rmSync(join(slot.path, "staged"));
  const { tip } = await look(one);
  expect(all.repo.git("ls-tree", "-r", "--name-only", tip ?? "").split("\n")).toEqual(["README.md", "d", "f/inner"]);
});

test("a killed git's index.lock does not stop it", async () => {
  const one = await leased({});
  const { all, slot } = one;
  writeFileSync(join(slot.path, "new"), "n");
  writeFileSync(join(all.repo.dir, ".git/worktrees/wt-1/index.lock"), "");
  const { tip } = await look(one);
  expect(all.repo.git("show", `${tip}:new`)).toBe("n");
});

test("files whose names are no UTF-8 are committed under those names", async () => {
  const one = await leased({});
  const { all, slot } = one;
  writeFileSync(Buffer.concat([Buffer.from(`${slot.path}/n`), Buffer.from([0xe9, 0xff])]), "odd");
  const { tip } = await look(one);
  expect(all.repo.git("ls-tree", "-r", "--name-only", tip ?? "").split("\n")).toContain('"n\\351\\377"');
});

describe("the agent's work beside its branch", () => {
  test("a commit on a detached HEAD and the uncommitted rest both come to the task's branch", async () => {
    const one = await leased({ f: "x" });
    git(one.slot.path, "checkout", "-q", "--detach");
    const first = commitFiles(one.slot.path, { p1: "1" });
    writeFiles(one.slot.path, { p2: "2", f: "changed" });
    const evidence = await look(one);
    expect(judged(evidence)).toMatchObject({ kind: "ready", commit: one.all.repo.git("rev-parse", "auto/t") });
    expect(one.all.repo.git("rev-parse", "auto/t~1")).toBe(first);
    expect(filesOf(one, evidence.tip)).toEqual(["README.md", "f", "p1", "p2"]);
    expect(one.all.repo.git("show", "auto/t:f")).toBe("changed");
    expect(evidence.notes).toEqual([
      "its commits were made on a detached HEAD; auto/t was moved to them",
      "committed what the agent left uncommitted: f, p2",
    ]);
    expect(git(one.slot.path, "symbolic-ref", "HEAD")).toBe("refs/heads/auto/t");
    expect(git(one.slot.path, "status", "--porcelain")).toBe("");
  });

  test("work on a branch of the agent's own comes to the task's branch, committed or not", async () => {
    const one = await leased({});
    git(one.slot.path, "checkout", "-q", "-b", "feature/x");
    writeFiles(one.slot.path, { "w.txt": "w" });
    expect(judged(await look(one))).toMatchObject({ kind: "ready" });
    expect(filesOf(one, "auto/t")).toContain("w.txt");
    git(one.slot.path, "checkout", "-q", "-b", "feature/y");
    commitFiles(one.slot.path, { "v.txt": "v" });
    expect(judged(await look(one))).toMatchObject({ kind: "ready" });
    expect(filesOf(one, "auto/t")).toContain("v.txt");
  });

  test("is adopted for an interrupted attempt too, for which nobody noted the refs", async () => {
    const one = await leased({});
    git(one.slot.path, "checkout", "-q", "-b", "feature/x");
    const tip = commitFiles(one.slot.path, { "w.txt": "w" });
    expect(await look(one, { refsBefore: null, commit: false })).toMatchObject({ tip, unusable: null });
    expect(one.all.repo.git("rev-parse", "auto/t")).toBe(tip);
  });

  test("on a branch with foreign history is a failure that names the branch and what is left out", async () => {
    const one = await leased({}, { branches: { other: { "o.txt": "o" } } });
    git(one.slot.path, "checkout", "-q", "-b", "mine", "other");
    const tip = commitFiles(one.slot.path, { "w.txt": "w" });
    writeFiles(one.slot.path, { rest: "r" });
    expect(judged(await look(one))).toEqual({
      kind: "failed",
      failure: "outside-slot",
      reason: `the slot is on mine instead of auto/t, and that has commits which are not the task's; left out: 1 commit up to ${tip.slice(0, 8)} (mine); uncommitted: rest`,
      retry: true,
    });
    expect(one.all.repo.git("rev-parse", "auto/t", "mine").split("\n")).toEqual([one.slot.lease.base, tip]);
  });

  test("on a detached HEAD that does not continue the branch is kept under a ref", async () => {
    const one = await leased({});
    commitFiles(one.slot.path, { "a.txt": "a" });
    git(one.slot.path, "checkout", "-q", "--detach", "HEAD~1");
    const beside = commitFiles(one.slot.path, { "b.txt": "b" });
    expect(judged(await look(one))).toMatchObject({ failure: "outside-slot", reason: expect.stringContaining(`(${KEEP}-head)`) });
    expect(one.all.repo.git("rev-parse", `${KEEP}-head`)).toBe(beside);
  });

  test("of another worktree's task is not adopted, though it was made meanwhile", async () => {
    const one = await leased({});
    const other = join(one.all.repo.parent, "other");
    one.all.repo.git("worktree", "add", "-q", "-b", "auto/other", other);
    const theirs = commitFiles(other, { "theirs.txt": "t" });
    git(one.slot.path, "checkout", "-q", "--detach", theirs);
    expect(judged(await look(one))).toMatchObject({ failure: "outside-slot" });
    expect(one.all.repo.git("rev-parse", "auto/t")).toBe(one.slot.lease.base);
  });

  test("an older commit that is checked out without a change takes nothing from the work", async () => {
    const one = await leased({});
    const tip = commitFiles(one.slot.path, { "a.txt": "a" });
    git(one.slot.path, "checkout", "-q", "--detach", "HEAD~1");
    expect(judged(await look(one))).toMatchObject({ kind: "ready", commit: tip });
    writeFiles(one.slot.path, { rest: "r" });
    expect(judged(await look(one))).toMatchObject({ failure: "outside-slot", reason: expect.stringContaining("uncommitted: rest") });
  });
});

describe("a slot that git cannot take a commit from", () => {
  test("an orphan branch fails with that cause, and its files stay", async () => {
    const one = await leased({ f: "x" });
    git(one.slot.path, "checkout", "-q", "--orphan", "fresh");
    writeFiles(one.slot.path, { "w.txt": "w" });
    expect(judged(await look(one))).toMatchObject({
      failure: "outside-slot",
      retry: true,
      reason: "the slot is on fresh instead of auto/t, and that branch has no commit; uncommitted: README.md, f, w.txt",
    });
    expect(readFileSync(join(one.slot.path, "w.txt"), "utf8")).toBe("w");
  });

  test("a repository in the slot fails with its name, whether it was committed or left, with a commit or without", async () => {
    const one = await leased({});
    mkdirSync(join(one.slot.path, "bare-start"));
    git(join(one.slot.path, "bare-start"), "init", "-q");
    writeFiles(one.slot.path, { "bare-start/x": "x", mine: "m" });
    expect(judged(await look(one))).toMatchObject({ failure: "outside-slot", retry: true, reason: expect.stringContaining("bare-start/") });
    expect(readFileSync(join(one.slot.path, "bare-start/x"), "utf8")).toBe("x");
    const inner = join(one.slot.path, "bare-start");
    git(inner, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "inner");
    git(one.slot.path, "add", "--all");
    git(one.slot.path, "commit", "-qm", "all");
    expect(judged(await look(one))).toMatchObject({ failure: "outside-slot", reason: expect.stringContaining("bare-start") });
  });

  test.each(["merge", "rebase"])("an unfinished %s fails with that cause", async (verb) => {
    const one = await leased({ f: "x" }, { branches: { other: { f: "theirs" } } });
    commitFiles(one.slot.path, { f: "ours" });
    expect(() => git(one.slot.path, verb, "other")).toThrow();
    expect(judged(await look(one))).toMatchObject({ failure: "outside-slot", retry: true, reason: `it left a ${verb} unfinished` });
  });

  test("an index that git cannot read fails the attempt alone", async () => {
    const one = await leased({});
    writeFileSync(join(one.all.repo.dir, ".git/worktrees/wt-1/index"), "no index");
    expect(judged(await look(one))).toMatchObject({
      failure: "outside-slot",
      retry: true,
      reason: expect.stringMatching(/^its work could not be taken/),
    });
  });

  test("a deleted branch fails with that cause, and its commits are kept under a ref", async () => {
    const one = await leased({});
    const tip = commitFiles(one.slot.path, { "a.txt": "a" });
    git(one.slot.path, "update-ref", "-d", "refs/heads/auto/t");
    expect(judged(await look(one))).toMatchObject({
      failure: "outside-slot",
      retry: true,
      reason: `its branch auto/t was deleted while it was at work; its commits up to ${tip.slice(0, 8)} are kept as ${KEEP}`,
    });
    expect(one.all.repo.git("rev-parse", KEEP)).toBe(tip);
  });
});

describe("nothing done", () => {
  test("an empty commit changes nothing, and neither does one that is taken back", async () => {
    const one = await leased({ f: "x" });
    git(one.slot.path, "commit", "-q", "--allow-empty", "-m", "implement it");
    expect(judged(await look(one))).toMatchObject({ failure: "did-nothing", reason: "it ended well but changed nothing" });
    commitFiles(one.slot.path, { f: "y" });
    commitFiles(one.slot.path, { f: "x" });
    expect(judged(await look(one))).toMatchObject({ failure: "did-nothing" });
  });

  test("an empty commit on top of the attempt before changes nothing since", async () => {
    const one = await leased({});
    const before = commitFiles(one.slot.path, { a: "1" });
    git(one.slot.path, "commit", "-q", "--allow-empty", "-m", "fix it");
    expect(judged(await look(one, { before }))).toMatchObject({
      failure: "did-nothing",
      reason: "it ended well but changed nothing since the attempt before",
    });
  });

  test("a commit that was made on another branch and left there is named", async () => {
    const one = await leased({});
    git(one.slot.path, "checkout", "-q", "-b", "aside");
    const aside = commitFiles(one.slot.path, { a: "1" });
    git(one.slot.path, "checkout", "-q", "auto/t");
    expect(judged(await look(one))).toMatchObject({
      failure: "did-nothing",
      reason: `it ended well but changed nothing; left out: commit ${aside.slice(0, 8)}, which is not on its branch`,
    });
  });

  /** A file was committed with carriage returns before an attribute said that it is text. */
  async function withOldFile(): Promise<Slot> {
    const all = await lab({ files: { "notes.txt": "one\r\ntwo\r\n" } });
    writeFiles(all.repo.dir, { ".gitattributes": "*.txt text\n" });
    all.repo.git("add", ".gitattributes");
    all.repo.git("commit", "-qm", "attributes");
    return leasedIn(all);
  }

  test("carriage returns that only an attribute converts are no change, left or committed", async () => {
    const one = await withOldFile();
    expect(git(one.slot.path, "ls-files", "--eol", "notes.txt")).toContain("i/crlf");
    // What git does in a fresh worktree by itself, once the file's times are not those of the index.
    utimesSync(join(one.slot.path, "notes.txt"), 1, 1);
    expect(git(one.slot.path, "status", "--porcelain")).toBe(" M notes.txt");
    expect(judged(await look(one))).toMatchObject({ failure: "did-nothing" });
    expect(one.all.repo.git("rev-parse", "auto/t")).toBe(one.slot.lease.base);
    git(one.slot.path, "commit", "-qam", "work");
    expect(git(one.slot.path, "ls-files", "--eol", "notes.txt")).toContain("i/lf");
    expect(judged(await look(one))).toMatchObject({ failure: "did-nothing" });
  });

  test("real work beside such files is committed alone", async () => {
    const one = await withOldFile();
    utimesSync(join(one.slot.path, "notes.txt"), 1, 1);
    writeFiles(one.slot.path, { "new.js": "1\n" });
    const evidence = await look(one);
    expect(judged(evidence)).toMatchObject({ kind: "ready" });
    expect(one.all.repo.git("diff", "--name-only", one.slot.lease.base, evidence.tip ?? "")).toBe("new.js");
  });

  test("a file that is put back to what it was after a commit is a change", async () => {
    const one = await leased({ f: "x" });
    commitFiles(one.slot.path, { f: "y", g: "g" });
    writeFiles(one.slot.path, { f: "x" });
    const evidence = await look(one);
    expect(one.all.repo.git("show", `${evidence.tip}:f`)).toBe("x");
  });
});

test("an uncommitted file outside the task's files is named, and stays where it is", async () => {
  const one = await leased({});
  commitFiles(one.slot.path, { "src.txt": "1" });
  writeFiles(one.slot.path, { "lib/helper.txt": "h" });
  const outcome = judged(await look(one, { files: ["src.txt"] }));
  expect(outcome).toMatchObject({
    kind: "ready",
    notes: ["left out, since it is outside the task's files: lib/helper.txt"],
    leftOut: ["lib/helper.txt"],
  });
  expect(readFileSync(join(one.slot.path, "lib/helper.txt"), "utf8")).toBe("h");
});

test.each<[what: string, leave: (folder: string, key: string) => void]>([
  ["behind three megabytes", (folder, key) => writeFiles(folder, { left: `${"-".repeat(3 * 2 ** 20)} ${key}\n` })],
  ["across two parts", (folder, key) => writeFiles(folder, { left: `${"-".repeat(2 ** 20 - 15)} ${key}\n` })],
  ["as what a link leads to", (folder, key) => symlinkSync(key, join(folder, "left"))],
])("an uncommitted secret %s is committed by nobody", async (_, leave) => {
  const one = await leased({});
  // Made up from parts, so that no scanner takes this file for a leak.
  leave(one.slot.path, ["AKIA", "QZ7WMPLE4XKTN2RB"].join(""));
  const evidence = await look(one);
  expect(evidence.secrets).toEqual(["left (what looks like an AWS access key)"]);
  expect(evidence.tip).toBe(one.slot.lease.base);
  expect(judged(evidence)).toMatchObject({ kind: "blocked", startOver: true });
});
