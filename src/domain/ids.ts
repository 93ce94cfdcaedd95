import { GraftworkError } from "./errors.ts";

/** What a task id may be (shared/spec: pool). At most 100 characters, no `..`, no `.lock` end, no separators. */
const ID = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$/;

/** True where `id` is usable as a task id, and so as the last part of a branch name and of a folder name. */
export function isTaskId(id: string): boolean {
  // `release wt-2` would mean two things.
  return slotNumber(idKey(id)) === undefined && ID.test(id) && !id.includes("..") && !id.toLowerCase().endsWith(".lock");
}

/** Throws ID_INVALID unless `id` is a task id. */
export function requireTaskId(id: string): string {
  if (isTaskId(id)) return id;
  throw new GraftworkError("ID_INVALID", {
    message: `${JSON.stringify(id.slice(0, 120))} is not a usable task id.`,
    because:
      "an id has 1 to 100 letters, digits, dots, dashes or underscores, begins and ends with a letter or digit, has no '..' and no '.lock' at its end, and is no slot's name (`wt-1`).",
    try: "choose an id like `task-login-form`.",
    details: { id },
  });
}

/** Ids that differ only in case would share a folder or a ref on some file systems: this is what must be unique. */
export function idKey(id: string): string {
  return id.toLowerCase();
}

/** `wt-1` and so on: the name of slot number `n`, counted from 1. */
export function slotId(n: number): string {
  return `wt-${n}`;
}

/** The number of a slot id, or undefined where the text is no slot id. */
export function slotNumber(id: string): number | undefined {
  const match = /^wt-([1-9]\d{0,4})$/.exec(id);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** A run's id: `<plan-name>-<yyyymmdd>-<4 letters>`; `name` is reduced to letters, digits and dashes. */
export function runId(name: string, now: Date, letters: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40)
    .replace(/-+$/, "");
  const day = now.toISOString().slice(0, 10).replaceAll("-", "");
  return `${slug === "" ? "plan" : slug}-${day}-${letters}`;
}

/** Throws ID_INVALID unless `id` has the shape of a run id: it names a folder and refs. */
export function requireRunId(id: string): string {
  if (isTaskId(id)) return id;
  throw new GraftworkError("ID_INVALID", {
    message: `${JSON.stringify(id.slice(0, 120))} is not a run id.`,
    because: "a run id has letters, digits, dots, dashes and underscores, like `shop-20261121-abcd`.",
    try: "`graftwork runs` lists the runs.",
    details: { id },
  });
}
