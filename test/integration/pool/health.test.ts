import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Config } from "../../../src/domain/index.ts";
import {
  acquireSlot,
  existingStore,
  type FindingKind,
  initPool,
  poolHealth,
  processOwner,
  releaseSlot,
  type SlotRecord,
} from "../../../src/pool/index.ts";
import { withSlot } from "../../../src/pool/pool-state.ts";
import { writePoolView } from "../../../src/pool/view.ts";
import { identityOf } from "../../../src/subprocess/index.ts";
import { commitFiles, git, runCli } from "../../fixtures/index.ts";
import { type Lab, lab } from "./lab.ts";
import { startedIn } from "./processes.ts";

const DEAD = { ...identityOf(process.pid), startTime: "0" };
const UNSAVED = "unsaved work\n";

type Busy = Lab & { path: string; tip: string };

/** Two slots; `t` has the first one, with a commit and a file that is not committed. */
async function busyLab(settings: Partial<Config["pool"]> = {}): Promise<Busy> {
  const made = await lab({}, settings);
  await initPool(made.context, { size: 2 });
  const { path } = await acquireSlot(made.context, { task: "t" });
  const tip = commitFiles(path, { "committed.txt": "c\n" });
  writeFileSync(join(path, "unsaved.txt"), UNSAVED);
  return { ...made, path, tip };
}

/** Changes a slot's record, and the view with it, as another process does. */
async function record({ context }: Lab, id: string, change: Partial<SlotRecord>): Promise<void> {
  const operation = `a test ${Math.random()}`;
  const store = existingStore(context.repository);
  await store.commit(operation, (state) => withSlot(state, id, { operation, ...change }));
  writePoolView(context.repository, store);
}

const leaseIn = ({ context }: Lab) => existingStore(context.repository).read().state.slots[0]?.lease ?? expect.unreachable();

/** Texts of all files in all rescues, slots and the trash. */
function allTexts({ repo }: Lab): string[] {
  const below = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== ".git")
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
  const refs = repo.git("for-each-ref", "--format=%(refname)", "refs/graftwork/rescue").split("\n").filter(Boolean);
  const saved = refs.flatMap((ref) =>
    repo
      .git("ls-tree", "-r", "--format=%(objectname)", ref)
      .split("\n")
      .filter(Boolean)
      .map((oid) => `${repo.git("cat-file", "blob", oid)}\n`),
  );
  return [...below(`${repo.dir}.pool`), ...saved];
}

/** After whatever was repaired: the commit is in a ref, and the file somewhere. */
function expectNothingLost(all: Busy): void {
  expect(all.repo.git("for-each-ref", "--contains", all.tip)).not.toBe("");
  expect(allTexts(all)).toContain(UNSAVED);
}

type Ill = {
  make: (all: Busy) => void | Promise<void>;
  subject?: string | RegExp;
  /** What a person does who is told; absent: `--fix` repairs it. */
  byHand?: (all: Busy) => void | Promise<void>;
  /** What is to be seen after the repair, besides that nothing was lost. */
  after?: (all: Busy) => void;
};

const SLOT_ILLS: Partial<Record<FindingKind, Ill>> = {
  "half-done": { make: (all) => record(all, "wt-1", { status: "releasing", worker: DEAD }) },
  "owner-gone": {
    make: (all) => record(all, "wt-1", { lease: { ...leaseIn(all), owner: { kind: "process", name: "r", process: DEAD } } }),
    after: (all) => expect(all.repo.git("rev-parse", "auto/t")).toBe(all.tip),
  },
  "folder-replaced": {
    make: ({ path }) => {
      renameSync(path, `${path}-moved`);
      mkdirSync(path);
      writeFileSync(join(path, "of-a-stranger.txt"), "stranger\n");
    },
    after: (all) => expect(allTexts(all)).toContain("stranger\n"),
  },
  "slot-not-registered": { make: ({ repo }) => rmSync(join(repo.dir, ".git/worktrees/wt-1"), { recursive: true }) },
  "branch-missing": { make: ({ repo }) => void repo.git("update-ref", "-d", "refs/heads/auto/t") },
  "wrong-branch": {
    make: ({ path }) => void git(path, "checkout", "-q", "-b", "other"),
    byHand: ({ path }) => void git(path, "checkout", "-q", "auto/t"),
  },
  quarantined: { make: (all) => record(all, "wt-1", { status: "quarantined", lastError: "a full disk" }) },
  "slot-not-locked": { subject: "wt-2", make: ({ repo, slot }) => void repo.git("worktree", "unlock", slot("wt-2")) },
  "orphan-folder": {
    subject: /\/wt-7$/,
    make: ({ slot }) => {
      mkdirSync(slot("wt-7"));
      writeFileSync(join(slot("wt-7"), "precious.txt"), "precious\n");
    },
    after: (all) => expect(allTexts(all)).toContain("precious\n"),
  },
  "orphan-worktree": {
    subject: /\/by-hand$/,
    make: ({ repo, slot }) => void repo.git("worktree", "add", "-q", "--detach", slot("by-hand")),
    byHand: ({ repo, slot }) => void repo.git("worktree", "remove", slot("by-hand")),
  },
  "state-damaged": {
    subject: /\/graftwork\/pool$/,
    make: ({ context }) => {
      const folder = context.repository.layout.poolStore;
      truncateSync(join(folder, readdirSync(folder).sort().at(-1) ?? ""), 60);
    },
  },
};

