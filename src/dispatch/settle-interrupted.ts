import type { Task } from "../domain/index.ts";
import { acquireSlot, copyMatcher, existingStore, restartLease, sweepLease, treeOfSlot } from "../pool/index.ts";
import type { TaskFacts } from "../session/index.ts";
import type { DispatchContext } from "./context.ts";
import { type Evidence, outcomeOf } from "./evidence.ts";
import { lookAtSlot } from "./look-at-slot.ts";
import { pinAttempt } from "./pin-attempt.ts";

/**
 * An attempt whose coordinator died: what still runs is ended. Committed work is kept and judged as it is; without
 * any, the attempt is begun anew from a clean slot (unsaved work is rescued).
 */
export async function settleInterrupted(context: DispatchContext, task: Task, facts: TaskFacts): Promise<void> {
  const { repository, emit } = context;
  const record = existingStore(repository)
    .read()
    .state.slots.find((slot) => slot.id === facts.slot);
  const mine = record !== undefined && record.lease?.token === facts.token && record.lease.run === context.run;
  if (record?.lease != null && mine) await sweepLease({ id: record.id, path: record.path, lease: record.lease });
  const evidence: Evidence | undefined =
    record !== undefined && mine && facts.branch !== null && facts.base !== null
      ? await lookAtSlot(repository, {
          task,
          slot: treeOfSlot(record),
          branch: facts.branch,
          base: facts.base,
          before: facts.commit,
          isCopied: copyMatcher(context.pool),
          commit: false,
        })
      : undefined;
  const found = evidence === undefined ? undefined : outcomeOf({ kind: "claims-success" }, evidence, { lastWords: "" });
  if (found?.kind === "ready") {
    await pinAttempt(context, task, facts.attempts, found.commit);
    emit({
      type: "attempt-ended",
      task: task.id,
      attempt: facts.attempts,
      outcome: { ...found, notes: ["the coordinator died; what the agent had committed is judged"] },
      session: null,
      usage: null,
      durationMs: 0,
    });
    return;
  }
  if (record !== undefined && mine && facts.base !== null) {
    const leased = await acquireSlot(context.pool, { task: task.id });
    await restartLease(context.pool, { slot: leased.id, token: leased.lease.token, to: evidence?.tip ?? facts.base, keepTipAt: null });
  }
  emit({
    type: "attempt-ended",
    task: task.id,
    attempt: facts.attempts,
    outcome: { kind: "interrupted", reason: "the coordinator died while the agent was at work" },
    session: null,
    usage: null,
    durationMs: 0,
  });
}
