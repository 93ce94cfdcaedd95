import { join } from "node:path";
import {
  type Config,
  EXIT,
  type ExitCode,
  GraftworkError,
  type Plan,
  type RunEvent,
  type Verdict,
  type Verify,
  worstExit,
} from "../domain/index.ts";
import { dangerousConfig, isAncestor, mergeTrees, type Oid, requireCommit, userIdentity } from "../git/index.ts";
import { buildTrain, type Candidate, type MergeContext, mergeApproved, resolvingOf, verifyResolved } from "../merge/index.ts";
import { existingStore, type PoolContext } from "../pool/index.ts";
import { packageChecks, verifyCommit } from "../qa/index.ts";
import { withMutex } from "../state/index.ts";
import { handOrder, heldBack, type LeftOut, offeredBranches, targetOf } from "./offered-branches.ts";

export type ByHand = {
  context: PoolContext;
  config: Config;
  into: string | null;
  /** Gives the dependencies of the slots' tasks; null: those of the run that they belong to, if any. */
  /** Tasks or slots; none means all that are busy. */
  only: readonly string[];
  /** Null: as configured. */
  strategy: MergeContext["strategy"] | null;
  plan: Plan | null;
  verify: boolean;
  signal: AbortSignal;
  onLine: (line: string) => void;
};
export type FailedBranch = {
  branch: string;
  reason: string;
  /** The tasks that hold it back, where nothing else does. */
  waitsFor: readonly string[];
  /** The live run that is at work on it. */
  run: string | null;
  /** How to go on, where the reason does not say so. */
  next: string | null;
  /** The relevant last lines of the check that failed, and the absolute path of its whole output. */
  excerpt: string | null;
  log: string | null;
};
export type ByHandResult = {
  merged: string[];
  /** In the target before, so nothing was done about them. */
  already: string[];
  failed: FailedBranch[];
  exit: ExitCode;
};

/**
 * Merges the branches of the busy slots into a target without a run: in slot order, or as a plan has them depend on each
 * other, each verified alone and then all of them together. Slots stay leased. A slot with unsaved work is reported, not called merged. With `verify` off
 * nothing is checked, and that is said.
 */
export async function mergeByHand(request: ByHand): Promise<ByHandResult> {
  const { context, config } = request;
  const { repository } = context;
  existingStore(repository);
  const { target, base } = await targetOf(context, request.into);
  const checkable = config.qa.checks.length > 0 || (await packageChecks(repository, base)).length > 0;
  if (request.verify && !checkable) throw noChecks();
  const place = join(repository.layout.root, "merge");
  let begun = false;
  const work = (): Promise<ByHandResult> => {
    begun = true;
    return mergeSlots(request, target);
  };
  return withMutex(place, work, { timeoutMs: 1_000 }).catch((error: unknown) => {
    throw !begun && error instanceof GraftworkError && error.code === "LOCK_TIMEOUT" ? mergeUnderWay(error) : error;
  });
}

function mergeUnderWay({ because }: GraftworkError): GraftworkError {
  return new GraftworkError("LOCK_TIMEOUT", {
    message: "Another merge by hand is under way in this repository.",
    because,
    try: "the same command again when it has ended.",
  });
}

