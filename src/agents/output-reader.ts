import type { AgentSpec } from "../domain/index.ts";
import { readClaude } from "./claude-output.ts";
import { readCodex } from "./codex-output.ts";
import type { PromiseWatcher } from "./promise.ts";
import type { OutputReader } from "./reading.ts";
import { readText } from "./text-output.ts";

const READERS: Readonly<Record<AgentSpec["output"], (promises: PromiseWatcher) => OutputReader>> = {
  text: readText,
  "claude-stream-json": readClaude,
  "codex-json": readCodex,
};

export function readerFor(format: AgentSpec["output"], promises: PromiseWatcher): OutputReader {
  return READERS[format](promises);
}
