import type { BriefTemplates } from "../dispatch/index.ts";
import type { Check, Decision, JournalLine, Task } from "../domain/index.ts";
import type { Repository } from "../git/index.ts";
import type { MergeContext } from "../merge/index.ts";
import type { PoolContext } from "../pool/index.ts";
import type { RunFacts } from "../session/index.ts";
import type { Journal } from "../state/index.ts";
import type { Ownership } from "./ownership.ts";
import type { RunRecord } from "./run-folder.ts";

/** What a session of a run works with from its start to its end. */
export type EngineContext = {
  repository: Repository;
  record: RunRecord;
  decision: Decision;
  ownership: Ownership;
  journal: Journal;
  pool: PoolContext;
  /** How work is judged, merged and landed; jobs add where its events go. */
  merging: Omit<MergeContext, "emit">;
  templates: BriefTemplates;
  /** The checks that QA will judge a task by. */
  checksFor: (task: Task) => readonly Check[];
  /** After each event, with the facts before and after it. */
  onEvent: (line: JournalLine, before: RunFacts, after: RunFacts) => void;
  onLine: (task: string, line: string) => void;
  narrate: (line: string) => void;
  /** First pause after a rate limit; doubles with each further one of the same task. */
  rateLimitPauseMs: number;
  /** First pause after a slot could not be made ready; doubles with each further one of the same task. */
  readyPauseMs: number;
  /** How long an attempt waits for a slot that others hold. */
  slotWaitMs: number;
  now: () => Date;
  signal: AbortSignal;
};
