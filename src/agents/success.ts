import { type AgentReport, type FailureKind, humanDuration, tailLines } from "../domain/index.ts";

/** What an attempt says of itself. `claims-success` is only a claim: whether there is work, git must say. */
export type Claim =
  | { kind: "claims-success" }
  | { kind: "failed"; failure: FailureKind; reason: string; retry: boolean }
  | { kind: "rate-limited"; reason: string }
  | { kind: "blocked"; reason: string };

/**
 * Reads a report by its evidence. An exit code alone proves nothing (an interrupted claude exits 0), so a client
 * whose format has a final event must have sent a good one; exit 0 is demanded of all.
 */
export function successOf(report: AgentReport): Claim {
  if (report.ended === "not-started") return failed("not-started", `the agent could not be started: ${report.detail}`, false);
  if (report.ended === "interrupted") return failed("interrupted", "the agent was interrupted", true);
  if (report.rateLimited) return { kind: "rate-limited", reason: wordsOf(report, "the provider's rate limit is reached") };
  if (report.ended === "timeout") return failed("timeout", `still at work after ${humanDuration(report.durationMs)}`, true);
  if (report.ended === "idle-timeout")
    return failed("idle-timeout", `silent for too long, ended after ${humanDuration(report.durationMs)}`, true);
  if (report.signal !== null) return failed("crashed", `ended by ${report.signal}`, true);
  return claimOfEnded(report);
}

/** The process ended by itself. */
function claimOfEnded(report: AgentReport): Claim {
  const promise = report.promise;
  if (promise?.name === "TASK_BLOCKED") return { kind: "blocked", reason: promise.reason || "the agent gave no reason" };
  // Agents often try something forbidden and then find another way: only one that does not say it is done was stopped by it.
  if (report.permissionDenials.length > 0 && (promise === null || promise.name === "TASK_FAILED")) {
    return failed("permission-denied", `not allowed to use ${report.permissionDenials.slice(0, 3).join("; ")}`, false);
  }
  if (promise?.name === "TASK_FAILED")
    return failed("reported-failure", promise.reason || wordsOf(report, "the agent gave no reason"), true);
  if (report.final === "error") return failed("crashed", wordsOf(report, "the client reports an error"), true);
  if (report.final === "none") return failed("crashed", wordsOf(report, `ended (exit ${report.exitCode}) without a final word`), true);
  if (report.exitCode !== 0) return failed("crashed", `exit ${report.exitCode}: ${wordsOf(report, "no output")}`, true);
  return { kind: "claims-success" };
}

function failed(failure: FailureKind, reason: string, retry: boolean): Claim {
  return { kind: "failed", failure, reason, retry };
}

function wordsOf(report: AgentReport, otherwise: string): string {
  const words = tailLines(report.detail, 3) || report.lastWords;
  return words === "" ? otherwise : words.slice(0, 500);
}
