import { cleanText } from "../domain/index.ts";
import type { PromiseWatcher } from "./promise.ts";
import { nothingYet, type OutputReader } from "./reading.ts";

/** What a program says last is at the end of its words, where a client's message begins with it. */
const WORDS_LINES = 12;
const WORDS_CHARACTERS = 500;

/** Any program's plain output: all of it is the agent's own words, and there is no final event. */
export function readText(promises: PromiseWatcher): OutputReader {
  let tail: string[] = [];
  return {
    line(raw) {
      const line = cleanText(raw);
      promises.line(line);
      if (line.trim() !== "") tail = [...tail, line.slice(0, 1_000)].slice(-WORDS_LINES);
      return [line];
    },
    reading: () => ({ ...nothingYet(), final: null, words: tail.join("\n").slice(-WORDS_CHARACTERS) }),
  };
}
