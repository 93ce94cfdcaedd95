import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AgentStart, presets, runAgent } from "../../../src/agents/index.ts";
import type { AgentReport, AgentSpec } from "../../../src/domain/index.ts";
import { hermeticEnv, tempFolder } from "../../fixtures/index.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

export const recordings = join(root, "test/unit/agents/recordings");

export function preset(name: "claude" | "codex" | "mock"): AgentSpec {
  const spec = presets({ parentEnv: {}, mockAgentPath: join(root, "templates/mock-agent.mjs"), nodePath: process.execPath })[name];
  if (spec === undefined) throw new Error(`no preset ${name}`);
  return spec;
}

/** A Node program as an agent. */
export function program(text: string, more: Partial<AgentSpec> = {}): AgentSpec {
  return { ...preset("mock"), prompt: "stdin", env: [], command: [process.execPath, "-e", text, "--"], rateLimit: null, ...more };
}

export type Run = { report: AgentReport; lines: string[]; logFile: string; cwd: string };

/** Runs an agent for task `t1` in a folder of its own. */
export async function run(spec: AgentSpec, more: Partial<AgentStart> = {}): Promise<Run> {
  const folder = tempFolder("run");
  const cwd = more.cwd ?? tempFolder("slot");
  const brief = more.brief ?? "Do it.\n";
  const briefFile = join(folder, "brief.md");
  const logFile = join(folder, "logs", "1.log");
  writeFileSync(briefFile, brief);
  const lines: string[] = [];
  const report = await runAgent({
    spec,
    cwd,
    brief,
    briefFile,
    task: "t1",
    logFile,
    logMaxBytes: 1024 * 1024,
    environment: { GRAFTWORK_TASK_ID: "t1", GRAFTWORK_ATTEMPT: "1" },
    parentEnv: { ...hermeticEnv(), SECRET: "canary", GIT_DIR: "/elsewhere" },
    resumeSession: null,
    timeoutMs: null,
    onLine: (line) => void lines.push(line),
    ...more,
  });
  return { report, lines, logFile, cwd };
}
