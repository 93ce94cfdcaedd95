import { existsSync } from "node:fs";
import type { Lease } from "../domain/index.ts";
import type { Worktree } from "../git/index.ts";
import { livenessOf } from "../subprocess/index.ts";
import { folderIdentity } from "./context.ts";
import type { SlotRecord } from "./pool-state.ts";

export type SlotFindingKind =
  | "half-done"
  | "owner-gone"
  | "folder-missing"
  | "folder-replaced"
  | "slot-not-registered"
  | "slot-not-locked"
  | "wrong-branch"
  | "branch-missing"
  | "quarantined";

export type SlotFinding = { kind: SlotFindingKind; subject: string; text: string; repair: string };

/** Pure but for looking at the slot's folder. At most one finding a slot makes the later ones needless. */
export function examineSlot(
  slot: SlotRecord,
  worktrees: readonly Worktree[],
  branches: ReadonlySet<string>,
  isOver: (lease: Lease) => boolean,
): SlotFinding[] {
  const say = (kind: SlotFindingKind, text: string, repair: string): SlotFinding[] => [
    { kind, subject: slot.id, text: `${slot.id}: ${text}`, repair },
  ];
  if (slot.status === "preparing" || slot.status === "releasing") {
    return slot.worker !== null && livenessOf(slot.worker) === "dead"
      ? say("half-done", `a process that is gone left it ${slot.status}`, "finish or undo it")
      : [];
  }
  if (!existsSync(slot.path)) return say("folder-missing", `its folder ${slot.path} is gone`, "make the slot anew; its branch is kept");
  if (slot.folder !== null && folderIdentity(slot.path) !== slot.folder)
    return say("folder-replaced", "another folder is in its place", "move that folder to the trash and make the slot anew");
  const registered = worktrees.find((worktree) => worktree.path === slot.path);
  if (registered === undefined)
    return say("slot-not-registered", "git does not know it any more", "move the folder to the trash and make the slot anew");
  const found: SlotFinding[] = [];
  if (registered.locked === null)
    found.push(
      ...say(
        "slot-not-locked",
        "its worktree is not locked, so `git worktree prune` could remove it",
        "make the slot anew when it is idle",
      ),
    );
  if (slot.status === "quarantined")
    return [...found, ...say("quarantined", `it is quarantined: ${slot.lastError ?? "no reason recorded"}`, "save and clear it again")];
  if (slot.lease === null) return found;
  if (isOver(slot.lease)) {
    const why = slot.lease.owner.kind === "shell" ? "the time of its lease has passed" : "its owner is gone";
    found.push(...say("owner-gone", `${why} (task ${slot.lease.task})`, "rescue its work and release it; the branch is kept"));
  }
  if (!branches.has(`refs/heads/${slot.lease.branch}`))
    found.push(...say("branch-missing", `branch ${slot.lease.branch} was deleted`, "rescue its commits and release it"));
  else if (registered.branch !== `refs/heads/${slot.lease.branch}`)
    found.push(
      ...say(
        "wrong-branch",
        `it is on ${registered.branch ?? "no branch"} instead of ${slot.lease.branch}`,
        "commit ids decide what lands; release it when the task is done",
      ),
    );
  return found;
}
