import type { AgentSpec } from "../domain/index.ts";

export type Presets = {
  /** The environment that agents will be started from: names the claude program (`CLAUDE_CODE`) and its provider. */
  parentEnv: Readonly<NodeJS.ProcessEnv>;
  /** Absolute path of the packaged `templates/mock-agent.mjs`. */
  mockAgentPath: string;
  /** Absolute path of the Node program that runs it. */
  nodePath: string;
};

/** The agents that work without a line of configuration, by name. */
export function presets(from: Presets): Readonly<Record<string, AgentSpec>> {
  return { claude: claude(from.parentEnv), codex, mock: mock(from.nodePath, from.mockAgentPath) };
}

const NETWORK = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "ALL_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "all_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

const LIMITS = { timeoutMs: 30 * 60_000, outputMaxBytes: 50 * 1024 * 1024 };

/**
 * The git verbs that change something in the slot. Status, diff, log and show are missing on purpose: claude runs
 * their harmless forms unasked, while a rule for them would also let through `--output=FILE`, which writes anywhere.
 */
const CLAUDE_TOOLS = ["add", "commit", "restore", "mv", "rm"].map((verb) => `Bash(git ${verb}:*)`);

function claude(parentEnv: Readonly<NodeJS.ProcessEnv>): AgentSpec {
  const program = parentEnv["CLAUDE_CODE"];
  return {
    name: "claude",
    command: [
      program === undefined || program === "" ? "claude" : program,
      "-p",
      "--output-format",
      "stream-json",
      "--verbose",
      "--permission-mode",
      "acceptEdits",
      "--allowedTools",
      ...CLAUDE_TOOLS,
    ],
    prompt: "stdin",
    output: "claude-stream-json",
    resume: ["--resume", "{session}"],
    env: ["ANTHROPIC_*", ...CLAUDE_ENV, ...providerEnv(parentEnv), "NODE_EXTRA_CA_CERTS", "IS_SANDBOX", ...NETWORK],
    setEnv: {},
    rateLimit: "\\b(usage|rate|session|weekly|5-hour) limit|hit your .{0,40}limit|rate_limit",
    ...LIMITS,
    idleTimeoutMs: 5 * 60_000,
    permissions: "edits files in its slot; runs git add, commit, restore, mv, rm, and checks of the plan that are a single command",
  };
}

/**
 * Not all of `CLAUDE_*`: a session that graftwork was called from keeps its own id, port and entry point there, and
 * a child that inherits them takes itself for a part of that session.
 */
const CLAUDE_ENV = [
  "CLAUDE_CONFIG_DIR",
  "CLAUDE_CODE_OAUTH_*",
  "CLAUDE_CODE_API_KEY_*",
  "CLAUDE_CODE_USE_*",
  "CLAUDE_CODE_SKIP_*",
  "CLAUDE_CODE_CLIENT_*",
  "CLAUDE_CODE_DISABLE_*",
  "CLAUDE_CODE_MAX_*",
  "CLAUDE_CODE_SUBAGENT_MODEL",
  "CLAUDE_CODE_EFFORT_LEVEL",
  "DISABLE_AUTOUPDATER",
  "DISABLE_TELEMETRY",
  "DISABLE_ERROR_REPORTING",
  "MAX_THINKING_TOKENS",
  "API_TIMEOUT_MS",
  "BASH_DEFAULT_TIMEOUT_MS",
  "BASH_MAX_TIMEOUT_MS",
];

/** Cloud credentials reach the agent only where claude is told to use that cloud. */
function providerEnv(parentEnv: Readonly<NodeJS.ProcessEnv>): string[] {
  const on = (name: string): boolean => !["", "0", "false"].includes(parentEnv[name] ?? "");
  return [
    ...(on("CLAUDE_CODE_USE_BEDROCK") ? ["AWS_*"] : []),
    ...(on("CLAUDE_CODE_USE_VERTEX") ? ["GOOGLE_*", "GCLOUD_PROJECT", "CLOUD_ML_REGION", "CLOUDSDK_*", "VERTEX_*"] : []),
    ...(on("CLAUDE_CODE_USE_FOUNDRY") ? ["AZURE_*"] : []),
  ];
}

/**
 * codex's own sandbox keeps git directories read-only, that of a linked worktree too, and `--add-dir` does not lift
 * it: the agent cannot commit. It leaves its work in the tree, and dispatch commits it.
 */
const codex: AgentSpec = {
  name: "codex",
  command: ["codex", "exec", "--json", "--sandbox", "workspace-write"],
  prompt: "stdin",
  output: "codex-json",
  resume: ["resume", "{session}", "-"],
  env: ["OPENAI_*", "CODEX_HOME", "CODEX_API_KEY", ...NETWORK],
  setEnv: {},
  rateLimit: "\\b(usage|rate) limit|rate_limit|too many requests|\\b429\\b",
  ...LIMITS,
  idleTimeoutMs: 5 * 60_000,
  permissions: "writes in its slot and temporary folders inside codex's own sandbox, without network; graftwork commits its work",
};

function mock(nodePath: string, mockAgentPath: string): AgentSpec {
  return {
    name: "mock",
    command: [nodePath, mockAgentPath],
    prompt: "file",
    output: "text",
    resume: null,
    env: ["GRAFTWORK_MOCK_*"],
    setEnv: {},
    rateLimit: "mock: rate limit",
    ...LIMITS,
    idleTimeoutMs: null,
    permissions: "a scripted stand-in: does what its script says, no model is asked",
  };
}
