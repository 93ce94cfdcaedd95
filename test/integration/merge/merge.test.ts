import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { choose, finishResolution, land, readPacket, recoverLanding, undoLandings, writePacket } from "../../../src/merge/index.ts";
import { commitFiles, git, type TempRepo, writeFiles } from "../../fixtures/index.ts";
import { mergeCandidates } from "../../fixtures/merge-context.ts";
import { bench, landAndDelete } from "./bench.ts";

const firstParents = (repo: TempRepo): string[] => repo.git("log", "--first-parent", "--format=%s", "main").split("\n");

describe("a train", () => {
  test("lands whole, in order, verified once at its tip; the checkout comes along and unrelated unsaved work stays", async () => {
    const { repo, context, verified, candidate } = await bench({ x: { "x.txt": "x\n" }, y: { "y.txt": "y\n" } });
    writeFileSync(join(repo.dir, "b.txt"), "unsaved\n");
    writeFileSync(join(repo.dir, "new-by-hand.txt"), "mine\n");
    const { landed, result } = await mergeCandidates(context, [candidate("x"), candidate("y")]);
    expect(result).toEqual({ kind: "landed" });
    expect(landed).toEqual(["x", "y"]);
    expect(verified).toHaveLength(1);
    expect(firstParents(repo)).toEqual(["Merge auto/y: do y", "Merge auto/x: do x", "first"]);
    expect(readFileSync(join(repo.dir, "x.txt"), "utf8")).toBe("x\n");
    expect(repo.git("status", "--porcelain")).toBe(" M b.txt\n?? new-by-hand.txt");
    for (const branch of ["auto/x", "auto/y"]) repo.git("merge-base", "--is-ancestor", branch, "main");
    expect(await mergeCandidates(context, [candidate("x")])).toMatchObject({ result: { kind: "landed" } });
  });

  test("a textual conflict holds back only what depends on it; nobody sees a half merge", async () => {
    const { repo, context, events, candidate } = await bench({
      x: { "a.txt": "1\nX\n3\n" },
      y: { "a.txt": "1\nY\n3\n" },
      z: { "z.txt": "z\n" },
      w: { "w.txt": "w\n" },
    });
    const { landed } = await mergeCandidates(context, [candidate("x"), candidate("y"), candidate("z"), candidate("w", ["y"])]);
    expect(landed).toEqual(["x", "z"]);
    expect(events).toContainEqual(expect.objectContaining({ type: "conflict", task: "y", paths: ["a.txt"], against: ["x"] }));
    expect(existsSync(join(repo.dir, ".git/MERGE_HEAD"))).toBe(false);
    expect(repo.git("status", "--porcelain")).toBe("");
  });

  test("green alone, red together: the culprit is named, what depends on it waits, the rest lands, no red commit was ever on the target", async () => {
    const { repo, context, events, candidate } = await bench(
      { x: { "x.txt": "x\n" }, y: { "y.txt": "y\n" }, w: { "w.txt": "w\n" }, z: { "z.txt": "z\n" } },
      async (read) => (await read("x.txt")) !== "" && (await read("y.txt")) !== "",
    );
    const { landed } = await mergeCandidates(context, [candidate("x"), candidate("y"), candidate("w", ["y"]), candidate("z")]);
    expect(landed).toEqual(["x", "z"]);
    expect(events).toContainEqual(
      expect.objectContaining({ type: "ejected", task: "y", reason: "it passes alone and fails together with x: npm test failed" }),
    );
    expect(existsSync(join(repo.dir, "y.txt"))).toBe(false);
  });

  test("a conflict is with whom it collides, not with who only changed the same file", async () => {
    const lines = (changes: Readonly<Record<number, string>>): string =>
      Array.from({ length: 20 }, (_, n) => `${changes[n] ?? n}\n`).join("");
    const { context, events, candidate } = await bench(
      { z: { "l.txt": lines({ 15: "z" }) }, w: { "l.txt": lines({ 2: "w" }) }, x: { "l.txt": lines({ 2: "x" }) } },
      undefined,
      { "l.txt": lines({}) },
    );
    const { landed } = await mergeCandidates(context, [candidate("z"), candidate("w"), candidate("x")]);
    expect(landed).toEqual(["z", "w"]);
    expect(events).toContainEqual(expect.objectContaining({ type: "conflict", task: "x", against: ["w"] }));
  });

  test("who collides with an ejected branch alone lands, and no conflict is said; a train of which nothing lands leaves no ref", async () => {
    const { repo, context, events, candidate } = await bench(
      { bad: { "a.txt": "bad\n" }, good: { "a.txt": "good\n" }, after: { "after.txt": "" } },
      async (read) => (await read("a.txt")) === "bad\n",
    );
    expect(await mergeCandidates(context, [candidate("bad")])).toMatchObject({ landed: [], result: { kind: "nothing" } });
    expect(repo.git("for-each-ref", "refs/graftwork/train")).toBe("");
    const { landed } = await mergeCandidates(context, [candidate("bad"), candidate("good"), candidate("after", ["good"])]);
    expect(landed).toEqual(["good", "after"]);
    expect(events.filter((event) => event.type === "conflict")).toEqual([]);
  });

  test("a target that is not checked out moves without touching the user's branch", async () => {
    const { repo, context, candidate } = await bench({ x: { "x.txt": "x\n" } });
    repo.git("switch", "-q", "-c", "feature");
    await mergeCandidates(context, [candidate("x")]);
    expect(repo.git("branch", "--show-current")).toBe("feature");
    expect(existsSync(join(repo.dir, "x.txt"))).toBe(false);
    expect(firstParents(repo)[0]).toBe("Merge auto/x: do x");
  });

  test("the user commits to the target while it is verified: merged and verified again on top of it", async () => {
    const { repo, context, verified, candidate } = await bench({ x: { "x.txt": "x\n" } });
    const verify = context.verify;
    context.verify = async (request) => {
      if (verified.length === 0) commitFiles(repo.dir, { "user.txt": "u\n" }, "by the user");
      return verify(request);
    };
    await mergeCandidates(context, [candidate("x")]);
    expect(verified).toHaveLength(2);
    expect(firstParents(repo).slice(0, 2)).toEqual(["Merge auto/x: do x", "by the user"]);
  });
});

