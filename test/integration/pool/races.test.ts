import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Lease } from "../../../src/domain/index.ts";
import {
  acquireSlot,
  cleanupPool,
  ensureSlots,
  existingStore,
  initPool,
  listRescues,
  type PoolContext,
  poolHealth,
  processOwner,
  releaseSlot,
  restartLease,
  type SlotRecord,
} from "../../../src/pool/index.ts";
import { withSlot } from "../../../src/pool/pool-state.ts";
import { takeOver } from "../../../src/pool/recover.ts";
import { openStore } from "../../../src/state/index.ts";
import { identityOf } from "../../../src/subprocess/index.ts";
import { commitFiles, git, hermeticEnv, runCli, tempFolder } from "../../fixtures/index.ts";
import { type Lab, lab } from "./lab.ts";

/** The same pool, where `work` happens when git has just run a command whose words hold `words`. */
function meanwhile(context: PoolContext, words: string, work: () => void): PoolContext {
  let done = false;
  const onCommand = (argv: readonly string[]): void => {
    if (done || !argv.join(" ").includes(words)) return;
    done = true;
    work();
  };
  return { ...context, repository: { ...context.repository, onCommand } };
}

/** What another process does to a slot's record; an unfinished one has a worker of its own. */
function elsewhere({ context }: Lab, id: string, change: Partial<SlotRecord>): void {
  // A first try without another writer is done when the call returns.
  void existingStore(context.repository).commit(`elsewhere ${Math.random()}`, (state) =>
    withSlot(state, id, { operation: `elsewhere ${Math.random()}`, ...change }),
  );
}

const LEASE: Lease = {
  task: "other",
  run: "shell",
  branch: "auto/other",
  base: "",
  token: 99,
  owner: { kind: "shell", name: "shell" },
  acquiredAt: "2026-01-01T00:00:00.000Z",
  portBase: null,
  expiresAt: null,
  ttlMs: null,
  renewed: { bootId: "", ms: 0 },
};
const CLI = fileURLToPath(new URL("../../../bin/pool-manager.js", import.meta.url));
const DEAD = { ...identityOf(process.pid), startTime: "0" };

async function leasedLab(): Promise<Lab & { path: string }> {
  const made = await lab();
  await initPool(made.context, { size: 1 });
  const { path } = await acquireSlot(made.context, { task: "t" });
  return { ...made, path };
}

