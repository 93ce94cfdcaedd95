import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { halves, isKept, recover, reset, type Stage, startLanding } from "./lab.ts";

/**
 * Kills a landing at each of these failpoints, at every other one with a save of a person's between the kill and the
 * recovery. Returns what was found broken, and how often the checkout was put back.
 */
export async function killedAtPoints(made: Stage, numbers: readonly number[]): Promise<{ broken: string[]; old: number }> {
  const broken: string[] = [];
  let old = 0;
  for (const n of numbers) {
    reset(made);
    await (await startLanding(made, { GRAFTWORK_FAILPOINT: `*@${n}=kill` })).ended;
    const path = n % 2 === 0 ? (made.paths[n % made.paths.length] ?? "") : undefined;
    const text = `saved after kill ${n}\n`;
    if (path !== undefined) writeFileSync(join(made.repo.dir, path), text);
    const foreign = await recover(made);
    const found = [...foreign.map((one) => `${one} is taken for a person's`), ...halves(made, path === undefined ? [] : [path])];
    if (path !== undefined && !isKept(made, path, text)) found.push(`the save of ${path} is lost`);
    broken.push(...found.map((line) => `point ${n}: ${line}`));
    if (made.repo.git("rev-parse", "main") === made.from) old += 1;
  }
  return { broken, old };
}
