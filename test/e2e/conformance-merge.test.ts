import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Files, fakeAgent, runCli, type TempRepo, tempRepo } from "../fixtures/index.ts";
import { closingLines, mergeStage, type Work } from "./merge-stage.ts";

const firstParents = (repo: TempRepo): string[] => repo.git("log", "--first-parent", "--reverse", "--format=%s", "main").split("\n");

type Task = { id: string; depends_on?: string[] };

/** A run of these tasks, whose agents do this work; what collides goes to a person at once. */
async function runTasks(work: Work, tasks: readonly Task[]) {
  const agent = fakeAgent(
    Object.fromEntries(
      Object.entries(work).map(([task, files]) => [
        task,
        [[...Object.entries(files).map(([write, text]) => ({ write, text: text ?? "" })), { commit: task }, { promise: "READY_FOR_QA" }]],
      ]),
    ),
  );
  const config = { agents: { default: "fake", fake: { command: agent.command } }, merge: { on_conflict: ["resolvers", "person"] } };
  const repo = tempRepo({ files: { "a.txt": "1\n", ".claude/auto-context.yaml": JSON.stringify(config) } });
  const plan = join(repo.parent, "plan.json");
  const titled = tasks.map((task) => ({ title: `do ${task.id}`, ...task }));
  writeFileSync(plan, JSON.stringify({ version: 1, name: "p", verification: ["test -f README.md"], tasks: titled }));
  return { repo, end: await runCli(["run", plan, "--yes", "--json"], { cwd: repo.dir }) };
}

