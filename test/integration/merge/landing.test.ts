import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dangerousConfig } from "../../../src/git/index.ts";
import { land, type MergeContext } from "../../../src/merge/index.ts";
import { git, hermeticEnv, type TempRepo, writeFiles } from "../../fixtures/index.ts";
import { bench } from "./bench.ts";

type Made = { repo: TempRepo; context: MergeContext; from: string; to: string };

/** `main` checked out at `from`, and a later commit `to`, which `change` made. */
async function twoCommits(change: (dir: string) => void, first: (dir: string) => void = () => undefined): Promise<Made> {
  const { repo, context } = await bench({});
  first(repo.dir);
  git(repo.dir, "add", "--all");
  git(repo.dir, "commit", "-q", "--allow-empty", "-m", "from");
  const from = repo.git("rev-parse", "HEAD");
  change(repo.dir);
  git(repo.dir, "add", "--all");
  git(repo.dir, "commit", "-q", "-m", "to");
  const to = repo.git("rev-parse", "HEAD");
  repo.git("reset", "-q", "--hard", from);
  return { repo, context, from, to };
}

const landIt = ({ context, from, to }: Made) => land(context, { from, to, tasks: [] });
const read = ({ repo }: Made, path: string): string => readFileSync(join(repo.dir, path), "utf8");
const write = ({ repo }: Made, path: string, text: string): void => writeFiles(repo.dir, { [path]: text });
const status = ({ repo }: Made): string => repo.git("status", "--porcelain");
const landings = ({ repo }: Made): string => join(repo.dir, ".git/graftwork/landings");
const isAt = ({ repo }: Made, commit: string): boolean => repo.git("rev-parse", "main") === commit;

/** What is configured now is the user's own. */
async function trustConfig({ context }: Made): Promise<void> {
  context.trustedConfig = await dangerousConfig(context.repository);
}

function addSubmodule(dir: string): void {
  mkdirSync(join(dir, "sub"));
  git(dir, "update-index", "--add", "--cacheinfo", `160000,${git(dir, "rev-parse", "HEAD")},sub`);
}

/** Adds x.txt, changes a.txt; b.txt has nothing to do with it. */
const usual = () => twoCommits((dir) => writeFiles(dir, { "a.txt": "1\n2\nthree\n", "x.txt": "x\n" }));

