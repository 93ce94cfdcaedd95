import * as v from "valibot";
import { cleanText } from "../domain/index.ts";
import type { PromiseWatcher } from "./promise.ts";

/** A field of outside data: where it is missing or of another shape, `otherwise` stands for it. */
export function field<const T extends v.GenericSchema>(schema: T, otherwise: v.InferOutput<T> & v.InferInput<T>) {
  return v.optional(v.fallback(schema, otherwise), otherwise);
}

/** A conversation's id is passed back as an argument later: nothing that could be an option or hold odd characters. */
export const sessionId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][\w.:-]{0,127}$/));

/** The object that a line holds; undefined where it is something else. */
export function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Hands one message of the agent's own words on; its lines come back cleaned. */
export function hear(text: string, promises: PromiseWatcher): string[] {
  const lines = cleanText(text).split("\n");
  for (const line of lines) promises.line(line);
  promises.pause();
  return lines;
}
