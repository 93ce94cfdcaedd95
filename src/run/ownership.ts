import * as v from "valibot";
import { GraftworkError } from "../domain/index.ts";
import { type RefChange, type Repository, readBlob, readRef, updateRefs, writeBlob } from "../git/index.ts";
import { type LiveState, liveStore } from "../state/index.ts";
import { identityOf, livenessOf } from "../subprocess/index.ts";

export type Ownership = {
  run: string;
  epoch: number;
  /** Part of every ref transaction of the run: an owner that was replaced cannot move anything. */
  fence: readonly RefChange[];
  /** Gives the place of the live run free. */
  release: () => Promise<void>;
};

/**
 * Makes this process the owner of `run`, as the repository's only live one. The epoch is written into the generation
 * store and, as a blob, under `refs/graftwork/owner/<run>`, so that git itself refuses a former owner's moves.
 * Throws RUN_LIVE where another process that is not proved gone owns the place; `takeOver` is the user's word that
 * the owner of this very run is gone (one on a host that nobody can ask).
 */
export async function ownRun(repository: Repository, run: string, now: Date, options: { takeOver?: boolean } = {}): Promise<Ownership> {
  const store = liveStore(repository.layout);
  const owner = identityOf(process.pid);
  const since = now.toISOString();
  const ref = `refs/graftwork/owner/${run}`;
  const before = await readRef(repository, ref);
  const known = before === undefined ? 0 : epochIn((await readBlob(repository, before)).toString("utf8"));
  const { state } = await store.commit(`own ${run} ${owner.pid} ${owner.startTime} ${since}`, ({ live, epochs }) => {
    if (live !== null && livenessOf(live.owner) !== "dead" && !(options.takeOver === true && live.run === run)) return undefined;
    // The ref knows too: after a damaged record was put aside, the store may be behind what was given out.
    const epoch = Math.max(epochs[run] ?? 0, known) + 1;
    return { live: { run, epoch, owner, since }, epochs: { ...epochs, [run]: epoch } };
  });
  const { live } = state;
  if (live === null || live.run !== run || live.owner.pid !== owner.pid || live.owner.startTime !== owner.startTime) throw occupied(live);
  // This very process owns it already, by another call.
  if (live.since !== since) throw occupied(live);
  const blob = await writeBlob(repository, `${JSON.stringify({ run, epoch: live.epoch, owner })}\n`);
  const refused = await updateRefs(repository, [{ ref, set: blob, old: before ?? null }], `own ${run}`);
  if (refused !== undefined) throw occupied(live);
  return {
    run,
    epoch: live.epoch,
    fence: [{ ref, verify: blob }],
    release: async () => {
      await store.commit(`leave ${run} ${live.epoch}`, (before) =>
        before.live?.run === run && before.live.epoch === live.epoch ? { ...before, live: null } : undefined,
      );
    },
  };
}

function epochIn(text: string): number {
  return v.parse(v.object({ epoch: v.number() }), JSON.parse(text)).epoch;
}

function occupied(live: LiveState["live"]): GraftworkError {
  const who =
    live === null ? "another process" : `run ${live.run} (pid ${live.owner.pid} on ${live.owner.host.split("/")[0]}, since ${live.since})`;
  return new GraftworkError("RUN_LIVE", {
    message: "Another run is at work in this repository.",
    because: `${who} is alive, and one run at a time keeps main's story straight.`,
    try: "wait for it, or end it with `graftwork stop`; if it died on another machine: `graftwork continue --take-over`.",
    details: { run: live?.run, pid: live?.owner.pid },
  });
}
