import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { openRepository, pinSettings } from "../../../src/git/index.ts";
import {
  acquireSlot,
  cleanupPool,
  initPool,
  listRescues,
  poolHealth,
  pruneRescues,
  releaseSlot,
  restoreRescue,
} from "../../../src/pool/index.ts";
import { existingStore, withSlot } from "../../../src/pool/pool-state.ts";
import { joinQueue } from "../../../src/pool/queue.ts";
import { takeOver } from "../../../src/pool/recover.ts";
import { restartLease } from "../../../src/pool/restart.ts";
import { removeStore } from "../../../src/state/index.ts";
import { identityOf, isRunning } from "../../../src/subprocess/index.ts";
import { git, tempFolder } from "../../fixtures/index.ts";
import { lab } from "./lab.ts";

describe("what goes to the trash is always named by a rescue", () => {
  test("a large file with the longest name there can be", async () => {
    const { context } = await lab();
    await initPool(context, { size: 1 });
    const { path } = await acquireSlot(context, { task: "t" });
    const name = "n".repeat(250);
    writeFileSync(join(path, name), "");
    truncateSync(join(path, name), 2 * 2 ** 20);
    await releaseSlot(context, { name: "t" });
    const [rescue] = await listRescues(context);
    expect(rescue?.note.trash.map((one) => one.path)).toEqual([name]);
    const to = join(tempFolder("restored"), "out");
    expect(await restoreRescue(context, "t/1", to, "/")).toMatchObject({ files: 1, missing: [] });
    expect(readdirSync(to)).toContain(name);
  });

  test("a rescue that fails leaves large files where they are", async () => {
    const { repo, context } = await lab();
    await initPool(context, { size: 1 });
    const { path } = await acquireSlot(context, { task: "t" });
    writeFileSync(join(path, "big"), "x".repeat(2 * 2 ** 20));
    writeFileSync(join(path, "small"), "x");
    // No ref can be made below a ref.
    repo.git("update-ref", "refs/graftwork/rescue/t", "HEAD");
    await expect(releaseSlot(context, { name: "t" })).rejects.toMatchObject({ code: "RESCUE_FAILED" });
    expect(existsSync(join(path, "big"))).toBe(true);
    repo.git("update-ref", "-d", "refs/graftwork/rescue/t");
    await releaseSlot(context, { name: "t" });
    expect((await listRescues(context))[0]?.note).toMatchObject({ files: ["small"], trash: [{ path: "big" }] });
  });

  test("a piece that somebody deleted is missed aloud", async () => {
    const { context, said } = await lab();
    await initPool(context, { size: 1 });
    const { path } = await acquireSlot(context, { task: "t" });
    writeFileSync(join(path, "big"), "x".repeat(2 * 2 ** 20));
    await releaseSlot(context, { name: "t" });
    rmSync(join(path, "../trash"), { recursive: true });
    const restored = await restoreRescue(context, "t/1", join(tempFolder("restored"), "out"), "/");
    expect(restored).toMatchObject({ files: 0, missing: ["big"] });
    expect(said.at(-1)).toContain("not restored: big");
  });
});

test("a commit of somebody else's below the rescues' refs stops no verb", async () => {
  const { repo, context } = await lab();
  await initPool(context, { size: 1 });
  for (const [n, message] of ["fix {}", '{"at":1}', "{"].entries())
    repo.git("update-ref", `refs/graftwork/rescue/x/${n}`, repo.git("commit-tree", "-m", message, "HEAD^{tree}"));
  expect(await listRescues(context)).toHaveLength(3);
  expect((await poolHealth(context, { fix: false })).ok).toBe(true);
});

test("a file of pinned settings that a power cut left empty stops no verb", async () => {
  const { context } = await lab();
  await initPool(context, { size: 1 });
  const record = join(context.repository.layout.trusted, "settings");
  writeFileSync(record, "");
  await acquireSlot(context, { task: "t" });
  writeFileSync(record, "");
  await releaseSlot(context, { name: "t" });
});

test("a task cannot have the name of a slot: `release wt-2` would mean two things", async () => {
  const { context } = await lab();
  await initPool(context, { size: 1 });
  await expect(acquireSlot(context, { task: "wt-2" })).rejects.toMatchObject({ code: "ID_INVALID" });
  await expect(acquireSlot(context, { task: "WT-2" })).rejects.toMatchObject({ code: "ID_INVALID" });
});

