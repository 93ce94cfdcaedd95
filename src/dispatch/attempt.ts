import { buildBrief } from "../agents/index.ts";
import type { LeasedSlot, Task } from "../domain/index.ts";
import { patchBetween } from "../git/index.ts";
import { acquireSlot, copyMatcher, existingStore, requireSlot, restartLease, treeOfSlot } from "../pool/index.ts";
import type { TaskFacts } from "../session/index.ts";
import { attemptInSlot } from "./attempt-in-slot.ts";
import { type DispatchContext, requireAgent } from "./context.ts";
import { lookAtSlot } from "./look-at-slot.ts";
import type { Neighbour } from "./neighbour.ts";
import { pinAttempt } from "./pin-attempt.ts";

const HINT_BYTES = 40_000;

/** One attempt of one task: lease, brief, agent, evidence. `base` is the target as it stands, for a new branch. */
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
      resumeSession: facts.rerun === null ? facts.session : null,
      look: (commit) =>
        lookAtSlot(repository, {
          task,
          slot,
          branch: lease.branch,
          base: lease.base,
          before: facts.rerun === null ? facts.commit : null,
          isCopied: copyMatcher(context.pool),
          commit,
        }),
      settle: async (outcome) => {
        if (outcome.kind === "ready") await pinAttempt(context, task, attempt, outcome.commit);
        return outcome;
      },
    },
    begun,
  );
}

async function leaseFor(context: DispatchContext, task: Task, facts: TaskFacts, base: string): Promise<LeasedSlot> {
  const leased = await acquireSlot(context.pool, { task: task.id, base });
  if (facts.rerun === null) return leased;
  const keepTipAt = `refs/graftwork/attempts/${context.run}/${task.id}/${facts.attempts}`;
  await restartLease(context.pool, { slot: leased.id, token: leased.lease.token, to: base, keepTipAt });
  return { ...leased, lease: { ...leased.lease, base } };
}

function splitError(text: string): { reason: string; excerpt: string } {
  const end = text.indexOf("\n");
  return end < 0 ? { reason: text, excerpt: "" } : { reason: text.slice(0, end), excerpt: text.slice(end + 1) };
}
