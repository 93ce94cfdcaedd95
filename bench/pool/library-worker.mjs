// The process that bench/pool/library.mjs times: prints the milliseconds that its tasks' trees took, without Node's start.
// Arguments: library or git, the library's file, the folder, and the tasks.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const [way, libraryFile, folder, ...tasks] = process.argv.slice(2);
const root = join(folder, "repo");

const take = { library: await byLibrary(), git: byGit }[way];
const start = performance.now();
for (const task of tasks) await take(task);
process.stdout.write(String(performance.now() - start));

async function byLibrary() {
  if (way !== "library") return undefined;
  const { acquireSlot, loadConfig, openRepository, presets, shellOwner } = await import(pathToFileURL(libraryFile).href);
  const { env } = process;
  const repository = await openRepository(root, { parentEnv: env });
  const { config } = await loadConfig({
    root,
    env,
    presets: presets({ parentEnv: env, mockAgentPath: "none", nodePath: process.execPath }),
  });
  const context = {
    repository,
    settings: config.pool,
    owner: shellOwner(env),
    run: "shell",
    now: () => new Date(),
    narrate: () => undefined,
  };
  return (task) => acquireSlot(context, { task });
}

function byGit(task) {
  return promisify(execFile)("git", ["worktree", "add", "-q", "-b", task, join(folder, task), "main"], { cwd: root });
}
