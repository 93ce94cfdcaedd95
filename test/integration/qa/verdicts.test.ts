import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { manifestWith, WITH_DEPENDENCY } from "../../fixtures/index.ts";
import { check, leave, qaLab } from "./lab.ts";

describe("a commit is approved", () => {
  test("where every check passes on it, installed and merged onto the base as it stands", async () => {
    const lab = await qaLab({
      files: WITH_DEPENDENCY,
      checks: [
        { name: "dependency", run: ["node", "-e", "process.exit(require('dep') === 42 ? 0 : 1)"] },
        { name: "both", run: "cat a.txt b.txt" },
      ],
    });
    const work = lab.work({ "a.txt": "a\n" });
    const base = lab.repo.commit({ "b.txt": "b\n" });
    const commit = await lab.merged(work);
    const verdict = await lab.judge(commit, { base });
    expect(verdict).toMatchObject({ decision: "approved", label: "task-a", commit, base, install: "fresh", reason: "2 checks passed" });
    expect(verdict.at).toBe("2026-02-03T04:05:06.000Z");
    expect(verdict.checks.map(({ name, state, exitCode, flaky }) => ({ name, state, exitCode, flaky }))).toEqual([
      { name: "dependency", state: "passed", exitCode: 0, flaky: false },
      { name: "both", state: "passed", exitCode: 0, flaky: false },
    ]);
    const { log } = check(verdict, "both");
    expect(log).toBe(join(lab.repo.parent, "logs", "qa", "task-a", "3-both.log"));
    expect(readFileSync(log ?? "", "utf8")).toBe("a\nb\n\nboth: exit code 0\n");
    expect(lab.rooms()).toEqual([]);
  });

  test("by the scripts of the base's package.json; one that is missing is skipped, which is not passed", async () => {
    const lab = await qaLab({ package: { scripts: { typecheck: "true", test: "test -e README.md", build: "true" } } });
    const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
    expect(verdict).toMatchObject({ decision: "approved", reason: "3 checks passed" });
    expect(verdict.checks.map(({ name, state }) => `${name} ${state}`)).toEqual([
      "typecheck passed",
      "lint skipped",
      "test passed",
      "build passed",
    ]);
    expect(check(verdict, "lint").excerpt).toBe("package.json of the base has no script `lint`");
  });

  test("without an install where there is no manifest", async () => {
    const lab = await qaLab({ checks: ["test -e a.txt"] });
    expect(await lab.judge(lab.work({ "a.txt": "a" }))).toMatchObject({ decision: "approved", install: "none" });
  });

  test("as the tree that would land: the commit's own where it contains the base", async () => {
    const lab = await qaLab({ checks: ["true"] });
    const commit = lab.work({ "a.txt": "a" });
    expect((await lab.judge(commit)).tree).toBe(lab.repo.git("rev-parse", `${commit}^{tree}`));
    const base = lab.repo.commit({ "b.txt": "b" });
    const merged = await lab.judge(commit, { base });
    expect(lab.repo.git("ls-tree", "--name-only", merged.tree).split("\n")).toEqual(["README.md", "a.txt", "b.txt"]);
  });

  test("with history for the checks that read it, and with one commit for those that do not", async () => {
    const count = 'test "$(git rev-list --count HEAD)" =';
    const lab = await qaLab({ checks: [{ run: `${count} 2 && git diff --quiet && git log "$GRAFTWORK_BASE.."`, history: true }] });
    const commit = lab.work({ "a.txt": "a" });
    expect((await lab.judge(commit)).decision).toBe("approved");
    const plain = await qaLab({ checks: [`${count} 1 && git diff --quiet`] });
    expect((await plain.judge(plain.work({ "a.txt": "a" }))).decision).toBe("approved");
  });
});