describe("a landing in a checkout", () => {
  test("that is clean: files, index and branch move together, and nothing is left to do", async () => {
    const made = await usual();
    expect(await landIt(made)).toEqual({ kind: "landed" });
    expect([read(made, "a.txt"), read(made, "x.txt"), status(made)]).toEqual(["1\n2\nthree\n", "x\n", ""]);
    expect(made.repo.git("diff-files")).toBe("");
    expect(made.repo.git("log", "-1", "--format=%gs", "-g", "HEAD")).toBe("graftwork: land r");
  });

  test.for<[what: string, prepare: (made: Made) => void, after: string]>([
    ["an unrelated unsaved change", (made) => write(made, "b.txt", "mine\n"), " M b.txt"],
    [
      "an unrelated staged change",
      (made) => {
        write(made, "b.txt", "mine\n");
        made.repo.git("add", "b.txt");
      },
      "M  b.txt",
    ],
    ["an unrelated new file", (made) => write(made, "mine.txt", "mine\n"), "?? mine.txt"],
  ])("keeps %s", async ([, prepare, after]) => {
    const made = await usual();
    prepare(made);
    expect(await landIt(made)).toEqual({ kind: "landed" });
    expect(status(made)).toBe(after);
  });

  test.for<[what: string, prepare: (made: Made) => void, path: string, text: string]>([
    ["an unsaved change of a touched file", (made) => write(made, "a.txt", "mine\n"), "a.txt", "mine\n"],
    [
      "a staged change of a touched file",
      (made) => {
        write(made, "a.txt", "mine\n");
        made.repo.git("add", "a.txt");
      },
      "a.txt",
      "mine\n",
    ],
    ["an untracked file in the way", (made) => write(made, "x.txt", "mine\n"), "x.txt", "mine\n"],
    ["an untracked file in the way with the very same text", (made) => write(made, "x.txt", "x\n"), "x.txt", "x\n"],
    [
      "an ignored file in the way",
      (made) => {
        write(made, ".git/info/exclude", "x.txt\n");
        write(made, "x.txt", "mine\n");
      },
      "x.txt",
      "mine\n",
    ],
    ["a folder in the way", (made) => write(made, "x.txt/mine", "mine\n"), "x.txt/mine", "mine\n"],
    [
      "a change that git was told not to look at",
      (made) => {
        made.repo.git("update-index", "--assume-unchanged", "a.txt");
        write(made, "a.txt", "mine\n");
      },
      "a.txt",
      "mine\n",
    ],
    ["a mode that was changed", ({ repo }) => chmodSync(join(repo.dir, "a.txt"), 0o755), "a.txt", "1\n2\n3\n"],
  ])("waits for %s: kept, and nothing has moved", async ([, prepare, path, text]) => {
    const made = await usual();
    prepare(made);
    const before = [made.repo.git("ls-files", "--stage"), made.repo.git("status", "--porcelain", "--ignored")];
    expect(await landIt(made)).toMatchObject({ kind: "waits", command: expect.stringContaining("merge --ff-only") });
    expect(read(made, path)).toContain(text);
    expect([made.repo.git("ls-files", "--stage"), made.repo.git("status", "--porcelain", "--ignored")]).toEqual(before);
    expect(isAt(made, made.from)).toBe(true);
    expect(existsSync(join(made.repo.dir, ".git/index.lock"))).toBe(false);
  });

  test("waits for a merge of the user's own and names no command, because none works before that merge ends", async () => {
    const made = await usual();
    const { repo, from } = made;
    writeFileSync(join(repo.dir, ".git/MERGE_HEAD"), `${from}\n`);
    const before = [repo.git("ls-files", "--stage"), repo.git("status", "--porcelain", "--ignored")];
    expect(await landIt(made)).toMatchObject({ kind: "waits", command: null });
    expect(read(made, ".git/MERGE_HEAD")).toContain(from);
    expect([repo.git("ls-files", "--stage"), repo.git("status", "--porcelain", "--ignored")]).toEqual(before);
    expect(isAt(made, made.from)).toBe(true);
  });

  test("waits where another git holds the index, and leaves its lock", async () => {
    const made = await usual();
    write(made, ".git/index.lock", "");
    expect(await landIt(made)).toMatchObject({ kind: "waits", reason: expect.stringContaining("index.lock") });
    expect(existsSync(join(made.repo.dir, ".git/index.lock"))).toBe(true);
    rmSync(join(made.repo.dir, ".git/index.lock"));
    expect([status(made), isAt(made, made.from)]).toEqual(["", true]);
  });

  test("a coordinator that lost its run moves nothing", async () => {
    const made = await usual();
    const fence = [{ ref: "refs/graftwork/owner/r", verify: made.from }];
    expect(await land({ ...made.context, fence }, { from: made.from, to: made.to, tasks: [] })).toMatchObject({ kind: "moved" });
    expect([status(made), isAt(made, made.from)]).toEqual(["", true]);
  });
});

describe("what is staged", () => {
  const changed = () =>
    twoCommits(
      (dir) => {
        writeFiles(dir, { "a.txt": "new\n", "x.txt": "x\n", "folder/y.txt": "y\n" });
        rmSync(join(dir, "gone.txt"));
      },
      (dir) => writeFiles(dir, { "gone.txt": "gone\n" }),
    );
  /** git with something to read, or with another index. */
  const run = ({ repo }: Made, args: readonly string[], input = "", index = join(repo.dir, ".git", "index")) =>
    spawnSync("git", args, { cwd: repo.dir, encoding: "utf8", input, env: { ...hermeticEnv(), GIT_INDEX_FILE: index } });
  const blob = (made: Made, text: string): string => run(made, ["hash-object", "-w", "--stdin"], text).stdout.trim();
  const stage = (made: Made, path: string, text: string): string =>
    made.repo.git("update-index", "--add", "--cacheinfo", `100644,${blob(made, text)},${path}`);

  test.for<[what: string, prepare: (made: Made) => void, lands: boolean]>([
    ["the very change that lands", (made) => stage(made, "a.txt", "new\n"), true],
    ["another change of a touched file", (made) => stage(made, "a.txt", "mine\n"), false],
    ["the removal of a file that changes", (made) => made.repo.git("rm", "-q", "--cached", "a.txt"), false],
    ["the removal of a file that goes", (made) => made.repo.git("rm", "-q", "--cached", "gone.txt"), true],
    ["a change of a file that goes", (made) => stage(made, "gone.txt", "mine\n"), false],
    ["the very file that is new", (made) => stage(made, "x.txt", "x\n"), true],
    ["another file of the new one's name", (made) => stage(made, "x.txt", "mine\n"), false],
    ["another mode of a touched file", (made) => made.repo.git("update-index", "--chmod=+x", "a.txt"), false],
    ["something beside all this", (made) => stage(made, "b.txt", "mine\n"), true],
    [
      "a collision that is not decided",
      (made) => {
        const lines = [1, 2, 3].map((side) => `100644 ${blob(made, `${side}\n`)} ${side}\tb.txt\n`);
        run(made, ["update-index", "--index-info"], `0 ${"0".repeat(40)}\tb.txt\n${lines.join("")}`);
      },
      false,
    ],
  ])("%s: what git's own rules make of it", async ([, prepare, lands]) => {
    const made = await changed();
    prepare(made);
    const before = made.repo.git("ls-files", "--stage");
    const copy = join(made.repo.dir, ".git", "copy");
    copyFileSync(join(made.repo.dir, ".git", "index"), copy);
    expect(run(made, ["read-tree", "-i", "-m", made.from, made.to], "", copy).status === 0).toBe(lands);
    expect((await landIt(made)).kind).toBe(lands ? "landed" : "waits");
    const wanted = lands ? run(made, ["ls-files", "--stage"], "", copy).stdout.trim() : before;
    expect(made.repo.git("ls-files", "--stage")).toBe(wanted);
    expect(read(made, "a.txt") === "new\n").toBe(lands);
    // Nobody has to look at what landed again.
    if (lands) expect(made.repo.git("diff-files", "--name-only").split("\n")).not.toContain("a.txt");
  });

  test.each(["x.txt/mine", "folder"])(
    "a file %s, where a file takes a folder's place or the other way round: waits; git would drop it",
    async (path) => {
      const made = await changed();
      stage(made, path, "mine\n");
      expect((await landIt(made)).kind).toBe("waits");
      expect(made.repo.git("ls-files", path)).toBe(path);
      expect(isAt(made, made.from)).toBe(true);
    },
  );
});

