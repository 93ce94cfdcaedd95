import type { AgentSpec } from "../domain/index.ts";

/**
 * The command line of one run. Placeholders stand for whole arguments, so that nothing in a brief can become a
 * second argument; a prompt that travels as an argument and has no place of its own comes last.
 */
export function argvOf(spec: AgentSpec, fill: { brief: string; briefFile: string; session: string | null }): [string, ...string[]] {
  const resume =
    fill.session === null || spec.resume === null ? [] : spec.resume.map((word) => word.replaceAll("{session}", fill.session ?? ""));
  const [program, ...args] = spec.command;
  const words = [...args, ...resume];
  if (spec.prompt === "argument" && !words.includes("{prompt}")) words.push("{prompt}");
  return [program, ...words.map((word) => (word === "{prompt}" ? fill.brief : word === "{brief}" ? fill.briefFile : word))];
}
