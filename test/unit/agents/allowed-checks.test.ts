import { expect, test } from "vitest";
import { presets, withAllowedChecks } from "../../../src/agents/index.ts";

const { claude, codex } = presets({ parentEnv: {}, mockAgentPath: "/mock.mjs", nodePath: "/node" });
const check = (run: string | readonly string[]) => ({ name: "check", run, timeoutMs: 1, history: false });

/** The rules that a check adds. */
function rulesOf(run: string | readonly string[]): readonly string[] {
  if (claude === undefined) throw new Error("no preset");
  const before: readonly string[] = claude.command;
  return withAllowedChecks(claude, [check(run)]).command.filter((word) => !before.includes(word));
}

test.for<[run: string | readonly string[], rules: string[]]>([
  ["npm test", ["Bash(npm test)", "Bash(npm test --:*)", "Bash(npm run test)", "Bash(npm run test --:*)"]],
  [
    ["yarn", "run", "test"],
    ["Bash(yarn run test)", "Bash(yarn run test --:*)", "Bash(yarn test)", "Bash(yarn test --:*)"],
  ],
  // Another program than the script of that name.
  ["bun test", ["Bash(bun test)", "Bash(bun test --:*)"]],
  ["npm run test:unit", ["Bash(npm run test:unit)", "Bash(npm run test:unit --:*)"]],
  ["pnpm run lint", ["Bash(pnpm run lint)", "Bash(pnpm run lint --:*)"]],
  ["npm run lint && npx tsc --noEmit", ["Bash(npm run lint)", "Bash(npm run lint --:*)", "Bash(npx tsc --noEmit)"]],
  ["make check", ["Bash(make check)"]],
  ["cargo test --all-features", ["Bash(cargo test --all-features)"]],
  ["go test ./...", ["Bash(go test ./...)"]],
  ["./scripts/check.sh", ["Bash(./scripts/check.sh)"]],
  ["node test.js", ["Bash(node test.js)"]],
  ["python3 -m pytest -q", ["Bash(python3 -m pytest -q)"]],
  [["node", "--test"], ["Bash(node --test)"]],
  [["node", "--eval", "x"], []],
  ["python3 -m code", []],
  ["bash -s x", []],
  [["node", "test.js"], ["Bash(node test.js)"]],
  [["npx", "vitest", "run"], ["Bash(npx vitest run)"]],
  // Whatever a shell or a rule would read something into.
  ["npm test; rm -rf .", []],
  ["npm test | tee log", []],
  ["npm test > log", []],
  ["npm run lint && echo $HOME", []],
  ["sh -c 'npm test'", []],
  ["test -f *.md", []],
  ["echo a,b", []],
  ["echo (a)", []],
  ["grep -c x:* a", []],
  ["CI=1 npm test", []],
  ["npm test\nrm x", []],
  ["echo `id`", []],
  [["echo", "a b"], []],
  ["", []],
  // Each of these would let anything run: `anything | sh`.
  ["sh", []],
  ["/bin/bash", []],
  ["python3.12", []],
  ["node -", []],
  ["xargs", []],
  ["env", []],
])("%j", ([run, rules]) => {
  expect(rulesOf(run)).toEqual(rules);
});

test("the rules stand in the list, before the next option, once each", () => {
  if (claude === undefined) throw new Error("no preset");
  const spec = { ...claude, command: ["claude", "--allowedTools", "Bash(make a)", "--model", "x"] as const };
  expect(withAllowedChecks(spec, [check("make a"), check("make b"), check("make b")]).command).toEqual([
    "claude",
    "--allowedTools",
    "Bash(make a)",
    "Bash(make b)",
    "--model",
    "x",
  ]);
});

test("a command without such a list is left alone", () => {
  if (codex === undefined) throw new Error("no preset");
  expect(withAllowedChecks(codex, [check("npm test")])).toBe(codex);
});
