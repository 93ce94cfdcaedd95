import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CliResult, commitFiles, fakeAgent, git, runCli, type Step, type TempRepo, tempRepo } from "../fixtures/index.ts";

const ready = [{ commit: "work" }, { promise: "READY_FOR_QA" }] as const;
const BOTH = "one\nleft\nright\nthree\n";

type Opened = { slot: string; path: string; branch: string; files: string[] };
type Stage = { repo: TempRepo; graftwork: (...args: string[]) => Promise<CliResult>; open: () => Promise<Opened> };

/** A run in which `right` collides with `left` in one file, of which `rest` is the end, and waits for a person; the tasks `behind` depend on it. */
async function stage(
  rest = "",
  behind: readonly string[] = [],
  more: { left: readonly Step[]; right: readonly Step[] } = { left: [], right: [] },
): Promise<Stage> {
  const agent = fakeAgent({
    left: [[{ write: "list.txt", text: `one\nleft\nthree\n${rest}` }, ...more.left, ...ready]],
    right: [[{ write: "list.txt", text: `one\nright\nthree\n${rest}` }, ...more.right, ...ready]],
  });
  const repo = tempRepo({
    files: {
      "list.txt": `one\ntwo\nthree\n${rest}`,
      gone: "0\n",
      ".claude/auto-context.yaml": JSON.stringify({
        agents: { default: "fake", fake: { command: agent.command } },
        merge: { on_conflict: ["resolvers", "person"] },
      }),
    },
  });
  const plan = join(repo.parent, "plan.json");
  const tasks = ["left", "right", ...behind].map((id) => ({ id, title: id, depends_on: behind.includes(id) ? ["right"] : [] }));
  writeFileSync(plan, JSON.stringify({ version: 1, name: "p", verification: ["test -f README.md"], tasks }));
  const graftwork: Stage["graftwork"] = (...args) => runCli(args, { cwd: repo.dir });
  expect((await graftwork("run", plan, "--yes")).code).toBe(5);
  const open = async (): Promise<Opened> => {
    const { code, stdout, stderr } = await graftwork("resolve", "right", "--open", "--json");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return JSON.parse(stdout) as Opened;
  };
  return { repo, graftwork, open };
}

