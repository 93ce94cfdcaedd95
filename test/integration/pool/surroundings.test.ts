import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  acquireSlot,
  existingStore,
  type FindingKind,
  initPool,
  listRescues,
  type PoolContext,
  poolHealth,
  pruneRescues,
  releaseSlot,
} from "../../../src/pool/index.ts";
import { withSlot } from "../../../src/pool/pool-state.ts";
import { identityOf } from "../../../src/subprocess/index.ts";
import { git, type RepoOptions } from "../../fixtures/index.ts";
import { type Lab, lab } from "./lab.ts";
import { startedIn } from "./processes.ts";

const DAY = 24 * 3_600_000;

async function poolLab(size = 2, options: RepoOptions = {}, settings: Parameters<typeof lab>[1] = {}): Promise<Lab> {
  const made = await lab(options, settings);
  await initPool(made.context, { size });
  return made;
}

const health = ({ context }: Lab) => poolHealth(context, { fix: false });
const fix = ({ context }: Lab) => poolHealth(context, { fix: true });
const kindsOf = async (all: Lab): Promise<FindingKind[]> => (await health(all)).findings.map(({ kind }) => kind);
const HEALTHY = { ok: true, findings: [] };

/** Found with its subject and a repair; repaired by --fix; not found again. */
async function expectRepaired(all: Lab, kind: FindingKind, subject: string): Promise<void> {
  expect(await health(all)).toMatchObject({
    ok: false,
    findings: [{ kind, subject, repair: expect.stringMatching(/\w/), repaired: false }],
  });
  expect(await fix(all)).toMatchObject({ ok: true, findings: [{ kind, repaired: true }] });
  expect(await health(all)).toMatchObject(HEALTHY);
}

/** Found, and left to a person also with --fix. */
async function expectNamed(all: Lab, kind: FindingKind, subject: string, repair: RegExp): Promise<void> {
  for (const look of [health, fix, health])
    expect(await look(all)).toMatchObject({
      ok: false,
      findings: [{ kind, subject, repair: expect.stringMatching(repair), repaired: false }],
    });
}

function grownOld(path: string, ageMs: number): void {
  const at = (Date.now() - ageMs) / 1000;
  utimesSync(path, at, at);
}

describe("settings", () => {
  test("settings-planted: what changed while a task was at work is put back, a planted hook kept aside", async () => {
    const all = await poolLab();
    all.repo.git("config", "core.editor", "the users own");
    await acquireSlot(all.context, { task: "t" });
    all.repo.git("config", "core.editor", "planted");
    mkdirSync(join(all.repo.dir, ".git/hooks"), { recursive: true });
    writeFileSync(join(all.repo.dir, ".git/hooks/pre-commit"), "#!/bin/sh\nplanted\n");
    const found = await health(all);
    expect(found.findings.map(({ kind, subject }) => [kind, subject])).toEqual([
      ["settings-planted", "core.editor"],
      ["settings-planted", "pre-commit"],
    ]);
    expect(await fix(all)).toMatchObject({ ok: true });
    expect(await health(all)).toMatchObject(HEALTHY);
    expect(all.repo.git("config", "core.editor")).toBe("the users own");
    expect(existsSync(join(all.repo.dir, ".git/hooks/pre-commit"))).toBe(false);
    const [kept = ""] = readdirSync(join(all.repo.dir, ".git/graftwork/planted"));
    expect(readFileSync(join(all.repo.dir, ".git/graftwork/planted", kept), "utf8")).toContain("planted");
  });

  test("settings-planted: what a task planted before it deleted its own slot is put back when that is made anew", async () => {
    const all = await poolLab();
    const { path } = await acquireSlot(all.context, { task: "t" });
    all.repo.git("config", "core.editor", "planted");
    rmSync(path, { recursive: true });
    expect(await fix(all)).toMatchObject({ ok: true });
    expect(() => all.repo.git("config", "core.editor")).toThrow();
    expect(await health(all)).toMatchObject(HEALTHY);
  });

  test("what the user sets while no task is at work is the user's: not found, and not undone by --fix", async () => {
    const all = await poolLab();
    all.repo.git("config", "core.autocrlf", "input");
    expect(await fix(all)).toMatchObject(HEALTHY);
    expect(all.repo.git("config", "core.autocrlf")).toBe("input");
  });

  test.each(["before a task begins", "while nobody works"])("core-bare: set %s, it is found and put right for good", async (when) => {
    const all = await poolLab();
    git(join(all.repo.dir, ".git"), "config", "core.bare", "true");
    if (when !== "while nobody works") await acquireSlot(all.context, { task: "t" });
    await expectRepaired(all, "core-bare", "core.bare");
    expect(all.repo.git("status", "--porcelain")).toBe("");
  });
});

