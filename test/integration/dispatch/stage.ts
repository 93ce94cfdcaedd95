import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { presets } from "../../../src/agents/index.ts";
import { loadConfig } from "../../../src/config/index.ts";
import { attemptTask, type DispatchContext, settleInterrupted } from "../../../src/dispatch/index.ts";
import type { AgentSpec, RunEvent, Task } from "../../../src/domain/index.ts";
import { initPool, type PoolContext, processOwner, releaseSlot } from "../../../src/pool/index.ts";
import { foldLine, foldRun, type RunFacts, type TaskFacts } from "../../../src/session/index.ts";
import { type AgentScript, type FakeAgent, fakeAgent, type RepoOptions } from "../../fixtures/index.ts";
import { aPlan, aTask } from "../../unit/run/simulation.ts";
import { type Lab, lab } from "../pool/lab.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const LIMITS = { retries: 3, onConflict: [] };

export type Stage = Lab & {
  pool: PoolContext;
  dispatch: DispatchContext;
  agent: FakeAgent;
  events: RunEvent[];
  /** The facts of task `t`, folded from the events. */
  facts: () => TaskFacts;
  attempt: (more?: Partial<DispatchContext>) => Promise<TaskFacts>;
  settle: () => Promise<TaskFacts>;
  /** Gives the task's slot back, as a run does after an attempt. */
  release: () => Promise<void>;
  emit: (event: RunEvent) => void;
  briefOf: (attempt: number) => string;
};

export type StageOptions = {
  repo?: RepoOptions;
  slots?: number;
  task?: Partial<Task>;
  spec?: Partial<AgentSpec>;
  /** Steps of task `t`, by attempt. */
  script?: AgentScript[string];
};

/** A repository with a pool, and a run with the task `t`, whose agent follows a script. */
export async function stage(options: StageOptions = {}): Promise<Stage> {
  const all = await lab(options.repo);
  const { repository } = all.context;
  const agent = fakeAgent({ "*": options.script ?? [[]] });
  const { config } = await loadConfig({
    root: all.repo.dir,
    env: {},
    presets: presets({ parentEnv: {}, mockAgentPath: join(root, "templates/mock-agent.mjs"), nodePath: process.execPath }),
  });
  const mock = config.agents.byName["mock"];
  if (mock === undefined) throw new Error("no mock agent");
  const spec: AgentSpec = { ...mock, name: "fake", command: agent.command, prompt: "stdin", ...options.spec };
  const pool: PoolContext = { ...all.as(processOwner("r"), "r") };
  await initPool(pool, { size: options.slots ?? 2 });
  const task = aTask("t", [], options.task);
  const plan = aPlan([task]);
  const base = all.repo.git("rev-parse", "main");
  const started: RunEvent = {
    type: "run-started",
    run: "r",
    plan: "p",
    planDigest: "d",
    target: "main",
    base,
    mode: "all",
    merge: true,
  };
  const events: RunEvent[] = [];
  let facts: RunFacts = foldRun([{ seq: 1, epoch: 1, at: "2026-01-01T00:00:00Z", event: started }], plan, LIMITS);
  const emit = (event: RunEvent): void => {
    events.push(event);
    facts = foldLine(facts, { seq: events.length + 1, epoch: 1, at: "2026-01-01T00:00:00Z", event }, LIMITS);
  };
  const ofTask = (): TaskFacts => {
    const found = facts.tasks.get("t");
    if (found === undefined) throw new Error("no task t");
    return found;
  };
  const runFolder = join(all.repo.parent, "run");
  const dispatch: DispatchContext = {
    repository,
    pool,
    config: { ...config, agents: { default: "fake", byName: { fake: spec } } },
    plan,
    run: "r",
    target: "main",
    approved: () => [],
    slotWaitMs: 0,
    runFolder,
    checksFor: () => [],
    templates: { executor: readFileSync(join(root, "templates/prompts/executor.md"), "utf8"), resolver: "" },
    emit,
    onLine: () => undefined,
    signal: new AbortController().signal,
  };
  return {
    ...all,
    pool,
    dispatch,
    agent,
    events,
    emit,
    facts: ofTask,
    async attempt(more = {}) {
      await attemptTask({ ...dispatch, ...more }, task, ofTask(), all.repo.git("rev-parse", "main"), []);
      return ofTask();
    },
    async settle() {
      await settleInterrupted(dispatch, task, ofTask());
      return ofTask();
    },
    async release() {
      const { slot, token } = ofTask();
      if (slot === null || token === null) return;
      const { rescue } = await releaseSlot(pool, { name: slot, token });
      emit({ type: "slot-released", task: "t", slot, rescue: rescue?.id ?? null });
    },
    briefOf: (attempt) => readFileSync(join(runFolder, "briefs/t", `${attempt}.md`), "utf8"),
  };
}
