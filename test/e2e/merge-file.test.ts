import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type CliResult, runCli, tempFolder } from "../fixtures/index.ts";

type Given = { base: string | Buffer; ours: string | Buffer; theirs: string | Buffer };

async function mergeFile(given: Given, path: string, ...options: string[]): Promise<CliResult> {
  const folder = tempFolder("merge-file");
  for (const [name, content] of Object.entries(given)) writeFileSync(join(folder, name), content);
  return runCli(["merge-file", ...options, "base", "ours", "theirs", path], { cwd: folder });
}

const VERSIONS: Given = { base: '{\n  "v": "1.0.0"\n}', ours: '{\n  "v": "1.0.1"\n}', theirs: '{\n  "v": "1.0.2"\n}' };
const NEIGHBOURS: Given = { base: "a();\nb();\n", ours: "A();\nb();\n", theirs: "a();\nB();\n" };

test("a file that the rules prove: its bytes on stdout, nothing else", async () => {
  expect(await mergeFile(VERSIONS, "package.json")).toMatchObject({ code: 0, stdout: VERSIONS.theirs, stderr: "" });
  expect(await mergeFile(NEIGHBOURS, "a.ts", "--level", "assist")).toMatchObject({ code: 0, stdout: "A();\nB();\n" });
});

test("with --json: the text and what was done, hunk by hunk", async () => {
  const { code, stdout } = await mergeFile(VERSIONS, "package.json", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    ok: true,
    path: "package.json",
    level: "safe",
    text: VERSIONS.theirs,
    applied: [{ rule: "versions", at: { base: 1, ours: 1, theirs: 1 }, replaced: ['  "v": "1.0.1"\n'] }],
  });
});

test("a file that they do not prove: exit 1, the reason on stderr, nothing on stdout", async () => {
  const answer = await mergeFile(NEIGHBOURS, "a.ts");
  expect(answer).toMatchObject({ code: 1, stdout: "" });
  expect(answer.stderr).toContain("error[MERGE_DECLINED]: a.ts is not merged.");
  expect(answer.stderr).toContain("a conflict has no rule that fits (1 hunk)");
  const json = await mergeFile(NEIGHBOURS, "a.ts", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({
    ok: false,
    error: { code: "MERGE_DECLINED", exit: 1, details: { hunksLeft: [{ ours: 0 }] } },
  });
});

test("bytes that are no text are declined, not damaged", async () => {
  const latin1 = { ...NEIGHBOURS, ours: Buffer.from("caf\xe9();\nb();\n", "latin1") };
  expect(await mergeFile(latin1, "a.ts")).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("not text in UTF-8") });
});

test("bad input: exit 2", async () => {
  const level = await mergeFile(VERSIONS, "package.json", "--level", "most");
  expect(level).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no level "most".') });
  const folder = tempFolder("merge-file");
  const missing = await runCli(["merge-file", "base", "ours", "theirs", "a.ts"], { cwd: folder });
  expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining("base cannot be read.") });
  const aFolder = await runCli(["merge-file", ".", ".", ".", "a.ts"], { cwd: folder });
  expect(aFolder).toMatchObject({ code: 2, stderr: expect.stringContaining(". cannot be read.") });
  expect(await runCli(["merge-file", "base", "ours"], { cwd: folder })).toMatchObject({ code: 2 });
});
