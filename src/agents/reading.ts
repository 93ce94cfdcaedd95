import type { AgentReport, Usage } from "../domain/index.ts";

/** What a client's output has said so far. */
export type Reading = {
  final: AgentReport["final"];
  session: string | null;
  usage: Usage | null;
  /** The agent's newest own words, as it wrote them. */
  words: string;
  permissionDenials: readonly string[];
  /** The client itself says, in a field of its own, that the provider's limit stopped it. */
  rateLimited: boolean;
  /** What the client says went wrong; empty: nothing. */
  error: string;
};

/** Reads the lines of standard output, one by one, and gives back what is worth showing of each. */
export type OutputReader = { line(line: string): string[]; reading(): Reading };

/** Of a client that has a final event and has not sent it yet. */
export function nothingYet(): Reading {
  return { final: "none", session: null, usage: null, words: "", permissionDenials: [], rateLimited: false, error: "" };
}

/** The larger of both in each part: figures of a conversation only grow, and a sum would count them twice. */
export function larger(a: Usage | null, b: Usage | null): Usage | null {
  if (a === null || b === null) return a ?? b;
  const cost = Math.max(a.costUsd ?? -1, b.costUsd ?? -1);
  return {
    inputTokens: Math.max(a.inputTokens, b.inputTokens),
    outputTokens: Math.max(a.outputTokens, b.outputTokens),
    costUsd: cost < 0 ? null : cost,
  };
}
