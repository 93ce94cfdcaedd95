import { cleanLine, count, DURATION_FORM, EXIT, type ExitCode, GraftworkError, humanSize, parseDuration } from "../domain/index.ts";
import {
  acquireSlot,
  cleanupPool,
  initPool,
  listRescues,
  parseSize,
  poolHealth,
  poolStatus,
  pruneRescues,
  releaseSlot,
  requireRescue,
  restoreRescue,
} from "../pool/index.ts";
import { openToRun } from "./approval.ts";
import { openPoolContext } from "./pool-context.ts";
import type { Shell } from "./shell.ts";

export async function init(shell: Shell, size: string | undefined, base: string | undefined): Promise<ExitCode> {
  const asked = size === undefined ? undefined : parseSize(size);
  const { context } = await openToRun(shell);
  const wanted = asked ?? context.settings.size;
  shell.note(`bringing the pool to ${count(wanted, "slot")} …`);
  const done = await initPool(context, { size: wanted, ...(base === undefined ? {} : { base }) });
  shell.answer(`Pool initialized: ${done.size} slots available`, done);
  return EXIT.ok;
}

export async function acquire(
  shell: Shell,
  task: string,
  base: string | undefined,
  options: { wait?: string; ttl?: string },
): Promise<ExitCode> {
  const waitMs = options.wait === undefined ? undefined : parseWait(options.wait);
  const ttlMs = options.ttl === undefined ? undefined : parseTtl(options.ttl);
  const { context } = await openToRun(shell);
  try {
    const slot = await acquireSlot(context, {
      task,
      ...(base === undefined ? {} : { base }),
      ...(waitMs === undefined ? {} : { waitMs, signal: shell.interrupted() }),
      ...(ttlMs === undefined ? {} : { ttlMs }),
    });
    shell.answer(`${slot.id}|${slot.path}|${slot.lease.branch}`, {
      slot: slot.id,
      path: slot.path,
      branch: slot.lease.branch,
      base: slot.lease.base,
      token: slot.lease.token,
      ports: slot.lease.portBase === null ? null : { base: slot.lease.portBase, count: context.settings.ports },
    });
    return EXIT.ok;
  } catch (error) {
    // The source system's word on stdout, for scripts that look for it.
    if (error instanceof GraftworkError && error.code === "POOL_EXHAUSTED" && !shell.json) shell.write("POOL_EXHAUSTED\n");
    throw error;
  }
}

export async function release(
  shell: Shell,
  name: string,
  options: { token?: string; discard?: boolean; force?: boolean },
): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const released = await releaseSlot(context, {
    name,
    ...(options.token === undefined ? {} : { token: parseToken(options.token) }),
    discard: options.discard === true,
    force: options.force === true,
  });
  shell.answer(`RELEASED:${released.slot}`, { ...released, rescue: released.rescue?.id ?? null });
  return EXIT.ok;
}

/** Whole or broken seconds, or a duration with its unit. */
function parseWait(text: string): number {
  const ms = /^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) * 1000 : parseDuration(text);
  if (ms !== undefined) return ms;
  throw new GraftworkError("USAGE", {
    message: `${JSON.stringify(text.slice(0, 40))} is no time to wait.`,
    because: `--wait takes seconds, or ${DURATION_FORM}.`,
    try: "`pool-manager acquire TASK --wait 60`.",
  });
}

function parseTtl(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= 1000) return ms;
  throw new GraftworkError("USAGE", {
    message: `${JSON.stringify(text.slice(0, 40))} is no time for a lease to live.`,
    because: `--ttl takes ${DURATION_FORM}, one second or more.`,
    try: "`pool-manager acquire TASK --ttl 24h`.",
  });
}

function parseToken(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new GraftworkError("USAGE", {
    message: `${JSON.stringify(text.slice(0, 40))} is not a lease's token.`,
    because: "a token is a whole number.",
    try: "`pool-manager status --json` shows the token of each lease.",
  });
}

