import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type CliResult, commitFiles, fakeAgent, git, runCli, startCli, tempFolder, tempRepo } from "../fixtures/index.ts";
import { mergeStage } from "./merge-stage.ts";
import { poolStage } from "./pool-stage.ts";

/** The first numbers are those of reproductions-merge.test.ts. */
test("11, 12, 16, and conformance 46, 47, 53: verified branches of busy slots land, the others are named, slots stay leased", async () => {
  const repo = tempRepo({
    files: { "a.txt": "1\n" },
    package: { scripts: { test: "node -e \"process.exit(require('fs').existsSync('bad.txt') ? 1 : 0)\"" } },
  });
  const pool = (...args: readonly string[]) => runCli(args, { cwd: repo.dir, program: "pool-manager" });
  await pool("init", "5");
  const slots = await Promise.all(
    ["good", "bad", "left", "right", "dirty"].map(async (task) => (await pool("acquire", task)).stdout.split("|")[1] ?? ""),
  );
  const [good = "", bad = "", left = "", right = "", dirty = ""] = slots;
  commitFiles(good, { "good.txt": "g\n" });
  commitFiles(bad, { "bad.txt": "b\n" });
  commitFiles(left, { "a.txt": "left\n" });
  commitFiles(right, { "a.txt": "right\n" });
  writeFileSync(join(dirty, "unsaved.txt"), "u\n");
  repo.git("switch", "-q", "-c", "feature");
  const merged = await pool("merge", "main");
  expect(merged.code).toBe(5);
  expect(merged.stdout).toContain("MERGE RESULTS\nStatus: SOME MERGES FAILED\n");
  const lines = merged.stdout.trimEnd().split("\n").slice(-2);
  const winner = lines[0]?.includes("auto/left") === true ? "auto/left" : "auto/right";
  expect(lines).toEqual([expect.stringMatching(/^Merged: /), expect.stringMatching(/^Failed: /)]);
  const loser = winner === "auto/left" ? "auto/right" : "auto/left";
  expect(lines[0]?.replace("Merged: ", "").split(", ").sort()).toEqual(["auto/good", winner].sort());
  for (const branch of ["auto/good", winner]) repo.git("merge-base", "--is-ancestor", branch, "main");
  expect(lines[1]?.replace("Failed: ", "").split(", ").sort()).toEqual(["auto/bad", "auto/dirty", loser].sort());
  expect(merged.stdout).toMatch(new RegExp(`^- ${loser}: conflict in a\\.txt with (?:left|right)$`, "m"));
  expect(merged.stdout).toContain("has unsaved work in 1 file: commit it first");
  expect(repo.git("branch", "--show-current")).toBe("feature");
  expect(repo.git("status", "--porcelain")).toBe("");
  expect((await pool("status")).stdout).toContain("Busy: 5");
});

test("without any check it refuses with both ways out; --no-verify is loud", async () => {
  const repo = tempRepo();
  const pool = (...args: readonly string[]) => runCli(args, { cwd: repo.dir, program: "pool-manager" });
  await pool("init", "1");
  commitFiles((await pool("acquire", "t")).stdout.split("|")[1] ?? "", { "t.txt": "t\n" });
  expect(await pool("merge")).toMatchObject({ code: 2, stderr: expect.stringMatching(/NO_CHECKS[\s\S]*qa\.checks[\s\S]*--no-verify/) });
  expect(await pool("merge", "--no-verify")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("Merged: auto/t\nFailed: none"),
    stderr: expect.stringContaining("WARNING: nothing is verified"),
  });
  expect(await pool("merge", "--no-verify")).toMatchObject({ code: 0 });
});

test("graftwork merge TASK: only what is named lands, as one commit with --strategy squash; an unknown name is said", async () => {
  const repo = tempRepo();
  const pool = (...args: readonly string[]) => runCli(args, { cwd: repo.dir, program: "pool-manager" });
  const merge = (...args: readonly string[]) => runCli(["merge", "--no-verify", ...args], { cwd: repo.dir });
  await pool("init", "2");
  for (const task of ["one", "two"]) commitFiles((await pool("acquire", task)).stdout.split("|")[1] ?? "", { [`${task}.txt`]: "x\n" });
  expect(await merge("three")).toMatchObject({ code: 1, stderr: expect.stringMatching(/SLOT_UNKNOWN[\s\S]*three/) });
  expect(await merge("two", "--strategy", "rebase")).toMatchObject({ code: 2, stderr: expect.stringContaining("squash") });
  expect(await merge("two", "--strategy", "squash")).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: auto/two\n") });
  expect(repo.git("log", "--format=%s", "-2", "main").split("\n")).toEqual(["two", "first"]);
  expect(repo.git("ls-tree", "--name-only", "main")).not.toContain("one.txt");
});

