import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { hermeticEnv, type TempRepo } from "../../fixtures/index.ts";

/** Each task adds a file of its own name; what else it does is what can keep it from landing. */
export type RandomTask = {
  name: string;
  dependsOn: readonly string[];
  /** Its branch was cut from this one's, so it brings that one's commits along. */
  cutFrom: string | null;
  /** The one-line file that it rewrites in words of its own: two tasks of one file collide. */
  rewrites: string | null;
};

export type RandomPlan = {
  /** In the order in which their branches are made: each after the one it is cut from. */
  tasks: readonly RandomTask[];
  /** In the order in which they are offered: each after what it depends on. */
  offered: readonly string[];
  /** A tree with the files of all tasks of one of these sets is red; a set of one fails alone. */
  breaks: readonly (readonly string[])[];
  slots: number;
  /** The repository's record of how likely a branch breaks with the others: it decides how a train is searched. */
  ejection: number;
  isCheckedOut: boolean;
  /** During which verification the user commits to the target; null: never. */
  userCommitsAt: number | null;
};

export type Fate = "lands" | "collides" | "is red" | "waits";

/** One-line files that branches rewrite. */
const REWRITTEN = ["one.txt", "two.txt", "three.txt"];
export const FILES = Object.fromEntries(REWRITTEN.map((path) => [path, "nobody has been here\n"]));

const MOST_TASKS = 6;

