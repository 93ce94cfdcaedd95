import { type Config, EXIT, type ExitCode, GraftworkError, systemCode } from "../domain/index.ts";
import { continueRun, findRun, listRuns, liveRun, prepareRun, type RunHost, type SessionEnd, startRun } from "../run/index.ts";
import { identityOf } from "../subprocess/index.ts";
import { closingText, sessionObject } from "./closing.ts";
import { readPlanAt, readPlanFrom } from "./plan-files.ts";
import { type Opened, openPoolContext } from "./pool-context.ts";
import { lineProgress } from "./progress.ts";
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
  if (options.yes !== true && opened.loaded.config.run.confirm && listRuns(repository).length === 0)
    await confirm(shell, opened, prepared.target, [...plan.tasks.map((task) => task.agent), ...resolverOf(opened.loaded.config)]);
  return session(shell, opened, (host) => startRun(host, request));
}

/** The agent that may be asked to resolve conflicts, where it is one of its own. */
function resolverOf({ merge }: Config): readonly (string | null)[] {
  return merge.onConflict.includes("agent") ? [merge.agent] : [];
}

/** The first run in a repository asks: agents are about to write, and main is about to move. */
async function confirm(shell: Shell, opened: Opened, target: string, agents: readonly (string | null)[]): Promise<void> {
  const { agents: configured, merge } = { ...opened.loaded.config, merge: true };
  const names = [...new Set(agents.map((name) => name ?? configured.default))];
  shell.note(`First run in this repository.\n  target: ${target}${merge ? "" : " (not merged)"}`);
  for (const name of names) shell.note(`  agent ${name}: ${configured.byName[name]?.permissions ?? "not configured"}`);
  shell.note("  ceiling of cost: none is set");
  const answer = await shell.ask("Run the plan?");
  if (answer === true) return;
  throw new GraftworkError("CONFIRMATION_NEEDED", {
    message: answer === false ? "The run was not begun." : "The first run in a repository needs a yes.",
    because: answer === false ? "you said no." : "there is no terminal to ask on.",
    try: "`graftwork run … --yes`, or set `run.confirm: false` in .claude/auto-context.yaml.",
  });
}

export async function continueVerb(shell: Shell, options: ContinueOptions): Promise<ExitCode> {
  const opened = await openPoolContext(shell);
  const found = findRun(opened.context.repository, options.run ?? null);
  const plan = found.record.source === null ? null : await readPlanAt(shell, found.record.source);
  const mode = options.all === true ? "all" : options.oneGroup === true ? "one-group" : null;
  return session(shell, opened, (host) =>
    continueRun(host, { run: found.run, mode, plan, replan: options.replan === true, takeOver: options.takeOver === true }),
  );
}

async function session(shell: Shell, opened: Opened, work: (host: RunHost) => Promise<SessionEnd>): Promise<ExitCode> {
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