describe("space", () => {
  test("disk-low: named with what is needed", async () => {
    const all = await poolLab();
    const size = (sizeBytes: number) =>
      existingStore(all.context.repository).commit(`size ${sizeBytes}`, (state) => withSlot(state, "wt-1", { sizeBytes }));
    // Twice the largest slot has to be free: no disk has that.
    await size(2 ** 60);
    await expectNamed(all, "disk-low", `${all.repo.dir}.pool`, /free some space/);
    await size(4096);
    expect(await health(all)).toMatchObject(HEALTHY);
  });

  test("trash-large: named with the folder, and nothing is deleted", async () => {
    const all = await poolLab(1, {}, { rescueMaxFileBytes: 1000, trashMaxBytes: 2000 });
    const { path } = await acquireSlot(all.context, { task: "t" });
    writeFileSync(join(path, "large.bin"), "x".repeat(10_000));
    await releaseSlot(all.context, { name: "t" });
    const trash = `${all.repo.dir}.pool/trash`;
    await expectNamed(all, "trash-large", trash, /look through .*trash/);
    expect(readdirSync(trash, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith("large.bin"))).toHaveLength(1);
  });

  test("slots-inside: named, with the setting that moves them", async () => {
    const all = await poolLab(1, { files: { ".gitignore": "/pool/\n" } }, { dir: "pool" });
    await expectNamed(all, "slots-inside", join(all.repo.dir, "pool"), /pool\.dir/);
  });
});

describe("rescues", () => {
  /** A rescue of the task, made so many days ago. */
  async function rescued(all: Lab, task: string, days: number): Promise<void> {
    const then: PoolContext = { ...all.context, now: () => new Date(Date.now() - days * DAY) };
    const { path } = await acquireSlot(then, { task });
    writeFileSync(join(path, "unsaved.txt"), `${task}\n`);
    await releaseSlot(then, { name: task });
  }

  test("rescues-old: named, and kept until a person prunes; what is thirty days old or less stays then too", async () => {
    const all = await poolLab(1);
    await rescued(all, "old", 31);
    await rescued(all, "young", 29);
    await rescued(all, "new", 0);
    await expectNamed(all, "rescues-old", "rescues", /rescue prune/);
    expect((await health(all)).findings[0]?.text).toBe("1 rescue older than 30 days: old/1");
    expect(await pruneRescues(all.context)).toEqual({ rescues: ["old/1"], trash: [] });
    expect((await listRescues(all.context)).map(({ id }) => id)).toEqual(["young/1", "new/1"]);
    expect(all.repo.git("show", "refs/graftwork/rescue/young/1:unsaved.txt")).toBe("young");
    expect(await health(all)).toMatchObject(HEALTHY);
  });

  test("prune leaves a young piece of the trash, and takes one that is older than thirty days", async () => {
    const all = await poolLab(1, {}, { rescueMaxFileBytes: 1000 });
    const { path } = await acquireSlot(all.context, { task: "t" });
    writeFileSync(join(path, "large.bin"), "x".repeat(10_000));
    await releaseSlot(all.context, { name: "t" });
    expect((await pruneRescues(all.context)).trash).toEqual([]);
    const later: PoolContext = { ...all.context, now: () => new Date(Date.now() + 31 * DAY) };
    expect((await pruneRescues(later)).trash).toHaveLength(1);
    expect(readdirSync(`${all.repo.dir}.pool/trash`)).toEqual([]);
  });
});

