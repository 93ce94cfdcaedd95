import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RunEvent } from "../../../src/domain/index.ts";
import { initPool, poolHealth } from "../../../src/pool/index.ts";
import { findRun, listRuns } from "../../../src/run/index.ts";
import { ownRun } from "../../../src/run/ownership.ts";
import { beginJournal, liveRun } from "../../../src/state/index.ts";
import { aPlan, aTask } from "../../unit/run/simulation.ts";
import { type Lab, lab } from "../pool/lab.ts";

/** A run's folder as a process leaves it: plan, configuration and what was said. */
function aRun({ context }: Lab, run: string, at: string, events: readonly RunEvent[]): string {
  const folder = context.repository.layout.run(run);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "plan.json"), JSON.stringify({ schema: 1, source: null, digest: "d", plan: aPlan([aTask("a")]) }));
  const config = { parallelization: { retryOnFailure: 0 }, merge: { onConflict: [] } };
  writeFileSync(join(folder, "config.json"), JSON.stringify({ schema: 1, config, trustedConfig: "" }));
  const journal = beginJournal(folder, 1, () => new Date(at));
  const first = { type: "run-started", run, plan: "p", planDigest: "d", target: "main", base: "b", mode: "all", merge: true } as const;
  for (const event of [first, ...events]) journal.append(event);
  journal.close();
  return folder;
}

const FAILED: RunEvent[] = [
  { type: "attempt-started", task: "a", attempt: 1, slot: "wt-1", token: 1, branch: "auto/a", base: "b", agent: "x", log: "" },
  {
    type: "attempt-ended",
    task: "a",
    attempt: 1,
    outcome: { kind: "failed", failure: "crashed", reason: "r", retry: false },
    session: null,
    usage: null,
    durationMs: 0,
  },
  { type: "run-ended", exit: 3 },
];

test("a run whose folder was half made, or whose journal is damaged, hides no other", async () => {
  const all = await lab();
  const { repository } = all.context;
  aRun(all, "good", "2026-01-01T00:00:00.000Z", []);
  writeFileSync(join(aRun(all, "bad", "2026-01-02T00:00:00.000Z", []), "journal.1.jsonl"), "not json\n");
  rmSync(join(aRun(all, "half", "2026-01-03T00:00:00.000Z", []), "config.json"));
  expect(listRuns(repository).map((one) => one.run)).toEqual(["good"]);
  expect(findRun(repository, null).run).toBe("good");
  expect(() => findRun(repository, "bad")).toThrow(expect.objectContaining({ code: "JOURNAL_DAMAGED" }));
  rmSync(repository.layout.run("good"), { recursive: true });
  expect(() => findRun(repository, null)).toThrow(expect.objectContaining({ code: "JOURNAL_DAMAGED" }));
});

test("a task that is tried again opens a run that had ended; an undone run is not taken up", async () => {
  const all = await lab();
  const { repository } = all.context;
  const retry: RunEvent = { type: "resolved", task: "a", how: "retry", commit: null, reason: "" };
  aRun(all, "ended", "2026-01-01T00:00:00.000Z", [...FAILED, retry]);
  aRun(all, "undone", "2026-01-02T00:00:00.000Z", [{ type: "undone", from: "x", to: "y" }]);
  const found = findRun(repository, null);
  expect(found.run).toBe("ended");
  expect(found.facts.tasks.get("a")?.status).toBe("pending_retry");
});

test("a person's word changes nothing about a task that has landed", async () => {
  const all = await lab();
  const tasks = [{ task: "a", branch: "auto/a", branchTip: "t", merge: "m" }];
  const landed: RunEvent = { type: "landed", from: "x", to: "y", tasks };
  aRun(all, "r", "2026-01-01T00:00:00.000Z", [landed, { type: "resolved", task: "a", how: "skip", commit: null, reason: "" }]);
  expect(findRun(all.context.repository, "r").facts.tasks.get("a")?.status).toBe("done");
});

test("the owner of a run is one call of one process, and its epochs never repeat", async () => {
  const { context } = await lab();
  const { repository } = context;
  await initPool(context, { size: 1 });
  const first = await ownRun(repository, "r", new Date(1));
  await expect(ownRun(repository, "r", new Date(2))).rejects.toMatchObject({ code: "RUN_LIVE" });
  expect(liveRun(repository)?.epoch).toBe(1);
  await first.release();
  const dir = repository.layout.liveStore;
  for (const name of readdirSync(dir).sort().slice(-2)) writeFileSync(join(dir, name), "");
  expect(() => liveRun(repository)).toThrow(expect.objectContaining({ code: "STATE_DAMAGED" }));
  expect(await poolHealth(context, { fix: false })).toMatchObject({ ok: false, findings: [{ kind: "state-damaged" }] });
  await poolHealth(context, { fix: true });
  expect(await poolHealth(context, { fix: true })).toMatchObject({ ok: true });
  expect((await ownRun(repository, "r", new Date(3))).epoch).toBe(2);
});
