import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mergeTrees } from "../../../src/git/index.ts";
import {
  choose,
  finishInSlot,
  finishResolution,
  openConflict,
  openInSlot,
  type PacketInput,
  readPacket,
  writePacket,
} from "../../../src/merge/index.ts";
import { mergeOnto } from "../../../src/merge/resolve-conflicts.ts";
import { initPool } from "../../../src/pool/index.ts";
import { git, type TempRepo } from "../../fixtures/index.ts";
import { lab } from "../pool/lab.ts";

const PERSON = { name: "Test", email: "t@example.invalid" };
const lines = (from: number, to = 30): string => Array.from({ length: to - from + 1 }, (_, n) => `${from + n}\n`).join("");
const FOLDER = { "d/1": lines(1), "d/2": lines(2), "d/3": lines(3), "d/4": lines(4) };

type Change = (repo: TempRepo) => void;
const move =
  (...pairs: readonly (readonly [string, string])[]): Change =>
  ({ dir }) => {
    for (const [from, to] of pairs) {
      mkdirSync(join(dir, to, ".."), { recursive: true });
      renameSync(join(dir, from), join(dir, to));
    }
  };
const write =
  (path: string, text: string): Change =>
  ({ dir }) => {
    mkdirSync(join(dir, path, ".."), { recursive: true });
    writeFileSync(join(dir, path), text);
  };
const remove =
  (path: string): Change =>
  ({ dir }) =>
    rmSync(join(dir, path));
const SPLIT = move(["d/1", "e/1"], ["d/2", "e/2"], ["d/3", "g/3"], ["d/4", "g/4"]);
const ADDED = write("d/z", "new\n");

/** `main` makes one change and `auto/x` another; the packet of task x on main. */
async function stage(files: Record<string, string>, ofMain: Change, ofTask: Change) {
  const { repo, context } = await lab({ files });
  const commit = (change: Change): string => {
    change(repo);
    git(repo.dir, "add", "--all");
    git(repo.dir, "commit", "-qm", "change");
    return repo.git("rev-parse", "HEAD");
  };
  repo.git("switch", "-q", "-c", "auto/x");
  const theirs = commit(ofTask);
  repo.git("switch", "-q", "main");
  const onto = commit(ofMain);
  const folder = join(repo.parent, "packet");
  const input: PacketInput = {
    folder,
    run: "shell",
    task: "x",
    title: "do x",
    branch: "auto/x",
    commit: theirs,
    target: "main",
    onto,
    reason: "collides",
    tried: [],
    resolving: { level: "safe", union: [] },
    base: null,
    now: new Date(0),
  };
  const read = (): Record<string, unknown> => JSON.parse(readFileSync(join(folder, "packet.json"), "utf8")) as Record<string, unknown>;
  return { repo, context, repository: context.repository, onto, theirs, input, folder, read };
}

/** The same, laid out in a slot. */
async function opened() {
  const made = await stage(FOLDER, SPLIT, ADDED);
  await initPool(made.context, { size: 1 });
  expect(await writePacket(made.repository, made.input)).toBe(true);
  const packet = readPacket(made.folder, "x");
  const slot = await openInSlot(made.context, packet);
  return { ...made, packet, slot, finish: () => finishInSlot(made.context, packet, slot, made.onto, PERSON, []) };
}

