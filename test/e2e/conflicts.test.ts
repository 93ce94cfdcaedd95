import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commitFiles, type Files, fakeAgent, projectWith, runCli, type TempRepo, tempFolder, tempRepo } from "../fixtures/index.ts";

type Stage = {
  repo: TempRepo;
  graftwork: (args: readonly string[], cwd?: string) => ReturnType<typeof runCli>;
  /** The object that a command prints with `--json`. */
  json: (args: readonly string[]) => Promise<Record<string, unknown>>;
  slots: Readonly<Record<string, string>>;
};

/** A repository with a slot for each task, leased one after another. */
async function stage(...tasks: readonly string[]): Promise<Stage> {
  return stageWith({ "a.txt": "1\n2\n3\n", "src/b.txt": "b\n" }, ...tasks);
}

async function stageWith(files: Files, ...tasks: readonly string[]): Promise<Stage> {
  const repo = tempRepo({ files });
  const graftwork: Stage["graftwork"] = (args, cwd = repo.dir) => runCli(args, { cwd });
  await graftwork(["pool", "init", String(tasks.length)]);
  const slots: Record<string, string> = {};
  for (const task of tasks) slots[task] = (await graftwork(["pool", "acquire", task])).stdout.split("|")[1] ?? "";
  return {
    repo,
    graftwork,
    slots,
    json: async (args) => JSON.parse((await graftwork([...args, "--json"])).stdout) as Record<string, unknown>,
  };
}

const stateOf = (repo: TempRepo): string[] => [
  repo.git("for-each-ref"),
  repo.git("count-objects", "-v"),
  repo.git("status", "--porcelain"),
];

