import { randomInt } from "node:crypto";
import { runId } from "../domain/index.ts";
import { dangerousConfig, withMergeAttributes } from "../git/index.ts";
import { ensureSlots } from "../pool/index.ts";
import { foldRun } from "../session/index.ts";
import { beginJournal } from "../state/index.ts";
import { ownRun } from "./ownership.ts";
import { prepareRun, type RunRequest, slotsFor } from "./prepare-run.ts";
import { createRunFolder, seal } from "./run-folder.ts";
import { withRunLog } from "./run-log.ts";
import { drive, poolOf, type RunHost, type SessionEnd } from "./run-session.ts";

/** Runs a plan from its beginning. Throws before anything is made where plan, target or checks are not usable. */
export async function startRun(asked: RunHost, request: RunRequest): Promise<SessionEnd> {
  const { config, now } = asked;
  const { target, base, decision } = await prepareRun(asked, request);
  const repository = await withMergeAttributes(asked.repository, base);
  const given = { ...asked, repository };
  const run = runId(request.plan.name, now(), letters());
  const ownership = await ownRun(repository, run, now());
  try {
    const record = createRunFolder(repository, run, request.plan, request.source, config, await dangerousConfig(repository));
    seal(asked, record);
    return await withRunLog(given, record, ownership.epoch, async (host) => {
      await ensureSlots(poolOf(host, record), slotsFor(decision, request.plan), base);
      const journal = beginJournal(record.folder, ownership.epoch, now);
      try {
        const { plan, mode, merge } = request;
        const first = journal.append({ type: "run-started", run, plan: plan.name, planDigest: record.digest, target, base, mode, merge });
        return await drive(host, record, decision, ownership, journal, foldRun([first], plan, record.limits), false);
      } finally {
        journal.close();
      }
    });
  } finally {
    await ownership.release();
  }
}

function letters(): string {
  return Array.from({ length: 4 }, () => String.fromCharCode(97 + randomInt(26))).join("");
}
