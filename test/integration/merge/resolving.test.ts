import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Generating } from "../../../src/merge/generated-files.ts";
import { openConflict, type Resolving, verifyOne, writePacket } from "../../../src/merge/index.ts";
import { lockOf, projectWith, type TempRepo, tempFolder } from "../../fixtures/index.ts";
import { mergeCandidates } from "../../fixtures/merge-context.ts";
import { bench } from "./bench.ts";

const MODULE = 'import { a } from "./a.js";\n\nexport const one = a;\n';
const withImport = (name: string): string =>
  MODULE.replace("\n\n", `\nimport { ${name} } from "./${name}.js";\n\n`).replace("= a", `= a + ${name}`);

const show = (repo: TempRepo, path: string): string => repo.git("show", `main:${path}`);

describe("a conflict that rules close", () => {
  test("lands with both sides' work; the merge commit, the event and QA say which rule did what", async () => {
    const { repo, context, events, verified, candidate } = await bench(
      {
        x: { "package.json": '{\n  "name": "p",\n  "version": "1.1.0"\n}\n' },
        y: { "package.json": '{\n  "name": "p",\n  "version": "1.2.0"\n}\n' },
      },
      undefined,
      { "package.json": '{\n  "name": "p",\n  "version": "1.0.0"\n}\n' },
    );
    const { landed } = await mergeCandidates(context, [candidate("x"), candidate("y")]);
    expect(landed).toEqual(["x", "y"]);
    expect(show(repo, "package.json")).toContain('"version": "1.2.0"');
    expect(repo.git("log", "-1", "--format=%(trailers:key=Graftwork-Resolved,valueonly)", "main")).toBe("package.json (versions)\n");
    const end = events.find((event) => event.type === "landed");
    expect(end?.tasks.map(({ resolved }) => resolved)).toEqual([undefined, [{ path: "package.json", rules: ["versions"] }]]);
    expect(verified.map(({ commit }) => commit)).toEqual([repo.git("rev-parse", "main")]);
  });

  test("work that collides with its base is judged as the rules merge it; the verdict names the work's own commit", async () => {
    const { repo, context, verified, candidate } = await bench({ x: { "package.json": '{\n  "version": "1.1.0"\n}\n' } }, undefined, {
      "package.json": '{\n  "version": "1.0.0"\n}\n',
    });
    repo.commit({ "package.json": '{\n  "version": "1.0.1"\n}\n' });
    const { commit } = candidate("x");
    const judged = await verifyOne(context, { base: repo.git("rev-parse", "main"), earlier: [] }, candidate("x"));
    expect(judged).toMatchObject({ kind: "verdict", verdict: { decision: "approved", commit } });
    expect(repo.git("show", `${verified[0]?.commit}:package.json`)).toContain("1.1.0");
  });

  test("files of the union list keep what both sides added; other files wait for a person", async () => {
    const files = { "CHANGELOG.md": "# Changes\n\n- first\n", "b.txt": "b\n" };
    const add = (line: string): string => `# Changes\n\n- ${line}\n- first\n`;
    const sides = { x: { "CHANGELOG.md": add("x") }, y: { "CHANGELOG.md": add("y") } };
    const listed = await bench(sides, undefined, files);
    const { landed } = await mergeCandidates({ ...listed.context, resolving: { level: "safe", union: ["*.md"] } }, [
      listed.candidate("x"),
      listed.candidate("y"),
    ]);
    expect(landed).toEqual(["x", "y"]);
    expect(show(listed.repo, "CHANGELOG.md")).toBe("# Changes\n\n- x\n- y\n- first");
    const other = await bench(sides, undefined, files);
    expect((await mergeCandidates(other.context, [other.candidate("x"), other.candidate("y")])).landed).toEqual(["x"]);
  });

  test("keeps the mode that one side alone gave the file", async () => {
    const { repo, context, candidate } = await bench({}, undefined, { "package.json": '{\n  "version": "1.0.0"\n}\n' });
    for (const [task, mode, version] of [
      ["x", 0o755, "1.1.0"],
      ["y", 0o644, "1.2.0"],
    ] as const) {
      repo.git("switch", "-q", "-c", `auto/${task}`, "main");
      if (mode === 0o755) chmodSync(join(repo.dir, "package.json"), mode);
      repo.commit({ "package.json": `{\n  "version": "${version}"\n}\n` });
    }
    repo.git("switch", "-q", "main");
    const { landed } = await mergeCandidates(context, [candidate("x"), candidate("y")]);
    expect(landed).toEqual(["x", "y"]);
    expect(repo.git("ls-tree", "main", "package.json")).toMatch(/^100755/);
  });
});

