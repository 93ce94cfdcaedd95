import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lookAtSlot } from "../../../src/dispatch/look-at-slot.ts";
import { checkoutState } from "../../../src/dispatch/tripwire.ts";
import {
  acquireSlot,
  cleanupPool,
  existingStore,
  initPool,
  listRescues,
  poolHealth,
  poolStatus,
  releaseSlot,
  requireSlot,
  restoreRescue,
  treeOfSlot,
} from "../../../src/pool/index.ts";
import { git, hermeticEnv, tempFolder, writeFiles } from "../../fixtures/index.ts";
import { aTask } from "../../unit/run/simulation.ts";
import { type Lab, lab } from "./lab.ts";
import { ATTRIBUTES, type Canaries, canaries, type Place, WAYS } from "./planted.ts";

const FILES = { ".gitattributes": ATTRIBUTES, "a.txt": "a\n", "b.bin": "b\n", "c.md": "c\n", "d.cfg": "d\n" };
const CHANGED = {
  "a.txt": "changed\n",
  "b.bin": "changed\n",
  "c.md": "changed\n",
  "d.cfg": "changed\n",
  "new.txt": "new\n",
  "new.bin": "n\n",
};

type Battery = Lab & { canary: Canaries; place: Place; plant: () => void };

/** A pool of three with one lease that lives on: whatever is planted from here on was not the user's. */
async function battery(chosen: readonly string[]): Promise<Battery> {
  const all = await lab({ files: FILES, commits: [{ files: { "a.txt": "second\n", "b.bin": "second\n" } }] }, { setup: "none" });
  const canary = canaries();
  await initPool(all.context, { size: 3 });
  const keeper = await acquireSlot(all.context, { task: "keeper" });
  const common = join(all.repo.dir, ".git");
  const place = { common, slot: keeper.path, admin: join(common, "worktrees", keeper.id) };
  const plant = (): void => {
    for (const name of chosen) WAYS[name]?.(place, canary);
  };
  return { ...all, canary, place, plant };
}

const look = ({ context }: Lab, id: string, branch: string, base: string) =>
  lookAtSlot(context.repository, {
    task: aTask("t", [], {}),
    slot: treeOfSlot(requireSlot(existingStore(context.repository).read().state, id)),
    branch,
    base,
    before: null,
    isCopied: () => false,
    target: "main",
    secrets: [],
    commit: true,
    refsBefore: null,
    keepAt: "refs/graftwork/attempts/r/t/1",
  });

/** Every verb in an order in which each has something to do. */
const VERBS: Readonly<Record<string, (all: Battery) => Promise<unknown>>> = {
  status: ({ context }) => poolStatus(context),
  health: ({ context }) => poolHealth(context, { fix: false }),
  "init, larger": ({ context }) => initPool(context, { size: 4 }),
  "acquire at the base": ({ context }) => acquireSlot(context, { task: "same" }),
  "acquire at another base": ({ context }) => acquireSlot(context, { task: "moved", base: "HEAD~1" }),
  "a look at the user's checkout": async (all) => {
    writeFiles(all.repo.dir, CHANGED);
    expect((await checkoutState(all.context.repository)).size).toBeGreaterThan(3);
  },
  "a look at a slot, with a commit": async (all) => {
    const { id, path, lease } = await acquireSlot(all.context, { task: "same" });
    writeFiles(path, CHANGED);
    expect((await look(all, id, lease.branch, lease.base)).notes.join()).toContain("new.txt");
  },
  "release of dirty work": async ({ context, slot }) => {
    writeFiles(slot("wt-3"), CHANGED);
    expect((await releaseSlot(context, { name: "moved" })).rescue).toBeDefined();
  },
  "release of what is committed": ({ context }) => releaseSlot(context, { name: "same" }),
  "rescue list and restore": async ({ context }) => {
    const [rescue] = await listRescues(context);
    await restoreRescue(context, rescue?.id ?? "", join(tempFolder("restored"), "out"), "/");
  },
  "acquire of a dirty idle slot": async ({ context, slot }) => {
    for (const id of ["wt-2", "wt-3", "wt-4"]) writeFiles(slot(id), CHANGED);
    await acquireSlot(context, { task: "dirty" });
  },
  "init, smaller": ({ context }) => initPool(context, { size: 3 }),
  "health --fix of a slot whose folder is gone": async ({ context, slot }) => {
    rmSync(slot("wt-3"), { recursive: true });
    await poolHealth(context, { fix: true });
    expect(existsSync(join(slot("wt-3"), "a.txt"))).toBe(true);
  },
  cleanup: async ({ context, slot }) => {
    writeFiles(slot("wt-2"), CHANGED);
    await cleanupPool(context, { force: false });
  },
};

