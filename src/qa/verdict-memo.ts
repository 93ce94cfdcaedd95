import * as v from "valibot";
import type { Verdict } from "../domain/index.ts";
import type { Oid, Repository } from "../git/index.ts";
import { readTrusted, writeTrusted } from "../state/index.ts";

const VerdictSchema = v.object({
  decision: v.literal("approved"),
  label: v.string(),
  commit: v.string(),
  base: v.string(),
  tree: v.string(),
  key: v.string(),
  reason: v.string(),
  checks: v.array(
    v.object({
      name: v.string(),
      state: v.picklist(["passed", "skipped"]),
      exitCode: v.nullable(v.number()),
      durationMs: v.number(),
      log: v.nullable(v.string()),
      excerpt: v.string(),
      flaky: v.literal(false),
    }),
  ),
  install: v.picklist(["fresh", "none"]),
  at: v.string(),
});

const BaseNoteSchema = v.object({ tree: v.string(), key: v.string(), at: v.string(), failure: v.nullable(v.string()) });

/** How the last of some checks ended on a base alone: null if it passed. */
export type BaseNote = v.InferOutput<typeof BaseNoteSchema>;

/** Returns the approval of this tree by the same checks in the same environment; undefined if there is none to rely on. */
export function knownApproval(repository: Repository, tree: Oid, key: string): Verdict | undefined {
  const found = readAs(VerdictSchema, repository, nameOf(tree, key));
  if (found === undefined || found.tree !== tree || found.key !== key) return undefined;
  return found.checks.some((check) => check.state === "passed") ? found : undefined;
}

/**
 * Remembers an approval without a doubt in it, where agents cannot write one. Rejections, blocks and flaky passes are never remembered; neither is an
 * approval without a check that was left out, which is the only skipped one with a log: the base may be mended.
 */
export function rememberApproval(repository: Repository, verdict: Verdict): void {
  const certain =
    verdict.decision === "approved" && verdict.checks.every((one) => !one.flaky && (one.state === "passed" || one.log === null));
  if (certain) writeTrusted(repository.layout.trusted, nameOf(verdict.tree, verdict.key), JSON.stringify(verdict));
}

/**
 * Returns how the last of the key's checks ended on this tree, run after the others. That it failed counts only if it
 * was seen after `since`, the beginning of the verification that asks: the cause may have been mended before.
 */
export function knownOnBase(repository: Repository, tree: Oid, key: string, since: string): Pick<BaseNote, "failure"> | undefined {
  const note = readAs(BaseNoteSchema, repository, baseNameOf(tree, key));
  if (note === undefined || note.tree !== tree || note.key !== key) return undefined;
  return note.failure === null || note.at > since ? note : undefined;
}

export function rememberBase(repository: Repository, note: BaseNote): void {
  writeTrusted(repository.layout.trusted, baseNameOf(note.tree, note.key), JSON.stringify(note));
}

const nameOf = (tree: Oid, key: string): string => `verdicts/${tree}-${key}.json`;
const baseNameOf = (tree: Oid, key: string): string => `verdicts/${tree}-${key}.base.json`;

/** Reads a fact. If graftwork did not write it, or in another format, it is missing, and the work is judged again. */
function readAs<Schema extends v.GenericSchema>(schema: Schema, { layout }: Repository, name: string): v.InferOutput<Schema> | undefined {
  const fact = readTrusted(layout.trusted, name);
  if (fact.kind !== "found") return undefined;
  const read = v.safeParse(schema, JSON.parse(fact.text));
  return read.success ? read.output : undefined;
}
