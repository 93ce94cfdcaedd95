import type { AgentSpec, Config } from "../domain/index.ts";
import type { SettingValues } from "./settings.ts";

/** The flat keys of the file as the nested value that the program reads. */
export function configOf(values: SettingValues, byName: Readonly<Record<string, AgentSpec>>): Config {
  return {
    parallelization: {
      enabled: values["parallelization.enabled"],
      minTasks: values["parallelization.min_tasks"],
      maxAgents: values["parallelization.max_agents"],
      autoCleanup: values["parallelization.auto_cleanup"],
      retryOnFailure: values["parallelization.retry_on_failure"],
    },
    pool: {
      size: values["pool.size"],
      dir: values["pool.dir"],
      branchPrefix: values["pool.branch_prefix"],
      copy: values["pool.copy"],
      setup: values["pool.setup"],
      keep: values["pool.keep"],
      ports: values["pool.ports"],
      env: values["pool.env"],
      ttlMs: values["pool.ttl"],
      trashMaxBytes: values["pool.trash_max"],
      rescueMaxFileBytes: values["pool.rescue_max_file"],
      rescueMaxBytes: values["pool.rescue_max"],
    },
    agents: { default: values["agents.default"], byName },
    schedule: values.schedule,
    qa: {
      checks: values["qa.checks"],
      allowScripts: values["qa.allow_scripts"],
      env: values["qa.env"],
      slots: values["qa.slots"],
    },
    merge: {
      onConflict: values["merge.on_conflict"],
      agent: values["merge.agent"],
      level: values["merge.level"],
      strategy: values["merge.strategy"],
      union: values["merge.union"],
      generated: values["merge.generated"],
    },
    run: { confirm: values["run.confirm"] },
  };
}
