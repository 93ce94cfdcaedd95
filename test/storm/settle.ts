import { existsSync, readdirSync, readFileSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { openRepository } from "../../src/git/index.ts";
import { acquireSlot, existingStore, type PoolContext, releaseSlot } from "../../src/pool/index.ts";
import { git, hermeticEnv, runCli, type TempRepo } from "../fixtures/index.ts";
import { contextOf } from "../integration/pool/lab.ts";
import { orphanedFiles } from "./judge.ts";
import type { StormLine } from "./log.ts";

export type Settled = {
  violations: string[];
  rescues: number;
  /** Temporary files of killed processes, below our own folder in the git directory, that no verb has removed yet. */
  litter: number;
};

/** Looks at what the storm left: before anything is repaired, and after the repair that a user would ask for. */
export async function settle(repo: TempRepo, slots: number, lines: readonly StormLine[]): Promise<Settled> {
  const repository = await openRepository(repo.dir, { parentEnv: { ...hermeticEnv(), HOME: repo.parent } });
  const context = contextOf(repository, { copy: [] });
  const lost = lostUpdates(context, lines);
  const health = (...args: readonly string[]) => runCli(["health", ...args], { cwd: repo.dir, program: "pool-manager" });
  const fixed = await health("--fix");
  const healthy = await health();
  const unhealthy = healthy.code === 0 && healthy.stdout.startsWith("Pool health: OK") ? [] : [`${fixed.stdout}\n${healthy.stdout}`];
  const rescues = rescuedFiles(repo);
  const left = await remains(context, repo);
  const found = [...lost, ...unhealthy, ...orphans(context, repo, slots), ...lostFiles(context, lines, rescues), ...left.violations];
  return { violations: found, rescues: rescues.size, litter: left.litter };
}

/** The truth against what was acknowledged, as the last worker left it. */
function lostUpdates(context: PoolContext, lines: readonly StormLine[]): string[] {
  const { state, generation } = existingStore(context.repository).read();
  const acknowledged = lines.filter(({ what }) => what === "acquired" || what === "released" || what === "robbed");
  const acquired = acknowledged.filter(({ what }) => what === "acquired");
  const over = new Set(acknowledged.filter(({ what }) => what !== "acquired").map(({ token }) => token));
  const newest = Math.max(0, ...acquired.map(({ token }) => token ?? 0));
  const found: string[] = [];
  if (state.nextToken < acquired.length + 1) found.push(`next token ${state.nextToken} after ${acquired.length} acknowledged acquires`);
  if (state.nextToken <= newest) found.push(`next token ${state.nextToken} although token ${newest} was given`);
  if (generation < 1 + acknowledged.length) found.push(`generation ${generation} after ${acknowledged.length} acknowledged operations`);
  for (const { id, lease } of state.slots)
    if (lease !== null && over.has(lease.token)) found.push(`${id} still has the lease ${lease.token}, whose end was acknowledged`);
  // Nobody but the dead may hold anything: who ended in peace gave everything back.
  const killed = new Set(lines.filter(({ what }) => what === "killed").map(({ pid }) => pid));
  for (const { id, lease } of state.slots)
    if (lease?.owner.kind === "process" && !killed.has(lease.owner.process.pid))
      found.push(`${id} is held by ${lease.owner.process.pid}, which ended in peace`);
  return found;
}

/** Worktrees, branches and files that nobody owns. */
function orphans(context: PoolContext, repo: TempRepo, slots: number): string[] {
  const { state } = existingStore(context.repository).read();
  const found: string[] = [];
  const worktrees = (repo.git("worktree", "list", "--porcelain").match(/^worktree /gm) ?? []).length;
  if (worktrees !== slots + 1) found.push(`${worktrees} worktrees instead of ${slots + 1}`);
  for (const { id, status, lease } of state.slots) if (status !== "idle" || lease !== null) found.push(`${id} is ${status} at the end`);
  const branches = repo.git("for-each-ref", "--format=%(refname:short)", "refs/heads/auto/").split("\n").filter(Boolean);
  for (const branch of branches) if (state.branches[branch] === undefined) found.push(`${branch} is recorded nowhere`);
  const admin = readdirSync(join(repo.dir, ".git/worktrees"));
  if (admin.length !== slots) found.push(`${admin.length} administration folders`);
  for (const { path, id } of state.slots) {
    const left = git(path, "status", "--porcelain", "--ignored");
    if (left !== "") found.push(`${id} is idle and not clean: ${left}`);
  }
  if (repo.git("status", "--porcelain") !== "") found.push(`the user's checkout: ${repo.git("status", "--porcelain")}`);
  try {
    const said = repo.git("fsck", "--no-dangling", "--no-progress");
    if (said !== "") found.push(`git fsck: ${said}`);
  } catch (error) {
    found.push(String(error));
  }
  return found;
}

/** Path of a rescued file to the rescue that has it. */
function rescuedFiles(repo: TempRepo): Map<string, string> {
  const refs = repo.git("for-each-ref", "--format=%(refname)", "refs/graftwork/rescue/").split("\n").filter(Boolean);
  return new Map(
    refs.flatMap((ref) =>
      repo
        .git("ls-tree", "-r", "--name-only", ref)
        .split("\n")
        .map((path) => [path, ref]),
    ),
  );
}

/** A killed holder's file is in a rescue by now, with what it wrote. */
function lostFiles(context: PoolContext, lines: readonly StormLine[], rescues: ReadonlyMap<string, string>): string[] {
  return orphanedFiles(lines).flatMap((token) => {
    const name = `holder-${token}`;
    const ref = rescues.get(name);
    if (ref === undefined) return [`${name}, written by a worker that was killed or fenced, is nowhere`];
    const { pid } = lines.find((line) => line.what === "wrote" && line.token === token) ?? { pid: 0 };
    const text = git(context.repository.root, "cat-file", "-p", `${ref}:${name}`);
    return text === `${token} ${pid}` ? [] : [`${name} in ${ref} says ${JSON.stringify(text)}`];
  });
}

/** Locks and temporary files that a killed process left. */
async function remains(context: PoolContext, repo: TempRepo): Promise<Pick<Settled, "violations" | "litter">> {
  const { layout } = context.repository;
  // Those of the store go when they are a minute old and the next records are written: let a minute have passed.
  for (const name of readdirSync(layout.poolStore).filter((one) => one.startsWith("tmp."))) utimesSync(join(layout.poolStore, name), 0, 0);
  for (let n = 0; n < 9; n++) {
    const { id } = await acquireSlot(context, { task: "after-the-storm" });
    await releaseSlot(context, { name: id });
  }
  const below = (folder: string): string[] =>
    existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => join(folder, path)) : [];
  const left = [...below(join(repo.dir, ".git")), ...below(join(repo.dir, ".claude")), ...below(`${repo.dir}.pool`)].filter((path) =>
    /(?:\.lock|\.tmp|\/tmp[._][^/]*|\.new\.[^/]*|\.gone\.[^/]*|\/scratch\/[^/]+)$/.test(path),
  );
  const own = [layout.scratch, dirname(dirname(layout.savedIndex("wt-1")))];
  const litter = left.filter((path) => own.some((folder) => path.startsWith(folder)));
  const view = JSON.parse(readFileSync(join(repo.dir, ".claude/pool-state.json"), "utf8")) as { worktrees: { status: string }[] };
  const stale = view.worktrees.filter(({ status }) => status !== "idle");
  return {
    violations: [
      ...left.filter((path) => !litter.includes(path)).map((path) => `${path} was left behind`),
      ...(stale.length === 0 ? [] : [`the view says ${JSON.stringify(stale)}`]),
    ],
    litter: litter.length,
  };
}
