import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { trustIndex } from "../../../src/git/index.ts";
import { acquireSlot, existingStore, initPool, releaseSlot } from "../../../src/pool/index.ts";
import { treeOfSlot } from "../../../src/pool/pool-state.ts";
import { lab } from "../pool/lab.ts";

const secondOf = (ms: number): number => Math.floor(ms / 1000);

async function warmSlot() {
  const all = await lab();
  await initPool(all.context, { size: 1 });
  const [slot] = existingStore(all.context.repository).read().state.slots;
  if (slot === undefined) throw new Error("no slot");
  const index = all.context.repository.layout.savedIndex(slot.id);
  return { ...all, slot, index, indexSecond: () => secondOf(statSync(index).mtimeMs) };
}

test("an index never becomes younger than the second before the look, nor older than it is", async () => {
  const { context, slot, index, indexSecond } = await warmSlot();
  const tree = treeOfSlot(slot);
  const now = Date.now();
  const written = indexSecond();
  trustIndex(context.repository, tree, now - 60_000);
  expect(indexSecond()).toBe(written);
  utimesSync(index, secondOf(now) - 60, secondOf(now) - 60);
  trustIndex(context.repository, tree, now);
  expect(indexSecond()).toBe(secondOf(now) - 1);
});

test("a write right after the look that trusted the index is work, also with size and time of the file before", async () => {
  const { context, slot, indexSecond } = await warmSlot();
  const file = join(slot.path, "README.md");
  const before = statSync(file);
  // The subject is git's clock of whole seconds: the slot's files are trusted two of them after they were written.
  while (secondOf(Date.now()) < secondOf(before.mtimeMs) + 3) await delay(50);
  await acquireSlot(context, { task: "t" });
  expect(indexSecond()).toBeGreaterThan(secondOf(before.mtimeMs));
  const changed = readFileSync(file, "utf8").replace(/./, "!");
  writeFileSync(file, changed);
  utimesSync(file, before.atime, before.mtime);
  const { rescue } = await releaseSlot(context, { name: slot.id });
  expect(rescue?.files).toBe(1);
});
