import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Room } from "../checkout/index.ts";
import { GraftworkError, isTaskId, type VerifyRequest } from "../domain/index.ts";
import type { Oid, Repository } from "../git/index.ts";
import type { QaContext } from "./context.ts";
import type { Place } from "./places.ts";

/** One verification at work: what every step of it needs. */
export type Judging = {
  context: QaContext;
  request: VerifyRequest;
  repository: Repository;
  room: Room;
  place: Place;
  /** When it began, as an ISO date. */
  since: string;
  /** The commit whose tree is judged: what would land. */
  judged: { commit: Oid; tree: Oid };
  baseTree: Oid;
  /** What checks may see of our own environment. */
  visible: Readonly<Record<string, string>>;
  /** True if a check reads history, so that checkouts have it. */
  history: boolean;
  logFile: (name: string) => string;
  say: (line: string) => void;
};

/** Names log files in order. Those of earlier verdicts on the same task stay: journals point at them. */
export function logFilesIn(folder: string): (name: string) => string {
  let last = Math.max(0, ...namesIn(folder).map((name) => Number(/^(\d+)-/.exec(name)?.[1] ?? 0)));
  return (name) => join(folder, `${++last}-${fileName(name)}.log`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A text as part of a file name: letters, digits, dots and dashes of it. */
export function fileName(text: string): string {
  if (isTaskId(text)) return text;
  const plain = text
    .replace(/[^A-Za-z0-9]+/g, "-")
    .slice(0, 40)
    .replace(/^-+|-+$/g, "");
  return plain === "" ? "check" : plain;
}

export function stopIfAborted(request: VerifyRequest): void {
  if (request.signal?.aborted !== true) return;
  throw new GraftworkError("INTERRUPTED", {
    message: `The verification of ${request.label} was stopped.`,
    because: "it was interrupted; its programs were ended and its folders removed.",
    try: "the same command again: no half verdict is kept.",
  });
}

/** Waits until no other verification of this repository runs, and says so if that takes time. */
export function waitUntilAlone({ place, say }: Judging, check: string): Promise<void> {
  return place.alone(() => say(`${check}: waits until no other verification runs`));
}