describe("conformance: merge, order and conflicts", () => {
  test("40: a task lands after what it depends on, whatever the order of the plan and of the names", async () => {
    const { repo, end } = await runTasks({ t2: { "t2.txt": "2\n" }, t10: { "t10.txt": "10\n" }, t1: { "t1.txt": "1\n" } }, [
      { id: "t2", depends_on: ["t10"] },
      { id: "t10" },
      { id: "t1" },
    ]);
    expect(end.code).toBe(0);
    const order = firstParents(repo);
    const place = (task: string): number => order.indexOf(`Merge auto/${task}: do ${task}`);
    expect(place("t10")).toBeGreaterThan(0);
    expect(place("t2")).toBeGreaterThan(place("t10"));
    expect(place("t1")).toBeGreaterThan(0);
  });

  test("40: by hand a plan says the order of the slots' branches", async () => {
    const stage = await mergeStage({ t2: { "t2.txt": "2\n" }, t10: { "t10.txt": "10\n" }, t1: { "t1.txt": "1\n" } });
    const plan = join(stage.repo.parent, "plan.json");
    const tasks = [{ id: "t2", depends_on: ["t10"] }, { id: "t10" }, { id: "t1" }].map((task) => ({ title: task.id, ...task }));
    writeFileSync(plan, JSON.stringify({ version: 1, name: "p", verification: ["true"], tasks }));
    const merged = await stage.pool("merge", "main", "--plan", plan);
    expect(merged.code).toBe(0);
    expect(closingLines(stage, merged).merged).toHaveLength(3);
    const order = firstParents(stage.repo);
    expect(order.indexOf("Merge auto/t2: t2")).toBeGreaterThan(order.indexOf("Merge auto/t10: t10"));
  });

  test("41: a cycle: exit 2 with its tasks, nothing made", async () => {
    const { repo, end } = await runTasks({}, [
      { id: "a", depends_on: ["b"] },
      { id: "b", depends_on: ["a"] },
    ]);
    expect(end).toMatchObject({ code: 2 });
    expect(`${end.stdout}${end.stderr}`).toMatch(/a\b.*\bb\b.*\ba\b|b\b.*\ba\b.*\bb\b/);
    expect(repo.git("for-each-ref", "--format=%(refname)")).toBe("refs/heads/main");
    expect(repo.git("worktree", "list").split("\n")).toHaveLength(1);
    expect(repo.git("status", "--porcelain")).toBe("");
  });

  test("48, 49 and reproduction 31: a conflict: its packet, what depends on it waits and is named, the rest lands", async () => {
    const { repo, end } = await runTasks({ x: { "a.txt": "x\n" }, y: { "a.txt": "y\n" }, z: { "z.txt": "z\n" }, w: { "w.txt": "w\n" } }, [
      { id: "x" },
      { id: "y" },
      { id: "z" },
      { id: "w", depends_on: ["y", "x"] },
    ]);
    expect(end.code).toBe(5);
    const { run, tasks } = JSON.parse(end.stdout) as { run: string; tasks: { id: string; status: string; commit: string | null }[] };
    expect(tasks.map(({ id, status }) => [id, status])).toEqual([
      ["x", "done"],
      ["y", "conflict"],
      ["z", "done"],
      ["w", "pending"],
    ]);
    expect(repo.git("show", "main:a.txt")).toBe("x");
    expect(existsSync(join(repo.dir, ".git/MERGE_HEAD"))).toBe(false);
    const packet = JSON.parse(readFileSync(join(repo.dir, ".claude/conflicts", run, "y/packet.json"), "utf8"));
    const commit = tasks.find(({ id }) => id === "y")?.commit;
    expect(packet).toMatchObject({
      task: "y",
      branch: "auto/y",
      kind: "content",
      commits: { base: repo.git("rev-list", "--max-parents=0", "main"), ours: repo.git("rev-parse", "main"), theirs: commit },
      files: [{ path: "a.txt", hunks: [{ base: "1\n", ours: "x\n", theirs: "y\n" }] }],
      commands: expect.arrayContaining(["graftwork resolve y --theirs a.txt", "graftwork resolve y --done", "graftwork continue"]),
    });
    const again = await runCli(["continue"], { cwd: repo.dir });
    expect(again.stdout).toMatch(/^Needs a person: y: its work collides with x in a\.txt/m);
    expect(again.stdout).toMatch(/^Open: w: waits for y$/m);
  });

  test("51: a binary file and a lock file without its manifest are escalated where two branches changed them, never merged as text", async () => {
    const files = { "logo.bin": "\u0000one", "app/package-lock.json": '{\n  "version": "1"\n}\n' };
    const change = (n: string) => ({ "logo.bin": `\u0000${n}`, "app/package-lock.json": `{\n  "version": "${n}"\n}\n` });
    const stage = await mergeStage({ x: change("2"), y: change("3") }, { files });
    const merged = await stage.pool("merge", "main");
    expect(merged.code).toBe(5);
    const { merged: landed, failed } = closingLines(stage, merged);
    expect([...landed, ...failed].sort()).toEqual(["auto/x", "auto/y"]);
    expect(merged.stdout).toMatch(/^- auto\/[xy]: conflict in app\/package-lock\.json, logo\.bin with [xy]$/m);
    for (const path of Object.keys(files))
      expect(stage.repo.git("rev-parse", `main:${path}`)).toBe(stage.repo.git("rev-parse", `${landed[0]}:${path}`));
  });
});

const MANIFEST = '{\n  "name": "app",\n  "dependencies": {\n    "b": "1.0.0"\n  }\n}\n';
const MODULE = 'import { b } from "./b.mjs";\n\nexport const all = [b];\n';
/** What QA runs on each tree. */
const PARSED = "node -e \"JSON.parse(require('fs').readFileSync('app/package.json'))\" && node app/all.mjs";

const SETTINGS = '{\n  "limit": 10,\n  "name": "app"\n}\n';
const APP = {
  "app/package.json": MANIFEST,
  "app/all.mjs": MODULE,
  "app/settings.json": SETTINGS,
  ...Object.fromEntries(["a", "b", "c"].map((name) => [`app/${name}.mjs`, `export const ${name} = "${name}";\n`])),
};
const HELPERS = "export function first() {\n  return 1;\n}\n";
const SERVICE = "export class Service {\n  first() {\n    return this.name;\n  }\n}\n";
/** Fails where a function or a method is not whole. */
const CALL_ALL =
  'import * as helpers from "./helpers.mjs";\nimport { Service } from "./service.mjs";\n' +
  "for (const call of Object.values(helpers)) call();\n" +
  'for (const name of Object.getOwnPropertyNames(Service.prototype)) name === "constructor" || new Service()[name]();\n';