export const randomPlans: fc.Arbitrary<RandomPlan> = fc
  .record({
    drawn: fc.array(
      fc.record({
        before: fc.array(fc.nat(MOST_TASKS), { maxLength: 2 }),
        cutFrom: fc.option(fc.nat(MOST_TASKS), { freq: 2 }),
        rewrites: fc.option(fc.constantFrom(...REWRITTEN), { freq: 2 }),
        rank: fc.nat(2),
      }),
      { minLength: 1, maxLength: MOST_TASKS },
    ),
    breaks: fc.array(fc.uniqueArray(fc.nat(MOST_TASKS), { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
    slots: fc.constantFrom(1, 2, 4),
    ejection: fc.constantFrom(0.02, 0.2, 0.6),
    isCheckedOut: fc.boolean(),
    userCommitsAt: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 2 }),
  })
  .map(({ drawn, breaks, ...rest }) => {
    const nameOf = (index: number): string => `t${index}`;
    const tasks = drawn.map(
      ({ before, cutFrom, rewrites }, index): RandomTask => ({
        name: nameOf(index),
        dependsOn: [...new Set(index === 0 ? [] : before.map((other) => other % index))].map(nameOf),
        cutFrom: cutFrom !== null && cutFrom < index ? nameOf(cutFrom) : null,
        rewrites,
      }),
    );
    const ranked = tasks.map((task, index) => ({ task, rank: drawn[index]?.rank ?? 0 })).sort((a, b) => a.rank - b.rank);
    return {
      ...rest,
      tasks,
      offered: afterWhatTheyNeed(ranked.map(({ task }) => task)),
      breaks: breaks.map((set) => [...new Set(set.map((index) => nameOf(index % tasks.length)))]),
    };
  });

function afterWhatTheyNeed(tasks: readonly RandomTask[]): string[] {
  const left = [...tasks];
  const order: string[] = [];
  while (left.length > 0) {
    const free = left.findIndex((task) => task.dependsOn.every((name) => order.includes(name)));
    order.push(...left.splice(free, 1).map(({ name }) => name));
  }
  return order;
}

/** Whether a tree that has the files of these tasks is red. */
export function isRed({ breaks }: RandomPlan, has: (task: string) => boolean): boolean {
  return breaks.some((set) => set.every(has));
}

/**
 * What must become of each task: the answer of trying one after the other, from the plan alone, without git. The
 * files that collide have one line, so merging them is a comparison.
 */
export function fatesOf(plan: RandomPlan): Map<string, Fate> {
  const fates = new Map<string, Fate>();
  const target = { tasks: new Set<string>(), lines: new Map<string, string>() };
  for (const name of plan.offered) {
    const task = taskOf(plan, name);
    const fate = fateOf(plan, task, target, fates);
    fates.set(name, fate);
    if (fate !== "lands") continue;
    const { brings, lines } = branchSince(plan, task, target.tasks);
    for (const one of brings) target.tasks.add(one);
    for (const [path, { theirs }] of lines) target.lines.set(path, theirs);
  }
  return fates;
}

type Target = { tasks: ReadonlySet<string>; lines: ReadonlyMap<string, string> };

function fateOf(plan: RandomPlan, task: RandomTask, target: Target, fates: ReadonlyMap<string, Fate>): Fate {
  if (task.dependsOn.some((other) => fates.get(other) !== "lands")) return "waits";
  const { brings, lines } = branchSince(plan, task, target.tasks);
  if ([...lines].some(([path, { base }]) => (target.lines.get(path) ?? null) !== base)) return "collides";
  return isRed(plan, (one) => target.tasks.has(one) || brings.includes(one)) ? "is red" : "lands";
}

/** The tasks whose commits a branch has and the target has not, oldest first, and the lines they changed from what to what. */
function branchSince(plan: RandomPlan, task: RandomTask, there: ReadonlySet<string>) {
  const chain = chainOf(plan, task);
  const shared = chain.findLastIndex(({ name }) => there.has(name)) + 1;
  const lines = new Map<string, { base: string | null; theirs: string }>();
  for (const { name, rewrites } of chain.slice(shared)) {
    if (rewrites === null) continue;
    const base = chain.slice(0, shared).findLast((one) => one.rewrites === rewrites)?.name ?? null;
    lines.set(rewrites, { base, theirs: name });
  }
  return { brings: chain.slice(shared).map(({ name }) => name), lines };
}

/** The task and those that its branch was cut from, the first one first. */
function chainOf(plan: RandomPlan, task: RandomTask): RandomTask[] {
  return task.cutFrom === null ? [task] : [...chainOf(plan, taskOf(plan, task.cutFrom)), task];
}

export function taskOf({ tasks }: RandomPlan, name: string): RandomTask {
  const found = tasks.find((task) => task.name === name);
  if (found === undefined) throw new Error(`no such task: ${name}`);
  return found;
}

/** What the user commits in the middle of a verification waits on this branch. */
export const USERS = "users";

/** A branch that was there before is named with `^0`, one of the same stream is not. */
const MAIN = "main^0";

/** Makes all branches of the plan with one start of git. */
export function makeBranches({ dir }: TempRepo, { tasks }: RandomPlan): void {
  const users = commitOn(USERS, MAIN, { "user.txt": "u\n" });
  const branches = tasks.map(({ name, cutFrom, rewrites }) =>
    commitOn(`auto/${name}`, cutFrom === null ? MAIN : `auto/${cutFrom}`, {
      [name]: `made by ${name}\n`,
      ...(rewrites !== null && { [rewrites]: `${name} was here\n` }),
    }),
  );
  const input = [users, ...branches].join("");
  const made = spawnSync("git", ["fast-import", "--quiet"], { cwd: dir, input, encoding: "utf8", env: hermeticEnv() });
  if (made.status !== 0) throw new Error(made.stderr);
}

/** In the words of `git fast-import`; lengths are in bytes, and all text here is ASCII. */
function commitOn(branch: string, from: string, files: Readonly<Record<string, string>>): string {
  const changes = Object.entries(files).map(([path, text]) => `M 100644 inline ${path}\ndata ${text.length}\n${text}\n`);
  const head = `commit refs/heads/${branch}\ncommitter Test <t@example.invalid> 1767268800 +0000\ndata ${branch.length}\n${branch}\n`;
  return `${head}from refs/heads/${from}\n${changes.join("")}\n`;
}