test("a restart whose lease was taken meanwhile changes nothing", async () => {
  const { context } = await lab();
  await initPool(context, { size: 1 });
  const { lease, path } = await acquireSlot(context, { task: "t" });
  writeFileSync(join(path, "work"), "work");
  const store = existingStore(context.repository);
  const other = { ...lease, task: "u", token: lease.token + 7 };
  // Asked for in the middle of the rescue: there the process is stopped, and the slot becomes another's.
  const now = (): Date => {
    void store.commit("taken", (state) => withSlot(state, "wt-1", { lease: other, operation: "taken" }));
    return new Date();
  };
  const restart = { slot: "wt-1", token: lease.token, to: lease.base, keepTipAt: null };
  await expect(restartLease({ ...context, now }, restart)).rejects.toMatchObject({ code: "FENCED" });
  expect(readFileSync(join(path, "work"), "utf8")).toBe("work");
  expect(store.read().state.slots[0]?.lease).toEqual(other);
});

test("who waits and is stopped holds nobody up", async () => {
  const { context } = await lab();
  await initPool(context, { size: 1 });
  const sleeper = spawn("sleep", ["60"]);
  try {
    await joinQueue(existingStore(context.repository), { id: "w", task: "first", process: identityOf(sleeper.pid ?? 0) });
    await expect(acquireSlot(context, { task: "t" })).rejects.toMatchObject({ code: "POOL_EXHAUSTED" });
    sleeper.kill("SIGSTOP");
    await expect.poll(() => isRunning(identityOf(sleeper.pid ?? 0))).toBe(false);
    expect(await acquireSlot(context, { task: "t" })).toMatchObject({ id: "wt-1" });
    // It keeps its place for when it goes on.
    expect(existingStore(context.repository).read().state.waiting).toHaveLength(1);
  } finally {
    sleeper.kill("SIGKILL");
  }
});

test("who waits while the pool is removed is told so", async () => {
  const { context } = await lab();
  await initPool(context, { size: 1 });
  await acquireSlot(context, { task: "a" });
  const waiting = acquireSlot(context, { task: "b", waitMs: 20_000 }).catch((error: unknown) => error);
  while (existingStore(context.repository).read().state.waiting.length === 0) await delay(5);
  // As it is left by a cleanup, which empties the slots first.
  removeStore(context.repository.layout.poolStore);
  expect(await waiting).toMatchObject({ code: "POOL_MISSING" });
});

test("of an acquire that was killed while it was undone, no branch is left", async () => {
  const { repo, context } = await lab();
  await initPool(context, { size: 1 });
  const { lease } = await acquireSlot(context, { task: "t" });
  const sleeper = spawn("sleep", ["60"]);
  const worker = identityOf(sleeper.pid ?? 0);
  sleeper.kill("SIGKILL");
  await once(sleeper, "exit");
  await existingStore(context.repository).commit("undo", (state) => ({
    ...withSlot(state, "wt-1", { status: "releasing", worker, operation: "undo" }),
    branches: { [lease.branch]: { task: "t", run: "shell", base: lease.base, handedOut: false } },
  }));
  await releaseSlot(context, { name: "wt-1" });
  expect(repo.git("branch", "--list", "auto/*")).toBe("");
  expect(existingStore(context.repository).read().state.branches).toEqual({});
});

test("what was to be deleted in the background goes with the next prune, from where the pool is", async () => {
  const { context, slot } = await lab();
  await initPool(context, { size: 1 });
  const left = join(slot("trash"), "deleting-1");
  mkdirSync(join(left, "0"), { recursive: true });
  const elsewhere = { ...context, settings: { ...context.settings, dir: tempFolder("elsewhere") } };
  expect((await pruneRescues(elsewhere)).trash).toEqual(["deleting-1"]);
  expect(existsSync(left)).toBe(false);
});

