import { GraftworkError } from "../domain/index.ts";
import { commitTree, type Oid, type Person, type RefChange, type Repository, updateRefs } from "../git/index.ts";

/** A merge that a person resolved: where it was done (`how`), and the branch that it belongs to. */
export type HandMade = { task: string; branch: string; how: string };

/** The message of its merge commit. */
export function handMessage({ task, branch, how }: HandMade): string {
  return `Merge the target into ${branch}\n\nResolved by hand${how}\n\nGraftwork-Task: ${task}\n`;
}

/** Makes its merge commit; no ref holds it. */
export function commitByHand(
  repository: Repository,
  made: HandMade,
  commit: { tree: Oid; parents: readonly Oid[]; person: Person },
): Promise<Oid> {
  return commitTree(repository, { ...commit, message: handMessage(made) });
}

/** Has a ref hold the resolution of a task, in one transaction with `moves`. Throws GIT_FAILED where git refuses. */
export async function keepResolution(repository: Repository, task: string, commit: Oid, moves: readonly RefChange[]): Promise<void> {
  const refused = await updateRefs(repository, [...moves, { ref: `refs/graftwork/resolved/${task}`, set: commit }], `resolve ${task}`);
  if (refused === undefined) return;
  throw new GraftworkError("GIT_FAILED", {
    message: `The resolution of ${task} could not be kept.`,
    because: refused,
    try: "run the same command again.",
  });
}

/** A file that still holds lines of its conflict (`left`); `next` is the way to go on. */
export function markersStand(
  task: string,
  { file, path, left, next }: { file: string; path: string; left: readonly string[]; next: string },
): GraftworkError {
  return new GraftworkError("CONFLICT", {
    message: `${file} still holds conflict markers, so ${task} is not resolved.`,
    because: `${left.map((line) => JSON.stringify(line)).join(", ")} ${left.length === 1 ? "is" : "are"} of neither side.`,
    try: next,
    details: { path },
  });
}

/** A conflict that names no file, and that is as the merge left it: taking it would be nobody's decision. */
export function undecidedNames(
  task: string,
  { says, next, slot }: { says: string | undefined; next: string; slot?: string },
): GraftworkError {
  return new GraftworkError("CONFLICT", {
    message: `Nobody has decided where the files of ${task} belong, so it is not resolved.`,
    because: `${slot === undefined ? "no line collides that could be edited in the packet" : `what is in ${slot} is as the merge left it`}${says === undefined ? "." : `; git says: ${says}`}`,
    try: next,
    details: { task },
  });
}

/** A file without markers (a binary one, one that a side deleted) that is as the merge left it: taking it would be nobody's decision. */
export function undecided(task: string, { path, file, next }: { path: string; file: string; next: string }): GraftworkError {
  return new GraftworkError("CONFLICT", {
    message: `Nobody has decided about ${path}, so ${task} is not resolved.`,
    because: `${file} is as the merge left it, or gone.`,
    try: next,
    details: { path },
  });
}

/** A file under a name that git made for the time of the merge: no side has it, so it never lands. */
export function nameByGit(task: string, { name, next }: { name: string; next: string }): GraftworkError {
  return new GraftworkError("CONFLICT", {
    message: `Nobody has decided where ${name} belongs, so ${task} is not resolved.`,
    because: "git made that name, since two things want the name before the `~`.",
    try: next,
    details: { path: name },
  });
}
