import { join } from "node:path";
import { cleanLine, cleanText, EXIT, type ExitCode, firstLine, GraftworkError, humanDuration } from "../domain/index.ts";
import { firstParentLog } from "../git/index.ts";
import { decisionOf, findRun, listRuns, type RunSummary, removeRunFolder } from "../run/index.ts";
import { isOver, progressView, type RunFacts, shownStatus, type TaskFacts } from "../session/index.ts";
import { liveRun, readText } from "../state/index.ts";
import { blockedText } from "./blocked-text.ts";
import { openPoolContext } from "./pool-context.ts";
import type { Shell } from "./shell.ts";

export async function runs(shell: Shell): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const live = liveRun(context.repository);
  const all = listRuns(context.repository).map((one) => ({ ...overview(one), live: live?.run === one.run }));
  const lines = all.map(
    (one) =>
      `${one.run}  ${one.live ? "live" : one.undone ? "undone" : one.ended === null ? "unfinished" : `exit ${one.ended}`}  ${one.done}/${one.tasks} tasks  ${one.startedAt}`,
  );
  shell.answer(lines.length === 0 ? "No runs yet." : lines.join("\n"), { runs: all });
  return EXIT.ok;
}

function overview(one: RunSummary): {
  run: string;
  startedAt: string;
  ended: number | null;
  tasks: number;
  /** Its landings were taken back. */
  undone: boolean;
  done: number;
  plan: string;
  target: string;
} {
  const tasks = [...one.facts.tasks.values()];
  return {
    run: one.run,
    startedAt: one.startedAt,
    ended: one.ended,
    tasks: tasks.length,
    undone: one.facts.undone,
    done: tasks.filter((task) => shownStatus(one.facts, task) === "done").length,
    plan: one.record.plan.name,
    target: one.facts.target,
  };
}

export async function removeRun(shell: Shell, id: string): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const found = findRun(context.repository, id);
  if (!isOver(found.facts)) {
    throw new GraftworkError("USAGE", {
      message: `Run ${id} is not at its end.`,
      because: "its journal is what `graftwork continue` needs.",
      try: "finish it, or skip what is open with `graftwork resolve TASK --skip`.",
    });
  }
  removeRunFolder(context.repository, id);
  shell.answer(`Removed run ${id}: its journal and logs. Branches and rescues stay.`, { run: id });
  return EXIT.ok;
}

export async function status(shell: Shell, id: string | undefined): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const found = pick(context.repository, id);
  const { facts, record } = found;
  const decision = decisionOf(record.plan, record.config);
  const tasks = [...facts.tasks.values()];
  const landed = (await Promise.all(facts.landings.map(({ from, to }) => firstParentLog(context.repository, from, to, 50)))).flat();
  const width = Math.max(...tasks.map((task) => task.id.length));
  const lines = [
    `${found.run}: plan ${record.plan.name} onto ${facts.target}${liveRun(context.repository)?.run === found.run ? " (live)" : facts.undone ? " (undone)" : found.ended === null ? " (unfinished)" : ` (exit ${found.ended})`}`,
    ...decision.groups.flatMap((group) => [
      `  group ${group.number}${facts.groups.get(group.number)?.checkpoint === undefined ? "" : `: ${facts.groups.get(group.number)?.checkpoint ?? "under way"}`}`,
      ...group.tasks.flatMap((task) => row(facts, facts.tasks.get(task), width)),
    ]),
    ...(landed.length === 0
      ? []
      : [
          facts.undone ? `  undone: had landed on ${facts.target}, which was put back` : `  landed on ${facts.target}`,
          ...landed.map(({ commit, subject }) => `    ${commit.slice(0, 10)}  ${cleanText(subject)}`),
        ]),
    ...(facts.waiting === null
      ? []
      : [
          `  waits for your checkout: ${cleanLine(facts.waiting.reason)}`,
          `  ${facts.waiting.command ?? "end what is under way there, then `graftwork continue`"}`,
        ]),
  ];
  shell.answer(lines.join("\n"), {
    run: found.run,
    ended: found.ended,
    undone: facts.undone,
    waiting: facts.waiting,
    progress: progressView(record.plan, decision, facts),
  });
  return EXIT.ok;
}

function row(facts: RunFacts, task: TaskFacts | undefined, width: number): string[] {
  if (task === undefined) return [];
  const why = task.lastError === null || task.status === "done" ? "" : `  ${firstLine(task.lastError)}`;
  const took = task.durationMs === 0 ? "" : `  ${humanDuration(task.durationMs)}`;
  return [
    `    ${task.id.padEnd(width)}  ${shownStatus(facts, task).padEnd(12)}  attempt ${task.attempts}${took}${why}`,
    ...[...(task.packet === null ? [] : [`packet: ${task.packet}`]), ...blockedText(task)].map((line) => `      ${line}`),
  ];
}

export async function logs(shell: Shell, task: string, options: { run?: string; attempt?: string; raw?: boolean }): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const found = pick(context.repository, options.run);
  const facts = requireFound(found, task);
  const n = options.attempt === undefined ? facts.attempts : Number(options.attempt);
  const path = join(found.record.folder, "logs", facts.id, `${n}.log`);
  const text = readText(path);
  if (text === undefined)
    throw new GraftworkError("USAGE", {
      message: `There is no log of attempt ${n} of ${facts.id}.`,
      because: `${facts.id} had ${facts.attempts} attempts.`,
      try: `\`graftwork logs ${facts.id} --attempt 1\`.`,
    });
  const said = cleanText(`${readText(`${path}.1`) ?? ""}${text}`).trimEnd();
  // The mark shows people and models that these are an agent's words.
  shell.answer(options.raw === true ? said : said.replace(/^/gm, "| "), { task: facts.id, attempt: n, path });
  return EXIT.ok;
}

/** The run named, else the live or the newest one. */
function pick(repository: Parameters<typeof listRuns>[0], id: string | undefined): RunSummary {
  if (id !== undefined) return findRun(repository, id);
  const all = listRuns(repository);
  const live = liveRun(repository);
  return all.find((one) => one.run === live?.run) ?? all[0] ?? findRun(repository, null);
}

/** Throws TASK_UNKNOWN. */
export function requireFound(found: RunSummary, task: string): TaskFacts {
  const facts = found.facts.tasks.get(task);
  if (facts !== undefined) return facts;
  throw new GraftworkError("TASK_UNKNOWN", {
    message: `Run ${found.run} has no task ${JSON.stringify(task.slice(0, 120))}.`,
    because: `its tasks are ${[...found.facts.tasks.keys()].slice(0, 20).join(", ")}.`,
    try: "`graftwork status`.",
  });
}