async function mergeSlots(request: ByHand, target: string): Promise<ByHandResult> {
  const { context, signal, onLine } = request;
  const { repository, run } = context;
  // Another merge may have moved it while this one waited for its turn.
  const base = await requireCommit(repository, `refs/heads/${target}`);
  const result: ByHandResult = { merged: [], already: [], failed: [], exit: EXIT.ok };
  const exits: ExitCode[] = [];
  type More = Partial<Pick<FailedBranch, "next" | "excerpt" | "log">>;
  const leave = ({ branch, reason, exit, waitsFor, run: of }: Omit<LeftOut, "task">, more: More = {}): void => {
    result.failed.push({ branch, reason, waitsFor, run: of, next: null, excerpt: null, log: null, ...more });
    exits.push(exit);
  };
  const fail = (branch: string, reason: string, exit: ExitCode, more: More = {}): void =>
    leave({ branch, reason, exit, waitsFor: [], run: null }, more);
  const inSlot = (branch: string, work: string): More => {
    const slot = existingStore(repository)
      .read()
      .state.slots.find(({ lease }) => lease?.branch === branch);
    const where = slot === undefined ? `on ${branch}` : `in ${slot.id} (${slot.path})`;
    return { next: `${where}: \`git merge ${target}\`, ${work}, \`git commit\`; then the same command again` };
  };
  const verdicts: Verdict[] = [];
  const strategy = request.strategy ?? request.config.merge.strategy;
  const all = await offeredBranches(context, { given: request.plan, only: request.only, base, strategy });
  for (const one of all.left) leave(one);
  result.already.push(...all.already);
  // In slot order nothing has to be predicted.
  const offered = all.plan === null ? all.candidates : (await handOrder(context, { target, base }, all)).order;
  const branchOf = (task: string): string => offered.find((one) => one.task === task)?.branch ?? task;
  const merging: MergeContext = {
    repository,
    run,
    target,
    person: await userIdentity(repository),
    verify: verifierOf(request),
    slots: request.config.qa.slots,
    resolving: resolvingOf(request.config, signal),
    strategy,
    emit: (event: RunEvent) => {
      if (event.type === "conflict") {
        const branch = branchOf(event.task);
        const reason = event.reason ?? `conflict in ${event.paths.join(", ")} with ${event.against.join(", ") || target}`;
        fail(branch, reason, EXIT.person, inSlot(branch, event.reason === undefined ? "resolve it" : "bring back what is missing"));
      }
      if (event.type === "train-verdict") verdicts.push(event.verdict);
      if (event.type === "ejected") {
        const verdict = verdicts.findLast((one) => failedCheck(one).excerpt === event.excerpt);
        fail(branchOf(event.task), event.reason, EXIT.refused, verdict === undefined ? {} : failedCheck(verdict));
      }
      if (event.type === "landed") result.merged.push(...event.tasks.map((one) => one.branch));
      if (event.type === "landing-waits")
        for (const one of event.tasks)
          fail(one.branch, `${event.reason}; take it with: ${event.command}`, EXIT.person, {
            next: `${target} has not moved: put right what is in the way, then that command, or the same merge again`,
          });
    },
    fence: [],
    trustedConfig: await dangerousConfig(repository),
    narrate: onLine,
    signal,
  };
  const verify = verifyResolved(merging);
  const approved: Candidate[] = [];
  const isOut = ({ branch }: { branch: string }): boolean => result.failed.some((one) => one.branch === branch);
  const failWaiting = (one: Candidate): boolean => {
    const missing = offered.find((other) => one.dependsOn.includes(other.task) && isOut(other));
    if (missing === undefined || isOut(one) || result.merged.includes(one.branch)) return false;
    leave(heldBack(one, missing.task));
    return true;
  };
  for (const one of offered) {
    if (failWaiting(one)) continue;
    const commit = await judgedCommit(merging, one, base);
    const verification = await verify({ label: one.task, tasks: [one.task], commit, base, signal, onProgress: onLine });
    if (verification.decision === "approved") approved.push(one);
    else if (verification.decision === "conflict")
      fail(one.branch, `conflict in ${verification.paths.join(", ")}`, EXIT.person, inSlot(one.branch, "resolve it"));
    else fail(one.branch, verification.reason, verification.decision === "blocked" ? EXIT.person : EXIT.refused, failedCheck(verification));
  }
  const { result: end } = await mergeApproved(merging, approved, null);
  if (end.kind === "blocked") for (const one of approved) fail(one.branch, end.reason, EXIT.person);
  if (end.kind === "moved") for (const one of approved) fail(one.branch, `${target} moved each time`, EXIT.refused);
  for (const one of approved) failWaiting(one);
  return { ...result, exit: worstExit(exits) };
}

function failedCheck({ checks }: Verdict): { excerpt: string | null; log: string | null } {
  const failed = checks.find(({ state }) => state === "failed");
  return { excerpt: failed?.excerpt ?? null, log: failed?.log ?? null };
}

/** Of a branch that goes on from squashed work, its own changes on the target: the whole of it collides with itself. */
async function judgedCommit(merging: MergeContext, one: Candidate, base: Oid): Promise<Oid> {
  if (merging.strategy === "merge" || one.base === undefined || (await isAncestor(merging.repository, one.base, base))) return one.commit;
  const { steps } = await buildTrain(merging, { base, steps: [], tip: base, out: new Set() }, [one]);
  return steps[0]?.merge ?? one.commit;
}

function verifierOf({ context, config, verify, onLine }: ByHand): Verify {
  const { repository, run, now } = context;
  if (verify)
    return (asked) =>
      verifyCommit(
        {
          repository,
          run,
          logs: join(repository.layout.root, "logs", run),
          settings: config.qa,
          setEnv: config.pool.env,
          checksFor: () => [],
          now,
        },
        asked,
      );
  onLine("WARNING: nothing is verified (--no-verify)");
  return async ({ label, commit, base }) => {
    const merged = await mergeTrees(repository, base, commit);
    if (!merged.clean) return { decision: "conflict", label, commit, base, paths: merged.paths };
    return {
      decision: "approved",
      label,
      commit,
      base,
      tree: merged.tree,
      key: "none",
      reason: "not verified (--no-verify)",
      checks: [],
      install: "none",
      at: now().toISOString(),
    };
  };
}

function noChecks(): GraftworkError {
  return new GraftworkError("NO_CHECKS", {
    message: "Nothing says how to tell good work from bad.",
    because: "the configuration has no `qa.checks` and package.json none of the scripts typecheck, lint, test, build.",
    try: "set `qa.checks: [npm test]` (or what your project uses) in .claude/auto-context.yaml, or `--no-verify` to merge unchecked.",
  });
}
