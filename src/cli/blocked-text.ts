import type { TaskFacts } from "../session/index.ts";

/** What a person can do for a task that QA could say nothing about, and the logs to look at first; no lines for any other. */
export function blockedText({ id, status, verdict }: TaskFacts): string[] {
  if (status !== "qa_blocked") return [];
  const logs =
    verdict?.decision === "blocked" ? verdict.checks.flatMap(({ state, log }) => (state === "failed" && log !== null ? log : [])) : [];
  return [
    ...logs.map((log) => `log: ${log}`),
    // A run keeps its configuration: a change of that is for the next one.
    "put right what is in the way, then `graftwork continue` (with checks changed in the plan file: `graftwork continue --replan`)",
    `or go on without it: \`graftwork resolve ${id} --skip\``,
  ];
}
