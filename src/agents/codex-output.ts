import * as v from "valibot";
import { cleanText } from "../domain/index.ts";
import { field, hear, parseObject, sessionId } from "./json-lines.ts";
import type { PromiseWatcher } from "./promise.ts";
import { larger, nothingYet, type OutputReader, type Reading } from "./reading.ts";

const COUNT = field(v.pipe(v.number(), v.minValue(0)), 0);

const Started = v.object({ type: v.literal("thread.started"), thread_id: sessionId });
const Item = v.object({
  type: v.literal("item.completed"),
  item: v.object({ type: v.string(), text: field(v.string(), ""), command: field(v.string(), "") }),
});
const Completed = v.object({
  type: v.literal("turn.completed"),
  usage: field(v.object({ input_tokens: COUNT, output_tokens: COUNT }), { input_tokens: 0, output_tokens: 0 }),
});
const Failed = v.object({ type: v.literal("turn.failed"), error: field(v.object({ message: field(v.string(), "") }), { message: "" }) });
const Problem = v.object({ type: v.literal("error"), message: field(v.string(), "") });

/** `codex exec --json`. An `error` may still be tried again: only the end of the turn decides. Usage is the thread's. */
export function readCodex(promises: PromiseWatcher): OutputReader {
  const now: Reading = nothingYet();
  return {
    line(line) {
      const value = parseObject(line);
      if (value === undefined) return [];
      if (v.is(Started, value)) now.session = value.thread_id;
      const item = v.safeParse(Item, value);
      if (item.success && item.output.item.type === "agent_message") {
        now.words = item.output.item.text;
        return hear(now.words, promises);
      }
      if (item.success && item.output.item.command !== "")
        return [`[command] ${cleanText(item.output.item.command).replaceAll("\n", " ").slice(0, 200)}`];
      const completed = v.safeParse(Completed, value);
      if (completed.success) {
        const { input_tokens, output_tokens } = completed.output.usage;
        now.final = "success";
        now.error = "";
        now.usage = larger(now.usage, { inputTokens: input_tokens, outputTokens: output_tokens, costUsd: null });
      }
      const problem = v.safeParse(Problem, value);
      if (problem.success) now.error = problem.output.message;
      const failed = v.safeParse(Failed, value);
      if (failed.success) {
        now.final = "error";
        now.error = failed.output.error.message || now.error || "the turn failed";
        return [cleanText(now.error)];
      }
      return [];
    },
    reading: () => ({ ...now }),
  };
}