describe("two processes at once", () => {
  test("a slot that is on its way out is never leased", async () => {
    const all = await lab();
    await initPool(all.context, { size: 2 });
    let idle = 0;
    const racing = meanwhile(all.context, "worktree unlock", () => {
      idle = existingStore(all.context.repository)
        .read()
        .state.slots.filter((slot) => slot.status === "idle").length;
    });
    await initPool(racing, { size: 1 });
    expect(idle).toBe(1);
  });

  test("a slot leased while others are removed stays leased", async () => {
    const all = await lab();
    await initPool(all.context, { size: 3 });
    const racing = meanwhile(all.context, "worktree unlock", () => elsewhere(all, "wt-2", { status: "busy", lease: LEASE }));
    await expect(initPool(racing, { size: 1 })).rejects.toMatchObject({ code: "LEASE_HELD" });
    expect(existsSync(join(all.slot("wt-2"), ".git"))).toBe(true);
    expect(existingStore(all.context.repository).read().state.slots[1]).toMatchObject({ status: "busy", lease: { task: "other" } });
  });

  test("a slot that a live process prepares is not cleaned up under it", async () => {
    const all = await lab();
    await initPool(all.context, { size: 1 });
    elsewhere(all, "wt-1", { status: "preparing", lease: LEASE, worker: identityOf(process.ppid) });
    await expect(cleanupPool(all.context, { force: true })).rejects.toMatchObject({ code: "LEASE_HELD" });
    expect(existsSync(join(all.slot("wt-1"), ".git"))).toBe(true);
  });

  test("a slot whose worker came to its end after it was looked at is what that made of it", async () => {
    const all = await leasedLab();
    const store = existingStore(all.context.repository);
    const [now] = store.read().state.slots;
    if (now === undefined) throw new Error("no slot");
    // What a recovery saw a moment before the acquire's last step, by a process that has ended since.
    expect(await takeOver(store, { ...now, status: "preparing", worker: DEAD })).toBeUndefined();
    expect(store.read().state.slots[0]).toMatchObject({ status: "busy", lease: { task: "t" } });
  });

  test("each step of an acquire is another operation, so that nobody acts on what it was before", async () => {
    const all = await lab();
    await initPool(all.context, { size: 1 });
    const seen = new Set<string>();
    const look = (): void => void seen.add(existingStore(all.context.repository).read().state.slots[0]?.operation ?? "");
    look();
    await acquireSlot(meanwhile(all.context, "ls-files -z -t", look), { task: "t" });
    look();
    await releaseSlot(all.context, { name: "t" });
    look();
    expect(seen.size).toBe(4);
  });

  test("two processes at the same task: whoever comes second goes on where the first one's branch stands by then", async () => {
    const all = await lab();
    await initPool(all.context, { size: 2 });
    const tips: string[] = [];
    // Between the look at the branch and the lease, another process takes the task, commits and releases it.
    const other = (): void => {
      const run = (...args: readonly string[]) =>
        spawnSync(process.execPath, [CLI, ...args], { cwd: all.repo.dir, env: { ...hermeticEnv(), HOME: all.repo.parent } });
      const { status, stdout } = run("acquire", "t");
      expect(status).toBe(0);
      const path = stdout.toString().split("|")[1] ?? "";
      tips.push(commitFiles(path, { [`work-${tips.length}.txt`]: "work\n" }));
      expect(run("release", "t").status).toBe(0);
    };
    // For a base that is no branch git is asked, about the task's branch as well.
    for (const [round, look] of ["cat-file --batch-check", "worktree list"].entries()) {
      const { path, lease } = await acquireSlot(meanwhile(all.context, look, other), { task: "t", base: "HEAD~0" });
      expect([lease.branch, git(path, "rev-parse", "HEAD"), git(path, "status", "--porcelain")]).toEqual(["auto/t", tips[round], ""]);
      await releaseSlot(all.context, { name: "t" });
      expect(Object.keys(existingStore(all.context.repository).read().state.branches)).toEqual(["auto/t"]);
    }
  });

  test("a file that changes while it is saved is not cleared", async () => {
    const all = await leasedLab();
    const file = join(all.path, "log");
    writeFileSync(file, "one");
    const racing = meanwhile(all.context, "update-index --add", () => writeFileSync(file, "two"));
    await expect(releaseSlot(racing, { name: "t" })).rejects.toMatchObject({ code: "RESCUE_FAILED" });
    expect(readFileSync(file, "utf8")).toBe("two");
    await releaseSlot(all.context, { name: "wt-1" });
    expect(await listRescues(all.context)).toHaveLength(2);
  });

  test("a branch that somebody else made a moment ago is neither taken nor deleted", async () => {
    const all = await lab();
    await initPool(all.context, { size: 1 });
    const racing = meanwhile(all.context, "ls-files -z -t", () => void all.repo.git("branch", "auto/t"));
    expect((await acquireSlot(racing, { task: "t" })).lease.branch).toBe("auto/t-2");
    expect(all.repo.git("branch", "--list", "auto/t").trim()).toBe("auto/t");
    expect(Object.keys(existingStore(all.context.repository).read().state.branches)).toEqual(["auto/t-2"]);
  });
});

test("health takes no slot from a process that is at work in it", async () => {
  const all = await lab();
  await initPool(all.context, { size: 1 });
  const { path } = await acquireSlot(all.as(processOwner("r"), "r"), { task: "t" });
  git(path, "branch", "-m", "renamed");
  expect(await poolHealth(all.context, { fix: true })).toMatchObject({ ok: false, findings: [{ kind: "branch-missing" }] });
  expect(existingStore(all.context.repository).read().state.slots[0]).toMatchObject({ status: "busy", lease: { task: "t" } });
});

test("a token is never given twice, also where the pool was removed and made anew", async () => {
  const all = await lab();
  await initPool(all.context, { size: 1 });
  const first = await acquireSlot(all.context, { task: "t" });
  await cleanupPool(all.context, { force: true });
  await initPool(all.context, { size: 1 });
  expect((await acquireSlot(all.context, { task: "t" })).lease.token).toBeGreaterThan(first.lease.token);
});

