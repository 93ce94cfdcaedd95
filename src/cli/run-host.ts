import type { RunHost } from "../run/index.ts";
import { templateText } from "./package-files.ts";
import type { Opened } from "./pool-context.ts";
import { lineProgress } from "./progress.ts";
import type { Shell } from "./shell.ts";

type Progress = ReturnType<typeof lineProgress>;

/** What a run needs of the terminal it is started from. */
export function hostOf(shell: Shell, opened: Opened, progress: Progress = lineProgress(shell)): RunHost {
  const { repository } = opened.context;
  const { GRAFTWORK_RATE_LIMIT_PAUSE_MS: rateLimitPause, GRAFTWORK_READY_PAUSE_MS: readyPause } = shell.env;
  return {
    repository,
    config: opened.loaded.config,
    templates: {
      executor: templateText(repository.root, "prompts/executor.md"),
      resolver: templateText(repository.root, "prompts/resolver.md"),
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
