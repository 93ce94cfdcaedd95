// The process that bench/merge/merges.mjs times: prints the milliseconds that the merges took, without Node's start.
// Arguments: library or git, the library's file, the checkout, the target and the branches.
import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";
import { candidate, merging, verdictOn } from "./merging.mjs";

const [way, libraryFile, checkout, target, ...branches] = process.argv.slice(2);
const merge = way === "library" ? await byLibrary() : byGit;
const start = performance.now();
await merge();
process.stdout.write(String(performance.now() - start));

async function byLibrary() {
  const { land } = await merging({ libraryFile, checkout, env: process.env, target, verify: async (request) => verdictOn(request) });
  const candidates = branches.map((branch) =>
    candidate(branch, execFileSync("git", ["rev-parse", branch], { cwd: checkout, encoding: "utf8" }).trim()),
  );
  return async () => {
    const landed = await land(candidates);
    if (landed.length !== branches.length) throw new Error(`${landed.length} of ${branches.length} branches landed`);
  };
}

async function byGit() {
  for (const branch of branches) await promisify(execFile)("git", ["merge", "-q", "--no-edit", branch], { cwd: checkout });
}
