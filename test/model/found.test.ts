import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { acquireSlot, existingStore, initPool, listRescues, releaseSlot } from "../../src/pool/index.ts";
import { type RunningCli, startCli } from "../fixtures/index.ts";
import { type Lab, lab } from "../integration/pool/lab.ts";

beforeEach((context) => {
  if (process.platform !== "linux") context.skip("only /proc tells when a process has stopped");
});

/** A release that was stopped at a point; by default when it had seen its lease and had not said so yet. */
async function stalledRelease(all: Lab, point = "fs.link@1"): Promise<RunningCli> {
  const env = { GRAFTWORK_FAILPOINT: `${point}=stop`, HOME: all.repo.parent };
  const release = startCli(["release", "t"], { cwd: all.repo.dir, program: "pool-manager", env });
  while (!/^State:\tT/m.test(readFileSync(`/proc/${release.child.pid}/status`, "utf8"))) await delay(5);
  return release;
}

test("a release that stalled while its lease ended and the slot was leased again does not touch it", async () => {
  const all = await lab();
  await initPool(all.context, { size: 1 });
  await acquireSlot(all.context, { task: "t" });
  const release = await stalledRelease(all);
  await releaseSlot(all.context, { name: "t" });
  const other = await acquireSlot(all.context, { task: "other" });
  writeFileSync(join(other.path, "unsaved"), "u");
  release.child.kill("SIGCONT");
  await release.result;
  expect(existingStore(all.context.repository).read().state.slots[0]).toMatchObject({ status: "busy", lease: { task: "other" } });
  expect(existsSync(join(other.path, "unsaved"))).toBe(true);
});

test("a release that stalled while its lease ended leaves the idle slot alone", async () => {
  const all = await lab();
  await initPool(all.context, { size: 1 });
  await acquireSlot(all.context, { task: "t" });
  const release = await stalledRelease(all);
  await releaseSlot(all.context, { name: "t" });
  const { generation } = existingStore(all.context.repository).read();
  release.child.kill("SIGCONT");
  expect(await release.result).toMatchObject({ code: 0, stdout: "RELEASED:wt-1\n" });
  expect(existingStore(all.context.repository).read().generation).toBe(generation);
});

test("what is saved in an untracked folder after the last look at it stays, and is rescued by the next look", async () => {
  const all = await lab();
  await initPool(all.context, { size: 1 });
  const { path } = await acquireSlot(all.context, { task: "t" });
  mkdirSync(join(path, "new", "deep"), { recursive: true });
  for (const name of ["new/seen", "new/deep/seen"]) writeFileSync(join(path, name), "s");
  const release = await stalledRelease(all, "fs.rmdir@1");
  writeFileSync(join(path, "new/deep/late"), "late");
  release.child.kill("SIGCONT");
  expect(await release.result).toMatchObject({ code: 0 });
  expect(existsSync(join(path, "new/seen"))).toBe(false);
  expect(readFileSync(join(path, "new/deep/late"), "utf8")).toBe("late");
  await acquireSlot(all.context, { task: "next" });
  expect((await listRescues(all.context)).map(({ note }) => note.files)).toEqual([["new/deep/seen", "new/seen"], ["new/deep/late"]]);
});
