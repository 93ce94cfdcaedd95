import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { type JournalLine, systemCode } from "../../../src/domain/index.ts";
import { isFinished } from "../../../src/run/at-rest.ts";
import {
  continueRun,
  inRun,
  landApproved,
  listRuns,
  type RunHost,
  type RunSummary,
  startRun,
  undo,
  undoableRun,
} from "../../../src/run/index.ts";
import { foldRun, isOver, type RunFacts } from "../../../src/session/index.ts";
import { readJournal } from "../../../src/state/index.ts";
import { stuckIn } from "../../unit/run/simulation.ts";
import { judgeOf, lostWork } from "./life-judge.ts";
import { type Roll, randomPlan, rollOf } from "./life-plan.ts";
import { type LifeStage, stageOf } from "./life-stage.ts";
import { type User, userOf } from "./life-user.ts";

export type LifeReport = {
  faults: string[];
  /** What was seen in it, for the counts. */
  seen: string[];
  landings: number;
  /** What happened, in order. */
  story: string[];
};

/** How much one life may hold. */
export type LifeSize = { tasks: number; sessions: number };

/** What hangs never ends; on a busy machine a session of a minute may take three. */
const LONGEST_MS = 180_000;
/** Ends of a session that are no fault: nothing is left, the target never held still, or the run is over. */
const ALLOWED = new Set(["INTERRUPTED", "TARGET_MOVED", "NOTHING_TO_CONTINUE", "UNDO_REFUSED"]);

/** One run over several sessions in a repository of its own, with a user who acts at random, and what was wrong with it. */
export async function liveLife(seed: number, { tasks, sessions }: LifeSize): Promise<LifeReport> {
  const roll = rollOf(seed);
  const life = randomPlan(roll, tasks);
  const stage = await stageOf(life);
  const judge = judgeOf(stage);
  const user = userOf(stage, judge, roll);
  const { faults } = judge;
  const seen: string[] = [];
  const story: string[] = [`plan ${JSON.stringify(life)}`];
  const tell = (line: string): void => void story.push(line);
  let known = 0;
  const tellUser = (): void => {
    for (const line of user.done.slice(known)) tell(`user: ${line}`);
    known = user.done.length;
  };
  try {
    for (let n = 0; n < sessions; n++) {
      const found = listRuns(stage.repository)[0];
      if (n > 0 && (found === undefined || isOver(found.facts))) break;
      const { kind, code } = await session(stage, { roll, user, tell: (line) => (tellUser(), tell(line)), found, faults });
      seen.push(kind, ...(code === undefined ? [] : [code]));
      tellUser();
      judge.look();
      faults.push(...user.tidy().map((text) => `session ${n}: ${text}`));
      const after = listRuns(stage.repository)[0];
      if (after === undefined) break;
      for (let acts = 1 + roll(2); acts > 0; acts--) user.act();
      tellUser();
      await decide(stage, after, roll, (what) => (seen.push(what), tell(`user: ${what}`)));
      if (n > 0 && roll(8) === 0 && after.facts.landings.length > 0)
        await judge.byUserLater(async () => {
          const code = await undo(stage.repository, await undoableRun(stage.repository, after), () => new Date()).then(
            () => "undo",
            systemCode,
          );
          seen.push(String(code));
          tell(`user: ${code}`);
        });
    }
    judge.look();
    const end = listRuns(stage.repository)[0];
    if (end !== undefined) faults.push(...lostWork(stage, end.lines));
    seen.push(...user.done.map((line) => line.split(" ")[0] ?? ""));
    return { faults, seen, landings: judge.landings(), story };
  } finally {
    rmSync(stage.repo.parent, { recursive: true, force: true, maxRetries: 5 });
  }
}

type Scene = { roll: Roll; user: User; tell: (line: string) => void; found: RunSummary | undefined; faults: string[] };