describe("what a killed process left", () => {
  test("a branch that was a task's before stays, where an acquire that would have gone on with it was killed", async () => {
    const all = await leasedLab();
    await releaseSlot(all.context, { name: "t" });
    const killed = await runCli(["acquire", "t"], {
      cwd: all.repo.dir,
      program: "pool-manager",
      env: { GRAFTWORK_FAILPOINT: "done.fs.link@1=kill" },
    });
    expect(killed.signal).toBe("SIGKILL");
    await acquireSlot(all.context, { task: "another" });
    expect(all.repo.git("branch", "--list", "auto/*", "--format=%(refname:short)").split("\n")).toEqual(["auto/another", "auto/t"]);
  });

  test("nothing of ours shows in the user's status, wherever it was killed while it wrote its view", async () => {
    const all = await lab();
    await initPool(all.context, { size: 1 });
    const env = { GRAFTWORK_FAILPOINT: "fs.rename=kill" };
    expect((await runCli(["acquire", "t"], { cwd: all.repo.dir, program: "pool-manager", env })).signal).toBe("SIGKILL");
    expect(all.repo.git("status", "--porcelain")).toBe("");
  });

  test("a removal that had got to the folder is finished", async () => {
    const all = await lab();
    await initPool(all.context, { size: 2 });
    elsewhere(all, "wt-2", { status: "releasing", lease: null, worker: DEAD });
    rmSync(all.slot("wt-2"), { recursive: true });
    await acquireSlot(all.context, { task: "t" });
    expect(all.repo.git("worktree", "list", "--porcelain").match(/^worktree /gm)).toHaveLength(2);
    expect(await poolHealth(all.context, { fix: false })).toMatchObject({ ok: true, slots: 1 });
  });

  test("a slot that cannot be recovered keeps no verb from its own work", async () => {
    const all = await lab();
    await initPool(all.context, { size: 2 });
    elsewhere(all, "wt-1", { status: "releasing", lease: LEASE, worker: DEAD });
    rmSync(all.slot("wt-1"), { recursive: true });
    expect(await acquireSlot(all.context, { task: "t" })).toMatchObject({ id: "wt-2" });
    expect(await poolHealth(all.context, { fix: true })).toMatchObject({ ok: true, slots: 2 });
  });

  test("a release whose process is on a host that is gone can be forced", async () => {
    const all = await leasedLab();
    elsewhere(all, "wt-1", { status: "releasing", worker: { ...DEAD, host: "container-that-is-gone" } });
    await expect(releaseSlot(all.context, { name: "wt-1" })).rejects.toMatchObject({ code: "LEASE_HELD" });
    expect(await releaseSlot(all.context, { name: "wt-1", force: true })).toMatchObject({ slot: "wt-1" });
  });

  test("a quarantined slot of the run is no slot it can work in", async () => {
    const all = await leasedLab();
    elsewhere(all, "wt-1", { status: "quarantined", lastError: "a test" });
    await ensureSlots(all.context, 1, all.repo.git("rev-parse", "HEAD"));
    expect(await acquireSlot(all.context, { task: "u" })).toMatchObject({ id: "wt-2" });
  });
});

/** A commit that is on no branch. */
function detachedCommit(path: string): string {
  git(path, "checkout", "-q", "--detach");
  return commitFiles(path, { "detached.txt": "d\n" });
}