describe("what changes may be", () => {
  const old: (dir: string) => void = (dir) => {
    writeFiles(dir, {
      "was/file": "f\n",
      "folder/one": "1\n",
      "folder/deep/two": "2\n",
      "gone/only": "g\n",
      "Case.txt": "c\n",
      run: "r\n",
    });
    writeFiles(dir, { "ünï code": "u\n", 'q"uote\\ and\ttab': "q\n" });
    symlinkSync("a.txt", join(dir, "link"));
    symlinkSync("nowhere", join(dir, "turned"));
  };
  const later: (dir: string) => void = (dir) => {
    for (const path of ["was/file", "folder", "gone", "Case.txt", "link", "turned"]) rmSync(join(dir, path), { recursive: true });
    writeFiles(dir, { "was/file/inner/deep": "i\n", folder: "now a file\n", "case.txt": "c\n", turned: "a file now\n" });
    writeFiles(dir, { "ünï code": "U\n", 'q"uote\\ and\ttab': "Q\n", "new/deep/er/file": "n\n", empty: "" });
    symlinkSync("b.txt", join(dir, "link"));
    chmodSync(join(dir, "run"), 0o755);
    rmSync(join(dir, "b.txt"));
    symlinkSync("a.txt", join(dir, "b.txt"));
  };

  test("links, modes, deletions, folders for files and files for folders, names of letters only in another case: there and back", async () => {
    const made = await twoCommits(later, old);
    expect(await landIt(made)).toEqual({ kind: "landed" });
    expect([status(made), made.repo.git("diff-files"), isAt(made, made.to)]).toEqual(["", "", true]);
    expect(readlinkSync(join(made.repo.dir, "link"))).toBe("b.txt");
    expect(lstatSync(join(made.repo.dir, "run")).mode & 0o111).not.toBe(0);
    expect(existsSync(join(made.repo.dir, "gone"))).toBe(false);
    // The other direction has everything the other way round.
    expect(await landIt({ ...made, from: made.to, to: made.from })).toEqual({ kind: "landed" });
    expect([status(made), made.repo.git("diff-files"), isAt(made, made.from)]).toEqual(["", "", true]);
    expect(existsSync(join(made.repo.dir, "new"))).toBe(false);
  });

  test("a person's file in a folder that becomes a file is named, and nothing changes", async () => {
    const made = await twoCommits(later, old);
    write(made, "folder/mine", "mine\n");
    expect(await landIt(made)).toMatchObject({ kind: "waits", reason: expect.stringMatching(/ folder\/mine$/) });
    expect([status(made), read(made, "folder/mine")]).toEqual(["?? folder/mine", "mine\n"]);
    expect(readlinkSync(join(made.repo.dir, "link"))).toBe("a.txt");
  });

  test("a folder that a person made a link to elsewhere is not written through", async () => {
    const made = await twoCommits((dir) => writeFiles(dir, { "d/two": "2\n" }));
    mkdirSync(join(made.repo.parent, "elsewhere"));
    symlinkSync(join(made.repo.parent, "elsewhere"), join(made.repo.dir, "d"));
    expect(await landIt(made)).toMatchObject({ kind: "waits", reason: expect.stringMatching(/ d$/) });
    expect(readdirSync(join(made.repo.parent, "elsewhere"))).toEqual([]);
  });

  test("files are written and compared by the user's own line ends and filters", async () => {
    const attributes = "*.crlf text eol=crlf\n*.up filter=up\n";
    const made = await twoCommits(
      (dir) => writeFiles(dir, { "a.crlf": "one\r\ntwo\r\n", "a.up": "LATER\n", "b.up": "NEW\n" }),
      (dir) => {
        git(dir, "config", "filter.up.clean", "tr A-Z a-z");
        git(dir, "config", "filter.up.smudge", "tr a-z A-Z");
        writeFiles(dir, { ".gitattributes": attributes, "a.crlf": "one\r\n", "a.up": "EARLIER\n" });
      },
    );
    await trustConfig(made);
    expect(await landIt(made)).toEqual({ kind: "landed" });
    expect([read(made, "a.crlf"), read(made, "a.up"), read(made, "b.up"), status(made)]).toEqual([
      "one\r\ntwo\r\n",
      "LATER\n",
      "NEW\n",
      "",
    ]);
    expect(made.repo.git("show", "main:a.up")).toBe("later");
  });

  test.for<[what: string, prepare: (dir: string) => void]>([
    ["attributes", (dir) => writeFiles(dir, { ".gitattributes": "*.crlf text eol=crlf\n", "a.crlf": "one\n" })],
    ["a submodule that comes", (dir) => addSubmodule(dir)],
  ])("%s: git does it, as ever", async ([, change]) => {
    const made = await twoCommits(change);
    expect(await landIt(made)).toEqual({ kind: "landed" });
    expect([status(made), isAt(made, made.to), readdirSync(landings(made))]).toEqual(["", true, []]);
    expect(made.repo.git("log", "-g", "-1", "--format=%gs", "main")).toContain("Fast-forward");
  });

  test("in a sparse checkout git does it, and what is not shown stays hidden", async () => {
    const made = await twoCommits((dir) => writeFiles(dir, { "in/one": "1\n", "out/one": "1\n" }));
    made.repo.git("sparse-checkout", "set", "in");
    await trustConfig(made);
    expect(await landIt(made)).toEqual({ kind: "landed" });
    expect([status(made), read(made, "in/one"), existsSync(join(made.repo.dir, "out"))]).toEqual(["", "1\n", false]);
  });
});