describe("a conflict that names no file", () => {
  test("carries what git says: in the merge, in the packet, and to an agent", async () => {
    const { repository, onto, theirs, input, folder, read } = await stage(FOLDER, SPLIT, ADDED);
    const merged = await mergeTrees(repository, onto, theirs);
    expect(merged).toMatchObject({
      clean: false,
      paths: [],
      messages: [{ paths: ["d"], text: expect.stringContaining("directory rename split") }],
    });
    const done = await mergeOnto(repository, onto, theirs, input.resolving);
    expect(done).toMatchObject({
      kind: "conflict",
      paths: [],
      left: [{ path: "d", why: expect.stringMatching(/^git says: .*Unclear where to rename d/) }],
    });
    expect(await openConflict(repository, onto, theirs, input.resolving)).toMatchObject({
      kind: "unfit",
      why: expect.stringContaining("Unclear where to rename d"),
    });
    expect(await writePacket(repository, input)).toBe(true);
    expect(read()).toMatchObject({
      kind: "directory-rename",
      names: ["d"],
      files: [],
      git_says: [expect.stringContaining("Unclear where to rename d")],
      ours_changed: ["change"],
      commands: [
        "graftwork resolve x --open",
        "graftwork resolve x --done",
        "graftwork resolve x --retry-agent",
        "graftwork resolve x --skip",
        "graftwork continue",
      ],
    });
    const page = readFileSync(join(folder, "README.md"), "utf8");
    expect(page).toContain("collide in the names of files or folders (directory-rename)");
    expect(page).toContain("Unclear where to rename d");
    expect(page).not.toContain("files/PATH");
  });

  test("is not resolved from the packet: the error says how", async () => {
    const { repository, onto, input, folder } = await stage(FOLDER, SPLIT, ADDED);
    await writePacket(repository, input);
    await expect(finishResolution(repository, readPacket(folder, "x"), onto, PERSON, [])).rejects.toMatchObject({
      code: "CONFLICT",
      try: expect.stringContaining("`graftwork resolve x --open`"),
    });
  });

  test("is laid out in a slot; as the merge left it, it is nobody's decision", async () => {
    const { slot, finish, repo } = await opened();
    expect(["e/1", "g/3", "d/z"].map((path) => existsSync(join(slot.path, path)))).toEqual([true, true, true]);
    await expect(finish()).rejects.toMatchObject({ code: "CONFLICT", because: expect.stringContaining("Unclear where to rename d") });
    expect(repo.git("rev-parse", slot.branch)).toBe(slot.from);
  });

  test("is resolved by moving a file there", async () => {
    const { repo, slot, finish, onto, theirs } = await opened();
    renameSync(join(slot.path, "d/z"), join(slot.path, "e/z"));
    const commit = await finish();
    expect(repo.git("ls-tree", "-r", "--name-only", commit).split("\n")).toEqual(["README.md", "e/1", "e/2", "e/z", "g/3", "g/4"]);
    for (const one of [onto, theirs]) repo.git("merge-base", "--is-ancestor", one, commit);
    expect(repo.git("rev-parse", slot.branch)).toBe(commit);
  });

  test("is resolved by a commit there", async () => {
    const { repo, slot, finish, onto } = await opened();
    git(slot.path, "commit", "-qm", "decided");
    const commit = await finish();
    expect(repo.git("ls-tree", "-r", "--name-only", commit)).toContain("d/z");
    repo.git("merge-base", "--is-ancestor", onto, commit);
  });
});

test.for<[what: string, files: Record<string, string>, ofMain: Change, ofTask: Change, kind: string]>([
  ["a folder split in two", FOLDER, SPLIT, ADDED, "directory-rename"],
  ["a file added to a folder that was renamed", FOLDER, move(["d", "e"]), ADDED, "rename"],
  [
    "a file in a folder's place",
    { f: "x\n" },
    (repo) => (remove("f")(repo), write("f/y", "y\n")(repo)),
    write("f", "z\n"),
    "file/directory",
  ],
  ["a file and a folder of one name", { r: "r\n" }, write("p", "p\n"), write("p/z", "z\n"), "file/directory"],
  ["one file under two names", { f: lines(1) }, move(["f", "g"]), move(["f", "h"]), "rename"],
  ["two files under one name", { f: lines(1), k: lines(50, 80) }, move(["f", "g"]), move(["k", "g"]), "add/add"],
  ["a file renamed and deleted", { f: lines(1) }, move(["f", "g"]), remove("f"), "modify/delete"],
  [
    "a link and a file",
    { f: lines(1) },
    (repo) => (remove("f")(repo), symlinkSync("y", join(repo.dir, "f"))),
    write("f", lines(2)),
    "distinct types",
  ],
  ["files that are no text", { f: "\0a" }, write("f", "\0b"), write("f", "\0c"), "content"],
])("%s: a packet is written, and an agent is not asked in vain", async ([, files, ofMain, ofTask, kind]) => {
  const { repository, onto, theirs, input, read } = await stage(files, ofMain, ofTask);
  expect(await writePacket(repository, input)).toBe(true);
  expect(read()).toMatchObject({ kind, git_says: expect.arrayContaining([expect.any(String)]) });
  expect(["conflict", "unfit"]).toContain((await openConflict(repository, onto, theirs, input.resolving)).kind);
});

const link =
  (path: string, to: string): Change =>
  ({ dir }) => {
    rmSync(join(dir, path), { force: true, recursive: true });
    symlinkSync(to, join(dir, path));
  };
