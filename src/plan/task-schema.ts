import * as v from "valibot";
import {
  type CheckEntry,
  checkOf,
  cleanLine,
  DURATION_FORM,
  describeValue,
  didYouMean,
  emptyCommandProblem,
  isTaskId,
  parseDuration,
  quoted,
  type Task,
  WORK_TYPES,
} from "../domain/index.ts";
import { globProblem, plainGlob } from "./glob-text.ts";

const noNul = v.check((value: string) => !value.includes("\0"), "must not hold a NUL character");
export const text = v.pipe(
  v.string(),
  v.check((value) => value.trim() !== "", "must not be empty"),
  noNul,
);

/** One of a few words; a message names them all and the nearest. */
export function oneOf<const T extends readonly string[]>(words: T) {
  return v.picklist(words, ({ input }) => {
    const near = typeof input === "string" ? didYouMean(input, words) : "";
    return `must be ${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}, not ${describeValue(input)}${near}`;
  });
}

export const duration = v.pipe(
  v.unknown(),
  v.rawTransform<unknown, number>(({ dataset, addIssue, NEVER }) => {
    const ms = typeof dataset.value === "string" ? parseDuration(dataset.value) : undefined;
    if (ms !== undefined) return ms;
    addIssue({ message: `must be ${DURATION_FORM}, not ${describeValue(dataset.value)}` });
    return NEVER;
  }),
);

/** A map and no list, which the library's own `object` takes for one. */
export function mapOf<const T extends v.ObjectEntries>(keys: T) {
  const isNoList = (input: unknown): boolean => !Array.isArray(input);
  return v.pipe(v.unknown(), v.check(isNoList, "must be a map, not a list"), v.object(keys));
}

/** A list, or one item alone. */
function listOf(item: v.GenericSchema<unknown, string>): v.GenericSchema<unknown, string[]> {
  const many = v.array(item);
  const one = v.pipe(
    item,
    v.transform((value) => [value]),
  );
  return v.lazy((input) => (Array.isArray(input) ? many : one));
}

const commandText = v.pipe(
  v.string(),
  v.check(
    (run) => emptyCommandProblem(run) === undefined,
    ({ input }) => emptyCommandProblem(input) ?? "",
  ),
  noNul,
);
const argv = v.pipe(
  v.array(v.string()),
  v.check((run) => emptyCommandProblem(run) === undefined, "must name a program"),
);
const command: v.GenericSchema<unknown, string | string[]> = v.lazy((input) => (Array.isArray(input) ? argv : commandText));
const checkMap = mapOf({ name: v.nullish(text), run: command, timeout: v.nullish(duration), history: v.nullish(v.boolean()) });
const checkEntry: v.GenericSchema<unknown, CheckEntry> = v.lazy((input) =>
  typeof input === "object" && !Array.isArray(input) ? checkMap : command,
);
export const checks = v.array(v.pipe(checkEntry, v.transform(checkOf)));

export const idText = v.pipe(
  v.string(),
  v.check(
    isTaskId,
    ({ input }) =>
      `${quoted(input)} is not usable: 1 to 100 letters, digits, dots, dashes or underscores, a letter or digit at both ends, no '..', no '.lock' at the end`,
  ),
);
const glob = v.pipe(
  text,
  v.check(
    (value) => globProblem(value) === undefined,
    ({ input }) => globProblem(input) ?? "",
  ),
  v.transform(plainGlob),
);

const entries = {
  id: idText,
  title: v.nullish(text),
  description: v.nullish(text),
  files: v.nullish(listOf(glob), []),
  depends_on: v.nullish(listOf(v.string()), []),
  work_type: v.nullish(oneOf(WORK_TYPES), null),
  contention: v.nullish(oneOf(["FREE", "EXCLUSIVE"])),
  resources: v.nullish(listOf(text), []),
  agent: v.nullish(text, null),
  verification: v.nullish(checks, []),
  timeout: v.nullish(duration, null),
  retries: v.nullish(
    v.pipe(
      v.number(),
      v.check((n) => Number.isInteger(n) && n >= 0 && n <= 100, "must be a whole number from 0 to 100"),
    ),
    null,
  ),
};
export const TASK_KEYS: readonly string[] = Object.keys(entries);

/** A task of a plan file, to the domain's `Task`. */
export const taskSchema = v.pipe(mapOf(entries), v.transform(toTask));

function toTask(raw: v.InferOutput<v.ObjectSchema<typeof entries, undefined>>): Task {
  const given = cleanLine(raw.title ?? "");
  const title = given === "" ? raw.id : given;
  return {
    id: raw.id,
    title,
    description: raw.description ?? title,
    files: [...new Set(raw.files)],
    dependsOn: [...new Set(raw.depends_on)],
    workType: raw.work_type,
    contention: raw.contention ?? (raw.resources.length > 0 ? "EXCLUSIVE" : "FREE"),
    resources: [...new Set(raw.resources)],
    agent: raw.agent,
    verification: raw.verification,
    timeoutMs: raw.timeout,
    retries: raw.retries,
  };
}
