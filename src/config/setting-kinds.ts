import * as v from "valibot";
import {
  CHECK_JSON_SCHEMA,
  type Check,
  type CheckEntry,
  checkOf,
  DURATION_FORM,
  describeValue,
  didYouMean,
  emptyCommandProblem,
  parseDuration,
  parseSize,
  quoted,
  SIZE_FORM,
} from "../domain/index.ts";

/** A type of value: how it is checked in the file, read from a variable or flag, and described to editors. */
export type Kind<T> = {
  schema: v.GenericSchema<unknown, T>;
  /** The text of a variable as the file would say it. */
  fromText: (text: string) => unknown;
  json: Readonly<Record<string, unknown>>;
};

const asText = (text: string): string => text;
/** Text that `parse` understands. */
function parsed<T>(parse: (text: string) => T | undefined, form: string): v.GenericSchema<unknown, T> {
  return v.pipe(
    v.unknown(),
    v.rawTransform<unknown, T>(({ dataset, addIssue, NEVER }) => {
      const value = typeof dataset.value === "string" ? parse(dataset.value) : undefined;
      if (value !== undefined) return value;
      addIssue({ message: `must be ${form}, not ${describeValue(dataset.value)}` });
      return NEVER;
    }),
  );
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  "1": true,
  false: false,
  no: false,
  off: false,
  "0": false,
};

export const flag: Kind<boolean> = {
  schema: v.boolean(),
  fromText: (text) => BOOLEANS[text.trim().toLowerCase()] ?? text,
  json: { type: "boolean" },
};

export function whole(minimum: number, maximum: number): Kind<number> {
  const isIn = (n: number): boolean => Number.isInteger(n) && n >= minimum && n <= maximum;
  return {
    schema: v.pipe(
      v.number(),
      v.check(isIn, ({ input }) => `must be a whole number from ${minimum} to ${maximum}, not ${input}`),
    ),
    fromText: (text) => (/^\s*-?\d{1,15}\s*$/.test(text) ? Number(text) : text),
    json: { type: "integer", minimum, maximum },
  };
}

const noNul = v.check((value: string) => !value.includes("\0"), "must not hold a NUL character");
const textSchema = v.pipe(
  v.string(),
  v.check((value) => value.trim() !== "", "must not be empty"),
  noNul,
);
export const text: Kind<string> = { schema: textSchema, fromText: asText, json: { type: "string", minLength: 1 } };

/** Text that passes `problem`, which returns what is wrong with it. */
export function checkedText(problem: (value: string) => string | undefined): Kind<string> {
  return {
    ...text,
    schema: v.pipe(
      textSchema,
      v.check(
        (value) => problem(value) === undefined,
        ({ input }) => problem(input) ?? "",
      ),
    ),
  };
}

export const size: Kind<number> = {
  schema: parsed(parseSize, SIZE_FORM),
  fromText: asText,
  json: { type: "string", pattern: "^\\s*\\d+(?:\\.\\d+)? ?[kKMGT]?i?B\\s*$" },
};
export const duration: Kind<number> = {
  schema: parsed(parseDuration, DURATION_FORM),
  fromText: asText,
  json: { type: "string", pattern: "^\\s*(?:\\d+(?:\\.\\d+)?\\s*(?:ms|[smhd])\\s*)+$" },
};

/** A duration, or `off`. */
export const durationOrOff: Kind<number | "off"> = {
  schema: parsed<number | "off">((value) => (value.trim() === "off" ? "off" : parseDuration(value)), `${DURATION_FORM}, or off`),
  fromText: asText,
  json: { anyOf: [duration.json, { const: "off" }] },
};

/** One of a few words. `later` are those of the documents that this version does not do. */
export function oneOf<const T extends readonly string[]>(words: T, later: readonly string[] = []): Kind<T[number]> {
  const message = (input: unknown): string => {
    if (typeof input === "string" && later.includes(input)) return `${quoted(input)} is not supported yet: for now ${words.join(" or ")}`;
    const list = words.length === 1 ? words[0] : `${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`;
    return `must be ${list ?? ""}, not ${describeValue(input)}${typeof input === "string" ? didYouMean(input, words) : ""}`;
  };
  return { schema: v.picklist(words, ({ input }) => message(input)), fromText: asText, json: { enum: words } };
}

