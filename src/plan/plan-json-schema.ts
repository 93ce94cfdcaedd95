import { CHECK_JSON_SCHEMA, WORK_TYPES } from "../domain/index.ts";

const TEXT = { type: "string", minLength: 1 } as const;
const optionalText = (description: string) => ({ type: ["string", "null"], minLength: 1, description });
const optionalList = (description: string, items: object = TEXT) => ({
  anyOf: [{ type: "null" }, items, { type: "array", items }],
  description,
});
const DURATION = { type: ["string", "null"], pattern: "^\\s*(?:\\d+(?:\\.\\d+)?\\s*(?:ms|[smhd])\\s*)+$" } as const;
const CHECKS = { type: ["array", "null"], items: CHECK_JSON_SCHEMA } as const;
const ID = { type: "string", pattern: "^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$" } as const;

const TASK = {
  type: "object",
  additionalProperties: false,
  required: ["id"],
  properties: {
    id: { ...ID, description: "Unique, also without regard to case. Its branch is auto/<id>." },
    title: optionalText("One line; default: the id."),
    description: optionalText("The brief given to the agent; default: the title."),
    files: optionalList("Globs the task expects to write. Tasks whose files may overlap go to different groups."),
    depends_on: optionalList("Ids of tasks that must have landed before.", ID),
    work_type: { enum: [...WORK_TYPES, null] },
    contention: { enum: ["FREE", "EXCLUSIVE", null], description: "Default: FREE, EXCLUSIVE where resources are named." },
    resources: optionalList("Real things that one task at a time may use: a path, a port, a browser."),
    agent: optionalText("A name from the configuration's agents."),
    verification: { ...CHECKS, description: "Checks added to the plan's." },
    timeout: { ...DURATION, description: "For example 30m; default: the agent's." },
    retries: { type: ["integer", "null"], minimum: 0, maximum: 100, description: "Default: parallelization.retry_on_failure." },
  },
} as const;

/** The JSON Schema of a plan file, for editors that complete and check while one types. */
export function planJsonSchema(): Record<string, unknown> {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "graftwork plan",
    type: "object",
    additionalProperties: false,
    required: ["tasks"],
    properties: {
      $schema: { type: ["string", "null"] },
      version: { enum: [1, null] },
      name: optionalText("Default: the name of the file."),
      base: optionalText("The target branch; default: the branch checked out."),
      protect: { enum: ["strict", "relaxed", null], description: "Whether a task may change what judges it; default strict." },
      verification: { ...CHECKS, description: "Checks every task must pass." },
      tasks: { type: "array", minItems: 1, maxItems: 20_000, items: TASK },
    },
  };
}
