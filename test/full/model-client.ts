import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TestContext } from "vitest";
import type { JournalLine, RunEvent } from "../../src/domain/index.ts";
import { atEnd, type CliResult, runCli, type TempRepo, tempFolder, tempRepo } from "../fixtures/index.ts";

/** One assistant turn: the API maps it to whichever tool the client offers. */
export type Turn = (
  | { do: "write"; path: string; content: string }
  | { do: "bash"; command: string }
  | { say: string }
  | { error: { status: number; type: string; message: string; times: number } }
) & { text?: string };

/** What the API was asked: one entry for each request. `turns` counts the messages of the conversation so far. */
export type Asked = { script?: string; step?: number; status?: number; turns?: number };

export type ModelApi = { url: string; asked: () => Promise<readonly Asked[]> };

const API_SCRIPT = process.env["GRAFTWORK_TEST_MODEL_API"] ?? fileURLToPath(new URL("../../../shared/fake-model-api.mjs", import.meta.url));

/** A real client and the API script that stands in for its vendor; skips the test with the reason where one is missing. */
export function needClient(context: TestContext, name: "claude" | "codex"): string {
  const variable = `GRAFTWORK_TEST_${name.toUpperCase()}`;
  const named = process.env[variable];
  if (named !== undefined && !isProgram(named)) return context.skip(`${variable} names no program: ${named}`);
  const program =
    named ??
    (process.env["PATH"] ?? "")
      .split(delimiter)
      .map((folder) => join(folder, name))
      .find(isProgram);
  if (program === undefined) return context.skip(`no ${name} on this machine: put it on the PATH or name it in ${variable}`);
  if (!existsSync(API_SCRIPT)) return context.skip("no loopback model API: name its script in GRAFTWORK_TEST_MODEL_API");
  return resolve(program);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Replays `scripts` on a loopback port until the test is over. `[[script:NAME]]` in what a client says picks one. */
export async function modelApi(scripts: Readonly<Record<string, readonly Turn[]>>): Promise<ModelApi> {
  const file = join(tempFolder("api"), "script.json");
  writeFileSync(file, JSON.stringify({ scripts }));
  const child = spawn(process.execPath, [API_SCRIPT, "--script", file], { stdio: ["ignore", "pipe", "inherit"] });
  atEnd(() => stop(child));
  const [line] = await once(createInterface(child.stdout), "line");
  const { url }: { url: string } = JSON.parse(String(line));
  return { url, asked: async () => JSON.parse(await (await fetch(`${url}/__log`)).text()) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** A program that notes its arguments, one line for each start, and becomes the client. */
export function noting(client: string, name: string): { program: string; folder: string; starts: () => readonly string[][] } {
  const folder = tempFolder("client");
  const program = join(folder, name);
  const log = join(folder, "starts");
  // One `printf` into a file opened for appending: starts at the same time do not mix.
  const words = `printf '%s\\037' "$@"; echo`;
  writeFileSync(program, `#!/bin/sh\nline=$(${words})\nprintf '%s\\n' "$line" >> '${log}'\nexec '${client}' "$@"\n`);
  chmodSync(program, 0o755);
  const starts = () =>
    readFileSync(log, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split("\x1f").slice(0, -1));
  return { program, folder, starts };
}

export type Stage = { repo: TempRepo; run: (env: Readonly<Record<string, string>>) => Promise<CliResult> };

/** A package whose `npm test` wants src/feature.txt to hold no "wrong", and a plan of these tasks in a file beside it. */
export function stage(tasks: readonly { id: string; description: string }[], agent: string): Stage {
  // What the test prints where it fails comes back in the second brief, and picks the script of the second attempt.
  const check =
    "const f='src/feature.txt',t=require('fs');if(t.existsSync(f)&&/wrong/.test(t.readFileSync(f))){console.log('[[script:mend]]');process.exit(1)}";
  const repo = tempRepo({ package: { scripts: { test: `node -e "${check}"` } } });
  const plan = join(repo.parent, "plan.json");
  // Clients leave things in both: they go with the test.
  const [home, temp] = [join(repo.parent, "home"), join(repo.parent, "tmp")];
  for (const folder of [home, temp]) mkdirSync(folder);
  writeFileSync(
    plan,
    JSON.stringify({
      version: 1,
      name: "real client",
      verification: ["npm test"],
      tasks: tasks.map((task) => ({ title: `Task ${task.id}`, agent, ...task })),
    }),
  );
  return { repo, run: (env) => runCli(["run", plan, "--yes"], { cwd: repo.dir, env: { HOME: home, TMPDIR: temp, ...env } }) };
}

/** Everything that the repository's only run has said. */
export function journalOf(repo: TempRepo): RunEvent[] {
  const runs = join(repo.dir, ".git/graftwork/runs");
  const [run] = readdirSync(runs);
  return readFileSync(join(runs, run ?? "", "journal.1.jsonl"), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => (JSON.parse(line) as JournalLine).event);
}

/** How each attempt of a task ended. */
export function attemptsOf(repo: TempRepo, task: string): Extract<RunEvent, { type: "attempt-ended" }>[] {
  return journalOf(repo).filter(
    (event): event is Extract<RunEvent, { type: "attempt-ended" }> => event.type === "attempt-ended" && event.task === task,
  );
}