describe("resolve --open", () => {
  test("lays the merge out in a slot; --done takes what is there, gives the slot back, and continue lands it", async () => {
    const { repo, graftwork, open } = await stage();
    const opened = await open();
    const file = join(opened.path, "list.txt");
    expect(opened).toMatchObject({ branch: "auto/right", files: [file] });
    expect(readFileSync(file, "utf8")).toMatch(/^one\n<{7} .*\nleft\n\|{7} .*\ntwo\n={7}\nright\n>{7} .*\nthree\n$/);
    expect(await graftwork("resolve", "right", "--done")).toMatchObject({
      code: 5,
      stderr: expect.stringContaining(`${file} still holds conflict markers, so right is not resolved.`),
    });
    expect(await graftwork("resolve", "right", "--ours", "list.txt")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`is open in ${opened.slot}`),
    });
    writeFileSync(file, BOTH);
    writeFileSync(join(opened.path, "new.txt"), "as well\n");
    expect(await open()).toEqual(opened);
    expect(readFileSync(file, "utf8")).toBe(BOTH);
    expect(await graftwork("resolve", "right", "--done")).toMatchObject({ code: 0, stdout: expect.stringContaining("Resolved right") });
    expect((await graftwork("pool", "status", "--json")).stdout).toContain('"busy":0,');
    expect(repo.git("for-each-ref", "refs/graftwork/rescue")).toBe("");
    expect(await graftwork("continue")).toMatchObject({ code: 0, stdout: expect.stringContaining("right") });
    expect([repo.git("show", "main:list.txt"), repo.git("show", "main:new.txt")]).toEqual([BOTH.trim(), "as well"]);
  });

  test("says what --done lets in that governs CI or agents, whatever the packet says", async () => {
    const { graftwork, open } = await stage("", [], { left: [], right: [{ write: ".github/workflows/x.yml", text: "on: push\n" }] });
    const line = "--done lets in a change to what CI runs: .github/workflows/x.yml";
    const [packet = ""] = /^Packet: (.*)\/README\.md$/m.exec((await graftwork("resolve", "right")).stdout)?.slice(1) ?? [];
    const file = join(packet, "packet.json");
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, "utf8")) as object), protected: [] }));
    expect((await graftwork("resolve", "right")).stdout).toContain(line);
    const { path } = await open();
    writeFileSync(join(path, "list.txt"), BOTH);
    expect((await graftwork("resolve", "right", "--done")).stdout).toContain(line);
  });

  test("what was committed there is kept as it is, a merge made with git too", async () => {
    const { repo, graftwork, open } = await stage();
    const { path } = await open();
    git(path, "reset", "-q", "--hard");
    expect(() => git(path, "merge", "-q", "main")).toThrow();
    expect(await graftwork("resolve", "right", "--done")).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("git has unmerged files there"),
    });
    writeFileSync(join(path, "list.txt"), BOTH);
    git(path, "commit", "-qam", "by hand");
    const made = git(path, "rev-parse", "HEAD");
    expect((await graftwork("resolve", "right", "--done")).code).toBe(0);
    expect(repo.git("rev-parse", "auto/right")).toBe(made);
    expect((await graftwork("continue")).code).toBe(0);
    expect(repo.git("show", "main:list.txt")).toBe(BOTH.trim());
  });

  test("somebody's commit on top of the task's is merged too", async () => {
    const { repo, graftwork, open } = await stage();
    const look = join(repo.parent, "look");
    repo.git("worktree", "add", "-q", look, "auto/right");
    commitFiles(look, { "mine.txt": "mine\n" });
    repo.git("worktree", "remove", look);
    const { path } = await open();
    expect(git(path, "status", "--porcelain")).toBe("M  list.txt");
    writeFileSync(join(path, "list.txt"), BOTH);
    expect((await graftwork("resolve", "right", "--done")).code).toBe(0);
    expect((await graftwork("continue")).code).toBe(0);
    expect([repo.git("show", "main:list.txt"), repo.git("show", "main:mine.txt")]).toEqual([BOTH.trim(), "mine"]);
  });

  test("a slot's merge with what was taken back on the target since then is not taken", async () => {
    const { repo, graftwork, open } = await stage();
    const { path } = await open();
    repo.git("reset", "-q", "--hard", "HEAD~1");
    writeFileSync(join(path, "list.txt"), BOTH);
    expect(await graftwork("resolve", "right", "--done")).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("the target is not at or after"),
    });
  });

  test("--skip gives the slot back and saves what was done there", async () => {
    const { repo, graftwork, open } = await stage();
    const { path } = await open();
    writeFileSync(join(path, "list.txt"), "half done\n");
    expect((await graftwork("resolve", "right", "--skip")).code).toBe(0);
    expect((await graftwork("pool", "status", "--json")).stdout).toContain('"busy":0,');
    expect(repo.git("show", "refs/graftwork/rescue/right/1:list.txt")).toBe("half done");
  });

  test("a --done that was cut off behind its last word gives the slot back when it is asked again", async () => {
    const { repo, graftwork, open } = await stage();
    const { path } = await open();
    writeFileSync(join(path, "list.txt"), BOTH);
    const env = { GRAFTWORK_FAILPOINT: "done.fs.fdatasync=kill" };
    expect(await runCli(["resolve", "right", "--done"], { cwd: repo.dir, env })).toMatchObject({ signal: "SIGKILL" });
    expect((await graftwork("pool", "status", "--json")).stdout).toContain('"busy":1,');
    expect(await graftwork("resolve", "right", "--done")).toMatchObject({ code: 2, stderr: expect.stringContaining("ready_for_qa") });
    expect((await graftwork("pool", "status", "--json")).stdout).toContain('"busy":0,');
  });

  test("once the slot was given back it is laid out anew, and --done without it looks at the packet", async () => {
    const { graftwork, open } = await stage();
    const { slot, path } = await open();
    writeFileSync(join(path, "list.txt"), BOTH);
    expect((await graftwork("pool", "release", slot)).code).toBe(0);
    expect((await graftwork("resolve", "right", "--done")).stderr).toContain("edit");
    expect(readFileSync((await open()).files[0] ?? "", "utf8")).toContain("<<<<<<<");
  });
});

