import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openRepository } from "../../src/git/index.ts";
import { existingStore } from "../../src/pool/index.ts";
import { joinQueue, leaveQueue, liveQueue } from "../../src/pool/queue.ts";
import { identityOf } from "../../src/subprocess/index.ts";
import { hermeticEnv, type RunningCli } from "../fixtures/index.ts";
import { mixedStorm, randomKills, readersDuringWrites, roundsOfEight, withSeed } from "./pool-disturbances.ts";
import { healthy, newestRecord, type PoolStage, poolStage, rescuesOf } from "./pool-stage.ts";

const LIMIT_MS = 180_000;

/** Begins to wait for a slot; resolves when it has its place in the queue. */
async function waits(stage: PoolStage, task: string): Promise<RunningCli> {
  const waiter = stage.start("acquire", task, "--wait", "300");
  await expect.poll(() => waiting(stage), { timeout: 60_000, interval: 20 }).toContain(task);
  return waiter;
}

async function waiting(stage: PoolStage): Promise<string[]> {
  return liveQueue(await stage.state()).map(({ task }) => task);
}

/** Full sizes of 11, 13, 14 and 17: test/faults/conformance-full.test.ts. */
describe("conformance: many at once", () => {
  test("10: a full pool: stdout POOL_EXHAUSTED, exit 3, nothing changed in git", async () => {
    const stage = await poolStage(1);
    await stage.lease("holder");
    const before = await stage.everything();
    const full = await stage.pool("acquire", "x");
    expect(full).toMatchObject({
      code: 3,
      stdout: "POOL_EXHAUSTED\n",
      stderr: expect.stringMatching(/holder of run shell has held wt-1 for .*owner shell/),
    });
    expect(await stage.everything()).toBe(before);
    expect(await stage.pool("acquire", "x", "--wait", "0.2")).toMatchObject({ code: 3, stdout: "POOL_EXHAUSTED\n" });
    expect(await waiting(stage)).toEqual([]);
  });

  test("10: --wait gives the slot after a release", async () => {
    const stage = await poolStage(1);
    await stage.lease("holder");
    const waiter = await waits(stage, "x");
    await stage.pool("release", "holder");
    expect(await waiter.result).toMatchObject({ code: 0, stdout: `wt-1|${stage.slot("wt-1")}|auto/x\n` });
  });

  test("10: Ctrl-C ends the wait with exit 130, and the place in the queue is given up", async () => {
    const stage = await poolStage(1);
    await stage.lease("holder");
    const waiter = await waits(stage, "x");
    waiter.child.kill("SIGINT");
    expect(await waiter.result).toMatchObject({
      code: 130,
      stdout: "",
      stderr: expect.stringMatching(/^error\[INTERRUPTED\]: .*\n {2}because: .*\n {2}try: /),
    });
    expect(await waiting(stage)).toEqual([]);
  });

  test("10: Ctrl-C that comes together with a slot gives the slot back", async () => {
    const stage = await poolStage(1);
    await stage.lease("holder");
    const waiter = await waits(stage, "x");
    waiter.child.kill("SIGSTOP");
    await stage.pool("release", "holder");
    waiter.child.kill("SIGINT");
    waiter.child.kill("SIGCONT");
    expect(await waiter.result).toMatchObject({ code: 130, stdout: "" });
    expect(await stage.status()).toMatchObject({ idle: 1, busy: 0 });
    expect(stage.branches()).toEqual(["auto/holder"]);
  });

  test("10: waiters get slots in the order in which they began to wait; one that was killed is passed over", async () => {
    const stage = await poolStage(1);
    await stage.lease("holder");
    const [first, killed, last] = [await waits(stage, "first"), await waits(stage, "killed"), await waits(stage, "last")];
    expect(await waiting(stage)).toEqual(["first", "killed", "last"]);
    killed.child.kill("SIGKILL");
    await killed.result;
    await stage.pool("release", "holder");
    expect(await first.result).toMatchObject({ code: 0, stdout: expect.stringMatching(/\|auto\/first\n$/) });
    expect(await waiting(stage)).toEqual(["last"]);
    await stage.pool("release", "first");
    expect(await last.result).toMatchObject({ code: 0, stdout: expect.stringMatching(/\|auto\/last\n$/) });
    expect(stage.branches()).toEqual(["auto/first", "auto/holder", "auto/last"]);
  });

  test("10: a newcomer without --wait does not overtake one that waits, though a slot is idle", async () => {
    const stage = await poolStage(1);
    await stage.lease("holder");
    // One that waits, and has not looked again yet: this very process.
    const repository = await openRepository(stage.repo.dir, { parentEnv: hermeticEnv() });
    await joinQueue(existingStore(repository), { id: "first", task: "waiter", process: identityOf(process.pid) });
    await stage.pool("release", "holder");
    expect(await stage.status()).toMatchObject({ idle: 1 });
    expect(await stage.pool("acquire", "newcomer")).toMatchObject({
      code: 3,
      stdout: "POOL_EXHAUSTED\n",
      stderr: expect.stringContaining("waiting before it: waiter"),
    });
    await leaveQueue(existingStore(repository), "first");
    expect(await stage.pool("acquire", "newcomer")).toMatchObject({ code: 0 });
  });

  test(
    "11: eight acquires at once on eight slots, three rounds: all succeed, each has a slot of its own",
    async () => {
      const stage = await roundsOfEight(3);
      expect(await stage.pool("health")).toMatchObject({ code: 0 });
    },
    LIMIT_MS,
  );

  test("12: sixteen at once on eight slots: eight leases, eight times POOL_EXHAUSTED, no stray branch", async () => {
    const stage = await poolStage(8);
    const all = await Promise.all(Array.from({ length: 16 }, (_, n) => stage.pool("acquire", `t${n}`)));
    const [done, refused] = [all.filter(({ code }) => code === 0), all.filter(({ code }) => code === 3)];
    expect([done.length, refused.length]).toEqual([8, 8]);
    expect(refused.map(({ stdout }) => stdout)).toEqual(Array(8).fill("POOL_EXHAUSTED\n"));
    expect(new Set(done.map(({ stdout }) => stdout.split("|")[0])).size).toBe(8);
    expect(stage.branches().sort()).toEqual(done.map(({ stdout }) => stdout.trimEnd().split("|")[2]).sort());
  });

  test("13: four releases at once: four idle slots", async () => {
    const stage = await poolStage(4);
    for (const task of ["a", "b", "c", "d"]) await stage.lease(task);
    const released = await Promise.all(["a", "b", "c", "d"].map((task) => stage.pool("release", task)));
    expect(released.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(await stage.status()).toMatchObject({ idle: 4, busy: 0 });
  });

  test(
    "13: a storm of mixed verbs: afterwards the state is what git says",
    async () => {
      await withSeed((seed) => mixedStorm(40, seed));
    },
    LIMIT_MS,
  );

  test(
    "14: kill -9 during acquire at random moments: health --fix leaves no orphan, and the slots work",
    async () => {
      await withSeed((seed) => randomKills(5, seed));
    },
    LIMIT_MS,
  );

  test("15: who was killed with the lock of the worktrees in its hand is passed over by the next verb", async () => {
    const stage = await poolStage(1);
    const killed = await stage.as({ GRAFTWORK_FAILPOINT: "started.git-worktree@2=kill" }).pool("init", "2");
    expect(killed.signal).toBe("SIGKILL");
    expect(lockHolder(stage)).not.toBeNull();
    expect(await stage.pool("init", "2")).toMatchObject({ code: 0, stdout: "Pool initialized: 2 slots available\n" });
    expect(lockHolder(stage)).toBeNull();
    expect(await stage.pool("health")).toMatchObject({ code: 0, stdout: expect.stringMatching(healthy(2)) });
  });

  test("16: a state truncated to 60 bytes: status says so, health --fix puts it right, the busy slot and its work are kept", async () => {
    const stage = await poolStage(2);
    const { path } = await stage.lease("x");
    writeFileSync(join(path, "unsaved.txt"), "u\n");
    // A change after the lease: the record before the damaged one knows of it.
    await stage.lease("y");
    await stage.pool("release", "y");
    truncateSync(newestRecord(stage), 60);
    expect(await stage.pool("status")).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("error[STATE_DAMAGED]") });
    expect(await stage.pool("health", "--fix")).toMatchObject({ code: 0 });
    expect((await stage.status()).slots[0]).toMatchObject({ id: "wt-1", status: "busy", lease: { task: "x" } });
    expect(readFileSync(join(path, "unsaved.txt"), "utf8")).toBe("u\n");
    expect(rescuesOf(stage)).toEqual([]);
    expect(await stage.pool("health")).toMatchObject({ code: 0, stdout: expect.stringMatching(healthy(2)) });
  });

  test(
    "17: kill -9 at each write of an acquire: whoever reads meanwhile finds the state whole",
    async () => {
      expect(await readersDuringWrites(["acquire"])).toBeGreaterThan(10);
    },
    LIMIT_MS,
  );
});

/** Who holds the lock of worktree administration, by its newest record. */
function lockHolder({ repo }: PoolStage): unknown {
  const folder = join(repo.dir, ".git/graftwork/admin");
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  const [, record = "{}"] = readFileSync(join(folder, names.sort().at(-1) ?? ""), "utf8").split("\n");
  return (JSON.parse(record) as { state: { holder: unknown } }).state.holder;
}
