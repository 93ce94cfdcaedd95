import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "../../fixtures/index.ts";
import { type Rig, runRig } from "./run-rig.ts";

// Made up from parts, so that no scanner takes this file for a leak.
const KEY = ["AKIA", "QZ7WMPLE4XKTN2RB"].join("");
const WORD = "correct-horse-9";

const cli = (rig: Rig, ...args: string[]) => runCli(args, { cwd: rig.repo.dir, env: { HOME: rig.repo.parent } });
const leaky = (script: string) => runRig({ agents: { a: script }, tasks: [{ id: "a", retries: 0 }] });

describe("what looks like a secret and is none, says a person", () => {
  test("lands with --done if the agent committed it", async () => {
    const rig = await leaky(`echo '${KEY}' > k.txt; commit key`);
    expect((await rig.run()).exit).toBe(5);
    expect(rig.task("a")).toMatchObject({ status: "conflict", personFor: "decision" });
    const shown = await cli(rig, "resolve", "a");
    expect(shown.stdout).toContain("k.txt (what looks like an AWS access key)");
    expect(shown.stdout).toContain("`graftwork resolve a --done` lets it in");
    expect((await cli(rig, "merge", "a")).stdout).toContain("`graftwork resolve a --done` lets it in");
    expect(await cli(rig, "resolve", "a", "--done")).toMatchObject({ code: 0 });
    expect((await rig.goOn()).exit).toBe(0);
    expect(rig.has("k.txt")).toBe(true);
    expect(rig.starts("a")).toBe(1);
  });

  test("lands with --done, said twice, if a person commits what the agent left uncommitted", async () => {
    const rig = await leaky(`echo m > m.txt; echo '${KEY}' > k.txt`);
    expect((await rig.run()).exit).toBe(5);
    expect(rig.task("a").lastError).toContain("k.txt (what looks like an AWS access key)");
    expect(rig.repo.git("log", "--all", "--format=%H", "--", "k.txt")).toBe("");
    expect(await cli(rig, "resolve", "a", "--done")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("nothing was committed on auto/a"),
    });
    const packet = JSON.parse(readFileSync(join(rig.task("a").packet ?? "", "packet.json"), "utf8")) as { commands: string[] };
    expect(packet.commands).toContain("graftwork resolve a --done");
    rig.repo.git("switch", "-q", "auto/a");
    rig.repo.commit({ "k.txt": KEY });
    rig.repo.git("switch", "-q", "main");
    expect(await cli(rig, "resolve", "a", "--done")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("from auto/a as the work of a"),
    });
    // Nobody has seen the branch as a whole yet.
    expect((await rig.goOn()).exit).toBe(5);
    expect([rig.has("k.txt"), rig.task("a").personFor]).toEqual([false, "decision"]);
    expect(await cli(rig, "resolve", "a", "--done")).toMatchObject({ code: 0 });
    expect((await rig.goOn()).exit).toBe(0);
    expect(rig.has("k.txt")).toBe(true);
  });

  test("is known again at the next attempt only by the project's own text: the brief has nothing of the work", async () => {
    const rig = await leaky(
      `if [ "$GRAFTWORK_ATTEMPT" = 1 ]; then printf -- '-----BEGIN %s KEY-----\\nbody-of-it\\n' PRIVATE > k.pem; else echo ok > ok.txt; fi; commit work`,
    );
    expect((await rig.run()).exit).toBe(5);
    expect(await cli(rig, "resolve", "a", "--retry-agent")).toMatchObject({ code: 0 });
    expect(rig.task("a").rerun).toMatchObject({ from: rig.task("a").base, to: rig.task("a").base });
    expect((await rig.goOn()).exit).toBe(0);
    expect([rig.has("k.pem"), rig.has("ok.txt")]).toEqual([false, true]);
  });
});

test("an uncommitted change of a file that has a made-up key already is committed, and so are words of a copied file", async () => {
  const rig = await runRig({
    files: { "test.js": `const k = '${KEY}';\n`, ".gitignore": ".claude/\n.env\n" },
    agents: { a: `sed -i "s/'/\\"/g" test.js; echo 'images in development' > w.txt`, b: `echo ${WORD} > v.txt` },
    tasks: [
      { id: "a", retries: 0 },
      { id: "b", retries: 0 },
    ],
    settings: { pool: { copy: [".env"] } },
  });
  writeFileSync(join(rig.repo.dir, ".env"), `SECRET_MODE=development\nKEY_PREFIX=images\nDB_PASSWORD=${WORD}\n`);
  expect((await rig.run()).exit).toBe(5);
  expect([rig.has("w.txt"), rig.has("v.txt")]).toEqual([true, false]);
  expect(rig.task("b").lastError).toContain("v.txt (the value of DB_PASSWORD)");
  expect(rig.repo.git("show", "main:test.js")).toBe(`const k = "${KEY}";`);
});