describe("a commit is rejected", () => {
  test("with the check that failed, its exit code and its last lines; later checks are not run", async () => {
    const fail = 'seq 1 200; echo "$PWD/src/a.js: \\033[31mbroken\\033[0m" >&2; exit 3';
    const lab = await qaLab({
      checks: [
        { name: "first", run: "true" },
        { name: "unit", run: `test ! -e a.txt || { ${fail}; }` },
        { name: "last", run: "echo ran >> $NOTES" },
      ],
    });
    const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
    expect(verdict).toMatchObject({ decision: "rejected", reason: "`unit` failed (exit code 3)" });
    expect(verdict.checks.map(({ name, state }) => `${name} ${state}`)).toEqual(["first passed", "unit failed", "last not-run"]);
    const { excerpt, exitCode } = check(verdict, "unit");
    expect(exitCode).toBe(3);
    expect(excerpt.split("\n").slice(-2)).toEqual(["200", "src/a.js: broken"]);
    expect(lab.notes()).toBe("");
    expect(lab.said.map((line) => line.split(" (")[0])).toEqual([
      "first: passed",
      "unit: failed",
      "first-again: passed",
      "unit-again: failed",
      "unit: failed twice, now on the base alone",
      "first-on-base: passed",
      "unit-on-base: passed",
    ]);
  });

  test("where it passes only thanks to a file that git ignores", async () => {
    const lab = await qaLab({ files: { ".gitignore": "local.json\n" }, checks: ["test ! -e needs-local || test -e local.json"] });
    leave(lab, { "local.json": "{}" });
    const verdict = await lab.judge(lab.work({ "needs-local": "" }));
    expect(verdict.decision).toBe("rejected");
  });

  test("where a dependency is only in the user's node_modules", async () => {
    const lab = await qaLab({ files: { ".gitignore": "node_modules/\n", "use.js": "" }, checks: ["node use.js"] });
    leave(lab, { "node_modules/phantom/index.js": "" });
    const verdict = await lab.judge(lab.work({ "use.js": "require('phantom');" }));
    expect(verdict.decision).toBe("rejected");
    expect(verdict.checks[0]?.excerpt).toContain("Cannot find module 'phantom'");
  });

  test("where the lock file does not fit the manifest", async () => {
    const lab = await qaLab({ files: WITH_DEPENDENCY, checks: ["true"] });
    const verdict = await lab.judge(lab.work(manifestWith({ dep: "file:dep", other: "1.0.0" })));
    expect(verdict.decision).toBe("rejected");
    expect(verdict.reason).toMatch(/^the dependencies cannot be installed as the lock file says: `npm ci .*` failed \(exit code 1\)$/);
    expect(verdict.checks.map(({ name, state }) => `${name} ${state}`)).toEqual(["install failed", "true not-run"]);
    expect(check(verdict, "install").excerpt).toContain("Missing: other@1.0.0 from lock file");
  });

  test("where a check runs longer than it may", async () => {
    const lab = await qaLab({ checks: [{ name: "slow", run: "test ! -e a.txt || sleep 600", timeout: 300 }] });
    const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
    expect(verdict).toMatchObject({ decision: "rejected", reason: "`slow` failed (timed out after 300 ms)" });
  });
});

describe("nothing is said about a commit (blocked)", () => {
  test("where no check is configured: work without one is never approved", async () => {
    const lab = await qaLab();
    const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
    expect(verdict.decision).toBe("blocked");
    expect(verdict.reason).toBe(
      "no check is configured, and work without one is never approved: set `qa.checks` in .claude/auto-context.yaml, or `verification` in the plan",
    );
  });

  test("if all checks are skipped; what npm init writes, and a comment, count as no script", async () => {
    const lab = await qaLab({ package: { scripts: { test: 'echo "Error: no test specified" && exit 1', build: "# vite build" } } });
    const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
    expect(verdict.decision).toBe("blocked");
    expect(verdict.checks.map((one) => one.state)).toEqual(["skipped", "skipped", "skipped", "skipped"]);
    expect(verdict.reason).toContain("no script `test`");
  });

  test("where the runner is only in the user's own node_modules, which `npx graftwork` puts on the PATH", async () => {
    const files = { ".gitignore": "node_modules/\n" };
    const lab = await qaLab({
      files,
      checks: ["runner"],
      env: ({ dir }) => ({ PATH: `${join(dir, "node_modules", ".bin")}:${process.env["PATH"]}` }),
    });
    leave(lab, { "node_modules/.bin/runner": "#!/bin/sh\nexit 0\n" });
    chmodSync(join(lab.repo.dir, "node_modules", ".bin", "runner"), 0o755);
    expect((await lab.judge(lab.work({ "a.txt": "a" }))).decision).toBe("blocked");
  });

  test("where the check fails on the base alone as well: no retry of the agent would help", async () => {
    const lab = await qaLab({ checks: ["test -e nowhere"] });
    const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
    expect(verdict.decision).toBe("blocked");
    expect(verdict.reason).toBe("`test -e nowhere` failed (exit code 1), and it fails on the base alone as well (exit code 1)");
  });

  test("where the work is the base, and the check fails", async () => {
    const lab = await qaLab({ checks: ["echo ran >> $NOTES; false"] });
    expect((await lab.judge(lab.repo.git("rev-parse", "main"))).decision).toBe("blocked");
    expect(lab.notes()).toBe("ran\nran\n");
  });

  test("where the base's own dependencies cannot be installed", async () => {
    const lab = await qaLab({ files: { ...WITH_DEPENDENCY, ...manifestWith({ dep: "file:dep", other: "1.0.0" }) }, checks: ["true"] });
    const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
    expect(verdict.decision).toBe("blocked");
    expect(verdict.reason).toContain("the dependencies of the base alone cannot be installed either");
  });

  test("where a node_modules folder lies above the folder of the checks", async () => {
    const lab = await qaLab({ checks: ["true"] });
    mkdirSync(join(lab.repo.parent, "node_modules"));
    const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
    expect(verdict.decision).toBe("blocked");
    expect(verdict.reason).toContain(`The folder ${join(lab.repo.parent, "node_modules")} lies above`);
  });

  test("where a check misses what a switched-off install script makes, with the line to add", async () => {
    const lock = { lockfileVersion: 3, packages: { "": {}, "node_modules/sqlite-fast": { hasInstallScript: true } } };
    const lab = await qaLab({
      files: { "package-lock.json": JSON.stringify(lock) },
      checks: [
        {
          name: "unit",
          run: "test ! -e a.txt || { echo 'Error: Could not locate the bindings file of node_modules/sqlite-fast'; exit 1; }",
        },
      ],
    });
    const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
    expect(verdict.decision).toBe("blocked");
    expect(verdict.reason).toContain('add `qa.allow_scripts: ["sqlite-fast"]`');
  });

  test("where the registry cannot be reached", async () => {
    const lock: { packages: Record<string, object> } = JSON.parse(WITH_DEPENDENCY["package-lock.json"] ?? "");
    lock.packages[""] = { name: "sample", version: "1.0.0", dependencies: { far: "1.0.0" } };
    lock.packages["node_modules/far"] = {
      version: "1.0.0",
      resolved: "http://127.0.0.1:1/far/-/far-1.0.0.tgz",
      integrity: `sha512-${"A".repeat(86)}==`,
    };
    const lab = await qaLab({ checks: ["true"], env: { npm_config_registry: "http://127.0.0.1:1/" } });
    const verdict = await lab.judge(lab.work({ ...manifestWith({ far: "1.0.0" }), "package-lock.json": JSON.stringify(lock) }));
    expect(verdict.decision).toBe("blocked");
    expect(verdict.reason).toContain("the dependencies could not be installed: `npm ci");
    expect(check(verdict, "install").excerpt).toContain("ECONNREFUSED");
  });
});