async function expectFoundAndRepaired(kind: FindingKind, ill: Ill, all: Busy): Promise<void> {
  await ill.make(all);
  const found = await poolHealth(all.context, { fix: false });
  const subject = typeof ill.subject === "object" ? expect.stringMatching(ill.subject) : (ill.subject ?? "wt-1");
  expect(found).toMatchObject({ ok: false, findings: [{ kind, subject, repair: expect.stringMatching(/.{10}/), repaired: false }] });
  const fixed = await poolHealth(all.context, { fix: true });
  expect({ ok: fixed.ok, open: fixed.findings.filter((one) => !one.repaired).map((one) => one.kind) }).toEqual(
    ill.byHand === undefined ? { ok: true, open: [] } : { ok: false, open: [kind] },
  );
  expectNothingLost(all);
  await ill.byHand?.(all);
  expect(await poolHealth(all.context, { fix: false })).toMatchObject({ ok: true, slots: 2, findings: [] });
  expectNothingLost(all);
  ill.after?.(all);
}

describe("health finds each kind of trouble with slots, by itself, and puts it right", () => {
  test.each(Object.entries(SLOT_ILLS))("%s", async (kind, ill) => expectFoundAndRepaired(kind as FindingKind, ill, await busyLab()));

  test("folder-missing: the slot is made anew; the branch, and commits that no branch has, are kept", async () => {
    const all = await busyLab();
    git(all.path, "checkout", "-q", "--detach");
    const detached = commitFiles(all.path, { "detached.txt": "d\n" });
    rmSync(all.path, { recursive: true });
    expect(await poolHealth(all.context, { fix: false })).toMatchObject({
      ok: false,
      findings: [{ kind: "folder-missing", subject: "wt-1" }],
    });
    expect(await poolHealth(all.context, { fix: true })).toMatchObject({ ok: true });
    expect(await poolHealth(all.context, { fix: false })).toMatchObject({ ok: true, slots: 2, findings: [] });
    expect(all.repo.git("rev-parse", "auto/t")).toBe(all.tip);
    expect(all.repo.git("for-each-ref", "--contains", detached)).toContain("refs/graftwork/rescue/t/1");
  });

  test("slot-not-locked: a slot in use is named, and locked anew once its task is done", async () => {
    const all = await busyLab();
    all.repo.git("worktree", "unlock", all.path);
    expect(await poolHealth(all.context, { fix: true })).toMatchObject({
      ok: false,
      findings: [{ kind: "slot-not-locked", repaired: false }],
    });
    expect(readFileSync(join(all.path, "unsaved.txt"), "utf8")).toBe(UNSAVED);
    await releaseSlot(all.context, { name: "t" });
    expect(await poolHealth(all.context, { fix: true })).toMatchObject({ ok: true });
    expect(all.repo.git("worktree", "list", "--porcelain").match(/^locked /gm)).toHaveLength(2);
  });

  test("orphan-worktree: an entry whose folder is gone is forgotten, others of the user's are left alone", async () => {
    const all = await busyLab();
    for (const path of [all.slot("gone"), join(all.repo.parent, "elsewhere")]) {
      all.repo.git("worktree", "add", "-q", "--detach", path);
      rmSync(path, { recursive: true });
    }
    expect(await poolHealth(all.context, { fix: true })).toMatchObject({
      ok: true,
      findings: [{ kind: "orphan-worktree", repaired: true }],
    });
    expect(await poolHealth(all.context, { fix: false })).toMatchObject({ findings: [] });
    expect(all.repo.git("worktree", "list")).toContain("elsewhere");
  });

  test("orphan-process: what still runs for an idle slot is named by its number, and not ended", async () => {
    const all = await busyLab();
    const process = startedIn(all.repo.parent, { GRAFTWORK_SLOT_PATH: all.slot("wt-2") });
    const found = await poolHealth(all.context, { fix: true });
    expect(found).toMatchObject({
      ok: false,
      findings: [{ kind: "orphan-process", subject: "wt-2", repair: `kill ${process.pid}`, repaired: false }],
    });
    expect(process.isAlive()).toBe(true);
    await process.end();
    expect(await poolHealth(all.context, { fix: false })).toMatchObject({ ok: true, findings: [] });
  });

  test("state-damaged: where the record of a lease is lost, its slot is saved and cleared before anybody gets it", async () => {
    const all = await busyLab();
    const folder = all.context.repository.layout.poolStore;
    // The lease is in the newest two: as it was begun, and as it was given.
    for (const name of readdirSync(folder).sort().slice(-2)) truncateSync(join(folder, name), 60);
    expect(await poolHealth(all.context, { fix: true })).toMatchObject({ ok: true, slots: 2 });
    expect(git(all.path, "status", "--porcelain", "--ignored")).toBe("");
    expect(all.repo.git("show", "refs/graftwork/rescue/wt-1/1:unsaved.txt")).toBe(UNSAVED.trimEnd());
    expect(all.repo.git("rev-parse", "auto/t")).toBe(all.tip);
    expect(await poolHealth(all.context, { fix: false })).toMatchObject({ ok: true, findings: [] });
  });

  test("several at once: each is named, and one repair does for all", async () => {
    const all = await busyLab();
    for (const kind of ["owner-gone", "slot-not-locked", "orphan-folder"] as const) await SLOT_ILLS[kind]?.make(all);
    const found = await poolHealth(all.context, { fix: false });
    expect(found.findings.map(({ kind }) => kind).sort()).toEqual(["orphan-folder", "owner-gone", "slot-not-locked"]);
    expect(await poolHealth(all.context, { fix: true })).toMatchObject({ ok: true });
    expect(await poolHealth(all.context, { fix: false })).toMatchObject({ findings: [] });
    expectNothingLost(all);
  });
});