describe("the user's checkout", () => {
  test.each([
    ["unsaved changes in a file that the merge writes", (dir: string) => writeFileSync(join(dir, "a.txt"), "mine\n"), "a.txt"],
    ["an untracked file where the merge writes one", (dir: string) => writeFileSync(join(dir, "x.txt"), "mine\n"), "x.txt"],
    [
      "an ignored file where the merge writes one",
      (dir: string) => {
        writeFiles(dir, { ".git/info/exclude": "x.txt\n" });
        writeFileSync(join(dir, "x.txt"), "mine\n");
      },
      "x.txt",
    ],
  ])("%s: kept, the landing waits and names the command that takes it", async (_, prepare, path) => {
    const { repo, context, events, candidate } = await bench({ x: { "x.txt": "x\n", "a.txt": "1\n2\nthree\n" } });
    prepare(repo.dir);
    const before = repo.git("rev-parse", "main");
    const { result } = await mergeCandidates(context, [candidate("x")]);
    expect(result.kind).toBe("waits");
    expect(repo.git("rev-parse", "main")).toBe(before);
    expect(readFileSync(join(repo.dir, path), "utf8")).toBe("mine\n");
    const waiting = events.find((event) => event.type === "landing-waits");
    const waits = repo.git("rev-parse", "refs/graftwork/merged/r");
    expect(waiting?.command).toMatch(new RegExp(`merge --ff-only --no-overwrite-ignore ${waits}$`));
    git(repo.dir, "gc", "-q", "--prune=now");
    git(repo.dir, "checkout", "-q", "--", ".");
    git(repo.dir, "clean", "-qfdx");
    git(repo.dir, "merge", "-q", "--ff-only", waits);
    expect(readFileSync(join(repo.dir, "x.txt"), "utf8")).toBe("x\n");
  });

  test("a merge of the user's own in progress is left alone", async () => {
    const { repo, context, candidate } = await bench({ x: { "x.txt": "x\n" }, theirs: { "a.txt": "1\nT\n3\n" } });
    repo.commit({ "a.txt": "1\nM\n3\n" });
    expect(() => repo.git("merge", "auto/theirs")).toThrow();
    const head = readFileSync(join(repo.dir, ".git/MERGE_HEAD"), "utf8");
    expect(await mergeCandidates(context, [candidate("x")])).toMatchObject({
      result: { kind: "waits", reason: "a merge is in progress there" },
    });
    expect(readFileSync(join(repo.dir, ".git/MERGE_HEAD"), "utf8")).toBe(head);
  });

  test("a target that a rebase of the user's own is about to move too (--update-refs) is left alone", async () => {
    const { repo, context, candidate } = await bench({ x: { "x.txt": "x\n" } });
    repo.git("switch", "-q", "-c", "other");
    repo.commit({ "a.txt": "other\n" });
    repo.git("switch", "-q", "main");
    repo.commit({ "a.txt": "main\n" });
    repo.git("switch", "-q", "-c", "top");
    repo.commit({ "top.txt": "top\n" });
    expect(() => repo.git("rebase", "--update-refs", "other")).toThrow();
    expect(await mergeCandidates(context, [candidate("x")])).toMatchObject({
      result: { kind: "waits", reason: "a rebase of main is in progress there" },
    });
    writeFileSync(join(repo.dir, "a.txt"), "both\n");
    repo.git("add", "a.txt");
    repo.git("-c", "core.editor=true", "rebase", "--continue");
    repo.git("merge-base", "--is-ancestor", "other", "main");
  });

  test("where git was made to check the target out twice, neither checkout is left behind", async () => {
    const { repo, context, candidate } = await bench({ x: { "x.txt": "x\n" } });
    const second = join(repo.parent, "second");
    repo.git("worktree", "add", "-q", "-f", second, "main");
    expect(await mergeCandidates(context, [candidate("x")])).toMatchObject({
      result: { kind: "waits", reason: expect.stringMatching(/^main is checked out in .* as well$/) },
    });
    expect([git(repo.dir, "status", "--porcelain"), git(second, "status", "--porcelain")]).toEqual(["", ""]);
  });

  test("configuration that an agent planted stops the landing", async () => {
    const { repo, context, candidate } = await bench({ x: { "x.txt": "x\n" } });
    repo.git("config", "filter.evil.smudge", "touch /tmp/never");
    const { result } = await mergeCandidates(context, [candidate("x")]);
    expect(result).toMatchObject({ kind: "waits", reason: expect.stringContaining("configuration that can run programs") });
  });
});

