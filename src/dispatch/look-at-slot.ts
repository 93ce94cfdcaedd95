import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Task } from "../domain/index.ts";
import {
  adoptCommit,
  commitInSlot,
  dropLocks,
  isAncestor,
  lstatBelow,
  pathBytes,
  type Repository,
  readRef,
  type SlotTree,
  slotHead,
  slotStatus,
  subjects,
  userIdentity,
} from "../git/index.ts";
import { filesMatcher } from "../plan/index.ts";
import type { Evidence } from "./evidence.ts";
import { secretIn } from "./secrets.ts";

const SCANNED_BYTES = 1024 * 1024;

export type Look = {
  task: Task;
  slot: SlotTree;
  branch: string;
  base: string;
  before: string | null;
  /** Tells files that graftwork copied in: never committed. */
  isCopied: (path: string) => boolean;
  /** Commit what the agent left uncommitted; off where the attempt failed anyway. */
  commit: boolean;
};

/**
 * Reads what an attempt left in its slot. Uncommitted work that belongs to the task is committed on its branch and
 * said so; files outside of what the task declares stay where they are (a release rescues them). The caller has ended
 * what worked in the slot.
 */
export async function lookAtSlot(repository: Repository, look: Look): Promise<Evidence> {
  const notes: string[] = [];
  const ref = `refs/heads/${look.branch}`;
  const nothing: Evidence = { base: look.base, before: look.before, tip: null, subjects: [], notes, secrets: [], unusable: null };
  const tip = await readRef(repository, ref);
  if (tip === undefined) return nothing;
  dropLocks(repository, look.slot);
  const head = await slotHead(repository, look.slot);
  if (head.branch !== look.branch) {
    const strayed = await followHead(repository, look.branch, tip, head.commit);
    if (strayed !== null)
      return { ...nothing, tip, unusable: `the slot is on ${head.branch ?? "a detached HEAD"} instead of ${look.branch}: ${strayed}` };
    notes.push(`its commits were made beside ${look.branch}, which was moved to them`);
  }
  const status = await slotStatus(repository, look.slot);
  if (status.unmerged) return { ...nothing, tip, unusable: "it left unmerged files" };
  const chosen = [...status.tracked, ...ours(look, status.untracked)];
  const secrets = chosen.flatMap((path) => secretIn(path, textOf(look.slot, path), status.tracked.includes(path)) ?? []);
  if (look.commit && chosen.length > 0 && secrets.length === 0 && head.branch === look.branch) {
    await commitInSlot(repository, look.slot, {
      paths: chosen,
      message: `${look.task.title}\n\nGraftwork-Task: ${look.task.id}\nCommitted by graftwork: the agent left it uncommitted.\n`,
      person: await userIdentity(repository),
    });
    notes.push(
      `committed what the agent left uncommitted: ${chosen.slice(0, 10).join(", ")}${chosen.length > 10 ? ` and ${chosen.length - 10} more` : ""}`,
    );
  }
  const now = (await readRef(repository, ref)) ?? tip;
  return { ...nothing, tip: now, subjects: await subjects(repository, look.base, now, 20), secrets: look.commit ? secrets : [] };
}

/** A detached HEAD that goes on from the branch is the agent's work all the same. Returns why it is not, else null. */
async function followHead(repository: Repository, branch: string, tip: string, head: string | null): Promise<string | null> {
  if (head === null) return "it has no commit";
  if (!(await isAncestor(repository, tip, head))) return "its commits do not continue the branch";
  const refused = await adoptCommit(repository, branch, tip, head);
  return refused ?? null;
}

function ours(look: Look, untracked: readonly string[]): string[] {
  const declared = look.task.files.length === 0 ? () => true : filesMatcher(look.task.files);
  return untracked.filter((path) => !look.isCopied(path) && declared(path));
}

function textOf(slot: SlotTree, path: string): string {
  const full = pathBytes(join(slot.path, path));
  const stat = lstatBelow(slot.path, path);
  return stat?.isFile() === true && stat.size <= SCANNED_BYTES ? readFileSync(full, "utf8") : "";
}
