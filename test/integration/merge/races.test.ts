import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  choose,
  finishResolution,
  land,
  type MergeContext,
  readPacket,
  recoverLanding,
  undoLandings,
  writePacket,
} from "../../../src/merge/index.ts";
import { commitFiles, git, writeFiles } from "../../fixtures/index.ts";
import { mergeCandidates } from "../../fixtures/merge-context.ts";
import { bench, landAndDelete } from "./bench.ts";

/** The same coordinator, where `work` happens between the last look at the checkout and git's move of it. */
function atTheLastMoment(context: MergeContext, work: () => void): MergeContext {
  let done = false;
  return {
    ...context,
    emit: (event) => {
      context.emit(event);
      if (event.type !== "landing" || done) return;
      done = true;
      work();
    },
  };
}

describe("the user acts while the target moves", () => {
  test("switches to another branch: that branch and its files are put back, the target lands all the same", async () => {
    const { repo, context, candidate } = await bench({ x: { "x.txt": "x\n" }, other: { "other.txt": "o\n" } });
    const first = repo.git("rev-parse", "main");
    repo.commit({ "second.txt": "2\n" });
    repo.git("branch", "older", first);
    const { result } = await mergeCandidates(
      atTheLastMoment(context, () => void repo.git("switch", "-q", "older")),
      [candidate("x")],
    );
    expect(repo.git("rev-parse", "older")).toBe(first);
    expect(repo.git("branch", "--show-current")).toBe("older");
    expect(repo.git("status", "--porcelain")).toBe("");
    expect(existsSync(join(repo.dir, "second.txt"))).toBe(false);
    expect(result).toEqual({ kind: "landed" });
    repo.git("merge-base", "--is-ancestor", "auto/x", "main");
  });

  test("detaches HEAD: it is put back", async () => {
    const { repo, context, candidate } = await bench({ x: { "x.txt": "x\n" } });
    const before = repo.git("rev-parse", "main");
    const { result } = await mergeCandidates(
      atTheLastMoment(context, () => void repo.git("switch", "-q", "--detach")),
      [candidate("x")],
    );
    expect(repo.git("rev-parse", "HEAD")).toBe(before);
    expect(existsSync(join(repo.dir, "x.txt"))).toBe(false);
    expect(repo.git("status", "--porcelain")).toBe("");
    expect(result).toEqual({ kind: "landed" });
  });

  test("takes the target back a commit: that stays undone, and the work is verified again on what is there", async () => {
    const { repo, context, verified, candidate } = await bench({ x: { "x.txt": "x\n" } });
    repo.commit({ "unwanted.txt": "u\n" });
    const { result } = await mergeCandidates(
      atTheLastMoment(context, () => void repo.git("reset", "-q", "--hard", "HEAD~1")),
      [candidate("x")],
    );
    expect(result).toEqual({ kind: "landed" });
    expect(existsSync(join(repo.dir, "unwanted.txt"))).toBe(false);
    expect(verified).toHaveLength(2);
    expect(repo.git("status", "--porcelain")).toBe("");
  });

  test("commits: who collided once is not offered again, so its one rerun is not used up", async () => {
    const { repo, context, events, verified, candidate } = await bench({ x: { "a.txt": "X\n2\n3\n" }, y: { "a.txt": "Y\n2\n3\n" }, z: {} });
    const verify = context.verify;
    context.verify = async (request) => {
      if (verified.length === 0) commitFiles(repo.dir, { "user.txt": "u\n" });
      return verify(request);
    };
    const { landed } = await mergeCandidates(context, [candidate("x"), candidate("y"), candidate("z", ["y"])]);
    expect(landed).toEqual(["x"]);
    expect(events.filter((event) => event.type === "conflict")).toHaveLength(1);
  });
});

