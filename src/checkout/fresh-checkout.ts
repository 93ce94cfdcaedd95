import { join } from "node:path";
import { count, GraftworkError } from "../domain/index.ts";
import { type ExportLimits, exportLimits, exportTree, type Oid, type Repository } from "../git/index.ts";
import { mkdirSync } from "../state/index.ts";
import { removeTree } from "./remove-tree.ts";

/** A folder that holds exactly one commit's files and belongs to one verification. */
export type FreshCheckout = {
  /** The project's files. */
  dir: string;
  /** An empty home and temporary folder for what runs there. */
  home: string;
  tmp: string;
  /** Deletes all of it. */
  dispose(): Promise<void>;
};

/**
 * Exports `commit` into the new folder `root`. `history`: git in there also sees the commits before it. Throws
 * QA_BLOCKED for trees whose export would not be what a checkout shows (filters, submodules).
 */
export async function freshCheckout(repository: Repository, commit: Oid, root: string, history = false): Promise<FreshCheckout> {
  refuse(await exportLimits(repository, commit));
  const checkout: FreshCheckout = {
    dir: join(root, "work"),
    home: join(root, "home"),
    tmp: join(root, "tmp"),
    dispose: () => removeTree(root),
  };
  for (const folder of [checkout.dir, checkout.home, checkout.tmp]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    await exportTree(repository, commit, checkout.dir, history);
  } catch (error) {
    await checkout.dispose();
    throw error;
  }
  return checkout;
}

/** Filters by configuration (`qa.filters`) and submodules at their commits are not built yet: then say so, judge nothing. */
function refuse({ filtered, submodules }: ExportLimits): void {
  const [first] = filtered;
  if (first !== undefined) {
    const lfs = first.filter === "lfs";
    throw new GraftworkError("QA_BLOCKED", {
      message: `The filter \`${first.filter}\` applies to ${count(filtered.length, "file")} of the tree, ${JSON.stringify(first.path)} first.`,
      because: lfs
        ? "checks would see the pointers of Git LFS, not the files; graftwork does not fill them yet."
        : "git stores other bytes than a checkout shows, and graftwork runs no filter that the work could have chosen.",
      try: "judge this work by hand, or take the `filter=` attribute off these files.",
      details: { filtered: filtered.slice(0, 20) },
    });
  }
  if (submodules.length > 0) {
    throw new GraftworkError("QA_BLOCKED", {
      message: `The tree has ${count(submodules.length, "submodule")}: ${submodules.slice(0, 5).join(", ")}.`,
      because: "graftwork does not fetch submodules yet, and checks would see empty folders.",
      try: "judge this work by hand.",
      details: { submodules },
    });
  }
}