describe("the user's state folder", () => {
  test("facts-changed: what graftwork did not write like that is named, and deleted; its own facts stay", async () => {
    const all = await poolLab();
    const { trusted } = all.context.repository.layout;
    expect(await health(all)).toMatchObject(HEALTHY);
    const facts = readdirSync(trusted).sort();
    mkdirSync(join(trusted, "verdicts"), { recursive: true });
    writeFileSync(join(trusted, "verdicts", `${"a".repeat(40)}.json`), "{}");
    await expectRepaired(all, "facts-changed", trusted);
    expect(
      readdirSync(trusted)
        .filter((name) => name !== "verdicts")
        .sort(),
    ).toEqual(facts.filter((name) => name !== "verdicts"));
  });

  test("state-folder: one that cannot be used is named", async () => {
    const all = await poolLab();
    const { trusted } = all.context.repository.layout;
    rmSync(trusted, { recursive: true });
    writeFileSync(trusted, "");
    await expectNamed(all, "state-folder", trusted, /XDG_STATE_HOME/);
  });
});

describe("what killed programs leave", () => {
  test("lock-left: an old lock in a slot that nobody works in is removed", async () => {
    const all = await poolLab();
    const lock = join(all.repo.dir, ".git/worktrees/wt-2/index.lock");
    writeFileSync(lock, "");
    grownOld(lock, 10 * 60_000);
    await expectRepaired(all, "lock-left", lock);
    expect(existsSync(lock)).toBe(false);
  });

  test("lock-left: an old lock of the user's checkout is named, and left to the user", async () => {
    const all = await poolLab();
    const lock = join(all.repo.dir, ".git/index.lock");
    writeFileSync(lock, "");
    grownOld(lock, 10 * 60_000);
    await expectNamed(all, "lock-left", lock, /see that no git is running/);
    expect(existsSync(lock)).toBe(true);
  });

  test("a young lock, and an old one in a slot in which a program runs, are somebody's", async () => {
    const all = await poolLab();
    const [young, used] = ["wt-1", "wt-2"].map((id) => join(all.repo.dir, `.git/worktrees/${id}/index.lock`)) as [string, string];
    for (const lock of [young, used]) writeFileSync(lock, "");
    grownOld(used, 10 * 60_000);
    const program = startedIn(all.slot("wt-2"), {});
    expect(await fix(all)).toMatchObject(HEALTHY);
    await program.end();
    expect(await kindsOf(all)).toEqual(["lock-left"]);
  });

  test("litter: temporary files of an hour ago are deleted, younger ones may be somebody's", async () => {
    const all = await poolLab();
    const { scratch } = all.context.repository.layout;
    mkdirSync(scratch, { recursive: true });
    const [old, young] = [join(scratch, "old-index"), join(scratch, "young-index")];
    for (const file of [old, young]) writeFileSync(file, "x");
    grownOld(old, 2 * 3_600_000);
    await expectRepaired(all, "litter", scratch);
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
  });

  test("litter: what a process left that was killed while it waited for another; who lives may be stopped for long", async () => {
    const all = await poolLab();
    const { adminMutex } = all.context.repository.layout;
    const [dead, alive] = [join(adminMutex, "inside.dead"), join(adminMutex, "inside.alive")];
    const self = identityOf(process.pid);
    writeFileSync(dead, JSON.stringify({ ...self, startTime: "0" }));
    writeFileSync(alive, JSON.stringify(self));
    for (const file of [dead, alive]) grownOld(file, 2 * 3_600_000);
    await expectRepaired(all, "litter", adminMutex);
    expect([existsSync(dead), existsSync(alive)]).toEqual([false, true]);
  });
});

