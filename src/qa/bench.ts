import { type FreshCheckout, type InstallResult, installProject } from "../checkout/index.ts";
import { hideSecrets, humanDuration } from "../domain/index.ts";
import type { Oid } from "../git/index.ts";
import { openCappedLog } from "../subprocess/index.ts";
import { checkEnvironment } from "./check-environment.ts";
import { type Judging, stopIfAborted } from "./judging.ts";

/** A fresh checkout with its dependencies installed, and the environment that checks have in it. */
export type Bench = { checkout: FreshCheckout; env: Readonly<Record<string, string>>; install: "fresh" | "none" };

export type InstallFailure = { fault: "work" | "environment"; reason: string; excerpt: string; log: string };

const INSTALL_TIMEOUT_MS = 15 * 60_000;
export const LOG_MAX_BYTES = 50 * 1024 * 1024;

/** Sets up a commit from nothing: exported, and installed by its own lockfile. */
export async function setUpBench(judging: Judging, commit: Oid, suffix: string): Promise<Bench | InstallFailure> {
  const { context, request, repository, room, visible, history, say } = judging;
  const checkout = await room.checkout(commit, { history });
  const facts = { run: context.run, label: request.label, base: request.base, marker: room.marker };
  const env = checkEnvironment(visible, checkout, facts);
  const log = judging.logFile(`install${suffix}`);
  const file = openCappedLog(log, LOG_MAX_BYTES, (text) => hideSecrets(text, context.secrets ?? []));
  try {
    const installed = await installProject(repository, checkout, {
      markers: room.marker,
      env,
      allowScripts: context.settings.allowScripts,
      timeoutMs: INSTALL_TIMEOUT_MS,
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      onOutput: (chunk) => file.write(chunk),
    });
    stopIfAborted(request);
    file.write(`${told(installed)}\n`);
    if (installed.kind === "failed") return { ...installed, log };
    if (installed.kind === "none") return { checkout, env, install: "none" };
    say(`install${suffix}: ${installed.command} (${humanDuration(installed.durationMs)})`);
    return { checkout, env, install: "fresh" };
  } finally {
    file.close();
  }
}

function told(result: InstallResult): string {
  if (result.kind === "none") return `nothing to install: ${result.reason}`;
  return result.kind === "failed" ? result.reason : `${result.command}: done in ${humanDuration(result.durationMs)}`;
}
