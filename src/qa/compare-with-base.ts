import type { JudgedCheck } from "../domain/index.ts";
import { failureOnBase } from "./base-alone.ts";
import type { Bench } from "./bench.ts";
import type { Judging } from "./judging.ts";

export type Settled =
  /** It passed when all was done again: work goes on in the new bench. `doubted`: earlier checks that failed there. */
  | { kind: "flaky"; bench: Bench; doubted: readonly string[] }
  /** The base fails it too, and only tasks that landed before bring it: work goes on without it. */
  | { kind: "left-out"; bench: Bench; doubted: readonly string[]; onBase: string }
  | { kind: "rejected" | "blocked"; reason: string };

/**
 * Judges a failure that is no chance by what the base alone says, as far as the check's standing lets the base count.
 * `left` is where the work goes on if the check is left out. `unlike` ends the reason if the base passes.
 */
export async function compareWithBase(
  judging: Judging,
  plan: readonly JudgedCheck[],
  left: { bench: Bench; doubted: readonly string[] },
  { reason, unlike }: { reason: string; unlike: string },
): Promise<Settled> {
  const standing = plan.at(-1)?.standing;
  if (standing === "own") return { kind: "rejected", reason };
  const onBase = await failureOnBase(judging, plan);
  if (onBase === null) return { kind: "rejected", reason: `${reason}${unlike}` };
  if (standing === "earlier") return { kind: "left-out", bench: left.bench, doubted: left.doubted, onBase };
  return { kind: "blocked", reason: `${reason}, and it fails on the base alone as well (${onBase})` };
}
