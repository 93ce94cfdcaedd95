import { mkdirSync } from "node:fs";
import { join } from "node:path";

const OURS = /^(GRAFTWORK_|POOL_|AUTO_|GIT_|CLAUDE|WT_|GTR_|XDG_|npm_|NODE_OPTIONS$)/;

/** An environment in which nothing of the user's configuration counts, and nothing is written at home. */
export function hermetic(folder) {
  const home = join(folder, "home");
  mkdirSync(home, { recursive: true });
  const kept = Object.entries(process.env).filter(([name]) => !OURS.test(name));
  return {
    ...Object.fromEntries(kept),
    HOME: home,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_AUTHOR_NAME: "bench",
    GIT_AUTHOR_EMAIL: "bench@example.invalid",
    GIT_COMMITTER_NAME: "bench",
    GIT_COMMITTER_EMAIL: "bench@example.invalid",
  };
}
