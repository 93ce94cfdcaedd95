import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "vitest";
import { openRepository } from "../../src/git/index.ts";
import { existingStore } from "../../src/pool/index.ts";
import { hermeticEnv } from "../fixtures/index.ts";
import { randomOf } from "../storm/random.ts";
import { healthy, type PoolStage, poolStage, viewOf } from "./pool-stage.ts";

/** Draws a seed and says it where the work fails; `GRAFTWORK_TEST_SEED` does what was drawn then again. */
export async function withSeed<Result>(work: (seed: number) => Promise<Result>): Promise<Result> {
  const seed = Number(process.env["GRAFTWORK_TEST_SEED"] ?? Math.floor(Math.random() * 1_000_000));
  try {
    return await work(seed);
  } catch (error) {
    process.stdout.write(`to do it again: GRAFTWORK_TEST_SEED=${seed}\n`);
    throw error;
  }
}

/** Eight acquires at once on eight slots, then eight releases at once; so many rounds, none of which may fail. */
export async function roundsOfEight(rounds: number): Promise<PoolStage> {
  const stage = await poolStage(8);
  for (let round = 0; round < rounds; round++) {
    const all = await Promise.all(Array.from({ length: 8 }, (_, n) => stage.pool("acquire", `r${round}-t${n}`)));
    expect(all.map(({ code }) => code)).toEqual(Array(8).fill(0));
    const slots = all.map(({ stdout }) => stdout.split("|")[0] ?? "");
    expect(new Set(slots).size).toBe(8);
    const released = await Promise.all(slots.map((slot) => stage.pool("release", slot)));
    expect(released.map(({ code, stdout }) => [code, stdout])).toEqual(slots.map((slot) => [0, `RELEASED:${slot}\n`]));
  }
  expect(stage.branches()).toHaveLength(8 * rounds);
  return stage;
}

/** What a verb of the storm may end with: done, or refused because another was there before. */
const FINE = /^error\[(?:POOL_EXHAUSTED|LEASE_HELD|BRANCH_IN_USE|SLOT_UNKNOWN)\]/m;

/** Four workers do random verbs with tasks and slots that they share; afterwards state and git have to say the same. */
export async function mixedStorm(operations: number, seed: number): Promise<void> {
  const stage = await poolStage(4);
  const random = randomOf(seed);
  const pick = (n: number): number => Math.floor(random() * n);
  const odd: string[] = [];
  let left = operations;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const verb = [
        ["acquire", `task-${pick(12)}`],
        ["acquire", `task-${pick(12)}`],
        ["release", `task-${pick(12)}`],
        ["release", `wt-${1 + pick(4)}`],
        ["status"],
      ][pick(5)] as string[];
      const end = await stage.pool(...verb);
      if (end.code !== 0 && !FINE.test(end.stderr)) odd.push(`${verb.join(" ")}: ${end.code ?? end.signal} ${end.stderr}`);
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  expect(odd).toEqual([]);
  await expectStateIsWhatGitSays(stage);
  expect((await stage.pool("health")).stdout).toMatch(healthy(4));
}

/** Slots are worktrees one to one; a busy one is on the branch of its lease, an idle one on none; the view agrees. */
async function expectStateIsWhatGitSays(stage: PoolStage): Promise<void> {
  const { slots } = await stage.state();
  expect(stage.worktrees().sort()).toEqual(slots.map(({ path }) => path).sort());
  const on = new Map(
    stage.repo
      .git("worktree", "list", "--porcelain")
      .split("\n\n")
      .map((block) => [/^worktree (.*)$/m.exec(block)?.[1] ?? "", /^branch refs\/heads\/(.*)$/m.exec(block)?.[1] ?? null]),
  );
  for (const slot of slots) expect([slot.id, on.get(slot.path)]).toEqual([slot.id, slot.lease?.branch ?? null]);
  const seen = viewOf(stage).worktrees.map(({ id, task_id }) => [id, task_id]);
  expect(seen).toEqual(slots.map(({ id, lease }) => [id, lease?.task ?? null]));
}

