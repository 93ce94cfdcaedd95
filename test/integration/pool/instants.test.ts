import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { emptySlot } from "../../../src/pool/empty-slot.ts";
import { acquireSlot, existingStore, initPool } from "../../../src/pool/index.ts";
import { treeOfSlot } from "../../../src/pool/pool-state.ts";
import { rescueSlot } from "../../../src/pool/rescue.ts";
import { startCli } from "../../fixtures/index.ts";
import { lab } from "./lab.ts";

/** The lease's slot, what a look found in it, and what puts it back: as a release does, once all is saved. */
async function lookedAt(change: (path: string) => void) {
  const all = await lab();
  await initPool(all.context, { size: 1 });
  const { path } = await acquireSlot(all.context, { task: "t" });
  change(path);
  const [slot] = existingStore(all.context.repository).read().state.slots;
  if (slot === undefined || slot.head === null) throw new Error("no slot");
  const { head } = slot;
  const tree = treeOfSlot(slot);
  const { found } = await rescueSlot(all.context, tree, { task: "t", reason: "test", base: head });
  return { path, empty: () => emptySlot(all.context.repository, tree, found, head, head) };
}

test("a file that is saved anew after it was rescued stays", async () => {
  const { path, empty } = await lookedAt((at) => {
    mkdirSync(join(at, "new"));
    writeFileSync(join(at, "new/seen"), "one");
  });
  writeFileSync(join(path, "new/seen"), "two");
  await empty();
  expect(existsSync(join(path, "new/seen")) && readFileSync(join(path, "new/seen"), "utf8")).toBe("two");
});

test("what is put into a folder that took the place of a rescued file stays", async () => {
  const { path, empty } = await lookedAt((at) => writeFileSync(join(at, "seen"), "one"));
  rmSync(join(path, "seen"));
  mkdirSync(join(path, "seen"));
  writeFileSync(join(path, "seen/late"), "late");
  await empty();
  expect(existsSync(join(path, "seen/late"))).toBe(true);
});

test("what is put into a folder in a tracked file's place after the last look stays, or is saved", async () => {
  const { path, empty } = await lookedAt((at) => {
    rmSync(join(at, "README.md"));
    mkdirSync(join(at, "README.md"));
    writeFileSync(join(at, "README.md/seen"), "one");
  });
  writeFileSync(join(path, "README.md/late"), "late");
  await empty().catch(() => undefined);
  expect(existsSync(join(path, "README.md/late"))).toBe(true);
});

test("cleanup: what is saved in an untracked folder after the last look is rescued before the slot goes", async (context) => {
  if (process.platform !== "linux") context.skip("only /proc tells when a process has stopped");
  const all = await lab();
  await initPool(all.context, { size: 1 });
  const { path } = await acquireSlot(all.context, { task: "t" });
  mkdirSync(join(path, "new"));
  writeFileSync(join(path, "new/seen"), "seen");
  const env = { GRAFTWORK_FAILPOINT: "fs.rmdir@1=stop", HOME: all.repo.parent };
  const cleanup = startCli(["cleanup"], { cwd: all.repo.dir, program: "pool-manager", env });
  while (!/^State:\tT/m.test(readFileSync(`/proc/${cleanup.child.pid}/status`, "utf8"))) await delay(5);
  writeFileSync(join(path, "new/late"), "late");
  cleanup.child.kill("SIGCONT");
  await cleanup.result;
  const saved = all.repo.git("for-each-ref", "--format=%(refname)", "refs/graftwork/rescue").split("\n");
  const files = saved.flatMap((ref) => (ref === "" ? [] : all.repo.git("ls-tree", "-r", "--name-only", ref).split("\n")));
  expect(existsSync(join(path, "new/late")) || files.includes("new/late")).toBe(true);
});
