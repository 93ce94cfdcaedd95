import type { Check } from "./plan.ts";

/** How a program works as an agent. Data, so that any command can be one. */
export type AgentSpec = {
  name: string;
  /** argv; `{prompt}` and `{brief}` (a file) are replaced as whole arguments only. */
  command: readonly [string, ...string[]];
  /** How the prompt travels: standard input, the last argument, or `GRAFTWORK_BRIEF` alone. */
  prompt: "stdin" | "argument" | "file";
  output: "text" | "claude-stream-json" | "codex-json";
  /** Arguments added to resume a conversation, `{session}` replaced; null: every attempt starts anew. */
  resume: readonly string[] | null;
  /** Names of environment variables passed on besides the common ones; a trailing `*` matches the rest. */
  env: readonly string[];
  /** Variables set to fixed values. */
  setEnv: Readonly<Record<string, string>>;
  /** Source of a regular expression that recognises a rate limit in the output; null: none. */
  rateLimit: string | null;
  timeoutMs: number;
  /** Ends an agent that says nothing for so long; null: off. */
  idleTimeoutMs: number | null;
  outputMaxBytes: number;
  /** Shown in the box before a run: what the agent may do without asking. */
  permissions: string;
};

/** The effective configuration, read once at a run's start. Keys of the file are these in snake case (`spec: config`). */
export type Config = {
  parallelization: {
    enabled: boolean;
    minTasks: number;
    maxAgents: number;
    autoCleanup: boolean;
    retryOnFailure: number;
  };
  pool: {
    size: number;
    /** Null: `../<repository>.pool`. */
    dir: string | null;
    branchPrefix: string;
    /** Globs of untracked files that every slot gets a copy of. */
    copy: readonly string[];
    /** Text is run by `sh -c`, a list as argv. */
    setup: "auto" | "none" | readonly (string | readonly [string, ...string[]])[];
    /** Anchored folders (`/node_modules/`) that stay in a slot from one task to the next. */
    keep: readonly string[];
    /** How many ports each lease has for itself; 0: none. */
    ports: number;
    /** Variables of agents, set-up commands and checks. */
    env: Readonly<Record<string, string>>;
    /** A lease from a shell ends after so long. */
    ttlMs: number;
    trashMaxBytes: number;
    rescueMaxFileBytes: number;
    rescueMaxBytes: number;
  };
  agents: { default: string; byName: Readonly<Record<string, AgentSpec>> };
  schedule: "groups" | "eager";
  qa: {
    /** Empty: from the project profile or the package scripts of the base. */
    checks: readonly Check[];
    /** Packages whose install scripts may run. */
    allowScripts: readonly string[];
    /** Names of variables that checks may see. */
    env: readonly string[];
    /** Verifications side by side. */
    slots: number;
  };
  merge: {
    onConflict: readonly ("resolvers" | "rerun" | "agent" | "person")[];
    /** The agent that resolves conflicts; null: the default one. */
    agent: string | null;
    /** How much the resolvers close without a person. */
    level: "off" | "safe" | "assist";
    /** A merge commit a task, or one commit of the whole work. */
    strategy: "merge" | "squash";
    /** Globs of files in which what both sides added at one place is kept. */
    union: readonly string[];
    /** By the glob of generated files, the command that makes them: text is run by `sh -c`, a list as argv. */
    generated: Readonly<Record<string, Check["run"]>>;
  };
  run: { confirm: boolean };
};
