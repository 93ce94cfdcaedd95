// The process that bench/merge/merges.mjs times: prints the milliseconds that the merges took, without Node's start.
// Arguments: library or git, the library's file, the checkout, the target and the branches.
import { execFile, execFileSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const [way, libraryFile, checkout, target, ...branches] = process.argv.slice(2);
const merge = way === "library" ? await byLibrary() : byGit;
const start = performance.now();
await merge();
process.stdout.write(String(performance.now() - start));

async function byLibrary() {
  const { dangerousConfig, mergeApproved, openRepository } = await import(pathToFileURL(libraryFile).href);
  const repository = await openRepository(checkout, { parentEnv: process.env });
  const approved = async ({ label, commit, base }) => ({
    decision: "approved",
    label,
    commit,
    base,
    tree: "",
    key: "",
    reason: "",
    checks: [],
    install: "none",
    at: "",
  });
  const context = {
    repository,
    run: "bench",
    target,
    person: { name: "bench", email: "bench@example.invalid" },
    verify: approved,
    slots: 1,
    resolving: { level: "safe", union: [] },
    strategy: "merge",
    emit: () => undefined,
    fence: [],
    trustedConfig: await dangerousConfig(repository),
    narrate: () => undefined,
  };
  const candidates = branches.map((branch) => {
    const commit = execFileSync("git", ["rev-parse", branch], { cwd: checkout, encoding: "utf8" }).trim();
    return { task: branch, title: branch, branch, commit, dependsOn: [] };
  });
  return async () => {
    const { landed } = await mergeApproved(context, candidates, null);
    if (landed.length !== branches.length) throw new Error(`${landed.length} of ${branches.length} branches landed`);
  };
}

async function byGit() {
  for (const branch of branches) await promisify(execFile)("git", ["merge", "-q", "--no-edit", branch], { cwd: checkout });
}
