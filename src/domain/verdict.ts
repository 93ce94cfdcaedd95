export type CheckResult = {
  name: string;
  state: "passed" | "failed" | "skipped" | "not-run";
  /** Null: ended by a signal or never started. */
  exitCode: number | null;
  durationMs: number;
  /** Absolute path of the whole output; null where there is none. */
  log: string | null;
  /** The relevant last lines, cleaned of control characters. */
  excerpt: string;
  /** Failed first and passed when run again in a new folder. */
  flaky: boolean;
};

/** QA's judgement of one commit merged onto one base. Void as soon as either is another. */
export type Verdict = {
  decision: "approved" | "rejected" | "blocked";
  /** The request's label: a task id, or `train`. */
  label: string;
  commit: string;
  /** The commit of the target that `commit` was merged onto. */
  base: string;
  /** The tree that was checked out and judged. */
  tree: string;
  /** Digest of everything the verdict depends on besides the tree: checks, tools, environment. */
  key: string;
  /** One sentence: which check failed, or what is missing. */
  reason: string;
  checks: readonly CheckResult[];
  install: "fresh" | "none" | "reused-verdict";
  at: string;
  /** A check failed beside another verification and passed alone, so that verifications disturb each other here. */
  overlapped?: true;
};

/** A request to judge `commit`, which merging made on top of `base`. */
export type VerifyRequest = {
  /** Names the folder of logs and the verdict: a task id, or `train` for a landing. */
  label: string;
  /** The tasks that `commit` brings to `base`. */
  tasks: readonly string[];
  /** Tasks of the same run that `base` holds already. */
  earlier: readonly string[];
  commit: string;
  base: string;
  /** Called with plain lines for progress. */
  onProgress?: (line: string) => void;
  signal?: AbortSignal;
};

/** The function that judges, handed to dispatch and merge by `run`. */
export type Verify = (request: VerifyRequest) => Promise<Verdict>;
