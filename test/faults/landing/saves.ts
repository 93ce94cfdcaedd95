import { closeSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { randomOf } from "../../storm/random.ts";
import { halves, isKept, landingLength, reset, type Stage, startLanding, startMerge, type Victim } from "./lab.ts";

/** The ways in which editors save a file. */
const SAVES: readonly ((path: string, text: string) => void)[] = [
  (path, text) => {
    writeFileSync(`${path}.part~`, text);
    renameSync(`${path}.part~`, path);
  },
  (path, text) => writeFileSync(path, text),
  (path, text) => {
    rmSync(path, { force: true });
    writeFileSync(path, text);
  },
  (path, text) => {
    const file = openSync(path, "w");
    for (let at = 0; at < text.length; at += 4) writeSync(file, text.slice(at, at + 4));
    closeSync(file);
  },
];

export type StormReport = { saves: number; lost: string[]; half: string[]; landed: number; refused: number };

/**
 * Landings of the whole stage, each with a burst of saves of touched files at a random moment of it. A save is lost
 * where its text is neither in the checkout afterwards nor among what the landing moved aside, though nobody saved that
 * file again.
 */
export async function saveStorm(made: Stage, rounds: number, way: "landing" | "merge", seed: number): Promise<StormReport> {
  const random = randomOf(seed);
  const start = (): Promise<Victim> => (way === "landing" ? startLanding(made) : startMerge(made));
  const length = await landingLength(made, start);
  const report: StormReport = { saves: 0, lost: [], half: [], landed: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    reset(made);
    const running = await start();
    await running.began;
    await delay(length * 1.1 * random());
    const saved = new Map<string, string>();
    for (let n = 0; n < 5; n++) {
      const path = made.paths[Math.floor(random() * made.paths.length)] ?? "";
      const text = `saved in round ${round}, ${n}\n`.repeat(1 + Math.floor(random() * 20));
      SAVES[Math.floor(random() * SAVES.length)]?.(join(made.repo.dir, path), text);
      saved.set(path, text);
      await delay(random() * 4);
    }
    await running.ended;
    report.saves += saved.size;
    for (const [path, text] of saved) if (!isKept(made, path, text)) report.lost.push(`round ${round}: ${path}`);
    // A save of the last moment may be of the old text or the new: both are the person's own.
    if (way === "landing") report.half.push(...halves(made, [...saved.keys()]).map((line) => `round ${round}: ${line}`));
    if (made.repo.git("rev-parse", "main") === made.to) report.landed += 1;
    else report.refused += 1;
  }
  return report;
}
