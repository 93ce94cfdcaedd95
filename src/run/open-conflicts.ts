import { realpathSync } from "node:fs";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { GraftworkError } from "../domain/index.ts";
import { isAncestor, isIntegrated, withMergeAttributes, withQuarantine } from "../git/index.ts";
import { type PredictedConflict, predictConflicts, touchedSince, touches } from "../merge/index.ts";
import type { PoolContext } from "../pool/index.ts";
import { targetOf } from "./offered-branches.ts";
import { type OpenBranch, openBranches, tipOf } from "./open-branches.ts";

export type OpenConflicts = {
  target: string;
  /** `paths`: how many it changes against the target, unsaved ones included. */
  branches: readonly (OpenBranch & { paths: number })[];
  conflicts: readonly PredictedConflict[];
};

/** Which open branches would conflict with each other or with the target, unsaved work included. One that is in the target already does with none. Changes nothing. */
export async function openConflicts(asked: PoolContext, into: string | null): Promise<OpenConflicts> {
  const { target, base } = await targetOf(asked, into);
  const context = { ...asked, repository: await withMergeAttributes(asked.repository, base) };
  const branches = await openBranches(context);
  return withQuarantine(context.repository, async (inside) => {
    const tips = await Promise.all(branches.map(async (one) => ({ name: one.branch, commit: await tipOf(context, inside, one) })));
    // A target that is worked on itself is looked at as it will be, once.
    const onto = tips.find(({ name }) => name === target) ?? { name: target, commit: base };
    const isOpen = await Promise.all(
      tips.map(async ({ commit }, index) => {
        const begun = branches[index]?.slot?.lease?.base;
        if (begun === undefined) return !(await isAncestor(inside, commit, base));
        return !(await isIntegrated(inside, { base: begun, tip: commit }, base));
      }),
    );
    const open = tips.filter((tip, index) => tip !== onto && isOpen[index] === true);
    const { touched, conflicts } = await predictConflicts(inside, onto, open);
    return {
      target,
      branches: branches.map((one) => ({ ...one, paths: touched.get(one.branch)?.paths.size ?? one.unsaved.length })),
      conflicts,
    };
  });
}

/** `saved`: it is changed in the branch's commits; `unsaved`: in its slot's folder. */
export type Toucher = { branch: string; task: string; slot: string | null; state: OpenBranch["state"]; saved: boolean; unsaved: boolean };

/**
 * Which open branches change a file, that of the slot which `cwd` is in apart. `file` is a path from `cwd`; one in a
 * slot stands for the same path everywhere. Throws USAGE for a path outside of the repository.
 */
export async function whoTouches(
  context: PoolContext,
  into: string | null,
  cwd: string,
  file: string,
): Promise<{ path: string; by: Toucher[] }> {
  const { repository } = context;
  const { target, base } = await targetOf(context, into);
  const branches = await openBranches(context);
  const full = realFolder(resolve(cwd, file));
  const slotAt = (path: string): OpenBranch | undefined => branches.find(({ slot }) => slot !== null && isIn(slot.path, path));
  const own = slotAt(full) ?? slotAt(realFolder(cwd));
  const path = relative(slotAt(full)?.slot?.path ?? repository.root, full);
  if (path === "" || path.startsWith("..") || isAbsolute(path)) throw outside(file);
  const others = branches.filter((one) => one !== own);
  const touched = await touchedSince(
    repository,
    { name: target, commit: base },
    others.map(({ branch, commit }) => ({ name: branch, commit })),
  );
  const by = others.map(({ branch, task, slot, state, unsaved }): Toucher => {
    const commits = touched.get(branch);
    return {
      branch,
      task,
      slot: slot?.id ?? null,
      state,
      saved: commits !== undefined && touches(commits, path),
      unsaved: touches({ paths: new Set(unsaved), addedTo: new Set(), gone: new Set() }, path),
    };
  });
  return { path, by: by.filter(({ saved, unsaved }) => saved || unsaved) };
}

/** A file need not exist yet, nor the folders that it will be in. */
function realFolder(path: string): string {
  for (let [folder, rest] = [path, ""]; ; rest = join(relative(resolve(folder, ".."), folder), rest), folder = resolve(folder, "..")) {
    try {
      return join(realpathSync(folder), rest);
    } catch {
      if (folder === resolve(folder, "..")) return path;
    }
  }
}

function isIn(folder: string, path: string): boolean {
  return `${path}${sep}`.startsWith(`${folder}${sep}`);
}

function outside(file: string): GraftworkError {
  return new GraftworkError("USAGE", {
    message: `${JSON.stringify(file)} is no file of this repository.`,
    because: "its path leads out of the checkout, or names the whole of it.",
    try: "name a file as you see it from the current folder: `graftwork conflicts check src/index.ts`.",
  });
}