describe("health finds nothing", () => {
  test("in a fresh pool", async () => {
    const { context } = await lab();
    await initPool(context, { size: 3 });
    expect(await poolHealth(context, { fix: false })).toMatchObject({ ok: true, slots: 3, findings: [] });
  });

  test("in a pool that is in use: work of all kinds, programs, runs, rescues, the user's own doings", async () => {
    const all = await busyLab();
    await initPool(all.context, { size: 4 });
    git(all.path, "mv", "README.md", "moved.md");
    startedIn(all.path, { GRAFTWORK_SLOT_PATH: all.path });
    const run = await acquireSlot(all.as(processOwner("run"), "r"), { task: "of-a-run" });
    commitFiles(run.path, { "a.txt": "a\n" });
    const done = await acquireSlot(all.context, { task: "done" });
    writeFileSync(join(done.path, "left.txt"), "l\n");
    await releaseSlot(all.context, { name: "done" });
    all.repo.commit({ "of-the-user.txt": "u\n" });
    all.repo.git("branch", "auto/mine-by-hand");
    all.repo.git("config", "branch.main.description", "mine");
    all.repo.git("worktree", "add", "-q", "--detach", join(all.repo.parent, "elsewhere"));
    expect(await poolHealth(all.context, { fix: false })).toMatchObject({ ok: true, slots: 4, findings: [] });
  });

  test("in a pool that other processes use at that very moment", async () => {
    const { repo, context } = await lab();
    await initPool(context, { size: 3 });
    const pool = (...args: readonly string[]) => runCli(args, { cwd: repo.dir, program: "pool-manager" });
    let working = 2;
    const worker = async (name: string): Promise<void> => {
      for (let n = 0; n < 4; n++)
        for (const verb of ["acquire", "release"]) expect(await pool(verb, `${name}-${n}`)).toMatchObject({ code: 0 });
    };
    const workers = ["a", "b"].map((name) => worker(name).finally(() => working--));
    let looks = 0;
    for (; working > 0; looks++) expect((await poolHealth(context, { fix: false })).findings).toEqual([]);
    await Promise.all(workers);
    expect(looks).toBeGreaterThan(4);
  });
});
