import { resolve } from "node:path";
import { cleanText, count, EXIT, type ExitCode, GraftworkError, type Plan, tailLines } from "../domain/index.ts";
import { type MergeContext, undoLandings } from "../merge/index.ts";
import {
  decisionOf,
  dryRunMerge,
  type FailedBranch,
  findRun,
  inRun,
  listRuns,
  mergeByHand,
  type PreviewRequest,
  previewMerge,
} from "../run/index.ts";
import { progressView, viewPaths, writeYamlView } from "../session/index.ts";
import { conflictText } from "./conflict-text.ts";
import { readPlanAt } from "./plan-files.ts";
import { openPoolContext } from "./pool-context.ts";
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
  return poolMerge(shell, options.into, options, tasks);
}

async function requestOf(shell: Shell, only: readonly string[], { into, plan, strategy }: MergeOptions): Promise<PreviewRequest> {
  const { context, loaded } = await openPoolContext(shell);
  return { context, config: loaded.config, into: into ?? null, plan: await planAt(shell, plan), only, strategy: strategy ?? null };
}

async function planAt(shell: Shell, path: string | undefined): Promise<Plan | null> {
  return path === undefined ? null : readPlanAt(shell, resolve(shell.cwd, path), true);
}

/** `merge --preview`: order, predicted conflicts, checks. */
async function preview(shell: Shell, tasks: readonly string[], options: MergeOptions): Promise<ExitCode> {
  const found = await previewMerge(await requestOf(shell, tasks, options));
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

/** `merge --dry-run`: the train, built in memory. */
async function dryRun(shell: Shell, tasks: readonly string[], options: MergeOptions): Promise<ExitCode> {
  const found = await dryRunMerge(await requestOf(shell, tasks, options));
  const text = [
    `MERGE DRY RUN onto ${found.target} at ${found.base.slice(0, 12)}: nothing was verified, nothing has moved`,
    ...found.conflicts.map(
      ({ branch, paths, against }) => `- ${branch}: conflict in ${cleanText(paths.join(", "))} with ${against.join(", ") || found.target}`,
    ),
    ...leftText(found.left),
    ...alreadyText(found.already),
    `Would merge: ${found.merged.map(({ branch }) => branch).join(", ") || "none"}`,
    ...found.merged.flatMap(({ branch, resolved }) =>
      resolved.map(({ path, rules }) => `${branch}: ${path} collides, resolved by rule (${rules.join(", ")})`),
    ),
  ];
  shell.answer(text.join("\n"), { ...found, left: found.left.map(leftObject) });
  return EXIT.ok;
}

function leftText(left: readonly { branch: string; reason: string }[]): string[] {
  return left.map(({ branch, reason }) => `- ${branch}: ${reason}`);
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
  const newest = id ?? listRuns(repository).find((one) => one.facts.landings.length > 0 && !one.facts.undone)?.run;
  if (newest === undefined)
    throw new GraftworkError("UNDO_REFUSED", {
      message: "There is nothing to undo.",
      because: "no run has landings that were not undone already.",
      try: "`graftwork runs`.",
    });
  const found = findRun(repository, newest);
  const first = found.facts.landings[0];
  const last = found.facts.landings.at(-1);
  if (first === undefined || last === undefined || found.facts.undone) {
    throw new GraftworkError("UNDO_REFUSED", {
      message: `Run ${found.run} has nothing to undo.`,
      because: found.facts.undone ? "it was undone already." : "nothing of it has landed.",
      try: "`graftwork runs`.",
    });
  }
  const broken = found.facts.landings.find((landing, n) => n > 0 && landing.from !== found.facts.landings[n - 1]?.to);
  if (broken !== undefined) {
    throw new GraftworkError("UNDO_REFUSED", {
      message: `The landings of run ${found.run} are not undone.`,
      because: `somebody else committed to ${found.facts.target} between two of them (before ${broken.from.slice(0, 12)}): going back would take that away too.`,
      try: "`git revert -m 1` the run's merge commits instead; `graftwork status` lists them.",
    });
  }
  const branches = found.lines.flatMap(({ event }) =>
    event.type === "branch-deleted" ? [{ branch: event.branch, commit: event.commit }] : [],
  );
  const { taken } = await inRun(
    { repository },
    found.record,
    async (ownership, _journal, _facts, emit) => {
      const undone = await undoLandings({
        repository,
        target: found.facts.target,
        after: last.to,
        before: first.from,
        branches,
        fence: ownership.fence,
        emit,
      });
      // Going on with it would build on what was just taken back.
      emit({ type: "run-ended", exit: found.ended ?? EXIT.ok });
      return undone;
    },
    () => new Date(),
  );
  const { run, facts, record } = found;
  // The file is the newest run's: an older one's undo is no news of it.
  if (listRuns(repository)[0]?.run === run)
    await writeYamlView(
      viewPaths(repository.root).progress,
      progressView(record.plan, decisionOf(record.plan, record.config), findRun(repository, run).facts),
    );
  const names = taken.map(({ branch, commit }) => `- ${branch} is not: its name is taken; it was at ${commit.slice(0, 12)}`);
  const over = found.ended === null ? ["The run was not at its end: it ends here, and `graftwork run` begins a new one."] : [];
  const text = [`${facts.target} is back at ${first.from.slice(0, 12)}; the run's branches are there again.`, ...names, ...over];
  shell.answer(text.join("\n"), { run, target: facts.target, from: last.to, to: first.from, taken });
  return EXIT.ok;
}

/** Why, then below it what the check printed last and how to go on. */
function failedText({ branch, reason, excerpt, log, next }: FailedBranch): string[] {
  const shown = excerpt === null || excerpt === "" ? [] : tailLines(excerpt, EXCERPT_LINES).split("\n");
  const below = [...shown, ...(log === null ? [] : [`log: ${log}`]), ...(next === null ? [] : [next])];
  return [`- ${branch}: ${reason}`, ...below.map((line) => `    ${line}`)];
}

/** `pool-manager merge [branch]`: the busy slots' branches, by hand. */
export async function poolMerge(
  shell: Shell,
  into: string | undefined,
  { plan, verify, strategy }: Pick<MergeOptions, "plan" | "verify" | "strategy">,
  only: readonly string[] = [],
): Promise<ExitCode> {
  const { context, loaded } = await openPoolContext(shell);
  const done = await mergeByHand({
    context,
    config: loaded.config,
    into: into ?? null,
    plan: await planAt(shell, plan),
    only,
    strategy: strategy ?? null,
    verify: verify !== false,
    signal: shell.interrupted(),
    onLine: (line) => shell.note(line),
  });
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
