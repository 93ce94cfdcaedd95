import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { acquireSlot, cleanupPool, initPool, listRescues, releaseSlot, restoreRescue } from "../../../src/pool/index.ts";
import { identityOf } from "../../../src/subprocess/index.ts";
import { tempFolder } from "../../fixtures/index.ts";
import { type FolderBytes, folderBytes, heldBytes } from "./folder-bytes.ts";
import { type Lab, lab } from "./lab.ts";
import { type Check, makeProject, UNSAVED } from "./unsaved-work.ts";

/** Every class of work that is in no branch. */
export const CLASSES: readonly string[] = Object.keys(UNSAVED);
const taskOf = (index: number): string => `task-${index}`;

/** A lease whose process is gone: the same process id, begun at another time. */
const GONE = { kind: "process" as const, name: "a run that was killed", process: { ...identityOf(process.pid), startTime: "1" } };

/** The verbs that clear a slot; `idle`: somebody worked in a slot that nobody had leased. */
const VERBS: Record<string, { idle?: true; destroy: (all: Lab, classes: readonly string[]) => Promise<unknown> }> = {
  release: { destroy: ({ context }, classes) => inTurn(classes, (_, index) => releaseSlot(context, { name: taskOf(index) })) },
  cleanup: { destroy: ({ context }) => cleanupPool(context, { force: false }) },
  reset: {
    destroy: async ({ context }) => {
      await cleanupPool(context, { force: false });
      await initPool(context, { size: 1 });
    },
  },
  "an acquire on a full pool, the owners gone": {
    destroy: ({ context }, classes) => inTurn(classes, (_, index) => acquireSlot(context, { task: `next-${index}` })),
  },
  "a smaller pool": { idle: true, destroy: ({ context }) => initPool(context, { size: 1 }) },
  "an acquire of slots that were idle": {
    idle: true,
    destroy: ({ context }, classes) => inTurn([...classes, ""], (_, index) => acquireSlot(context, { task: `next-${index}` })),
  },
};

/** One pool with a slot for each class, its work in it, then cleared by the verb; what was seen before and after. */
async function clearedBy(
  verb: string,
  classes: readonly string[],
): Promise<Lab & { slots: { name: string; id: string; before: FolderBytes; check: Check }[] }> {
  const { idle, destroy } = VERBS[verb] ?? { destroy: () => Promise.resolve() };
  const all = await lab({}, { setup: "none" });
  makeProject(all);
  // The first slot stays clean: a pool has at least one.
  const first = idle === true ? 2 : 1;
  await initPool(all.context, { size: classes.length + first - 1 });
  const slots = await inTurn(classes, async (name, index) => {
    const id = `wt-${index + first}`;
    const path = all.slot(id);
    if (idle !== true) await acquireSlot(all.as(GONE), { task: taskOf(index) });
    const check = UNSAVED[name]?.make(path, all.repo);
    if (check === undefined) throw new Error(name);
    return { name, id, before: folderBytes(path), check };
  });
  await destroy(all, classes);
  collectGarbage(all);
  return { ...all, slots };
}

/** Everything that no ref reaches goes, as it may at any moment; the stash is a log of its own, and stays. */
function collectGarbage({ repo }: Lab): void {
  const admin = join(repo.dir, ".git/worktrees");
  const worktrees = readdirSync(join(repo.dir, ".git")).includes("worktrees") ? readdirSync(admin) : [];
  for (const logs of ["HEAD", "refs/heads"]) rmSync(join(repo.dir, ".git/logs", logs), { recursive: true, force: true });
  for (const name of worktrees) rmSync(join(admin, name, "logs"), { recursive: true, force: true });
  repo.git("gc", "--quiet", "--prune=now");
}

async function inTurn<Item, Result>(items: readonly Item[], work: (item: Item, index: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const [index, item] of items.entries()) results.push(await work(item, index));
  return results;
}

export const VERB_NAMES: readonly string[] = Object.keys(VERBS);

/** The tests of one verb over these classes; unknown verbs have none. */
export function losesNothing(verb: string, classes: readonly string[]): void {
  describe(`${verb} loses nothing`, () => {
    let cleared: Awaited<ReturnType<typeof clearedBy>>;
    beforeAll(async () => {
      cleared = await clearedBy(verb, classes);
    }, 180_000);

    test.each(classes)("of %s", async (name) => {
      const { slots, context, repo } = cleared;
      const slot = slots.find((one) => one.name === name);
      if (slot === undefined) throw new Error(name);
      const rescues = (await listRescues(context)).filter(({ note }) => note.slot === slot.id);
      slot.check({ repo, note: rescues[0]?.note.trash.map((one) => ({ ...one })) });
      if (UNSAVED[name]?.inFiles !== true) return;
      expect(rescues).toHaveLength(1);
      const to = join(tempFolder("restored"), "out");
      await restoreRescue(context, rescues[0]?.id ?? "", to, "/");
      expect(heldBytes(folderBytes(to))).toEqual(heldBytes(slot.before));
    });
  });
}
