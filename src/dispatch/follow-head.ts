import { dirname } from "node:path";
import {
  adoptCommit,
  attachSlot,
  commitsBeyond,
  commitsNamedBy,
  isAncestor,
  lastInHeadLog,
  listWorktrees,
  type Oid,
  type Repository,
  readRefs,
  type SlotTree,
  slotHead,
  treeOf,
  unsafePathIn,
  updateRefs,
  wasMadeIn,
} from "../git/index.ts";

/** What all refs were when an attempt began, full name → object id; null: nobody noted it. */
export type RefsBefore = ReadonlyMap<string, Oid> | null;

/** A slot, its task's branch, and what is known of the refs besides. */
export type Ground = {
  slot: SlotTree;
  /** Short name of the task's branch. */
  branch: string;
  base: Oid;
  refsBefore: RefsBefore;
  /** `refs/graftwork/attempts/<run>/<task>/<attempt>`: holds commits that would be lost otherwise. */
  keepAt: string;
};

/** The commit of the slot's HEAD. `why` says why that commit is not the task's work, and what is left out. */
export type Followed = { tip: Oid; note: string | null } | { tip: Oid; why: string };

/**
 * Brings the task's branch and the slot's HEAD together. If the agent committed beside the branch, and only added commits
 * of its own to it, the branch moves to them and HEAD goes back on it; index and files stay. Otherwise nothing
 * moves, and a ref holds what is there.
 */
export async function followHead(repository: Repository, ground: Ground, tip: Oid, isClean: () => Promise<boolean>): Promise<Followed> {
  const { slot, branch } = ground;
  const head = await slotHead(repository, slot);
  if (head.branch === branch) return { tip, note: null };
  const place = head.branch ?? "a detached HEAD";
  const leave = (why: string): Followed => ({ tip, why: `the slot is on ${place} instead of ${branch}, and ${why}` });
  if (head.commit === null) return leave("that branch has no commit");
  const beyond = await commitsBeyond(repository, [head.commit], [tip]);
  if (beyond.length === 0) {
    const isSame = (await treeOf(repository, head.commit)) === (await treeOf(repository, tip));
    // An older commit of the branch was checked out: its files are not those of the branch.
    if (!isSame) return (await isClean()) ? { tip, note: null } : leave(`its changes are made on ${short(head.commit)}, an older commit`);
    await attachSlot(repository, slot, branch);
    return { tip, note: `the slot was on ${place} and is back on ${branch}` };
  }
  const held = await heldByOthers(repository, ground, head.branch);
  const own = await commitsBeyond(repository, [head.commit], [tip, ...held]);
  const isOn = await isAncestor(repository, tip, head.commit);
  const refused =
    isOn && own.length === beyond.length ? await adoptCommit(repository, branch, tip, head.commit) : isOn ? FOREIGN : NOT_CONTINUED;
  if (refused !== undefined) {
    const at = head.branch === null ? await pinned(repository, `${ground.keepAt}-head`, head.commit) : head.branch;
    return leave(`${refused}; left out: ${own.length} commit${own.length === 1 ? "" : "s"} up to ${short(head.commit)} (${at})`);
  }
  await attachSlot(repository, slot, branch);
  return { tip: head.commit, note: `its commits were made on ${place}; ${branch} was moved to them` };
}

const FOREIGN = "that has commits which are not the task's";
const NOT_CONTINUED = "that does not continue the branch";

/** The newest commit that an agent made in its slot and that its branch does not have; null: none. */
export async function besideBranch(repository: Repository, ground: Ground, tip: Oid): Promise<Oid | null> {
  const { branch } = await slotHead(repository, ground.slot);
  const known = [tip, ground.base, ...(await heldByOthers(repository, ground, branch))];
  return (await commitsBeyond(repository, commitsNamedBy(repository, ground.slot), known))[0] ?? null;
}

/** Returns what tells the refs of an attempt's own task: its branch, and those that hold what its attempts made. */
export function refsOfTask({ branch, keepAt }: Pick<Ground, "branch" | "keepAt">): (ref: string) => boolean {
  const task = keepAt.split("/").slice(3, 5).join("/");
  const own = new Set([`refs/heads/${branch}`, `refs/graftwork/ready/${task}`]);
  return (ref) => own.has(ref) || ref.startsWith(`refs/graftwork/attempts/${task}/`);
}

