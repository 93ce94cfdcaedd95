import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Claim, type Places, takePlace } from "../../../src/qa/places.ts";
import { openStore } from "../../../src/state/index.ts";
import { identityOf } from "../../../src/subprocess/index.ts";
import { atEnd } from "../../fixtures/index.ts";
import { type QaLab, qaLab } from "./lab.ts";

const claims = (lab: QaLab): readonly Claim[] => storeOf(lab).read().state.claims;

function storeOf(lab: QaLab) {
  const dir = lab.repository.layout.verifyingStore;
  return openStore<Places>({ dir, schema: 1, initial: { claims: [], given: 0 }, parse: (value) => value as Places });
}

/** Another process that holds a place; `end` kills it. */
async function otherProcess(lab: QaLab): Promise<{ end: () => void }> {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  atEnd(() => child.kill("SIGKILL"));
  const claim: Claim = { id: "other", process: identityOf(child.pid ?? 0), kind: "shared", held: true };
  await storeOf(lab).commit("other", (state) => ({ given: state.given + 1, claims: [...state.claims, claim] }));
  return { end: () => child.kill("SIGKILL") };
}

/** Fails if another verification has the folder, which stays until one has failed so. */
const CLASH =
  'if mkdir "$NOTES.d"; then until grep -qs clash "$NOTES"; do :; done; rmdir "$NOTES.d"; else echo clash >> "$NOTES"; exit 1; fi';

describe("a check that fails beside another verification", () => {
  test("runs again alone and passes, which the verdict says", async () => {
    const lab = await qaLab({ checks: [{ name: "unit", run: CLASH }] });
    const verdicts = await Promise.all([
      lab.judge(lab.work({ "a.txt": "a" }, "a"), { label: "task-a" }),
      lab.judge(lab.work({ "b.txt": "b" }, "b"), { label: "task-b" }),
    ]);
    expect(verdicts.map(({ decision }) => decision)).toEqual(["approved", "approved"]);
    const flaky = verdicts.filter(({ checks }) => checks.some((one) => one.flaky));
    expect(flaky).toMatchObject([{ overlapped: true, reason: "1 check passed, `unit` only when run again" }]);
    expect(verdicts.filter((one) => "overlapped" in one)).toHaveLength(1);
    expect(claims(lab)).toEqual([]);
  });

  test("waits for a verification of another process to end, however it ends", async () => {
    const lab = await qaLab({ checks: [{ name: "unit", run: 'echo ran >> "$NOTES"; test ! -e bad' }] });
    const other = await otherProcess(lab);
    const judged = lab.judge(lab.work({ bad: "" }));
    await expect.poll(() => lab.said, { timeout: 30_000 }).toContain("unit: waits until no other verification runs");
    expect(lab.notes()).toBe("ran\n");
    other.end();
    expect(await judged).toMatchObject({ decision: "rejected" });
    expect(lab.notes()).toBe("ran\nran\nran\n");
    expect(claims(lab)).toEqual([]);
  });

  test("gives its place back if it is interrupted while it waits", async () => {
    const lab = await qaLab({ checks: [{ name: "unit", run: "test ! -e bad" }] });
    await otherProcess(lab);
    const abort = new AbortController();
    const judged = lab.judge(lab.work({ bad: "" }), { signal: abort.signal });
    await expect.poll(() => lab.said, { timeout: 30_000 }).toContain("unit: waits until no other verification runs");
    abort.abort();
    await expect(judged).rejects.toMatchObject({ code: "INTERRUPTED" });
    expect(claims(lab).map(({ id }) => id)).toEqual(["other"]);
  });
});

test("a check that fails by itself says nothing of other verifications", async () => {
  const lab = await qaLab({ checks: ['test -e "$NOTES" || { echo > "$NOTES"; exit 1; }'] });
  const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
  expect(verdict).toMatchObject({ decision: "approved", checks: [{ flaky: true }] });
  expect(verdict).not.toHaveProperty("overlapped");
});

test("what a base fails is run on it once for all verifications that are under way", async () => {
  const lab = await qaLab({ checks: ['if test -e work; then echo work; else echo base; fi >> "$NOTES"; exit 1'] });
  let ticks = 0;
  lab.context.now = () => new Date(Date.UTC(2026, 1, 3) + ++ticks);
  const verdicts = await Promise.all([
    lab.judge(lab.work({ work: "a" }, "a"), { label: "task-a" }),
    lab.judge(lab.work({ work: "b" }, "b"), { label: "task-b" }),
  ]);
  expect(verdicts.map(({ decision }) => decision)).toEqual(["blocked", "blocked"]);
  expect(lab.notes().match(/base/g)).toHaveLength(1);
  // A later verification asks again, since the cause may be mended.
  expect((await lab.judge(lab.work({ work: "c" }, "c"))).decision).toBe("blocked");
  expect(lab.notes().match(/base/g)).toHaveLength(2);
});

describe("places", () => {
  test("are shared; one who waits to be alone holds off new ones until it is done", async () => {
    const lab = await qaLab();
    const take = () => takePlace(lab.repository, () => undefined);
    const [first, second] = [await take(), await take()];
    const order: string[] = [];
    const alone = first.alone(() => order.push("waits")).then(() => order.push("alone"));
    await expect.poll(() => order).toEqual(["waits"]);
    const third = take().then((place) => {
      order.push("third");
      return place;
    });
    await second.leave();
    await alone;
    expect(order).toEqual(["waits", "alone"]);
    await first.share();
    const last = await third;
    expect(order).toEqual(["waits", "alone", "third"]);
    expect(first.look().others).toBe(1);
    await Promise.all([first.leave(), last.leave()]);
    expect(claims(lab)).toEqual([]);
  });

  test("are all free after a power cut damaged their store", async () => {
    const lab = await qaLab();
    await takePlace(lab.repository, () => undefined);
    const newest = `${String(storeOf(lab).read().generation).padStart(12, "0")}.json`;
    writeFileSync(join(lab.repository.layout.verifyingStore, newest), "");
    const place = await takePlace(lab.repository, () => undefined);
    expect(place.look()).toEqual({ others: 0, given: 1 });
  });
});
