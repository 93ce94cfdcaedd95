import { expect, test } from "vitest";
import { protectionOf } from "../../../src/merge/protected-paths.ts";

const AGENTS =
  "AGENTS.override.md QWEN.md sub/AGENT.md CONVENTIONS.md .rules .goosehints .roomodes .mcp.json .kiro/steering/a.md .roo/rules/a.md .agents/skills/a/SKILL.md .amazonq/rules/a.md .junie/guidelines.md .continue/config.yaml .trae/rules/a.md .zed/settings.json .factory/droids/a.md .claude-plugin/plugin.json".split(
    " ",
  );
const CI =
  ".github/workflows/a.yml .github/instructions/a.md .github/CODEOWNERS .tekton/a.yaml .semaphore/semaphore.yml .cirrus.star .azuredevops/a.yml azure-pipelines/a.yml ci/.gitlab-ci.yml Jenkinsfile.release .drone.jsonnet".split(
    " ",
  );
const HOOKS =
  ".husky/pre-commit lefthook.yml lefthook-local.yml .pre-commit-config.yaml .envrc mise.toml .mise.local.toml .devcontainer/devcontainer.json .lfsconfig .gitmodules .vscode/tasks.json .githooks/pre-push .tool-versions".split(
    " ",
  );
const ORDINARY =
  "src/agents.ts docs/agents/index.md src/claude/index.ts misery.json src/rules/a.ts github/a.ts travisnotes.yml src/cursor/a.ts README.md docs/ci.md my.husky/a src/.gitkeep lefthooks.ts src/continue/x.ts".split(
    " ",
  );

test.each([
  [AGENTS, "what agents are told and may do"],
  [CI, "what CI runs"],
  [HOOKS, "what git, shells and editors run"],
  [ORDINARY, undefined],
])("%j decide %s", (paths, what) => {
  for (const path of paths) expect([path, protectionOf(path)?.what]).toEqual([path, what]);
});
