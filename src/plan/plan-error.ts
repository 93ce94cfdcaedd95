import { count, type Finding, findingLines, GraftworkError } from "../domain/index.ts";

/** PLAN_INVALID with every finding, in the order of the text. */
export function planInvalid(path: string, findings: readonly Finding[]): GraftworkError {
  const byFile = (f: Finding): string => f.file ?? "";
  const sorted = [...findings].sort((a, b) =>
    byFile(a) < byFile(b) ? -1 : byFile(a) > byFile(b) ? 1 : a.line - b.line || a.column - b.column,
  );
  return new GraftworkError("PLAN_INVALID", {
    message: `The plan ${path} cannot be run: ${count(findings.length, "thing")} to mend.`,
    because: findingLines(path, sorted),
    try: "mend them and see the plan with `graftwork plan check`.",
    details: { path, findings: sorted },
  });
}
