import { besideLoop } from "./beside-loop.ts";
import type { ConflictedFile, Resolution } from "./resolvers/resolve-file.ts";

/**
 * Merges one conflicted file by the rules (`resolveFile`), within limits and without blocking the thread. `isUnion`: what
 * both sides added at one place is kept. `memory`: the trusted store with what people decided, or null.
 */
export async function resolveBeside(
  file: Omit<ConflictedFile, "also">,
  { isUnion = false, memory = null }: { isUnion?: boolean; memory?: string | null } = {},
): Promise<Resolution> {
  const done = await besideLoop({ kind: "resolve", file, isUnion, memory });
  return done.kind === "done" ? done.result : { kind: "declined", why: done.why, hunksLeft: [], applied: [] };
}