test("two targets wait for their checkouts: each command takes what was verified for that target", async () => {
  const { repo, pool } = await mergeStage({ t: { "a.txt": "t\n" } }, { files: { "a.txt": "0\n" } });
  const other = join(repo.parent, "other");
  repo.git("worktree", "add", "-q", "-b", "develop", other);
  commitFiles(other, { "unfinished.txt": "u\n" });
  for (const dir of [repo.dir, other]) writeFileSync(join(dir, "a.txt"), "mine\n");
  const first = await pool("merge", "main");
  expect(await pool("merge", "develop")).toMatchObject({ code: 5 });
  repo.git("checkout", "-q", "--", "a.txt");
  const command = /take it with: git -C \S+ (.*)$/m.exec(first.stdout)?.[1] ?? "";
  repo.git(...command.split(" "));
  expect(repo.git("ls-tree", "--name-only", "main", "a.txt", "unfinished.txt")).toBe("a.txt");
  expect(repo.git("show", "main:a.txt")).toBe("t");
});

test("what depends on a branch whose slot was given back unmerged is not merged, until that one is", async () => {
  const { repo, pool } = await mergeStage({ first: { "first.txt": "1\n" }, second: { "second.txt": "2\n" } });
  const plan = join(repo.parent, "plan.json");
  const tasks = [
    { id: "first", title: "1" },
    { id: "second", title: "2", depends_on: ["first"] },
  ];
  writeFileSync(plan, JSON.stringify({ version: 1, name: "p", verification: ["true"], tasks }));
  await pool("release", "first");
  const refused = { code: 4, stdout: expect.stringContaining("- auto/second: it depends on first, which is not merged") };
  expect(await pool("merge", "--plan", plan)).toMatchObject(refused);
  repo.git("merge", "-q", "--squash", "auto/first");
  repo.git("commit", "-qm", "first, in one");
  expect(await pool("merge", "--plan", plan)).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: auto/second") });
});

test("only a branch is a target: neither another commit nor another name of one", async () => {
  const { repo, pool } = await mergeStage({ t: { "t.txt": "t\n" } });
  repo.git("symbolic-ref", "refs/heads/trunk", "refs/heads/main");
  for (const name of ["main~0", "main^0", "main@{0}"])
    expect(await pool("merge", name)).toMatchObject({ code: 2, stderr: expect.stringContaining(`"${name}" is no branch`) });
  expect(await pool("merge", "trunk")).toMatchObject({ code: 2, stderr: expect.stringContaining("trunk is another name of main") });
  expect(repo.git("symbolic-ref", "refs/heads/trunk")).toBe("refs/heads/main");
});

test("a landing that git made is put right by the next merge, however it was cut off; a person's content is named and kept", async () => {
  const { repo, pool, as } = await mergeStage(
    { t: { ".gitattributes": "*.x text\n", "a.txt": "new\n", "b.txt": "new\n" } },
    { files: { "a.txt": "old\n", "b.txt": "old\n" } },
  );
  expect(await as({ GRAFTWORK_FAILPOINT: "spawn.git-merge=kill" }).pool("merge", "main")).toMatchObject({ signal: "SIGKILL" });
  const write = (path: string, text: string): void => writeFileSync(join(repo.dir, path), text);
  write(".gitattributes", "*.x text\n");
  write("a.txt", "ne");
  write("b.txt", "a person's\n");
  write(".git/index.lock", "");
  expect(await pool("merge", "main")).toMatchObject({
    code: 5,
    stderr: expect.stringMatching(/CHECKOUT_WAITS[\s\S]*the new one: b\.txt\./),
  });
  expect(readFileSync(join(repo.dir, "b.txt"), "utf8")).toBe("a person's\n");
  write("b.txt", "old\n");
  expect(await pool("merge", "main")).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: auto/t") });
  expect([repo.git("status", "--porcelain"), repo.git("show", "main:a.txt")]).toEqual(["", "new"]);
});