test("two repositories with one folder for their slots: the second is refused, the first keeps its own", async () => {
  const dir = tempFolder("shared");
  const [one, two] = [await lab({}, { dir }), await lab({}, { dir })];
  await initPool(one.context, { size: 1 });
  const { path } = await acquireSlot(one.context, { task: "t" });
  writeFileSync(join(path, "work"), "work");
  await expect(initPool(two.context, { size: 1 })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  await poolHealth(two.context, { fix: true });
  expect(readFileSync(join(path, "work"), "utf8")).toBe("work");
  expect(await acquireSlot(one.context, { task: "t" })).toMatchObject({ path });
});

test("a lease that was renewed is not taken back by who saw it before", async () => {
  const { context } = await lab();
  await initPool(context, { size: 1 });
  await acquireSlot(context, { task: "t" });
  const store = existingStore(context.repository);
  const [seen] = store.read().state.slots;
  await acquireSlot(context, { task: "t" });
  expect(seen === undefined ? undefined : await takeOver(store, seen)).toBeUndefined();
});

test("who asks again for a slot that is being taken back at this moment does not get it", async () => {
  const { context } = await lab();
  await initPool(context, { size: 1 });
  await acquireSlot(context, { task: "t" });
  const store = existingStore(context.repository);
  const late: typeof context = Object.defineProperty({ ...context }, "run", {
    get: () => {
      const [seen] = store.read().state.slots;
      if (seen?.status === "busy") void takeOver(store, seen);
      return "shell";
    },
  });
  await expect(acquireSlot(late, { task: "t" })).rejects.toMatchObject({ code: "LEASE_HELD" });
});

test.each([
  ["failed", "exit 128", "BRANCH_IN_USE"],
  ["was killed", "kill -9 $$", "GIT_FAILED"],
])("a git that made the branch and %s then leaves none", async (_, end, code) => {
  const { repo, context } = await lab();
  await initPool(context, { size: 1 });
  const bin = tempFolder("bin");
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  writeFileSync(join(bin, "git"), `#!/bin/sh\n${real} "$@" || exit\ncase " $* " in *" switch "*) ${end};; esac\n`, { mode: 0o755 });
  const parentEnv = { ...context.repository.parentEnv, PATH: `${bin}:${context.repository.parentEnv["PATH"] ?? ""}` };
  const failing = { ...context, repository: { ...context.repository, parentEnv } };
  await expect(acquireSlot(failing, { task: "t" })).rejects.toMatchObject({ code });
  expect(repo.git("branch", "--list", "auto/*")).toBe("");
});

test("a pool is removed also where HEAD has no commit yet", async () => {
  const { repo, context } = await lab();
  await initPool(context, { size: 1 });
  repo.git("switch", "-q", "--orphan", "fresh");
  expect(await cleanupPool(context, { force: false })).toMatchObject({ removed: ["wt-1"] });
});

test("a repository that was moved together with its pool finds its slots, and the work in them", async () => {
  const { repo, context } = await lab();
  await initPool(context, { size: 2 });
  const { path } = await acquireSlot(context, { task: "big" });
  writeFileSync(join(path, "big"), "x".repeat(2 * 2 ** 20));
  await releaseSlot(context, { name: "big" });
  const { path: before } = await acquireSlot(context, { task: "t" });
  writeFileSync(join(before, "work"), "work");
  const parent = join(tempFolder("moved"), "here");
  renameSync(repo.parent, parent);
  const dir = join(parent, basename(repo.dir));
  const repository = await openRepository(dir, { parentEnv: context.repository.parentEnv });
  const moved = { ...context, repository };
  const { path: after } = await acquireSlot(moved, { task: "t" });
  expect(readFileSync(join(after, "work"), "utf8")).toBe("work");
  expect(git(after, "status", "--porcelain")).toBe("?? work");
  expect(existsSync(repo.parent)).toBe(false);
  // Elsewhere, nobody knows what its settings were when the lease began.
  await expect(releaseSlot(moved, { name: "t" })).rejects.toMatchObject({ code: "SETTINGS_UNKNOWN" });
  await pinSettings(repository);
  await releaseSlot(moved, { name: "t" });
  expect((await listRescues(moved)).map(({ id }) => id)).toEqual(["big/1", "t/1"]);
  expect(await restoreRescue(moved, "big/1", join(parent, "out"), "/")).toMatchObject({ missing: [] });
  expect((await poolHealth(moved, { fix: false })).findings).toEqual([]);
});

test("a slot whose folder and whose commit are gone is made anew at the newest one", async () => {
  const all = await lab();
  await initPool(all.context, { size: 1 });
  const amend = (message: string): void => void all.repo.git("commit", "-q", "--amend", "--allow-empty", "-m", message);
  amend("second");
  await initPool(all.context, { size: 2 });
  amend("third");
  all.repo.git("worktree", "remove", "-f", "-f", all.slot("wt-1"));
  all.repo.git("reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all");
  all.repo.git("gc", "-q", "--prune=now");
  const { path } = await acquireSlot(all.context, { task: "t" });
  expect(git(path, "rev-parse", "HEAD")).toBe(all.repo.git("rev-parse", "HEAD"));
  expect(
    existingStore(all.context.repository)
      .read()
      .state.slots.map(({ status }) => status),
  ).toEqual(["busy", "idle"]);
});
