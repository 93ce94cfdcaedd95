import { lstatSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { acquireSlot, existingStore, initPool, type PoolContext, poolHealth, processOwner, releaseSlot } from "../../../src/pool/index.ts";
import { identityOf } from "../../../src/subprocess/index.ts";
import { writeFiles } from "../../fixtures/index.ts";
import { type Lab, lab } from "./lab.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/**
 * The same pool so much later. `clock`: what the time of day says went by, by which files are dated; `uptime`: what
 * the clock says that nobody can set; both are alike unless somebody set the time of day.
 */
function later(context: PoolContext, uptime: number, clock = uptime, bootId = "this boot"): PoolContext {
  return { ...context, now: () => new Date(Date.now() + clock), uptime: () => ({ bootId, ms: 5 * HOUR + uptime }) };
}

/** A pool of one slot, leased for an hour. */
async function leasedForAnHour(
  size = 1,
): Promise<Lab & { path: string; at: (uptime: number, clock?: number, bootId?: string) => PoolContext }> {
  const made = await lab();
  await initPool(made.context, { size });
  const at = (...times: [number, number?, string?]): PoolContext => later(made.context, ...times);
  const { path } = await acquireSlot(at(0), { task: "held", ttlMs: HOUR });
  return { ...made, path, at };
}

const wanted = (context: PoolContext) => acquireSlot(context, { task: "wanted" });
const REFUSED = { code: "POOL_EXHAUSTED" };
const holderOf = ({ context }: Lab) => existingStore(context.repository).read().state.slots[0]?.lease;

describe("a lease whose time has passed", () => {
  test("is taken back where a slot is needed, its unsaved work rescued and its branch kept", async () => {
    const all = await leasedForAnHour();
    writeFileSync(join(all.path, "unsaved.txt"), "u\n");
    expect(await wanted(all.at(61 * MINUTE))).toMatchObject({ id: "wt-1", lease: { task: "wanted" } });
    expect(all.said).toContain("wt-1: held is taken back, its time has passed");
    expect(all.repo.git("show", "refs/graftwork/rescue/held/1:unsaved.txt")).toBe("u");
    expect(all.repo.git("branch", "--list", "auto/held").trim()).toBe("auto/held");
  });

  test("stays where another slot is free", async () => {
    const all = await leasedForAnHour(2);
    expect(await wanted(all.at(100 * HOUR))).toMatchObject({ id: "wt-2" });
    expect(holderOf(all)).toMatchObject({ task: "held" });
  });

  test("is not taken back a minute before", async () => {
    const all = await leasedForAnHour();
    await expect(wanted(all.at(59 * MINUTE))).rejects.toMatchObject(REFUSED);
    expect(holderOf(all)).toMatchObject({ task: "held" });
  });

  test("cannot be given back by its late holder once the slot is another's", async () => {
    const all = await leasedForAnHour();
    const token = holderOf(all)?.token ?? 0;
    await wanted(all.at(2 * HOUR));
    await expect(releaseSlot(all.at(2 * HOUR), { name: "wt-1", token })).rejects.toMatchObject({ code: "LEASE_HELD" });
    expect(holderOf(all)).toMatchObject({ task: "wanted" });
  });
});

describe("a lease is renewed", () => {
  test("by an acquire of the same task, for its whole time", async () => {
    const all = await leasedForAnHour();
    expect(await acquireSlot(all.at(50 * MINUTE), { task: "held" })).toMatchObject({ id: "wt-1", path: all.path });
    await expect(wanted(all.at(109 * MINUTE))).rejects.toMatchObject(REFUSED);
    expect(await wanted(all.at(111 * MINUTE))).toMatchObject({ id: "wt-1" });
  });

  test("by a file that was written in the slot within its time, from the moment at which somebody looked", async () => {
    const all = await leasedForAnHour();
    // Two hours on the machine: the file is of now, the lease was not asked for again.
    writeFileSync(join(all.path, "at-work.txt"), "w");
    await expect(wanted(all.at(2 * HOUR, 0))).rejects.toMatchObject(REFUSED);
    await expect(wanted(all.at(2 * HOUR + 59 * MINUTE, 59 * MINUTE))).rejects.toMatchObject(REFUSED);
    expect(await wanted(all.at(3 * HOUR + MINUTE, 61 * MINUTE))).toMatchObject({ id: "wt-1" });
  });

  test("by a file deep in the slot as well, and not by one in node_modules, which tools write without anybody at work", async () => {
    for (const [file, keeps] of [
      ["deep/er/file.txt", true],
      ["node_modules/tool/cache", false],
    ] as const) {
      const all = await leasedForAnHour();
      writeFiles(all.path, { [file]: "before\n" });
      const before = newestChange(all.path);
      // Times of files are told to the millisecond.
      while (lstatSync(join(all.path, file)).ctimeMs < before + 3) writeFileSync(join(all.path, file), "after\n");
      // An hour ago, by the clock, lies between the two.
      const context: PoolContext = { ...all.at(2 * HOUR), now: () => new Date(Math.floor(before) + 2 + HOUR) };
      if (keeps) await expect(wanted(context)).rejects.toMatchObject(REFUSED);
      else expect(await wanted(context)).toMatchObject({ id: "wt-1" });
      expect(holderOf(all)).toMatchObject({ task: keeps ? "held" : "wanted", renewed: { bootId: "this boot", ms: 7 * HOUR } });
    }
  });
});

/** When anything in a folder was last changed. */
function newestChange(path: string): number {
  const stat = lstatSync(path);
  const below = stat.isDirectory() ? readdirSync(path).map((name) => newestChange(join(path, name))) : [];
  return Math.max(stat.ctimeMs, ...below);
}

describe("the time of day decides nothing", () => {
  test.each([
    ["forward by two days", 48 * HOUR],
    ["back by two days", -48 * HOUR],
  ])("set %s, a lease that has time left is kept", async (_, clock) => {
    const all = await leasedForAnHour();
    await expect(wanted(all.at(59 * MINUTE, clock))).rejects.toMatchObject(REFUSED);
    expect(await acquireSlot(all.at(59 * MINUTE, clock), { task: "held" })).toMatchObject({ id: "wt-1" });
    await expect(wanted(all.at(118 * MINUTE, clock))).rejects.toMatchObject(REFUSED);
  });

  test("set forward by two days, a lease without time left is taken back all the same", async () => {
    const all = await leasedForAnHour();
    expect(await wanted(all.at(61 * MINUTE, 48 * HOUR))).toMatchObject({ id: "wt-1" });
  });

  test("set back by two days, files look new: that can keep a lease for longer, and takes none", async () => {
    const all = await leasedForAnHour();
    await expect(wanted(all.at(61 * MINUTE, -48 * HOUR))).rejects.toMatchObject(REFUSED);
    expect(await wanted(all.at(3 * HOUR, 3 * HOUR))).toMatchObject({ id: "wt-1" });
  });

  test("after another start of the machine the time of a lease begins anew", async () => {
    const all = await leasedForAnHour();
    const next = "next boot";
    await expect(wanted(all.at(100 * HOUR, 100 * HOUR, next))).rejects.toMatchObject(REFUSED);
    expect(holderOf(all)).toMatchObject({ task: "held", renewed: { bootId: next, ms: 105 * HOUR }, ttlMs: HOUR });
    await expect(wanted(all.at(100 * HOUR + 59 * MINUTE, 101 * HOUR, next))).rejects.toMatchObject(REFUSED);
    expect(await wanted(all.at(101 * HOUR, 102 * HOUR, next))).toMatchObject({ id: "wt-1" });
  });
});

describe("a lease that ends with its process", () => {
  test("has no time: it is kept while the process lives, and taken back when it is gone, at once", async () => {
    const all = await lab();
    await initPool(all.context, { size: 1 });
    await acquireSlot(later(all.as(processOwner("run"), "r"), 0), { task: "held" });
    await expect(wanted(later(all.context, 1000 * HOUR))).rejects.toMatchObject(REFUSED);
    await releaseSlot(all.context, { name: "held", force: true });
    const gone = { ...identityOf(process.pid), startTime: "0" };
    await acquireSlot(later(all.as({ kind: "process", name: "run", process: gone }, "r"), 0), { task: "held" });
    expect(await wanted(later(all.context, 0))).toMatchObject({ id: "wt-1" });
    expect(all.said).toContain("wt-1: held is taken back, its owner is gone");
  });
});

describe("health and the time of leases", () => {
  test("names a lease whose time has passed, and gives its slot back with its work saved", async () => {
    const all = await leasedForAnHour();
    writeFileSync(join(all.path, "unsaved.txt"), "u\n");
    const at = all.at(2 * HOUR);
    expect(await poolHealth(at, { fix: false })).toMatchObject({
      ok: false,
      findings: [{ kind: "owner-gone", subject: "wt-1", text: "wt-1: the time of its lease has passed (task held)" }],
    });
    expect(await poolHealth(at, { fix: true })).toMatchObject({ ok: true });
    expect(all.repo.git("show", "refs/graftwork/rescue/held/1:unsaved.txt")).toBe("u");
    expect(await poolHealth(at, { fix: false })).toMatchObject({ ok: true, findings: [] });
  });

  test("leaves a slot alone that somebody works in, though nobody asked for its lease again", async () => {
    const all = await leasedForAnHour();
    writeFileSync(join(all.path, "at-work.txt"), "w");
    expect(await poolHealth(all.at(2 * HOUR, 0), { fix: true })).toMatchObject({ ok: true, findings: [] });
    expect(holderOf(all)).toMatchObject({ task: "held" });
  });
});