const folder =
  (path: string, ...files: readonly string[]): Change =>
  (repo) => {
    rmSync(join(repo.dir, path), { force: true });
    for (const file of files) write(`${path}/${file}`, `${file}\n`)(repo);
  };
const file =
  (path: string, text: string): Change =>
  (repo) => {
    rmSync(join(repo.dir, path), { force: true, recursive: true });
    write(path, text)(repo);
  };
const both =
  (...changes: readonly Change[]): Change =>
  (repo) => {
    for (const change of changes) change(repo);
  };

/** Each kind of two things that want the name `p`; `also` are other files in conflict. */
const WANT_P: readonly (readonly [what: string, files: Record<string, string>, one: Change, other: Change, also?: readonly string[]])[] = [
  ["a changed file and a symlink", { p: "p\n" }, write("p", "q\n"), link("p", "r")],
  ["a changed file and a folder", { p: "p\n" }, write("p", "q\n"), folder("p", "1", "2")],
  ["a changed file and a folder from a symlink", { p: "p\n" }, link("p", "r"), folder("p", "1")],
  ["a new file and a new symlink", { r: "r\n" }, write("p", "q\n"), link("p", "r")],
  ["a new file and a new folder", { r: "r\n" }, write("p", "q\n"), folder("p", "1")],
  ["a file for a folder that the other changed", { "p/1": "1\n", "p/2": "2\n" }, file("p", "q\n"), write("p/1", "changed\n"), ["p/1"]],
  ["a symlink for a folder that the other changed", { "p/1": "1\n" }, link("p", "r"), write("p/1", "changed\n"), ["p/1"]],
];

describe.for(WANT_P)("%s want one name", ([, files, one, other, also = []]) => {
  test.for([
    ["ours", one, other],
    ["theirs", one, other],
  ] as const)("%s is chosen: the path is as that side has it, and no name of git's lands", async ([side, ofMain, ofTask]) => {
    const { repo, repository, onto, theirs, input, folder: packetFolder, read } = await stage(files, ofMain, ofTask);
    expect(await writePacket(repository, input)).toBe(true);
    expect((read() as { files: { path: string }[] }).files.map(({ path }) => path).toSorted()).toEqual(["p", ...also]);
    expect(await openConflict(repository, onto, theirs, input.resolving)).toMatchObject({ kind: "unfit" });
    const packet = readPacket(packetFolder, "x");
    await expect(finishResolution(repository, packet, onto, PERSON, [])).rejects.toMatchObject({ code: "CONFLICT" });
    for (const path of ["p", ...also]) choose(packet, path, { kind: side });
    const commit = await finishResolution(repository, packet, onto, PERSON, []);
    const entries = (of: string): string => repo.git("ls-tree", "-r", of, "--", "p");
    expect(entries(commit)).toBe(entries(side === "ours" ? onto : theirs));
    expect(repo.git("ls-tree", "-r", "--name-only", commit)).not.toContain("~");
  });

  test("an edited file does not say which stays; a file that a person takes does", async () => {
    const { repo, repository, onto, input, folder: packetFolder, read } = await stage(files, other, one);
    await writePacket(repository, input);
    const packet = readPacket(packetFolder, "x");
    for (const { laid_as: laid } of (read() as { files: { laid_as: string }[] }).files)
      writeFileSync(join(packetFolder, "files", laid), "edited\n");
    await expect(finishResolution(repository, packet, onto, PERSON, [])).rejects.toMatchObject({
      code: "CONFLICT",
      try: expect.stringContaining("graftwork resolve x --ours p"),
    });
    writeFileSync(join(repo.parent, "taken"), "taken\n");
    choose(packet, "p", { kind: "file", file: join(repo.parent, "taken") });
    const commit = await finishResolution(repository, packet, onto, PERSON, []);
    expect(repo.git("show", `${commit}:p`)).toBe("taken");
    expect(repo.git("ls-tree", "-r", "--name-only", commit)).not.toContain("~");
  });
});

