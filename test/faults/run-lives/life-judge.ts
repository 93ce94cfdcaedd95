import type { JournalLine } from "../../../src/domain/index.ts";
import { isPutBack } from "../../../src/git/index.ts";
import { faultsOf } from "./life-plan.ts";
import { type LifeStage, treeOf } from "./life-stage.ts";

export type Judge = {
  faults: string[];
  /** Landings that were judged. */
  landings: () => number;
  /** Does what a user does, so that each move of main in it counts as the user's. */
  byUser: <Result>(act: () => Result) => Result;
  /** The same for what takes time. */
  byUserLater: <Result>(act: () => Promise<Result>) => Promise<Result>;
  /** Judges each move of main since the last look. */
  look: () => void;
};

type Move = { to: string; message: string };

/**
 * Follows main by its reflog. What moves it while a user acts is the user's; all else is the run's, and must be green,
 * whole, and bring nothing back that a user took off main.
 */
export function judgeOf({ repo, life, approved }: LifeStage): Judge {
  const faults: string[] = [];
  const moves = (): Move[] =>
    repo
      .git("reflog", "show", "--format=%H %gs", "refs/heads/main")
      .split("\n")
      .map((line) => ({ to: line.slice(0, 40), message: line.slice(41) }))
      .toReversed();
  let seen = moves().length;
  let at = repo.git("rev-parse", "refs/heads/main");
  let landings = 0;
  /** Commits and contents that a user took off main. */
  const [removed, gone] = [new Set<string>(), new Set<string>()];
  /** Contents that a user brought to main: their own checks are the user's matter. */
  const brought = new Set<string>();
  const between = (from: string, to: string): string[] => repo.git("rev-list", `${from}..${to}`).split("\n").filter(Boolean);
  const contents = (commit: string): Set<string> => new Set([...treeOf(repo, commit)].map(([path, oid]) => `${path} ${oid}`));

  const movedByUser = (to: string): void => {
    for (const commit of between(to, at)) removed.add(commit);
    for (const commit of between(at, to)) removed.delete(commit);
    const [before, after] = [contents(at), contents(to)];
    for (const one of before) if (!after.has(one)) gone.add(one);
    for (const one of after) {
      gone.delete(one);
      if (!before.has(one)) brought.add(one);
    }
  };
  const movedByRun = ({ to, message }: Move): void => {
    if (isPutBack(message)) return;
    landings += 1;
    const say = (text: string): void => void faults.push(`landing ${to.slice(0, 12)} (${message}): ${text}`);
    if (between(to, at).length > 0) say("it takes commits off main");
    if (!approved.has(to)) say("its tree was never approved");
    for (const commit of between(at, to)) if (removed.has(commit)) say(`it brings back commit ${commit.slice(0, 12)}`);
    const [before, after] = [contents(at), contents(to)];
    for (const one of after) if (!before.has(one) && gone.has(one)) say(`it brings back ${one}`);
    const files = new Map(treeOf(repo, to));
    const judged = life.tasks.filter(({ id }) => !brought.has(`${id}.txt ${files.get(`${id}.txt`)}`) && files.has(`${id}.txt`));
    const red = faultsOf(life, new Set(files.keys()), new Set(judged.map(({ id }) => id)));
    if (red.length > 0) say(`it is red: ${red.join("; ")}`);
    const old = treeOf(repo, at);
    for (const { id, dependsOn } of life.tasks) {
      const isNew = files.has(`${id}.txt`) && !old.has(`${id}.txt`);
      for (const needed of dependsOn) if (isNew && !files.has(`${needed}.txt`)) say(`${id} landed without ${needed}`);
    }
  };
  const follow = (isUsers: boolean): void => {
    const all = moves();
    for (const move of all.slice(seen)) {
      if (move.to === at) continue;
      if (isUsers) movedByUser(move.to);
      else movedByRun(move);
      at = move.to;
    }
    seen = all.length;
  };
  return {
    faults,
    landings: () => landings,
    look: () => follow(false),
    byUser: (act) => {
      follow(false);
      try {
        return act();
      } finally {
        follow(true);
      }
    },
    byUserLater: async (act) => {
      follow(false);
      try {
        return await act();
      } finally {
        follow(true);
      }
    },
  };
}

/** Approved work that no ref holds and that main does not hold by content, unless a person skipped it. */
export function lostWork({ repo }: LifeStage, lines: readonly JournalLine[]): string[] {
  const held = new Set(repo.git("rev-list", "--all").split("\n"));
  const skipped = new Set(lines.flatMap(({ event }) => (event.type === "resolved" && event.how === "skip" ? [event.task] : [])));
  const approved = lines.flatMap(({ event }) => {
    const isVerdict = event.type === "verdict" || event.type === "second-look";
    return isVerdict && event.verdict?.decision === "approved" ? [{ task: event.task, commit: event.verdict.commit }] : [];
  });
  const inRefs = (): Set<string> => {
    const refs = repo.git("for-each-ref", "--format=%(objecttype) %(objectname)").split("\n");
    const commits = refs.flatMap((line) => (line.startsWith("commit ") ? [line.slice(7)] : []));
    return new Set([...new Set(commits)].flatMap((commit) => [...treeOf(repo, commit)].map(([path, oid]) => `${path} ${oid}`)));
  };
  return approved.flatMap(({ task, commit }) => {
    if (held.has(commit) || skipped.has(task)) return [];
    const path = `${task}.txt`;
    try {
      return inRefs().has(`${path} ${treeOf(repo, commit).get(path)}`) ? [] : [`approved commit ${commit.slice(0, 12)} of ${task} is lost`];
    } catch {
      return [`approved commit ${commit.slice(0, 12)} of ${task} is gone`];
    }
  });
}
