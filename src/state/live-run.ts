import * as v from "valibot";
import type { ProcessIdentity } from "../domain/index.ts";
import { livenessOf } from "../subprocess/index.ts";
import { type GenerationStore, openStore, storeExists } from "./generation-store.ts";
import type { Layout } from "./layout.ts";

/** The one live run of a repository, and the last epoch of each run. */
export type LiveState = {
  live: { run: string; epoch: number; owner: ProcessIdentity; since: string } | null;
  epochs: Readonly<Record<string, number>>;
};

const identity = v.object({ pid: v.number(), startTime: v.string(), bootId: v.string(), host: v.string() });
const liveState = v.object({
  live: v.nullable(v.object({ run: v.string(), epoch: v.number(), owner: identity, since: v.string() })),
  epochs: v.record(v.string(), v.number()),
});

/** Opens the store that holds the live run. */
export function liveStore({ liveStore: dir }: Pick<Layout, "liveStore">): GenerationStore<LiveState> {
  return openStore<LiveState>({
    dir,
    schema: 1,
    initial: { live: null, epochs: {} },
    parse: (value) => v.parse(liveState, value),
  });
}

/** Returns the live run, or null if there is none. */
export function liveRun({ layout }: { layout: Pick<Layout, "liveStore"> }): LiveState["live"] {
  // `read` would create the store.
  if (!storeExists(layout.liveStore)) return null;
  const { live } = liveStore(layout).read().state;
  return live !== null && livenessOf(live.owner) !== "dead" ? live : null;
}
