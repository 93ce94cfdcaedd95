import { userConfig } from "../config/index.ts";
import { type Config, commandText, count, GraftworkError, type Plan, visibleText } from "../domain/index.ts";
import { poolFolder } from "../pool/index.ts";
import { packageChecks } from "../qa/index.ts";
import type { RunRequest } from "../run/index.ts";
import type { Question } from "./approval.ts";
import type { Opened } from "./pool-context.ts";

/** Tasks that are listed by name. The question has to fit on a screen. */
const LISTED = 12;

/** Returns the question before the first run in a repository: agents are about to write, and the target is about to move. */
export async function firstRun(
  { context, loaded }: Opened,
  { plan, merge }: RunRequest,
  { target, base }: { target: string; base: string },
): Promise<Question> {
  const { repository, settings } = context;
  const { qa } = loaded.config;
  // The scripts run only for a task without checks of its own or of the plan.
  const needsDefault = plan.verification.length === 0 && plan.tasks.some(({ verification }) => verification.length === 0);
  const scripts = qa.checks.length > 0 || !needsDefault ? [] : await packageChecks(repository, base);
  const named = [...plan.verification, ...plan.tasks.flatMap(({ verification }) => verification)];
  const own = merge ? `is merged into your local branch ${target}` : `waits on its branch: nothing is merged into ${target}`;
  return {
    title: "First run in this repository. Nothing has been started.",
    lines: [
      `  ${count(plan.tasks.length, "task")}, each in a git worktree of its own (a slot) below ${poolFolder(repository, settings)}:`,
      ...taskLines(plan, loaded.config),
      `  Work that passes its checks ${own}. Nothing is pushed.`,
      ...agentLines({ loaded }, plan),
      ...named.map(({ run }) => `  check of the plan: ${commandText(run)}`),
      ...scripts.map(({ run }) => `  check, a script of ${target}'s package.json: ${commandText(run)}`),
      "  No ceiling of cost is set.",
    ].map(visibleText),
    ask: "Run the plan?",
    refused: (because, digest) =>
      new GraftworkError("CONFIRMATION_NEEDED", {
        message: "The first run in a repository needs a yes.",
        because,
        try: `\`graftwork run … --yes\`; in CI set GRAFTWORK_TRUST=${digest}. Or \`run: {confirm: false}\` in your own configuration${userConfigText(repository.parentEnv)}.`,
      }),
  };
}

function taskLines({ tasks }: Plan, { agents }: Config): string[] {
  const more = tasks.length - LISTED;
  return [
    ...tasks.slice(0, LISTED).map(({ id, agent }) => `    ${id}, by the agent ${agent ?? agents.default}`),
    ...(more > 0 ? [`    and ${more} more`] : []),
  ];
}

/** Returns a line for each agent that the run may start. It does not repeat what a repository claims about its own agents. */
function agentLines({ loaded }: Pick<Opened, "loaded">, { tasks }: Plan): string[] {
  const { agents, merge } = loaded.config;
  const atWork = new Set(tasks.map(({ agent }) => agent ?? agents.default));
  const resolver = merge.onConflict.includes("agent") ? [merge.agent ?? agents.default] : [];
  return [...new Set([...atWork, ...resolver])].map((name) => {
    const [agent, own] = [agents.byName[name], loaded.own.agents.byName[name]];
    const part = atWork.has(name) ? "" : ", only if a merge conflicts";
    const isOwn = agent !== undefined && agent.permissions === own?.permissions;
    return `  agent ${name}${part}: ${isOwn ? `${agent.permissions}\n      ${commandText(agent.command)}` : "graftwork sets it no limits; its command is the repository's"}`;
  });
}

function userConfigText(env: Parameters<typeof userConfig>[0]): string {
  const path = userConfig(env);
  return path === undefined ? "" : ` (${path})`;
}
