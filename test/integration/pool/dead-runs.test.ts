import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LeaseOwner } from "../../../src/domain/index.ts";
import { acquireSlot, cleanupPool, initPool, listRescues, poolStatus, processOwner, releaseSlot } from "../../../src/pool/index.ts";
import { identityOf } from "../../../src/subprocess/index.ts";
import { commitFiles, git } from "../../fixtures/index.ts";
import { lab } from "./lab.ts";

const gone = (name: string): LeaseOwner => ({ kind: "process", name, process: { ...identityOf(process.pid), startTime: "0" } });

describe("a slot that another run holds for the same task", () => {
  test("is taken back if that run's process is gone: its work is saved and its branch kept", async () => {
    const all = await lab();
    await initPool(all.context, { size: 2 });
    const before = await acquireSlot(all.as(gone("r1"), "r1"), { task: "a" });
    const tip = commitFiles(before.path, { "one.txt": "1" });
    writeFileSync(join(before.path, "left.txt"), "left");
    const now = await acquireSlot(all.as(processOwner("r2"), "r2"), { task: "a" });
    expect(now.lease).toMatchObject({ run: "r2", branch: "auto/a-2", base: all.repo.git("rev-parse", "main") });
    expect(all.repo.git("rev-parse", "auto/a")).toBe(tip);
    expect(await listRescues(all.context)).toMatchObject([{ note: { task: "a", branch: "auto/a", files: ["left.txt"] } }]);
    expect((await poolStatus(all.context)).busy).toBe(1);
  });

  test("stays that run's if its process lives, and the refusal names the run", async () => {
    const all = await lab();
    await initPool(all.context, { size: 2 });
    await acquireSlot(all.as(processOwner("r1"), "r1"), { task: "a" });
    await expect(acquireSlot(all.as(processOwner("r2"), "r2"), { task: "a" })).rejects.toMatchObject({
      code: "LEASE_HELD",
      because: expect.stringContaining("a of run r1 has held wt-1"),
    });
  });
});

test("the preferred slot is taken if it is idle, and another one if it is not", async () => {
  const { context } = await lab();
  await initPool(context, { size: 3 });
  expect(await acquireSlot(context, { task: "a", prefer: "wt-3" })).toMatchObject({ id: "wt-3" });
  expect(await acquireSlot(context, { task: "b", prefer: "wt-3" })).toMatchObject({ id: "wt-1" });
  expect(await acquireSlot(context, { task: "c", prefer: "wt-9" })).toMatchObject({ id: "wt-2" });
});

test("a pool that was made again goes on with the branch that its caller names", async () => {
  const { repo, context } = await lab();
  await initPool(context, { size: 1 });
  const first = await acquireSlot(context, { task: "a" });
  const tip = commitFiles(first.path, { "one.txt": "1" });
  await cleanupPool(context, { force: true });
  await initPool(context, { size: 1 });
  const again = await acquireSlot(context, { task: "a", branch: "auto/a" });
  expect(again.lease).toMatchObject({ branch: "auto/a", base: tip });
  expect(readFileSync(join(again.path, "one.txt"), "utf8")).toBe("1");
  await releaseSlot(context, { name: "a" });
  expect(repo.git("rev-parse", "auto/a")).toBe(tip);
});

test("a branch that was deleted is made again at the base, and is that run's own from then on", async () => {
  const { repo, context } = await lab();
  await initPool(context, { size: 1 });
  await acquireSlot(context, { task: "a" });
  await releaseSlot(context, { name: "a" });
  repo.git("branch", "-D", "auto/a");
  const other = { ...context, run: "r2" };
  const first = await acquireSlot(other, { task: "a" });
  expect(first.lease).toMatchObject({ branch: "auto/a", base: repo.git("rev-parse", "main") });
  const tip = commitFiles(first.path, { "one.txt": "1" });
  await releaseSlot(other, { name: "a" });
  expect((await acquireSlot(other, { task: "a" })).lease).toMatchObject({ branch: "auto/a", base: tip });
});

test("status counts what is ahead and behind as git does, after a merge too", async () => {
  const { repo, context } = await lab();
  await initPool(context, { size: 1 });
  const slot = await acquireSlot(context, { task: "a" });
  commitFiles(slot.path, { "one.txt": "1" });
  repo.commit({ "mine.txt": "m" });
  const counts = async () =>
    (({ ahead, behind }) => `${ahead}\t${behind}`)((await poolStatus(context)).slots[0] ?? { ahead: 0, behind: 0 });
  const byGit = () => git(repo.dir, "rev-list", "--left-right", "--count", "auto/a...main");
  expect(await counts()).toBe("1\t1");
  expect(await counts()).toBe(byGit());
  repo.git("merge", "--no-ff", "-qm", "merge", "auto/a");
  expect(await counts()).toBe("0\t2");
  expect(await counts()).toBe(byGit());
});
