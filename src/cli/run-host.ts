import type { RunHost } from "../run/index.ts";
import type { Approved } from "./approval.ts";
import { templateText } from "./package-files.ts";
import { lineProgress } from "./progress.ts";
import type { Shell } from "./shell.ts";

type Progress = ReturnType<typeof lineProgress>;

/** What a run needs of the terminal it is started from. */
export function hostOf(shell: Shell, opened: Approved, progress: Progress = lineProgress(shell)): RunHost {
  const { repository } = opened.context;
  const { GRAFTWORK_RATE_LIMIT_PAUSE_MS: rateLimitPause, GRAFTWORK_READY_PAUSE_MS: readyPause } = shell.env;
  return {
    repository,
    config: opened.loaded.config,
    templates: {
      executor: templateText(opened.templates, "prompts/executor.md"),
      resolver: templateText(opened.templates, "prompts/resolver.md"),
    },
    onStart: progress.onStart,
    onEvent: progress.onEvent,
    onLine: progress.onLine,
    narrate: progress.note,
    signal: shell.interrupted(),
    now: () => new Date(),
    ...(rateLimitPause === undefined ? {} : { rateLimitPauseMs: Number(rateLimitPause) }),
    ...(readyPause === undefined ? {} : { readyPauseMs: Number(readyPause) }),
  };
}