describe("resolve --done, from the packet", () => {
  test("is not taken together with another decision", async () => {
    const { graftwork } = await stage();
    expect(await graftwork("resolve", "right", "--skip", "--done")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--done and --skip were given together."),
    });
    expect((await graftwork("status")).stdout).toMatch(/right +conflict/);
  });

  test("refuses one that was damaged, and --skip goes on without it", async () => {
    const { repo, graftwork } = await stage();
    const { packet } = JSON.parse((await graftwork("resolve", "right", "--json")).stdout) as { packet: string };
    writeFileSync(join(packet, "packet.json"), '{"branch": 1}');
    expect(await graftwork("resolve", "right", "--done")).toMatchObject({
      code: 5,
      stderr: expect.stringContaining(`${join(packet, "packet.json")} is not as it was written`),
    });
    expect((await graftwork("resolve", "right", "--skip")).code).toBe(0);
    expect(repo.git("branch", "--list", "auto/right").trim()).toBe("auto/right");
  });

  test("takes a file whose marker-like lines a side had already, and refuses any that is left", async () => {
    const howTo = "<<<<<<< HEAD\nyours\n=======\ntheirs\n>>>>>>> topic\n";
    const { repo, graftwork } = await stage(howTo);
    const { files } = JSON.parse((await graftwork("resolve", "right", "--json")).stdout) as Opened;
    const [file = ""] = files;
    const refused = async (text: string): Promise<void> => {
      writeFileSync(file, text);
      const { code, stderr } = await graftwork("resolve", "right", "--done");
      expect({ code, stderr }).toMatchObject({ code: 5, stderr: expect.stringContaining(`${file} still holds conflict markers`) });
    };
    await refused(readFileSync(file, "utf8"));
    await refused(`${BOTH}=======\n${howTo}`);
    writeFileSync(file, `${BOTH}${howTo}`);
    expect((await graftwork("resolve", "right", "--done")).code).toBe(0);
    expect((await graftwork("continue")).code).toBe(0);
    expect(repo.git("show", "main:list.txt")).toBe(`${BOTH}${howTo}`.trim());
  });
});

describe("files without markers", () => {
  const image = (byte: string): Step => ({ run: ["node", "-e", `require("fs").writeFileSync("image", "\\0${byte}")`] });
  const odd = (): Promise<Stage> =>
    stage("", [], { left: [image("l"), { delete: "gone" }], right: [image("r"), { append: "gone", text: "r\n" }] });
  const inPacket = async ({ graftwork }: Stage, file: string): Promise<string> =>
    join((JSON.parse((await graftwork("resolve", "right", "--json")).stdout) as { packet: string }).packet, "files", file);

  test("are nobody's decision as the merge left them, nor where they are gone from the packet", async () => {
    const made = await odd();
    const { repo, graftwork } = made;
    writeFileSync(await inPacket(made, "list.txt"), BOTH);
    const undecided = async (path: string): Promise<void> =>
      expect(await graftwork("resolve", "right", "--done")).toMatchObject({
        code: 5,
        stderr: expect.stringContaining(`Nobody has decided about ${path}, so right is not resolved.`),
      });
    await undecided("gone");
    await graftwork("resolve", "right", "--ours", "gone");
    await undecided("image");
    rmSync(await inPacket(made, "image"));
    await undecided("image");
    await graftwork("resolve", "right", "--theirs", "image");
    expect((await graftwork("resolve", "right", "--done")).code).toBe(0);
    expect(repo.git("ls-tree", "--name-only", "auto/right", "gone", "image")).toBe("image");
    expect(repo.git("cat-file", "blob", "auto/right:image")).toBe("\0r");
  });

  test("nor in the slot, until they are edited or committed", async () => {
    const { repo, graftwork, open } = await odd();
    const { path } = await open();
    writeFileSync(join(path, "list.txt"), BOTH);
    expect(await graftwork("resolve", "right", "--done")).toMatchObject({
      code: 5,
      stderr: expect.stringMatching(/Nobody has decided about gone[\s\S]*git commit/),
    });
    git(path, "add", "--all");
    git(path, "commit", "-q", "-m", "as it is");
    expect((await graftwork("resolve", "right", "--done")).code).toBe(0);
    expect(repo.git("cat-file", "blob", "auto/right:image")).toBe("\0l");
  });
});

