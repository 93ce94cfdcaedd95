import { join } from "node:path";
import { trustedFolder } from "./trusted-store.ts";

/**
 * Git directories of our own: `plain` knows no configuration but the defaults, `raw` also converts no bytes, `pinned`
 * knows the settings that shape files as they were when no task was at work.
 */
export type OwnGitKind = "plain" | "raw" | "pinned";

/**
 * Where graftwork keeps things: truth in the common git directory, what agents may not decide in the user's state
 * folder, views for people and models under `.claude/`.
 */
export type Layout = {
  /** `<common git dir>/graftwork` */
  root: string;
  /** `$XDG_STATE_HOME/graftwork/<repository>`: approvals and what else agents must not make up (`trusted-store.ts`). */
  trusted: string;
  poolStore: string;
  /** The token of the first lease of the next pool: none is ever given twice. */
  nextToken: string;
  adminMutex: string;
  liveStore: string;
  runs: string;
  run(id: string): string;
  /** Our own copy of a slot's index, taken right after the slot was last proved clean. */
  savedIndex(slot: string): string;
  /** What came of merges that were only predicted. */
  predictions: string;
  scratch: string;
  /** A folder for each landing in a checkout; for a day, the files that it moved aside. */
  landings: string;
  landingMutex: string;
  /** Which verifications are under way, and which wait to be alone. */
  verifyingStore: string;
};

export function layoutOf(commonDir: string, env: Readonly<Record<string, string | undefined>>): Layout {
  const root = rootIn(commonDir);
  const trusted = trustedFolder(commonDir, env);
  return {
    root,
    trusted,
    poolStore: join(root, "pool"),
    nextToken: join(root, "next-token"),
    adminMutex: join(root, "admin"),
    liveStore: join(root, "live"),
    runs: join(root, "runs"),
    run: (id) => join(root, "runs", id),
    savedIndex: (slot) => join(root, "slots", slot, "index"),
    predictions: join(root, "predictions.json"),
    scratch: join(root, "scratch"),
    landings: join(root, "landings"),
    landingMutex: join(root, "landing"),
    verifyingStore: join(root, "verifying"),
  };
}

/** graftwork's folder in a common git directory. */
export function rootIn(commonDir: string): string {
  return join(commonDir, "graftwork");
}
