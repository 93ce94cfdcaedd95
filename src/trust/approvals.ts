import * as v from "valibot";
import type { Governed, GovernedText } from "../domain/index.ts";
import { type Layout, readTrusted, removeTrusted, storeProblem, writeTrusted } from "../state/index.ts";
import { digestOf } from "./governed.ts";

/** The fact that holds what the user approved of a repository. */
const APPROVAL = "approved";

const Approval = v.array(v.object({ key: v.string(), text: v.string() }));

/** What the user approved last; undefined if there is nothing, or what is there was not written by graftwork. */
export function approvedBefore({ trusted }: Layout): { digest: string; governed: readonly GovernedText[] } | undefined {
  const fact = readTrusted(trusted, APPROVAL);
  if (fact.kind !== "found") return undefined;
  const governed = v.parse(Approval, JSON.parse(fact.text));
  return { digest: digestOf(governed), governed };
}

/** Keeps the user's approval, in the place of an older one. Returns why it cannot be kept; undefined: it is. */
export function approve({ trusted }: Layout, governed: readonly Governed[]): string | undefined {
  return writeTrusted(trusted, APPROVAL, JSON.stringify(governed.map(({ key, text }) => ({ key, text }))));
}

/** Takes the approval back. */
export function revoke({ trusted }: Layout): void {
  removeTrusted(trusted, APPROVAL);
}

/**
 * Tells if a run's plan and configuration are those that its user began it with. `missing`: this state folder does not
 * know the run, as in another home.
 */
export function standingOfRun({ trusted }: Layout, run: string, digest: string): "as-begun" | "missing" | "changed" {
  const fact = readTrusted(trusted, runFact(run));
  if (fact.kind === "missing") return "missing";
  return fact.kind === "found" && fact.text === digest ? "as-begun" : "changed";
}

/** Keeps what a run's plan and configuration are. Returns why it cannot be kept. */
export function sealRun({ trusted }: Layout, run: string, digest: string): string | undefined {
  return writeTrusted(trusted, runFact(run), digest);
}

/** Forgets a run. */
export function forgetRun({ trusted }: Layout, run: string): void {
  for (const fact of [runFact(run), landingFact(run), decisionFact(run)]) removeTrusted(trusted, fact);
}

/** Keeps that a person decided what a task's commit is to be. */
export function keepDecision({ trusted }: Layout, { run, task, commit }: Decision): void {
  writeTrusted(trusted, decisionFact(run, task), commit);
}

/** True if a person decided this very commit. A run's journal alone does not say so, unless nothing can be kept. */
export function wasDecided(layout: Layout, { run, task, commit }: Decision): boolean {
  const fact = readTrusted(layout.trusted, decisionFact(run, task));
  return fact.kind === "missing" ? storeProblem(layout) !== undefined : fact.kind === "found" && fact.text === commit;
}

type Decision = { run: string; task: string; commit: string };

/** Keeps which commit of a run was verified, before it is landed. */
export function keepVerified({ trusted }: Layout, run: string, commit: string): void {
  writeTrusted(trusted, landingFact(run), commit);
}

/** True if this very commit of the run was verified last: its journal alone does not say so. */
export function wasVerified({ trusted }: Layout, run: string, commit: string): boolean {
  const fact = readTrusted(trusted, landingFact(run));
  return fact.kind === "found" && fact.text === commit;
}

const runFact = (run: string): string => `runs/${run}`;
const landingFact = (run: string): string => `landings/${run}`;
const decisionFact = (run: string, task?: string): string => `decisions/${run}${task === undefined ? "" : `/${task}`}`;
