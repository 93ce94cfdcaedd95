import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TempRepo, tempRepo } from "../../fixtures/index.ts";
import { randomOf } from "../../storm/random.ts";
import { type Crew, crewOf } from "./race-crew.ts";
import { judgeRace, type RaceReport } from "./race-judge.ts";
import { fileOf, workBeside } from "./race-person.ts";
import type { RaceOrder } from "./race-worker.ts";

/** `coordinators` share the branches, each in two trains at most. */
export type RaceSize = { coordinators: number; branches: number };

/**
 * Some coordinators with their branches, of which one must never land, and a person at work in the checkout; in every
 * third race that is not the target's: then nothing but the compare-and-swap is between them.
 */
async function race(crew: Crew, { coordinators, branches }: RaceSize, seed: number): Promise<RaceReport> {
  const repo = raceRepo(branches);
  if (seed % 3 === 0) repo.git("switch", "-q", "--detach");
  const log = join(repo.parent, "log");
  writeFileSync(log, "");
  const all = repo
    .git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads/auto/")
    .split("\n")
    .map((line) => line.split(" "))
    .map(([branch = "", commit = ""]) => ({ branch, commit }));
  const orders: RaceOrder[] = Array.from({ length: coordinators }, (_, n) => {
    const mine = all.filter((_, index) => index % coordinators === n);
    const half = Math.ceil(mine.length / 2);
    return { repo: repo.dir, run: `race-${n}`, trains: [mine.slice(0, half), mine.slice(half)].filter((train) => train.length > 0), log };
  });
  const obeyed = crew(orders);
  const person = await workBeside(repo, randomOf(seed), branches, obeyed);
  const trains = orders.reduce((sum, order) => sum + order.trains.length, 0);
  const report = judgeRace(repo, log, person, trains);
  return { ...report, violations: [...(await obeyed), ...report.violations] };
}

/** Branches from the first commit, each with a file of its own and a change of one that the person saves, too; the third is red. */
function raceRepo(branches: number): TempRepo {
  const one = (n: number): Record<string, string> => ({ [fileOf(n)]: `branch ${n}\n`, [`own-${n}.txt`]: `${n}\n` });
  return tempRepo({
    files: Object.fromEntries(Array.from({ length: 2 * branches }, (_, n) => [fileOf(n), `first ${n}\n`])),
    branches: Object.fromEntries(Array.from({ length: branches }, (_, n) => [`auto/${n}`, n === 2 ? { "sum.txt": "bad\n" } : one(n)])),
  });
}

/** Several races, one after another, with what came of them in one line. */
export async function races(
  rounds: number,
  seed: number,
  size: RaceSize,
): Promise<{ violations: string[]; landed: number; summary: string }> {
  const crew = await crewOf(size.coordinators);
  const reports: RaceReport[] = [];
  const violations: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const report = await race(crew, size, seed + round);
    reports.push(report);
    violations.push(...report.violations.map((line) => `seed ${seed + round}: ${line}`));
  }
  const sum = (of: (report: RaceReport) => number): number => reports.reduce((all, report) => all + of(report), 0);
  const kinds = [...new Set(reports.flatMap(({ ends }) => Object.keys(ends)))];
  const ends = kinds.map((kind) => `${sum((report) => report.ends[kind] ?? 0)} ${kind}`).join(", ");
  const landed = sum((report) => report.landed);
  const summary =
    `${rounds} races of ${size.coordinators} coordinators with ${size.branches} branches: ${landed} landings, ` +
    `${sum(({ again }) => again)} trains verified for nothing, ${sum(({ userCommits }) => userCommits)} commits and ` +
    `${sum(({ saves }) => saves)} saves of a person, trains ended: ${ends}; ${violations.length} violations`;
  return { violations, landed, summary };
}