describe("graftwork conflicts", () => {
  test("shows pairs of open branches with their paths, unsaved work included, and changes nothing", async () => {
    const { repo, graftwork, json, slots } = await stage("left", "right", "aside");
    commitFiles(slots["left"] ?? "", { "a.txt": "1\nL\n3\n" });
    writeFileSync(join(slots["right"] ?? "", "a.txt"), "1\nR\n3\n");
    writeFileSync(join(slots["aside"] ?? "", "new.txt"), "n\n");
    const index = join(repo.dir, ".git/worktrees/wt-2/index");
    const before = [...stateOf(repo), readFileSync(index, "base64")];
    const found = await graftwork(["conflicts"]);
    expect(found).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Conflicts: 1 pair predicted\n  auto/left + auto/right: a.txt\n"),
    });
    expect(await json(["conflicts"])).toMatchObject({
      ok: true,
      target: "main",
      branches: [
        { branch: "auto/left", task: "left", slot: "wt-1", state: "busy", paths: 1, unsaved: [] },
        { branch: "auto/right", slot: "wt-2", paths: 1, unsaved: ["a.txt"] },
        { branch: "auto/aside", slot: "wt-3", paths: 1, unsaved: ["new.txt"] },
      ],
      pairs: [{ between: ["auto/left", "auto/right"], paths: ["a.txt"] }],
    });
    expect([...stateOf(repo), readFileSync(index, "base64")]).toEqual(before);
  });

  test("what is in the target already conflicts with nothing, nor would it be merged; a pair with the target counts once", async () => {
    const { repo, graftwork, json, slots } = await stage("a", "b");
    for (const task of ["a", "b"]) commitFiles(slots[task] ?? "", { "a.txt": `1\n${task}\n3\n` });
    const pairs = [{ between: ["auto/a", "auto/b"], paths: ["a.txt"] }];
    expect((await json(["conflicts", "list", "--into", "auto/a"]))["pairs"]).toEqual(pairs);
    writeFileSync(join(slots["a"] ?? "", "a.txt"), "1\nunsaved\n3\n");
    expect((await json(["conflicts", "list", "--into", "auto/a"]))["pairs"]).toEqual(pairs);
    writeFileSync(join(slots["a"] ?? "", "a.txt"), "1\na\n3\n");
    repo.git("merge", "-q", "auto/a");
    repo.git("merge", "-q", "-X", "ours", "auto/b");
    expect((await json(["conflicts"]))["pairs"]).toEqual([]);
    expect(await json(["merge", "--preview"])).toMatchObject({ order: [], already: ["auto/a", "auto/b"] });
    expect(await graftwork(["merge", "--dry-run"])).toMatchObject({
      stdout: expect.stringContaining("- auto/a: merged before\n- auto/b: merged before\nWould merge: none\n"),
    });
  });

  test("unsaved files count as git would store them, line ends included; large files and copied ones do not count", async () => {
    const files = {
      ".gitattributes": "*.txt text eol=crlf\n",
      "a.txt": "1\n2\n3\n4\n5\n",
      ".worktreeinclude": "local.cfg\n",
      ".gitignore": "none\n",
    };
    const repo = tempRepo({ files: { ...files, ".claude/auto-context.yaml": "pool: { rescue_max_file: 1KiB }\n" } });
    writeFileSync(join(repo.dir, "local.cfg"), "mine\n");
    const graftwork = (...args: readonly string[]) => runCli(args, { cwd: repo.dir });
    await graftwork("pool", "init", "2");
    for (const [task, text] of [
      ["one", "ONE\r\n2\r\n3\r\n4\r\n5\r\n"],
      ["two", "1\r\n2\r\n3\r\n4\r\nTWO\r\n"],
    ] as const) {
      const slot = (await graftwork("pool", "acquire", task)).stdout.split("|")[1] ?? "";
      writeFileSync(join(slot, "a.txt"), text);
      writeFileSync(join(slot, "large.bin"), task.repeat(1_000));
    }
    const found = JSON.parse((await graftwork("conflicts", "--json")).stdout) as object;
    expect(found).toMatchObject({ branches: [{ unsaved: ["a.txt", "large.bin"], paths: 1 }, { paths: 1 }], pairs: [] });
  });

  test("a branch that collides with what landed meanwhile is shown with the target", async () => {
    const { repo, json, slots } = await stage("one");
    commitFiles(slots["one"] ?? "", { "a.txt": "one\n" });
    repo.commit({ "a.txt": "main\n" });
    expect(await json(["conflicts"])).toMatchObject({ pairs: [{ between: ["main", "auto/one"], paths: ["a.txt"] }] });
  });

  test("approved work of the newest run counts, also where its slot was given back", async () => {
    const agent = fakeAgent({ "*": [[{ write: "made.txt", text: "m\n" }, { commit: "work" }, { promise: "READY_FOR_QA" }]] });
    const settings = { agents: { default: "fake", fake: { command: agent.command } } };
    const repo = tempRepo({ files: { ".claude/auto-context.yaml": JSON.stringify(settings) } });
    const plan = join(repo.parent, "plan.json");
    const tasks = [{ id: "made", title: "Make it" }];
    writeFileSync(plan, JSON.stringify({ version: 1, name: "p", verification: ["test -f README.md"], tasks }));
    await runCli(["run", plan, "--yes", "--no-merge"], { cwd: repo.dir });
    const found = JSON.parse((await runCli(["conflicts", "--json"], { cwd: repo.dir })).stdout) as object;
    expect(found).toMatchObject({ branches: [{ branch: "auto/made", task: "made", slot: null, state: "approved", paths: 1 }], pairs: [] });
    expect(await runCli(["conflicts", "check", "made.txt"], { cwd: repo.dir })).toMatchObject({ code: 3 });
  });
});

