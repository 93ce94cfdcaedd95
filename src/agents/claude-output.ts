import * as v from "valibot";
import { cleanText, type Usage } from "../domain/index.ts";
import { field, hear, parseObject, sessionId } from "./json-lines.ts";
import type { PromiseWatcher } from "./promise.ts";
import { larger, nothingYet, type OutputReader, type Reading } from "./reading.ts";

const COUNT = field(v.pipe(v.number(), v.minValue(0)), 0);
const PARENT = { parent_tool_use_id: field(v.nullable(v.string()), null) };

const Assistant = v.object({
  type: v.literal("assistant"),
  ...PARENT,
  is_api_error_message: field(v.boolean(), false),
  message: v.object({
    content: v.array(
      v.object({ type: field(v.string(), ""), text: field(v.string(), ""), name: field(v.string(), ""), input: field(v.unknown(), null) }),
    ),
  }),
});

const ApiRetry = v.object({
  type: v.literal("system"),
  subtype: v.literal("api_retry"),
  error_status: field(v.nullable(v.number()), null),
});

const ModelUsage = v.object({ inputTokens: COUNT, outputTokens: COUNT, cacheReadInputTokens: COUNT, cacheCreationInputTokens: COUNT });

const Denied = v.object({
  type: v.literal("system"),
  subtype: v.literal("permission_denied"),
  tool_name: field(v.string(), "a tool"),
  message: field(v.string(), ""),
});

const Result = v.object({
  type: v.literal("result"),
  subtype: field(v.string(), ""),
  is_error: field(v.boolean(), false),
  api_error_status: field(v.nullable(v.number()), null),
  result: field(v.string(), ""),
  errors: field(v.array(v.string()), []),
  total_cost_usd: field(v.nullable(v.pipe(v.number(), v.minValue(0))), null),
  modelUsage: field(v.record(v.string(), ModelUsage), {}),
  permission_denials: field(v.array(v.object({ tool_name: field(v.string(), "a tool"), tool_input: field(v.unknown(), null) })), []),
});

const Session = v.object({ session_id: sessionId });

const MAX_DENIALS = 50;

/**
 * `claude -p --output-format stream-json`. Of some 40 types of message five matter; a run may send two results (a
 * background task's note starts another turn), and the last one counts. Its `usage` is that of one run, its
 * `modelUsage` and cost that of the conversation.
 */
export function readClaude(promises: PromiseWatcher): OutputReader {
  const now: Reading = nothingYet();
  const onAssistant = (message: v.InferOutput<typeof Assistant>): string[] => {
    // A sub-agent's words are not the agent's own.
    if (message.parent_tool_use_id !== null) return [];
    if (!message.is_api_error_message) now.rateLimited = false;
    return message.message.content.flatMap((part) => {
      if (part.type === "tool_use") return [`[${cleanText(part.name)}] ${describe(part.input)}`];
      if (part.type !== "text" || message.is_api_error_message) return [];
      now.words = part.text;
      return hear(part.text, promises);
    });
  };
  const onResult = (result: v.InferOutput<typeof Result>): string[] => {
    const failed = result.is_error || result.subtype !== "success";
    now.final = failed ? "error" : "success";
    now.rateLimited = failed && (result.api_error_status === 429 || (now.rateLimited && result.api_error_status === null));
    now.error = failed ? [...result.errors, result.result].filter((text) => text !== "").join("\n") || result.subtype : "";
    now.usage = larger(now.usage, usageOf(result));
    const denials = result.permission_denials.map((one) => `${cleanText(one.tool_name)}: ${describe(one.tool_input)}`);
    now.permissionDenials = [...new Set([...now.permissionDenials, ...denials])].slice(0, MAX_DENIALS);
    if (failed || result.result === "") return failed ? [cleanText(now.error)] : [];
    now.words = result.result;
    hear(result.result, promises);
    return [];
  };
  return {
    line(line) {
      const value = parseObject(line);
      if (value === undefined) return [];
      const session = v.safeParse(Session, value);
      if (session.success) now.session = session.output.session_id;
      const assistant = v.safeParse(Assistant, value);
      if (assistant.success) return onAssistant(assistant.output);
      const result = v.safeParse(Result, value);
      if (result.success) return onResult(result.output);
      const retry = v.safeParse(ApiRetry, value);
      if (retry.success) now.rateLimited = retry.output.error_status === 429;
      const denied = v.safeParse(Denied, value);
      if (!denied.success) return [];
      return [`[${cleanText(denied.output.tool_name)}] refused: ${cleanText(denied.output.message).replaceAll("\n", " ").slice(0, 200)}`];
    },
    reading: () => ({ ...now }),
  };
}

function usageOf(result: v.InferOutput<typeof Result>): Usage | null {
  const models = Object.values(result.modelUsage);
  if (models.length === 0 && result.total_cost_usd === null) return null;
  const sum = (count: (model: v.InferOutput<typeof ModelUsage>) => number): number =>
    models.reduce((total, model) => total + count(model), 0);
  return {
    inputTokens: sum((model) => model.inputTokens + model.cacheReadInputTokens + model.cacheCreationInputTokens),
    outputTokens: sum((model) => model.outputTokens),
    costUsd: result.total_cost_usd,
  };
}

const Input = v.object({
  command: field(v.string(), ""),
  file_path: field(v.string(), ""),
  path: field(v.string(), ""),
  description: field(v.string(), ""),
});

function describe(input: unknown): string {
  const known = v.safeParse(Input, input);
  if (!known.success) return "";
  const { command, file_path, path, description } = known.output;
  return cleanText(command || file_path || path || description)
    .replaceAll("\n", " ")
    .slice(0, 200);
}
