import { changedPaths } from "./commit-objects.ts";
import type { Oid } from "./oid.ts";
import { ownGit } from "./own-git.ts";
import type { Repository } from "./repository.ts";
import { runGit } from "./run-git.ts";
import type { BranchWork } from "./work-parts.ts";

/** How many more of each line a file has after a commit than before. Less than 0: fewer. */
type LineCounts = Map<string, number>;

/** What a commit did to one file. */
type FileStep = { commit: Oid; file: string; lines: LineCounts };

/**
 * Returns the commit of `target` that took a part of a branch off. Returns undefined if none did, as far as can be told. A
 * part is what one commit of the branch does to one file, as far as the branch still does it in the end. The target had
 * the part if it had all of its lines at once. It lost the part if most of them are gone. `notOwn`: commits that the
 * branch was put on, so that they are nobody's work here.
 */
export async function partTakenOff(
  repository: Repository,
  { base, tip }: BranchWork,
  target: Oid,
  notOwn: ReadonlySet<Oid>,
): Promise<Oid | undefined> {
  const paths = await changedPaths(repository, base, tip);
  if (paths.length === 0) return undefined;
  const taken = await stepsOf(repository, { base, tip: target }, paths);
  if (taken.length === 0) return undefined;
  const steps = (await stepsOf(repository, { base, tip }, paths, "--no-merges")).filter(({ commit }) => !notOwn.has(commit));
  const inTheEnd = new Map<string, LineCounts>();
  for (const step of steps) add(inTheEnd, step);
  for (const { file, lines } of steps) {
    const ofFile = taken.filter((step) => step.file === file);
    const by = lostBy(partOf(lines, inTheEnd.get(file) ?? new Map()), ofFile);
    if (by !== undefined) return by;
  }
  return undefined;
}

/** A line that is to be there, or to be gone. */
type Wanted = { line: string; sign: 1 | -1 };

/**
 * Returns the lines that a step adds for good. If it adds none, returns those that it removes for good. A line without a
 * letter or digit does not count.
 */
function partOf(step: LineCounts, inTheEnd: LineCounts): Wanted[] {
  const ofSign = (sign: 1 | -1): Wanted[] =>
    [...step].flatMap(([line, count]) =>
      count * sign > 0 && (inTheEnd.get(line) ?? 0) * sign > 0 && /[\p{L}\p{N}]/u.test(line) ? [{ line, sign }] : [],
    );
  const added = ofSign(1);
  return added.length > 0 ? added : ofSign(-1);
}

/** Returns the commit after which most of a part was gone, if all of it was there before and did not come back. */
function lostBy(part: readonly Wanted[], steps: readonly FileStep[]): Oid | undefined {
  if (part.length === 0) return undefined;
  const now = new Map<string, LineCounts>();
  let wasThere = false;
  let by: Oid | undefined;
  for (const step of steps) {
    add(now, step);
    const there = part.filter(({ line, sign }) => (now.get(step.file)?.get(line) ?? 0) * sign > 0).length;
    if (there === part.length) [wasThere, by] = [true, undefined];
    else if (wasThere && by === undefined && 2 * there < part.length) by = step.commit;
  }
  return by;
}

function add(sums: Map<string, LineCounts>, { file, lines }: FileStep): void {
  const sum = sums.get(file) ?? new Map<string, number>();
  for (const [line, count] of lines) sum.set(line, (sum.get(line) ?? 0) + count);
  sums.set(file, sum);
}

/** How many commits are read. */
const LOOKED_AT = 500;

/** Paths that one git is asked about. If there are more, it is asked about all. */
const MOST_PATHS = 1_000;

/** Reads what the first-parent line of a branch did to files, oldest first. A merge counts as what it changed on that line. */
async function stepsOf(
  repository: Repository,
  { base, tip }: BranchWork,
  paths: readonly string[],
  ...more: readonly string[]
): Promise<FileStep[]> {
  const only = paths.length > MOST_PATHS ? [] : paths;
  const line = ["--first-parent", "--diff-merges=first-parent", `-${LOOKED_AT}`, "--ignore-missing", ...more];
  const patch = ["-p", "-U0", "--full-index", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv", "--no-show-signature"];
  const args = [
    "-c",
    "log.follow=false",
    "--literal-pathspecs",
    "log",
    ...line,
    ...patch,
    "--format=%x00%H",
    tip,
    `^${base}`,
    "--",
    ...only,
  ];
  const answer = await runGit(repository, { ...ownGit(repository, "plain"), args });
  // Lines of files begin with a sign, so none is taken for the head of a commit.
  const [, ...parts] = answer.stdout.toString("latin1").split(/^\0([0-9a-f]{40,64})$/m);
  const steps: FileStep[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2)
    for (const text of (parts[at + 1] ?? "").split(/^diff --git /m).slice(1)) steps.push({ commit: parts[at] ?? "", ...fileStep(text) });
  return steps.toReversed();
}

/** Reads the patch of one file. Its mode, and the bytes of a file that is no text, count as lines. */
function fileStep(patch: string): { file: string; lines: LineCounts } {
  const [file = "", ...rest] = patch.split("\n");
  const lines: LineCounts = new Map();
  const note = (line: string, count: number): unknown => lines.set(line, (lines.get(line) ?? 0) + count);
  const first = rest.findIndex((line) => line.startsWith("@@ "));
  for (const line of first < 0 ? [] : rest.slice(first))
    if (/^[+-]/.test(line) && line.slice(1).trim() !== "") note(line.slice(1).trim(), line.startsWith("+") ? 1 : -1);
  for (const head of first < 0 ? rest : rest.slice(0, first)) {
    const [, old, fresh] = /^index ([0-9a-f]+)\.\.([0-9a-f]+)/.exec(head) ?? [];
    const [, which, mode] = /^(old|new|deleted file|new file) mode (\d+)$/.exec(head) ?? [];
    // An empty or binary file has no lines.
    if (first < 0 && old !== undefined) note(`\0bytes ${old}`, -1);
    if (first < 0 && fresh !== undefined) note(`\0bytes ${fresh}`, 1);
    if (which === "old" || which === "new") note(`\0mode ${mode}`, which === "new" ? 1 : -1);
  }
  return { file, lines };
}