/** True if the branch was only moved to a commit that others have, as when the agent took the target in. */
export async function isOthersCommit(repository: Repository, ground: Ground, tip: Oid): Promise<boolean> {
  if (wasMadeIn(repository, ground.slot, tip)) return false;
  const isOwn = refsOfTask(ground);
  const before = [...(ground.refsBefore ?? [])].filter(([ref]) => !isOwn(ref));
  const now = await readRefs(repository);
  const held = before.flatMap(([ref, oid]) => [oid, now.get(ref) ?? oid]);
  return (await commitsBeyond(repository, [tip], held)).length === 0;
}

/** The branch was deleted: pins what the agent had committed. Returns why the attempt is of no use. */
export async function branchLost(repository: Repository, ground: Ground): Promise<string> {
  const { branch, commit } = await slotHead(repository, ground.slot);
  const last = commit ?? lastInHeadLog(repository, ground.slot);
  const known = [ground.base, ...(await heldByOthers(repository, ground, branch))];
  const isWork = last !== undefined && (await commitsBeyond(repository, [last], known)).length > 0;
  const kept = isWork ? `; its commits up to ${short(last)} are kept as ${await pinned(repository, ground.keepAt, last)}` : "";
  return `its branch ${ground.branch} was deleted while it was at work${kept}`;
}

/**
 * Refuses commits with a path that git checks out nowhere, such as `../x`. The branch goes back to where it was, since
 * no slot can be put on such a commit, and a ref keeps it. Returns undefined if all paths are sound.
 */
export async function refuseUnsafe(
  repository: Repository,
  ground: Ground,
  { start, head }: { start: Oid; head: Oid | null },
): Promise<{ tip: Oid; unusable: string } | undefined> {
  const ref = `refs/heads/${ground.branch}`;
  for (const commit of new Set([head ?? start, start])) {
    const unsafe = await unsafePathIn(repository, ground.base, commit);
    if (unsafe === undefined) continue;
    const kept = await pinned(repository, `${ground.keepAt}-unsafe`, commit);
    const tip = commit === start ? (ground.refsBefore?.get(ref) ?? ground.base) : start;
    if (tip !== start) await updateRefs(repository, [{ ref, set: tip, old: start }], "take an unsafe commit off");
    return { tip, unusable: `${unsafe}; it is kept as ${kept}` };
  }
  return undefined;
}

async function pinned(repository: Repository, ref: string, commit: Oid): Promise<string> {
  const refused = await updateRefs(repository, [{ ref, set: commit }], "keep what an agent left beside its branch");
  return refused === undefined ? ref : "held by the slot alone";
}

/**
 * Returns the tips of all work that is not this attempt's: the refs as they were when it began, the same refs now,
 * graftwork's own refs, and HEAD of every other worktree. A branch that the agent made itself does not count.
 */
async function heldByOthers(repository: Repository, ground: Ground, headBranch: string | null): Promise<Oid[]> {
  const { refsBefore, slot } = ground;
  const [now, worktrees] = await Promise.all([readRefs(repository), listWorktrees(repository)]);
  const own = new Set([`refs/heads/${ground.branch}`, ...(headBranch === null ? [] : [`refs/heads/${headBranch}`])]);
  const ofTask = `${dirname(ground.keepAt)}/`;
  const isOthers = (ref: string): boolean => {
    if (ref.startsWith(ofTask)) return false;
    if (refsBefore === null) return !own.has(ref);
    return ref !== `refs/heads/${ground.branch}` && (refsBefore.has(ref) || ref.startsWith("refs/graftwork/"));
  };
  const held = [...now].filter(([ref]) => isOthers(ref)).map(([, oid]) => oid);
  const heads = worktrees.filter(({ path, head }) => path !== slot.path && head !== null).map(({ head }) => head ?? "");
  return [...new Set([...(refsBefore?.values() ?? []), ...held, ...heads])];
}

function short(oid: Oid): string {
  return oid.slice(0, 8);
}