test.each(["merge", "squash"])(
  "what a %s brought is merged before; if a person reverted it, it is left out with what needs it",
  async (strategy) => {
    const { repo, pool } = await mergeStage({ t: { "a.txt": "t\n" }, u: { "u.txt": "u\n" } }, { files: { "a.txt": "0\n" } });
    const plan = join(repo.parent, "plan.json");
    writeFileSync(plan, JSON.stringify({ version: 1, name: "two", tasks: [{ id: "t" }, { id: "u", depends_on: ["t"] }] }));
    const merge = (...words: string[]): Promise<CliResult> => runCli(["merge", "--strategy", strategy, ...words], { cwd: repo.dir });
    expect(await merge("t")).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: auto/t") });
    expect(await merge("t")).toMatchObject({ code: 0, stdout: expect.stringContaining("- auto/t: merged before\nMerged: none") });
    repo.git("revert", "--no-edit", ...(strategy === "merge" ? ["-m", "1"] : []), "HEAD");
    const by = repo.git("rev-parse", "--short=12", "HEAD");
    const left = await merge("--plan", plan);
    expect(left).toMatchObject({ code: 4, stdout: expect.stringContaining(`\`git revert ${by}\``) });
    expect(left.stdout).toMatch(/auto\/u: it depends on t[^]*Merged: none/);
    expect([repo.git("show", "main:a.txt"), repo.git("rev-parse", "--short=12", "main"), (await pool("status")).code]).toEqual([
      "0",
      by,
      0,
    ]);
  },
);

test("what was picked in part and taken off again is left out, with the command that brings it back", async () => {
  const { repo, pool, slot } = await mergeStage({ t: { one: "1\n" } });
  commitFiles(slot("wt-1"), { two: "2\n" });
  repo.commit({ mine: "mine\n" });
  repo.git("cherry-pick", "auto/t~1");
  repo.git("revert", "--no-edit", "HEAD");
  const by = repo.git("rev-parse", "--short=12", "HEAD");
  expect(await runCli(["merge"], { cwd: repo.dir })).toMatchObject({ code: 4, stdout: expect.stringContaining(`\`git revert ${by}\``) });
  expect(() => repo.git("show", "main:one")).toThrow();
  repo.git("revert", "--no-edit", by);
  expect(await runCli(["merge"], { cwd: repo.dir })).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: auto/t") });
  expect((await pool("status")).code).toBe(0);
});

test("a target whose checkout's folder is gone waits, and says what to do about it", async () => {
  const { repo, pool } = await mergeStage({ t: { "t.txt": "t\n" } });
  repo.git("switch", "-q", "--detach");
  const other = join(repo.parent, "other");
  repo.git("worktree", "add", "-q", other, "main");
  rmSync(other, { recursive: true });
  expect(await pool("merge", "main")).toMatchObject({
    code: 5,
    stdout: expect.stringMatching(/the reverse of what the branch got[^]*git worktree prune/),
  });
  repo.git("worktree", "prune");
  expect(await pool("merge", "main")).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: auto/t") });
});

test("what the agent of a live run is at work on is left out and named with its run, until the run has ended", async () => {
  const flag = join(tempFolder("flag"), "go");
  const begun = `${flag}.begun`;
  const agent = fakeAgent({
    mine: [[{ write: "half.txt", text: "h\n" }, { commit: "half" }, { write: begun }, { waitFor: flag }, { exit: 1 }]],
  });
  const settings = { agents: { default: "fake", fake: { command: agent.command } }, qa: { checks: ["test -f README.md"] } };
  const { repo, pool, lease } = await poolStage(2, { files: { ".claude/auto-context.yaml": JSON.stringify(settings) } });
  commitFiles((await lease("by-hand")).path, { "done.txt": "d\n" });
  const plan = join(repo.parent, "plan.json");
  const tasks = [{ id: "mine", title: "m", retries: 0 }];
  writeFileSync(plan, JSON.stringify({ version: 1, name: "p", verification: ["test -f README.md"], tasks }));
  const running = startCli(["run", plan, "--yes"], { cwd: repo.dir });
  await expect.poll(() => existsSync(begun), { timeout: 30_000 }).toBe(true);
  const json = async (...args: readonly string[]) =>
    JSON.parse((await runCli(["merge", ...args, "--json"], { cwd: repo.dir })).stdout) as object;
  const left = [
    { branch: "auto/mine", run: expect.stringMatching(/./), reason: expect.stringMatching(/^run \S+ is at work on it: .*graftwork stop/) },
  ];
  expect(await json("--preview")).toMatchObject({ order: [{ branch: "auto/by-hand" }], left });
  expect(await json("--dry-run")).toMatchObject({ merged: [{ branch: "auto/by-hand" }], left });
  expect(await pool("merge")).toMatchObject({
    code: 4,
    stdout: expect.stringMatching(/^- auto\/mine: run \S+ is at work on it: [^]*Merged: auto\/by-hand\nFailed: auto\/mine\n/m),
  });
  expect(await json()).toMatchObject({ merged: [], failed: left });
  expect(repo.git("ls-tree", "--name-only", "main", "half.txt", "done.txt")).toBe("done.txt");
  writeFileSync(flag, "");
  await running.result;
});