/** Ways that would hide others are in another group. */
const APART = [
  "core.hooksPath",
  "includeIf, nested",
  "include.path",
  "core.attributesFile",
  "diff.external",
  "config.worktree of the slot",
];
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  "settings and hooks": Object.keys(WAYS).filter((name) => !APART.includes(name)),
  "settings that hide those": Object.keys(WAYS).filter((name) => name !== "every hook" && name !== "info/attributes"),
};

describe.each(Object.entries(GROUPS))("planted while a lease is live: %s", (_, chosen) => {
  test("git itself runs many of them", async () => {
    const all = await battery(chosen);
    all.plant();
    writeFiles(all.place.slot, CHANGED);
    const run = (...args: string[]): void => void spawnSync("git", args, { cwd: all.place.slot, env: hermeticEnv(), input: "" });
    for (const args of [["status"], ["add", "--all"], ["commit", "-m", "x"], ["-c", "commit.gpgSign=false", "commit", "-m", "x"]])
      run(...args);
    for (const args of [["checkout", "--force", "--detach", "HEAD~1"], ["diff", "HEAD~1"], ["log", "-p", "-1"], ["fetch"]]) run(...args);
    const fired = all.canary.fired();
    expect(fired.length).toBeGreaterThan(8);
    for (const kind of [/fsmonitor/, /reference-transaction|pre-commit/, /clean/, /smudge|process/]) expect(fired.join()).toMatch(kind);
  });

  test("none of ours runs any, whatever the verb", async () => {
    const all = await battery(chosen);
    const fired: Record<string, string[]> = {};
    for (const [verb, act] of Object.entries(VERBS)) {
      all.plant();
      await act(all);
      const names = all.canary.fired();
      if (names.length > 0) fired[verb] = names;
    }
    expect(fired).toEqual({});
    // Each verb of the pool, once: two busy cores take a minute for it.
  }, 180_000);
});

describe("what an agent changes in the repository's settings", () => {
  test("is found, undone and said at release; what was planted is kept, and can run no more", async () => {
    const all = await battery(["every hook", "info/attributes", "filter.*.clean and smudge, diff.*.textconv"]);
    const config = readFileSync(join(all.place.common, "config"), "utf8");
    all.plant();
    all.repo.git("config", "core.bare", "true");
    await releaseSlot(all.context, { name: "keeper" });
    const said = all.said.join("\n");
    expect(said).toContain("put back: core.bare = true (was: false)");
    expect(said).toContain("put back: hook post-checkout was added");
    expect(said).toContain("put back: info/attributes was added");
    expect(said).toMatch(/put back: filter\.evil\.clean = .*evil-clean \(was: not set\)/);
    const kept = readdirSync(join(all.place.common, "graftwork/planted"));
    expect(kept.some((name) => name.startsWith("post-checkout."))).toBe(true);
    expect(kept.some((name) => name.startsWith("info-attributes."))).toBe(true);
    expect(existsSync(join(all.place.common, "hooks/post-checkout"))).toBe(false);
    expect(existsSync(join(all.place.common, "info/attributes"))).toBe(false);
    const settings = (text: string): string[] =>
      text
        .split("\n")
        .filter((line) => line.includes("="))
        .sort();
    expect(settings(readFileSync(join(all.place.common, "config"), "utf8"))).toEqual(settings(config));
  });

  test("stays where it is what `git push -u` and the like write", async () => {
    const all = await battery([]);
    all.repo.git("remote", "add", "origin", all.repo.parent);
    all.repo.git("config", "branch.auto/keeper.remote", "origin");
    all.repo.git("config", "branch.auto/keeper.merge", "refs/heads/keeper");
    all.repo.git("config", "push.default", "current");
    const config = readFileSync(join(all.place.common, "config"), "utf8");
    await releaseSlot(all.context, { name: "keeper" });
    expect(readFileSync(join(all.place.common, "config"), "utf8")).toBe(config);
    expect(all.said.filter((line) => line.includes("put back"))).toEqual([]);
  });
});

