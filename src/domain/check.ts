import type { Check } from "./plan.ts";

/** A check as people write it: text for `sh -c`, a list as argv, or a map with more to say. */
export type CheckEntry =
  | string
  | readonly string[]
  | {
      name?: string | null | undefined;
      run: string | readonly string[];
      timeout?: number | null | undefined;
      history?: boolean | null | undefined;
    };

/** A check of one verification, and what a failure of it says. */
export type JudgedCheck = {
  check: Check;
  /** Why it cannot run; null: it runs. */
  skip: string | null;
  /**
   * `shared`: the base has to pass it too, so a failure that the base shares is not the work's.
   * `own`: only the tasks that land now bring it, so a failure is the work's, whatever the base says.
   * `earlier`: only tasks that landed before bring it; if it fails on the base alone, it is left out and said.
   */
  standing: "shared" | "own" | "earlier";
};

export const CHECK_TIMEOUT_MS = 10 * 60_000;
const NAME_MAX = 60;

/** The check of an entry, with its defaults: ten minutes, and a name taken from its command. */
export function checkOf(entry: CheckEntry): Check {
  if (typeof entry === "string" || isArgv(entry)) return checkOf({ run: entry });
  const command = (typeof entry.run === "string" ? entry.run : entry.run.join(" ")).trim();
  const line = command.split("\n")[0] ?? "";
  const short = line.length > NAME_MAX || line !== command ? `${line.slice(0, NAME_MAX - 1).trimEnd()}…` : line;
  return { name: entry.name ?? short, run: entry.run, timeoutMs: entry.timeout ?? CHECK_TIMEOUT_MS, history: entry.history ?? false };
}

/**
 * Returns what is wrong with a command that would run nothing; undefined if it runs something. The shell answers 0 for
 * blank text and for comments, so work would pass without being checked.
 */
export function emptyCommandProblem(run: Check["run"]): string | undefined {
  if (typeof run !== "string") return (run[0] ?? "").trim() === "" ? "must name a program" : undefined;
  const lines = run.split("\n").map((line) => line.trim());
  if (lines.every((line) => line === "")) return "must not be empty";
  return lines.every((line) => line === "" || line.startsWith("#")) ? "runs nothing: it has only comment lines" : undefined;
}

/** A configured command as a program and its arguments: text is run by `sh -c`. */
export function argvOf(run: Check["run"]): readonly [string, ...string[]] {
  if (typeof run === "string") return ["/bin/sh", "-c", run];
  const [program = "", ...args] = run;
  return [program, ...args];
}

function isArgv(entry: Exclude<CheckEntry, string>): entry is readonly string[] {
  return Array.isArray(entry);
}

/** The JSON Schema of a check, for editors. */
export const CHECK_JSON_SCHEMA = {
  anyOf: [
    { type: "string", minLength: 1, description: "Run by `sh -c`." },
    { type: "array", items: { type: "string" }, minItems: 1, description: "A program and its arguments." },
    {
      type: "object",
      additionalProperties: false,
      required: ["run"],
      properties: {
        name: { type: ["string", "null"], minLength: 1, description: "Shown in verdicts; default: the command." },
        run: {
          anyOf: [
            { type: "string", minLength: 1 },
            { type: "array", items: { type: "string" }, minItems: 1 },
          ],
        },
        timeout: { type: ["string", "null"], description: "For example 10m, the default." },
        history: {
          type: ["boolean", "null"],
          description: "True if the check reads history: its verdict then holds for the commit alone.",
        },
      },
    },
  ],
} as const;
/** The keys of a check written as a map. */
export const CHECK_KEYS: readonly string[] = ["name", "run", "timeout", "history"];