describe("choices noted before --open", () => {
  const image = (byte: string): Step => ({ run: ["node", "-e", `require("fs").writeFileSync("image", "\\0${byte}")`] });
  const more = { left: [image("l"), { delete: "gone" }], right: [image("r"), { append: "gone", text: "r\n" }] };

  test("are laid out in the slot, and taken as decided", async () => {
    const { repo, graftwork, open } = await stage("", [], more);
    const mine = join(repo.parent, "mine");
    writeFileSync(mine, BOTH);
    for (const [how, what] of [
      ["--theirs", "gone"],
      ["--ours", "image"],
      ["--take-file", `list.txt=${mine}`],
    ] as const)
      expect((await graftwork("resolve", "right", how, what)).code).toBe(0);
    const { path } = await open();
    expect(["gone", "image", "list.txt"].map((file) => readFileSync(join(path, file), "utf8"))).toEqual(["0\nr\n", "\0l", BOTH]);
    expect((await graftwork("resolve", "right", "--done")).code).toBe(0);
    expect([repo.git("show", "auto/right:list.txt"), repo.git("show", "auto/right:gone")]).toEqual([BOTH.trim(), "0\nr"]);
  });

  test("one with --open itself too; a file without a choice holds markers", async () => {
    const { graftwork } = await stage("", [], more);
    const { code, stdout } = await graftwork("resolve", "right", "--open", "--theirs", "image", "--json");
    const { path } = JSON.parse(stdout) as Opened;
    expect({ code, image: readFileSync(join(path, "image"), "utf8") }).toEqual({ code: 0, image: "\0r" });
    expect(readFileSync(join(path, "list.txt"), "utf8")).toContain("<<<<<<<");
  });
});

describe("names that collide with those of the packet's own files, or are long", () => {
  const long = "n".repeat(250);
  test.each([
    ["a", "a.base/f"],
    [long, "b"],
  ])("the packet is written, and a side chosen: %s", async (one, other) => {
    const write = (text: string): Step[] => [one, other].map((path) => ({ write: path, text }));
    const { repo, graftwork } = await stage("", [], { left: write("l\n"), right: write("r\n") });
    for (const path of [one, other, "list.txt"]) expect((await graftwork("resolve", "right", "--theirs", path)).code).toBe(0);
    expect((await graftwork("resolve", "right", "--done")).code).toBe(0);
    expect([one, other].map((path) => repo.git("show", `auto/right:${path}`))).toEqual(["r", "r"]);
  });
});

