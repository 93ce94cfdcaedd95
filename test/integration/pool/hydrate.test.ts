import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Config } from "../../../src/domain/index.ts";
import { copiedPaths } from "../../../src/pool/copy-files.ts";
import { hydrate } from "../../../src/pool/hydrate.ts";
import { acquireSlot, existingStore, initPool, poolStatus, releaseSlot, requireSlot, type SlotRecord } from "../../../src/pool/index.ts";
import { type Files, git, tempFolder, writeFiles } from "../../fixtures/index.ts";
import { type Lab, lab } from "./lab.ts";

type Settings = Partial<Config["pool"]>;
type Ready = Lab & { notes: () => string[]; take: (task: string) => Promise<string>; record: () => SlotRecord };

/** One slot of a project with these files; `$NOTES` is a file that commands may write to. */
async function ready(settings: Settings, files: Files = {}): Promise<Ready> {
  const file = join(tempFolder("notes"), "notes");
  const made = await lab({ files: { ".gitignore": "/.venv/\n/made/\n.env\n", ...files } }, { env: { NOTES: file }, ...settings });
  return {
    ...made,
    notes: () => (existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : []),
    take: async (task) => (await acquireSlot(made.context, { task })).path,
    record: () => requireSlot(existingStore(made.context.repository).read().state, "wt-1"),
  };
}

describe("commands of the user's own", () => {
  test("run in the slot when it is made, and again when a manifest at its base is another", async () => {
    const setup = [["mkdir", "-p", ".venv"] as const, 'echo "$PWD $GRAFTWORK_SLOT" | tee -a "$NOTES" > .venv/made'];
    const { repo, context, notes, take, slot } = await ready({ setup, keep: ["/.venv/"] }, { "requirements.txt": "a\n" });
    await initPool(context, { size: 1 });
    const line = `${slot("wt-1")} wt-1`;
    expect(notes()).toEqual([line]);
    await take("a");
    await releaseSlot(context, { name: "a" });
    expect(notes()).toEqual([line]);
    repo.commit({ "other.txt": "" });
    await take("b");
    await releaseSlot(context, { name: "b" });
    expect(notes()).toEqual([line]);
    repo.commit({ "requirements.txt": "b\n" });
    await take("c");
    expect(notes()).toEqual([line, line]);
  });

  test("have the copied files, registry settings and pool.env, and nothing else of our environment", async () => {
    const made = await ready({ setup: ['cat .env >> "$NOTES"; env >> "$NOTES"'], copy: [".env"] });
    writeFiles(made.repo.dir, { ".env": "FROM_FILE=1\n" });
    const parentEnv = { ...made.context.repository.parentEnv, SECRET_TOKEN: "s", npm_config_registry: "https://registry.example.invalid/" };
    await initPool({ ...made.context, repository: { ...made.context.repository, parentEnv } }, { size: 1 });
    const names = made.notes().map((line) => line.split("=")[0]);
    expect(names).toEqual(expect.arrayContaining(["FROM_FILE", "NOTES", "GRAFTWORK_SLOT_PATH", "npm_config_registry", "PATH"]));
    expect(names).not.toContain("SECRET_TOKEN");
    expect(git(made.slot("wt-1"), "status", "--porcelain", "--ignored")).toBe("");
  });

  test("run for each task where they make what does not stay, which is nobody's work while it is unchanged", async () => {
    const setup = ['mkdir -p made/deep && echo one > made/deep/a && echo two > made/b && echo x >> tracked.txt && echo run >> "$NOTES"'];
    const { context, notes, take, slot, record } = await ready({ setup }, { "tracked.txt": "t\n" });
    await initPool(context, { size: 1 });
    expect(git(slot("wt-1"), "status", "--porcelain", "--ignored")).toBe("");
    const path = await take("a");
    expect(notes()).toEqual(["run", "run"]);
    expect(readFileSync(join(path, "made/deep/a"), "utf8")).toBe("one\n");
    writeFileSync(join(path, "made/b"), "changed\n");
    writeFileSync(join(path, "made/c"), "new\n");
    expect(copiedPaths(context, record(), ["made/deep/a", "made/b", "made/c"])).toEqual(["made/deep/a"]);
  });

  test.for<[what: string, setup: Config["pool"]["setup"], because: RegExp]>([
    ["fails", ["echo first", "echo told; echo said >&2; exit 3", "echo never"], /^`echo told.*` failed \(exit code 3\)\ntold\n+said$/],
    ["is missing", [["no-such-program", "x"]], /^`no-such-program x` could not be started \(ENOENT\)$/],
    ["is killed", ["kill -9 $$"], /failed \(ended by SIGKILL\)/],
  ])("one that %s keeps the slot from being handed out", async ([, setup, because]) => {
    const { repo, context, said, take, record } = await ready({ setup });
    await initPool(context, { size: 1 });
    expect(said.join("\n")).toContain("wt-1: not set up: ");
    await expect(take("a")).rejects.toMatchObject({ code: "SETUP_FAILED", because: expect.stringMatching(because) });
    expect((await poolStatus(context)).idle).toBe(1);
    expect(record().dependencies).toBe(null);
    expect(repo.git("branch", "--list", "auto/a")).toBe("");
  });
});

describe("an install by lockfile", () => {
  const manifest = { name: "sample", version: "1.0.0", dependencies: { local: "file:./packed" } };
  const files = {
    ".npmrc": "install-links=true\n",
    "packed/package.json": '{"name":"local","version":"1.0.0"}',
    "packed/a.js": "a\n",
    "package.json": JSON.stringify(manifest),
    "package-lock.json": JSON.stringify({
      name: "sample",
      version: "1.0.0",
      lockfileVersion: 3,
      requires: true,
      packages: { "": manifest, "node_modules/local": { version: "1.0.0", resolved: "file:packed" } },
    }),
  };

  test("is done again where it is not known to be whole, and nothing of what was changed is left", async () => {
    const { context, slot, record } = await ready({}, { ...files, ".gitignore": "node_modules/\n" });
    await initPool(context, { size: 1 });
    const inside = (name: string) => join(slot("wt-1"), "node_modules", name);
    writeFiles(slot("wt-1"), { "node_modules/local/a.js": "evil\n", "node_modules/planted/index.js": "" });
    expect(await hydrate(context, record())).toMatchObject({ dependencies: record().dependencies });
    expect(existsSync(inside("planted"))).toBe(true);
    const again = await hydrate(context, { ...record(), dependencies: null });
    expect(again.dependencies).toMatchObject({ key: record().dependencies?.key, kept: expect.any(String) });
    expect(readFileSync(inside("local/a.js"), "utf8")).toBe("a\n");
    expect(existsSync(inside("planted"))).toBe(false);
  });
});
