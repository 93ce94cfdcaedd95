import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../../../src/config/index.ts";
import type { Check, Config, Plan, Verify } from "../../../src/domain/index.ts";
import { openRepository, type Repository } from "../../../src/git/index.ts";
import { hermeticEnv, type TempRepo, tempRepo } from "../../fixtures/index.ts";
import { verdictOn } from "../../fixtures/merge-context.ts";
import { task } from "../../unit/plan/plan-fixture.ts";
import { faultsOf, type LifePlan, REWRITTEN, scriptOf } from "./life-plan.ts";

export type LifeStage = {
  repo: TempRepo;
  repository: Repository;
  config: Config;
  plan: Plan;
  life: LifePlan;
  /** Judges a commit by its paths alone, and notes what it approved in `approved`. */
  verify: Verify;
  approved: Set<string>;
};

const CHECK: Check = { name: "paths", run: "true", timeoutMs: 60_000, history: false };

/** A repository with the configuration, the agents and the plan of one life. */
export async function stageOf(life: LifePlan): Promise<LifeStage> {
  const repo = tempRepo({ files: Object.fromEntries(REWRITTEN.map((path) => [path, "nobody has been here\n"])) });
  const agents = join(repo.parent, "agents");
  const env = { ...hermeticEnv(), HOME: repo.parent };
  writeFileSync(`${agents}.sh`, `. "${agents}-$GRAFTWORK_TASK_ID.sh"\n`);
  for (const task of life.tasks) writeFileSync(`${agents}-${task.id}.sh`, scriptOf(task));
  repo.commit({ ".claude/auto-context.yaml": JSON.stringify(settingsOf(life, `${agents}.sh`)) }, "settings");
  const { config } = await loadConfig({ root: repo.dir, env, presets: {} });
  const approved = new Set<string>();
  const verify: Verify = async (request) => {
    const faults = faultsOf(life, new Set(treeOf(repo, request.commit).keys()), new Set([...request.tasks, ...request.earlier]));
    if (faults.length === 0) approved.add(request.commit);
    return verdictOn(request, faults.join("; "));
  };
  return { repo, repository: await openRepository(repo.dir, { parentEnv: env }), config, plan: planOf(life), life, verify, approved };
}

function settingsOf(life: LifePlan, script: string): object {
  return {
    agents: { default: "life", life: { command: ["/bin/sh", script] } },
    schedule: life.schedule,
    parallelization: { max_agents: life.maxAgents, min_tasks: 2, retry_on_failure: life.retries },
    pool: { setup: "none", ports: 0 },
    qa: { slots: life.verifications },
    merge: { strategy: life.strategy, on_conflict: life.onConflict },
  };
}

function planOf({ tasks }: LifePlan): Plan {
  const listed = tasks.map(({ id, dependsOn, retries }) => task(id, { title: `do ${id}`, dependsOn, retries }));
  return { version: 1, name: "life", base: "main", protect: "strict", verification: [CHECK], tasks: listed };
}

/** The paths of a tree with the ids of what is in them. */
export function treeOf(repo: TempRepo, commit: string): Map<string, string> {
  const lines = repo.git("ls-tree", "-r", commit).split("\n");
  return new Map(
    lines.flatMap((line) => {
      const [about = "", path] = line.split("\t");
      return path === undefined ? [] : [[path, about.split(" ")[2] ?? ""] as const];
    }),
  );
}
