import { join } from "node:path";
import { type Config, EXIT, type ExitCode, GraftworkError, type RunEvent, worstExit } from "../domain/index.ts";
import { currentBranch, dangerousConfig, readRef, requireCommit, userIdentity } from "../git/index.ts";
import { type Candidate, type MergeContext, mergeApproved } from "../merge/index.ts";
import { existingStore, type PoolContext, poolStatus } from "../pool/index.ts";
import { packageChecks, verifyCommit } from "../qa/index.ts";
import { withMutex } from "../state/index.ts";

export type ByHand = { context: PoolContext; config: Config; into: string | null; signal: AbortSignal; onLine: (line: string) => void };
export type ByHandResult = { merged: string[]; failed: { branch: string; reason: string }[]; exit: ExitCode };

/**
 * Merges the branches of the busy slots into a target without a run: in slot order, each verified as `graftwork qa`
 * would, then all of them together. Slots stay leased. A slot with unsaved work is reported, not called merged.
 */
export async function mergeByHand({ context, config, into, signal, onLine }: ByHand): Promise<ByHandResult> {
  const { repository } = context;
  const target = into ?? (await currentBranch(repository, repository.root));
  if (target === null)
    throw new GraftworkError("REF_UNKNOWN", {
      message: "There is no target branch.",
      because: "HEAD is detached and none was named.",
      try: "`pool-manager merge main`.",
    });
  const base = await requireCommit(repository, `refs/heads/${target}`);
  if (config.qa.checks.length === 0 && (await packageChecks(repository, base)).length === 0) {
    throw new GraftworkError("NO_CHECKS", {
      message: "Nothing says how to tell good work from bad.",
      because: "the configuration has no `qa.checks` and package.json none of the scripts typecheck, lint, test, build.",
      try: "set `qa.checks: [npm test]` (or what your project uses) in .claude/auto-context.yaml.",
    });
  }
  existingStore(repository);
  return withMutex(join(repository.layout.root, "merge"), () => mergeSlots({ context, config, into, signal, onLine }, target), {
    timeoutMs: 1_000,
  });
}

async function mergeSlots({ context, config, signal, onLine }: ByHand, target: string): Promise<ByHandResult> {
  const { repository, run } = context;
  const result: ByHandResult = { merged: [], failed: [], exit: EXIT.ok };
  const exits: ExitCode[] = [];
  const fail = (branch: string, reason: string, exit: ExitCode): void => {
    result.failed.push({ branch, reason });
    exits.push(exit);
  };
  const qa = {
    repository,
    run,
    logs: join(repository.layout.root, "logs", run),
    settings: config.qa,
    checksFor: () => [],
    now: context.now,
  };
  const candidates: Candidate[] = [];
  for (const slot of (await poolStatus(context)).slots) {
    const { lease } = slot;
    if (slot.status !== "busy" || lease === null) continue;
    const commit = await readRef(repository, `refs/heads/${lease.branch}`);
    if (commit === undefined) fail(lease.branch, "the branch is gone", EXIT.refused);
    else if ((slot.unsaved ?? 0) > 0)
      fail(lease.branch, `${slot.id} has unsaved work in ${slot.unsaved} file(s): commit it first`, EXIT.refused);
    else if (commit === lease.base) fail(lease.branch, "nothing was committed on it", EXIT.refused);
    else candidates.push({ task: lease.task, title: lease.task, branch: lease.branch, commit, dependsOn: [] });
  }
  const branchOf = new Map(candidates.map((one) => [one.task, one.branch]));
  const approved: Candidate[] = [];
  const onto = await requireCommit(repository, `refs/heads/${target}`);
  for (const candidate of candidates) {
    const verification = await verifyCommit(qa, {
      label: candidate.task,
      tasks: [candidate.task],
      commit: candidate.commit,
      base: onto,
      signal,
      onProgress: onLine,
    });
    if (verification.decision === "approved") approved.push(candidate);
    else if (verification.decision === "conflict") fail(candidate.branch, `conflict in ${verification.paths.join(", ")}`, EXIT.person);
    else fail(candidate.branch, verification.reason, verification.decision === "blocked" ? EXIT.person : EXIT.refused);
  }
  const merging: MergeContext = {
    repository,
    run,
    target,
    person: await userIdentity(repository),
    verify: (request) => verifyCommit(qa, request),
    emit: (event: RunEvent) => {
      if (event.type === "conflict")
        fail(
          branchOf.get(event.task) ?? event.task,
          `conflict in ${event.paths.join(", ")}${event.against.length === 0 ? "" : ` with ${event.against.join(", ")}`}`,
          EXIT.person,
        );
      if (event.type === "ejected") fail(branchOf.get(event.task) ?? event.task, event.reason, EXIT.refused);
      if (event.type === "landed") result.merged.push(...event.tasks.map((one) => one.branch));
      if (event.type === "landing-waits")
        for (const one of event.tasks) fail(one.branch, `${event.reason}; take it with: ${event.command}`, EXIT.person);
    },
    fence: [],
    trustedConfig: await dangerousConfig(repository),
    narrate: onLine,
    signal,
  };
  const { result: end } = await mergeApproved(merging, approved, null);
  if (end.kind === "blocked") for (const one of approved) fail(one.branch, end.reason, EXIT.person);
  if (end.kind === "moved") for (const one of approved) fail(one.branch, `${target} moved each time`, EXIT.refused);
  return { ...result, exit: worstExit(exits) };
}
