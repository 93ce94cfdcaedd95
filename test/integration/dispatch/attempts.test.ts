import { existsSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { acquireSlot, cleanupPool, initPool, processOwner, releaseSlot } from "../../../src/pool/index.ts";
import type { Step } from "../../fixtures/index.ts";
import { commitFiles } from "../../fixtures/index.ts";
import { type Stage, stage } from "./stage.ts";

const write = (name: string): Step[] => [{ write: name, text: `${name}\n` }, { commit: name }];
const DELETE_BRANCH: Step = { run: ["sh", "-c", 'git update-ref -d "$(git symbolic-ref HEAD)"'] };
const MOVE_MAIN: Step = { run: ["git", "update-ref", "refs/heads/main", "HEAD"] };

const oid = ({ repo }: Stage, name: string): string => repo.git("rev-parse", name);
const filesOf = ({ repo }: Stage, name: string): string[] => repo.git("ls-tree", "-r", "--name-only", name).split("\n");

describe("an attempt after the slot was given back", () => {
  test("goes on with the same branch where it was, and its work still counts from the branch's beginning", async () => {
    const one = await stage({ script: [[...write("a"), { exit: 3 }], write("b")] });
    const base = oid(one, "main");
    expect(await one.attempt()).toMatchObject({ status: "pending_retry", failure: "crashed" });
    await one.release();
    expect(one.facts()).toMatchObject({ slot: null, lastSlot: "wt-1" });
    one.repo.commit({ "mine.txt": "m" });
    expect(await one.attempt()).toMatchObject({ status: "ready_for_qa", branch: "auto/t", base, commit: oid(one, "auto/t") });
    expect(filesOf(one, "auto/t")).toEqual(["README.md", "a", "b"]);
  });

  const REMEMBERS = { resume: ["--resume", "{session}"], output: "codex-json" } as const;
  const SAYS: Step[] = [
    { print: '{"type":"thread.started","thread_id":"c1"}' },
    { print: '{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":1}}' },
  ];

  test("resumes its conversation in the slot that it was begun in, which is taken first", async () => {
    const one = await stage({
      spec: REMEMBERS,
      slots: 3,
      script: [
        [...SAYS, ...write("a")],
        [...SAYS, ...write("b")],
      ],
    });
    await acquireSlot(one.context, { task: "other" });
    await one.attempt();
    expect(one.facts()).toMatchObject({ session: "c1", lastSlot: "wt-2" });
    await one.release();
    await releaseSlot(one.context, { name: "other" });
    await one.attempt();
    expect(one.facts().lastSlot).toBe("wt-2");
    expect(one.said.filter((line) => line.includes("conversation"))).toEqual([]);
  });

  test("begins a new conversation in another slot, and says so", async () => {
    const one = await stage({
      spec: REMEMBERS,
      script: [
        [...SAYS, { exit: 3 }],
        [...SAYS, ...write("b")],
      ],
    });
    await one.attempt();
    await one.release();
    await acquireSlot(one.context, { task: "other" });
    expect(await one.attempt()).toMatchObject({ status: "ready_for_qa", lastSlot: "wt-2" });
    expect(one.said).toContain("t: its agent begins a new conversation, since it has wt-2 now instead of wt-1");
    expect(one.briefOf(2)).toContain("The attempt before did not succeed: exit 3");
  });
});

test("a resolver agent's slot is not taken for that of the task's own conversation", async () => {
  const one = await stage();
  const started = { type: "attempt-started", task: "t", token: 1, branch: "auto/t", base: "b", agent: "fake", log: "" } as const;
  const outcome = { kind: "failed", failure: "crashed", reason: "", retry: true } as const;
  one.emit({ ...started, attempt: 1, slot: "wt-1" });
  one.emit({ type: "attempt-ended", task: "t", attempt: 1, outcome, session: "c1", usage: null, durationMs: 0 });
  one.emit({ type: "slot-released", task: "t", slot: "wt-1", rescue: null });
  one.emit({ ...started, attempt: 2, slot: "wt-2", resolves: "b" });
  one.emit({ type: "slot-released", task: "t", slot: "wt-2", rescue: null });
  expect(one.facts()).toMatchObject({ lastSlot: "wt-1", session: "c1" });
  one.emit({ ...started, attempt: 3, slot: "wt-2" });
  expect(one.facts()).toMatchObject({ lastSlot: "wt-2", session: null });
});

describe("an attempt while others hold all slots", () => {
  test("waits for one, and then fails with the names of those who hold them", async () => {
    const one = await stage({ slots: 1, script: [write("a")] });
    await acquireSlot(one.as(processOwner("r2"), "r2"), { task: "other" });
    await expect(one.attempt({ slotWaitMs: 250 })).rejects.toMatchObject({
      code: "POOL_EXHAUSTED",
      because: expect.stringContaining("other of run r2 has held wt-1"),
    });
    expect(one.events).toEqual([]);
  });

  test("is not begun if the run is stopped while it waits", async () => {
    const one = await stage({ slots: 1, script: [write("a")] });
    await acquireSlot(one.as(processOwner("r2"), "r2"), { task: "other" });
    const stop = new AbortController();
    const waiting = one.attempt({ slotWaitMs: 60_000, signal: stop.signal });
    stop.abort();
    await waiting;
    expect(one.events).toEqual([]);
  });
});

describe("an agent that deletes its branch", () => {
  test.each(["held", "released"])("fails with that cause, and the next attempt starts on a sound branch (slot %s)", async (kind) => {
    const one = await stage({ script: [[...write("one"), DELETE_BRANCH], write("two")] });
    const base = oid(one, "main");
    const failed = await one.attempt();
    expect(failed).toMatchObject({ status: "pending_retry", failure: "outside-slot", lastError: expect.stringContaining("was deleted") });
    expect(filesOf(one, "refs/graftwork/attempts/r/t/1")).toContain("one");
    if (kind === "released") await one.release();
    expect(await one.attempt()).toMatchObject({ status: "ready_for_qa", branch: "auto/t", base });
    expect(filesOf(one, "auto/t")).toEqual(["README.md", "two"]);
  });

  test("after an attempt that was ready goes on from that one's commit", async () => {
    const one = await stage({ script: [write("one"), [...write("two"), DELETE_BRANCH], write("three")] });
    const { commit } = await one.attempt();
    await one.release();
    await one.attempt();
    expect(one.facts().failure).toBe("outside-slot");
    await one.release();
    expect(await one.attempt()).toMatchObject({ status: "ready_for_qa" });
    expect(filesOf(one, "auto/t")).toEqual(["README.md", "one", "three"]);
    expect(oid(one, "auto/t~1")).toBe(commit);
  });
});

test("a slot that was left in the middle of a rebase is sound again for the next attempt", async () => {
  const one = await stage({
    repo: { branches: { other: { f: "theirs" } } },
    script: [[{ write: "f", text: "ours" }, { commit: "f" }, { run: ["sh", "-c", "git rebase -q other || true"] }], write("b")],
  });
  expect(await one.attempt()).toMatchObject({ failure: "outside-slot", lastError: expect.stringContaining("it left a rebase unfinished") });
  expect(await one.attempt()).toMatchObject({ status: "ready_for_qa" });
  expect(filesOf(one, "auto/t")).toEqual(["README.md", "b", "f"]);
});

test("a file outside the task's own that was left uncommitted is named in the next brief", async () => {
  const one = await stage({
    task: { files: ["src.txt"] },
    script: [
      [{ write: "src.txt" }, { run: ["git", "add", "src.txt"] }, { run: ["git", "commit", "-qm", "a"] }, { write: "lib/helper.txt" }],
      write("b"),
    ],
  });
  expect(await one.attempt()).toMatchObject({ status: "ready_for_qa", leftOut: ["lib/helper.txt"] });
  expect(one.events).toContainEqual(expect.objectContaining({ type: "warning", text: expect.stringContaining("lib/helper.txt") }));
  await one.release();
  await one.attempt();
  expect(one.briefOf(2)).toContain("`lib/helper.txt` was left out");
});

test("an agent that deletes its folder has failed, and the next attempt goes on from what it had committed", async () => {
  const one = await stage({ script: [[...write("a"), { run: ["sh", "-c", 'rm -rf "$GRAFTWORK_SLOT_PATH"'] }], write("b")] });
  expect(await one.attempt()).toMatchObject({ failure: "outside-slot", lastError: expect.stringContaining("is gone") });
  expect(await one.attempt()).toMatchObject({ status: "ready_for_qa" });
  expect(filesOf(one, "auto/t")).toEqual(["README.md", "a", "b"]);
});

describe("a target that moves while an agent is at work", () => {
  const MOVES = { script: [[...write("one"), MOVE_MAIN, ...write("two")], write("three")] };

  test("to the agent's own commit is put back, the commit is kept, and the attempt has failed", async () => {
    const one = await stage(MOVES);
    one.repo.git("switch", "-qc", "mine");
    const before = oid(one, "main");
    const failed = await one.attempt();
    expect(failed).toMatchObject({ status: "pending_retry", failure: "outside-slot" });
    expect(failed.lastError).toContain("it moved main to its own commit");
    expect(failed.lastError).toContain("main was put back");
    expect(oid(one, "main")).toBe(before);
    expect(one.repo.git("reflog", "-1", "--format=%gs", "main")).toBe("graftwork: put back");
    expect(filesOf(one, "refs/graftwork/attempts/r/t/1-target")).toEqual(["README.md", "one"]);
    expect(await one.attempt()).toMatchObject({ status: "ready_for_qa" });
  });

  test("is put back under the user's checkout too, which never followed, and again at the next attempt", async () => {
    const one = await stage({ script: [[...write("one"), MOVE_MAIN], [MOVE_MAIN]] });
    const before = oid(one, "main");
    for (const attempt of [1, 2]) {
      expect(await one.attempt()).toMatchObject({ failure: "outside-slot", attempts: attempt });
      expect(oid(one, "main")).toBe(before);
    }
    expect(one.repo.git("status", "--porcelain")).toBe("");
  });

  test("because the agent worked on it is put back, and the work is on the task's branch for the next attempt", async () => {
    const one = await stage({ script: [[{ run: ["git", "switch", "-q", "main"] }, ...write("one")], write("two")] });
    one.repo.git("switch", "-qc", "mine");
    const before = oid(one, "main");
    expect(await one.attempt()).toMatchObject({ failure: "outside-slot", lastError: expect.stringContaining("it moved main") });
    expect(oid(one, "main")).toBe(before);
    expect(await one.attempt()).toMatchObject({ status: "ready_for_qa" });
    expect(filesOf(one, "auto/t")).toEqual(["README.md", "one", "two"]);
  });

  test("stays if the commit is approved, as after a landing", async () => {
    const one = await stage(MOVES);
    one.repo.git("switch", "-qc", "mine");
    await one.attempt({ approved: () => [oid(one, "main")] });
    expect(one.facts()).toMatchObject({ status: "ready_for_qa" });
    expect(filesOf(one, "main")).toContain("one");
  });

  test("stays if a worktree of the user was put on the commit", async () => {
    const one = await stage({ script: [[...write("one"), { write: "../go" }, { waitFor: "../gone" }, ...write("two")]] });
    const running = one.attempt();
    const go = `${one.repo.dir}.pool/go`;
    await expect.poll(() => existsSync(go), { timeout: 30_000 }).toBe(true);
    one.repo.git("merge", "-q", "--ff-only", "auto/t");
    writeFileSync(`${one.repo.dir}.pool/gone`, "");
    expect(await running).toMatchObject({ status: "ready_for_qa" });
    expect(filesOf(one, "main")).toContain("one");
  });

  test("stays if the commit was made elsewhere", async () => {
    const one = await stage({ script: [[...write("one"), { write: "../go" }, { waitFor: "../gone" }]] });
    one.repo.git("switch", "-qc", "mine");
    const running = one.attempt();
    const go = `${one.repo.dir}.pool/go`;
    await expect.poll(() => existsSync(go), { timeout: 30_000 }).toBe(true);
    const mine = one.repo.commit({ "mine.txt": "m" });
    one.repo.git("update-ref", "refs/heads/main", mine);
    writeFileSync(`${one.repo.dir}.pool/gone`, "");
    expect(await running).toMatchObject({ status: "ready_for_qa" });
    expect(oid(one, "main")).toBe(mine);
  });
});

describe("an attempt whose coordinator died", () => {
  /** The journal ends after the attempt's start, and the agent had made a commit. */
  async function cutOff(): Promise<Stage> {
    const one = await stage();
    const { id, path, lease } = await acquireSlot(one.pool, { task: "t" });
    const { token, branch, base } = lease;
    one.emit({ type: "attempt-started", task: "t", attempt: 1, slot: id, token, branch, base, agent: "fake", log: "" });
    commitFiles(path, { one: "1" });
    return one;
  }

  test("is judged by what its agent had committed, though the pool was cleaned up meanwhile", async () => {
    const one = await cutOff();
    await cleanupPool(one.pool, { force: true });
    await initPool(one.pool, { size: 1 });
    expect(await one.settle()).toMatchObject({ status: "ready_for_qa", commit: oid(one, "auto/t") });
    expect(oid(one, "refs/graftwork/ready/r/t")).toBe(oid(one, "auto/t"));
  });

  test("without a commit begins again on its own branch, not on another name", async () => {
    const one = await cutOff();
    one.repo.git("update-ref", "refs/heads/auto/t", "main");
    await cleanupPool(one.pool, { force: true });
    one.repo.git("branch", "-f", "auto/t", "main");
    await initPool(one.pool, { size: 1 });
    expect(await one.settle()).toMatchObject({ status: "pending_retry" });
    await one.attempt();
    expect(one.facts().branch).toBe("auto/t");
  });

  test("is judged by what its agent had committed, though the slot's folder was deleted", async () => {
    const one = await cutOff();
    rmSync(one.slot("wt-1"), { recursive: true });
    expect(await one.settle()).toMatchObject({ status: "ready_for_qa", commit: oid(one, "auto/t") });
  });

  test("is begun on a branch that is made again if the branch is gone", async () => {
    const one = await cutOff();
    one.repo.git("update-ref", "-d", "refs/heads/auto/t");
    expect(await one.settle()).toMatchObject({ status: "pending_retry" });
    expect(oid(one, "auto/t")).toBe(oid(one, "main"));
  });
});
