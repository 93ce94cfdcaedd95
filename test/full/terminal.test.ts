import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, inject, test } from "vitest";
import { atEnd, hermeticEnv, tempFolder, tempRepo } from "../fixtures/index.ts";

const BIN = fileURLToPath(new URL("../../bin/graftwork.js", import.meta.url));

/** A shell in a terminal of its own size, ended with the test. */
function terminal(cwd: string, columns: number) {
  const socket = join(tempFolder("tmux"), "socket");
  const env = { ...hermeticEnv(), TERM: "xterm-256color", PS1: "$ " };
  const tmux = (...args: string[]) =>
    spawnSync("tmux", ["-u", "-S", socket, "-f", "/dev/null", ...args], { cwd, env, encoding: "utf8" }).stdout;
  tmux("new-session", "-d", "-x", String(columns), "-y", "50", "env", "TERM=xterm-256color", "sh");
  atEnd(() => tmux("kill-server"));
  const screen = () => tmux("capture-pane", "-p", "-S", "-200").trimEnd();
  return {
    type: (...keys: string[]) => void tmux("send-keys", ...keys),
    screen,
    cursorShown: () => tmux("display", "-p", "#{cursor_flag}").trim() === "1",
    sees: (pattern: RegExp) => expect.poll(screen, { timeout: 30_000, interval: 50 }).toMatch(pattern),
  };
}

test("Ctrl-C on a terminal ends the run gently, says how to go on, and leaves the terminal as it was", async (context) => {
  if (spawnSync("tmux", ["-V"]).status !== 0) return context.skip("no tmux on this machine");
  expect(inject("buildError")).toBeNull();
  const steps = [
    [{ print: "at work" }, { hang: true }],
    [{ write: "a.txt" }, { commit: "a" }, { promise: "READY_FOR_QA" }],
  ];
  const repo = tempRepo({ files: { ".claude/auto-context.yaml": "agents: { default: mock }\n" } });
  const tasks = [{ id: "slow", title: "Slow", description: `\`\`\`mock-agent\n${JSON.stringify(steps)}\n\`\`\`` }];
  writeFileSync(join(repo.parent, "plan.json"), JSON.stringify({ version: 1, name: "terminal", verification: ["true"], tasks }));
  writeFileSync(
    join(repo.parent, "go"),
    `trap : INT; stty -a > ../before; '${process.execPath}' '${BIN}' "$@"; echo "ended $?"; stty -a > ../after\n`,
  );
  const shell = terminal(repo.dir, 60);

  shell.type("sh ../go run ../plan.json --yes", "Enter");
  await shell.sees(/at work/);
  shell.type("C-c");
  await shell.sees(/nothing is lost\. `graftwork\s+continue` goes on[^]*ended 130/);
  expect(shell.cursorShown()).toBe(true);
  expect(readFileSync(join(repo.parent, "after"), "utf8")).toBe(readFileSync(join(repo.parent, "before"), "utf8"));

  shell.type("clear; sh ../go continue", "Enter");
  await shell.sees(/Merged: slow[^]*ended 0/);
  expect(repo.git("log", "-1", "--format=%s", "main")).toContain("Merge");
  for (const line of shell.screen().split("\n")) expect(line.length).toBeLessThanOrEqual(60);
});
