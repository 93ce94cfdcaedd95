import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../../src/config/index.ts";
import type { RunEvent, Verify } from "../../../src/domain/index.ts";
import { openRepository, type Repository } from "../../../src/git/index.ts";
import { parsePlan } from "../../../src/plan/index.ts";
import {
  continueRun,
  inRun,
  landApproved,
  listRuns,
  type RunHost,
  type RunSummary,
  type SessionEnd,
  startRun,
} from "../../../src/run/index.ts";
import type { RunFacts, TaskFacts } from "../../../src/session/index.ts";
import { type Files, hermeticEnv, type TempRepo, tempRepo, writeFiles } from "../../fixtures/index.ts";

export type RigOptions = {
  files?: Files;
  /** Shell scripts by task, or by `task.attempt`. In them `commit TEXT` commits all there is, and R is the user's checkout. */
  agents: Readonly<Record<string, string>>;
  /** The plan's tasks as a file would have them; names alone are tasks without anything else. */
  tasks: readonly (string | { id: string; [key: string]: unknown })[];
  /** More of the plan; checks are `true` unless it says otherwise. */
  plan?: object;
  /** The configuration, or what makes it of a folder beside the repository. */
  settings?: object | ((folder: string) => object);
  verify?: Verify;
  /** Called right after each event of a run, as a user who acts at that very moment. */
  onEvent?: (event: RunEvent, repo: TempRepo) => void;
};

export type Rig = {
  repo: TempRepo;
  repository: Repository;
  run: (options?: { mode?: "all" | "one-group"; merge?: boolean }) => Promise<SessionEnd>;
  /** Goes on with the newest unfinished run; `plan`: taken as by `--replan`. */
  goOn: (plan?: { tasks?: RigOptions["tasks"]; plan?: object }) => Promise<SessionEnd>;
  land: (...ids: string[]) => ReturnType<typeof landApproved>;
  /** A person's decision on a task of the newest run. */
  decide: (task: string, how: "skip" | "retry") => Promise<void>;
  newest: () => RunSummary;
  facts: () => RunFacts;
  task: (id: string) => TaskFacts;
  events: (type: RunEvent["type"]) => RunEvent[];
  /** How often each task's agent was started. */
  starts: (id: string) => number;
  /** True if the target has the file. */
  has: (path: string) => boolean;
  said: string[];
};

/** A repository, scripted agents and a plan; runs go through the real engine, pool, QA and merging. */
export async function runRig(options: RigOptions): Promise<Rig> {
  const { files = {}, agents, settings = {}, verify, onEvent } = options;
  const repo = tempRepo({ files: { f: "x\n", ".gitignore": ".claude/\n", ...files } });
  const script = join(repo.parent, "agent");
  writeFileSync(
    `${script}.sh`,
    `commit() { git add -A && git commit -qm "$1"; }\nR='${repo.dir}'\nif [ -f "${script}-$GRAFTWORK_TASK_ID.$GRAFTWORK_ATTEMPT" ]; then . "${script}-$GRAFTWORK_TASK_ID.$GRAFTWORK_ATTEMPT"; else . "${script}-$GRAFTWORK_TASK_ID"; fi\n`,
  );
  for (const [name, text] of Object.entries(agents)) writeFileSync(`${script}-${name}`, `${text}\n`);
  const whole = {
    agents: { default: "sh", sh: { command: ["/bin/sh", `${script}.sh`] } },
    ...(typeof settings === "function" ? settings(repo.parent) : settings),
  };
  writeFiles(repo.dir, { ".claude/auto-context.yaml": JSON.stringify(whole) });
  const env = { ...hermeticEnv(), HOME: repo.parent };
  const repository = await openRepository(repo.dir, { parentEnv: env });
  const { config } = await loadConfig({ root: repo.dir, env, presets: {} });
  const said: string[] = [];
  const host: RunHost = {
    repository,
    config,
    templates: { executor: "{{task_id}}", resolver: "{{task_id}}" },
    onStart: () => undefined,
    onEvent: ({ event }) => onEvent?.(event, repo),
    onLine: (task, line) => said.push(`${task}: ${line}`),
    narrate: (line) => said.push(line),
    signal: new AbortController().signal,
    now: () => new Date(),
    rateLimitPauseMs: 1,
    readyPauseMs: 1,
    slotWaitMs: 60_000,
    ...(verify !== undefined && { verify }),
  };
  const planOf = ({ tasks = options.tasks, plan = options.plan ?? {} }: { tasks?: RigOptions["tasks"]; plan?: object } = {}) =>
    parsePlan(
      JSON.stringify({
        version: 1,
        name: "rig",
        verification: ["true"],
        ...plan,
        tasks: tasks.map((one) => (typeof one === "string" ? { id: one } : one)),
      }),
      { path: "rig.yaml" },
    );
  const newest = (): RunSummary => {
    const found = listRuns(repository)[0];
    if (found === undefined) throw new Error("there is no run");
    return found;
  };
  const rig: Rig = {
    repo,
    repository,
    said,
    newest,
    facts: () => newest().facts,
    task: (id) => {
      const found = newest().facts.tasks.get(id);
      if (found === undefined) throw new Error(`no task ${id}`);
      return found;
    },
    events: (type) => newest().lines.flatMap(({ event }) => (event.type === type ? [event] : [])),
    starts: (id) => newest().lines.filter(({ event }) => event.type === "attempt-started" && event.task === id).length,
    has: (path) => repo.git("ls-tree", "--name-only", "main", path) === path,
    run: ({ mode = "all", merge = true } = {}) => startRun(host, { plan: planOf(), source: "rig.yaml", into: null, mode, merge }),
    goOn: (changed) =>
      continueRun(host, {
        run: null,
        mode: null,
        plan: changed === undefined ? null : planOf(changed),
        replan: changed !== undefined,
        takeOver: false,
      }),
    land: (...ids) => landApproved(host, newest(), ids),
    decide: (task, how) =>
      inRun(
        { repository },
        newest().record,
        async (_ownership, _journal, _facts, emit) => void emit({ type: "resolved", task, how, commit: null, reason: "by hand" }),
        () => new Date(),
      ),
  };
  return rig;
}

/** The plainest agent: writes a file of its own name, and commits it. */
export const writes = (id: string): string => `echo ${id} > ${id}.txt; commit ${id}`;
