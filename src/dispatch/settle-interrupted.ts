import { existsSync } from "node:fs";
import type { Outcome, Task } from "../domain/index.ts";
import { readRef, subjects, treeOf } from "../git/index.ts";
import { acquireSlot, copiedSecrets, copyMatcher, existingStore, mendLease, restartLease, sweepLease, treeOfSlot } from "../pool/index.ts";
import type { TaskFacts } from "../session/index.ts";
import type { DispatchContext } from "./context.ts";
import { type Evidence, outcomeOf } from "./evidence.ts";
import { lookAtSlot } from "./look-at-slot.ts";
import { attemptRef, pinAttempt } from "./pin-attempt.ts";

/**
 * Settles an attempt whose coordinator died. Ends what still runs for it. If the agent had committed work, that work is
 * ready for QA, also if the slot was given back meanwhile. Otherwise unsaved work is rescued, and the attempt starts over
 * in a clean slot.
 */
export async function settleInterrupted(context: DispatchContext, task: Task, facts: TaskFacts): Promise<void> {
  const { repository } = context;
  const record = existingStore(repository)
    .read()
    .state.slots.find((slot) => slot.id === facts.slot);
  const mine = record !== undefined && record.lease?.token === facts.token && record.lease.run === context.run;
  if (record?.lease != null && mine) await sweepLease({ id: record.id, path: record.path, lease: record.lease });
  const { branch, base } = facts;
  if (branch === null || base === null) return end(context, task, facts, INTERRUPTED);
  const evidence =
    record === undefined || !mine || !existsSync(record.path)
      ? await lookAtBranch(context, facts, branch, base)
      : await lookAtSlot(repository, {
          task,
          slot: treeOfSlot(record),
          branch,
          base,
          before: facts.commit,
          isCopied: copyMatcher(context.pool),
          target: context.target,
          secrets: copiedSecrets(context.pool),
          commit: false,
          refsBefore: null,
          keepAt: attemptRef(context, task, facts.attempts),
        });
  const found = outcomeOf({ kind: "claims-success" }, evidence, { lastWords: "" });
  if (found.kind === "ready") {
    await pinAttempt(context, task, facts.attempts, found.commit);
    return end(context, task, facts, { ...found, notes: ["the coordinator died; what the agent had committed is judged"] });
  }
  if (mine) {
    const to = evidence.tip ?? facts.commit ?? base;
    const leased = await acquireSlot(context.pool, { task: task.id });
    await mendLease(context.pool, leased, to);
    await restartLease(context.pool, { slot: leased.id, token: leased.lease.token, to, keepTipAt: null });
  }
  return end(context, task, facts, INTERRUPTED);
}

const INTERRUPTED: Outcome = { kind: "interrupted", reason: "the coordinator died while the agent was at work" };

/** Reads the work of a task that has no slot any more: what is not on its branch was rescued when the slot was given back. */
async function lookAtBranch({ repository }: DispatchContext, facts: TaskFacts, branch: string, base: string): Promise<Evidence> {
  const tip = (await readRef(repository, `refs/heads/${branch}`)) ?? null;
  const isSame = async (than: string): Promise<boolean> =>
    tip !== null && (await treeOf(repository, tip)) === (await treeOf(repository, than));
  const same = (await isSame(base)) ? "base" : facts.commit !== null && (await isSame(facts.commit)) ? "before" : null;
  const ofCommits = tip === null ? [] : await subjects(repository, base, tip, 20);
  const nothing = { notes: [], leftOut: [], beside: null, secrets: [], unusable: null };
  return { ...nothing, base, before: facts.commit, tip, same, subjects: ofCommits };
}

function end({ emit }: DispatchContext, task: Task, { attempts }: TaskFacts, outcome: Outcome): void {
  emit({ type: "attempt-ended", task: task.id, attempt: attempts, outcome, session: null, usage: null, durationMs: 0 });
}
