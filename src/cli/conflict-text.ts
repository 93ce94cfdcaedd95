import { cleanText, count } from "../domain/index.ts";
import type { PredictedConflict } from "../merge/index.ts";

/** Predicted conflicts for people: a line that counts them, then one for each pair. */
export function conflictText(conflicts: readonly PredictedConflict[]): string[] {
  if (conflicts.length === 0) return ["Conflicts: none predicted"];
  return [
    `Conflicts: ${count(conflicts.length, "pair")} predicted`,
    ...conflicts.map(({ between, paths }) => `  ${between.join(" + ")}: ${cleanText(paths.join(", ")) || "folders"}`),
  ];
}
