import { GraftworkError } from "../domain/index.ts";
import type { Oid } from "../git/index.ts";

/** A target branch that somebody deleted or renamed; `at`: the commit where graftwork saw it last; `next`: how to go on then. */
export function targetGone(target: string, at: Oid | undefined, next = "`graftwork continue`"): GraftworkError {
  return new GraftworkError("REF_UNKNOWN", {
    message: `The target branch ${target} is gone.`,
    because: "somebody deleted or renamed it.",
    try: `make it again${at === undefined ? "" : ", where graftwork saw it last"} (\`git branch ${target} ${at?.slice(0, 12) ?? "COMMIT"}\`), and ${next}.`,
    details: { target, ...(at !== undefined && { at }) },
  });
}