test("what the user sets while no slot is leased stays, and is what slots are written with", async () => {
  const { repo, context, said, slot } = await lab(
    { files: { ".gitattributes": "*.up filter=up\n", "a.up": "lower\n" } },
    { setup: "none" },
  );
  await initPool(context, { size: 1 });
  const hook = join(repo.dir, ".git/hooks/post-commit");
  writeFiles(join(repo.dir, ".git"), { "hooks/post-commit": "#!/bin/sh\n" });
  repo.git("config", "filter.up.smudge", "tr a-z A-Z");
  repo.git("config", "filter.up.clean", "tr A-Z a-z");
  repo.git("config", "core.hooksPath", ".husky");
  for (const task of ["one", "two"]) {
    await acquireSlot(context, { task });
    if (task === "two") {
      expect(readFileSync(join(slot("wt-1"), "b.up"), "utf8")).toBe("ANEW\n");
      appendFileSync(join(slot("wt-1"), "b.up"), "MORE\n");
      git(slot("wt-1"), "commit", "--quiet", "--all", "-m", "more");
      expect(repo.git("cat-file", "blob", "auto/two:b.up")).toBe("anew\nmore");
    }
    await releaseSlot(context, { name: task });
    repo.commit({ "b.up": "ANEW\n" });
  }
  expect(existsSync(hook)).toBe(true);
  expect(repo.git("config", "core.hooksPath")).toBe(".husky");
  expect(said.filter((line) => line.includes("put back"))).toEqual([]);
});

test("variables named GIT_* of our own environment change nothing", async () => {
  const all = await lab({}, { setup: "none" });
  const { program, fired } = canaries();
  const victim = tempFolder("victim");
  git(victim, "init", "-q");
  writeFileSync(join(victim, "precious"), "p");
  const evil = {
    GIT_DIR: join(victim, ".git"),
    GIT_WORK_TREE: victim,
    GIT_INDEX_FILE: join(victim, "index"),
    GIT_COMMON_DIR: join(victim, ".git"),
    GIT_OBJECT_DIRECTORY: join(victim, ".git/objects"),
    GIT_NAMESPACE: "other",
    GIT_PREFIX: "x/",
    GIT_SHALLOW_FILE: join(victim, "s"),
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "core.fsmonitor",
    GIT_CONFIG_VALUE_0: program("count"),
    GIT_EXEC_PATH: victim,
    GIT_CONFIG_PARAMETERS: `'core.fsmonitor'='${program("parameters")}'`,
    GIT_EXTERNAL_DIFF: program("diff"),
    GIT_CONFIG: victim,
    GIT_SSH_COMMAND: program("ssh"),
    GIT_EDITOR: program("editor"),
    GIT_PAGER: program("pager"),
    GIT_ASKPASS: program("askpass"),
    GIT_LITERAL_PATHSPECS: "1",
    GIT_ICASE_PATHSPECS: "1",
    GIT_TEMPLATE_DIR: victim,
    GIT_TRACE: join(victim, "trace"),
    GIT_DEFAULT_HASH: "sha256",
    GIT_CEILING_DIRECTORIES: "/",
    GIT_ATTR_SOURCE: "HEAD",
    GIT_REPLACE_REF_BASE: "refs/heads/",
  };
  const context = {
    ...all.context,
    repository: { ...all.context.repository, parentEnv: { ...all.context.repository.parentEnv, ...evil } },
  };
  await initPool(context, { size: 1 });
  const { path } = await acquireSlot(context, { task: "t" });
  writeFiles(path, CHANGED);
  const { rescue } = await releaseSlot(context, { name: "t" });
  expect(all.repo.git("show", `${rescue?.commit}:new.txt`)).toBe("new");
  expect(git(path, "status", "--porcelain", "--ignored")).toBe("");
  await cleanupPool(context, { force: false });
  expect(readdirSync(victim).sort()).toEqual([".git", "precious"]);
  expect(git(victim, "for-each-ref")).toBe("");
  expect(fired()).toEqual([]);
});
