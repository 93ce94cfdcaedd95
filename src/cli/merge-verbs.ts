import { EXIT, type ExitCode, GraftworkError } from "../domain/index.ts";
import { undoLandings } from "../merge/index.ts";
import { findRun, inRun, listRuns, mergeByHand } from "../run/index.ts";
import { openPoolContext } from "./pool-context.ts";
import type { Shell } from "./shell.ts";

export async function merge(shell: Shell, options: { into?: string; undo?: string | true; verify?: boolean }): Promise<ExitCode> {
  if (options.undo !== undefined) return undo(shell, options.undo === true ? null : options.undo);
  return poolMerge(shell, options.into, options.verify !== false);
}

async function undo(shell: Shell, id: string | null): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const { repository } = context;
  const newest = id ?? listRuns(repository).find((one) => one.facts.landings.length > 0 && !one.facts.undone)?.run;
  if (newest === undefined)
    throw new GraftworkError("UNDO_REFUSED", {
      message: "There is nothing to undo.",
      because: "no run has landings that were not undone already.",
      try: "`graftwork runs`.",
    });
  const found = findRun(repository, newest);
  const first = found.facts.landings[0];
  const last = found.facts.landings.at(-1);
  if (first === undefined || last === undefined || found.facts.undone) {
    throw new GraftworkError("UNDO_REFUSED", {
      message: `Run ${found.run} has nothing to undo.`,
      because: found.facts.undone ? "it was undone already." : "nothing of it has landed.",
      try: "`graftwork runs`.",
    });
  }
  const broken = found.facts.landings.find((landing, n) => n > 0 && landing.from !== found.facts.landings[n - 1]?.to);
  if (broken !== undefined) {
    throw new GraftworkError("UNDO_REFUSED", {
      message: `The landings of run ${found.run} are not undone.`,
      because: `somebody else committed to ${found.facts.target} between two of them (before ${broken.from.slice(0, 12)}): going back would take that away too.`,
      try: "`git revert -m 1` the run's merge commits instead; `graftwork status` lists them.",
    });
  }
  const branches = found.lines.flatMap(({ event }) =>
    event.type === "branch-deleted" ? [{ branch: event.branch, commit: event.commit }] : [],
  );
  await inRun(
    { repository },
    found.record,
    async (ownership, _journal, _facts, emit) => {
      await undoLandings({
        repository,
        target: found.facts.target,
        after: last.to,
        before: first.from,
        branches,
        fence: ownership.fence,
        emit,
      });
      // Going on with it would build on what was just taken back.
      emit({ type: "run-ended", exit: found.ended ?? EXIT.ok });
    },
    () => new Date(),
  );
  shell.answer(`${found.facts.target} is back at ${first.from.slice(0, 12)}; the run's branches are there again.`, {
    run: found.run,
    target: found.facts.target,
    from: last.to,
    to: first.from,
  });
  return EXIT.ok;
}

/** `pool-manager merge [branch]`: the busy slots' branches, by hand. */
export async function poolMerge(shell: Shell, into: string | undefined, verify: boolean): Promise<ExitCode> {
  const { context, loaded } = await openPoolContext(shell);
  const done = await mergeByHand({
    context,
    config: loaded.config,
    into: into ?? null,
    verify,
    signal: shell.interrupted(),
    onLine: (line) => shell.note(line),
  });
  const failed = done.failed.map(({ branch, reason }) => `- ${branch}: ${reason}`);
  const title = failed.length === 0 ? "Status: ALL MERGED SUCCESSFULLY" : "Status: SOME MERGES FAILED";
  const text = [
    "MERGE RESULTS",
    title,
    ...failed,
    `Merged: ${done.merged.join(", ") || "none"}`,
    `Failed: ${done.failed.map((one) => one.branch).join(", ") || "none"}`,
  ];
  shell.answer(text.join("\n"), done);
  return done.exit;
}
