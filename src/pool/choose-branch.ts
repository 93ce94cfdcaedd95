import { GraftworkError, idKey } from "../domain/index.ts";
import { listWorktrees, type Oid, readRefs, requireCommit, resolveNames, unsafePathIn } from "../git/index.ts";
import type { PoolContext } from "./context.ts";
import type { PoolState } from "./pool-state.ts";

/** Where a task begins: the commit, its branch, and the branch's tip if it exists already. */
export type Start = { base: Oid; branch: string; tip: Oid | undefined };

/**
 * Chooses the base and the branch for a task. Its own branch of this run goes on at its tip: the one that the
 * pool has on record, or `known`. A name taken by another run or by hand is left alone, and the next free one is used.
 * Throws REF_UNKNOWN, BRANCH_IN_USE, TREE_UNSAFE.
 */
export async function chooseStart(context: PoolContext, state: PoolState, task: string, wanted: string, known?: string): Promise<Start> {
  const { repository, settings } = context;
  const prefix = settings.branchPrefix;
  const plain = `${prefix}/${task}`;
  const [base, parent, taken] = [`${wanted}^{commit}`, `refs/heads/${prefix}`, `refs/heads/${plain}`] as const;
  // What a slot stands on is there, and a commit.
  const found = await resolveNames(repository, [base, parent, taken], new Set(state.slots.map((slot) => slot.head)));
  const commit = found.get(base) ?? (await requireCommit(repository, wanted));
  if (found.get(parent) !== undefined) throw prefixTaken(prefix);
  const isKnown = Object.keys(state.branches).some((branch) => branch.toLowerCase() === plain.toLowerCase());
  if (found.get(taken) === undefined && !isKnown) return { base: commit, branch: plain, tip: undefined };
  const next = await nextName(context, state, task, plain, known);
  const unsafe = next.tip === undefined ? undefined : await unsafePathIn(repository, commit, next.tip);
  if (unsafe !== undefined) throw unsafeBranch(next.branch, unsafe);
  return { base: commit, ...next };
}

async function nextName(
  context: PoolContext,
  state: PoolState,
  task: string,
  plain: string,
  known: string | undefined,
): Promise<Pick<Start, "branch" | "tip">> {
  const { repository, settings, narrate } = context;
  const refs = await readRefs(repository, `refs/heads/${settings.branchPrefix}`);
  const taken = new Map([...refs].map(([ref, oid]) => [ref.slice("refs/heads/".length).toLowerCase(), oid]));
  for (let n = 1; ; n++) {
    const branch = n === 1 ? plain : `${plain}-${n}`;
    const tip = taken.get(branch.toLowerCase());
    if (tip === undefined) {
      if (n > 1) narrate(`${plain} already exists; using ${branch}`);
      return { branch, tip: undefined };
    }
    const record = state.branches[branch];
    const isOwn = record === undefined ? branch === known : record.run === context.run && idKey(record.task) === idKey(task);
    if (!isOwn) continue;
    await requireFree(context, branch);
    narrate(`${branch} exists: ${task} goes on where it stands`);
    return { branch, tip };
  }
}

async function requireFree(context: PoolContext, branch: string): Promise<void> {
  const holder = (await listWorktrees(context.repository)).find((worktree) => worktree.branch === `refs/heads/${branch}`);
  if (holder === undefined) return;
  throw new GraftworkError("BRANCH_IN_USE", {
    message: `Branch ${branch} is checked out in ${holder.path}.`,
    because: "git lets a branch be checked out in one worktree only.",
    try: `switch that worktree to another branch (\`git -C ${JSON.stringify(holder.path)} switch --detach\`) and try again.`,
    details: { branch, path: holder.path },
  });
}

function unsafeBranch(branch: string, unsafe: string): GraftworkError {
  return new GraftworkError("TREE_UNSAFE", {
    message: `No slot can be put on ${branch}.`,
    because: `${unsafe}.`,
    try: `put the branch on a sound commit: \`git branch --force ${branch} COMMIT\`.`,
    details: { branch },
  });
}

function prefixTaken(prefix: string): GraftworkError {
  return new GraftworkError("BRANCH_IN_USE", {
    message: `A branch named ${prefix} exists, so git cannot hold branches like ${prefix}/task.`,
    because: "a ref is either a file or a folder.",
    try: "set `pool.branch_prefix` to another word in .claude/auto-context.yaml, or rename that branch.",
  });
}