/** One session, to its end, to an interruption or to an error. */
async function session(stage: LifeStage, { roll, user, tell, found, faults }: Scene): Promise<{ kind: string; code?: string }> {
  const { repository, config, plan, life } = stage;
  const stop = new AbortController();
  const abortAt = roll(5) === 0 ? 5 + roll(40) : Number.POSITIVE_INFINITY;
  const often = [0, 8, 12, 20][roll(4)] ?? 0;
  let [events, acts] = [0, 0];
  let facts: RunFacts | undefined;
  const meddle = (chance: number): void => {
    if (often === 0 || acts >= 5 || roll(often) >= chance) return;
    acts += 1;
    user.act();
  };
  const host: RunHost = {
    repository,
    config,
    templates: { executor: "{{task_id}}", resolver: "{{task_id}}" },
    onStart: () => undefined,
    onEvent: (line, _before, after) => {
      facts = after;
      tell(textOf(line));
      events += 1;
      if (events === abortAt) stop.abort();
      meddle(1);
    },
    onLine: () => undefined,
    narrate: () => undefined,
    signal: stop.signal,
    now: () => new Date(),
    verify: async (request) => {
      meddle(4);
      return stage.verify(request);
    },
    readyPauseMs: 1,
    slotWaitMs: 5_000,
  };
  const waiting = found === undefined ? [] : [...found.facts.tasks.values()].filter(({ status }) => status === "qa_approved");
  const isLanding = found !== undefined && waiting.length > 0 && roll(2) === 0;
  const request = { plan, source: null, into: "main", mode: life.mode, merge: life.merge };
  const again = { run: null, mode: null, plan: null, replan: false, takeOver: false };
  const ids = waiting.map(({ id }) => id).filter(() => roll(3) !== 0);
  const work = async (): Promise<{ kind: string; code?: string }> => {
    if (isLanding) return { kind: `land exit ${(await landApproved(host, found, ids)).exit}` };
    const end = found === undefined ? await startRun(host, request) : await continueRun(host, again);
    const { lines } = readJournal(repository.layout.run(end.run));
    const summary = listRuns(repository)[0];
    const limits = summary?.record.limits ?? { retries: 0, onConflict: [] };
    if (!isDeepStrictEqual(foldRun(lines, plan, limits), end.facts)) faults.push("replay differs from the live facts");
    if (end.exit === 130) return { kind: "aborted" };
    if (life.mode === "all") {
      faults.push(...stuckIn(end.facts).map((text) => `${text} when the session ended with ${end.exit}`));
      if (end.exit !== 5 && !isFinished(end.facts)) faults.push(`exit ${end.exit}, though the run is not finished`);
    }
    return { kind: `exit ${end.exit}` };
  };
  tell(`session: ${found === undefined ? "run" : isLanding ? `land ${ids.join(" ")}` : "continue"}`);
  const outcome = await Promise.race([
    work().catch((error: unknown) => ({ kind: "error", code: codeOf(error, faults) })),
    delay(LONGEST_MS, undefined, { ref: false }).then(() => undefined),
  ]);
  if (outcome !== undefined) return outcome;
  const statuses = [...(facts?.tasks.values() ?? [])].map(({ id, status }) => `${id} ${status}`);
  faults.push(`a session did not end: ${statuses.join(", ")}`);
  stop.abort();
  await delay(5_000);
  return { kind: "endless" };
}

function codeOf(error: unknown, faults: string[]): string {
  const code = String(systemCode(error));
  if (!ALLOWED.has(code)) faults.push(`a session ended with ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return code;
}

/** A person's word on tasks that wait for one, or failed. */
async function decide({ repository }: LifeStage, { record, facts }: RunSummary, roll: Roll, tell: (what: string) => void): Promise<void> {
  const waits = [...facts.tasks.values()].filter(({ status }) => status === "conflict" || status === "failed" || status === "qa_blocked");
  for (const { id } of waits) {
    if (roll(4) === 0) continue;
    const how = roll(5) === 0 ? "skip" : "retry";
    await inRun(
      { repository },
      record,
      async (_own, _journal, _facts, emit) => emit({ type: "resolved", task: id, how, commit: null, reason: "" }),
      () => new Date(),
    );
    tell(how);
  }
}

function textOf({ event }: JournalLine): string {
  const { type, ...rest } = event;
  return `  ${type} ${JSON.stringify(rest).slice(0, 300)}`;
}
