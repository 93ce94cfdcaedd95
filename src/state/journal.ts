import { closeSync, fstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { GraftworkError, type JournalLine, type RunEvent, systemCode } from "../domain/index.ts";
import { replaceFile } from "./atomic-file.ts";
import { fdatasyncSync, ftruncateSync, mkdirSync, openSync, writeSync } from "./disk.ts";
import { readText } from "./read-file.ts";

/**
 * What one run says, in order. Each owner (epoch) writes a file of its own, `journal.<epoch>.jsonl`; taking a run
 * over seals the file before at a byte length, so what a forgotten owner still writes is never read.
 */
export type Journal = {
  readonly epoch: number;
  /** Writes one whole line, flushed. Throws FENCED when the run has another owner by now, STATE_UNWRITABLE. */
  append(event: RunEvent): JournalLine;
  close(): void;
};

export type JournalContent = { lines: readonly JournalLine[]; epoch: number; tornTail: boolean };

/** Everything a run has said up to now. Throws JOURNAL_DAMAGED for anything but one torn last line. */
export function readJournal(dir: string): JournalContent {
  const lines: JournalLine[] = [];
  let tornTail = false;
  const epochs = epochsOf(dir);
  for (const epoch of epochs) {
    const bytes = Buffer.from(readText(fileOf(dir, epoch)) ?? "");
    const seal = sealOf(dir, epoch);
    const text = bytes.subarray(0, seal ?? bytes.length).toString("utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    tornTail = whole.length < text.length;
    for (const [index, line] of whole.split("\n").slice(0, -1).entries())
      lines.push(parseLine(line, lines.length + 1, epoch, fileOf(dir, epoch), index + 1));
  }
  return { lines, epoch: epochs.at(-1) ?? 0, tornTail };
}

/**
 * Begins epoch `epoch` of the journal in `dir`; every earlier epoch is sealed first. The caller owns the run
 * (a generation store says so): the journal only makes that ownership tell. `now` gives the time of each line.
 */
export function beginJournal(dir: string, epoch: number, now: () => Date): Journal {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (const earlier of epochsOf(dir)) if (earlier < epoch && sealOf(dir, earlier) === undefined) seal(dir, earlier);
  let seq = readJournal(dir).lines.length;
  const path = fileOf(dir, epoch);
  const file = openNew(path, () => fenced(dir, epoch));
  return {
    epoch,
    append(event) {
      if (sealOf(dir, epoch) !== undefined || epochsOf(dir).some((other) => other > epoch)) throw fenced(dir, epoch);
      const line: JournalLine = { seq: seq + 1, epoch, at: now().toISOString(), event };
      const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
      const before = fstatSync(file).size;
      if (writeSync(file, bytes) !== bytes.length) {
        ftruncateSync(file, before);
        throw new GraftworkError("STATE_UNWRITABLE", {
          message: `The run's journal ${path} could not be written.`,
          because: "the disk is full; everything said before is kept.",
          try: "free some space, then `graftwork continue`.",
        });
      }
      fdatasyncSync(file);
      seq += 1;
      return line;
    },
    close: () => closeSync(file),
  };
}

function openNew(path: string, taken: () => GraftworkError): number {
  try {
    return openSync(path, "ax", 0o600);
  } catch (error) {
    throw systemCode(error) === "EEXIST" ? taken() : error;
  }
}

const fileOf = (dir: string, epoch: number): string => join(dir, `journal.${epoch}.jsonl`);
const sealFileOf = (dir: string, epoch: number): string => join(dir, `journal.${epoch}.seal`);

function epochsOf(dir: string): number[] {
  const numbers = readdirSync(dir).map((name) => Number(/^journal\.(\d+)\.jsonl$/.exec(name)?.[1] ?? 0));
  return numbers.filter((n) => n > 0).sort((a, b) => a - b);
}

function sealOf(dir: string, epoch: number): number | undefined {
  // A seal that is no number was cut off while it was written: sealed again, it says the same.
  const text = /^(\d+)\n$/.exec(readText(sealFileOf(dir, epoch)) ?? "")?.[1];
  return text === undefined ? undefined : Number(text);
}

function seal(dir: string, epoch: number): void {
  const text = readText(fileOf(dir, epoch)) ?? "";
  const length = Buffer.byteLength(text.slice(0, text.lastIndexOf("\n") + 1));
  replaceFile(sealFileOf(dir, epoch), `${length}\n`, { flush: true });
}

function parseLine(text: string, seq: number, epoch: number, path: string, number: number): JournalLine {
  try {
    const line = JSON.parse(text) as JournalLine;
    if (line.seq === seq && line.epoch === epoch && typeof line.event.type === "string") return line;
  } catch {
    // Said below, with the place.
  }
  throw new GraftworkError("JOURNAL_DAMAGED", {
    message: `The run's journal is damaged at ${path}:${number}.`,
    because: "the line is not the one that belongs there; only a torn last line is normal after a crash.",
    try: "restore the file from a backup, or begin a new run; branches and rescues in git are complete without it.",
    details: { path, line: number },
  });
}

function fenced(dir: string, epoch: number): GraftworkError {
  return new GraftworkError("FENCED", {
    message: "This process no longer owns the run.",
    because: `another process took it over while this one (epoch ${epoch}) was away.`,
    try: "nothing: the other process goes on; `graftwork status` shows it.",
    details: { dir, epoch },
  });
}
