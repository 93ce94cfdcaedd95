import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, inject, test } from "vitest";
import { tempFolder } from "../fixtures/index.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = (path: string) => readFileSync(join(root, path), "utf8");

/** Lines that every run of the demo has, whatever its commits are called. */
const headings = (text: string) => text.split("\n").filter((line) => /^(== \d|\$ )/.test(line));

/** The demo as a newcomer starts it: with this machine's own home, where npm keeps what it has fetched. */
function runDemo(dir: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, "scripts/demo.mjs"), "--dir", dir, "--clean"], {
      cwd: root,
      env: { ...process.env, LC_ALL: "C.UTF-8" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

test("the demo lands all seven tasks, with everything that goes wrong on the way", { timeout: 240_000 }, async () => {
  expect(inject("buildError")).toBeNull();
  const dir = join(tempFolder("demo"), "kiosk demo");
  const { code, output } = await runDemo(dir);
  if (code !== 0) throw new Error(`the demo ended with ${code}:\n${output}`);
  for (const line of [
    /^Merged: offers, suggest, list, json, delivery, tip, cash-rounding$/m,
    /offers: QA rejected: .*; tried again/,
    /suggest: crashed: .*; tried again/,
    /tip: conflict in src\/steps\.js with delivery; its agent does it again on the new base/,
    /cash-rounding: conflict in src\/steps\.js with tip; a person is needed/,
    /^group_number: 2\nstatus: complete$/m,
    /^All seven tasks are in main and its tests pass, after \d+ s\.$/m,
  ])
    expect(output).toMatch(line);
  expect(existsSync(dir)).toBe(false);
  const unlike = (text: string) => headings(text.replaceAll(/kiosk-\d{8}-[a-z]{4}/g, "RUN"));
  // Another demo than the recorded one: node scripts/demo.mjs --record
  expect(unlike(output)).toEqual(unlike(page("docs/demo-output.txt")));
});

test("the recorded output names no place of the machine that recorded it", () => {
  expect(page("docs/demo-output.txt")).not.toMatch(/(?<![.\w-])\/(?:home|root|Users|work|var)\//);
});

test("the demo refuses a folder with something in it", async () => {
  const { code, output } = await runDemo(join(root, "templates"));
  expect([code, output]).toEqual([1, `demo: ${join(root, "templates")} is not empty: name a new folder\n`]);
});

test("the sample's lock file names no registry and a dozen packages at most", () => {
  const { packages }: { packages: Record<string, { resolved?: string }> } = JSON.parse(page("templates/sample/package-lock.json"));
  expect(Object.values(packages).filter((entry) => entry.resolved !== undefined)).toEqual([]);
  expect(Object.keys(packages).length - 1).toBeLessThanOrEqual(12);
});
