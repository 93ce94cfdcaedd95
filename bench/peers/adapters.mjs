// How each tool is installed and told to make and remove a worktree. An adapter answers commands; the jobs run them
// all alike. Nothing of a peer is a dependency: what npm has is installed into the benchmark's temporary folder.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../../scripts/setup.mjs";
import { must, run } from "../harness/processes.mjs";

const driver = (name) => fileURLToPath(new URL(`drive-${name}.mjs`, import.meta.url));
const node = process.execPath;

/**
 * An adapter: `{ name, install(folder, env) }`, which answers `{ version, create(place, name), remove(place, name, path),
 * removeIs, branch?(name), init?(place, count) }`; commands are `[program, ...arguments]`. A tool that merges has besides:
 * `merge(place, trees)`, what to run one after the other to have the branches of these trees (name to folder) on main, as
 * `{ command, cwd }`; `mergeIs`; `settings`, files of the repository by which the tool tests first; `lastSaid(end)`.
 */
export const ADAPTERS = [
  {
    name: "graftwork",
    install: async () => {
      const manager = (...args) => [node, join(root, "bin", "pool-manager.js"), ...args];
      return {
        version: versionIn(root),
        init: (_place, count) => manager("init", String(count)),
        create: (_place, name, base) => manager("acquire", name, ...(base === undefined ? [] : [base])),
        remove: (_place, name) => manager("release", name),
        removeIs: "`pool-manager release`",
        branch: (name) => `auto/${name}`,
        merge: (place) => [{ command: manager("merge", "main"), cwd: place.repo }],
        // What becomes of each branch is on stdout; stderr has the checks as they go.
        lastSaid: (end) => ({ ...end, stderr: "" }),
        mergeIs: "`pool-manager merge main`",
      };
    },
  },
  {
    name: "git",
    install: async () => ({
      version: (await must("git", ["--version"])).stdout.trim().split(" ").at(-1),
      create: (place, name) => ["git", "worktree", "add", "-b", name, join(place.folder, "trees", name), "main"],
      remove: (_place, _name, path) => ["git", "worktree", "remove", path],
      removeIs: "`git worktree remove`",
    }),
  },
  {
    name: "agent-worktree",
    install: async (folder) => {
      // The package of that name only picks one of these.
      const [found] = await fromNpm(folder, `@nekocode/agent-worktree-${process.platform}-${process.arch}`);
      const wt = join(found, "bin", "wt");
      return {
        version: versionIn(found),
        create: (_place, name) => [wt, "new", name],
        remove: (_place, name) => [wt, "rm", name],
        removeIs: "`wt rm`",
        settings: { ".agent-worktree.toml": '[general]\ntrunk = "main"\n\n[hooks]\npre_merge = ["npm test"]\n' },
        merge: (_place, trees) => Object.values(trees).map((cwd) => ({ command: [wt, "merge", "-s", "merge", "-d"], cwd })),
        mergeIs: "`wt merge -s merge -d` in each tree, the tests as its `pre_merge` hook",
      };
    },
  },
  {
    name: "branchlet",
    install: async (folder) => {
      const [found] = await fromNpm(folder, "@ntindle/branchlet");
      const branchlet = (...args) => [node, join(found, "dist", "index.js"), ...args];
      return {
        version: versionIn(found),
        create: (_place, name) => branchlet("create", "-n", name, "-s", "main", "-b", name),
        remove: (_place, name) => branchlet("delete", "-n", name),
        removeIs: "`branchlet delete -n`",
      };
    },
  },
  {
    name: "ccmanager",
    install: async (folder) => {
      const [found] = await fromNpm(folder, "ccmanager");
      const service = (...args) => [node, driver("ccmanager"), found, ...args];
      return {
        version: versionIn(found),
        create: (place, name) => service("create", join(place.folder, "trees", name), name),
        remove: (_place, _name, path) => service("remove", path),
        removeIs: "its service's `deleteWorktreeEffect`, by a script (its screen warns first)",
        merge: (place, trees) => Object.keys(trees).map((name) => ({ command: service("merge", name, "main"), cwd: place.repo })),
        mergeIs: "its service's `mergeWorktreeEffect`, by a script",
      };
    },
  },
  {
    name: "agent-orchestrator plugin",
    install: async (folder) => {
      const [found] = await fromNpm(folder, "@composio/ao-plugin-workspace-worktree", "@composio/ao-core");
      const plugin = (...args) => [node, driver("agent-orchestrator"), found, ...args];
      return {
        version: versionIn(found),
        create: (place, name) => plugin("create", join(place.folder, "trees"), name),
        remove: (_place, _name, path) => plugin("remove", path),
        removeIs: "its `destroy`, by a script",
      };
    },
  },
  {
    name: "git-worktree-runner",
    install: async () => {
      const checkout = process.env.GRAFTWORK_BENCH_GTR;
      if (!checkout) throw new Error("not on npm; set GRAFTWORK_BENCH_GTR to a checkout of coderabbitai/git-worktree-runner");
      const gtr = (...args) => ["bash", join(checkout, "bin", "git-gtr"), ...args];
      const [program, ...args] = gtr("version");
      return {
        version: (await must(program, args)).stdout.trim().split(" ").at(-1),
        create: (_place, name) => gtr("new", name, "--no-fetch", "--yes"),
        remove: (_place, name) => gtr("rm", name),
        removeIs: "`git gtr rm`",
      };
    },
  },
];

/** Installs packages; the folders they are in. Scripts of packages are not run, and the user's cache is left alone. */
async function fromNpm(folder, ...packages) {
  const cache = join(folder, "..", "npm-cache");
  const args = ["install", "--prefix", folder, "--cache", cache, "--no-audit", "--no-fund", "--ignore-scripts", ...packages];
  const result = await run("npm", args, { cwd: folder, killWhen: (passedMs) => passedMs > 120_000 });
  if (result.code !== 0) {
    const why = result.stderr.split("\n").filter((line) => line.startsWith("npm error"));
    throw new Error(`npm did not install ${packages[0]} (${why[0] ?? `ended with ${result.code ?? result.signal}`})`);
  }
  return packages.map((name) => join(folder, "node_modules", name));
}

function versionIn(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
}
