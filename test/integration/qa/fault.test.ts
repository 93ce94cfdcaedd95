import { describe, expect, test } from "vitest";
import { type CheckEntry, checkOf } from "../../../src/domain/index.ts";
import { check, type QaLab, qaLab } from "./lab.ts";

const SCRIPT = "#!/bin/sh\nexit 0\n";

/** A lab whose base has `tool.sh` as a program. */
async function labWithTool(options: { own?: string; earlier?: string }): Promise<QaLab> {
  const { own, earlier } = options;
  const checks: CheckEntry[] = ["true", ...(own === undefined ? [] : [own]), ...(earlier === undefined ? [] : [earlier])];
  const lab = await qaLab({
    checks,
    ownChecks: own === undefined ? [] : [checkOf(own)],
    earlierChecks: earlier === undefined ? [] : [checkOf(earlier)],
  });
  lab.repo.commit({ "tool.sh": SCRIPT });
  lab.repo.git("update-index", "--chmod=+x", "tool.sh");
  lab.repo.git("commit", "--quiet", "-m", "program");
  lab.repo.git("checkout", "--quiet", "--", ".");
  return lab;
}

describe("a check that only the task brings", () => {
  test("is rejected without a look at the base, which cannot pass it before the work is done", async () => {
    const own = checkOf("test -e done.txt");
    const lab = await qaLab({ checks: ["true", "test -e done.txt"], ownChecks: [own] });
    expect(await lab.judge(lab.work({ "a.txt": "a" }))).toMatchObject({
      decision: "rejected",
      reason: "`test -e done.txt` failed (exit code 1)",
    });
    expect((await lab.judge(lab.work({ "done.txt": "" }, "done"))).decision).toBe("approved");
  });

  test.for(["./check.sh", '"$PWD/check.sh"', "./check.sh 2>/dev/null"])("is rejected if its script is missing: %s", async (own) => {
    const lab = await qaLab({ checks: ["true", own], ownChecks: [checkOf(own)] });
    const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
    expect(verdict.decision).toBe("rejected");
    expect(verdict.reason).toBe(`\`${own}\` has no program to run (exit code 127): the commit has no file check.sh`);
  });

  test("is rejected if its script is not executable", async () => {
    const lab = await qaLab({ checks: ["./check.sh"], ownChecks: [checkOf("./check.sh")] });
    const verdict = await lab.judge(lab.work({ "check.sh": SCRIPT }));
    expect(verdict.decision).toBe("rejected");
    expect(verdict.reason).toContain("(exit code 126): the commit does not make executable the file check.sh");
  });

  test("is rejected if the work takes away the tool of the base that it runs", async () => {
    const lab = await labWithTool({ own: "./tool.sh" });
    expect((await lab.judge(lab.work({ "a.txt": "a" }))).decision).toBe("approved");
    const verdict = await lab.judge(lab.work({ "tool.sh": null }, "away"));
    expect(verdict.decision).toBe("rejected");
    expect(verdict.reason).toContain("the commit has no file tool.sh, which it has on the base");
  });

  test.for([["no-such-tool --all"], ["sh -c 'cd / && no-such-tool'"]])(
    "is blocked if a program is missing on the PATH: %s",
    async ([own = ""]) => {
      const lab = await qaLab({ checks: ["true", own], ownChecks: [checkOf(own)] });
      const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
      expect(verdict).toMatchObject({ decision: "blocked" });
      expect(verdict.reason).toBe(`\`${own}\` has no program to run (exit code 127): no-such-tool was not found`);
    },
  );

  test("is blocked if its script is there, and the program that its first line names is not", async () => {
    const lab = await qaLab({ checks: ["chmod +x check.sh && ./check.sh"], ownChecks: [checkOf("chmod +x check.sh && ./check.sh")] });
    const verdict = await lab.judge(lab.work({ "check.sh": "#!/no/such/interpreter\n" }));
    expect(verdict).toMatchObject({ decision: "blocked", reason: expect.stringContaining("what runs check.sh was not found") });
  });

  test("is rejected if the dependencies of the base bring its program, and those of the work do not", async () => {
    const dep = {
      "dep/package.json": JSON.stringify({ name: "dep", version: "1.0.0", bin: { "dep-tool": "tool.js" } }),
      "dep/tool.js": "#!/usr/bin/env node\n",
    };
    const lab = await qaLab({
      files: { ...dep, "package.json": '{"dependencies":{"dep":"file:dep"}}' },
      checks: ["dep-tool"],
      ownChecks: [checkOf("dep-tool")],
    });
    expect(await lab.judge(lab.work({ "a.txt": "a" }, "with"))).toMatchObject({ decision: "approved" });
    const verdict = await lab.judge(lab.work({ "package.json": "{}" }));
    expect(verdict).toMatchObject({
      decision: "rejected",
      reason: expect.stringContaining("do not bring dep-tool, which it has on the base"),
    });
  });
});

