import type { LeasedSlot, Outcome, Task } from "../domain/index.ts";
import { stageTree } from "../git/index.ts";
import { copiedSecrets, copyMatcher, existingStore, mendLease, requireSlot, restartLease, sweepLease, treeOfSlot } from "../pool/index.ts";
import type { TaskFacts } from "../session/index.ts";
import { acquireForAttempt } from "./acquire-for-attempt.ts";
import { attemptInSlot } from "./attempt-in-slot.ts";
import { type DispatchContext, requireAgent } from "./context.ts";
import { type Evidence, outcomeOf } from "./evidence.ts";
import type { RefsBefore } from "./follow-head.ts";
import { lookAtSlot } from "./look-at-slot.ts";
import { attemptRef } from "./pin-attempt.ts";

/** A conflict for an agent to resolve, as the caller learned it from the merge. */
export type ConflictWork = {
  /** The task's commit, and the target's that it collides with. */
  commit: string;
  onto: string;
  /** The tree that the agent finds, with the conflicted files marked. */
  tree: string;
  /** The conflicted files. */
  paths: readonly string[];
  brief: (slot: { path: string; branch: string }) => string;
  /**
   * Takes the branch's tip as the agent left it: the merge commit that the branch points to then, with what a person
   * should look at in it, or why it is of no use.
   */
  accept: (made: {
    branch: string;
    tip: string;
    agent: string;
    /** The ref for the agent's own commit. */
    keepTipAt: string;
  }) => Promise<{ kind: "accepted"; commit: string; findings: readonly string[] } | { kind: "refused"; why: string }>;
};

/** So many findings about a resolution are said by name. */
const MOST_FINDINGS = 5;

/** One task's conflict and the agent that is to resolve it. */
export type ConflictAttempt = { task: Task; facts: TaskFacts; work: ConflictWork; agent: string };

/**
 * Makes one attempt of a resolver agent, in a slot on the task's branch; what is of no use is kept beside the branch.
 * Waits for a slot as `attemptTask` does.
 */
export async function attemptResolution(context: DispatchContext, one: ConflictAttempt): Promise<void> {
  const { task, facts, work, agent } = one;
  const attempt = facts.attempts + 1;
  const spec = requireAgent(context, task, agent);
  const begun = performance.now();
  const leased = await acquireForAttempt(context, { task: task.id, base: work.commit, branch: facts.branch, prefer: null });
  if (leased === null) return;
  await mendLease(context.pool, leased, work.commit);
  const { branch, base } = leased.lease;
  await putBack(context, one, leased, facts.attempts);
  await stageTree(context.repository, slotOf(context, leased.id), work.tree);
  const settle = async (outcome: Outcome, { tip }: Evidence): Promise<Outcome> => {
    if (outcome.kind === "interrupted" || outcome.kind === "rate-limited") return outcome;
    const settled = outcome.kind === "ready" ? await accepted(context, one, outcome, { branch, attempt }) : outcome;
    if (settled.kind === "ready") return settled;
    const kept = tip === null ? [] : await putBack(context, one, leased, attempt);
    return kept.length === 0 || !("reason" in settled)
      ? settled
      : { ...settled, reason: `${settled.reason} (kept as ${kept.join(" and ")})` };
  };
  const look = (commit: boolean, refsBefore: RefsBefore): Promise<Evidence> =>
    lookAt(context, one, { slot: leased.id, branch, attempt, commit, refsBefore });
  const brief = work.brief({ path: leased.path, branch });
  const ready = { task, attempt, spec, leased, base: facts.base ?? base, brief, resolves: work.onto, resumeSession: null, look, settle };
  await attemptInSlot(context, ready, begun);
}

/**
 * Settles the attempt of a resolver agent whose coordinator died. A whole resolution that the agent had committed is
 * judged. Anything else is saved, and the next attempt gets the conflict again.
 */
