import { cleanText, type RunEvent } from "../domain/index.ts";
import type { SessionStart } from "../run/index.ts";
import type { RunFacts } from "../session/index.ts";
import { eventText, openingText } from "./event-text.ts";
import type { Shell } from "./shell.ts";

/** What shows a session while it runs. */
export type Progress = {
  onStart: (session: SessionStart) => void;
  onEvent: (line: { event: RunEvent }, before: RunFacts, after: RunFacts) => void;
  onLine: (task: string, line: string) => void;
  note: (line: string) => void;
  /** Leaves the terminal as it was. */
  end: () => Promise<void>;
};

/** One plain line per change: for logs, pipes and CI. Goes to stderr with `--json`, so that stdout is the answer alone. */
export function lineProgress(shell: Shell): Progress {
  const say = (line: string): void => shell.write(`${line}\n`);
  return {
    onStart: (session) => say(openingText(session, shell)),
    onEvent({ event }, _before, after) {
      const text = eventText(event, after, shell);
      if (text !== undefined) say(text);
    },
    onLine: () => undefined,
    note: (line) => say(cleanText(line)),
    end: async () => undefined,
  };
}
