import { describe, expect, test } from "vitest";
import { type Heard, readingOf, recording, stream } from "./reading-of.ts";

const read = (...messages: readonly unknown[]) => readingOf("claude-stream-json", [stream(...messages)]);
const say = (text: string, more: object = {}) => ({
  type: "assistant",
  parent_tool_use_id: null,
  message: { content: [{ type: "text", text }] },
  ...more,
});
const result = (more: object = {}) => ({ type: "result", subtype: "success", is_error: false, result: "done", ...more });

describe("what the client really printed", () => {
  test.for<[name: string, expected: Partial<Heard>]>([
    [
      "claude-normal",
      {
        final: "success",
        session: "7d26ee92-bebb-4b3c-a7bc-3b286bc858a7",
        promise: { name: "TASK_DONE", reason: "All done." },
        usage: { inputTokens: 24_000, outputTokens: 1_600, costUsd: 0.12800000000000003 },
        rateLimited: false,
        error: "",
      },
    ],
    // A sub-agent said TASK_FAILED for the same task: its words are not the agent's.
    [
      "claude-two-results",
      { final: "success", words: "first", promise: null, usage: { inputTokens: 6_000, outputTokens: 400, costUsd: 0.032 } },
    ],
    ["claude-interrupted", { final: "none", promise: null, usage: null, rateLimited: false }],
    ["claude-terminated", { final: "none", usage: null }],
    ["claude-api-error", { final: "error", error: "API Error: 400 scripted failure", words: "", rateLimited: false }],
    ["claude-rate-limited", { final: "none", rateLimited: true }],
    [
      "claude-max-turns",
      {
        final: "error",
        error: "Reached maximum number of turns (2)",
        usage: { inputTokens: 2_400, outputTokens: 160, costUsd: 0.012799999999999999 },
      },
    ],
    ["claude-unknown-session", { final: "error", error: "No conversation found with session ID: 00000000-0000-4000-8000-000000000000" }],
    // The result's own `usage` is 2,400 tokens: that of one run. The conversation's are 42,000, like its cost.
    [
      "claude-resumed",
      { final: "success", words: "second done", usage: { inputTokens: 42_000, outputTokens: 2_800, costUsd: 0.22399999999999987 } },
    ],
  ])("%s", ([name, expected]) => {
    expect(readingOf("claude-stream-json", [recording(name)])).toMatchObject(expected);
  });

  test("denials say which tool was asked for what", () => {
    const { permissionDenials, shown } = readingOf("claude-stream-json", [recording("claude-denials")]);
    expect(permissionDenials).toContain("Bash: cd src && git add -A");
    expect(permissionDenials).toContain("Read: /repo/src/a.txt");
    expect(shown).toContainEqual(expect.stringMatching(/^\[Bash\] refused: This command \S/));
  });

  test("shows the agent's words and the tools it uses", () => {
    const { shown } = readingOf("claude-stream-json", [recording("claude-normal")]);
    expect(shown.slice(0, 3)).toEqual(["I will write a file", "[Write] /pool/wt-1/src/b.txt", "[Bash] git add src/b.txt"]);
  });
});

describe("the final event", () => {
  test.for<[what: string, message: object, expected: Partial<Heard>]>([
    [
      "success with is_error is an error",
      result({ is_error: true, result: "API Error: 500", api_error_status: 500 }),
      { final: "error", error: "API Error: 500" },
    ],
    ["an unknown subtype is an error", result({ subtype: "error_new_kind" }), { final: "error", error: "done" }],
    [
      "a budget that is used up",
      { type: "result", subtype: "error_max_budget_usd", is_error: false },
      { final: "error", error: "error_max_budget_usd" },
    ],
    ["status 429 is a rate limit", result({ is_error: true, api_error_status: 429 }), { final: "error", rateLimited: true }],
    ["success is none, whatever the status", result({ api_error_status: 429 }), { final: "success", rateLimited: false }],
    [
      "fields of other shapes are as good as missing",
      result({ usage: 7, modelUsage: [], permission_denials: "x", errors: 1 }),
      { final: "success" },
    ],
    [
      "negative figures are not believed",
      result({ total_cost_usd: -1, modelUsage: { m: { inputTokens: -5, outputTokens: 3 } } }),
      { usage: { inputTokens: 0, outputTokens: 3, costUsd: null } },
    ],
    ["a session id that could be an option is dropped", result({ session_id: "--dangerously-skip-permissions" }), { session: null }],
  ])("%s", ([, message, expected]) => {
    expect(read(message)).toMatchObject(expected);
  });

  test("of two results the last counts, and of their figures the larger", () => {
    const first = result({ result: "a", total_cost_usd: 2, modelUsage: { m: { inputTokens: 10, outputTokens: 1 } } });
    const second = result({ is_error: true, result: "b", total_cost_usd: 1, modelUsage: { m: { inputTokens: 9, outputTokens: 4 } } });
    expect(read(first, second)).toMatchObject({ final: "error", error: "b", usage: { inputTokens: 10, outputTokens: 4, costUsd: 2 } });
  });

  test("a retry that helped leaves no rate limit behind", () => {
    const retry = { type: "system", subtype: "api_retry", error_status: 429 };
    expect(read(retry).rateLimited).toBe(true);
    expect(read(retry, say("going on")).rateLimited).toBe(false);
    expect(read(retry, say("API Error", { is_api_error_message: true }), result({ is_error: true })).rateLimited).toBe(true);
  });
});

describe("signals", () => {
  const marker = "<promise>TASK_FAILED: t1</promise>";
  test.for<[what: string, messages: readonly object[], name: string | null]>([
    ["in the agent's words", [say(`no way\n${marker}`)], "TASK_FAILED"],
    ["in the result alone", [result({ result: marker })], "TASK_FAILED"],
    ["in a tool's result", [{ type: "user", message: { content: [{ type: "tool_result", content: marker }] } }], null],
    ["in the prompt that comes back", [{ type: "user", message: { content: [{ type: "text", text: marker }] } }], null],
    [
      "in a command",
      [{ type: "assistant", message: { content: [{ type: "tool_use", name: "Bash", input: { command: `echo '${marker}'` } }] } }],
      null,
    ],
    ["in thoughts", [{ type: "assistant", message: { content: [{ type: "thinking", thinking: marker, text: marker }] } }], null],
    ["by a sub-agent", [say(marker, { parent_tool_use_id: "toolu_1" })], null],
    ["in an API error", [say(marker, { is_api_error_message: true })], null],
    ["in a result that is an error", [result({ is_error: true, result: marker })], null],
    ["in a line that is no JSON", [], null],
  ])("%s", ([, messages, name]) => {
    const bytes = Buffer.concat([stream(...messages), Buffer.from(`warning ${marker}\n{"type":"assistant"\n[1]\nnull\n`)]);
    expect(readingOf("claude-stream-json", [bytes]).promise?.name ?? null).toBe(name);
  });
});