describe("lockfiles that collide", () => {
  test("are made anew by npm from the merged manifest (conformance 51)", async () => {
    const { repo, context, candidate } = await bench({ x: projectWith("a", "b"), y: projectWith("a", "c") }, undefined, projectWith("a"));
    const { landed } = await mergeCandidates(context, [candidate("x"), candidate("y")]);
    expect(landed).toEqual(["x", "y"]);
    const lock = JSON.parse(show(repo, "package-lock.json")) as { packages: Record<string, unknown> };
    expect(Object.keys(lock.packages).sort()).toEqual(Object.keys(lockOf("a", "b", "c")).sort());
    expect(repo.git("log", "-1", "--format=%(trailers:key=Graftwork-Resolved,valueonly)", "main")).toContain(
      "package-lock.json (lockfile)",
    );
    expect(repo.git("for-each-ref", "refs/graftwork/qa")).toBe("");
    execFileSync("npm", ["ci", "--ignore-scripts", "--offline", "--no-audit"], { cwd: repo.dir, stdio: "ignore" });
  });

  test("wait where npm cannot, and say why", async () => {
    const { repo, context, packetOf } = await bench({ x: projectWith("a", "c"), y: projectWith("a", "b") }, undefined, projectWith("a"));
    const about = packetOf("x", repo.commit({ ...projectWith("a", "b"), "package.json": '{ "name": 1, }\n' }));
    await writePacket(context.repository, about);
    const packet = JSON.parse(readFileSync(join(about.folder, "packet.json"), "utf8")) as { files: { path: string; resolvers: unknown }[] };
    expect(packet.files.find(({ path }) => path === "package-lock.json")?.resolvers).toMatchObject({
      declined: expect.stringContaining("lockfile"),
    });
  });
});

describe("a merge that would run a program under settings that only a person lets in", () => {
  /** Work that collides with main in a generated file and brings settings, with a command that notes that it ran. */
  const stage = async () => {
    const note = join(tempFolder("notes"), "ran");
    const made = await bench({ x: { "gen.txt": "x\n", ".yarnrc.yml": "plugins: [x.cjs]\n" } }, undefined, {
      "gen.txt": "base\n",
      "a.txt": "a\n",
    });
    const commands = { "gen.txt": `echo ran >> ${note}; echo made > gen.txt` };
    const resolving: Resolving = { level: "safe", union: [], generated: { commands, env: [], setEnv: {}, allowScripts: [] } };
    const onto = made.repo.commit({ "gen.txt": "main\n" });
    return { ...made, onto, resolving, context: { ...made.context, resolving }, ran: () => existsSync(note) };
  };

  test("waits for a person before anything runs, by each road", async () => {
    const { context, candidate, events, onto, resolving, packetOf, ran } = await stage();
    expect((await mergeCandidates(context, [candidate("x")])).landed).toEqual([]);
    expect(events.find((event) => event.type === "conflict")).toMatchObject({
      task: "x",
      person: true,
      paths: [".yarnrc.yml"],
    });
    const { commit } = candidate("x");
    expect(await openConflict(context.repository, onto, commit, resolving)).toMatchObject({ kind: "conflict" });
    expect(await writePacket(context.repository, { ...packetOf("x", onto), resolving })).toBe(true);
    const judged = await verifyOne(context, { base: onto, earlier: [] }, candidate("x"));
    expect(judged).toMatchObject({ kind: "conflict", conflict: { isProtected: true } });
    expect(ran()).toBe(false);
  });

  test("goes on if a person merges it by hand and lets it in", async () => {
    const { context, candidate, ran } = await stage();
    expect((await mergeCandidates(context, [{ ...candidate("x"), letsIn: true }])).landed).toEqual(["x"]);
    expect(ran()).toBe(true);
  });

  test("waits as well if an earlier commit of the same work brought the settings", async () => {
    const { repo, context, candidate, ran, onto } = await stage();
    repo.git("switch", "-q", "-c", "auto/z", `${onto}~1`);
    const began = repo.commit({ "b.txt": "not landed\n" });
    repo.commit({ ".yarnrc.yml": "plugins: [x.cjs]\n" });
    repo.commit({ "gen.txt": "z\n" });
    repo.git("switch", "-q", "main");
    // Its own commits are replayed one by one, since it began on work that did not land.
    repo.git("update-ref", "refs/graftwork/backup/r/base", began);
    expect((await mergeCandidates(context, [{ ...candidate("z"), base: began }])).landed).toEqual([]);
    expect(ran()).toBe(false);
  });
});

