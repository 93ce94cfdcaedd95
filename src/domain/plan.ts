export const WORK_TYPES = [
  "FRONTEND",
  "BACKEND",
  "FULLSTACK",
  "DOCUMENTATION",
  "DOCUMENTS",
  "INTEGRATION",
  "TESTING",
  "CREATIVE",
  "RESEARCH",
] as const;
export type WorkType = (typeof WORK_TYPES)[number];

/** A command that judges work: text goes to `sh -c`, a list is argv. Nothing of ours is ever spliced in. */
export type Check = {
  name: string;
  run: string | readonly string[];
  /** Milliseconds until the whole process group is ended. */
  timeoutMs: number;
  /** True where the check reads history, so that its verdict holds for the commit and not only for the tree. */
  history: boolean;
};

export type Task = {
  id: string;
  title: string;
  /** The brief given to the agent. */
  description: string;
  /** Globs the task expects to write; empty: assumed to overlap with none. */
  files: readonly string[];
  dependsOn: readonly string[];
  workType: WorkType | null;
  contention: "FREE" | "EXCLUSIVE";
  /** Real things only one task may use at a time. An EXCLUSIVE task that names none uses the resource `*`. */
  resources: readonly string[];
  /** A name from the configuration's agents; null: the default agent. */
  agent: string | null;
  /** Checks added to the plan's. */
  verification: readonly Check[];
  /** Null: the agent's own limit. */
  timeoutMs: number | null;
  /** Null: the configuration's `retry_on_failure`. */
  retries: number | null;
};

export type Plan = {
  version: 1;
  name: string;
  /** The target branch; null: the branch checked out. */
  base: string | null;
  protect: "strict" | "relaxed";
  verification: readonly Check[];
  tasks: readonly Task[];
};

/** Tasks that run in one session. Numbered from 1; sub-groups of a large level are groups of their own. */
export type Group = { number: number; tasks: readonly string[] };

/** How a plan will be run, and why. The same plan and limits always give the same decision. */
export type Decision = {
  mode: "PARALLEL" | "SEQUENTIAL";
  /** Why SEQUENTIAL; for PARALLEL the number of independent tasks in words. */
  reason: string;
  /** Never more live agents than this. */
  agents: number;
  groups: readonly Group[];
  /** Said in the box: e.g. a task that declares no files. */
  warnings: readonly string[];
};
