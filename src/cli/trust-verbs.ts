import { EXIT, type ExitCode, type Governed, GraftworkError } from "../domain/index.ts";
import { pinSettings } from "../git/index.ts";
import { approve, approvedBefore, digestOf, revoke as takeBack } from "../trust/index.ts";
import { governedHere, HOLDS, shown } from "./approval.ts";
import { openPoolContext } from "./pool-context.ts";
import type { Shell } from "./shell.ts";

/** `graftwork trust show`: what of the repository would run, or instruct agents, and whether the user approved it. */
export async function show(shell: Shell): Promise<ExitCode> {
  const { governed, digest, before, isApproved } = await whatStands(shell);
  const state = isApproved ? "approved" : before === undefined ? "not approved" : "not approved: it changed since you approved it";
  shell.answer(governed.length === 0 ? NOTHING : [...shown(governed, before), `digest ${digest}: ${state}`].join("\n"), {
    digest,
    approved: isApproved,
    governed,
  });
  return EXIT.ok;
}

/** `graftwork trust allow`: shows it and asks; without a terminal `--yes` is the answer. */
export async function allow(shell: Shell, yes: boolean): Promise<ExitCode> {
  const { layout, governed, digest, before, isApproved } = await whatStands(shell);
  const answer = { digest, approved: true, governed };
  if (governed.length === 0 || isApproved) {
    shell.answer(governed.length === 0 ? NOTHING : `Approved before: ${digest}.`, answer);
    return EXIT.ok;
  }
  for (const line of [...shown(governed, before), ...HOLDS]) shell.note(line);
  const isWanted = yes || (await shell.ask("Let it run?", []));
  if (isWanted !== true) throw notAllowed(isWanted);
  const lost = approve(layout, governed);
  if (lost !== undefined) throw notKept(lost, digest);
  shell.answer(`Approved until it changes (digest ${digest}).`, answer);
  return EXIT.ok;
}

/** `graftwork trust allow --settings`: takes git's settings of the repository, as they are now, for the user's own. */
export async function allowSettings(shell: Shell): Promise<ExitCode> {
  const { context } = await openPoolContext(shell);
  await pinSettings(context.repository);
  shell.answer("Taken for yours: the repository's git settings, hooks and attributes as they are now.", { settings: "taken" });
  return EXIT.ok;
}

/** `graftwork trust revoke`: nothing of the repository runs until it is approved again. */
export async function revoke(shell: Shell): Promise<ExitCode> {
  const { layout, before } = await whatStands(shell);
  takeBack(layout);
  shell.answer(before === undefined ? "Nothing was approved." : "Taken back: you will be asked again.", { revoked: before !== undefined });
  return EXIT.ok;
}

const NOTHING = "This repository brings no commands and no instructions for agents, so there is nothing to approve.";

async function whatStands(shell: Shell) {
  const opened = await openPoolContext(shell);
  const { layout } = opened.context.repository;
  const governed: readonly Governed[] = governedHere(opened);
  const before = approvedBefore(layout);
  const digest = digestOf(governed);
  return { layout, governed, digest, before, isApproved: before?.digest === digest };
}

function notAllowed(answer: false | undefined): GraftworkError {
  return new GraftworkError("CONFIRMATION_NEEDED", {
    message: "Nothing was approved.",
    because: answer === false ? "cancelled at the question." : "there is no terminal to ask on.",
    try: "read what is above, then `graftwork trust allow --yes`.",
  });
}

function notKept(why: string, digest: string): GraftworkError {
  return new GraftworkError("STATE_UNWRITABLE", {
    message: "The approval could not be kept.",
    because: why,
    try: `make that folder writable, or approve for one command: GRAFTWORK_TRUST=${digest}.`,
  });
}
