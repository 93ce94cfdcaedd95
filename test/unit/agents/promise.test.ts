import { describe, expect, test } from "vitest";
import { watchPromises, withoutMarkers } from "../../../src/agents/promise.ts";

function heard(text: string, brief = ""): ReturnType<ReturnType<typeof watchPromises>["last"]> {
  const watcher = watchPromises("t1", brief);
  for (const line of text.split("\n")) watcher.line(line);
  return watcher.last();
}

const ready = "<promise>READY_FOR_QA: t1</promise>";

test.for<[text: string, name: string | null]>([
  [ready, "READY_FOR_QA"],
  ["<promise>TASK_DONE:t1</promise>", "TASK_DONE"],
  ["<promise>  TASK_FAILED :  t1  </promise>", "TASK_FAILED"],
  ["well, **<promise>TASK_BLOCKED: t1</promise>**", "TASK_BLOCKED"],
  [`${ready}\n<promise>TASK_FAILED: t1</promise>`, "TASK_FAILED"],
  [`${ready} <promise>TASK_DONE: t1</promise>`, "TASK_DONE"],
  // Of another task, of QA, of nobody.
  ["<promise>READY_FOR_QA: t10</promise>", null],
  ["<promise>READY_FOR_QA: T1</promise>", null],
  ["<promise>TASK_APPROVED: t1</promise>", null],
  ["<promise>TASK_REJECTED: t1</promise>", null],
  ["<promise>QA_BLOCKED: t1</promise>", null],
  ["<promise>AUTO_COMPLETE</promise>", null],
  ["<promise>toString: t1</promise>", null],
  ["READY_FOR_QA: t1", null],
  ["<promise>READY_FOR_QA: t1", null],
  [`${ready}\n<promise>TASK_APPROVED: t1</promise>`, "READY_FOR_QA"],
])("%s", ([text, name]) => {
  expect(heard(text)?.name ?? null).toBe(name);
});

describe("the reason", () => {
  test.for<[what: string, text: string, reason: string]>([
    ["stands in the same line", "it needs a key <promise>TASK_BLOCKED: t1</promise>", "it needs a key"],
    ["or before it", "Looked at it.\n\nThe key is missing.\n`<promise>TASK_BLOCKED: t1</promise>`", "Looked at it.\nThe key is missing."],
    ["or after it", "<promise>TASK_BLOCKED: t1</promise>\nThe key is missing.", "The key is missing."],
    ["and is empty where there is none", "<promise>TASK_BLOCKED: t1</promise>", ""],
  ])("%s", ([, text, reason]) => {
    expect(heard(text)?.reason).toBe(reason);
  });

  test("is short however long the text", () => {
    expect(heard(`${"x".repeat(9_000)} ${ready}`)?.reason).toHaveLength(500);
  });

  test("does not cross from one message to the next", () => {
    const watcher = watchPromises("t1", "");
    for (const line of ["an earlier message", null, ready, null, "a later one"]) {
      if (line === null) watcher.pause();
      else watcher.line(line);
    }
    expect(watcher.last()).toEqual({ name: "READY_FOR_QA", reason: "" });
  });
});

describe("the brief that comes back", () => {
  const brief = `# Task t1\n\nDo it, then end with one of these:\n\n- \`${ready}\` when complete\n- \`<promise>TASK_BLOCKED: t1</promise>\` when not\n`;
  const bare = `Do it, then print:\n${ready}\nand stop.`;
  test.for<[what: string, text: string, brief: string, name: string | null]>([
    ["as it is", brief, brief, null],
    ["quoted", brief.replace(/^/gm, "> "), brief, null],
    ["and then the agent's own line", `${brief}\nAll done.\n${ready}`, brief, "READY_FOR_QA"],
    ["the agent's own line alone", ready, brief, "READY_FOR_QA"],
    ["with markers on lines of their own", bare, bare, null],
    ["with markers on lines of their own, then the agent's", `${bare}\nDone.\n${ready}`, bare, "READY_FOR_QA"],
  ])("%s", ([, text, theBrief, name]) => {
    expect(heard(text, theBrief)?.name ?? null).toBe(name);
  });
});

test("a text without its markers", () => {
  expect(withoutMarkers(`Done.\n${ready}\n`)).toBe("Done.");
});
