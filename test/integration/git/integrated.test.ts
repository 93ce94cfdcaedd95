import { describe, expect, test } from "vitest";
import {
  integratedBy,
  openRepository,
  standingInParts,
  standingOf,
  standingOfMerged,
  withMergeAttributes,
} from "../../../src/git/index.ts";
import { commitFiles, hermeticEnv, type TempRepo, tempRepo } from "../../fixtures/index.ts";

const lines = (changed: Readonly<Record<number, string>> = {}): string =>
  Array.from({ length: 20 }, (_, n) => `${changed[n + 1] ?? n + 1}\n`).join("");

/** The same lines again and again, with one of them changed. */
const stanzas = (...changed: readonly number[]): string => {
  const texts = Array.from({ length: 6 }, (_, n) => `a\nb\nc\n${changed.includes(n) ? "new" : "old"}\nd\ne\nf\n`);
  return texts.join("");
};

/** A branch of these commits beside `main`, which is checked out. */
async function stage(commits: readonly Readonly<Record<string, string>>[], files: Readonly<Record<string, string>> = { f: lines() }) {
  const repo = tempRepo({ files: { ...files, same: stanzas() } });
  const base = repo.git("rev-parse", "main");
  repo.git("switch", "-q", "-c", "work");
  for (const one of commits) commitFiles(repo.dir, one);
  const tip = repo.git("rev-parse", "work");
  repo.git("switch", "-q", "main");
  const repository = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
  const main = (): string => repo.git("rev-parse", "main");
  return {
    repo,
    tip,
    isThere: async () => (await integratedBy(repository, { base, tip }, main())) !== undefined,
    merged: (landed?: string) => standingOfMerged(repository, { base, tip }, main(), landed),
    inParts: (notOwn: readonly string[] = []) => standingInParts(repository, { base, tip }, main(), new Set(notOwn)),
    standing: () => standingOf(repository, { from: base, to: tip }, main(), undefined),
  };
}

const pick = (repo: TempRepo): string => repo.git("cherry-pick", "main..work");
const two = [{ one: "1\n" }, { two: "2\n" }];

describe("work that another hand brought into the target is there", () => {
  test.each<[string, (repo: TempRepo) => void]>([
    ["picked commit by commit", pick],
    [
      "squashed, and amended with something else",
      (repo) => {
        repo.git("merge", "-q", "--squash", "work");
        repo.commit({ mine: "mine\n" });
      },
    ],
    [
      "picked beside a change of a line that is near",
      (repo) => {
        repo.commit({ f: lines({ 8: "eight" }) });
        pick(repo);
      },
    ],
  ])("%s", async (_, take) => {
    const { repo, isThere } = await stage([{ f: lines({ 10: "ten" }) }, { two: "2\n" }]);
    expect(await isThere()).toBe(false);
    take(repo);
    expect(await isThere()).toBe(true);
  });

  test("but not if its merge commit changed lines itself, and only its other commits were picked", async () => {
    const { repo, tip, isThere } = await stage(two);
    repo.git("switch", "-q", "-c", "side", `${tip}^`);
    commitFiles(repo.dir, { side: "side\n" });
    repo.git("switch", "-q", "work");
    repo.git("merge", "-q", "--no-commit", "--no-ff", "side");
    const merge = commitFiles(repo.dir, { evil: "made in the merge\n" });
    repo.git("switch", "-q", "main");
    repo.git("cherry-pick", `${tip}^`, tip, "side");
    expect(await isThere()).toBe(true);
    const repository = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
    const base = repo.git("merge-base", "main", "work");
    expect(await integratedBy(repository, { base, tip: merge }, repo.git("rev-parse", "main"))).toBeUndefined();
  });

  test.each<[string, Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
    ["another text in a binary file", { bin: "\0one\n" }, { bin: "\0two\n" }],
    ["other blanks", { f: lines({ 5: "  5" }) }, { f: lines({ 5: "\t5" }) }],
    ["an empty file of another name", { "empty-1": "" }, { "empty-2": "" }],
    ["no line end at the end", { end: "x" }, { end: "x\n" }],
    ["another line end", { end: "x\r\n" }, { end: "x\n" }],
    ["the same change in another place", { same: stanzas(2) }, { same: stanzas(4) }],
  ])("but not if the target has %s", async (_, mine, other) => {
    const { repo, isThere } = await stage([mine]);
    repo.commit(other);
    expect(await isThere()).toBe(false);
  });

  test("however the user has git show changes", async () => {
    const { repo, isThere } = await stage(two);
    for (const setting of ["diff.noprefix true", "diff.algorithm patience", "color.ui always", "log.showSignature true", "diff.context 0"])
      repo.git("config", ...setting.split(" "));
    pick(repo);
    expect(await isThere()).toBe(true);
  });
});