describe("graftwork conflicts check", () => {
  test("exit 3 names who else changes the file, exit 0 says that nobody does; the asking slot does not count", async () => {
    const { repo, graftwork, slots } = await stage("left", "right");
    const [left = "", right = ""] = [slots["left"], slots["right"]];
    commitFiles(left, { "a.txt": "left\n" });
    writeFileSync(join(right, "src/b.txt"), "right\n");
    expect(await graftwork(["conflicts", "check", "a.txt"])).toMatchObject({
      code: 3,
      stdout: "a.txt: changed by 1 other\n  auto/left (busy in wt-1)\n",
    });
    expect(await graftwork(["conflicts", "check", "b.txt"], join(repo.dir, "src"))).toMatchObject({
      code: 3,
      stdout: "src/b.txt: changed by 1 other\n  auto/right (busy in wt-2, unsaved)\n",
    });
    expect(await graftwork(["conflicts", "check", "a.txt"], left)).toMatchObject({ code: 0, stdout: "a.txt: nobody else changes it\n" });
    expect(await graftwork(["conflicts", "check", join(left, "src", "b.txt")])).toMatchObject({ code: 3 });
    expect(await graftwork(["conflicts", "check", "src"], left)).toMatchObject({ code: 3 });
    expect(await graftwork(["conflicts", "check", "new/deep/file.txt", "--json"], right)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"path":"new/deep/file.txt","free":true,"by":[]'),
    });
    for (const file of ["../elsewhere.txt", "."])
      expect(await graftwork(["conflicts", "check", file])).toMatchObject({ code: 2, stderr: expect.stringContaining("USAGE") });
  });
});

describe("graftwork merge with a plan", () => {
  test("--preview gives order, conflicts and checks, --dry-run what would land; neither changes anything, and the merge does as they say", async () => {
    const { repo, graftwork, json, slots } = await stage("second", "first", "rival", "dirty", "behind");
    commitFiles(slots["second"] ?? "", { "second.txt": "s\n" });
    commitFiles(slots["first"] ?? "", { "a.txt": "1\nF\n3\n", "b1.txt": "1\n", "b2.txt": "2\n" });
    commitFiles(slots["rival"] ?? "", { "a.txt": "1\nR\n3\n" });
    mkdirSync(join(slots["dirty"] ?? "", "new"));
    writeFileSync(join(slots["dirty"] ?? "", "new", "file"), "d\n");
    commitFiles(slots["behind"] ?? "", { "behind.txt": "b\n" });
    const plan = join(repo.parent, "plan.json");
    const tasks = [
      { id: "second", title: "2", depends_on: ["between"] },
      { id: "between", title: "no slot", depends_on: ["first"] },
      { id: "first", title: "1" },
      { id: "rival", title: "r" },
      { id: "dirty", title: "d" },
      { id: "behind", title: "b", depends_on: ["dirty"] },
    ];
    writeFileSync(plan, JSON.stringify({ version: 1, name: "p", verification: ["true"], tasks }));
    const before = stateOf(repo);
    const preview = await json(["merge", "--preview", "--plan", plan, "--no-verify"]);
    expect(preview).toMatchObject({
      target: "main",
      order: [
        { branch: "auto/rival", paths: 1 },
        { branch: "auto/first", paths: 3 },
        { branch: "auto/second", dependsOn: ["first"] },
      ],
      conflicts: [{ between: ["auto/first", "auto/rival"], paths: ["a.txt"] }],
      left: [
        { branch: "auto/dirty", waits_for: [] },
        { branch: "auto/behind", reason: "it depends on dirty, which is not merged", waits_for: ["dirty"] },
      ],
      checks: [],
    });
    expect((await graftwork(["merge", "--preview", "--plan", plan])).stdout).toContain("then all of them: true\n");
    expect((await graftwork(["merge", "--preview"])).stdout).toContain("NO_CHECKS");
    const dry = await json(["merge", "--dry-run", "--plan", plan]);
    expect(dry).toMatchObject({
      merged: [{ branch: "auto/rival" }],
      conflicts: [{ branch: "auto/first", paths: ["a.txt"], against: ["rival"] }],
    });
    expect(dry["left"]).toMatchObject([
      { branch: "auto/dirty", waits_for: [] },
      { branch: "auto/behind", waits_for: ["dirty"] },
      { branch: "auto/second", waits_for: ["first"] },
    ]);
    expect(stateOf(repo)).toEqual(before);
    const merged = await json(["merge", "--plan", plan, "--no-verify"]);
    expect(merged["merged"]).toEqual(["auto/rival"]);
    const failed = Object.fromEntries((merged["failed"] as { branch: string }[]).map(({ branch, ...why }) => [branch, why]));
    expect(failed).toMatchObject({
      "auto/first": { reason: expect.stringContaining("conflict in a.txt with rival"), waits_for: [] },
      "auto/second": { reason: "it depends on first, which is not merged", waits_for: ["first"] },
      "auto/behind": { reason: "it depends on dirty, which is not merged", waits_for: ["dirty"] },
    });
    expect(repo.git("rev-parse", "main^{tree}")).toBe((dry["merged"] as { tree: string }[]).at(-1)?.tree);
  });

  test("--dry-run has colliding lockfiles and generated files made anew as the merge would, and changes nothing", async () => {
    const project = (...names: readonly string[]): Files => ({ ...projectWith(...names), "gen.txt": `${names.join("\n")}\n` });
    const config = JSON.stringify({ merge: { generated: { "gen.txt": "ls packages > gen.txt" } } });
    const { repo, json, graftwork, slots } = await stageWith({ ...project("a"), ".claude/auto-context.yaml": config }, "one", "two");
    commitFiles(slots["one"] ?? "", project("a", "b"));
    commitFiles(slots["two"] ?? "", project("a", "c"));
    const before = stateOf(repo);
    const dry = await json(["merge", "--dry-run"]);
    expect(dry).toMatchObject({ merged: [{ task: "one" }, { task: "two" }], conflicts: [], left: [] });
    const { resolved } = (dry["merged"] as { resolved: { path: string; rules: string[] }[] }[])[1] ?? expect.unreachable();
    expect(Object.fromEntries(resolved.map(({ path, rules }) => [path, rules]))).toMatchObject({
      "package-lock.json": ["lockfile"],
      "gen.txt": ["generated"],
    });
    expect(stateOf(repo)).toEqual(before);
    expect((await graftwork(["merge", "--no-verify"])).stdout).toContain("Merged: auto/one, auto/two");
    expect(repo.git("show", "main:gen.txt")).toBe("a\nb\nc");
    expect(repo.git("rev-parse", "main^{tree}")).toBe((dry["merged"] as { tree: string }[]).at(-1)?.tree);
  });

  test("without a plan the order is that of the slots", async () => {
    const { json, slots } = await stage("large", "small");
    commitFiles(slots["large"] ?? "", { "l1.txt": "1\n", "l2.txt": "2\n" });
    commitFiles(slots["small"] ?? "", { "s.txt": "s\n" });
    expect(await json(["merge", "--preview"])).toMatchObject({ order: [{ task: "large" }, { task: "small" }], conflicts: [] });
    expect(await json(["merge", "--dry-run"])).toMatchObject({ merged: [{ task: "large" }, { task: "small" }] });
  });

  test("one thing at a time", async () => {
    const { graftwork } = await stage("one");
    expect(await graftwork(["merge", "--preview", "--dry-run"])).toMatchObject({ code: 2, stderr: expect.stringContaining("USAGE") });
  });
});

