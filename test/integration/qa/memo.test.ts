import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type QaLab, qaLab } from "./lab.ts";

const COUNTED = 'echo ran >> "$NOTES"';
const runs = (lab: QaLab): number => lab.notes().split("\n").filter(Boolean).length;
const remembered = (lab: QaLab): string[] => {
  const folder = join(lab.repository.layout.trusted, "verdicts");
  return readdirSync(folder).map((name) => join(folder, name));
};

describe("an approval", () => {
  test("is reused for the same tree and checks, whatever commit has it, and costs nothing", async () => {
    const lab = await qaLab({ checks: [COUNTED] });
    const first = await lab.judge(lab.work({ "a.txt": "a" }));
    lab.work({ "a.txt": "a", "README.md": "# sample\n" }, "same");
    lab.repo.git("switch", "--quiet", "same");
    const other = lab.repo.commit({}, "same tree, another commit");
    lab.repo.git("switch", "--quiet", "main");
    const again = await lab.judge(other, { label: "task-b" });
    expect(again).toEqual({ ...first, label: "task-b", commit: other, install: "reused-verdict" });
    expect(runs(lab)).toBe(1);
    expect(lab.said.at(-1)).toBe("the same tree passed the same checks before");
  });

  test("is not reused where the record of it is damaged", async () => {
    const lab = await qaLab({ checks: [COUNTED] });
    const commit = lab.work({ "a.txt": "a" });
    await lab.judge(commit);
    const [path = ""] = remembered(lab);
    const whole = readFileSync(path, "utf8");
    for (const [index, text] of [
      "",
      whole.slice(0, 80),
      whole.replace('"passed"', '"failed"'),
      whole.replace(/"tree":"./, '"tree":"0'),
    ].entries()) {
      writeFileSync(path, text);
      expect(await lab.judge(commit)).toMatchObject({ decision: "approved", install: "none" });
      expect(runs(lab)).toBe(index + 2);
    }
  });

  test("is not reused where checks, what they see, or the install policy are others", async () => {
    const lab = await qaLab({ checks: [COUNTED], settings: { env: ["STAGE"] }, env: { STAGE: "one" } });
    const commit = lab.work({ "a.txt": "a" });
    await lab.judge(commit);
    const { context } = lab;
    const more = { name: "more", run: `${COUNTED}; true`, timeoutMs: 60_000, history: false };
    context.checksFor = () => [{ check: more, skip: null, standing: "shared" }];
    await lab.judge(commit);
    context.repository = { ...context.repository, parentEnv: { ...context.repository.parentEnv, STAGE: "two" } };
    await lab.judge(commit);
    context.settings = { ...context.settings, allowScripts: ["x"] };
    await lab.judge(commit);
    expect(runs(lab)).toBe(4);
    expect((await lab.judge(commit)).install).toBe("reused-verdict");
  });

  test("holds for its label alone if a check, or a file of the tree, reads it", async () => {
    const suite = `${COUNTED}; if [ "$GRAFTWORK_TASK_ID" = train ]; then test ! -e bad; fi`;
    const lab = await qaLab({ checks: [suite] });
    const commit = lab.work({ bad: "" });
    expect((await lab.judge(commit)).decision).toBe("approved");
    expect((await lab.judge(commit, { label: "train" })).decision).toBe("rejected");
    expect((await lab.judge(commit)).install).toBe("reused-verdict");

    const inFile = await qaLab({ files: { "suite.sh": suite }, checks: ["sh suite.sh"] });
    const other = inFile.work({ bad: "" });
    expect((await inFile.judge(other)).decision).toBe("approved");
    expect((await inFile.judge(other, { label: "train" })).decision).toBe("rejected");
  });

  test("holds for its base alone, which checks see", async () => {
    const lab = await qaLab({ checks: [COUNTED] });
    const commit = lab.work({ "a.txt": "a" });
    await lab.judge(commit);
    expect((await lab.judge(commit, { base: commit })).install).toBe("none");
  });

  test("of a check that reads history holds for the commit alone", async () => {
    const lab = await qaLab({ checks: [{ run: COUNTED, history: true }] });
    const commit = lab.work({ "a.txt": "a" });
    await lab.judge(commit);
    expect((await lab.judge(commit)).install).toBe("reused-verdict");
    lab.repo.git("switch", "--quiet", "work");
    expect((await lab.judge(lab.repo.commit({}, "same tree"))).install).toBe("none");
    expect(runs(lab)).toBe(2);
  });
});

test("a check that fails once and passes in a new folder is flaky: said, and not remembered", async () => {
  const moody = 'test ! -e left && echo > left && echo ran >> "$NOTES" && test "$(wc -l < "$NOTES")" -ne 1';
  const lab = await qaLab({ checks: [{ name: "moody", run: moody }, "test -e left"] });
  const commit = lab.work({ "a.txt": "a" });
  const verdict = await lab.judge(commit);
  expect(verdict).toMatchObject({ decision: "approved", reason: "2 checks passed, `moody` only when run again" });
  expect(verdict.checks).toMatchObject([
    { name: "moody", state: "passed", exitCode: 0, flaky: true },
    { name: "test -e left", flaky: false },
  ]);
  expect(await lab.judge(commit)).toMatchObject({ install: "none", checks: [{ flaky: false }, {}] });
  expect(runs(lab)).toBe(3);
});

test("a rejection is not remembered, and that the base passes is", async () => {
  const lab = await qaLab({ checks: ['echo ran >> "$NOTES"; test ! -e bad'] });
  const commit = lab.work({ bad: "" });
  expect((await lab.judge(commit)).decision).toBe("rejected");
  expect(runs(lab)).toBe(3);
  expect((await lab.judge(commit)).decision).toBe("rejected");
  expect(runs(lab)).toBe(5);
  expect(readdirSync(join(lab.repo.parent, "logs", "qa", "task-a")).length).toBe(10);
});