describe.for(WANT_P.slice(0, 3))("%s want one name", ([, files, one, other]) => {
  test("in a slot, git's own name for one of them must go", async () => {
    const { context, repo, repository, onto, input, folder: packetFolder } = await stage(files, other, one);
    await initPool(context, { size: 1 });
    await writePacket(repository, input);
    const packet = readPacket(packetFolder, "x");
    const slot = await openInSlot(context, packet);
    const finish = (): Promise<string> => finishInSlot(context, packet, slot, onto, PERSON, []);
    const [name = ""] = git(slot.path, "ls-files", "--cached")
      .split("\n")
      .filter((path) => path.includes("~"));
    git(slot.path, "commit", "-qm", "all as it is");
    await expect(finish()).rejects.toMatchObject({ code: "CONFLICT", message: expect.stringContaining(name) });
    renameSync(join(slot.path, name), join(slot.path, "elsewhere"));
    expect(
      repo
        .git("ls-tree", "-r", "--name-only", await finish())
        .split("\n")
        .filter((path) => /~|elsewhere/.test(path)),
    ).toEqual(["elsewhere"]);
  });
});

test.for<[what: string, files: Record<string, string>, one: Change, other: Change]>([
  ["a file got the name of the other's folder", { r: lines(1) }, move(["r", "p"]), folder("p", "1")],
  [
    "both changed that file",
    { r: lines(1) },
    both(move(["r", "p"]), write("p", lines(2))),
    both(write("r", lines(1, 31)), folder("p", "1")),
  ],
  ["a file got into the folder", { r: lines(1) }, move(["r", "p/1"]), both(write("p", "q\n"), write("r", lines(1, 31)))],
  [
    "most of the folder's files went elsewhere",
    FOLDER,
    both(move(["d/1", "e/1"], ["d/2", "e/2"], ["d/4", "e/4"]), file("d", "q\n")),
    both(write("d/3", lines(1)), write("d/1", lines(1, 31))),
  ],
])("no side is chosen where a rename takes part: %s", async ([, files, one, other]) => {
  for (const [ofMain, ofTask] of [
    [one, other],
    [other, one],
  ] as const) {
    const { context, repo, repository, onto, input, folder: packetFolder, read } = await stage(files, ofMain, ofTask);
    expect(await writePacket(repository, input)).toBe(true);
    const packet = readPacket(packetFolder, "x");
    const { path } = (read() as { files: { path: string; in_slot: boolean }[] }).files.find((file) => file.in_slot) ?? { path: "" };
    const open = { code: "CONFLICT", try: expect.stringContaining("`graftwork resolve x --open`") };
    for (const kind of ["ours", "theirs"] as const) expect(() => choose(packet, path, { kind })).toThrow(expect.objectContaining(open));
    await expect(finishResolution(repository, packet, onto, PERSON, [])).rejects.toMatchObject(open);
    await initPool(context, { size: 1 });
    const slot = await openInSlot(context, packet);
    for (const name of git(slot.path, "ls-files")
      .split("\n")
      .filter((file) => file.includes("~")))
      renameSync(join(slot.path, name), join(slot.path, "kept"));
    git(slot.path, "add", "--all");
    git(slot.path, "commit", "-qm", "decided");
    const commit = await finishInSlot(context, packet, slot, onto, PERSON, []);
    expect(repo.git("ls-tree", "-r", "--name-only", commit)).toMatch(/^kept$/m);
  }
});

test("markers of a file that git moved aside are found under the name that a person gives it", async () => {
  const renamed = both(move(["r", "p"]), write("p", lines(1).replace("5", "task")));
  const made = await stage({ r: lines(1) }, both(write("r", lines(1).replace("5", "main")), folder("p", "1")), renamed);
  await initPool(made.context, { size: 1 });
  await writePacket(made.repository, made.input);
  const packet = readPacket(made.folder, "x");
  const slot = await openInSlot(made.context, packet);
  const finish = (): Promise<string> => finishInSlot(made.context, packet, slot, made.onto, PERSON, []);
  const name =
    git(slot.path, "ls-files", "--cached")
      .split("\n")
      .find((path) => path.includes("~")) ?? "";
  renameSync(join(slot.path, name), join(slot.path, "r"));
  await expect(finish()).rejects.toMatchObject({ code: "CONFLICT", because: expect.stringContaining("<<<<<<<") });
  writeFileSync(join(slot.path, "r"), lines(1));
  expect(made.repo.git("show", `${await finish()}:r`)).toBe(lines(1).trim());
});