describe("a landing that was cut off", () => {
  test("half-written files are put back and the landing done again; foreign content is named and kept", async () => {
    const { repo, context, events, candidate } = await bench({ x: { "x.txt": "x x x\n", "a.txt": "1\n2\nthree\n", "b.txt": null } });
    const from = repo.git("rev-parse", "main");
    const to = candidate("x").commit;
    writeFileSync(join(repo.dir, "x.txt"), "x x");
    writeFileSync(join(repo.dir, "a.txt"), "1\n2\nthree\n");
    writeFileSync(join(repo.dir, ".git/index.lock"), "");
    const begun = { from, to, tasks: [], checkout: repo.dir };
    expect(await recoverLanding(context, begun)).toEqual({ landed: false, foreign: [] });
    expect(repo.git("status", "--porcelain")).toBe("");
    expect(await land(context, begun)).toEqual({ kind: "landed" });
    expect(await recoverLanding(context, begun)).toEqual({ landed: true, foreign: [] });
    expect(events.filter((event) => event.type === "landed")).toHaveLength(2);
    repo.git("reset", "-q", "--hard", from);
    writeFileSync(join(repo.dir, "a.txt"), "a person wrote this\n");
    expect(await recoverLanding(context, begun)).toEqual({ landed: false, foreign: ["a.txt"] });
    expect(readFileSync(join(repo.dir, "a.txt"), "utf8")).toBe("a person wrote this\n");
  });
});

describe("a conflict for a person", () => {
  test("the packet says what collided, and a resolution becomes a commit on the task's branch", async () => {
    const { repo, context, candidate, packetOf } = await bench({ x: { "a.txt": "1\nX\n3\n" } });
    const onto = repo.commit({ "a.txt": "1\nM\n3\n" }, "the target's change");
    const about = packetOf("x", onto);
    const { folder } = about;
    expect(await writePacket(context.repository, about)).toBe(true);
    expect(JSON.parse(readFileSync(join(folder, "packet.json"), "utf8"))).toMatchObject({
      task: "x",
      kind: "content",
      files: [{ path: "a.txt", kind: "content" }],
      ours_changed: ["the target's change"],
    });
    expect(readFileSync(join(folder, "files/a.txt"), "utf8")).toContain("<<<<<<<");
    const packet = readPacket(folder, "x");
    await expect(finishResolution(context.repository, packet, onto, context.person, [])).rejects.toMatchObject({ code: "CONFLICT" });
    choose(packet, "a.txt", { kind: "theirs" });
    const commit = await finishResolution(context.repository, packet, onto, context.person, []);
    expect(repo.git("rev-parse", "auto/x")).toBe(commit);
    expect(repo.git("show", `${commit}:a.txt`)).toBe("1\nX\n3");
    const { result } = await mergeCandidates(context, [{ ...candidate("x"), commit }]);
    expect(result).toEqual({ kind: "landed" });
    expect(() => choose(packet, "../evil", { kind: "ours" })).toThrow(/not among the conflicted files/);
  });
});

describe("undo", () => {
  test("puts the target, its checkout and the branches back; refused where somebody built on it", async () => {
    const made = await bench({ x: { "x.txt": "x\n" } });
    const { repo, events } = made;
    const undo = await landAndDelete(made, "x");
    writeFileSync(join(repo.dir, "b.txt"), "unsaved\n");
    await undoLandings(undo);
    expect(repo.git("rev-parse", "main", "auto/x").split("\n")).toEqual([undo.before, undo.branches[0]?.commit]);
    expect(repo.git("status", "--porcelain")).toBe(" M b.txt");
    expect(events.at(-1)).toMatchObject({ type: "undone" });
    commitFiles(repo.dir, { "built-on-it": "" });
    await expect(undoLandings(undo)).rejects.toMatchObject({ code: "UNDO_REFUSED" });
  });
});
