import { expect } from "vitest";
import { type CliResult, commitFiles, type Files } from "../fixtures/index.ts";
import { type PoolStage, poolStage } from "./pool-stage.ts";

export type Work = Readonly<Record<string, Files>>;

/** A pool whose slots hold this work, a commit on a branch for each task; `checks` judge it. */
export async function mergeStage(work: Work, { files = {}, checks = ["test -f README.md"] }: { files?: Files; checks?: string[] } = {}) {
  const stage = await poolStage(Object.keys(work).length, {
    files: { ...files, ".claude/auto-context.yaml": JSON.stringify({ qa: { checks } }) },
  });
  for (const [task, changes] of Object.entries(work)) commitFiles((await stage.lease(task)).path, changes);
  return stage;
}

/** The branches that the closing lines name. Each that is called merged is in the target, or the test fails. */
export function closingLines({ repo }: PoolStage, { stdout }: CliResult, target = "main"): { merged: string[]; failed: string[] } {
  const named = (word: string): string[] => {
    const list = new RegExp(`^${word}: (.*)$`, "m").exec(stdout)?.[1];
    expect(list).toBeDefined();
    return list === "none" ? [] : (list?.split(", ") ?? []);
  };
  const [merged, failed] = [named("Merged"), named("Failed")];
  for (const branch of merged) repo.git("merge-base", "--is-ancestor", branch, target);
  return { merged, failed };
}
