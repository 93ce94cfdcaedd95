import { createHash } from "node:crypto";
import type { Plan } from "../domain/index.ts";

/** A fingerprint of everything a plan says: equal for equal plans, whatever their file looked like. */
export function planDigest(plan: Plan): string {
  return createHash("sha256").update(canonical(plan)).digest("hex");
}

/** JSON with the keys of each map in order. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
}