describe("generated files that collide", () => {
  const LIST = "ls src > gen/list.txt; ls src | wc -l | tr -d ' ' > gen/count.txt";
  const project = (...names: readonly string[]): Record<string, string> => ({
    ...Object.fromEntries(names.map((name) => [`src/${name}`, `${name}\n`])),
    "gen/list.txt": names.map((name) => `${name}\n`).join(""),
    "gen/count.txt": "1\n",
  });
  const by = (commands: Generating["commands"], more: Partial<Generating> = {}): Resolving => ({
    level: "safe",
    union: [],
    generated: { commands, env: [], setEnv: {}, allowScripts: [], ...more },
  });
  const mergedBy = async (resolving: Resolving, x = project("a", "b"), y = project("a", "c"), base = project("a")) => {
    const stage = await bench({ x, y }, undefined, base);
    const said: string[] = [];
    const context = { ...stage.context, resolving, narrate: (line: string) => said.push(line) };
    const { landed } = await mergeCandidates(context, [stage.candidate("x"), stage.candidate("y")]);
    expect(stage.repo.git("for-each-ref", "refs/graftwork/qa")).toBe("");
    return { ...stage, landed, said: said.join("\n") };
  };

  test("are made anew by their command once all else is merged, with what else it makes of its glob", async () => {
    const { repo, landed, events } = await mergedBy(by({ "gen/**": LIST }));
    expect(landed).toEqual(["x", "y"]);
    expect([show(repo, "gen/list.txt"), show(repo, "gen/count.txt")]).toEqual(["a\nb\nc", "3"]);
    const { tasks } = events.find((event) => event.type === "landed") ?? expect.unreachable();
    expect(tasks[1]?.resolved).toEqual([
      { path: "gen/count.txt", rules: ["generated"] },
      { path: "gen/list.txt", rules: ["generated"] },
    ]);
    expect(repo.git("log", "-1", "--format=%(trailers:key=Graftwork-Resolved,valueonly)", "main")).toContain("gen/list.txt (generated)");
  });

  test("also where they are no text, by an argument list, with the environment of checks", async () => {
    const script = 'require("fs").writeFileSync("gen.bin", "\\0" + process.env.OWN + process.env.SECRET + process.env.HOME)';
    const resolving = by({ "gen.bin": [process.execPath, "-e", script] }, { setEnv: { OWN: "set" } });
    const { repo, landed } = await mergedBy(resolving, { "gen.bin": "\0x" }, { "gen.bin": "\0y" }, { "gen.bin": "\0" });
    expect(landed).toEqual(["x", "y"]);
    expect(show(repo, "gen.bin")).toMatch(/^\0setundefined.*\/home$/);
  });

  test("after the lockfiles: the command runs with the merged dependencies", async () => {
    const sides = (...names: readonly string[]): Record<string, string> => ({ ...projectWith(...names), "gen/names": names.join(" ") });
    const { repo, landed } = await mergedBy(by({ "gen/*": "ls node_modules > gen/names" }), sides("a", "b"), sides("a", "c"), sides("a"));
    expect(landed).toEqual(["x", "y"]);
    expect(show(repo, "gen/names")).toBe("a\nb\nc");
  });

  test.for<[what: string, commands: Generating["commands"], why: string]>([
    ["no glob names them", { "other/**": LIST }, "a conflict has no rule that fits"],
    ["the command fails", { "gen/**": "echo broken >&2; exit 3" }, "`echo broken >&2; exit 3` failed (exit code 3): broken"],
    ["there is no such program", { "gen/**": ["no-such-program"] }, "`no-such-program` failed (ENOENT)"],
    ["it does not make the file", { "gen/**": "true" }, "`true` did not make it"],
    ["it makes no file of it", { "gen/**": "ln -s ../src/a gen/list.txt" }, "did not make it"],
    ["it changes other files", { "gen/list.txt": LIST }, "changed files outside of gen/list.txt: gen/count.txt"],
    ["it adds other files", { "gen/**": `${LIST}; touch new.txt` }, "changed files outside of gen/**: new.txt"],
    ["it removes other files", { "gen/**": `${LIST}; rm src/a` }, "changed files outside of gen/**: src/a"],
  ])("wait for a person where %s", async ([, commands, why]) => {
    const { landed, said } = await mergedBy(by(commands));
    expect(landed).toEqual(["x"]);
    expect(said).toContain(why);
  });

  test("an interruption ends their command and is no conflict", async () => {
    const started = join(tempFolder("started"), "started");
    const stop = new AbortController();
    const { repo, context, candidate, events } = await bench({ x: project("a", "b"), y: project("a", "c") }, undefined, project("a"));
    const resolving = { ...by({ "gen/**": `touch ${started}; sleep 600` }), signal: stop.signal };
    const merged = mergeCandidates({ ...context, resolving }, [candidate("x"), candidate("y")]).catch((error: unknown) => error);
    await expect.poll(() => existsSync(started), { timeout: 30_000 }).toBe(true);
    stop.abort();
    expect(await merged).toMatchObject({ code: "INTERRUPTED" });
    expect(events.filter(({ type }) => type === "conflict")).toEqual([]);
    expect(repo.git("for-each-ref", "refs/graftwork/qa")).toBe("");
  });

  test("wait while another file is in conflict: no command is run in vain", async () => {
    const ran = join(tempFolder("ran"), "ran");
    const files = (name: string): Record<string, string> => ({ ...project("a", name), "a.txt": `1\n${name}\n3\n` });
    const { said } = await mergedBy(by({ "gen/**": `touch ${ran}; ${LIST}` }), files("b"), files("c"), {
      ...project("a"),
      "a.txt": "1\n2\n3\n",
    });
    expect(said).toContain("gen/list.txt: generated file: made anew once all else is merged");
    expect(existsSync(ran)).toBe(false);
  });
});

