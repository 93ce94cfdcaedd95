import { expect, test } from "vitest";
import { type Heard, readingOf, recording, stream } from "./reading-of.ts";

const read = (...messages: readonly unknown[]) => readingOf("codex-json", [stream(...messages)], "t2");

test.for<[name: string, expected: Partial<Heard>]>([
  [
    "codex-normal",
    {
      final: "success",
      session: "01a1fdfd-af6f-73e1-a83a-d555b232b408",
      promise: { name: "READY_FOR_QA", reason: "done" },
      usage: { inputTokens: 2_400, outputTokens: 160, costUsd: null },
      error: "",
    },
  ],
  [
    "codex-resumed",
    {
      final: "success",
      session: "01a1fdfd-af6f-73e1-a83a-d555b232b408",
      words: "done again",
      usage: { inputTokens: 4_800, outputTokens: 320, costUsd: null },
    },
  ],
  ["codex-failed", { final: "error", words: "", usage: null }],
])("what the client really printed: %s", ([name, expected]) => {
  expect(readingOf("codex-json", [recording(name)], "t2")).toMatchObject(expected);
});

test("the failure's text is the error", () => {
  expect(readingOf("codex-json", [recording("codex-failed")]).error).toContain("scripted failure");
});

test("an error that a later turn got over is none", () => {
  const trouble = { type: "error", message: "Reconnecting... 1/5" };
  expect(read(trouble)).toMatchObject({ final: "none", error: "Reconnecting... 1/5" });
  expect(read(trouble, { type: "turn.completed" })).toMatchObject({ final: "success", error: "" });
});

test("of two turns the last decides, and the figures are the larger ones", () => {
  const completed = { type: "turn.completed", usage: { input_tokens: 9, output_tokens: 2 } };
  expect(read(completed, { type: "turn.failed", error: {} })).toMatchObject({
    final: "error",
    error: "the turn failed",
    usage: { inputTokens: 9 },
  });
});

test("a signal in a command's output or text does not count", () => {
  const marker = "<promise>TASK_FAILED: t2</promise>";
  const item = (more: object) => ({ type: "item.completed", item: { type: "command_execution", ...more } });
  expect(read(item({ command: `echo ${marker}`, aggregated_output: marker, text: marker })).promise).toBeNull();
  expect(read({ type: "item.completed", item: { type: "reasoning", text: marker } }).promise).toBeNull();
  expect(read({ type: "item.completed", item: { type: "agent_message", text: marker } }).promise?.name).toBe("TASK_FAILED");
});

test("unknown messages and fields of other shapes are passed over", () => {
  const odd = [
    { type: "thread.started", thread_id: 5 },
    { type: "turn.completed", usage: "much" },
    { type: "new.event" },
    { type: 3 },
    [],
    7,
  ];
  expect(read(...odd)).toMatchObject({ final: "success", session: null });
});
