import { join } from "node:path";
import { root } from "../../scripts/setup.mjs";
import { hermetic } from "../harness/environment.mjs";
import { must } from "../harness/processes.mjs";
import { makeRepository } from "../harness/repository.mjs";
import { quoted, timed } from "../harness/timed.mjs";

const MANAGER = join(root, "bin", "pool-manager.js");
export const BARE_NODE = quoted(process.execPath, "-e", "0");

/** A repository with a pool, and the commands that the rows time in it. */
export async function stage(folder, { files, slots, bytes, name = "repo" }) {
  const env = hermetic(folder);
  const repo = await makeRepository(join(folder, name), { files, bytes, env });
  const here = { cwd: repo, env };
  const pool = (...args) => quoted(process.execPath, MANAGER, ...args);
  const git = async (...args) => (await must("git", args, here)).stdout.trim();
  const bash = (script) => must("bash", ["-c", script], here);
  if (slots > 0) await bash(pool("init", String(slots)));
  return {
    repo,
    env,
    pool,
    git,
    bash,
    time: (script, cwd = repo) => timed(script, { cwd, env }),
    /** A warm worktree of plain git, equal to a slot: the floor's place. */
    async warmTree(tree = join(folder, "floor")) {
      await git("worktree", "add", "-q", "--detach", tree, "main");
      return tree;
    },
    /** Acquires without being timed; answers the slot's folder. */
    async acquired(task, base) {
      const { stdout } = await bash(pool("acquire", task, ...(base === undefined ? [] : [base])));
      return slotOf(stdout);
    },
  };
}

/** The folder in what `acquire` prints. */
export function slotOf(stdout) {
  const [, path] = stdout.trim().split("|");
  if (path === undefined) throw new Error(`acquire printed ${JSON.stringify(stdout)}`);
  return path;
}
