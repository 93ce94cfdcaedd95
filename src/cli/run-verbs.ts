import { EXIT, type ExitCode, GraftworkError, systemCode } from "../domain/index.ts";
import { continueRun, findRun, listRuns, prepareRun, type RunHost, type SessionEnd, startRun } from "../run/index.ts";
import { liveRun } from "../state/index.ts";
import { identityOf } from "../subprocess/index.ts";
import { type Approved, requireApproved } from "./approval.ts";
import { closingText, sessionObject } from "./closing.ts";
import { firstRun } from "./first-run.ts";
import { readPlanAt, readPlanFrom } from "./plan-files.ts";
import { openPoolContext } from "./pool-context.ts";
import { lineProgress } from "./progress.ts";
import { requireApprovedRun } from "./run-approval.ts";
import { hostOf } from "./run-host.ts";
import type { ContinueOptions, RunOptions } from "./run-options.ts";
import type { Shell } from "./shell.ts";

export async function run(shell: Shell, planPath: string | undefined, options: RunOptions): Promise<ExitCode> {
  const opened = await openPoolContext(shell);
  const { plan, source } = await readPlanFrom(shell, planPath, options.task ?? []);
  const request = {
    plan,
    source,
    into: options.into ?? null,
    mode: options.oneGroup === true ? ("one-group" as const) : ("all" as const),
    merge: options.merge,
  };
  const repository = opened.context.repository;
  const prepared = await prepareRun({ repository, config: opened.loaded.config }, request);
  const isFirst = options.yes !== true && opened.loaded.own.run.confirm && listRuns(repository).length === 0;
  const approved = await requireApproved(shell, opened, isFirst ? await firstRun(opened, request, prepared) : undefined);
  return session(shell, approved, (host) => startRun(host, request));
}

export async function continueVerb(shell: Shell, options: ContinueOptions): Promise<ExitCode> {
  const opened = await openPoolContext(shell);
  const found = findRun(opened.context.repository, options.run ?? null);
  const plan = found.record.source === null ? null : await readPlanAt(shell, found.record.source);
  const mode = options.all === true ? "all" : options.oneGroup === true ? "one-group" : null;
  const approved = await requireApprovedRun(shell, opened, found);
  return session(shell, approved, (host) =>
    continueRun(host, { run: found.run, mode, plan, replan: options.replan === true, takeOver: options.takeOver === true }),
  );
}

async function session(shell: Shell, opened: Approved, work: (host: RunHost) => Promise<SessionEnd>): Promise<ExitCode> {
  const progress =
    shell.isTty && shell.unicode && !shell.json ? (await import("./tree-progress.ts")).treeProgress(shell) : lineProgress(shell);
  const host = hostOf(shell, opened, progress);
  let end: SessionEnd;
  try {
    end = await work(host);
  } finally {
    await progress.end();
  }
  shell.answer(closingText(end, shell), sessionObject(end));
  return end.exit;
}

/** Asks the live run's process to end; it saves and says where it stopped. */
export async function stop(shell: Shell, now: boolean): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const live = liveRun(context.repository);
  if (live === null) {
    shell.answer("No run is at work here.", { run: null });
    return EXIT.ok;
  }
  try {
    // The same number on another machine is another process.
    if (live.owner.host !== identityOf(process.pid).host) throw new Error("another host");
    for (let times = now ? 2 : 1; times > 0; times--) process.kill(live.owner.pid, "SIGINT");
  } catch (error) {
    throw new GraftworkError("RUN_LIVE", {
      message: `Run ${live.run} could not be asked to stop.`,
      because: `process ${live.owner.pid} on ${live.owner.host.split("/")[0]} cannot be reached from here (${systemCode(error) ?? "it runs elsewhere"}).`,
      try: "stop it where it runs.",
    });
  }
  shell.answer(`Asked run ${live.run} (pid ${live.owner.pid}) to stop. \`graftwork continue\` goes on with it later.`, {
    run: live.run,
    pid: live.owner.pid,
  });
  return EXIT.ok;
}