describe("a landing that was cut off", () => {
  test("is no reason to touch a checkout that is on another branch by now, or gone", async () => {
    const { repo, context, candidate } = await bench({ x: { "a.txt": "x\n" }, other: { "a.txt": "other\n" } });
    const begun = { from: repo.git("rev-parse", "main"), to: candidate("x").commit, tasks: [], checkout: repo.dir };
    repo.git("switch", "-q", "auto/other");
    expect(await recoverLanding(context, begun)).toEqual({ landed: false, foreign: [] });
    expect(readFileSync(join(repo.dir, "a.txt"), "utf8")).toBe("other\n");
    expect(await recoverLanding(context, { ...begun, checkout: join(repo.parent, "gone") })).toEqual({ landed: false, foreign: [] });
  });

  test("is put back where a file had become a folder already, and the other way round", async () => {
    const files = { "a.txt": null, "a.txt/inner": "i\n", "d/one": null, d: "file\n" };
    const { repo, context, candidate } = await bench({ x: { new: "n" } });
    repo.commit({ "d/one": "1\n" });
    repo.git("switch", "-q", "-c", "later");
    rmSync(join(repo.dir, "d"), { recursive: true });
    rmSync(join(repo.dir, "a.txt"));
    writeFiles(repo.dir, { "a.txt/inner": files["a.txt/inner"], d: files.d });
    git(repo.dir, "add", "--all");
    git(repo.dir, "commit", "-qm", "later");
    const to = repo.git("rev-parse", "HEAD");
    repo.git("switch", "-q", "main");
    rmSync(join(repo.dir, "d"), { recursive: true });
    rmSync(join(repo.dir, "a.txt"));
    mkdirSync(join(repo.dir, "a.txt"));
    writeFiles(repo.dir, { "a.txt/inner": "i\n", d: "fi" });
    const begun = { from: repo.git("rev-parse", "main"), to, tasks: [], checkout: repo.dir };
    expect(await recoverLanding(context, begun)).toEqual({ landed: false, foreign: [] });
    expect(repo.git("status", "--porcelain")).toBe("");
    expect(await land(context, begun)).toEqual({ kind: "landed" });
    void candidate;
  });
});

test("a cut-off landing of many files is looked at with few programs, whatever the files are called", async () => {
  const { repo, context } = await bench({ x: {} });
  const names = [...Array.from({ length: 200 }, (_, i) => `many/${i}`), 'q"uote', "back\\slash", "new\nline", "ü ä"];
  repo.commit(Object.fromEntries(names.map((name) => [name, `old ${name}`])));
  const from = repo.git("rev-parse", "HEAD");
  const to = repo.commit(Object.fromEntries(names.map((name) => [name, `new ${name}`])));
  repo.git("reset", "-q", "--hard", from);
  writeFiles(repo.dir, Object.fromEntries(names.map((name, i) => [name, i % 2 === 0 ? `new ${name}` : `old ${name}`])));
  let programs = 0;
  const counted = { ...context, repository: { ...context.repository, onCommand: () => void programs++ } };
  expect(await recoverLanding(counted, { from, to, tasks: [], checkout: repo.dir })).toEqual({ landed: false, foreign: [] });
  expect(repo.git("status", "--porcelain")).toBe("");
  expect(programs).toBeLessThan(20);
});

describe("a person's resolution", () => {
  test("keeps what the target got since the packet was written; an older packet's choices do not count", async () => {
    const { repo, context, candidate, packetOf } = await bench({ x: { "a.txt": "1\n2\nX\n" } });
    const onto = repo.commit({ "a.txt": "1\n2\nM\n" });
    const about = packetOf("x", onto);
    await writePacket(context.repository, about);
    choose(readPacket(about.folder, "x"), "a.txt", { kind: "ours" });
    await writePacket(context.repository, about);
    const packet = readPacket(about.folder, "x");
    await expect(finishResolution(context.repository, packet, onto, context.person, [])).rejects.toMatchObject({ code: "CONFLICT" });
    writeFileSync(join(about.folder, "files/a.txt"), "1\n2\nM and X\n");
    const later = repo.commit({ "a.txt": "later\n2\nM\n" });
    const resolved = await finishResolution(context.repository, packet, later, context.person, []);
    await mergeCandidates(context, [{ ...candidate("x"), commit: resolved }]);
    expect(readFileSync(join(repo.dir, "a.txt"), "utf8")).toBe("later\n2\nM and X\n");
  });

  test("does not bring back what the user took off the target", async () => {
    const { repo, context, packetOf } = await bench({ x: { "a.txt": "1\n2\nX\n" } });
    const before = repo.git("rev-parse", "main");
    const onto = repo.commit({ "a.txt": "1\n2\nM\n" });
    const about = packetOf("x", onto);
    await writePacket(context.repository, about);
    choose(readPacket(about.folder, "x"), "a.txt", { kind: "theirs" });
    const resolved = await finishResolution(context.repository, readPacket(about.folder, "x"), before, context.person, []);
    expect(repo.git("rev-list", resolved).split("\n")).not.toContain(onto);
    const otherwise = git(repo.dir, "commit-tree", "-p", before, "-m", "otherwise", repo.git("rev-parse", `${onto}^{tree}`));
    await expect(finishResolution(context.repository, readPacket(about.folder, "x"), otherwise, context.person, [])).rejects.toMatchObject({
      code: "CONFLICT",
    });
  });
});

test("an undo that was killed after the target moved is finished by the next one", async () => {
  const made = await bench({ x: { "x.txt": "x\n" } });
  const { repo, events } = made;
  const undo = await landAndDelete(made, "x");
  repo.git("reset", "-q", "--hard", undo.before);
  await undoLandings(undo);
  expect(repo.git("rev-parse", "auto/x")).toBe(undo.branches[0]?.commit);
  expect(events.at(-1)).toMatchObject({ type: "undone" });
});
