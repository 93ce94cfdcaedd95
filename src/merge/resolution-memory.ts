import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { mergeCommits, mergeTrees, type Oid, type Repository, readFileAt } from "../git/index.ts";
import { removeTrusted, writeTrusted } from "../state/index.ts";
import { besideLoop } from "./beside-loop.ts";
import { isText, textsOf } from "./conflict-sides.ts";
import { type DecidedHunk, isTelling } from "./decided-hunks.ts";
import { collisionKey, type Entry, RESOLUTIONS, readEntry, resolutionFact } from "./recall.ts";
import { joinLines, sameLines } from "./resolvers/align/text-lines.ts";

/**
 * Keeps how the merge commits in `base..commit` resolved what git could not merge, whoever made them: merges in memory
 * do not know git's own memory (rerere). Call it for work that has landed, with the landing's commit. A decision that
 * cannot be cut out of its file without doubt, or that later commits changed, is not kept.
 */
export async function rememberResolutions(repository: Repository, base: Oid, commit: Oid, landing: Oid): Promise<void> {
  // The newest decision comes last, and counts.
  for (const { merge, parents } of (await mergeCommits(repository, base, [commit])).toReversed()) {
    const [ours, theirs] = parents;
    if (ours === undefined || theirs === undefined || parents.length > 2) continue;
    const merged = await mergeTrees(repository, ours, theirs).catch(() => undefined);
    if (merged === undefined || merged.clean) continue;
    for (const path of merged.paths) {
      const stages = merged.stages.filter((stage) => stage.path === path);
      const sides = stages.some(({ moved }) => moved !== undefined) ? undefined : await textsOf(repository, stages);
      const [result, landed] = await Promise.all([merge, commit].map((at) => textAt(repository, at, path)));
      if (sides === undefined || result === undefined || landed === undefined) continue;
      const texts = { base: sides.base ?? "", ours: sides.ours ?? "", theirs: sides.theirs ?? "" };
      const decided = await besideLoop({ kind: "decided", texts, result });
      for (const { hunk, lines } of undoubted(decided.kind === "done" ? decided.result : []))
        if (isTelling(hunk) && landed.includes(joinLines(lines)))
          writeTrusted(
            repository.layout.trusted,
            resolutionFact(path, hunk),
            JSON.stringify({ path, lines: [...lines], landing } satisfies Entry),
          );
    }
  }
}

/** Forgets what was learned from these landings. */
export function forgetResolutions({ layout }: Repository, landings: readonly Oid[]): void {
  const folder = join(layout.trusted, RESOLUTIONS);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const entry = readEntry(layout.trusted, `${RESOLUTIONS}/${name}`);
    if (entry !== undefined && landings.includes(entry.landing)) removeTrusted(layout.trusted, `${RESOLUTIONS}/${name}`);
  }
}

/** Without those that collided alike in one file and were decided differently. */
function undoubted(decided: readonly DecidedHunk[]): DecidedHunk[] {
  return decided.filter(({ hunk, lines }) =>
    decided.every((other) => collisionKey("", other.hunk) !== collisionKey("", hunk) || sameLines(other.lines, lines)),
  );
}

async function textAt(repository: Repository, commit: Oid, path: string): Promise<string | undefined> {
  const bytes = await readFileAt(repository, commit, path);
  return bytes === undefined || !isText(bytes) ? undefined : bytes.toString("utf8");
}