test("a check that relies on an earlier one is judged after it, in the second run and on the base too", async () => {
  const lab = await qaLab({ checks: ["mkdir dist && cp value dist/", "grep -q good dist/value"], files: { value: "good" } });
  const verdict = await lab.judge(lab.work({ value: "bad" }));
  expect(verdict).toMatchObject({ decision: "rejected", reason: "`grep -q good dist/value` failed (exit code 1)" });
});

test("install scripts run for the packages that the configuration names, and for no other", async () => {
  const script = (name: string) => ({
    [`${name}/package.json`]: JSON.stringify({ name, version: "1.0.0", scripts: { install: `echo ${name} > built` } }),
  });
  const files = {
    ...WITH_DEPENDENCY,
    ...script("dep"),
    ...script("other"),
    ...manifestWith({ dep: "file:dep", other: "file:other" }),
    "package-lock.json": JSON.stringify({
      name: "sample",
      version: "1.0.0",
      lockfileVersion: 3,
      packages: {
        "": { name: "sample", version: "1.0.0", dependencies: { dep: "file:dep", other: "file:other" } },
        dep: { version: "1.0.0", hasInstallScript: true },
        other: { version: "1.0.0", hasInstallScript: true },
        "node_modules/dep": { resolved: "dep", link: true },
        "node_modules/other": { resolved: "other", link: true },
      },
    }),
  };
  const lab = await qaLab({ files, checks: ["test -e dep/built && test ! -e other/built"], settings: { allowScripts: ["dep"] } });
  expect(await lab.judge(lab.work({ "a.txt": "a" }))).toMatchObject({ decision: "approved" });
  const off = await qaLab({ files, checks: ["test ! -e dep/built && test ! -e other/built"] });
  expect(await off.judge(off.work({ "a.txt": "a" }))).toMatchObject({ decision: "approved" });
});

test("a file with a line break in its name, a link and a program arrive as they are", async () => {
  const lab = await qaLab({ checks: ['test "$(cat "two\nlines")" = odd && test "$(readlink link)" = run.sh && ./run.sh'] });
  lab.repo.git("switch", "--quiet", "--create", "work");
  writeFileSync(join(lab.repo.dir, "run.sh"), "#!/bin/sh\nexit 0\n");
  lab.repo.git("config", "core.symlinks", "true");
  leave(lab, { "two\nlines": "odd\n" });
  const target = lab.repo.git("hash-object", "-w", "run.sh");
  leave(lab, { "link-text": "run.sh" });
  lab.repo.git("add", "two\nlines");
  lab.repo.git("update-index", "--add", "--cacheinfo", `100755,${target},run.sh`);
  writeFileSync(join(lab.repo.parent, "link-text"), "run.sh");
  const link = lab.repo.git("hash-object", "-w", join(lab.repo.parent, "link-text"));
  lab.repo.git("update-index", "--add", "--cacheinfo", `120000,${link},link`);
  lab.repo.git("commit", "--quiet", "-m", "odd ones");
  expect(await lab.judge(lab.repo.git("rev-parse", "work"))).toMatchObject({ decision: "approved" });
});