/** The points (writes and starts of programs) that an acquire passes on its way: the moments at which it can be killed. */
async function pointsOfAcquire(stage: PoolStage): Promise<number> {
  const log = join(stage.repo.parent, "points");
  await stage.as({ GRAFTWORK_FAILPOINT_LOG: log }).lease("counted");
  await stage.pool("release", "counted");
  return readFileSync(log, "utf8").trimEnd().split("\n").length;
}

/** Acquires that are killed at random moments, each followed by a repair that leaves nothing behind and a slot that works. */
export async function randomKills(kills: number, seed: number): Promise<void> {
  const stage = await poolStage(2);
  const random = randomOf(seed);
  const points = await pointsOfAcquire(stage);
  for (let killed = 0, tries = 0; killed < kills; tries++) {
    const at = 1 + Math.floor(random() * points);
    const about = `kill ${killed}, at point ${at} of ${points}`;
    const end = await stage.as({ GRAFTWORK_FAILPOINT: `*@${at}=kill` }).pool("acquire", `killed-${tries}`);
    // Some have fewer points than the one that was counted, and come to their end.
    expect([about, end.signal ?? end.code]).toEqual([about, end.code === 0 ? 0 : "SIGKILL"]);
    if (end.signal === "SIGKILL") killed += 1;
    const fixed = await stage.pool("health", "--fix");
    expect([about, fixed.code, fixed.stderr.includes("error[")]).toEqual([about, 0, false]);
    expect([about, (await stage.pool("health")).stdout]).toEqual([about, expect.stringMatching(healthy(2))]);
    await expectStateIsWhatGitSays(stage);
    // Where the lease was given before the kill it is one, with its branch; else nothing of it is left.
    const leased = (await stage.state()).slots.flatMap(({ lease }) => lease?.branch ?? []);
    expect([about, stage.branches().filter((branch) => branch.includes("killed-"))]).toEqual([about, leased]);
    for (const task of ["one", "two"].slice(leased.length)) await stage.lease(task);
    for (const { id } of (await stage.state()).slots) expect([about, (await stage.pool("release", id)).code]).toEqual([about, 0]);
    for (const branch of leased) stage.repo.git("branch", "-D", branch);
  }
}

/**
 * Verbs that are killed before each of their writes in turn, and a reader all the while: what is read is always whole.
 * Returns how often it read.
 */
export async function readersDuringWrites(verbs: readonly ("acquire" | "release")[]): Promise<number> {
  const stage = await poolStage(2);
  const repository = await openRepository(stage.repo.dir, { parentEnv: hermeticEnv() });
  let reads = 0;
  let done = false;
  const reader = async (): Promise<void> => {
    for (; !done; reads++) {
      // Each opens the store anew, as another process does.
      expect(existingStore(repository).read().state.slots).toHaveLength(2);
      expect(viewOf(stage).worktrees).toHaveLength(2);
      await nextTurn();
    }
  };
  const killedAtEachWrite = async (verb: readonly string[], makeReady: readonly string[]): Promise<void> => {
    for (let n = 1; ; n++) {
      expect(await stage.pool(...makeReady)).toMatchObject({ code: 0 });
      const end = await stage.as({ GRAFTWORK_FAILPOINT: `fs@${n}=kill` }).pool(...verb);
      if (end.code !== 0) expect(end.signal).toBe("SIGKILL");
      else {
        // It came to its end before its n-th write: all others were tried.
        expect(n).toBeGreaterThan(5);
        return;
      }
    }
  };
  const writer = async (): Promise<void> => {
    for (const verb of verbs) await killedAtEachWrite([verb, "t"], verb === "acquire" ? ["release", "wt-1"] : ["acquire", "t"]);
  };
  await Promise.all([reader(), writer().finally(() => (done = true))]);
  expect(await stage.pool("status")).toMatchObject({ code: 0 });
  return reads;
}
