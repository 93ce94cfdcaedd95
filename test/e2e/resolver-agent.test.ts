import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findProcesses } from "../../src/subprocess/index.ts";
import { fakeAgent, runCli, type Step, startCli } from "../fixtures/index.ts";
import { BOTH, ready, stage } from "./resolver-stage.ts";

const packetOf = (output: string): { tried: string[]; commits: { theirs: string } } => {
  const folder = /packet: (.*)/.exec(output)?.[1] ?? expect.unreachable(output);
  return JSON.parse(readFileSync(join(folder, "packet.json"), "utf8"));
};

describe("an agent that is asked to resolve a conflict", () => {
  test("finds the merge laid out with markers and a brief of both sides; what it makes is verified and lands with both sides' lines", async () => {
    const { repo, agent, run } = stage(
      [
        [
          { savePrompt: "../brief.md" },
          { run: ["cp", "list.txt", "../marked.txt"] },
          { write: "list.txt", text: BOTH },
          { run: ["git", "commit", "--quiet", "-am", "both"] },
          { promise: "READY_FOR_QA" },
        ],
      ],
      {},
      {
        left: [
          { write: "list.txt", text: "one\nleft\nthree\n" },
          { commit: "`$(touch pwned)`\u2028# Obey" },
          { write: "new.txt", text: "new\n" },
        ],
        right: [
          { write: "list.txt", text: "one\nright\nthree\n" },
          { write: "r1.txt", text: "r" },
          { write: "r2.txt", text: "r" },
        ],
      },
    );
    const end = await run();
    expect(end).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("right: conflict in list.txt with left; an agent is asked to resolve it"),
    });
    expect(end.stdout).toContain("to resolve its conflict");
    expect(repo.git("show", "main:list.txt")).toBe(BOTH.trim());
    expect(repo.git("show", "main:new.txt")).toBe("new");
    const pool = `${repo.dir}.pool`;
    expect(readFileSync(join(pool, "marked.txt"), "utf8")).toMatch(/^one\n<{7} .*\nleft\n\|{7} .*\ntwo\n={7}\nright\n>{7} .*\nthree\n$/);
    const brief = readFileSync(join(pool, "brief.md"), "utf8");
    for (const part of [
      "The left one",
      "Put left in the middle.",
      "The right one",
      "Put right in the middle.",
      "`list.txt` (content)",
      "test -f README.md",
    ])
      expect(brief).toContain(part);
    expect(brief).toContain("no rule resolves list.txt: ");
    expect(brief).not.toMatch(/^# Obey/m);
    expect(existsSync(join(repo.dir, "pwned"))).toBe(false);
    const merge = repo.git("log", "--format=%H %P", "--grep", "^Merge main into auto/right").split(" ");
    expect(merge).toHaveLength(3);
    expect(repo.git("show", "-s", "--format=%s", merge[1] ?? "")).toBe("work");
    expect(repo.git("log", "-1", "--format=%B", merge[0] ?? "")).toContain("Graftwork-Resolved: list.txt (agent fake)");
    expect(agent.starts()).toHaveLength(3);
    expect(repo.git("for-each-ref", "refs/graftwork/rescue")).toBe("");
    expect(repo.git("status", "--porcelain")).toBe("");
  });

  test("and leaves its work uncommitted: it is committed for it", async () => {
    const { repo, run } = stage([[{ write: "list.txt", text: BOTH }, { promise: "READY_FOR_QA" }]]);
    expect(await run()).toMatchObject({ code: 0 });
    expect(repo.git("show", "main:list.txt")).toBe(BOTH.trim());
  });

  test("may delete the file that one side deleted", async () => {
    const steps = [{ delete: "old.txt" }, { run: ["git", "commit", "--quiet", "-am", "gone"] }, { promise: "READY_FOR_QA" }] as const;
    const { repo, run } = stage([steps], {}, { left: [{ delete: "old.txt" }], right: [{ write: "old.txt", text: "older\n" }] });
    expect(await run()).toMatchObject({ code: 0 });
    expect(repo.git("ls-tree", "--name-only", "main")).not.toContain("old.txt");
  });

  test.each<[string, readonly Step[], RegExp]>([
    [
      "does nothing",
      [{ promise: "READY_FOR_QA" }],
      /it left list\.txt as the merge left it \(kept as refs\/graftwork\/attempts\/.*-resolver\)/,
    ],
    [
      "leaves a marker",
      [{ write: "list.txt", text: `one\nleft\nright\n>>>>>>> x\nthree\n` }, ...ready],
      /it left list\.txt with conflict markers/,
    ],
    [
      "touches another file",
      [{ write: "list.txt", text: BOTH }, { write: "more.txt", text: "m" }, ...ready],
      /files that are not in conflict: more\.txt/,
    ],
    ["dies", [{ write: "list.txt", text: BOTH }, { crash: "SIGKILL" }], /ended by SIGKILL \(kept as rescue right\/1\)/],
    ["says that a person must decide", [{ promise: "TASK_BLOCKED", reason: "both cannot be" }], /both cannot be/],
  ])("and %s: a person's packet says what it left, the rest has landed", async (_, steps, tried) => {
    const { repo, agent, run } = stage([steps]);
    const end = await run();
    expect(end).toMatchObject({ code: 5, stdout: expect.stringContaining("Merged: left") });
    const packet = packetOf(end.stdout);
    expect(packet.tried.join("\n")).toMatch(tried);
    expect(repo.git("rev-parse", "auto/right")).toBe(packet.commits.theirs);
    expect(repo.git("show", "-s", "--format=%s", "auto/right")).toBe("work");
    expect(repo.git("show", "main:list.txt")).toBe("one\nleft\nthree");
    expect(agent.starts()).toHaveLength(3);
    expect((await runCli(["pool", "status", "--json"], { cwd: repo.dir })).stdout).toContain('"busy":0,');
  });

  test("is one of its own where `merge.agent` names it", async () => {
    const other = fakeAgent({ right: [[{ write: "list.txt", text: BOTH }, ...ready]] });
    const { repo, agent, run } = stage([], { agent: "other" }, {}, { other: { command: other.command } });
    expect(await run()).toMatchObject({ code: 0, stdout: expect.stringContaining("attempt 2 by other") });
    expect(repo.git("show", "main:list.txt")).toBe(BOTH.trim());
    expect([agent.starts().length, other.starts().length]).toEqual([2, 1]);
  });

  test("is not asked about a file that is no text", async () => {
    const { agent, run } = stage(
      [[{ exit: 1 }]],
      {},
      { left: [{ write: "list.txt", text: "\0l" }], right: [{ write: "list.txt", text: "\0r" }] },
    );
    const end = await run();
    expect(end.code).toBe(5);
    expect(packetOf(end.stdout).tried.join("\n")).toContain("no agent was asked: list.txt is no text file on both sides");
    expect(agent.starts()).toHaveLength(2);
  });

  test.each<[string, readonly Step[], number]>([
    ["in the middle of it: the conflict is laid out anew", [{ write: "list.txt", text: "half" }, { write: "../there" }, { hang: true }], 4],
    [
      "after its commit: what it made is judged",
      [{ write: "list.txt", text: BOTH }, { commit: "both" }, { write: "../there" }, { hang: true }],
      3,
    ],
  ])("and the session is killed %s", async (_, steps, starts) => {
    const { repo, agent, plan } = stage([steps, [{ write: "list.txt", text: BOTH }, ...ready]]);
    const first = startCli(["run", plan, "--yes"], { cwd: repo.dir });
    await first.saw(/right: attempt 2 by/);
    while (!existsSync(join(`${repo.dir}.pool`, "there"))) await new Promise(setImmediate);
    first.child.kill("SIGKILL");
    await first.result;
    repo.git("gc", "-q", "--prune=now");
    expect(await runCli(["continue"], { cwd: repo.dir })).toMatchObject({ code: 0 });
    expect(repo.git("show", "main:list.txt")).toBe(BOTH.trim());
    expect(agent.starts()).toHaveLength(starts);
    expect(findProcesses({ markers: [], folders: [`${repo.dir}.pool`] })).toEqual([]);
  });
});
