import { join } from "node:path";
import * as v from "valibot";
import type { Verdict } from "../domain/index.ts";
import type { Oid, Repository } from "../git/index.ts";
import { readText, replaceFile } from "../state/index.ts";

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

const BaseNoteSchema = v.object({ tree: v.string(), key: v.string(), at: v.string() });

/** The approval of this tree by the same checks in the same environment; undefined where there is none to rely on. */
export function knownApproval(repository: Repository, tree: Oid, key: string): Verdict | undefined {
  const found = readAs(VerdictSchema, fileOf(repository, tree, key));
  if (found === undefined || found.tree !== tree || found.key !== key) return undefined;
  return found.checks.some((check) => check.state === "passed") ? found : undefined;
}

/** Remembers an approval without a doubt in it. Rejections, blocks and flaky passes are never remembered. */
export function rememberApproval(repository: Repository, verdict: Verdict): void {
  const certain = verdict.decision === "approved" && verdict.checks.every((check) => !check.flaky);
  if (certain) replaceFile(fileOf(repository, verdict.tree, verdict.key), `${JSON.stringify(verdict)}\n`);
}

/** True where this tree was seen to pass the last of the key's checks, in this order. Failures are not remembered: they may be mended. */
export function passedOnBase(repository: Repository, tree: Oid, key: string): boolean {
  const note = readAs(BaseNoteSchema, baseFileOf(repository, tree, key));
  return (note?.tree === tree && note.key === key) || knownApproval(repository, tree, key) !== undefined;
}

export function rememberBase(repository: Repository, note: { tree: Oid; key: string; at: string }): void {
  replaceFile(baseFileOf(repository, note.tree, note.key), `${JSON.stringify(note)}\n`);
}

const folderOf = (repository: Repository): string => join(repository.layout.root, "verdicts");
const fileOf = (repository: Repository, tree: Oid, key: string): string => join(folderOf(repository), `${tree}-${key}.json`);
const baseFileOf = (repository: Repository, tree: Oid, key: string): string => join(folderOf(repository), `${tree}-${key}.base.json`);

/** A file that is damaged, or of another time, counts as none: then the work is judged again. */
function readAs<Schema extends v.GenericSchema>(schema: Schema, path: string): v.InferOutput<Schema> | undefined {
  try {
    const read = v.safeParse(schema, JSON.parse(readText(path) ?? ""));
    return read.success ? read.output : undefined;
  } catch {
    return undefined;
  }
}
