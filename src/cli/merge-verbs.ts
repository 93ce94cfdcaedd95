import { resolve } from "node:path";
import { cleanLine, count, EXIT, type ExitCode, GraftworkError, type Plan, tailLines, worstExit } from "../domain/index.ts";
import type { MergeContext } from "../merge/index.ts";
import {
  type ByHandResult,
  decisionOf,
  dryRunMerge,
  type FailedBranch,
  findRun,
  landApproved,
  listRuns,
  mergeByHand,
  newestLanding,
  type PreviewRequest,
  previewMerge,
  undoableRun,
  undo as undoLanding,
  whatToMerge,
} from "../run/index.ts";
import { progressView, viewPaths, writeYamlView } from "../session/index.ts";
import { openToRun } from "./approval.ts";
import { conflictText } from "./conflict-text.ts";
import { readPlanAt } from "./plan-files.ts";
import { type Opened, openPoolContext } from "./pool-context.ts";
import { requireApprovedRun } from "./run-approval.ts";
import { hostOf } from "./run-host.ts";
import type { Shell } from "./shell.ts";

/** The rest is in the log, which is named. */
const EXCERPT_LINES = 10;

export type MergeOptions = {
  into?: string;
  plan?: string;
  preview?: boolean;
  dryRun?: boolean;
  undo?: string | true;
  strategy?: MergeContext["strategy"];
  verify?: boolean;
  protected?: boolean;
};

export async function merge(shell: Shell, tasks: readonly string[], options: MergeOptions): Promise<ExitCode> {
  const modes = [options.undo !== undefined && "--undo", options.preview && "--preview", options.dryRun && "--dry-run"].filter(Boolean);
  if (modes.length > 1)
    throw new GraftworkError("USAGE", {
      message: `${modes.join(" and ")} were given together.`,
      because: "each of them is another thing to do.",
      try: "`graftwork merge --preview` first, it changes nothing.",
    });
  if (options.undo !== undefined) return undo(shell, options.undo === true ? null : options.undo, tasks);
  if (options.preview === true) return preview(shell, tasks, options);
  if (options.dryRun === true) return dryRun(shell, tasks, options);
  return mergeTasks(shell, tasks, options);
}

async function requestOf(
  shell: Shell,
  { context, loaded }: Opened,
  only: readonly string[],
  { into, plan, strategy }: MergeOptions,
): Promise<PreviewRequest> {
  return { context, config: loaded.config, into: into ?? null, plan: await planAt(shell, plan), only, strategy: strategy ?? null };
}

async function planAt(shell: Shell, path: string | undefined): Promise<Plan | null> {
  return path === undefined ? null : readPlanAt(shell, resolve(shell.cwd, path), true);
}

/** `merge --preview`: order, predicted conflicts, checks. */
async function preview(shell: Shell, tasks: readonly string[], options: MergeOptions): Promise<ExitCode> {
  const found = await previewMerge(await requestOf(shell, await openPoolContext(shell), tasks, options));
  const waits = (on: readonly string[]): string => (on.length === 0 ? "" : `, after ${on.join(", ")}`);
  const text = [
    `MERGE PREVIEW onto ${found.target} at ${found.base.slice(0, 12)}`,
    ...found.order.map(
      ({ branch, paths, dependsOn }, n) => `${n + 1}. ${branch}${paths === null ? "" : ` (${count(paths, "file")})`}${waits(dependsOn)}`,
    ),
    ...(found.order.length === 0 ? ["Nothing to merge."] : []),
    ...leftText(found.left),
    ...alreadyText(found.already),
    ...(found.conflicts === null ? ["Conflicts: not predicted"] : conflictText(found.conflicts)),
    options.verify === false
      ? "Verified: nothing (--no-verify)"
      : `Verified, each branch and then all of them: ${found.checks.join(", ") || "nothing is configured, so that merge refuses (NO_CHECKS)"}`,
  ];
  shell.answer(text.join("\n"), { ...found, left: found.left.map(leftObject), checks: options.verify === false ? [] : found.checks });
  return EXIT.ok;
}

/** `merge --dry-run`: merges in memory. It also runs the commands that write lock files and generated files again. */
async function dryRun(shell: Shell, tasks: readonly string[], options: MergeOptions): Promise<ExitCode> {
  const found = await dryRunMerge(await requestOf(shell, await openToRun(shell), tasks, options));
  const text = [
    `MERGE DRY RUN onto ${found.target} at ${found.base.slice(0, 12)}: nothing was verified, nothing has moved`,
    ...found.conflicts.map(
      ({ branch, paths, against, reason }) =>
        `- ${branch}: ${cleanLine(reason ?? `conflict in ${paths.join(", ")} with ${against.join(", ") || found.target}`)}`,
    ),
    ...leftText(found.left),
    ...alreadyText(found.already),
    `Would merge: ${found.merged.map(({ branch }) => branch).join(", ") || "none"}`,
    ...found.merged.flatMap(({ branch, resolved }) =>
      resolved.map(({ path, rules }) => `${branch}: ${cleanLine(path)} collides, resolved by rule (${rules.join(", ")})`),
    ),
  ];
  shell.answer(text.join("\n"), { ...found, left: found.left.map(leftObject) });
  return EXIT.ok;
}