test("what is committed after a squash lands as one commit of its own, again and again, beside the work of others", async () => {
  const lines = Array.from({ length: 20 }, (_, n) => `line ${n + 1}`);
  const text = (): string => `${lines.join("\n")}\n`;
  const { repo, slot } = await mergeStage({ f: { "f.txt": text() } }, { files: { "f.txt": "" } });
  const squash = (...args: readonly string[]): Promise<CliResult> => runCli(["merge", "--strategy", "squash", ...args], { cwd: repo.dir });
  expect(await squash()).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: auto/f") });
  for (const n of [15, 3, 9]) {
    lines[n - 1] = `changed ${n}`;
    commitFiles(slot("wt-1"), { "f.txt": text() });
    const before = repo.git("rev-parse", "main");
    expect(await squash("--dry-run")).toMatchObject({ code: 0, stdout: expect.stringContaining("Would merge: auto/f\n") });
    expect(await squash()).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: auto/f\n") });
    expect(repo.git("rev-parse", "main^")).toBe(before);
    expect(repo.git("diff", "--unified=0", "main^", "main").match(/^[-+]\w.*/gm)).toEqual([`-line ${n}`, `+changed ${n}`]);
    expect(await squash()).toMatchObject({ code: 0, stdout: expect.stringContaining("- auto/f: merged before\nMerged: none") });
    repo.commit({ [`other-${n}.txt`]: "o\n" });
  }
});

test("what failed says how to go on: where to resolve, what the check printed and its log, that the target has not moved", async () => {
  const { repo, pool, slot } = await mergeStage(
    { left: { "a.txt": "left\n" }, right: { "a.txt": "right\n" }, bad: { "bad.txt": "b\n" } },
    { files: { "a.txt": "0\n" }, checks: ["test ! -f bad.txt || { echo it is bad; exit 1; }"] },
  );
  const first = await pool("merge");
  expect(first.code).toBe(5);
  const next = `    in wt-2 (${slot("wt-2")}): \`git merge main\`, resolve it, \`git commit\`; then the same command again\n`;
  expect(first.stdout).toContain(`- auto/right: conflict in a.txt with left\n${next}`);
  const log = /^- auto\/bad: .*\n(?: {4}.*\n)*? {4}it is bad\n {4}log: (.*)$/m.exec(first.stdout)?.[1] ?? "";
  expect(readFileSync(log, "utf8")).toContain("it is bad");
  expect(first.stdout).toMatch(/\nMerged: auto\/left\nFailed: .*\n$/);
  const again = JSON.parse((await pool("merge", "--json")).stdout) as { failed: object[] };
  expect(again.failed).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ branch: "auto/right", next: expect.stringContaining("in wt-2 (") }),
      expect.objectContaining({ branch: "auto/bad", excerpt: expect.stringContaining("it is bad"), log: expect.stringMatching(/^\//) }),
    ]),
  );
  git(slot("wt-2"), "merge", "-q", "-X", "ours", "main");
  writeFileSync(join(repo.dir, "a.txt"), "mine\n");
  const waits = await pool("merge");
  expect(waits.stdout).toMatch(/^- auto\/right: .*; take it with: git -C .*\n {4}main has not moved: .*the same merge again$/m);
  repo.git("checkout", "-q", "--", "a.txt");
  expect(await pool("merge")).toMatchObject({ code: 4, stdout: expect.stringContaining("Merged: auto/right\nFailed: auto/bad\n") });
});
