import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { openRoom } from "../../../src/checkout/index.ts";
import { pruneQa, verifyCommit } from "../../../src/qa/index.ts";
import { identityOf, livenessOf } from "../../../src/subprocess/index.ts";
import { atEnd, WITH_DEPENDENCY } from "../../fixtures/index.ts";
import { qaLab } from "./lab.ts";

/** Digest of every file below a folder, git's objects and graftwork's own state left out. */
function digestOf(dir: string): string {
  const hash = createHash("sha256");
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || path.includes("/.git/objects/") || path.includes("/.git/graftwork/")) continue;
    hash.update(`${path}\0`).update(readFileSync(path));
  }
  return hash.digest("hex");
}

describe("what checks see", () => {
  test("holds no secret of the environment, the home folder or the user's npm settings", async () => {
    const look = "env; cat ~/.npmrc ~/secret 2>&1; npm config ls -l; npm config get //registry.example.invalid/:_authToken";
    const lab = await qaLab({
      files: WITH_DEPENDENCY,
      checks: [`test -z "$(ls -A "$HOME")" && test "$CI$NO_COLOR$ALLOWED" = 1yes && { ${look}; } >> "$NOTES"; test -e a.txt`],
      settings: { env: ["ALLOWED"] },
      env: {
        API_TOKEN: "canary-1",
        npm_config__auth: "canary-2",
        XDG_CONFIG_HOME: "/canary-3",
        ALLOWED: "yes",
        NODE_OPTIONS: "--title=canary-4",
      },
    });
    writeFileSync(join(lab.repo.parent, ".npmrc"), "//registry.example.invalid/:_authToken=canary-5\n");
    writeFileSync(join(lab.repo.parent, "secret"), "canary-6\n");
    expect(await lab.judge(lab.work({ "a.txt": "a" }))).toMatchObject({ decision: "approved" });
    const seen = lab.notes();
    expect(seen).toContain("GRAFTWORK_TASK_ID=task-a");
    expect(seen.split("\n").filter((line) => line.includes("canary"))).toEqual([]);
  });

  test("lies below no hidden folder, in which many tools see nothing; the folder is gone at the end", async () => {
    const lab = await qaLab({ checks: ['pwd >> "$NOTES"'] });
    expect(await lab.judge(lab.work({ "a.txt": "a" }))).toMatchObject({ decision: "approved" });
    expect(lab.notes()).toMatch(/\.qa\/[^/]+\/1\/work\n$/);
    expect(lab.notes()).not.toMatch(/\/\./);
    expect(existsSync(`${lab.repo.dir}.qa`)).toBe(false);
  });

  test("lies in the cache folder where a node_modules is above the repository, or where that folder is not hidden", async () => {
    const checks = ['pwd >> "$NOTES"'];
    const above = await qaLab({ checks, env: ({ dir }) => ({ HOME: join(dir, "..", "..", `home-${basename(join(dir, ".."))}`) }) });
    mkdirSync(join(above.repo.parent, "node_modules"));
    await above.judge(above.work({ "a.txt": "a" }));
    expect(above.notes()).toMatch(/\/\.cache\/graftwork\/[0-9a-f]{16}\/qa\//);
    const named = await qaLab({ checks, env: ({ dir }) => ({ XDG_CACHE_HOME: `${dir}-cache` }) });
    await named.judge(named.work({ "a.txt": "a" }));
    expect(named.notes()).toContain("-cache/graftwork/");
  });

  test("is told apart by run, task and base", async () => {
    const lab = await qaLab({ checks: ['echo "$GRAFTWORK_RUN $GRAFTWORK_TASK_ID $GRAFTWORK_BASE" >> "$NOTES"'] });
    await lab.judge(lab.work({ "a.txt": "a" }));
    expect(lab.notes()).toBe(`shell task-a ${lab.repo.git("rev-parse", "main")}\n`);
  });

  test("has the variables of pool.env, and a verdict holds for their values", async () => {
    const lab = await qaLab({ checks: ['echo "$MODE" >> "$NOTES"'], setEnv: { MODE: "test" } });
    const commit = lab.work({ "a.txt": "a" });
    const first = await lab.judge(commit);
    expect(lab.notes()).toBe("test\n");
    const other = await verifyCommit(
      { ...lab.context, setEnv: { MODE: "other" } },
      { commit, base: lab.repo.git("rev-parse", "main"), label: "task-a", tasks: ["task-a"], earlier: [] },
    );
    expect(other).toMatchObject({ decision: "approved", install: "none" });
    expect(first.key).not.toBe(other.decision === "approved" ? other.key : "");
    expect(lab.notes()).toBe("test\nother\n");
  });

  test("is not what a project's npm settings would have run", async () => {
    const files = { ".npmrc": "script-shell=./own-shell\nnode-options=--title=own\n", "own-shell": "#!/bin/sh\necho own >> $NOTES\n" };
    const lab = await qaLab({ package: { scripts: { test: "echo options:$NODE_OPTIONS: >> $NOTES" } } });
    expect((await lab.judge(lab.work(files))).decision).toBe("approved");
    expect(lab.notes().replaceAll(" ", "")).toBe("options::\n");
  });
});

describe("what a verification leaves behind", () => {
  test("is nothing in the user's checkout, index, branches, HEAD or logs", async () => {
    const lab = await qaLab({ checks: ["echo changed > README.md; git commit -qam x; git branch other; test ! -e a.txt"] });
    const commit = lab.work({ "a.txt": "a" });
    lab.repo.commit({ "b.txt": "b" });
    writeFileSync(join(lab.repo.dir, "unsaved.txt"), "mine");
    lab.repo.git("status");
    const refs = lab.repo.git("for-each-ref");
    const before = digestOf(lab.repo.dir);
    expect((await lab.judge(commit)).decision).toBe("rejected");
    expect(digestOf(lab.repo.dir)).toBe(before);
    expect(lab.repo.git("for-each-ref")).toBe(refs);
    expect(lab.rooms()).toEqual([]);
  });

  test("is no process, not even one that left its group and its environment", async () => {
    const daemon = (marked: string) => `setsid ${marked} sh -c 'echo $$ >> "$0"; exec sleep 600' "$NOTES" >/dev/null 2>&1 &`;
    const both = 'until [ "$(wc -l < "$NOTES" 2>/dev/null || echo 0)" -ge 2 ]; do :; done';
    const lab = await qaLab({ checks: [`${daemon("")} ${daemon("env -i PATH=$PATH")} ${both}`] });
    expect((await lab.judge(lab.work({ "a.txt": "a" }))).decision).toBe("approved");
    const pids = lab.notes().trim().split("\n").map(Number);
    expect(pids).toHaveLength(2);
    expect(pids.map((pid) => livenessOf(identityOf(pid)))).toEqual(["dead", "dead"]);
  });

  test("is nothing after an interruption, which is an error and no verdict", async () => {
    const lab = await qaLab({ checks: ['echo started >> "$NOTES"; sleep 600'] });
    const abort = new AbortController();
    const commit = lab.work({ "a.txt": "a" });
    lab.repo.commit({ "b.txt": "b" });
    const judged = lab.judge(commit, { signal: abort.signal });
    await expect.poll(lab.notes, { timeout: 30_000 }).toBe("started\n");
    expect(lab.repo.git("for-each-ref", "refs/graftwork/qa/")).toContain("refs/graftwork/qa/shell/task-a.");
    abort.abort();
    await expect(judged).rejects.toMatchObject({ code: "INTERRUPTED", message: "The verification of task-a was stopped." });
    expect(lab.rooms()).toEqual([]);
    expect(lab.repo.git("for-each-ref", "refs/graftwork/")).toBe("");
    await expect(lab.judge(commit, { signal: abort.signal })).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});

test("a garbage collection that keeps nothing, in the middle of it, takes nothing away", async () => {
  const lab = await qaLab({
    checks: [
      'git -C "$REPO" reflog expire --expire=now --all && git -C "$REPO" gc --prune=now --quiet',
      "git fsck --full && git diff --quiet HEAD && cat a.txt b.txt",
    ],
  });
  const commit = lab.work({ "a.txt": "a" });
  lab.repo.commit({ "b.txt": "b" });
  const verdict = await lab.judge(commit);
  expect(verdict).toMatchObject({ decision: "approved" });
  // It was a real one: what nothing holds is gone, the merged tree too once the verdict is reached.
  lab.repo.git("gc", "--prune=now", "--quiet");
  expect(() => lab.repo.git("cat-file", "-e", verdict.tree)).toThrow("ended with");
});

test("a commit whose objects git has cleaned up is an error that says so, and no verdict", async () => {
  const lab = await qaLab({ checks: ["true"] });
  const base = lab.repo.git("rev-parse", "main");
  const gone = { label: "task-a", tasks: ["task-a"], earlier: [], base, commit: "1".repeat(40) };
  await expect(verifyCommit(lab.context, gone)).rejects.toMatchObject({
    code: "GIT_FAILED",
    message: expect.stringContaining("Objects of 1111"),
  });
  const commit = lab.work({ "a.txt": "only here" });
  const blob = lab.repo.git("rev-parse", `${commit}:a.txt`);
  unlinkSync(join(lab.repo.dir, ".git", "objects", blob.slice(0, 2), blob.slice(2)));
  await expect(lab.judge(commit)).rejects.toMatchObject({
    code: "GIT_FAILED",
    message: expect.stringContaining("are missing in the repository"),
  });
  expect(lab.repo.git("for-each-ref", "refs/graftwork/")).toBe("");
});

describe("verifications of killed processes", () => {
  const dead = { pid: 1, startTime: "another", bootId: "another boot", host: identityOf(process.pid).host };

  test("are swept before the next one: folder, ref, programs; those of live ones stay", async () => {
    const lab = await qaLab({ checks: ["true"] });
    const main = lab.repo.git("rev-parse", "main");
    const live = openRoom(lab.repository, (id) => `refs/graftwork/qa/shell/live.${id}`);
    atEnd(() => live.dispose());
    const left = openRoom(lab.repository, (id) => `refs/graftwork/qa/shell/left.${id}`);
    writeFileSync(join(left.path, "owner.json"), JSON.stringify({ process: dead, pin: left.pin }));
    for (const { pin } of [live, left]) lab.repo.git("update-ref", pin, main);
    expect((await lab.judge(lab.work({ "a.txt": "a" }))).decision).toBe("approved");
    expect(lab.rooms()).toEqual([live.id]);
    expect(lab.repo.git("for-each-ref", "--format=%(refname)", "refs/graftwork/")).toBe(live.pin);
  });

  test("remove no ref that is not of a verification, whatever they say", async () => {
    const lab = await qaLab();
    const room = openRoom(lab.repository, (id) => `refs/graftwork/qa/shell/x.${id}`);
    writeFileSync(join(room.path, "owner.json"), JSON.stringify({ process: dead, pin: "refs/heads/main" }));
    expect(await pruneQa(lab.repository, new Date())).toEqual([]);
    expect(lab.repo.git("rev-parse", "main")).toMatch(/^[0-9a-f]{40}$/);
    // Its owner cannot be asked after: it goes when it has been there for more than a week.
    expect(await pruneQa(lab.repository, new Date(Date.now() + 8 * 24 * 3_600_000))).toEqual([room.path]);
    expect(existsSync(room.path)).toBe(false);
  });
});

test("a full disk blocks, and says so", async (context) => {
  const probe = await qaLab();
  const disk = join(probe.repo.parent, "disk");
  mkdirSync(disk);
  const sh = (text: string) => spawnSync("/bin/sh", ["-c", `${text} "$0"`, disk]).status;
  if (sh("mount -t tmpfs -o size=4m tmpfs") !== 0) context.skip("no file system can be mounted here");
  atEnd(() => sh("umount"));
  const lab = await qaLab({ checks: ["test ! -e a.txt"], env: { XDG_CACHE_HOME: disk } });
  const failing = await lab.judge(lab.work({ "a.txt": "a" }, "small"));
  expect(failing.decision).toBe("blocked");
  expect(failing.reason).toContain("failed on a full disk");
  expect(await lab.judge(lab.work({ "big.txt": "x".repeat(6 * 1024 * 1024) }))).toMatchObject({
    decision: "blocked",
    reason: expect.stringContaining("The disk is full: "),
  });
  expect(lab.rooms()).toEqual([]);
});

test("no log, excerpt or verdict holds a value of the files that slots get copies of, or what looks like a key", async () => {
  const secret = "correct-horse-battery-7";
  const key = ["AKIA", "ABCDEFGHIJ234567"].join("");
  const lab = await qaLab({ checks: [`echo "password ${secret}"; echo "key ${key}"; exit 1`] });
  const context = { ...lab.context, secrets: [{ name: "DB_PASSWORD", value: secret }] };
  const [base, commit] = [lab.repo.git("rev-parse", "main"), lab.work({ a: "a\n" })];
  const verdict = await verifyCommit(context, {
    label: "task-a",
    tasks: ["task-a"],
    earlier: [],
    base,
    commit,
    onProgress: () => undefined,
  });
  const folder = join(lab.context.logs, "qa", "task-a");
  const logs = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  const said = [JSON.stringify(verdict.checks.map(({ excerpt }) => excerpt)), ...logs].join("\n");
  expect(said).toContain("password ***");
  for (const hidden of [secret, key]) expect(said).not.toContain(hidden);
});