function leftText(left: readonly { branch: string; reason: string }[]): string[] {
  return left.map(({ branch, reason }) => `- ${branch}: ${cleanLine(reason)}`);
}

function alreadyText(already: readonly string[]): string[] {
  return already.map((branch) => `- ${branch}: merged before`);
}

/** For `--json`: snake case, as in a run's. */
function leftObject({ waitsFor, ...rest }: object & { waitsFor: readonly string[] }): object {
  return { ...rest, waits_for: waitsFor };
}

async function undo(shell: Shell, id: string | null, more: readonly string[]): Promise<ExitCode> {
  if (more.length > 0)
    throw new GraftworkError("USAGE", {
      message: `${[id, ...more].map((name) => JSON.stringify(name)).join(", ")} are not one run.`,
      because: "one run is undone at a time, with all that landed of it.",
      try: "`graftwork merge --undo RUN`; `graftwork runs` lists them.",
    });
  const { context } = await openPoolContext(shell);
  const { repository } = context;
  const one = id === null ? await newestLanding(repository) : await undoableRun(repository, findRun(repository, id));
  const { run, target, from, to, taken, wasOpen } = await undoLanding(repository, one, () => new Date());
  // The file is the newest run's: an older one's undo is no news of it.
  if (run !== null && listRuns(repository)[0]?.run === run) {
    const { record, facts } = findRun(repository, run);
    await writeYamlView(viewPaths(repository.root).progress, progressView(record.plan, decisionOf(record.plan, record.config), facts));
  }
  const names = taken.map(({ branch, commit }) => `- ${branch} is not: its name is taken; it was at ${commit.slice(0, 12)}`);
  const over = wasOpen ? ["The run was not at its end: it ends here, and `graftwork run` begins a new one."] : [];
  const what = run === null ? "the merge by hand is undone; its branches are as they were." : "the run's branches are there again.";
  const text = [`${target} is back at ${to.slice(0, 12)}; ${what}`, ...names, ...over];
  shell.answer(text.join("\n"), { run, target, from, to, taken });
  return EXIT.ok;
}

/** Why, then below it what the check printed last and how to go on. */
function failedText({ branch, reason, excerpt, log, next }: FailedBranch): string[] {
  const shown = excerpt === null || excerpt === "" ? [] : tailLines(excerpt, EXCERPT_LINES).split("\n");
  const below = [...shown, ...(log === null ? [] : [`log: ${log}`]), ...(next === null ? [] : [next])];
  return [`- ${branch}: ${cleanLine(reason)}`, ...below.map((line) => `    ${line}`)];
}

/** `pool-manager merge [branch]`: the busy slots' branches, by hand. */
export async function poolMerge(
  shell: Shell,
  into: string | undefined,
  options: Pick<MergeOptions, "plan" | "verify" | "strategy" | "protected">,
  only: readonly string[] = [],
): Promise<ExitCode> {
  const opened = await openToRun(shell);
  const plan = await planAt(shell, options.plan);
  return answer(shell, await byHand(shell, opened, into, { ...options, plan }, only));
}

async function byHand(
  shell: Shell,
  { context, loaded }: Opened,
  into: string | undefined,
  { plan, verify, strategy, protected: letsIn }: Pick<MergeOptions, "verify" | "strategy" | "protected"> & { plan: Plan | null },
  only: readonly string[],
): Promise<ByHandResult> {
  return mergeByHand({
    context,
    config: loaded.config,
    into: into ?? null,
    plan,
    only,
    strategy: strategy ?? null,
    verify: verify !== false,
    letsIn: letsIn === true,
    signal: shell.interrupted(),
    onLine: (line) => shell.note(line),
  });
}

/** `graftwork merge [TASK...]`: approved tasks of the newest run that has some, and the branches of busy slots. */
async function mergeTasks(shell: Shell, only: readonly string[], options: MergeOptions): Promise<ExitCode> {
  const opened = await openToRun(shell);
  const plan = await planAt(shell, options.plan);
  const { ofRun, byHand: slots } = whatToMerge(opened.context.repository, only, { into: options.into ?? null, plan });
  const results: ByHandResult[] = [];
  if (ofRun !== null) {
    const approved = await requireApprovedRun(shell, opened, ofRun.found);
    results.push(await landApproved(hostOf(shell, approved), ofRun.found, ofRun.ids));
  }
  if (slots !== null) results.push(await byHand(shell, opened, options.into, { ...options, plan }, slots));
  return answer(shell, {
    merged: results.flatMap(({ merged }) => merged),
    already: results.flatMap(({ already }) => already),
    failed: results.flatMap(({ failed }) => failed),
    exit: worstExit(results.map(({ exit }) => exit)),
  });
}

function answer(shell: Shell, done: ByHandResult): ExitCode {
  const failed = done.failed.flatMap(failedText);
  const good = done.merged.length === 0 ? "Status: NOTHING TO DO" : "Status: ALL MERGED SUCCESSFULLY";
  const title = failed.length === 0 ? good : "Status: SOME MERGES FAILED";
  const text = [
    "MERGE RESULTS",
    title,
    ...failed,
    ...alreadyText(done.already),
    `Merged: ${done.merged.join(", ") || "none"}`,
    `Failed: ${done.failed.map((one) => one.branch).join(", ") || "none"}`,
  ];
  shell.answer(text.join("\n"), { ...done, failed: done.failed.map(leftObject) });
  return done.exit;
}
