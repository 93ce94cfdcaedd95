import { join } from "node:path";
import {
  type Check,
  type Config,
  EXIT,
  type ExitCode,
  GraftworkError,
  type JudgedCheck,
  type Plan,
  type RunEvent,
  type Verdict,
  type Verify,
  worstExit,
} from "../domain/index.ts";
import { dangerousConfig, type Oid, type Repository, requireCommit, treeOf, userIdentity, withMergeAttributes } from "../git/index.ts";
import { type Candidate, type MergeContext, mergeApproved, resolvingOf, type TrainConflict, verifyOne } from "../merge/index.ts";
import { checksOf, type TreeTasks } from "../plan/index.ts";
import { copiedSecrets, existingStore, type PoolContext } from "../pool/index.ts";
import { packageChecks, verifyCommit } from "../qa/index.ts";
import { withMutex } from "../state/index.ts";
import { commandFiles } from "../trust/index.ts";
import { keepHandLanding } from "./hand-landings.ts";
import { handOrder, heldBack, type LeftOut, type Offered, offeredBranches, targetOf } from "./offered-branches.ts";

export type ByHand = {
  context: PoolContext;
  config: Config;
  into: string | null;
  /** Tasks or slots; none means all that are busy. */
  only: readonly string[];
  /** Null: as configured. */
  strategy: MergeContext["strategy"] | null;
  /** Says what the slots' tasks depend on; null: the plan of the run that they belong to, if there is one. */
  plan: Plan | null;
  verify: boolean;
  /** Let protected changes in: who calls has seen them. */
  letsIn: boolean;
  signal: AbortSignal;
  onLine: (line: string) => void;
};
export type FailedBranch = {
  branch: string;
  reason: string;
  /** The tasks that hold it back; none if something else does. */
  waitsFor: readonly string[];
  /** The live run that is at work on it. */
  run: string | null;
  /** How to go on; null if the reason says it. */
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
 * other. Each is verified alone, then all of them together. Slots stay leased. A slot with unsaved work is reported, not
 * called merged. With `verify` off nothing is checked, and that is said.
 */
export async function mergeByHand(request: ByHand): Promise<ByHandResult> {
  const { context } = request;
  const { repository } = context;
  existingStore(repository);
  const { target } = await targetOf(context, request.into);
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

/** Plans the merge, then goes the road that every caller goes: verify each, then merge, verify and land all of them. */
async function mergeSlots(asked: ByHand, target: string): Promise<ByHandResult> {
  // Another merge may have moved it while this one waited for its turn.
  const base = await requireCommit(asked.context.repository, `refs/heads/${target}`);
  const repository = await withMergeAttributes(asked.context.repository, base);
  const context = { ...asked.context, repository };
  const request = { ...asked, context };
  const strategy = request.strategy ?? request.config.merge.strategy;
  const offer = await offeredBranches(context, { given: request.plan, only: request.only, target, base, strategy });
  const checksFor = await checksByHand(repository, request.config, { base, plan: offer.plan });
  const isUnchecked = ({ task }: Candidate): boolean => checksFor({ tasks: [task], earlier: [] }).length === 0;
  if (request.verify && offer.candidates.some(isUnchecked)) throw noChecks();
  // In slot order nothing has to be predicted.
  const inOrder = offer.plan === null ? offer.candidates : (await handOrder(context, { target, base }, offer)).order;
  const offered = inOrder.map((one) => (request.letsIn ? { ...one, letsIn: true } : one));
  const report = reportOf(repository, target, offered, offer);
  const merging = await mergingByHand(request, { target, strategy, offer, emit: (event) => report.note(event) });
  const approved: Candidate[] = [];
  for (const one of offered) {
    if (report.holdBack(one)) continue;
    const judged = await verifyOne(merging, { base, earlier: offer.earlier }, one);
    if (judged.kind === "conflict") report.conflict(judged.conflict);
    else if (judged.verdict.decision === "approved") approved.push(one);
    else report.refused(one.branch, judged.verdict);
  }
  const { result: end } = await mergeApproved(merging, async () => ({
    candidates: approved.filter((one) => !report.holdBack(one)),
    earlier: offer.earlier,
    waiting: null,
  }));
  if (end.kind === "moved") for (const one of approved) report.fail(one.branch, `${target} moved each time`, EXIT.refused);
  for (const one of approved) report.holdBack(one);
  return report.result();
}

/** Tells which checks a merge by hand runs: those of the plan, else of the configuration, else the package's scripts. */
export async function checksByHand(
  repository: Repository,
  { qa }: Config,
  { base, plan }: { base: Oid; plan: Plan | null },
): Promise<(of: Pick<TreeTasks, "tasks" | "earlier">) => Check[]> {
  const known = qa.checks.length > 0 ? qa.checks : await packageChecks(repository, base);
  const defaults = known.map((check): JudgedCheck => ({ check, skip: null, standing: "shared" }));
  return (of) => (plan === null ? defaults : checksOf(plan, { ...of, defaults })).map(({ check }) => check);
}

type Collision = Pick<TrainConflict, "task" | "paths" | "against" | "reason" | "isProtected">;
type More = Partial<Pick<FailedBranch, "next" | "excerpt" | "log">>;

/** What has become of each branch so far. */
function reportOf(repository: PoolContext["repository"], target: string, offered: readonly Candidate[], offer: Offered) {
  const merged: string[] = [];
  const failed: FailedBranch[] = [];
  const exits: ExitCode[] = [];
  const verdicts: Verdict[] = [];
  const branchOf = (task: string): string => offered.find((one) => one.task === task)?.branch ?? task;
  const isOut = ({ branch }: { branch: string }): boolean => failed.some((one) => one.branch === branch);
  const leave = ({ branch, reason, exit, waitsFor, run }: Omit<LeftOut, "task">, more: More = {}): void => {
    failed.push({ branch, reason, waitsFor, run, next: null, excerpt: null, log: null, ...more });
    exits.push(exit);
  };
  const fail = (branch: string, reason: string, exit: ExitCode, more: More = {}): void =>
    leave({ branch, reason, exit, waitsFor: [], run: null }, more);
  const inSlot = (branch: string, work: string): More => {
    const { slots } = existingStore(repository).read().state;
    const slot = slots.find(({ lease }) => lease?.branch === branch);
    const where = slot === undefined ? `on ${branch}` : `in ${slot.id} (${slot.path})`;
    return { next: `${where}: \`git merge ${target}\`, ${work}, \`git commit\`; then the same command again` };
  };
  const conflict = ({ task, paths, against, reason, isProtected }: Collision): void => {
    const branch = branchOf(task);
    const text = reason ?? `conflict in ${paths.join(", ")} with ${against.join(", ") || target}`;
    if (isProtected === true)
      return fail(branch, text, EXIT.person, {
        next: `\`git diff ${target}...${branch}\` shows it; the same command with \`--protected\` lets it in`,
      });
    fail(branch, text, EXIT.person, inSlot(branch, reason === undefined ? "resolve it" : "bring back what is missing"));
  };
  const refused = (branch: string, verdict: Verdict): void =>
    fail(branch, verdict.reason, verdict.decision === "blocked" ? EXIT.person : EXIT.refused, failedCheck(verdict));
  for (const one of offer.left) leave(one);
  return {
    fail,
    conflict,
    refused,
    /** Reports a branch that depends on one that is out, and says so. */
    holdBack(one: Candidate): boolean {
      if (isOut(one)) return true;
      const missing = offered.find((other) => one.dependsOn.includes(other.task) && isOut(other));
      if (missing !== undefined && !merged.includes(one.branch)) leave(heldBack(one, missing.task));
      return missing !== undefined;
    },
    note(event: RunEvent): void {
      if (event.type === "conflict") conflict(event);
      if (event.type === "train-verdict") verdicts.push(event.verdict);
      if (event.type === "ejected") {
        const verdict = verdicts.findLast((one) => failedCheck(one).excerpt === event.excerpt);
        const exit = event.blocked === true ? EXIT.person : EXIT.refused;
        fail(branchOf(event.task), event.reason, exit, verdict === undefined ? {} : failedCheck(verdict));
      }
      if (event.type === "landed") {
        merged.push(...event.tasks.map((one) => one.branch));
        keepHandLanding(repository, { target, from: event.from, to: event.to });
      }
      if (event.type === "landing-waits") {
        const way = event.command === null ? "" : `; take it with: ${event.command}`;
        const next = `${target} has not moved: put right what is in the way, then ${event.command === null ? "" : "that command, or "}the same merge again`;
        for (const one of event.tasks) fail(one.branch, `${event.reason}${way}`, EXIT.person, { next });
      }
    },
    result: (): ByHandResult => ({ merged, already: [...offer.already], failed, exit: worstExit(exits) }),
  };
}

async function mergingByHand(
  request: ByHand,
  { target, strategy, offer, emit }: Pick<MergeContext, "target" | "strategy" | "emit"> & { offer: Offered },
): Promise<MergeContext> {
  const { context, config, signal, onLine } = request;
  const { repository, run } = context;
  return {
    repository,
    run,
    target,
    person: await userIdentity(repository),
    verify: verifierOf(request, offer.plan),
    slots: config.qa.slots,
    resolving: resolvingOf(config, signal),
    secrets: copiedSecrets(context),
    commandFiles: commandFiles(config),
    strategy,
    emit,
    fence: [],
    trustedConfig: await dangerousConfig(repository),
    narrate: onLine,
    signal,
  };
}

function failedCheck({ checks }: Verdict): { excerpt: string | null; log: string | null } {
  const failed = checks.find(({ state }) => state === "failed");
  return { excerpt: failed?.excerpt ?? null, log: failed?.log ?? null };
}

function verifierOf({ context, config, verify, onLine }: ByHand, plan: Plan | null): Verify {
  const { repository, run, now } = context;
  if (verify) {
    const logs = join(repository.layout.root, "logs", run);
    const checksFor = plan === null ? ({ defaults }: Parameters<typeof checksOf>[1]) => defaults : checksOf.bind(null, plan);
    const secrets = copiedSecrets(context);
    const qa = { repository, run, logs, settings: config.qa, setEnv: config.pool.env, checksFor, secrets, now };
    return (asked) => verifyCommit(qa, asked);
  }
  onLine("WARNING: nothing is verified (--no-verify)");
  return async ({ label, commit, base }) => ({
    decision: "approved",
    label,
    commit,
    base,
    tree: await treeOf(repository, commit),
    key: "none",
    reason: "not verified (--no-verify)",
    checks: [],
    install: "none",
    at: now().toISOString(),
  });
}

function noChecks(): GraftworkError {
  return new GraftworkError("NO_CHECKS", {
    message: "Nothing says how to tell good work from bad.",
    because: "the configuration has no `qa.checks` and package.json none of the scripts typecheck, lint, test, build.",
    try: "set `qa.checks: [npm test]` (or what your project uses) in .claude/auto-context.yaml, or `--no-verify` to merge unchecked.",
  });
}