describe("work that somebody took back", () => {
  test("commit by commit is wholly reverted; in part, it is said", async () => {
    const { repo, standing } = await stage(two);
    pick(repo);
    repo.git("revert", "--no-edit", "HEAD");
    expect(await standing()).toEqual({ kind: "off", by: repo.git("rev-parse", "HEAD"), whole: false });
    repo.git("revert", "--no-edit", "HEAD~2");
    expect(await standing()).toEqual({ kind: "off", by: repo.git("rev-parse", "HEAD"), whole: true });
  });

  test("is told from a revert of the same change in another place", async () => {
    const { repo, standing } = await stage([{ same: stanzas(2) }]);
    pick(repo);
    repo.commit({ same: stanzas(2, 4) });
    repo.git("revert", "--no-edit", "HEAD");
    expect(await standing()).toEqual({ kind: "there" });
  });

  test("and brought again is there", async () => {
    const { repo, standing } = await stage([{ one: "1\n" }]);
    pick(repo);
    repo.git("revert", "--no-edit", "HEAD");
    repo.git("revert", "--no-edit", "HEAD");
    expect(await standing()).toEqual({ kind: "there" });
  });

  test("is told from its own pick if it changes blanks alone", async () => {
    const { repo, standing } = await stage([{ f: lines({ 5: "  5", 6: "  6" }) }]);
    pick(repo);
    expect(await standing()).toEqual({ kind: "there" });
    repo.git("revert", "--no-edit", "HEAD");
    expect(await standing()).toEqual({ kind: "off", by: repo.git("rev-parse", "HEAD"), whole: true });
  });

  const revert = (repo: TempRepo): string => repo.git("revert", "--no-commit", "HEAD");
  test.each<[string, (repo: TempRepo) => void]>([
    [
      "with something else in the same commit",
      (repo) => {
        revert(repo);
        repo.commit({ log: "the work is off\n" });
      },
    ],
    [
      "with what came into the target in one commit with it",
      (repo) => {
        repo.git("commit", "-q", "--amend", "-m", "work and more");
        repo.commit({ more: "more\n" });
        repo.git("reset", "-q", "--soft", "HEAD~2");
        repo.git("commit", "-q", "-m", "together");
        repo.git("revert", "--no-edit", "HEAD");
      },
    ],
    [
      "beside a change of a line that is near",
      (repo) => {
        repo.commit({ f: lines({ 8: "eight", 10: "ten" }) });
        repo.commit({ f: lines({ 8: "eight" }) });
      },
    ],
    [
      "and its lines were changed further",
      (repo) => {
        repo.git("revert", "--no-edit", "HEAD");
        repo.commit({ f: lines({ 10: "zehn" }) });
      },
    ],
    [
      "long ago in a busy file",
      (repo) => {
        repo.git("revert", "--no-edit", "HEAD");
        for (let n = 0; n < 21; n++) repo.commit({ f: lines({ 1: `busy ${n}` }) });
      },
    ],
  ])("is off: %s", async (_, takeBack) => {
    const { repo, standing } = await stage([{ f: lines({ 10: "ten" }) }]);
    pick(repo);
    takeBack(repo);
    expect(await standing()).toMatchObject({ kind: "off", whole: true });
  });

  test("is told from what was moved to another file, and from what was edited further", async () => {
    const { repo, standing } = await stage([{ f: lines({ 10: "ten" }) }]);
    expect(await standing()).toEqual({ kind: "never" });
    pick(repo);
    const at = repo.git("rev-parse", "HEAD");
    repo.commit({ f: lines({ 10: "TEN" }) });
    expect(await standing()).toEqual({ kind: "edited" });
    repo.git("reset", "-q", "--hard", at);
    repo.commit({ f: lines(), g: "ten\n" });
    expect(await standing()).toMatchObject({ kind: "off", whole: false });
  });

  test("and brought again with most of its lines is edited", async () => {
    const { repo, standing } = await stage([{ f: lines({ 10: "ten", 11: "eleven", 12: "twelve" }) }]);
    pick(repo);
    repo.git("revert", "--no-edit", "HEAD");
    repo.commit({ f: lines({ 10: "ten", 11: "eleven", 12: "zwölf" }) });
    expect(await standing()).toEqual({ kind: "edited" });
  });

  test("is told from what was there before its merge, whatever the merge made of it", async () => {
    const { repo, merged } = await stage([{ f: lines({ 10: "ten" }) }]);
    repo.commit({ f: lines({ 11: "eleven" }) });
    expect(() => repo.git("merge", "-q", "--no-ff", "work")).toThrow();
    repo.commit({ f: lines({ 10: "ten", 11: "eleven" }) });
    repo.commit({ mine: "mine\n" });
    expect(await merged()).not.toMatchObject({ kind: "off" });
    repo.git("revert", "--no-edit", "-m", "1", "HEAD~1");
    expect(await merged()).toEqual({ kind: "off", by: repo.git("rev-parse", "HEAD"), whole: true });
  });

  test("is told from what was edited further in a file whose lines git blends", async () => {
    const { repo, tip } = await stage([{ log: "one\n" }], { ".gitattributes": "log merge=union\n", log: "" });
    pick(repo);
    repo.commit({ log: "one (#12)\n" });
    const [base, at] = [repo.git("rev-parse", `${tip}^`), repo.git("rev-parse", "main")];
    const repository = await withMergeAttributes(await openRepository(repo.dir, { parentEnv: hermeticEnv() }), at);
    expect(await standingOf(repository, { from: base, to: tip }, at, undefined)).toEqual({ kind: "edited" });
  });

  test("is told from equal lines that the user wrote in another file", async () => {
    const { repo, standing } = await stage([{ "a.test": "import x\nimport y\nof a\n" }]);
    pick(repo);
    repo.git("revert", "--no-edit", "HEAD");
    repo.commit({ "b.test": "import x\nimport y\nof b\n" });
    expect(await standing()).toMatchObject({ kind: "off", whole: true });
  });

  test("long ago, with no letter of English in it, is off", async () => {
    const { repo, standing } = await stage([{ f: lines({ 10: "größer" }) }]);
    pick(repo);
    repo.git("revert", "--no-edit", "HEAD");
    for (let n = 0; n < 21; n++) repo.commit({ f: lines({ 1: `busy ${n}` }) });
    expect(await standing()).toMatchObject({ kind: "off", whole: true });
  });

  test.each<[string, (repo: TempRepo) => void]>([
    ["an amended merge", (repo) => repo.git("merge", "-q", "--no-ff", "--no-edit", "work")],
    [
      "an amended squash that names it",
      (repo) => {
        repo.git("merge", "-q", "--squash", "work");
        repo.git("commit", "-q", "-m", `work\n\nGraftwork-Commit: ${repo.git("rev-parse", "work")}`);
      },
    ],
  ])("is left out by %s, unless that was our own landing", async (_, bring) => {
    const { repo, merged, isThere } = await stage([{ one: "1\n" }]);
    repo.commit({ mine: "mine\n" });
    bring(repo);
    expect([await isThere(), await merged()]).toEqual([true, { kind: "there" }]);
    repo.git("rm", "-q", "one");
    repo.git("commit", "-q", "--amend", "--no-edit", "--allow-empty");
    const by = repo.git("rev-parse", "HEAD");
    expect(await merged()).toEqual({ kind: "off", by, whole: true });
    expect(await merged(by)).toEqual({ kind: "there" });
  });

  test("of a branch that had merged the target, and was fast-forwarded, is off", async () => {
    const { repo, merged } = await stage([{ one: "1\n" }]);
    const work = repo.git("rev-parse", "work");
    repo.commit({ mine: "mine\n" });
    repo.git("switch", "-q", "work");
    repo.git("merge", "-q", "--no-edit", "main");
    const tip = repo.git("rev-parse", "work");
    repo.git("switch", "-q", "main");
    repo.git("merge", "-q", "--ff-only", "work");
    repo.git("revert", "--no-edit", work);
    const repository = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
    const [base, at] = [repo.git("rev-parse", `${work}^`), repo.git("rev-parse", "main")];
    expect(await standingOfMerged(repository, { base, tip }, at, undefined)).toEqual({ kind: "off", by: at, whole: true });
    expect(await merged()).not.toEqual({ kind: "never" });
  });
});

