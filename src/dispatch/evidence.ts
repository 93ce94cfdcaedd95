import type { Claim } from "../agents/index.ts";
import type { AgentReport, Outcome } from "../domain/index.ts";

/** What git shows after an attempt. */
export type Evidence = {
  /** The commit at which the branch began. */
  base: string;
  /** The commit of the attempt before; null: it had none. */
  before: string | null;
  /** The branch's tip now; null: the branch is gone. */
  tip: string | null;
  /** Names the commit whose tree the tip changes nothing in: `base` or `before`. Null: it differs from both. */
  same: "base" | "before" | null;
  /** Subjects of the branch's commits since its base, newest first. */
  subjects: readonly string[];
  /** What was committed on the agent's behalf. */
  notes: readonly string[];
  /** Uncommitted files outside the task's own: they are in no commit. */
  leftOut: readonly string[];
  /** A commit that was made in the slot and is not on the branch; null: none, or nobody looked. */
  beside: string | null;
  /** Uncommitted files that graftwork must not commit for the agent, each with its reason. */
  secrets: readonly string[];
  /** Why the slot's state cannot be used. */
  unusable: string | null;
};

/**
 * Judges an attempt by its claim and its evidence. It is ready if the client ended well and git shows work. An exit code
 * or a printed word alone is not enough. Work on the branch is kept in any case.
 */
export function outcomeOf(claim: Claim, evidence: Evidence, report: Pick<AgentReport, "lastWords">): Outcome {
  if (claim.kind === "failed" && claim.failure === "interrupted") return { kind: "interrupted", reason: claim.reason };
  if (claim.kind !== "claims-success") return claim;
  if (evidence.unusable !== null) return { kind: "failed", failure: "outside-slot", reason: evidence.unusable, retry: true };
  if (evidence.secrets.length > 0) return { kind: "blocked", reason: secretText(evidence.secrets), startOver: true };
  const { tip, base, before, same, leftOut } = evidence;
  if (tip === null) return { kind: "failed", failure: "outside-slot", reason: "its branch is gone", retry: true };
  if (tip === base || tip === before || same !== null)
    return { kind: "failed", failure: "did-nothing", reason: didNothing(evidence), retry: true };
  const summary = summaryOf(report.lastWords, evidence.subjects);
  return { kind: "ready", commit: tip, summary, notes: evidence.notes, ...(leftOut.length > 0 && { leftOut }) };
}

/** A person decides. The keys may have to be replaced, and the branch made again. */
function secretText(secrets: readonly string[]): string {
  return `it left secrets uncommitted, and graftwork commits none: ${secrets.slice(0, 10).join(", ")}. The rescue of its slot has the files. If they are no secrets, commit them on its branch, then \`--done\`. \`--retry-agent\` begins the task again`;
}

function didNothing({ before, beside, leftOut }: Evidence): string {
  const since = before === null ? "" : " since the attempt before";
  const elsewhere = beside === null ? "" : `; left out: commit ${beside.slice(0, 8)}, which is not on its branch`;
  const outside = leftOut.length === 0 ? "" : `; left out, since it is outside the task's files: ${leftOut.slice(0, 10).join(", ")}`;
  return `it ended well but changed nothing${since}${elsewhere}${outside}`;
}

/** The agent's closing words in one line, else its newest commit's subject. */
export function summaryOf(lastWords: string, subjects: readonly string[]): string {
  const words = lastWords
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join(" ");
  const text = words === "" ? (subjects[0] ?? "") : words;
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}