test("in a folder that may not be written to nothing is changed, and the landing waits", async (context) => {
  if (process.getuid?.() === 0) return context.skip("root may write anywhere");
  const made = await twoCommits(
    (dir) => writeFiles(dir, { "a.txt": "new\n", "sub/b.txt": "new\n" }),
    (dir) => writeFiles(dir, { "sub/b.txt": "old\n" }),
  );
  chmodSync(join(made.repo.dir, "sub"), 0o555);
  expect(await landIt(made)).toMatchObject({ kind: "waits", reason: expect.stringContaining("EACCES") });
  chmodSync(join(made.repo.dir, "sub"), 0o755);
  expect([status(made), read(made, "sub/b.txt"), isAt(made, made.from)]).toEqual(["", "old\n", true]);
});

describe("what was moved aside", () => {
  test("is kept for a day, for a program that had it open, and longer where that wrote to it", async () => {
    const made = await usual();
    const open = openSync(join(made.repo.dir, "a.txt"), "a");
    try {
      expect(await landIt(made)).toEqual({ kind: "landed" });
      writeSync(open, "written late\n");
    } finally {
      closeSync(open);
    }
    expect(read(made, "a.txt")).toBe("1\n2\nthree\n");
    const [first = ""] = readdirSync(landings(made));
    const kept = join(landings(made), first, "old", "a.txt");
    expect(readFileSync(kept, "utf8")).toBe("1\n2\n3\nwritten late\n");
    const longAgo = Date.now() / 1000 - 2 * 24 * 60 * 60;
    utimesSync(join(landings(made), first), longAgo, longAgo);
    expect(await landIt({ ...made, from: made.to, to: made.from })).toEqual({ kind: "landed" });
    expect(existsSync(kept)).toBe(true);
    utimesSync(kept, longAgo - 60, longAgo - 60);
    utimesSync(join(landings(made), first), longAgo, longAgo);
    expect(await landIt(made)).toEqual({ kind: "landed" });
    expect(readdirSync(landings(made))).not.toContain(first);
  });
});
