import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { git, runCli, type TempRepo, tempRepo } from "../fixtures/index.ts";

const hook = (repo: TempRepo, event: string, input: object | string) =>
  runCli(["hook", event], { cwd: repo.dir, input: typeof input === "string" ? input : JSON.stringify(input) });
const busy = async (repo: TempRepo) =>
  (JSON.parse((await runCli(["status", "--json"], { cwd: repo.dir, program: "pool-manager" })).stdout) as { busy: number }).busy;
const sized = (): TempRepo => {
  const repo = tempRepo();
  mkdirSync(join(repo.dir, ".claude"));
  writeFileSync(join(repo.dir, ".claude/auto-context.yaml"), "pool:\n  size: 2\n");
  return repo;
};

test("a client's worktree is a slot: its path alone on stdout, the same for the same name, released when the session ends there", async () => {
  const repo = sized();
  const event = { session_id: "s-1", cwd: repo.dir, hook_event_name: "WorktreeCreate", name: "feature-login" };
  const made = await hook(repo, "worktree-create", event);
  const slot = `${repo.dir}.pool/wt-1`;
  expect(made).toMatchObject({ code: 0, stdout: `${slot}\n` });
  expect(git(slot, "branch", "--show-current")).toBe("auto/feature-login");
  expect((await hook(repo, "worktree-create", event)).stdout).toBe(`${slot}\n`);

  writeFileSync(join(slot, "left.txt"), "unsaved");
  for (const other of [
    { session_id: "s-2", cwd: slot },
    { session_id: "s-1", cwd: repo.dir },
  ])
    expect(await hook(repo, "session-end", other)).toMatchObject({ code: 0, stdout: "" });
  expect(await busy(repo)).toBe(1);
  const ended = await hook(repo, "session-end", { session_id: "s-1", cwd: join(slot, ".git", "..") });
  expect([ended.code, await busy(repo)]).toEqual([0, 0]);
  expect(ended.stderr).toContain("kept as rescue feature-login/1");
});

test("an isolated sub-agent's slot is released when it stops; one that worked in its session's slot ends nothing", async () => {
  const repo = sized();
  const session = (await hook(repo, "worktree-create", { session_id: "s", cwd: repo.dir, name: "main-work" })).stdout.trim();
  const agent = (await hook(repo, "worktree-create", { session_id: "s", cwd: repo.dir, name: "agent-a1b2" })).stdout.trim();
  expect(await hook(repo, "subagent-stop", { session_id: "s", cwd: session, agent_id: "zz" })).toMatchObject({ code: 0 });
  expect(await busy(repo)).toBe(2);
  expect(await hook(repo, "subagent-stop", { session_id: "s", cwd: agent, agent_id: "a1b2" })).toMatchObject({ code: 0 });
  expect(await busy(repo)).toBe(1);
  expect(await hook(repo, "worktree-remove", { session_id: "s", cwd: repo.dir, worktree_path: session })).toMatchObject({ code: 0 });
  expect(await busy(repo)).toBe(0);
});

test("names that are no ids, input that is no event, a full pool: each is told, and no end of a session is held up", async () => {
  const repo = sized();
  const odd = await hook(repo, "worktree-create", { session_id: "s", name: "../Feature: größer & besser!" });
  expect(odd).toMatchObject({ code: 0, stdout: expect.stringMatching(/wt-1\n$/) });
  expect(git(odd.stdout.trim(), "branch", "--show-current")).toMatch(/^auto\/Feature-gr-er-besser-[0-9a-f]{8}$/);
  expect(await hook(repo, "worktree-create", { session_id: "s", name: "second" })).toMatchObject({ code: 0 });
  expect(await hook(repo, "worktree-create", { session_id: "s", name: "third" })).toMatchObject({
    code: 3,
    stdout: "",
    stderr: expect.stringContaining("No free slot for third"),
  });
  expect(await hook(repo, "worktree-create", "no json")).toMatchObject({ code: 2, stdout: "" });
  expect(await hook(repo, "subagent-stop", "no json")).toMatchObject({ code: 1 });
  expect(await hook(repo, "session-end", { cwd: "/nowhere" })).toMatchObject({ code: 1 });
});