export async function status(shell: Shell): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const [now, { poolBox }] = await Promise.all([poolStatus(context), import("./pool-box.ts")]);
  shell.answer(poolBox(now, context.now(), shell), {
    pool_size: now.size,
    busy: now.busy,
    idle: now.idle,
    error: now.error,
    slots: now.slots,
  });
  return EXIT.ok;
}

export async function cleanup(shell: Shell, force: boolean): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const done = await cleanupPool(context, { force });
  const kept = done.keptBranches.length === 0 ? "" : `\nKept (not merged): ${done.keptBranches.join(", ")}`;
  shell.answer(
    `Pool removed: ${count(done.removed.length, "slot")}, ${count(done.deletedBranches.length, "merged branch")} deleted${kept}`.replace(
      "branchs",
      "branches",
    ),
    done,
  );
  return EXIT.ok;
}

export async function reset(shell: Shell, size: string | undefined, force: boolean): Promise<ExitCode> {
  if (size !== undefined) parseSize(size);
  const { context } = await openToRun(shell);
  await cleanupPool(context, { force }).catch((error: unknown) => {
    if (!(error instanceof GraftworkError) || error.code !== "POOL_MISSING") throw error;
  });
  return init(shell, size, undefined);
}

export async function health(shell: Shell, fix: boolean): Promise<ExitCode> {
  const { context } = await (fix ? openToRun(shell) : openPoolContext(shell));
  const { ok, slots, sizeBytes, findings } = await poolHealth(context, { fix });
  const lines = findings.map((one) => `- ${one.text}\n    ${one.repaired ? "repaired" : "repair"}: ${one.repair}`);
  const open = findings.filter((one) => !one.repaired).length;
  const head = ok ? "Pool health: OK" : `Pool health: ${count(open, "finding")}${fix ? " left" : ""}`;
  const hint = ok || fix ? [] : ["`pool-manager health --fix` repairs what can be repaired without losing work."];
  shell.answer(
    [head, `   Slots: ${slots}${sizeBytes === 0 ? "" : ` (about ${humanSize(sizeBytes)} on disk)`}`, ...lines, ...hint].join("\n"),
    {
      healthy: ok,
      slots,
      sizeBytes,
      findings,
    },
  );
  return ok ? EXIT.ok : EXIT.failed;
}

export async function rescuePrune(shell: Shell): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const pruned = await pruneRescues(context);
  shell.answer(`Deleted: ${count(pruned.rescues.length, "rescue")}, ${count(pruned.trash.length, "piece")} of the trash`, pruned);
  return EXIT.ok;
}

export async function rescueList(shell: Shell): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const all = await listRescues(context);
  const lines = all.map(
    ({ id, note }) => `${id}  ${note.at}  ${count(note.files.length + note.trash.length, "file")}  (${note.reason}, was in ${note.slot})`,
  );
  shell.answer(lines.length === 0 ? "Nothing was rescued." : lines.join("\n"), { rescues: all });
  return EXIT.ok;
}

export async function rescueShow(shell: Shell, id: string): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const entry = await requireRescue(context, id);
  const { note } = entry;
  const lines = [
    `${entry.id}  ${entry.commit}`,
    `  task ${note.task}, slot ${note.slot}, branch ${note.branch ?? "(detached)"}, saved ${note.at} (${note.reason})`,
    ...note.files.map((path) => `  file   ${cleanLine(path)}`),
    ...note.trash.map(({ path, kept }) => `  trash  ${cleanLine(path)} -> ${cleanLine(kept)}`),
    ...note.extra.map((text) => `  also   ${text}`),
    `  restore: pool-manager rescue restore ${entry.id} --to FOLDER`,
  ];
  shell.answer(lines.join("\n"), entry);
  return EXIT.ok;
}

export async function rescueRestore(shell: Shell, id: string, to: string | undefined): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  const restored = await restoreRescue(context, id, to, shell.cwd);
  shell.answer(`RESTORED:${restored.folder}`, restored);
  return EXIT.ok;
}
