import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Config, commandText, type Governed, GraftworkError, type JournalLine, type Plan, requireRunId } from "../domain/index.ts";
import type { Repository } from "../git/index.ts";
import { canonical, planDigest } from "../plan/index.ts";
import { foldRun, type RunFacts, type RunLimits } from "../session/index.ts";
import { readJournal, readText, removeStore, replaceFile } from "../state/index.ts";
import { forgetRun, sealRun } from "../trust/index.ts";

/** What a run keeps for itself from its first moment on. */
export type RunRecord = {
  run: string;
  folder: string;
  /** The plan that the run began with. */
  begun: Plan;
  /** The plan in effect. */
  plan: Plan;
  digest: string;
  /** Where the plan was read from; null for one made from `--task`. */
  source: string | null;
  config: Config;
  limits: RunLimits;
  /** Configuration that could run programs, as it was when the run began. */
  trustedConfig: string;
};

const SCHEMA = 1;

export function limitsOf(config: Config): RunLimits {
  const { parallelization, merge } = config;
  return { retries: parallelization.retryOnFailure, onConflict: merge.onConflict.filter((step) => step === "rerun" || step === "agent") };
}

/** Writes plan and configuration of a new run. The run exists from its journal's first line on. */
export function createRunFolder(
  repository: Repository,
  run: string,
  plan: Plan,
  source: string | null,
  config: Config,
  trustedConfig: string,
): RunRecord {
  const folder = repository.layout.run(run);
  const digest = planDigest(plan);
  const record: RunRecord = { run, folder, begun: plan, plan, digest, source, config, limits: limitsOf(config), trustedConfig };
  replaceFile(join(folder, "plan.json"), `${JSON.stringify({ schema: SCHEMA, source, digest, plan })}\n`, { flush: true });
  replaceFile(join(folder, "config.json"), `${JSON.stringify({ schema: SCHEMA, config, trustedConfig })}\n`, { flush: true });
  return record;
}

/** Throws RUN_UNKNOWN. */
export function readRunFolder(repository: Repository, run: string): RunRecord {
  const folder = repository.layout.run(requireRunId(run));
  const plan = readText(join(folder, "plan.json"));
  const config = readText(join(folder, "config.json"));
  if (plan === undefined || config === undefined) {
    throw new GraftworkError("RUN_UNKNOWN", {
      message: `There is no run ${JSON.stringify(run)} here.`,
      because: `${folder} holds no plan and configuration.`,
      try: "`graftwork runs` lists the runs.",
    });
  }
  const planFile = parsed(plan, join(folder, "plan.json")) as { schema: number; source: string | null; digest: string; plan: Plan };
  const configFile = parsed(config, join(folder, "config.json")) as { schema: number; config: Config; trustedConfig: string };
  if (planFile.schema > SCHEMA || configFile.schema > SCHEMA) {
    throw new GraftworkError("STATE_NEWER", {
      message: `Run ${run} was made by a newer graftwork.`,
      because: `its format is version ${Math.max(planFile.schema, configFile.schema)}, this program knows version ${SCHEMA}.`,
      try: "use the newer graftwork in this repository.",
    });
  }
  return {
    run,
    folder,
    begun: planFile.plan,
    plan: planFile.plan,
    digest: planFile.digest,
    source: planFile.source,
    config: configFile.config,
    limits: limitsOf(configFile.config),
    trustedConfig: configFile.trustedConfig,
  };
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new GraftworkError("JOURNAL_DAMAGED", {
      message: `The run's file ${path} is damaged.`,
      because: error instanceof Error ? error.message : String(error),
      try: "restore the file from a backup, or begin a new run; branches and rescues in git are complete without it.",
      details: { path },
    });
  }
}

export type RunSummary = {
  run: string;
  startedAt: string;
  ended: number | null;
  record: RunRecord;
  facts: RunFacts;
  lines: readonly JournalLine[];
};

/**
 * All runs of the repository, newest first. A folder without a plan, a configuration and a first journal line is no
 * run yet. One that cannot be read is left out, and told to `onUnreadable`: the others are none the worse.
 */
export function listRuns(repository: Repository, onUnreadable: (error: GraftworkError) => void = () => undefined): RunSummary[] {
  const { runs } = repository.layout;
  const names = existsSync(runs)
    ? readdirSync(runs).filter((name) => ["plan.json", "config.json"].every((file) => existsSync(join(runs, name, file))))
    : [];
  return names.flatMap((run) => readable(repository, run, onUnreadable) ?? []).sort((a, b) => b.startedAt.localeCompare(a.startedAt));
}

function readable(repository: Repository, run: string, onUnreadable: (error: GraftworkError) => void): RunSummary | undefined {
  try {
    return summaryOf(repository, run);
  } catch (error) {
    if (!(error instanceof GraftworkError)) throw error;
    onUnreadable(error);
    return undefined;
  }
}

export function summaryOf(repository: Repository, run: string): RunSummary | undefined {
  const record = readRunFolder(repository, run);
  const { lines } = readJournal(record.folder);
  if (lines.length === 0) return undefined;
  const facts = foldRun(lines, record.begun, record.limits);
  return { run, startedAt: facts.startedAt, ended: facts.ended, record: inEffect(record, facts.plan), facts, lines };
}

/** The record with another plan in effect. */
export function inEffect(record: RunRecord, plan: Plan): RunRecord {
  return plan === record.plan ? record : { ...record, plan, digest: planDigest(plan) };
}

/** A fingerprint of all that steers a run: its plan in effect and its configuration. */
export function runDigest({ plan, config, trustedConfig }: Pick<RunRecord, "plan" | "config" | "trustedConfig">): string {
  return createHash("sha256")
    .update(canonical([plan, config, trustedConfig]))
    .digest("hex");
}

/** Seals a run's plan and configuration in the state folder; says so if that fails. */
export function seal({ repository, narrate }: { repository: Repository; narrate: (line: string) => void }, record: RunRecord): void {
  const lost = sealRun(repository.layout, record.run, runDigest(record));
  if (lost !== undefined) narrate(`the user's state folder cannot be written, so \`graftwork continue\` will ask what may run: ${lost}`);
}

/** The commands that a run's plan brings, as they are shown to people. */
export function runEntries({ plan }: Pick<RunRecord, "plan">): Governed[] {
  const lines = (checks: Plan["verification"]): string => checks.map(({ run }) => commandText(run)).join("\n");
  return [
    { key: "verification of the plan", purpose: "to check each task's work", text: lines(plan.verification) },
    ...plan.tasks.map(({ id, verification }) => ({
      key: `verification of ${id}`,
      purpose: "to check its work",
      text: lines(verification),
    })),
  ].filter(({ text }) => text !== "");
}

/** Deletes a run's journal, plan and logs. */
export function removeRunFolder(repository: Repository, run: string): void {
  removeStore(repository.layout.run(run));
  forgetRun(repository.layout, run);
}
