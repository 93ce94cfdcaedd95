import { installerCode } from "../checkout/index.ts";
import { type Governed, type GovernedText, GraftworkError, visibleText } from "../domain/index.ts";
import { storeProblem } from "../state/index.ts";
import { approve, approvedBefore, digestOf, governedBy } from "../trust/index.ts";
import { ownCopyList, ownTemplates } from "./package-files.ts";
import { type Opened, openPoolContext } from "./pool-context.ts";
import type { Shell } from "./shell.ts";

/** A repository whose user approved what runs in it, with the templates as they were approved. */
export type Approved = Opened & { templates: readonly Governed[] };

/** Another question, asked together with the one about approval. */
export type Question = {
  title: string;
  lines: readonly string[];
  ask: string;
  refused: (because: string, digest: string) => GraftworkError;
};

/** Finds the repository for a verb that may run what its configuration says. Throws TRUST_NEEDED. */
export async function openToRun(shell: Shell): Promise<Approved> {
  return requireApproved(shell, await openPoolContext(shell));
}

/** What of a repository runs or instructs agents, besides what a run keeps for itself. */
export function governedHere({ context, loaded }: Opened, templates = ownTemplates(context.repository.root)): Governed[] {
  const { root } = context.repository;
  // `pool.setup: none` is about slots: checks and merges install all the same.
  return [...governedBy({ ...loaded, templates }), ...ownCopyList(root), ...installerCode(root)];
}

/**
 * Makes sure that the user approved what the repository runs: earlier, by GRAFTWORK_TRUST, or now on the terminal. `more` is
 * asked in the same question. Throws TRUST_NEEDED, or the error of `more` if the user refused only that.
 */
export async function requireApproved(shell: Shell, opened: Opened, more?: Question): Promise<Approved> {
  const { layout } = opened.context.repository;
  const problem = storeProblem(layout);
  if (problem !== undefined) shell.note(`warning: your state folder cannot be used, so no answer and no verdict is kept: ${problem}`);
  const templates = ownTemplates(opened.context.repository.root);
  const governed = governedHere(opened, templates);
  if (governed.length === 0 && more === undefined) return { ...opened, templates };
  const before = approvedBefore(layout);
  const keep = (): string | undefined => approve(layout, governed);
  await settle(shell, { governed, before, isOpen: before?.digest !== digestOf(governed), keep, why: ORIGIN }, more);
  return { ...opened, templates };
}

/** How far a yes goes. */
export const HOLDS = ["A yes holds until one of these lines changes. It does not look into the files that they run."];

const ORIGIN = "they are in the repository's own files, and this user has not approved them on this machine";

type Settling = {
  governed: readonly Governed[];
  before: { governed: readonly GovernedText[] } | undefined;
  isOpen: boolean;
  keep: () => string | undefined;
  /** Why it has to be asked. */
  why: string;
};

/** Asks if it has to, and keeps a yes. */
export async function settle(shell: Shell, { governed, before, isOpen, keep, why }: Settling, more?: Question): Promise<void> {
  const digest = digestOf(governed);
  const given = shell.env["GRAFTWORK_TRUST"];
  if (given === "all" || given === digest) return;
  const isAsked = isOpen && governed.length > 0;
  if (!isAsked && more === undefined) return;
  const listed = isAsked ? [...shown(governed, before), ...HOLDS] : [];
  const besides = more === undefined ? [] : [more.title, ...more.lines];
  const answer = await shell.ask(more?.ask ?? "Let it run?", [...besides, ...listed]);
  if (answer === true) {
    const lost = isAsked ? keep() : undefined;
    if (lost !== undefined) shell.note(`warning: your answer could not be kept, so you will be asked again: ${lost}`);
    return;
  }
  const isRefused = answer === false;
  if (!isRefused) for (const line of besides) shell.note(line);
  const because = isRefused ? "cancelled at the question." : "there is no terminal to ask on.";
  if (!isAsked && more !== undefined) throw more.refused(because, digest);
  throw trustNeeded({ governed, digest, why, given, because, listed: isRefused ? [] : listed });
}

/** Lists what would run: for each entry its purpose and key, then its text. Marks what is new or changed since the approval. */
export function shown(governed: readonly Governed[], before: { governed: readonly GovernedText[] } | undefined): string[] {
  const listed = governed.flatMap(({ key, purpose, text }) => {
    const old = before?.governed.find((one) => one.key === key);
    const mark = before === undefined || old?.text === text ? "" : old === undefined ? " (new)" : " (changed)";
    return [
      `  ${purpose} (${key})${mark}:`.replaceAll("\n", "\\n"),
      ...text
        .trimEnd()
        .split("\n")
        .map((line) => `    ${line}`),
    ];
  });
  return ["This repository says what to run or to tell agents. It would run as you, without a sandbox:", ...listed].map(visibleText);
}

type Refused = { governed: readonly Governed[]; digest: string; why: string; given: string | undefined; because: string };

function trustNeeded({ governed, digest, why, given, because, listed }: Refused & { listed: readonly string[] }): GraftworkError {
  const other = given === undefined || given === "" ? "" : ` GRAFTWORK_TRUST names another digest.`;
  return new GraftworkError("TRUST_NEEDED", {
    message: "Nothing was run: this repository brings commands or instructions that you have not approved.",
    because: [`${why}; ${because}${other}`, ...listed].join("\n"),
    try: `read these lines and the files that they run. Then say \`graftwork trust allow\`; in CI set the variable GRAFTWORK_TRUST=${digest}.`,
    details: { digest, governed },
  });
}