describe("dependencies", () => {
  test("dependencies-stale: installed by --fix", async () => {
    const all = await poolLab(1, { package: {} });
    await existingStore(all.context.repository).commit("forget", (state) => withSlot(state, "wt-1", { dependencies: null }));
    await expectRepaired(all, "dependencies-stale", "wt-1");
    expect(existingStore(all.context.repository).read().state.slots[0]?.dependencies).not.toBeNull();
  });

  test("dependencies-stale: where they cannot be installed, the reason is named before and after", async () => {
    const all = await poolLab(1, { package: {}, commits: [{ files: { "package-lock.json": "no lockfile\n" } }] });
    await expectNamed(all, "dependencies-stale", "wt-1", /install them now/);
    expect((await health(all)).findings[0]?.text).toMatch(/wt-1: its dependencies are not those of its lockfile \(.+\)/);
  });
});

describe("what points to the pool", () => {
  test.each(["gone", "torn", "of another time"])("view-stale: a view that is %s is written again", async (how) => {
    const all = await poolLab();
    const view = join(all.repo.dir, ".claude/pool-state.json");
    const whole = readFileSync(view, "utf8");
    if (how === "gone") rmSync(view);
    else writeFileSync(view, how === "torn" ? whole.slice(0, 60) : whole.replace('"idle"', '"busy"'));
    await expectRepaired(all, "view-stale", view);
    expect(readFileSync(view, "utf8")).toBe(whole);
  });

  test("a release of a task that has no slot by now writes the view that a killed one did not come to write", async () => {
    const all = await poolLab();
    const view = join(all.repo.dir, ".claude/pool-state.json");
    const whole = readFileSync(view, "utf8");
    writeFileSync(view, whole.replace('"idle"', '"busy"'));
    await expect(releaseSlot(all.context, { name: "over" })).rejects.toMatchObject({ code: "SLOT_UNKNOWN" });
    expect(readFileSync(view, "utf8")).toBe(whole);
  });

  test("a release of a slot that is idle by now writes the view that a killed one did not come to write", async () => {
    const all = await poolLab(1);
    const view = join(all.repo.dir, ".claude/pool-state.json");
    await acquireSlot(all.context, { task: "t" });
    const busy = readFileSync(view, "utf8");
    await releaseSlot(all.context, { name: "wt-1" });
    writeFileSync(view, busy);
    expect(await releaseSlot(all.context, { name: "wt-1" })).toMatchObject({ wasIdle: true });
    expect(await health(all)).toMatchObject(HEALTHY);
  });

  test("the view of a lease that was renewed while a slot was looked for is not stale", async () => {
    const all = await poolLab(1);
    const then: PoolContext = { ...all.context, uptime: () => ({ bootId: "before", ms: 1 }) };
    await acquireSlot(then, { task: "t" });
    await expect(acquireSlot({ ...all.context, now: () => new Date(Date.now() + 1000) }, { task: "u" })).rejects.toMatchObject({
      code: "POOL_EXHAUSTED",
    });
    expect(await health(all)).toMatchObject(HEALTHY);
  });

  test("exclude-missing: added again, and what the user excludes stays", async () => {
    const all = await poolLab();
    const file = join(all.repo.dir, ".git/info/exclude");
    writeFileSync(file, "/of-the-user\n");
    expect(all.repo.git("status", "--porcelain")).not.toBe("");
    await expectRepaired(all, "exclude-missing", "info/exclude");
    expect(readFileSync(file, "utf8")).toMatch(/^\/of-the-user\n/);
    expect(all.repo.git("status", "--porcelain")).toBe("");
  });

  test.each(["gone", "a link to elsewhere"])("link-missing: .claude/worktree-pool that is %s leads to the slots again", async (how) => {
    const all = await poolLab();
    const link = join(all.repo.dir, ".claude/worktree-pool");
    rmSync(link);
    if (how !== "gone") symlinkSync(all.repo.parent, link);
    await expectRepaired(all, "link-missing", link);
    expect(readlinkSync(link)).toBe(`${all.repo.dir}.pool`);
  });

  test("a folder of the user's in the link's place is the user's", async () => {
    const all = await poolLab();
    const link = join(all.repo.dir, ".claude/worktree-pool");
    rmSync(link);
    mkdirSync(link);
    expect(await fix(all)).toMatchObject(HEALTHY);
    expect(statSync(link).isDirectory()).toBe(true);
  });
});