test("an agent's brief says what the tasks beside it have changed by then", async () => {
  const folder = tempFolder("flags");
  const flag = (name: string) => join(folder, name);
  const done = [{ commit: "work" }, { promise: "READY_FOR_QA" }] as const;
  const agent = fakeAgent({
    beside: [[{ write: "busy.txt", text: "b\n" }, { write: flag("written") }, { waitFor: flag("seen") }, ...done]],
    asked: [
      [{ waitFor: flag("written") }, { exit: 1 }],
      [{ savePrompt: flag("prompt") }, { write: "made.txt", text: "m\n" }, { write: flag("seen") }, ...done],
    ],
  });
  const settings = { agents: { default: "fake", fake: { command: agent.command } }, parallelization: { min_tasks: 2 } };
  const repo = tempRepo({ files: { ".claude/auto-context.yaml": JSON.stringify(settings) } });
  const plan = join(repo.parent, "plan.json");
  const tasks = ["beside", "asked"].map((id) => ({ id, title: id }));
  writeFileSync(plan, JSON.stringify({ version: 1, name: "p", verification: ["test -f README.md"], tasks }));
  expect(await runCli(["run", plan, "--yes"], { cwd: repo.dir })).toMatchObject({ code: 0 });
  expect(readFileSync(flag("prompt"), "utf8")).toContain(
    "`beside` (beside) is being worked on at the same time: files not declared; changed by now: `busy.txt`",
  );
});
