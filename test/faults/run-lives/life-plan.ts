import { randomOf } from "../../storm/random.ts";

/** Returns a whole number below `n`. */
export type Roll = (n: number) => number;

export function rollOf(seed: number): Roll {
  const random = randomOf(seed);
  return (n) => Math.floor(random() * n);
}

export function oneOf<T>(roll: Roll, values: readonly [T, ...T[]]): T {
  return values[roll(values.length)] ?? values[0];
}

/** What an agent does in one attempt. `bad` makes work that the task's own check refuses. */
export type Effort = "good" | "bad" | "two commits" | "merges main" | "nothing" | "crash";

/** Each task writes the file `<id>.txt`; what else it does is what can keep it from landing. */
export type LifeTask = {
  id: string;
  dependsOn: readonly string[];
  /** A file of one line that other tasks and the user rewrite too. */
  rewrites: string | null;
  /** The task's own check fails without this task's file, though no dependency is declared. */
  needs: string | null;
  /** The task's own check fails beside this task's file. */
  shuns: string | null;
  /** By attempt; the last one stands for all after it. */
  efforts: readonly [Effort, ...Effort[]];
  retries: number | null;
};

export type LifePlan = {
  /** In the order of listing, which may put a dependent first. */
  tasks: readonly LifeTask[];
  /** A tree with the files of both tasks is red. */
  breaks: readonly (readonly [string, string])[];
  schedule: "groups" | "eager";
  mode: "all" | "one-group";
  strategy: "merge" | "squash";
  merge: boolean;
  maxAgents: number;
  verifications: number;
  retries: number;
  onConflict: readonly ("resolvers" | "rerun" | "person")[];
};

export const REWRITTEN = ["one.txt", "two.txt"] as const;

const EFFORTS = ["good", "good", "good", "good", "good", "two commits", "merges main", "bad", "bad", "nothing", "crash"] as const;

/** A plan of two tasks at least, and `most` at most. */
export function randomPlan(roll: Roll, most: number): LifePlan {
  const size = 2 + roll(most - 1);
  const ids = Array.from({ length: size }, (_, n) => `t${n}`);
  const other = (than: string): string | null => ids.filter((id) => id !== than)[roll(size - 1)] ?? null;
  const tasks = ids.map((id, n): LifeTask => {
    const dependsOn = n === 0 ? [] : [...new Set(Array.from({ length: roll(3) }, () => `t${roll(n)}`))];
    const free = other(id);
    const efforts = Array.from({ length: roll(3) }, () => oneOf(roll, EFFORTS));
    return {
      id,
      dependsOn,
      rewrites: roll(3) === 0 ? oneOf(roll, REWRITTEN) : null,
      needs: roll(6) === 0 && free !== null && !dependsOn.includes(free) ? free : null,
      shuns: roll(8) === 0 && free !== null && !dependsOn.includes(free) ? free : null,
      efforts: [oneOf(roll, EFFORTS), ...efforts, ...(roll(4) === 0 ? [] : (["good"] as const))],
      retries: oneOf(roll, [null, 0, 1, 2]),
    };
  });
  const listed = tasks.map((task) => ({ task, at: roll(100) })).toSorted((a, b) => a.at - b.at);
  return {
    tasks: listed.map(({ task }) => task),
    breaks: Array.from({ length: roll(3) }, () => [oneOf(roll, ["t0", ...ids]), oneOf(roll, ["t1", ...ids])] as const).filter(
      ([a, b]) => a !== b,
    ),
    schedule: oneOf(roll, ["groups", "eager"]),
    mode: roll(5) === 0 ? "one-group" : "all",
    strategy: roll(4) === 0 ? "squash" : "merge",
    merge: roll(6) !== 0,
    maxAgents: 1 + roll(4),
    verifications: 1 + roll(3),
    retries: roll(3),
    onConflict: oneOf(roll, [["resolvers", "person"], ["resolvers", "rerun", "person"], ["person"]]),
  };
}

/**
 * Returns what is wrong with a tree, from its paths alone: the plan's conditions, and the own checks of the tasks that
 * are judged.
 */
export function faultsOf({ tasks, breaks }: LifePlan, files: ReadonlySet<string>, judged: ReadonlySet<string>): string[] {
  const has = (id: string): boolean => files.has(`${id}.txt`);
  const together = breaks.filter(([a, b]) => has(a) && has(b)).map(([a, b]) => `${a} breaks with ${b}`);
  const forbidden = tasks.filter(({ id }) => has(id) && files.has(`no-${id}.txt`)).map(({ id }) => `the user forbids ${id}`);
  const own = tasks.filter(({ id }) => judged.has(id)).flatMap((task) => ownFaults(task, files));
  return [...together, ...forbidden, ...own];
}

function ownFaults({ id, needs, shuns }: LifeTask, files: ReadonlySet<string>): string[] {
  const faults: string[] = [];
  if (files.has(`${id}.bad`)) faults.push(`${id} is bad`);
  if (needs !== null && !files.has(`${needs}.txt`)) faults.push(`${id} needs ${needs}`);
  if (shuns !== null && files.has(`${shuns}.txt`)) faults.push(`${id} shuns ${shuns}`);
  return faults;
}

/** The shell script of a task's agent. What it writes names the attempt, so that no two attempts write the same. */
export function scriptOf({ id, rewrites, efforts }: LifeTask): string {
  const last = efforts.length;
  const cases = efforts.map((effort, n) => `${n + 1 === last ? "*" : n + 1}) ${stepsOf(id, rewrites, effort)} ;;`);
  return `n=$GRAFTWORK_ATTEMPT\ncase $n in\n${cases.join("\n")}\nesac\necho "<promise>READY_FOR_QA: ${id}</promise>"\n`;
}

function stepsOf(id: string, rewrites: string | null, effort: Effort): string {
  const write = (path: string): string => `echo "${id} attempt $n" > ${path}`;
  const commit = `git add -A; git commit -qm "${id} attempt $n"`;
  const work = [write(`${id}.txt`), `rm -f ${id}.bad`, ...(rewrites === null ? [] : [write(rewrites)])];
  switch (effort) {
    case "good":
      return [...work, commit].join("; ");
    case "bad":
      return [...work, write(`${id}.bad`), commit].join("; ");
    case "two commits":
      return [write(`${id}-more.txt`), commit, ...work, commit].join("; ");
    case "merges main":
      return [`git merge -q -m "${id} merges main" main || git merge --abort`, ...work, commit].join("; ");
    case "nothing":
      return "true";
    case "crash":
      return [...work, "exit 1"].join("; ");
  }
}