describe("a check of a task that landed before", () => {
  test("is rejected if it passes on the base", async () => {
    const lab = await qaLab({ checks: ["true", "test ! -e bad"], earlierChecks: [checkOf("test ! -e bad")] });
    expect(await lab.judge(lab.work({ bad: "" }))).toMatchObject({ decision: "rejected", reason: "`test ! -e bad` failed (exit code 1)" });
  });

  test("is rejected if the work takes away the tool that it runs", async () => {
    const lab = await labWithTool({ earlier: "./tool.sh" });
    expect(await lab.judge(lab.work({ "tool.sh": null }))).toMatchObject({ decision: "rejected" });
  });

  test("is left out if it fails on the base alone too; what comes after it is judged in the same folder", async () => {
    const earlier = "echo made > made; test -e gone";
    const lab = await qaLab({ checks: ["true", earlier, "test -e made && test ! -e bad"], earlierChecks: [checkOf(earlier)] });
    const commit = lab.work({ "a.txt": "a" });
    const verdict = await lab.judge(commit);
    expect(verdict).toMatchObject({ decision: "approved", reason: `2 checks passed; \`${earlier}\` left out` });
    expect(verdict.checks.map(({ state, flaky }) => [state, flaky])).toEqual([
      ["passed", false],
      ["skipped", false],
      ["passed", false],
    ]);
    expect(check(verdict, earlier).excerpt).toBe("left out: it fails on the base alone already (exit code 1)");
    expect(lab.said).toContain(`${earlier}: left out, since it fails on the base alone (exit code 1)`);
    // The base may be mended, so the approval does not count again.
    expect((await lab.judge(commit)).install).toBe("none");
    expect(await lab.judge(lab.work({ bad: "" }, "bad"))).toMatchObject({ decision: "rejected" });
  });

  test("is left out too if its program is missing on the base alone as well", async () => {
    const lab = await qaLab({ checks: ["./gone.sh", "true"], earlierChecks: [checkOf("./gone.sh")] });
    expect(await lab.judge(lab.work({ "a.txt": "a" }))).toMatchObject({
      decision: "approved",
      reason: "1 check passed; `./gone.sh` left out",
    });
  });

  test("approves nothing by being left out", async () => {
    const lab = await qaLab({ checks: ["test -e gone"], earlierChecks: [checkOf("test -e gone")] });
    const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
    expect(verdict).toMatchObject({ decision: "blocked", reason: "no check ran: those there are fail on the base alone already" });
  });
});

describe("a check of all tasks", () => {
  test("is rejected if the work takes away the program that it runs, and the base has it", async () => {
    const lab = await qaLab({ files: { "tools/lint.sh": "#!/bin/sh\n" }, checks: ["test -e tools/lint.sh || tools/lint.sh"] });
    const verdict = await lab.judge(lab.work({ "tools/lint.sh": null }));
    expect(verdict.decision).toBe("rejected");
    expect(verdict.reason).toContain("which it has on the base");
  });

  test.for([
    ["text", "no-such-runner --all", "`no-such-runner --all` has no program to run (exit code 127): no-such-runner was not found"],
    ["argv", ["no-such-runner"], "`no-such-runner` has no program to run (could not be started: ENOENT): no-such-runner was not found"],
  ] as const)("is blocked if its program is missing (%s)", async ([, run, reason]) => {
    const lab = await qaLab({ checks: [{ run }] });
    expect(await lab.judge(lab.work({ "a.txt": "a" }))).toMatchObject({ decision: "blocked", reason });
  });

  test("is rejected if the work takes away its package script, which the reason names", async () => {
    const lab = await qaLab({ files: { "package.json": '{"scripts":{"test":"true"}}' }, checks: ["npm test"] });
    const verdict = await lab.judge(lab.work({ "package.json": "{}" }));
    expect(verdict).toMatchObject({ decision: "rejected", reason: "`npm test` failed (exit code 1): package.json has no script `test`" });
  });

  test("is blocked if neither the commit nor the base has its script", async () => {
    const lab = await qaLab({ checks: ["./check.sh"] });
    const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
    expect(verdict.decision).toBe("blocked");
    expect(verdict.reason).toContain("neither the commit nor the base can run check.sh");
  });
});

