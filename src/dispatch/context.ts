import { type AgentSpec, type Check, type Config, GraftworkError, type Plan, type RunEvent, type Task } from "../domain/index.ts";
import type { Repository } from "../git/index.ts";
import type { PoolContext } from "../pool/index.ts";

/** The texts that briefs are made from. */
export type BriefTemplates = { executor: string; resolver: string };

export type DispatchContext = {
  repository: Repository;
  pool: PoolContext;
  config: Config;
  plan: Plan;
  run: string;
  /** Short name of the branch that the run lands on. */
  target: string;
  /** Commits that the target may be moved to: those of approved and landed tasks, and what landings made of them. */
  approved: () => readonly string[];
  /** How long an attempt waits for a slot that others hold; then POOL_EXHAUSTED names them. */
  slotWaitMs: number;
  /** Folder of the run: logs and briefs go below it. */
  runFolder: string;
  /** The checks that QA will judge a task by; they go into the brief and the agent's permissions. */
  checksFor: (task: Task) => readonly Check[];
  templates: BriefTemplates;
  emit: (event: RunEvent) => void;
  /** One cleaned line of an agent's output, for progress. */
  onLine: (task: string, line: string) => void;
  signal: AbortSignal;
};

/** Throws AGENT_UNKNOWN. */
export function requireAgent(context: Pick<DispatchContext, "config">, task: Task, name: string): AgentSpec {
  const spec = context.config.agents.byName[name];
  if (spec !== undefined) return spec;
  throw new GraftworkError("AGENT_UNKNOWN", {
    message: `Task ${task.id} names the agent ${JSON.stringify(name)}, which is not configured.`,
    because: `configured are ${Object.keys(context.config.agents.byName).join(", ")}.`,
    try: `add \`agents.${name}.command\` to .claude/auto-context.yaml, or name another agent in the plan.`,
  });
}
