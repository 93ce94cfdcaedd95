import { GraftworkError } from "../domain/index.ts";
import { listWorktrees, lostValues, newestBetween, type Oid, ownCommits, updateRefs } from "../git/index.ts";
import { backupPrefix, ownAmong, writePacket } from "../merge/index.ts";
import { existingStore, findSlot, releaseSlot } from "../pool/index.ts";
import { packetFolder, type RunFacts, type TaskFacts, viewPaths, writeCheckpoint } from "../session/index.ts";
import { deliveredBy } from "./candidates.ts";
import { baseNow, factsOf, type JobContext, taskOf } from "./job-context.ts";
import type { GroupStatus } from "./next-jobs.ts";

/** Writes what a person needs to decide on a task's conflict. */
export async function packet(context: JobContext, id: string): Promise<void> {
  const { run } = context.record;
  const onto = await baseNow(context);
  const known = factsOf(context, id);
  // The look at the target may have found it there.
  if (known.status !== "conflict") return;
  const folder = packetFolder(context.repository.root, run, id);
  const written = await writePacket(context.repository, {
    folder,
    run,
    task: id,
    title: taskOf(context, id).title,
    branch: known.branch ?? "",
    commit: known.personFor === "answer" ? null : known.commit,
    base: await newestBegin(context, known, onto),
    ...(known.personFor === "decision" && { evenIfClean: true as const }),
    target: context.facts().target,
    onto,
    reason: known.lastError ?? "",
    resolving: context.merging.resolving,
    ...(context.merging.secrets !== undefined && { secrets: context.merging.secrets }),
    tried: triedText(known),
    now: context.now(),
  });
  if (written) context.emit({ type: "packet", task: id, folder, onto });
  else context.emit({ type: "resolved", task: id, how: "commit", commit: known.commit, reason: "it merges by now" });
}

/** The newest commit behind the task's work that the target has lost; else where the work began. */
async function newestBegin(context: JobContext, { id, base, commit, decided }: TaskFacts, onto: Oid): Promise<Oid | null> {
  if (commit === null || base === null) return base;
  const { repository, facts } = context;
  const { target, seen } = facts();
  const lost = await lostValues(repository, target, onto, seen);
  const { foreign } = await ownCommits(repository, { commit, tip: onto, roots: lost.map(({ oid }) => oid) });
  const own = await ownAmong({ repository, delivered: deliveredBy(facts()) }, { task: id, base, tip: commit }, foreign, { lost });
  const known = [...lost.map(({ oid }) => oid), decided?.onto ?? base, base].filter((oid) => own.every((one) => one.commit !== oid));
  return (await newestBetween(repository, known, { after: onto, tip: commit })) ?? base;
}

function triedText({ tried, resolverLeft }: TaskFacts): string[] {
  return tried.flatMap((step) => {
    if (step === "rerun") return ["its agent did it again on the target as it was then"];
    return [resolverLeft === null ? "an agent resolved a conflict before this one" : `an agent was asked to resolve it: ${resolverLeft}`];
  });
}

/** Gives a task's slot back, and settles the branch of what has landed. */
export async function release(context: JobContext, id: string): Promise<void> {
  await releaseHeld(context, id);
  const { landed, branchSettled } = factsOf(context, id);
  if (landed === null || branchSettled) return;
  const { branch, branchTip } = landed;
  const keep = (reason: string): void => context.emit({ type: "branch-kept", task: id, branch, reason });
  if (!context.record.config.parallelization.autoCleanup) return keep("parallelization.auto_cleanup is off");
  const place = (await listWorktrees(context.repository)).find((worktree) => worktree.branch === `refs/heads/${branch}`);
  if (place !== undefined) return keep(`it is checked out in ${place.path}`);
  // The target may lose the work the next moment, and no branch holds it then.
  const kept = { ref: `${backupPrefix(context.record.run)}branch/${branchTip}`, set: branchTip };
  const refused = await updateRefs(
    context.repository,
    [...context.ownership.fence, { ref: `refs/heads/${branch}`, remove: true, old: branchTip }, kept],
    "merged",
  );
  if (refused === undefined) context.emit({ type: "branch-deleted", task: id, branch, commit: branchTip });
  else keep(refused);
}

async function releaseHeld(context: JobContext, id: string): Promise<void> {
  const { slot, token } = factsOf(context, id);
  if (slot === null) return;
  let rescue: string | null = null;
  try {
    // A killed session may have released it without saying so; the slot may be another task's by now.
    const held = findSlot(existingStore(context.repository).read().state, slot)?.lease?.token === token;
    if (held) rescue = (await releaseSlot(context.pool, { name: slot, ...(token === null ? {} : { token }) })).rescue?.id ?? null;
  } catch (error) {
    if (!(error instanceof GraftworkError)) throw error;
    context.emit({ type: "warning", task: id, text: `${slot} was not released cleanly: ${error.message} ${error.because}` });
  }
  context.emit({ type: "slot-released", task: id, slot, rescue });
}

/** Writes a group's checkpoint. */
export async function checkpoint(context: JobContext, group: number, status: GroupStatus): Promise<void> {
  const facts = context.facts();
  const begun = facts.groups.get(group);
  // The file is the group's last word: it counts the group as done before the journal does.
  const shown: RunFacts =
    begun === undefined ? facts : { ...facts, groups: new Map(facts.groups).set(group, { ...begun, checkpoint: status }) };
  await writeCheckpoint(viewPaths(context.repository.root).memory, {
    group,
    status,
    plan: facts.plan,
    decision: context.decision,
    facts: shown,
    now: context.now(),
  });
  context.emit({ type: "checkpoint", group, status });
}
