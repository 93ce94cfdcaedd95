import { buildBrief } from "../agents/index.ts";
import type { AgentSpec, LeasedSlot, Task } from "../domain/index.ts";
import { patchBetween } from "../git/index.ts";
import { copiedSecrets, copyMatcher, existingStore, mendLease, requireSlot, restartLease, treeOfSlot } from "../pool/index.ts";
import type { TaskFacts } from "../session/index.ts";
import { acquireForAttempt } from "./acquire-for-attempt.ts";
import { attemptInSlot } from "./attempt-in-slot.ts";
import { type DispatchContext, requireAgent } from "./context.ts";
import { lookAtSlot } from "./look-at-slot.ts";
import type { Neighbour } from "./neighbour.ts";
import { attemptRef, pinAttempt } from "./pin-attempt.ts";

const HINT_BYTES = 40_000;

/**
 * Makes one attempt of one task: takes a slot, writes the brief, runs the agent and judges what it left. A new branch
 * begins at `base`, the target's commit. A branch of an earlier attempt goes on at its tip, also if the slot was released
 * meanwhile; if it was deleted, it is made again. Emits nothing if the run is stopped before a slot is free. Throws
 * POOL_EXHAUSTED after `slotWaitMs`.
 */
export async function attemptTask(
  context: DispatchContext,
  task: Task,
  facts: TaskFacts,
  base: string,
  neighbours: readonly Neighbour[],
): Promise<void> {
  const { repository } = context;
  const attempt = facts.attempts + 1;
  const spec = requireAgent(context, task, task.agent ?? context.config.agents.default);
  const begun = performance.now();
  const leased = await leaseFor(context, task, facts, base);
  if (leased === null) return;
  const { lease } = leased;
  const slot = treeOfSlot(requireSlot(existingStore(repository).read().state, leased.id));
  const brief = buildBrief({
    template: context.templates.executor,
    task,
    attempt,
    slotPath: leased.path,
    branch: lease.branch,
    checks: context.checksFor(task),
    files: task.files,
    neighbours,
    conflicts: facts.conflictPaths,
    lastFailure: facts.lastError === null ? null : splitError(facts.lastError),
    leftOut: facts.leftOut,
    hint: facts.rerun === null ? null : await patchBetween(repository, facts.rerun.from, facts.rerun.to, HINT_BYTES),
  });
  await attemptInSlot(
    context,
    {
      task,
      attempt,
      spec,
      leased,
      base: lease.base,
      brief,
      resumeSession: sessionFor(context, task, facts, spec, leased),
      look: (commit, refsBefore) =>
        lookAtSlot(repository, {
          task,
          slot,
          branch: lease.branch,
          base: lease.base,
          before: facts.rerun === null ? facts.commit : null,
          isCopied: copyMatcher(context.pool),
          target: context.target,
          secrets: copiedSecrets(context.pool),
          commit,
          refsBefore,
          keepAt: attemptRef(context, task, attempt),
        }),
      settle: async (outcome) => {
        if (outcome.kind === "ready") await pinAttempt(context, task, attempt, outcome.commit);
        return outcome;
      },
    },
    begun,
  );
}

/**
 * Returns a slot on the task's own branch; null if the run was stopped while it waited. The lease's base is the commit at
 * which the task's work began.
 */
async function leaseFor(context: DispatchContext, task: Task, facts: TaskFacts, base: string): Promise<LeasedSlot | null> {
  const { rerun, branch, session } = facts;
  // If the branch was deleted, it is made again at the commit of the attempt before.
  const from = (rerun === null && branch !== null ? (facts.commit ?? facts.base) : null) ?? base;
  const prefer = session === null ? null : facts.lastSlot;
  const leased = await acquireForAttempt(context, { task: task.id, base: from, branch, prefer });
  if (leased === null) return null;
  await mendLease(context.pool, leased, from);
  if (rerun === null) {
    // Taken again, a lease begins at the branch's tip; the work began before.
    const isSame = branch === leased.lease.branch && facts.base !== null;
    return isSame ? withBase(leased, facts.base ?? base) : leased;
  }
  const keepTipAt = attemptRef(context, task, facts.attempts);
  await restartLease(context.pool, { slot: leased.id, token: leased.lease.token, to: base, keepTipAt });
  return withBase(leased, base);
}

function withBase(leased: LeasedSlot, base: string): LeasedSlot {
  return { ...leased, lease: { ...leased.lease, base } };
}

/** The conversation to go on with. A client finds it only in the folder that it was begun in. */
function sessionFor(context: DispatchContext, task: Task, facts: TaskFacts, spec: AgentSpec, leased: LeasedSlot): string | null {
  if (facts.rerun !== null || facts.session === null || spec.resume === null) return null;
  if (leased.id === facts.lastSlot) return facts.session;
  context.pool.narrate(`${task.id}: its agent begins a new conversation, since it has ${leased.id} now instead of ${facts.lastSlot}`);
  return null;
}

function splitError(text: string): { reason: string; excerpt: string } {
  const end = text.indexOf("\n");
  return end < 0 ? { reason: text, excerpt: "" } : { reason: text.slice(0, end), excerpt: text.slice(end + 1) };
}
