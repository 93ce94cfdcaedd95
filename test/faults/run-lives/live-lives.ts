import { appendFileSync } from "node:fs";
import { type LifeSize, liveLife } from "./live-life.ts";

export type LivesRequest = { from: number; count: number; sizeOf: (seed: number) => LifeSize; say: (line: string) => void };

/**
 * Lives so many lives, one seed after another, and returns what was wrong, each with its seed. GRAFTWORK_LIVES_FROM and
 * GRAFTWORK_LIVES_COUNT=1 live one again; GRAFTWORK_LIVES_STORY names a file that gets a line a life, and the
 * whole story of one that failed.
 */
export async function liveLives({ from, count, sizeOf, say }: LivesRequest): Promise<string[]> {
  const wrong: string[] = [];
  const counts = new Map<string, number>();
  const add = (what: string, n = 1): void => void counts.set(what, (counts.get(what) ?? 0) + n);
  const summary = (): string =>
    [...counts]
      .toSorted()
      .map(([what, n]) => `${n} ${what}`)
      .join(", ");
  const storyFile = process.env["GRAFTWORK_LIVES_STORY"];
  for (let seed = from; seed < from + count; seed++) {
    const { faults, seen, landings, story } = await liveLife(seed, sizeOf(seed));
    for (const what of seen) add(what);
    add("landings", landings);
    if (faults.length > 0) {
      wrong.push(...faults.map((text) => `seed ${seed}: ${text}`));
      say(
        `seed ${seed}: ${faults.join("\n  ")}\n  again: GRAFTWORK_LIVES_FROM=${seed} GRAFTWORK_LIVES_COUNT=1 npm run test:faults -- run-lives`,
      );
    }
    if (storyFile !== undefined)
      appendFileSync(
        storyFile,
        `${storyOf(seed, count === 1 || faults.length > 0 ? story : [seen.join(", ")], faults)}
`,
      );
    const lived = seed - from + 1;
    if (lived % 50 === 0) say(`${lived} lives: ${summary()}; ${wrong.length} faults`);
  }
  say(`seeds ${from} to ${from + count - 1}: ${summary()}; ${wrong.length} faults`);
  return wrong;
}

function storyOf(seed: number, story: readonly string[], faults: readonly string[]): string {
  return [`seed ${seed}`, ...story, ...faults.map((text) => `FAULT ${text}`)].join("\n");
}
