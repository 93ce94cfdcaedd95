import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { existingStore, initPool, requireSlot, type SlotRecord } from "../../../src/pool/index.ts";
import { handOn, keptFolders, keptStamp, keptUnchanged } from "../../../src/pool/kept-folders.ts";
import { tempFolder, writeFiles } from "../../fixtures/index.ts";
import { type Lab, lab, type SETTINGS } from "./lab.ts";

const MANIFEST = {
  name: "sample",
  version: "1.0.0",
  dependencies: { local: "file:./packed" },
};
const FILES = {
  ".gitignore": "node_modules/\n",
  ".npmrc": "install-links=true\n",
  "packed/package.json": '{"name":"local","version":"1.0.0","bin":"cli.js"}',
  "packed/cli.js": "#!/usr/bin/env node\n",
  "packed/lib/a.js": "a\n",
  "package.json": JSON.stringify(MANIFEST),
  "package-lock.json": JSON.stringify({
    name: "sample",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: {
      "": MANIFEST,
      "node_modules/local": { version: "1.0.0", resolved: "file:packed", bin: { local: "cli.js" } },
    },
  }),
};

type Installed = Lab & { path: string; record: () => SlotRecord };

/** One slot with a package installed in it. */
async function installed(settings: Partial<typeof SETTINGS> = {}): Promise<Installed> {
  const made = await lab({ files: FILES }, settings);
  await initPool(made.context, { size: 1 });
  const record = () => requireSlot(existingStore(made.context.repository).read().state, "wt-1");
  return { ...made, path: made.slot("wt-1"), record };
}

describe("a dependency folder is handed on as the install left it, or not at all", () => {
  const PACKAGE = "node_modules/local";
  // In this order, each on what the one before left.
  const CHANGES: readonly [what: string, change: (path: string) => void, unchanged: boolean][] = [
    ["nothing", () => undefined, true],
    ["a tool's cache written", (path) => writeFiles(path, { "node_modules/.cache/tool/a": "", "node_modules/.vite/b": "" }), true],
    ["files outside of it", (path) => writeFiles(path, { "src/a.js": "" }), true],
    ["a package's file edited in place", (path) => writeFileSync(join(path, PACKAGE, "lib/a.js"), "b\n"), false],
    [
      "the same with its times put back",
      (path) => {
        const { atime, mtime } = statSync(join(path, PACKAGE, "lib/a.js"));
        writeFileSync(join(path, PACKAGE, "lib/a.js"), "c\n");
        utimesSync(join(path, PACKAGE, "lib/a.js"), atime, mtime);
      },
      false,
    ],
    ["a file made executable", (path) => chmodSync(join(path, PACKAGE, "lib/a.js"), 0o755), false],
    ["a file added", (path) => writeFileSync(join(path, PACKAGE, "new.js"), ""), false],
    ["a file renamed", (path) => renameSync(join(path, PACKAGE, "new.js"), join(path, PACKAGE, "newer.js")), false],
    ["a file taken away", (path) => rmSync(join(path, PACKAGE, "newer.js")), false],
    ["a package added", (path) => writeFiles(path, { "node_modules/other/index.js": "" }), false],
    ["an empty folder added", (path) => mkdirSync(join(path, "node_modules/empty")), false],
    ["a folder like a cache in a package", (path) => writeFiles(path, { [`${PACKAGE}/.cache/a`]: "" }), false],
    [
      "a link among the programs replaced",
      (path) => {
        rmSync(join(path, "node_modules/.bin/local"));
        symlinkSync("../../evil.js", join(path, "node_modules/.bin/local"));
      },
      false,
    ],
    [
      "a link in its place",
      (path) => {
        renameSync(join(path, "node_modules"), join(path, "moved"));
        symlinkSync("moved", join(path, "node_modules"));
      },
      false,
    ],
  ];

  test("whatever a task did in it", async () => {
    const { context, path, record } = await installed();
    expect(existsSync(join(path, PACKAGE, "lib/a.js"))).toBe(true);
    let known = record();
    for (const [what, change, unchanged] of CHANGES) {
      change(path);
      expect([what, keptUnchanged(context, known)]).toEqual([what, unchanged]);
      known = { ...known, dependencies: { key: "k", stamp: null, kept: keptStamp(known, context.settings.keep) } };
    }
  });

  test("with what it was installed from, and without tools' caches", async () => {
    const { context, path, record } = await installed();
    writeFiles(path, { "node_modules/.cache/tool/a": "" });
    const { dependencies } = record();
    expect(await handOn(context, record(), record().head)).toEqual({ keep: ["/node_modules/"], dependencies });
    expect(existsSync(join(path, "node_modules/.cache"))).toBe(false);
    expect(keptUnchanged(context, record())).toBe(true);
    writeFileSync(join(path, PACKAGE, "lib/a.js"), "b\n");
    expect(await handOn(context, record(), record().head)).toEqual({ keep: [], dependencies: null });
  });

  test("one that no install of ours made is not handed on", async () => {
    const made = await lab({ files: { ".gitignore": "node_modules/\n" } });
    await initPool(made.context, { size: 1 });
    const record = requireSlot(existingStore(made.context.repository).read().state, "wt-1");
    writeFiles(made.slot("wt-1"), { "node_modules/x/index.js": "" });
    expect(await handOn(made.context, record, record.head)).toEqual({ keep: [], dependencies: null });
  });

  test("but where nobody would install it again it stays as it is", async () => {
    const { context, path, record } = await installed({ setup: "none" });
    writeFiles(path, { "node_modules/x/index.js": "", "node_modules/.cache/a": "" });
    expect((await handOn(context, record(), record().head)).keep).toEqual(["/node_modules/"]);
    expect(existsSync(join(path, "node_modules/.cache/a"))).toBe(true);
  });
});

describe("what stays in a slot", () => {
  const keep = ["/node_modules/", "/target/", "/packages/app/node_modules/"];

  test("are real folders without a tracked path; a cache may change", async () => {
    const { repo, context, path, record } = await installed({ keep });
    writeFiles(path, { "target/a": "" });
    expect(await keptFolders(context, record(), record().head)).toEqual(["/node_modules/", "/target/"]);
    expect((await handOn(context, record(), record().head)).keep).toEqual(["/node_modules/", "/target/"]);
    const commit = repo.commit({ "target/tracked": "", "packages/app/index.js": "" });
    mkdirSync(join(path, "packages/app/node_modules"), { recursive: true });
    expect(await keptFolders(context, record(), commit)).toEqual(["/node_modules/", "/packages/app/node_modules/"]);
    expect(await keptFolders(context, record(), record().head)).toContain("/target/");
  });

  test("but no file, and no link, wherever it leads", async () => {
    const { context, path, record } = await installed({ keep });
    writeFileSync(join(path, "target"), "");
    symlinkSync(tempFolder(), join(path, "packages"));
    rmSync(join(path, "node_modules"), { recursive: true });
    symlinkSync(tempFolder(), join(path, "node_modules"));
    expect(await keptFolders(context, record(), record().head)).toEqual([]);
  });
});