describe("a packet is written whatever names are in it", () => {
  test("a file where an older packet had a folder, and the other way round", async () => {
    const { repository, input, folder: at, read } = await stage({ p: "p\n" }, write("p", "q\n"), write("p", "r\n"));
    for (const part of ["files", "base", "ours", "theirs"]) mkdirSync(join(at, part, "p", "x"), { recursive: true });
    expect(await writePacket(repository, input)).toBe(true);
    expect(read()).toMatchObject({ files: [{ path: "p" }] });
    expect(readFileSync(join(at, "theirs", "p"), "utf8")).toBe("r\n");
  });

  test("a file below the other's file: what cannot stand beside is left out", async () => {
    const ofMain = both(move(["p", "old"]), move(["q", "p/q"]), write("p/q", lines(31, 60)));
    const { repository, input, read } = await stage(
      { p: lines(1), q: lines(31) },
      ofMain,
      both(write("p", lines(2)), write("q", lines(30, 60))),
    );
    expect(await writePacket(repository, input)).toBe(true);
    expect(read()).toMatchObject({ task: "x" });
  });

  test("a name so long that git's own name for it is none", async () => {
    const name = "n".repeat(220);
    const { repository, input, onto, folder: at } = await stage({ r: "r\n" }, folder(name, "1"), write(name, "file\n"));
    expect(await writePacket(repository, input)).toBe(true);
    const packet = readPacket(at, "x");
    choose(packet, name, { kind: "theirs" });
    await expect(finishResolution(repository, packet, onto, PERSON, [])).resolves.toMatch(/^[0-9a-f]{40}$/);
  });

  test("histories that have nothing in common: it says so, and offers to do the task again", async () => {
    const { repo, repository, input, read } = await stage({ r: "r\n" }, write("p", "p\n"), write("q", "q\n"));
    const alone = repo.git("commit-tree", "-m", "alone", "HEAD^{tree}");
    expect(await writePacket(repository, { ...input, commit: alone })).toBe(true);
    expect(read()).toMatchObject({
      kind: "unmergeable",
      commands: ["graftwork resolve x --retry-agent", "graftwork resolve x --skip", "graftwork continue"],
    });
  });
});

test("a submodule that both sides moved: a packet is written, with what git could say", async () => {
  const point =
    (path: string, commit: string): Change =>
    ({ dir }) =>
      git(dir, "update-index", "--add", "--cacheinfo", `160000,${commit},${path}`);
  const { repo, context } = await lab({ files: { r: "r\n" } });
  const commits = ["1", "2", "3"].map((n) => repo.git("commit-tree", "HEAD^{tree}", "-m", n));
  const [one = "", two = "", three = ""] = commits;
  point("s", one)(repo);
  repo.git("commit", "-qm", "base");
  repo.git("switch", "-q", "-c", "auto/x");
  point("s", two)(repo);
  repo.git("commit", "-qm", "x");
  const commit = repo.git("rev-parse", "HEAD");
  repo.git("switch", "-q", "main");
  point("s", three)(repo);
  repo.git("commit", "-qm", "main");
  const onto = repo.git("rev-parse", "HEAD");
  const folder = join(repo.parent, "packet");
  const resolving = { level: "safe", union: [] } as const;
  const about = { folder, run: "shell", task: "x", title: "x", branch: "auto/x", commit, target: "main", onto };
  expect(await writePacket(context.repository, { ...about, reason: "", tried: [], resolving, base: null, now: new Date(0) })).toBe(true);
  const packet = JSON.parse(readFileSync(join(folder, "packet.json"), "utf8")) as object;
  expect(packet).toMatchObject({
    kind: "content",
    files: [{ path: "s" }],
    git_says: expect.arrayContaining([expect.stringContaining("submodule")]),
  });
});

describe("a merge that git makes", () => {
  test("needs no packet, unless a person has to decide for another reason", async () => {
    const { repository, input, read, folder, onto, theirs, repo } = await stage({ a: "a\n" }, write("b", "b\n"), write("c", "c\n"));
    expect(await writePacket(repository, input)).toBe(false);
    expect(existsSync(folder)).toBe(false);
    expect(await writePacket(repository, { ...input, reason: "main took it back", evenIfClean: true })).toBe(true);
    expect(read()).toMatchObject({ kind: "decision", files: [], names: [], git_says: [], reason: "main took it back" });
    const page = readFileSync(join(folder, "README.md"), "utf8");
    expect(page).toContain("It was not merged: main took it back");
    expect(page).toContain("`graftwork resolve x --done`");
    const commit = await finishResolution(repository, readPacket(folder, "x"), onto, PERSON, []);
    expect(repo.git("log", "-1", "--format=%P", commit)).toBe(`${theirs} ${onto}`);
  });
});
