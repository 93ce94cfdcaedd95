import type { Verify } from "../domain/index.ts";
import { commitTree, type Repository } from "../git/index.ts";
import type { MergeContext } from "./context.ts";
import { rememberResolutions } from "./resolution-memory.ts";
import { mergeOnto } from "./resolve-conflicts.ts";

/**
 * Judges work that collides with its base as the rules would merge it, if they close all of it: the verdict is on the
 * very tree that they make. What the work itself resolved by merging is remembered once it is approved.
 */
export function verifyResolved(context: Pick<MergeContext, "repository" | "person" | "resolving" | "verify">): Verify {
  return async (request) => {
    const verification = await judge(context, request);
    if (verification.decision === "approved") await rememberResolutions(context.repository, request.base, request.commit);
    return verification;
  };
}

async function judge(
  { repository, person, resolving, verify }: { repository: Repository } & Pick<MergeContext, "person" | "resolving" | "verify">,
  request: Parameters<Verify>[0],
): ReturnType<Verify> {
  const verification = await verify(request);
  if (verification.decision !== "conflict") return verification;
  const { base, commit, label } = request;
  const merged = await mergeOnto(repository, base, commit, resolving);
  if (merged.kind === "conflict") return verification;
  const message = `graftwork qa: ${label} merged onto ${base.slice(0, 12)}\n`;
  const resolved = await commitTree(repository, { tree: merged.tree, parents: [base, commit], message, person });
  request.onProgress?.(`${label}: rules resolved ${merged.resolved.map(({ path }) => path).join(", ")}`);
  const again = await verify({ ...request, commit: resolved });
  return again.decision === "conflict" ? verification : { ...again, commit };
}
