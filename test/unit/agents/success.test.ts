import { expect, test } from "vitest";
import { type Claim, successOf } from "../../../src/agents/index.ts";
import type { AgentReport } from "../../../src/domain/index.ts";

const good: AgentReport = {
  ended: "exited",
  exitCode: 0,
  signal: null,
  final: "success",
  promise: null,
  session: null,
  usage: null,
  lastWords: "Done.",
  permissionDenials: [],
  rateLimited: false,
  detail: "",
  durationMs: 61_000,
};
const promise = (name: "READY_FOR_QA" | "TASK_DONE" | "TASK_FAILED" | "TASK_BLOCKED", reason = "") => ({ promise: { name, reason } });
const failed = (failure: string, retry: boolean) => ({ kind: "failed", failure, retry });

test.for<[what: string, report: Partial<AgentReport>, claim: Partial<Claim> | object]>([
  ["a good final event and exit 0", {}, { kind: "claims-success" }],
  ["exit 0 of a client that has no final event", { final: null }, { kind: "claims-success" }],
  ["with a promise", promise("READY_FOR_QA"), { kind: "claims-success" }],
  ["interrupted: exit 0, but no final event", { final: "none" }, failed("crashed", true)],
  ["a promise replaces no final event", { final: "none", ...promise("READY_FOR_QA") }, failed("crashed", true)],
  ["an API error", { final: "error", exitCode: 1, detail: "API Error: 500" }, { ...failed("crashed", true), reason: "API Error: 500" }],
  ["an error with exit 0", { final: "error" }, failed("crashed", true)],
  ["exit 3 of any program", { final: null, exitCode: 3, detail: "boom" }, { ...failed("crashed", true), reason: "exit 3: boom" }],
  ["a good final event, but exit 1", { exitCode: 1 }, failed("crashed", true)],
  ["killed from outside", { exitCode: null, signal: "SIGKILL", final: null }, { ...failed("crashed", true), reason: "ended by SIGKILL" }],
  ["killed after its good final event", { exitCode: null, signal: "SIGSEGV" }, failed("crashed", true)],
  [
    "too long",
    { ended: "timeout", signal: "SIGTERM", exitCode: null },
    { ...failed("timeout", true), reason: "still at work after 1 min 1 s" },
  ],
  ["too long, though it promised", { ended: "timeout", ...promise("READY_FOR_QA") }, failed("timeout", true)],
  ["too quiet", { ended: "idle-timeout", final: "none" }, failed("idle-timeout", true)],
  ["not started", { ended: "not-started", exitCode: null, detail: "claude: ENOENT" }, failed("not-started", false)],
  ["interrupted by us", { ended: "interrupted", rateLimited: true }, failed("interrupted", true)],
  [
    "at the provider's limit",
    { rateLimited: true, final: "error", detail: "usage limit" },
    { kind: "rate-limited", reason: "usage limit" },
  ],
  ["at the limit until it was ended", { rateLimited: true, ended: "idle-timeout" }, { kind: "rate-limited" }],
  ["says it failed", promise("TASK_FAILED", "no such API"), { ...failed("reported-failure", true), reason: "no such API" }],
  ["says it failed, with its last words", { ...promise("TASK_FAILED"), detail: "" }, { reason: "Done." }],
  ["is blocked", promise("TASK_BLOCKED", "needs a key"), { kind: "blocked", reason: "needs a key" }],
  ["is blocked and exits 1", { ...promise("TASK_BLOCKED", "x"), exitCode: 1, final: null }, { kind: "blocked" }],
  ["is blocked and was killed", { ...promise("TASK_BLOCKED", "x"), signal: "SIGKILL" }, failed("crashed", true)],
  ["was denied something and does not say it is done", { permissionDenials: ["Bash: npm i x"] }, failed("permission-denied", false)],
  [
    "was denied something and found another way",
    { permissionDenials: ["Bash: npm i x"], ...promise("READY_FOR_QA") },
    { kind: "claims-success" },
  ],
  [
    "was denied something and gives up",
    { permissionDenials: ["Bash: npm i x"], ...promise("TASK_FAILED", "x") },
    failed("permission-denied", false),
  ],
])("%s", ([, report, claim]) => {
  expect(successOf({ ...good, ...report })).toMatchObject(claim);
});