describe("a nested repository or a filter", () => {
  const addModule = (lab: QaLab, path: string): string => {
    lab.repo.git("update-index", "--add", "--cacheinfo", `160000,${lab.repo.git("rev-parse", "main")},${path}`);
    lab.repo.git("commit", "--quiet", "-m", "a submodule");
    return lab.repo.git("rev-parse", "HEAD");
  };

  test("is rejected if the work adds a submodule and the base has none", async () => {
    const lab = await qaLab({ checks: ["true"] });
    lab.repo.git("switch", "--quiet", "--create", "work");
    const verdict = await lab.judge(addModule(lab, "vendor/lib"));
    expect(verdict).toMatchObject({ decision: "rejected", install: "none" });
    expect(verdict.reason).toContain('adds the git repository "vendor/lib" as a submodule, and the base has none');
    expect(verdict.checks).toMatchObject([{ state: "not-run" }]);
  });

  test("is blocked if the base has a submodule too", async () => {
    const lab = await qaLab({ checks: ["true"] });
    const base = addModule(lab, "vendor/lib");
    const verdict = await lab.judge(addModule(lab, "vendor/other"), { base });
    expect(verdict).toMatchObject({ decision: "blocked" });
    expect(verdict.reason).toContain("The tree has 2 submodules: vendor/lib, vendor/other: ");
  });

  test.for(["secrets", "lfs"])("is rejected if the work brings the filter itself (%s)", async (filter) => {
    const lab = await qaLab({ checks: ["true"] });
    const verdict = await lab.judge(lab.work({ ".gitattributes": `*.bin filter=${filter}\n`, "x.bin": "x" }));
    expect(verdict).toMatchObject({ decision: "rejected" });
    expect(verdict.reason).toContain(`puts 1 file through the git filter \`${filter}\` ("x.bin" first), and the base has no such filter`);
  });

  test.for(["secrets", "lfs"])("is blocked if the base names the filter of these files (%s)", async (filter) => {
    const lab = await qaLab({ checks: ["true"], files: { ".gitattributes": `*.bin filter=${filter}\n*.txt -filter\n`, "a.txt": "a" } });
    expect((await lab.judge(lab.work({ "b.txt": "b" }, "plain"))).decision).toBe("approved");
    const verdict = await lab.judge(lab.work({ "deep/x.bin": "x" }));
    expect(verdict.decision).toBe("blocked");
    expect(verdict.reason).toContain(`The filter \`${filter}\` applies to 1 file of the tree, "deep/x.bin" first: `);
  });
});

describe("a manifest below the root", () => {
  const app = {
    "app/package.json": JSON.stringify({ name: "app", dependencies: { dep: "file:../lib" } }),
    "lib/package.json": JSON.stringify({ name: "dep", version: "1.0.0" }),
    "app/t.js": "require('dep')",
  };

  test("is named if the check that needs its dependencies fails", async () => {
    const lab = await qaLab({ files: app, checks: ["cd app && node t.js"] });
    const verdict = await lab.judge(lab.work({ "a.txt": "a" }));
    expect(verdict.decision).toBe("blocked");
    expect(verdict.reason).toContain("The dependencies of app/package.json were not installed: only those of the root are.");
  });

  test("is not named if the failure has nothing to do with it", async () => {
    const lab = await qaLab({ files: app, checks: ["test ! -e bad"] });
    expect(await lab.judge(lab.work({ bad: "" }))).toMatchObject({ decision: "rejected", reason: "`test ! -e bad` failed (exit code 1)" });
  });
});
