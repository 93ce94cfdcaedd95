import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lookAtSlot } from "../../../src/dispatch/look-at-slot.ts";
import type { LeasedSlot } from "../../../src/domain/index.ts";
import { acquireSlot, existingStore, initPool, requireSlot, treeOfSlot } from "../../../src/pool/index.ts";
import { git, tempFolder, writeFiles } from "../../fixtures/index.ts";
import { aTask } from "../../unit/run/simulation.ts";
import { type Lab, lab } from "../pool/lab.ts";

async function leased(files: Record<string, string>): Promise<{ all: Lab; slot: LeasedSlot }> {
  const all = await lab({ files });
  await initPool(all.context, { size: 1 });
  return { all, slot: await acquireSlot(all.context, { task: "t" }) };
}

const look = ({ context }: Lab, { id, lease }: LeasedSlot, more: { files?: string[] } = {}) =>
  lookAtSlot(context.repository, {
    task: aTask("t", [], more),
    slot: treeOfSlot(requireSlot(existingStore(context.repository).read().state, id)),
    branch: lease.branch,
    base: lease.base,
    before: null,
    isCopied: () => false,
    commit: true,
  });

test("a folder that the agent replaced by a link is committed as what it is", async () => {
  const { all, slot } = await leased({ "d/a": "a", "d/b": "b" });
  const victim = tempFolder("victim");
  writeFiles(victim, { a: "outside", b: "b" });
  rmSync(join(slot.path, "d"), { recursive: true });
  symlinkSync(victim, join(slot.path, "d"));
  const { tip } = await look(all, slot);
  expect(all.repo.git("ls-tree", "-r", "--name-only", tip ?? "").split("\n")).toEqual(["README.md", "d"]);
  expect(git(slot.path, "status", "--porcelain")).toBe("");
});

test("a file that became a folder, and one that was staged and is gone", async () => {
  const { all, slot } = await leased({ f: "f", "d/a": "a" });
  rmSync(join(slot.path, "f"));
  rmSync(join(slot.path, "d"), { recursive: true });
  writeFiles(slot.path, { "f/inner": "i", d: "now a file", staged: "s" });
  git(slot.path, "add", "staged");
  rmSync(join(slot.path, "staged"));
  const { tip } = await look(all, slot);
  expect(all.repo.git("ls-tree", "-r", "--name-only", tip ?? "").split("\n")).toEqual(["README.md", "d", "f/inner"]);
});

test("a killed git's index.lock does not stop it", async () => {
  const { all, slot } = await leased({});
  writeFileSync(join(slot.path, "new"), "n");
  writeFileSync(join(all.repo.dir, ".git/worktrees/wt-1/index.lock"), "");
  const { tip } = await look(all, slot);
  expect(all.repo.git("show", `${tip}:new`)).toBe("n");
});

test("files whose names are no UTF-8 are committed under those names", async () => {
  const { all, slot } = await leased({});
  writeFileSync(Buffer.concat([Buffer.from(`${slot.path}/n`), Buffer.from([0xe9, 0xff])]), "odd");
  const { tip } = await look(all, slot);
  expect(all.repo.git("ls-tree", "-r", "--name-only", tip ?? "").split("\n")).toContain('"n\\351\\377"');
});