describe("a part of the work that was taken off", () => {
  const takeOff = (repo: TempRepo, ...take: string[]): void => {
    if (take.length > 0) repo.git(...take);
    repo.git("revert", "--no-edit", "HEAD");
  };
  const takeOffX = (repo: TempRepo): void => {
    repo.git("checkout", "work", "--", "x");
    repo.commit({});
    takeOff(repo);
  };
  type Commits = readonly Readonly<Record<string, string>>[];
  const three: Commits = [{ f: lines({ 2: "two" }) }, { f: lines({ 2: "two", 10: "ten" }) }, { f: lines({ 2: "two", 10: "TEN" }) }];
  const many: Commits = Array.from({ length: 25 }, (_, n) => ({ [`p${n}`]: `words ${n}\n` }));

  test.each<[string, Commits, (repo: TempRepo) => void]>([
    ["its first commit, fast-forwarded", two, (repo) => takeOff(repo, "merge", "-q", "--ff-only", "work~1")],
    ["its first commit of many", many, (repo) => takeOff(repo, "cherry-pick", "work~24")],
    [
      "two commits in one",
      three,
      (repo) => {
        repo.git("cherry-pick", "--no-commit", "work~1", "work");
        repo.commit({});
        takeOff(repo);
      },
    ],
    ["a file", [{ x: "of x\n", y: "of y\n" }], takeOffX],
    ["a file that is no text", [{ x: "\0one\n", y: "of y\n" }], takeOffX],
  ])("is found: %s", async (_, commits, takeBack) => {
    const { repo, inParts } = await stage(commits);
    expect(await inParts()).toEqual({ kind: "never" });
    takeBack(repo);
    expect(await inParts()).toEqual({ kind: "off", by: repo.git("rev-parse", "HEAD"), whole: false });
  });

  test("is found if it deletes a file", async () => {
    const { repo, tip, inParts } = await stage([{ two: "2\n" }]);
    repo.git("switch", "-q", "work");
    repo.git("rm", "-q", "f");
    repo.git("commit", "-q", "-m", "without f");
    const last = repo.git("rev-parse", "work");
    repo.git("switch", "-q", "main");
    takeOff(repo, "cherry-pick", last);
    const repository = await openRepository(repo.dir, { parentEnv: hermeticEnv() });
    const [base, at] = [repo.git("rev-parse", `${tip}^`), repo.git("rev-parse", "main")];
    expect(await standingInParts(repository, { base, tip: last }, at, new Set())).toEqual({ kind: "off", by: at, whole: false });
    expect(await inParts()).toEqual({ kind: "never" });
  });

  test("is told from lines that the target had before or has again, and from commits that the branch was put on", async () => {
    const { repo, inParts } = await stage(two);
    takeOff(repo, "cherry-pick", "work~1");
    repo.git("revert", "--no-edit", "HEAD");
    expect(await inParts()).toEqual({ kind: "never" });
    repo.git("revert", "--no-edit", "HEAD");
    expect(await inParts()).toMatchObject({ kind: "off" });
    expect(await inParts([repo.git("rev-parse", "work~1")])).toEqual({ kind: "never" });
  });
});
