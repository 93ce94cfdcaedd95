import { pathToFileURL } from "node:url";

/**
 * A merge of approved branches into `target`, by the library at `libraryFile`: `land` merges candidates and says which
 * landed. `wanted` is what of the merge's context the bench wants otherwise.
 */
export async function merging({ libraryFile, checkout, env, target = "main", verify, ...wanted }) {
  const { dangerousConfig, mergeApproved, openRepository } = await import(pathToFileURL(libraryFile).href);
  const repository = await openRepository(checkout, { parentEnv: env });
  const context = {
    repository,
    run: "bench",
    target,
    person: { name: "bench", email: "bench@example.invalid" },
    verify,
    slots: 1,
    resolving: { level: "safe", union: [] },
    strategy: "merge",
    emit: () => undefined,
    fence: [],
    trustedConfig: await dangerousConfig(repository),
    narrate: () => undefined,
    ...wanted,
  };
  const offerOn = (candidates) => async () => ({ candidates, earlier: [], waiting: null });
  return { land: async (candidates) => (await mergeApproved(context, offerOn(candidates))).landed };
}

/** The verdict on what was asked, without a check. */
export function verdictOn({ label, commit, base }, decision = "approved") {
  return { decision, label, commit, base, tree: "", key: "", reason: decision, checks: [], install: "none", at: "" };
}

/** A branch as QA approved it, nothing before it. */
export function candidate(branch, commit) {
  return { task: branch, title: branch, branch, commit, dependsOn: [] };
}