describe("a conflict stays one", () => {
  test.each([
    ["with the resolvers off", { "a.ts": withImport("b") }, { "a.ts": withImport("c") }, "off"],
    ["where one side deleted the file", { "a.ts": null }, { "a.ts": withImport("c") }, "assist"],
    [
      "where one file of several is left",
      { "a.ts": withImport("b"), "a.txt": "1\nX\n3\n" },
      { "a.ts": withImport("c"), "a.txt": "1\nY\n3\n" },
      "assist",
    ],
    ["in files that are no text", { "a.bin": "\u0000b" }, { "a.bin": "\u0000c" }, "assist"],
  ] as const)("%s", async (_, x, y, level) => {
    const { context, events, candidate } = await bench({ x, y }, undefined, { "a.ts": MODULE, "a.txt": "1\n2\n3\n", "a.bin": "\u0000a" });
    const { landed } = await mergeCandidates({ ...context, resolving: { level, union: [] } }, [candidate("x"), candidate("y")]);
    expect(landed).toEqual(["x"]);
    expect(events).toContainEqual(expect.objectContaining({ type: "conflict", task: "y" }));
  });
});

test("the packet says what the rules found, and none is written where they close the conflict by now", async () => {
  const files = { "package.json": '{\n  "version": "1.0.0"\n}\n', "a.txt": "1\n2\n3\n" };
  const { repo, context, packetOf } = await bench(
    { x: { "package.json": '{\n  "version": "1.1.0"\n}\n', "a.txt": "1\nX\n3\n" } },
    undefined,
    files,
  );
  const versions = repo.commit({ "package.json": '{\n  "version": "1.2.0"\n}\n' });
  expect(await writePacket(context.repository, packetOf("x", versions))).toBe(false);
  const both = repo.commit({ "a.txt": "1\nM\n3\n" });
  const about = packetOf("x", both);
  expect(await writePacket(context.repository, about)).toBe(true);
  const packet = JSON.parse(readFileSync(join(about.folder, "packet.json"), "utf8")) as { files: unknown[]; tried: string[] };
  expect(packet.files).toMatchObject([
    { path: "a.txt", resolvers: { declined: "a conflict has no rule that fits", resolved_by: [], places_left: 1 } },
    { path: "package.json", resolvers: null },
  ]);
  expect(packet.tried).toEqual(["no rule resolves a.txt: a conflict has no rule that fits"]);
});
