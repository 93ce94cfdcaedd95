import { join } from "node:path";
import { compare } from "../harness/compare.mjs";
import { withFolder } from "../harness/folders.mjs";
import { quoted } from "../harness/timed.mjs";
import { stage } from "./stage.mjs";

const SLOTS = 4;

/** `pool-manager cleanup`, a slot's share of it, against `git worktree remove --force`. */
export async function cleanup({ output, rounds, sizes }) {
  for (const files of sizes) {
    // Each round makes eight worktrees anew.
    if (files > 10_000) continue;
    await withFolder(async (folder) => {
      const place = await stage(folder, { files, slots: 0 });
      const trees = Array.from({ length: SLOTS }, (_, index) => join(folder, `tree-${index}`));
      await compare(output, {
        name: `cleanup, ${files} files, per slot of ${SLOTS}`,
        rounds: Math.min(rounds, 5),
        async ours() {
          await place.bash(place.pool("init", String(SLOTS)));
          return share(await place.time(place.pool("cleanup")));
        },
        rivals: [
          {
            name: "`git worktree remove --force`",
            async run() {
              for (const tree of trees) await place.warmTree(tree);
              return share(await place.time(trees.map((tree) => quoted("git", "worktree", "remove", "--force", tree)).join(" && ")));
            },
          },
        ],
      });
    });
  }
}

function share({ cpu, wall }) {
  return { cpu: cpu / SLOTS, wall: wall / SLOTS };
}
