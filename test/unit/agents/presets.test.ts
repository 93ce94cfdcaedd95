import { expect, test } from "vitest";
import { argvOf } from "../../../src/agents/argv.ts";
import { presets } from "../../../src/agents/index.ts";
import type { AgentSpec } from "../../../src/domain/index.ts";
import { childEnvironment } from "../../../src/subprocess/index.ts";

function preset(name: string, parentEnv: NodeJS.ProcessEnv = {}): AgentSpec {
  const spec = presets({ parentEnv, mockAgentPath: "/pkg/mock-agent.mjs", nodePath: "/usr/bin/node" })[name];
  if (spec === undefined) throw new Error(`no preset ${name}`);
  return spec;
}

const fill = { brief: "Do it.", briefFile: "/b.md", session: null };

test("claude asks for permission as acceptEdits, never skips it, and gets its prompt on standard input", () => {
  const argv = argvOf(preset("claude"), fill);
  expect(argv.join(" ")).toMatch(/^claude -p --output-format stream-json --verbose --permission-mode acceptEdits --allowedTools /);
  expect(argv.join(" ")).not.toMatch(/dangerously|bypass|Do it/);
  expect(argv).toContain("Bash(git commit:*)");
  // A rule for these would also allow `--output=FILE`; claude runs their harmless forms without one.
  for (const verb of ["diff", "log", "show", "push", "checkout", "stash", "config", "worktree"])
    expect(argv.join(" ")).not.toContain(`git ${verb}`);
});

test.for([
  [{ CLAUDE_CODE: "/opt/claude code/bin/claude" }, "/opt/claude code/bin/claude"],
  [{ CLAUDE_CODE: "" }, "claude"],
  [{}, "claude"],
] as const)("CLAUDE_CODE %j names the program", ([env, program]) => {
  expect(preset("claude", env).command[0]).toBe(program);
});

test("a conversation is resumed by the client's own arguments", () => {
  const session = { ...fill, session: "abc" };
  expect(argvOf(preset("claude"), session).slice(-2)).toEqual(["--resume", "abc"]);
  expect(argvOf(preset("codex"), session).slice(-3)).toEqual(["resume", "abc", "-"]);
  expect(argvOf(preset("mock"), session)).toEqual(["/usr/bin/node", "/pkg/mock-agent.mjs"]);
});

test("agents see what they need to log in, and no other secret", () => {
  const parentEnv = {
    PATH: "/bin",
    ANTHROPIC_API_KEY: "key",
    OPENAI_API_KEY: "key",
    HTTPS_PROXY: "proxy",
    CLAUDE_CODE_OAUTH_TOKEN: "token",
    CLAUDE_CODE_SSE_PORT: "1",
    CLAUDE_CODE_ENTRYPOINT: "cli",
    AWS_SECRET_ACCESS_KEY: "secret",
    GITHUB_TOKEN: "secret",
    GIT_DIR: "/elsewhere",
    NODE_OPTIONS: "--require x",
  };
  const seen = (name: string, env: NodeJS.ProcessEnv = parentEnv) => Object.keys(childEnvironment(env, preset(name, env).env, {})).sort();
  expect(seen("claude")).toEqual(["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "HTTPS_PROXY", "PATH"]);
  expect(seen("codex")).toEqual(["HTTPS_PROXY", "OPENAI_API_KEY", "PATH"]);
  expect(seen("mock")).toEqual(["PATH"]);
  expect(seen("claude", { ...parentEnv, CLAUDE_CODE_USE_BEDROCK: "1" })).toContain("AWS_SECRET_ACCESS_KEY");
  expect(seen("claude", { ...parentEnv, CLAUDE_CODE_USE_BEDROCK: "0" })).not.toContain("AWS_SECRET_ACCESS_KEY");
});

test.for<[what: string, spec: Partial<AgentSpec>, argv: string[]]>([
  ["the prompt in its place", { command: ["a", "{prompt}", "-x"], prompt: "argument" }, ["a", "Do it.", "-x"]],
  ["the prompt at the end", { command: ["a", "-x"], prompt: "argument" }, ["a", "-x", "Do it."]],
  ["the file in its place", { command: ["a", "--file", "{brief}"], prompt: "file" }, ["a", "--file", "/b.md"]],
  ["parts of arguments stay", { command: ["a", "--file={brief}"], prompt: "file" }, ["a", "--file={brief}"]],
])("%s", ([, spec, argv]) => {
  expect(argvOf({ ...preset("mock"), ...spec }, fill)).toEqual(argv);
});

test("a brief that looks like a placeholder stays what it is", () => {
  const spec = { ...preset("mock"), command: ["a"] as const, prompt: "argument" as const };
  expect(argvOf(spec, { ...fill, brief: "{brief}" })).toEqual(["a", "{brief}"]);
});
