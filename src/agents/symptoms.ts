import { type AgentReport, GraftworkError } from "../domain/index.ts";
import type { CommandEnd } from "../subprocess/index.ts";
import type { Reading } from "./reading.ts";

/** sysexits.h: "temporary failure, try again later". */
const EX_TEMPFAIL = 75;

type Symptoms = {
  end: Pick<CommandEnd, "notStarted" | "ended" | "code">;
  reading: Reading;
  /** The last lines of standard error. */
  errors: string;
  pattern: RegExp | null;
};

/**
 * True where the provider's limit stopped the agent. The words of an agent that came to its end do not count: it may
 * well have worked on a rate limiter.
 */
export function isRateLimited({ end, reading, errors, pattern }: Symptoms): boolean {
  if (end.notStarted !== null || end.ended === "aborted") return false;
  if (end.code === EX_TEMPFAIL) return true;
  const failed = end.ended !== "exited" || (reading.final === null ? end.code !== 0 : reading.final !== "success");
  if (!failed) return false;
  if (reading.rateLimited) return true;
  if (pattern === null) return false;
  // Where the client marks its errors, what the agent said beside them is not searched.
  const said = reading.final === null ? `${errors}\n${reading.words}` : `${errors}\n${reading.error}`;
  return pattern.test(said.slice(-20_000));
}

/** claude and codex, asked to resume a conversation that is not on this machine (any more). */
export function isForgottenSession(report: AgentReport, errors: string): boolean {
  if (report.ended !== "exited" || report.exitCode === 0 || report.final === "success") return false;
  return /No conversation found with session ID|no rollout found for thread/i.test(errors);
}

/** Throws CONFIG_INVALID where the text is no regular expression. */
export function rateLimitPattern(pattern: string | null): RegExp | null {
  if (pattern === null) return null;
  try {
    return new RegExp(pattern, "i");
  } catch (cause) {
    throw new GraftworkError("CONFIG_INVALID", {
      message: `The rate limit pattern ${JSON.stringify(pattern)} is no regular expression.`,
      because: cause instanceof Error ? cause.message : String(cause),
      try: "correct `rate_limit` of this agent in .claude/auto-context.yaml.",
      cause,
    });
  }
}