describe("what a person or a program deleted", () => {
  test("a busy slot's folder: a release ends the lease, keeps its commits, and the slot is made anew", async () => {
    const all = await leasedLab();
    const commit = commitFiles(all.path, { "work.txt": "w" });
    const detached = detachedCommit(all.path);
    rmSync(all.path, { recursive: true });
    expect(await releaseSlot(all.context, { name: "t" })).toMatchObject({ slot: "wt-1", branch: "auto/t" });
    expect(all.repo.git("rev-parse", "auto/t")).toBe(commit);
    expect(all.said.join()).toContain("kept as rescue t/1");
    expect(all.repo.git("for-each-ref", "--contains", detached)).toContain("refs/graftwork/rescue/t/1");
    expect(await poolHealth(all.context, { fix: false })).toMatchObject({ ok: true });
    expect((await acquireSlot(all.context, { task: "next" })).id).toBe("wt-1");
  });

  test("an idle slot's folder: the next acquire makes the slot anew, also where it is the only one", async () => {
    const all = await lab();
    await initPool(all.context, { size: 1 });
    rmSync(all.slot("wt-1"), { recursive: true });
    expect(await acquireSlot(all.context, { task: "t" })).toMatchObject({ id: "wt-1", lease: { branch: "auto/t" } });
    expect(git(all.slot("wt-1"), "branch", "--show-current")).toBe("auto/t");
    expect(all.said).toContain(`wt-1: its folder was gone; made anew`);
    expect(await poolHealth(all.context, { fix: false })).toMatchObject({ ok: true, slots: 1, findings: [] });
  });

  test("the folder of a busy slot: the task that asks again goes on where its branch stands", async () => {
    const all = await leasedLab();
    const tip = commitFiles(all.path, { "work.txt": "work\n" });
    const detached = detachedCommit(all.path);
    rmSync(all.path, { recursive: true });
    await expect(acquireSlot(all.as({ kind: "shell", name: "other" }), { task: "t" })).rejects.toMatchObject({ code: "LEASE_HELD" });
    const again = await acquireSlot(all.context, { task: "t" });
    expect(again).toMatchObject({ id: "wt-1", lease: { branch: "auto/t", base: tip, token: 2 } });
    expect(readFileSync(join(again.path, "work.txt"), "utf8")).toBe("work\n");
    expect(all.repo.git("for-each-ref", "--contains", detached)).toContain("refs/graftwork/rescue/t/1");
    expect(await poolHealth(all.context, { fix: false })).toMatchObject({ ok: true, slots: 1, findings: [] });
  });

  test("git's own files of a slot: named, and made anew with the work kept", async () => {
    const all = await leasedLab();
    writeFileSync(join(all.path, "unsaved"), "w");
    rmSync(join(all.repo.dir, ".git/worktrees"), { recursive: true });
    await initPool(all.context, { size: 2 });
    expect(await acquireSlot(all.context, { task: "u" })).toMatchObject({ id: "wt-2" });
    await expect(releaseSlot(all.context, { name: "t" })).rejects.toMatchObject({ code: "SLOT_QUARANTINED" });
    expect(await poolHealth(all.context, { fix: true })).toMatchObject({ ok: true, slots: 2 });
    expect(git(`${all.repo.dir}.pool`, "grep", "--no-index", "-l", "-r", "^w$", "trash")).toMatch(/whole\/unsaved/);
  });

  test("all records of the pool: health says so, init begins anew, and no commit or file of a slot is lost", async () => {
    const all = await leasedLab();
    git(all.path, "checkout", "-q", "--detach");
    git(all.path, "commit", "-q", "--allow-empty", "-m", "detached");
    const detached = git(all.path, "rev-parse", "HEAD");
    writeFileSync(join(all.path, "unsaved"), "w");
    rmSync(all.context.repository.layout.poolStore, { recursive: true });
    mkdirSync(all.context.repository.layout.poolStore);
    await poolHealth(all.context, { fix: true });
    await initPool(all.context, { size: 1 });
    expect(all.repo.git("for-each-ref", "--contains", detached)).toContain("refs/graftwork/rescue/wt-1/1");
    expect(git(`${all.repo.dir}.pool`, "grep", "--no-index", "-l", "-r", "^w$", "trash")).toMatch(/whole\/unsaved/);
  });

  test("a record that is whole and no state is damage like any other", async () => {
    const { context } = await lab();
    await initPool(context, { size: 1 });
    const { poolStore } = context.repository.layout;
    await openStore<unknown>({ dir: poolStore, schema: 1, initial: null, parse: (value) => value }).commit("x", () => ({ slots: 3 }));
    await expect(acquireSlot(context, { task: "t" })).rejects.toMatchObject({ code: "STATE_DAMAGED" });
    await poolHealth(context, { fix: true });
    expect(await acquireSlot(context, { task: "t" })).toMatchObject({ id: "wt-1" });
  });
});

describe("an attempt that begins anew", () => {
  test("finds the slot connected to its repository again", async () => {
    const all = await leasedLab();
    rmSync(join(all.path, ".git"));
    git(all.path, "init", "-q");
    const to = all.repo.git("rev-parse", "HEAD");
    const token = existingStore(all.context.repository).read().state.slots[0]?.lease?.token ?? 0;
    await restartLease(all.context, { slot: "wt-1", token, to, keepTipAt: null });
    expect(git(all.path, "branch", "--show-current")).toBe("auto/t");
  });

  test("touches nothing where the slot's folder became a link", async () => {
    const all = await leasedLab();
    const victim = tempFolder("victim");
    writeFileSync(join(victim, "precious"), "p");
    renameSync(all.path, `${all.path}-moved`);
    symlinkSync(victim, all.path);
    const token = existingStore(all.context.repository).read().state.slots[0]?.lease?.token ?? 0;
    const restart = restartLease(all.context, { slot: "wt-1", token, to: all.repo.git("rev-parse", "HEAD"), keepTipAt: null });
    await expect(restart).rejects.toMatchObject({ code: "SLOT_QUARANTINED" });
    expect(readFileSync(join(victim, "precious"), "utf8")).toBe("p");
  });
});

describe("a pool reached through a link", () => {
  test("is healthy", async () => {
    const parent = tempFolder("pool-dir");
    mkdirSync(join(parent, "real"));
    symlinkSync(join(parent, "real"), join(parent, "link"));
    const { context } = await lab({}, { dir: join(parent, "link") });
    await initPool(context, { size: 1 });
    expect(await poolHealth(context, { fix: false })).toMatchObject({ ok: true });
  });
});