export function listOf<T>(item: Kind<T>): Kind<T[]> {
  return { schema: v.array(item.schema), fromText: asText, json: { type: "array", items: item.json } };
}

export const argv: Kind<[string, ...string[]]> = {
  schema: v.pipe(
    v.array(v.string()),
    v.check((list) => emptyCommandProblem(list) === undefined, "must name a program"),
    v.check((list) => list.every((part) => !part.includes("\0")), "must not hold a NUL character"),
    v.transform(([program = "", ...rest]): [string, ...string[]] => [program, ...rest]),
  ),
  fromText: asText,
  json: { type: "array", items: { type: "string" }, minItems: 1 },
};

export const textMap: Kind<Record<string, string>> = {
  schema: v.record(v.string(), v.string()),
  fromText: asText,
  json: { type: "object", additionalProperties: { type: "string" } },
};

/** A map from names that pass `problem` (which returns what is wrong with one) to text. */
export function checkedTextMap(problem: (name: string) => string | undefined): Kind<Record<string, string>> {
  return {
    ...textMap,
    schema: v.pipe(
      v.record(
        v.string(),
        v.pipe(
          v.string(),
          v.check((value) => !value.includes("\0"), "must not hold a NUL character"),
        ),
      ),
      v.rawCheck(({ dataset, addIssue }) => {
        for (const name of Object.keys(dataset.typed ? dataset.value : {})) {
          const wrong = problem(name);
          if (wrong !== undefined) addIssue({ message: `has ${quoted(name)}, which ${wrong}` });
        }
      }),
    ),
  };
}

const commandText = v.pipe(
  v.string(),
  v.check(
    (value) => emptyCommandProblem(value) === undefined,
    ({ input }) => emptyCommandProblem(input) ?? "",
  ),
  noNul,
);
const command: v.GenericSchema<unknown, string | string[]> = v.lazy((input) => (Array.isArray(input) ? argv.schema : commandText));
const COMMAND_JSON = {
  anyOf: [
    { type: "string", minLength: 1, description: "Run by `sh -c`." },
    { type: "array", items: { type: "string" }, minItems: 1, description: "A program and its arguments." },
  ],
} as const;

/** A map from names that pass `problem` (which returns what is wrong with one) to commands. */
export function commandMap(problem: (name: string) => string | undefined): Kind<Record<string, string | readonly string[]>> {
  const name = v.pipe(
    v.string(),
    v.check(
      (value) => value.trim() !== "" && problem(value) === undefined,
      ({ input }) => problem(input) ?? "must not be empty",
    ),
  );
  return {
    // To valibot a list is a record of its places.
    schema: v.pipe(
      v.unknown(),
      v.check((value) => !Array.isArray(value), "must be a map of globs to commands, not a list"),
      v.record(name, command),
    ),
    fromText: asText,
    json: { type: "object", additionalProperties: COMMAND_JSON },
  };
}

/** One of a few words, or a list of commands. */
export function wordOrCommands<const T extends readonly string[]>(words: T): Kind<T[number] | readonly (string | [string, ...string[]])[]> {
  const commands = v.pipe(
    v.array(
      v.lazy((input): v.GenericSchema<unknown, string | [string, ...string[]]> => (Array.isArray(input) ? argv.schema : commandText)),
    ),
    v.check((list) => list.length > 0, "must have at least one command"),
  );
  const word = v.picklist(words, ({ input }) => {
    const near = typeof input === "string" ? didYouMean(input, words) : "";
    return `must be ${words.join(", ")} or a list of commands, not ${describeValue(input)}${near}`;
  });
  return {
    schema: v.lazy(
      (input): v.GenericSchema<unknown, T[number] | (string | [string, ...string[]])[]> => (Array.isArray(input) ? commands : word),
    ),
    fromText: asText,
    json: { anyOf: [{ enum: words }, { type: "array", minItems: 1, items: COMMAND_JSON }] },
  };
}

const checkMap = v.object({
  name: v.nullish(textSchema),
  run: command,
  timeout: v.nullish(duration.schema),
  history: v.nullish(v.boolean()),
});
const checkEntry: v.GenericSchema<unknown, CheckEntry> = v.lazy((input) =>
  typeof input === "object" && !Array.isArray(input) ? checkMap : command,
);
export const check: Kind<Check> = { schema: v.pipe(checkEntry, v.transform(checkOf)), fromText: asText, json: CHECK_JSON_SCHEMA };