test("a name that a shell would read more into is quoted in the packet's commands, and writes no line of its page", async () => {
  const name = "a`touch pwned`\n# b";
  const write = (text: string): Step[] => [{ write: name, text }];
  const { graftwork } = await stage("", [], { left: write("l\n"), right: write("r\n") });
  const { packet } = JSON.parse((await graftwork("resolve", "right", "--json")).stdout) as { packet: string };
  const { commands } = JSON.parse(readFileSync(join(packet, "packet.json"), "utf8")) as { commands: string[] };
  expect(commands).toContain(`graftwork resolve right --ours '${name}'`);
  expect(readFileSync(join(packet, "README.md"), "utf8")).not.toMatch(/^# b/m);
});

test("a name that is no UTF-8 stays the one file it is, and no markers land", async () => {
  const odd = (text: string): Step => ({
    run: ["node", "-e", `require("fs").writeFileSync(Buffer.from([99, 0xe9]), "${text}\\n")`],
  });
  const { repo, graftwork } = await stage("", [], { left: [odd("l")], right: [odd("r")] });
  const chosen = ["--theirs", "list.txt", "--theirs", "c%E9"];
  const { files } = JSON.parse((await graftwork("resolve", "right", "--json")).stdout) as Opened;
  expect(files.map((file) => readFileSync(file, "utf8").includes("<<<<<<<"))).toEqual([true, true]);
  expect((await graftwork("resolve", "right", ...chosen, "--done")).code).toBe(0);
  expect((await graftwork("continue")).code).toBe(0);
  expect(repo.git("ls-tree", "--name-only", "main").split("\n")).toEqual([".claude", "README.md", '"c\\351"', "gone", "list.txt"]);
  expect(() => repo.git("grep", "-q", "<<<<<<<", "main")).toThrow();
});

test("a branch that somebody has checked out is neither moved nor deleted under them", async () => {
  const { repo, graftwork } = await stage();
  const { files } = JSON.parse((await graftwork("resolve", "right", "--json")).stdout) as Opened;
  const look = join(repo.parent, "look");
  repo.git("worktree", "add", "-q", look, "auto/right");
  const tip = repo.git("rev-parse", "auto/right");
  writeFileSync(files[0] ?? "", BOTH);
  expect((await graftwork("resolve", "right", "--done")).code).toBe(0);
  expect((await graftwork("continue")).code).toBe(0);
  expect(repo.git("show", "main:list.txt")).toBe(BOTH.trim());
  expect([git(look, "rev-parse", "HEAD"), git(look, "status", "--porcelain")]).toEqual([tip, ""]);
});

test("a task that waits for the checkout, verified, is neither skipped nor tried again", async () => {
  const agent = fakeAgent({ "*": [[{ write: "list.txt", text: "work\n" }, ...ready]] });
  const settings = { agents: { default: "fake", fake: { command: agent.command } } };
  const repo = tempRepo({ files: { "list.txt": "one\n", ".claude/auto-context.yaml": JSON.stringify(settings) } });
  const plan = join(repo.parent, "plan.json");
  writeFileSync(plan, JSON.stringify({ version: 1, name: "p", verification: ["test -f README.md"], tasks: [{ id: "one", title: "One" }] }));
  writeFileSync(join(repo.dir, "list.txt"), "mine\n");
  const graftwork: Stage["graftwork"] = (...args) => runCli(args, { cwd: repo.dir });
  expect((await graftwork("run", plan, "--yes")).code).toBe(5);
  for (const words of [
    ["resolve", "one", "--skip"],
    ["resolve", "one", "--retry-agent"],
    ["retry", "one"],
  ])
    expect(await graftwork(...words)).toMatchObject({ code: 2, stderr: expect.stringContaining("take it with: git -C") });
  expect((await graftwork("status")).stdout).toMatch(/one +merging/);
  repo.git("checkout", "-q", "--", ".");
  expect(await graftwork("continue")).toMatchObject({ code: 0, stdout: expect.stringContaining("Merged: one") });
});

test("continue --json names what holds a task back", async () => {
  const { graftwork } = await stage("", ["behind"]);
  const { code, stdout } = await graftwork("continue", "--json");
  const { tasks } = JSON.parse(stdout) as { tasks: { id: string; status: string; waits_for: string[] }[] };
  expect(code).toBe(5);
  expect(tasks.map(({ id, status, waits_for }) => [id, status, waits_for])).toEqual([
    ["left", "done", []],
    ["right", "conflict", []],
    ["behind", "pending", ["right"]],
  ]);
});
