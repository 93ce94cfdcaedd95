import { GraftworkError } from "../domain/index.ts";
import type { Oid } from "../git/index.ts";

/** The target branch was deleted or renamed. `at`: where graftwork saw it last; `next`: how to go on once it is there again. */
export function targetGone(target: string, at: Oid | undefined, next = "`graftwork continue`"): GraftworkError {
  return new GraftworkError("REF_UNKNOWN", {
    message: `The target branch ${target} is gone.`,
    because: "somebody deleted or renamed it.",
    try: `make it again${at === undefined ? "" : ", where graftwork saw it last"} (\`git branch ${target} ${at?.slice(0, 12) ?? "COMMIT"}\`), and ${next}.`,
    details: { target, ...(at !== undefined && { at }) },
  });
}