/** A dependency, a key and an import of its own, each where the other branch puts one too. */
const adds = (name: string): Files => ({
  "app/package.json": MANIFEST.replace('"1.0.0"', `"1.0.0",\n    "${name}": "1.0.0"`),
  "app/settings.json": SETTINGS.replace('"app"', `"app",\n  "${name}": true`),
  "app/all.mjs": MODULE.replace("\n\n", `\nimport { ${name} } from "./${name}.mjs";\n\n`),
});

describe("conformance: merge, what rules resolve", () => {
  test("50: imports, dependencies and keys that two branches add are all kept, and the checks run on the result", async () => {
    const stage = await mergeStage({ a: adds("a"), c: adds("c") }, { files: APP, checks: [PARSED] });
    const merged = await stage.pool("merge", "main");
    expect(merged).toMatchObject({ code: 0, stderr: expect.stringContaining("passed") });
    expect(closingLines(stage, merged)).toEqual({ merged: ["auto/a", "auto/c"], failed: [] });
    const at = (path: string): string => stage.repo.git("show", `main:app/${path}`);
    expect(JSON.parse(at("package.json"))).toMatchObject({ dependencies: { a: "1.0.0", b: "1.0.0", c: "1.0.0" } });
    expect(JSON.parse(at("settings.json"))).toEqual({ limit: 10, name: "app", a: true, c: true });
    for (const name of ["a", "b", "c"]) expect(at("all.mjs")).toContain(`import { ${name} } from "./${name}.mjs";\n`);
  });

  test("50: functions and methods that two branches add at one place are all kept, and the checks run on the result", async () => {
    const more = (name: string): Files => ({
      "app/helpers.mjs": `${HELPERS}\n/** What ${name} adds. */\nexport function ${name}() {\n  return first();\n}\n`,
      "app/service.mjs": SERVICE.replace(/}\n$/, `\n  ${name}() {\n    return this.name;\n  }\n}\n`),
    });
    const files = { "app/helpers.mjs": HELPERS, "app/service.mjs": SERVICE, "app/call-all.mjs": CALL_ALL };
    const stage = await mergeStage({ a: more("a"), c: more("c") }, { files, checks: ["node app/call-all.mjs"] });
    const merged = await stage.pool("merge", "main");
    expect(merged).toMatchObject({ code: 0, stderr: expect.stringContaining("passed") });
    expect(closingLines(stage, merged)).toEqual({ merged: ["auto/a", "auto/c"], failed: [] });
    const at = (path: string): string => stage.repo.git("show", `main:app/${path}`);
    for (const name of ["a", "c"]) {
      expect(at("helpers.mjs")).toContain(`/** What ${name} adds. */\nexport function ${name}() {\n  return first();\n}`);
      expect(at("service.mjs")).toContain(`\n\n  ${name}() {\n    return this.name;\n  }\n`);
    }
    expect(stage.repo.git("log", "-1", "--format=%B", "main")).toContain("Graftwork-Resolved: app/helpers.mjs (additions)");
  });

  test("50: one key that two branches give other values is escalated", async () => {
    const limit = (n: number): Files => ({ "app/settings.json": SETTINGS.replace("10", String(n)) });
    const stage = await mergeStage({ x: limit(20), y: limit(30) }, { files: APP, checks: [PARSED] });
    const merged = await stage.pool("merge", "main");
    expect(merged).toMatchObject({
      code: 5,
      stdout: expect.stringMatching(/^- auto\/[xy]: conflict in app\/settings\.json with [xy]$/m),
    });
    expect(closingLines(stage, merged).merged).toHaveLength(1);
  });

  test("52: what rules resolved and the checks reject does not land: the target stays at what was green", async () => {
    const noBoth = "node -e \"const s = JSON.parse(require('fs').readFileSync('app/settings.json')); process.exit(s.a && s.c ? 1 : 0)\"";
    const stage = await mergeStage({ a: adds("a"), c: adds("c") }, { files: APP, checks: [noBoth] });
    const merged = await stage.pool("merge", "main");
    expect(merged.code).toBe(4);
    const { merged: landed, failed } = closingLines(stage, merged);
    expect([landed.length, failed.length]).toEqual([1, 1]);
    expect(merged.stdout).toMatch(/^- auto\/[ac]: it passes alone and fails together with [ac]: /m);
    expect(stage.repo.git("rev-parse", "main^{tree}")).toBe(stage.repo.git("rev-parse", `${landed[0]}^{tree}`));
    expect(stage.repo.git("status", "--porcelain")).toBe("");
  });
});