export async function settleResolution(context: DispatchContext, one: ConflictAttempt): Promise<void> {
  const { task, facts } = one;
  const record = existingStore(context.repository)
    .read()
    .state.slots.find((slot) => slot.id === facts.slot);
  const mine = record?.lease?.token === facts.token && record?.lease?.run === context.run;
  let outcome: Outcome = { kind: "interrupted", reason: "the coordinator died while the agent was at work" };
  if (record?.lease != null && mine && facts.branch !== null) {
    await sweepLease({ id: record.id, path: record.path, lease: record.lease });
    const evidence = await lookAt(context, one, {
      slot: record.id,
      branch: facts.branch,
      attempt: facts.attempts,
      commit: false,
      refsBefore: null,
    });
    const found = outcomeOf({ kind: "claims-success" }, evidence, { lastWords: "" });
    const made = { branch: facts.branch, attempt: facts.attempts };
    const settled = found.kind === "ready" ? await accepted(context, one, found, made) : found;
    if (settled.kind === "ready") outcome = { ...settled, notes: ["the coordinator died; what the agent had committed is judged"] };
  }
  context.emit({ type: "attempt-ended", task: task.id, attempt: facts.attempts, outcome, session: null, usage: null, durationMs: 0 });
}

/** Reads what a resolver agent left. Only the conflicted files are its work; a rescue saves the rest. */
function lookAt(
  context: DispatchContext,
  { task, work }: ConflictAttempt,
  made: { slot: string; branch: string; attempt: number; commit: boolean; refsBefore: RefsBefore },
): Promise<Evidence> {
  const isCopied = copyMatcher(context.pool);
  const paths = new Set(work.paths);
  return lookAtSlot(context.repository, {
    task: { ...task, files: [] },
    slot: slotOf(context, made.slot),
    branch: made.branch,
    base: work.commit,
    before: null,
    isCopied: (path) => isCopied(path) || !paths.has(path),
    commit: made.commit,
    refsBefore: made.refsBefore,
    keepAt: attemptRef(context, task, made.attempt),
    target: context.target,
    secrets: copiedSecrets(context.pool),
    resolves: true,
  });
}

async function accepted(
  context: DispatchContext,
  { task, work, agent }: ConflictAttempt,
  outcome: Extract<Outcome, { kind: "ready" }>,
  { branch, attempt }: { branch: string; attempt: number },
): Promise<Outcome> {
  const answer = await work.accept({ branch, agent, tip: outcome.commit, keepTipAt: refOf(context, task, attempt) });
  if (answer.kind === "accepted") {
    const { findings } = answer;
    const more = findings.length > MOST_FINDINGS ? `; and ${findings.length - MOST_FINDINGS} more` : "";
    const said = `${findings.slice(0, MOST_FINDINGS).join("; ")}${more}`;
    if (said !== "") context.emit({ type: "warning", task: task.id, text: `merged by the agent ${agent}, and the proof says of ${said}` });
    return { ...outcome, commit: answer.commit };
  }
  return { kind: "failed", failure: "not-resolved", reason: answer.why, retry: false };
}

/** Puts slot and branch back to the task's own commit. Returns the names under which other work was kept. */
async function putBack(
  context: DispatchContext,
  { task, work }: ConflictAttempt,
  { id, lease }: LeasedSlot,
  attempt: number,
): Promise<string[]> {
  const keepTipAt = refOf(context, task, attempt);
  const { rescue, kept } = await restartLease(context.pool, { slot: id, token: lease.token, to: work.commit, keepTipAt });
  return [...(kept ? [keepTipAt] : []), ...(rescue === undefined ? [] : [`rescue ${rescue.id}`])];
}

/** Returns the ref that keeps the commit of a resolver agent, beside those of the task's own attempts. */
function refOf(context: DispatchContext, task: Task, attempt: number): string {
  return `${attemptRef(context, task, attempt)}-resolver`;
}

function slotOf(context: DispatchContext, id: string): ReturnType<typeof treeOfSlot> {
  return treeOfSlot(requireSlot(existingStore(context.repository).read().state, id));
}
