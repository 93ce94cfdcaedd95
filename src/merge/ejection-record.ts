import { join } from "node:path";
import * as v from "valibot";
import type { Repository } from "../git/index.ts";
import { readText, replaceFile } from "../state/index.ts";

/** What is expected where a repository has no record yet: who was approved alone seldom breaks with the others. */
export const USUAL_EJECTION = 0.02;

/** What one more branch counts against all before it: some twenty of them make the record. */
const WEIGHT = 0.05;

/** Nothing is certain: with 0 the search would divide by nothing. */
const LEAST = 0.001;

const RecordSchema = v.object({ ejection: v.pipe(v.number(), v.minValue(LEAST), v.maxValue(1)) });

/** How likely one branch, approved alone, breaks with the others, by what became of the last ones in this repository. */
export function ejectionRate(repository: Repository): number {
  try {
    const read = v.safeParse(RecordSchema, JSON.parse(readText(fileOf(repository)) ?? ""));
    return read.success ? read.output.ejection : USUAL_EJECTION;
  } catch {
    return USUAL_EJECTION;
  }
}

/** Counts branches whose place in a train is known: `landed` green ones, then `ejected` red ones. */
export function recordEjections(repository: Repository, landed: number, ejected: number): void {
  const outcomes = [...Array<number>(landed).fill(0), ...Array<number>(ejected).fill(1)];
  const ejection = outcomes.reduce((rate, outcome) => Math.max(LEAST, rate + WEIGHT * (outcome - rate)), ejectionRate(repository));
  replaceFile(fileOf(repository), `${JSON.stringify({ ejection })}\n`);
}

const fileOf = (repository: Repository): string => join(repository.layout.root, "merge-record.json");