describe("conformance: merge by hand", () => {
  test("43: an unsaved change where the merge writes: kept byte for byte, the target stays, nothing is called merged", async () => {
    const stage = await mergeStage({ x: { "README.md": "x\n" } });
    const before = stage.repo.git("rev-parse", "main");
    writeFileSync(join(stage.repo.dir, "README.md"), "mine, \r\nunsaved");
    const merged = await stage.pool("merge", "main");
    expect(merged.code).toBe(5);
    expect(closingLines(stage, merged)).toEqual({ merged: [], failed: ["auto/x"] });
    expect(merged.stdout).toMatch(/take it with: git -C .* merge --ff-only --no-overwrite-ignore [0-9a-f]{40}/);
    expect(readFileSync(join(stage.repo.dir, "README.md"), "utf8")).toBe("mine, \r\nunsaved");
    expect([stage.repo.git("rev-parse", "main"), stage.repo.git("status", "--porcelain")]).toEqual([before, " M README.md"]);
  });

  test("54: a second merge says that there is nothing to do and makes no commit", async () => {
    const stage = await mergeStage({ x: { "x.txt": "x\n" } });
    expect(await stage.pool("merge", "main")).toMatchObject({ code: 0 });
    const before = stage.repo.git("rev-parse", "main");
    const again = await stage.pool("merge", "main");
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("Status: NOTHING TO DO\n- auto/x: merged before\n") });
    expect(closingLines(stage, again)).toEqual({ merged: [], failed: [] });
    expect(stage.repo.git("rev-parse", "main")).toBe(before);
  });

  test("55: two merges at once: one waits or is refused, and each branch is merged once", async () => {
    const stage = await mergeStage({ x: { "x.txt": "x\n" }, y: { "y.txt": "y\n" } });
    const both = await Promise.all([stage.pool("merge", "main"), stage.pool("merge", "main")]);
    const done = both.filter(({ code }) => code === 0);
    expect(done.length).toBeGreaterThan(0);
    for (const refused of both.filter(({ code }) => code !== 0)) expect(refused).toMatchObject({ code: 3, stdout: "" });
    expect(done.flatMap((end) => closingLines(stage, end).merged).sort()).toEqual(["auto/x", "auto/y"]);
    expect(firstParents(stage.repo).slice(1).sort()).toEqual(["Merge auto/x: x", "Merge auto/y: y"]);
  });

  test("56: what the checks reject is not merged; --no-verify merges it, and says so", async () => {
    const stage = await mergeStage({ x: { "bad.txt": "b\n" } }, { checks: ["test ! -e bad.txt"] });
    const before = stage.repo.git("rev-parse", "main");
    const refused = await stage.pool("merge", "main");
    expect(refused.code).toBe(4);
    expect(closingLines(stage, refused)).toEqual({ merged: [], failed: ["auto/x"] });
    expect(stage.repo.git("rev-parse", "main")).toBe(before);
    const forced = await stage.pool("merge", "main", "--no-verify");
    expect(forced).toMatchObject({ code: 0, stderr: expect.stringContaining("WARNING: nothing is verified (--no-verify)") });
    expect(closingLines(stage, forced)).toEqual({ merged: ["auto/x"], failed: [] });
  });
});
