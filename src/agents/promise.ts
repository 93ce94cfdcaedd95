import { type AgentReport, SIGNALS, type Signal, trimEndOf } from "../domain/index.ts";

const MARKER = /<promise>\s{0,9}([A-Z_]{1,40})\s{0,9}:\s{0,9}([^<>\s]{1,120})\s{0,9}<\/promise>/g;

/** Lines kept beside a marker as its reason. */
const BEFORE = 6;
const AFTER = 4;
const REASON_CHARACTERS = 500;

export type PromiseWatcher = {
  /** One line of the agent's own words, cleaned. */
  line(text: string): void;
  /** What follows is another message: its lines are no reason for a marker before. */
  pause(): void;
  last(): AgentReport["promise"];
};

/**
 * Watches for `<promise>NAME: id</promise>` of the agent's own task; the last one counts. Lines that only repeat
 * the brief, which names the markers, do not.
 */
export function watchPromises(task: string, brief: string): PromiseWatcher {
  const isEcho = echoOf(brief);
  let before: string[] = [];
  let found: { name: Signal; reason: string[]; own: boolean; after: number } | null = null;
  return {
    line(raw) {
      const text = raw.trim();
      if (text === "" || isEcho(text)) return;
      const rest = trimEndOf(text.replace(MARKER, ""), (letter) => /[`*\s]/.test(letter)).trim();
      const name = lastSignal(text, task);
      if (name !== undefined) found = { name, reason: rest === "" ? [...before] : [rest], own: rest !== "", after: 0 };
      else if (found !== null && !found.own && found.after < AFTER) {
        found.after += 1;
        found.reason.push(rest);
      }
      before = rest === "" ? before : [...before, rest].slice(-BEFORE);
    },
    pause() {
      before = [];
      if (found !== null) found.after = AFTER;
    },
    last: () => (found === null ? null : { name: found.name, reason: found.reason.join("\n").slice(0, REASON_CHARACTERS) }),
  };
}

/** A text without its markers. */
export function withoutMarkers(text: string): string {
  return text.replace(MARKER, "").trim();
}

function lastSignal(text: string, task: string): Signal | undefined {
  let name: Signal | undefined;
  for (const match of text.matchAll(MARKER)) {
    const signal = SIGNALS.find((one) => one === match[1]);
    if (signal !== undefined && match[2] === task) name = signal;
  }
  return name;
}

/**
 * A line of the brief that comes back is an echo. A line that holds nothing but a marker may be the agent's own:
 * it is an echo only where the line before it was the brief's line before it too.
 */
function echoOf(brief: string): (line: string) => boolean {
  const lines = brief
    .split("\n")
    .map(bare)
    .filter((line) => line !== "");
  const known = new Set(lines);
  const beforeMarker = new Map<string, Set<string>>();
  lines.forEach((line, index) => {
    if (!isOnlyMarkers(line)) return;
    beforeMarker.set(line, (beforeMarker.get(line) ?? new Set()).add(lines[index - 1] ?? ""));
  });
  let previous = "";
  return (raw) => {
    const line = bare(raw);
    if (line === "") return false;
    const echo = isOnlyMarkers(line) ? (beforeMarker.get(line)?.has(previous) ?? false) : known.has(line);
    previous = line;
    return echo;
  };
}

/** Without what an echo may put around a line: quote signs, list signs, frames. */
function bare(line: string): string {
  return trimEndOf(line.replace(/^[\s>|│┃#*\-`]+/, ""), (letter) => /[\s│┃`]/.test(letter));
}

function isOnlyMarkers(line: string): boolean {
  return line.includes("<promise>") && line.replace(MARKER, "").trim() === "";
}
