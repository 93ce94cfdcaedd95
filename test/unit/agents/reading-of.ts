import { readFileSync } from "node:fs";
import { splitLines } from "../../../src/agents/line-splitter.ts";
import { readerFor } from "../../../src/agents/output-reader.ts";
import { watchPromises } from "../../../src/agents/promise.ts";
import type { Reading } from "../../../src/agents/reading.ts";
import type { AgentReport, AgentSpec } from "../../../src/domain/index.ts";

export type Heard = Reading & { promise: AgentReport["promise"]; shown: readonly string[] };

/** What a reader makes of these bytes, as they arrive. */
export function readingOf(format: AgentSpec["output"], chunks: readonly Uint8Array[], task = "t1", brief = ""): Heard {
  const promises = watchPromises(task, brief);
  const reader = readerFor(format, promises);
  const shown: string[] = [];
  const lines = splitLines(1024 * 1024, (line) => void shown.push(...reader.line(line)));
  for (const chunk of chunks) lines.add(chunk);
  lines.end();
  return { ...reader.reading(), promise: promises.last(), shown };
}

export function recording(name: string): Buffer {
  return readFileSync(new URL(`recordings/${name}.jsonl`, import.meta.url));
}

/** JSON lines of these messages. */
export function stream(...messages: readonly unknown[]): Buffer {
  return Buffer.from(messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
}
